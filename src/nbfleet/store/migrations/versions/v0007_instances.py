"""What an instance is made with beyond its flavor, and volumes that are to grow."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instances", sa.Column("volume_growing_to", sa.Integer))
    op.add_column("instances", sa.Column("making", sa.Text))

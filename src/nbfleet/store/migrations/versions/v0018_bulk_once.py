"""What keeps a form from beginning two actions on many notebooks, and their results by number."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bulk_actions", sa.Column("once", sa.String(64)))
    op.add_column("bulk_actions", sa.Column("counts", sa.Text))
    op.create_index("bulk_actions_once", "bulk_actions", ["user_id", "once"], unique=True)

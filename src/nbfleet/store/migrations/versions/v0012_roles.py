"""Roles that administrators make, beside those that are built in."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "roles",
        sa.Column("name", name, primary_key=True),
        sa.Column("actions", sa.Text, nullable=False),
    )

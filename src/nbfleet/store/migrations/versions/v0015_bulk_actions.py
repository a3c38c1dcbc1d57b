"""Actions on many notebooks, and what became of each of them."""

import sqlalchemy as sa
from alembic import op

from nbfleet.store.migrations.triggers import is_postgresql

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "bulk_actions",
        sa.Column("no", number, primary_key=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("wish", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("create_at", sa.BigInteger, nullable=False),
        sa.Column("end_at", sa.BigInteger),
        sa.Column("cancel_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("bulk_actions_of_user", "bulk_actions", ["project_id", "user_id", "no"])
    is_open = sa.text("end_at IS NULL")
    op.create_index(
        "bulk_actions_open", "bulk_actions", ["no"], sqlite_where=is_open, postgresql_where=is_open
    )
    options = {} if is_postgresql() else {"sqlite_with_rowid": False}
    op.create_table(
        "bulk_rows",
        sa.Column("action_no", number, sa.ForeignKey("bulk_actions.no"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("notebook_id", sa.String(36), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("at", sa.BigInteger),
        **options,
    )
    op.create_index("bulk_rows_by_result", "bulk_rows", ["action_no", "result", "place"])

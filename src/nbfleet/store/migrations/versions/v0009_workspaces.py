"""Workspaces say who may use them; quotas, and what is counted for them."""

import sqlalchemy as sa
from alembic import op

from nbfleet.store.migrations.triggers import keep_storage

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HOLDERS = ("project_no", "workspace_no", "owner_no")
SIZES = ("project_no", "flavor", "status", "workspace_no", "owner_no", "rid")


def upgrade() -> None:
    _extend_workspaces()
    op.create_table(
        "workspace_grants",
        sa.Column("workspace_no", NUMBER, nullable=False),
        sa.Column("user_no", NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["workspace_no"], ["workspaces.no"]),
        sa.ForeignKeyConstraint(["user_no"], ["users.no"]),
        sa.PrimaryKeyConstraint("workspace_no", "user_no"),
    )
    op.create_index("workspace_grants_by_user", "workspace_grants", ["user_no"])
    op.create_table(
        "quotas",
        sa.Column("project_no", NUMBER, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("holder_no", NUMBER, nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("update_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_no"], ["projects.no"]),
        sa.PrimaryKeyConstraint("project_no", "holder", "holder_no", "resource"),
    )
    taking = sa.text("status IN (20, 50, 80, 90, 100, 110, 140)")
    op.create_index("notebooks_sizes", "notebooks", SIZES, sqlite_where=taking, postgresql_where=taking)
    _sum_storage()


def _extend_workspaces() -> None:
    for column in (
        sa.Column("description", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("auth_type", sa.Text(), nullable=False, server_default="PUBLIC"),
        sa.Column("create_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("update_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("delete_at", sa.BigInteger(), nullable=True),
    ):
        op.add_column("workspaces", column)
    # SQLite takes a reference with the column or not at all.
    number = NUMBER.compile(dialect=op.get_bind().dialect)
    op.execute(f"ALTER TABLE workspaces ADD COLUMN owner_no {number} REFERENCES users (no)")
    made = "(SELECT p.create_at FROM projects p WHERE p.no = workspaces.project_no)"
    op.execute(f"UPDATE workspaces SET create_at = {made}, update_at = {made}")


def _sum_storage() -> None:
    op.add_column("notebooks", sa.Column("storage", sa.Integer(), nullable=False, server_default="0"))
    size = "SELECT coalesce(i.volume_growing_to, i.volume_capacity) FROM instances i"
    op.execute(f"UPDATE notebooks SET storage = ({size} WHERE i.rid = notebooks.rid) WHERE status <> 30")
    op.create_table(
        "storage_used",
        *(sa.Column(key, NUMBER, autoincrement=False, nullable=False) for key in HOLDERS),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*HOLDERS),
        sqlite_with_rowid=False,
    )
    keys = ", ".join(HOLDERS)
    op.execute(
        f"INSERT INTO storage_used SELECT {keys}, sum(storage) FROM notebooks WHERE storage <> 0 GROUP BY {keys}"
    )
    keep_storage()

"""Lists whose cost does not grow: counters by owner and by pool and workspace, and all of them with what is
asked for in front; indexes that leave out what was deleted."""

import sqlalchemy as sa
from alembic import op

from nbfleet.store.migrations.triggers import is_postgresql, keep_counter

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Written out here and not imported: the schema module moves on, this file does not.
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTERS = {
    "count_by_status": (),
    "count_by_pool": ("pool_no",),
    "count_by_workspace": ("workspace_no",),
    "count_by_owner": ("owner_no",),
    "count_by_pool_workspace": ("pool_no", "workspace_no"),
}
FIRST_COUNTERS = ("count_by_status", "count_by_pool", "count_by_workspace")
INDEXES = {
    "create_at": (
        "create_at",
        "rid",
        "status",
        "feature",
        "workspace_no",
        "pool_no",
        "owner_no",
        "name_folded",
    ),
    "name": ("name", "rid", "status", "feature", "workspace_no", "pool_no", "owner_no"),
    "owner": ("owner_no", "create_at", "rid", "status", "feature", "workspace_no", "pool_no"),
    "pool": ("pool_no", "create_at", "rid", "status", "feature", "workspace_no", "owner_no"),
    "status": ("status", "create_at", "rid", "feature", "workspace_no", "pool_no", "owner_no"),
    "status_update": ("status", "update_at", "rid", "feature", "workspace_no", "pool_no", "owner_no"),
    "update_at": ("update_at", "rid", "status", "feature", "workspace_no", "pool_no", "owner_no"),
    "workspace": ("workspace_no", "create_at", "rid", "status", "feature", "pool_no", "owner_no"),
}
DELETED_COLUMNS = ("create_at", "rid", "feature", "workspace_no", "pool_no", "owner_no")


def upgrade() -> None:
    for table in FIRST_COUNTERS:
        _drop_counter(table)
    for table, keys in COUNTERS.items():
        _create_counter(table, ("project_no", *keys, "feature", "status"))
    for name, columns in INDEXES.items():
        op.drop_index(f"notebooks_{name}", "notebooks")
        _create_index(name, columns, "status <> 30")
    _create_index("deleted", DELETED_COLUMNS, "status = 30")


def _drop_counter(table: str) -> None:
    if is_postgresql():
        op.execute(f"DROP TRIGGER {table}_keep ON notebooks")
        op.execute(f"DROP FUNCTION {table}_keep()")
    else:
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER {table}_{event}")
    op.drop_table(table)


def _create_counter(table: str, keys: tuple[str, ...]) -> None:
    op.create_table(
        table,
        *(sa.Column(key, NUMBER, autoincrement=False, nullable=False) for key in keys),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*keys),
        sqlite_with_rowid=False,
    )
    columns = ", ".join(keys)
    op.execute(f"INSERT INTO {table} SELECT {columns}, count(*) FROM notebooks GROUP BY {columns}")
    keep_counter(table, keys)


def _create_index(name: str, columns: tuple[str, ...], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"notebooks_{name}", "notebooks", ["project_no", *columns], sqlite_where=where, postgresql_where=where
    )

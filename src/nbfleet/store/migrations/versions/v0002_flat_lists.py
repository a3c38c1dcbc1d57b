"""Lists whose cost does not grow: counters by owner and by pool and workspace, and all of them with what is
asked for in front; indexes that leave out what was deleted."""

import sqlalchemy as sa
from alembic import op

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
    if _is_postgresql():
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
    for statement in _postgresql_triggers(table, keys) if _is_postgresql() else _sqlite_triggers(table, keys):
        op.execute(statement)


def _create_index(name: str, columns: tuple[str, ...], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"notebooks_{name}", "notebooks", ["project_no", *columns], sqlite_where=where, postgresql_where=where
    )


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _change(table: str, keys: tuple[str, ...], row: str, by: int) -> str:
    values = ", ".join(f"{row}.{key}" for key in keys)
    return (
        f"INSERT INTO {table} ({', '.join(keys)}, total) VALUES ({values}, {by}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET total = {table}.total + {by};"
    )


def _sqlite_triggers(table: str, keys: tuple[str, ...]) -> list[str]:
    add, remove = _change(table, keys, "NEW", 1), _change(table, keys, "OLD", -1)
    changed = " OR ".join(f"OLD.{key} <> NEW.{key}" for key in keys)
    return [
        f"CREATE TRIGGER {table}_insert AFTER INSERT ON notebooks BEGIN {add} END",
        f"CREATE TRIGGER {table}_delete AFTER DELETE ON notebooks BEGIN {remove} END",
        f"CREATE TRIGGER {table}_update AFTER UPDATE OF {', '.join(keys)} ON notebooks "
        f"WHEN {changed} BEGIN {remove} {add} END",
    ]


def _postgresql_triggers(table: str, keys: tuple[str, ...]) -> list[str]:
    add, remove = _change(table, keys, "NEW", 1), _change(table, keys, "OLD", -1)
    old, new = (", ".join(f"{row}.{key}" for key in keys) for row in ("OLD", "NEW"))
    columns, places = ", ".join(keys), ", ".join(str(place) for place in range(1, len(keys) + 1))
    # Both rows in one order: two changes the opposite way would else wait for each other.
    move = (
        f"INSERT INTO {table} ({columns}, total) "
        f"SELECT * FROM (VALUES ({old}, -1::bigint), ({new}, 1::bigint)) AS moved ORDER BY {places} "
        f"ON CONFLICT ({columns}) DO UPDATE SET total = {table}.total + excluded.total;"
    )
    return [
        f"CREATE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'INSERT' THEN {add} "
        f"ELSIF TG_OP = 'DELETE' THEN {remove} "
        f"ELSIF ({old}) IS DISTINCT FROM ({new}) THEN {move} END IF; RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_keep AFTER INSERT OR DELETE OR UPDATE ON notebooks "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_keep()",
    ]

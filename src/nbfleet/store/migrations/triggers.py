"""The triggers that keep a counter of notebooks, for the migrations that make or replace one.

What has been released stays as it is here: a later form gets a function of its own.
"""

from alembic import op


def keep_counter(table: str, keys: tuple[str, ...]) -> None:
    """Makes `table` hold, for each combination of these columns of notebooks, how many there are from now on."""
    for statement in _postgresql_triggers(table, keys) if is_postgresql() else _sqlite_triggers(table, keys):
        op.execute(statement)


def keep_storage() -> None:
    """Makes `storage_used` hold the sums of `storage` of the notebooks from now on."""
    for statement in _storage_postgresql() if is_postgresql() else _storage_sqlite():
        op.execute(statement)


def is_postgresql() -> bool:
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


_STORAGE_KEYS = ("project_no", "workspace_no", "owner_no")


def _storage(row: str, sign: str) -> str:
    keys = ", ".join(_STORAGE_KEYS)
    values = ", ".join(f"{row}.{key}" for key in _STORAGE_KEYS)
    return (
        f"INSERT INTO storage_used ({keys}, total) VALUES ({values}, {sign}{row}.storage) "
        f"ON CONFLICT ({keys}) DO UPDATE SET total = storage_used.total {sign or '+'} {row}.storage;"
    )


def _storage_sqlite() -> list[str]:
    add, remove = _storage("NEW", ""), _storage("OLD", "-")
    columns = ("storage", *_STORAGE_KEYS)
    changed = " OR ".join(f"OLD.{column} <> NEW.{column}" for column in columns)
    return [
        f"CREATE TRIGGER storage_used_insert AFTER INSERT ON notebooks WHEN NEW.storage <> 0 BEGIN {add} END",
        f"CREATE TRIGGER storage_used_delete AFTER DELETE ON notebooks WHEN OLD.storage <> 0 "
        f"BEGIN {remove} END",
        f"CREATE TRIGGER storage_used_update AFTER UPDATE OF {', '.join(columns)} ON notebooks "
        f"WHEN {changed} BEGIN {remove} {add} END",
    ]


def _storage_postgresql() -> list[str]:
    add, remove = _storage("NEW", ""), _storage("OLD", "-")
    columns = ", ".join(("storage", *_STORAGE_KEYS))
    old, new = (", ".join(f"{row}.{c}" for c in ("storage", *_STORAGE_KEYS)) for row in ("OLD", "NEW"))
    return [
        f"CREATE FUNCTION storage_used_keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'INSERT' THEN {add} ELSIF TG_OP = 'DELETE' THEN {remove} "
        f"ELSIF ({old}) IS DISTINCT FROM ({new}) THEN {remove} {add} END IF; RETURN NULL; END $$",
        f"CREATE TRIGGER storage_used_keep AFTER INSERT OR DELETE OR UPDATE OF {columns} ON notebooks "
        f"FOR EACH ROW EXECUTE FUNCTION storage_used_keep()",
    ]

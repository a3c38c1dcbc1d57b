"""The schema people write first, to hold the product's against: one table of texts, an index for each column
that is filtered by, one statement for the total and one for the page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from nbfleet.domain.listing import Query, Tag
from nbfleet.store.codes import FEATURE, STATUS
from nbfleet.store.database import Database, sqlite_url

_COLUMNS = (
    "rid BIGINT PRIMARY KEY", "id TEXT", "project_id TEXT", "owner_id TEXT", "owner_name TEXT", "name TEXT",
    "description TEXT", "status TEXT", "feature TEXT", "flavor TEXT", "image_id TEXT", "swr_path TEXT",
    "workspace_id TEXT", "pool_id TEXT", "pool_name TEXT", "ip TEXT", "create_at BIGINT",
    "update_at BIGINT", "tags TEXT", "body TEXT",
)  # fmt: skip
_INDEXED = ("id", "owner_id", "status", "create_at", "workspace_id", "pool_id")
_TAGS = {
    "sqlite": "(SELECT json_group_array(json_object('key', key, 'value', value)) "
    "FROM {source}notebook_tags t WHERE t.rid = n.rid)",
    "postgresql": "(SELECT coalesce(json_agg(json_build_object('key', key, 'value', value)), '[]')::text "
    "FROM notebook_tags t WHERE t.rid = n.rid)",
}
_BODY = {"sqlite": "CAST(d.body AS TEXT)", "postgresql": "convert_from(d.body, 'UTF8')"}
_HAS_TAG = {
    "sqlite": "EXISTS (SELECT 1 FROM json_each(tags) WHERE value ->> 'key' = :tag_key "
    "AND value ->> 'value' = :tag_value)",
    "postgresql": "tags::jsonb @> jsonb_build_array(jsonb_build_object('key', CAST(:tag_key AS text), "
    "'value', CAST(:tag_value AS text)))",
}
_EXACT = ("feature", "workspace_id", "owner_id", "pool_id")
_FUZZY = ("name", "description")


def fill(database: Database, product: Path | None) -> None:
    """Copies all notebooks of the product's store: out of that SQLite file, or within the same PostgreSQL."""
    dialect, source = ("sqlite", "product.") if product else ("postgresql", "")
    statements = [
        *([f"ATTACH '{product}' AS product"] if product else []),
        "DROP TABLE IF EXISTS notebook",
        f"CREATE TABLE notebook ({', '.join(_COLUMNS)})",
        _copy(dialect, source),
        *(f"CREATE INDEX naive_{column} ON notebook ({column})" for column in _INDEXED),
        *([] if product else ["VACUUM ANALYZE"]),
    ]
    connection = database.engine.raw_connection()
    driver: Any = connection.driver_connection
    if not product:
        driver.autocommit = True
    for statement in statements:
        driver.execute(statement)
    connection.close()


def _copy(dialect: str, source: str) -> str:
    words = " ".join(f"WHEN {code} THEN '{status.value}'" for status, code in STATUS.items())
    features = " ".join(f"WHEN {code} THEN '{word}'" for word, code in FEATURE.items())
    tags = _TAGS[dialect].format(source=source)
    joins = " ".join(
        f"{kind} JOIN {source}{table} ON {condition}"
        for kind, table, condition in (
            ("", "instances i", "i.rid = n.rid"), ("", "documents d", "d.rid = n.rid"),
            ("", "projects p", "p.no = n.project_no"), ("", "users u", "u.no = n.owner_no"),
            ("", "workspaces w", "w.no = n.workspace_no"), ("", "images im", "im.no = n.image_no"),
            ("LEFT", "pools pl", "pl.no = n.pool_no"),
        )
    )  # fmt: skip
    return (
        "INSERT INTO notebook SELECT n.rid, n.id, p.id, u.id, u.name, n.name, i.description, "
        f"CASE n.status {words} END, CASE n.feature {features} END, n.flavor, im.id, im.swr_path, w.id, "
        f"pl.id, pl.name, n.ip, n.create_at, n.update_at, {tags}, {_BODY[dialect]} "
        f"FROM {source}notebooks n {joins} ORDER BY n.rid"
    )


def opened(folder: Path) -> Database:
    """A store of its own beside the product's."""
    return Database(sqlite_url(folder / "naive.db"))


@dataclass
class _Conditions:
    dialect: str
    texts: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def add(self, condition: str, **values: Any) -> None:
        self.texts.append(condition)
        self.values |= values

    def part(self, column: str, value: str) -> None:
        escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        like = "LIKE" if self.dialect == "sqlite" else "ILIKE"
        self.add(f"{column} {like} :{column} ESCAPE '\\'", **{column: f"%{escaped}%"})

    def tag(self, tag: Tag) -> None:
        self.add(_HAS_TAG[self.dialect], tag_key=tag.key, tag_value=tag.value)


def _conditions(dialect: str, query: Query) -> _Conditions:
    found = _Conditions(dialect)
    found.add("project_id = :project_id", project_id=query.project_id)
    for name in _EXACT:
        value = getattr(query, name)
        if value is not None:
            found.add(f"{name} = :{name}", **{name: value})
    if query.statuses:
        names = [f"status_{place}" for place in range(len(query.statuses))]
        values = dict(zip(names, (status.value for status in query.statuses), strict=True))
        found.add(f"status IN ({', '.join(f':{name}' for name in names)})", **values)
    else:
        found.add("status <> 'DELETED'")
    for name in _FUZZY:
        value = getattr(query, name)
        if value is not None:
            found.part(name, value)
    for tag in query.tags:
        found.tag(tag)
    return found


def question(dialect: str, query: Query) -> Callable[[Connection], tuple[int, list[str]]]:
    """Asks for the total and the ids of the page; the bodies are read as well."""
    found = _conditions(dialect, query)
    direction = "DESC" if query.descending else "ASC"
    keys = ", ".join(f"{key.value} {direction}" for key in query.sort)
    where = " AND ".join(found.texts)
    total = text(f"SELECT count(*) FROM notebook WHERE {where}")
    page = text(
        f"SELECT id, body FROM notebook WHERE {where} ORDER BY {keys}, rid {direction} "
        "LIMIT :limit OFFSET :offset"
    )
    values = found.values | {"limit": query.limit, "offset": query.offset}

    def ask(connection: Connection) -> tuple[int, list[str]]:
        number = connection.execute(total, found.values).scalar_one()
        return number, [id_ for id_, _ in connection.execute(page, values)]

    return ask

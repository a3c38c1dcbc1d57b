"""The fleet list: from a `Query` to a total and a page of ready documents, out of one snapshot.

Totals come from the smallest counter that knows all the filters, pages from the index that has the wanted
order, walked from its nearer end; only the rows of the page are then read. Who may see what was already
decided when the query was narrowed.

A statement depends on which filters are there and not on their values, so each is built and compiled once;
a call then costs the driver's own work and little more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import UnaryExpression

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Billing, Query, SortKey, fold
from nbfleet.store import schema
from nbfleet.store.codes import BILLING, FEATURE, STATUS
from nbfleet.store.directory import Directory

_n = schema.notebooks.c
_RUNNING = STATUS[Status.RUNNING]

_ORDER: dict[SortKey, ColumnElement[Any]] = {
    SortKey.NAME: _n.name,
    SortKey.STATUS: _n.status,
    SortKey.FLAVOR: _n.flavor,
    SortKey.FEATURE: _n.feature,
    SortKey.ID: _n.id,
    SortKey.CREATE_AT: _n.create_at,
    SortKey.UPDATE_AT: _n.update_at,
}


@dataclass(frozen=True, slots=True)
class Row:
    """What a list needs of one notebook: its document, and what is spliced in for some readers only."""

    id: str
    owner_id: str
    owner_name: str
    generation: int
    running: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts all matching notebooks, `rows` are those of the page, both of the same moment."""

    total: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class _Filters:
    """The filters that are there: equal to a number or text, parts of texts, and tags (key, any value)."""

    equal: tuple[str, ...]
    parts: tuple[str, ...]
    tags: tuple[bool, ...]
    billing: bool

    @property
    def counted(self) -> bool:
        """Whether nothing is asked that no counter could know."""
        return not (self.parts or self.tags or self.billing)


@dataclass(frozen=True, slots=True)
class _Statement:
    """Text for the driver with the constants in it, and the names of its parameters in order; None where
    the driver takes them by name."""

    text: str
    constants: dict[str, Any]
    order: tuple[str, ...] | None

    def run(self, connection: Connection, values: dict[str, Any]) -> Any:
        given = self.constants | values
        cursor = connection.connection.cursor()
        cursor.execute(self.text, given if self.order is None else [given[name] for name in self.order])
        return cursor


BOUNDED = 2000  # Index entries that may be walked beside other requests: a fraction of a millisecond.


def page(connection: Connection, directory: Directory, query: Query) -> Page:
    return cast(Page, _look(connection, directory, query, math.inf))


def bounded_page(connection: Connection, directory: Directory, query: Query) -> Page | None:
    """The page; None when it might take walking more than BOUNDED index entries."""
    return _look(connection, directory, query, BOUNDED)


def _look(connection: Connection, directory: Directory, query: Query, most: float) -> Page | None:
    values = None if _is_unstorable(query) else _values(connection, directory, query)
    if values is None:
        return Page(0, ())
    filters, name = _filters(query), connection.dialect.name
    if most < math.inf and _counter(filters) is None and not _is_narrow(filters):
        return None
    total = int(_total(name, filters).run(connection, values).fetchone()[0])
    size = min(query.limit, total - query.offset)
    if size <= 0:
        return Page(total, ())
    from_end = query.offset > total // 2
    values["size"] = size
    values["skip"] = total - query.offset - size if from_end else query.offset
    if most < math.inf and _walked(connection, filters, query, values, total) > most:
        return None
    statement = _page(name, filters, query.sort, query.descending, from_end)
    return Page(total, [_row(*found) for found in statement.run(connection, values).fetchall()])


# Filters that an index begins with, ordered by creation behind it.
_INDEXED = frozenset({"status", "pool_no", "workspace_no", "owner_no"})
_WALKABLE = frozenset({(SortKey.CREATE_AT,), (SortKey.UPDATE_AT,), (SortKey.NAME,)})


def _is_narrow(filters: _Filters) -> bool:
    """Whether few notebooks can match, so that counting them is quick."""
    return filters.counted and not {"id", "owner_no"}.isdisjoint(filters.equal)


def _walked(
    connection: Connection, filters: _Filters, query: Query, values: dict[str, Any], total: int
) -> float:
    """How many index entries the page may take: those skipped and shown, and those in between that do not
    match, if matching ones are spread evenly."""
    here = values["skip"] + values["size"]
    if query.sort not in _WALKABLE or not filters.counted:
        return math.inf
    common = query.feature in (None, "NOTEBOOK")
    if common and query.sort == (SortKey.CREATE_AT,) and len(_INDEXED & set(filters.equal)) <= 1:
        return here
    every = _total(connection.dialect.name, _EVERYTHING).run(connection, values).fetchone()[0]
    return here * int(every) / total


_EVERYTHING = _Filters(equal=(), parts=(), tags=(), billing=False)


def _is_unstorable(query: Query) -> bool:
    """Whether a text is asked for that can be in no database: PostgreSQL refuses to look for the letter 0."""
    texts = [getattr(query, name) for name in _TEXTS]
    texts.extend(text for tag in query.tags for text in (tag.key, tag.value))
    return any(text is not None and "\0" in text for text in texts)


def _row(notebook_id: str, generation: int, status: int, owner_id: str, owner_name: str, body: bytes) -> Row:
    return Row(notebook_id, owner_id, owner_name, generation, status == _RUNNING, body)


# From the query to values: ids become numbers, words become codes, parts are folded.

_TEXTS = (
    "project_id", "owner_id", "workspace_id", "id", "image_id", "pool_id", "ip",
    "name", "flavor", "username", "swr_path", "pool_name", "description",
)  # fmt: skip
_FUZZY = ("name", "flavor", "username", "swr_path", "pool_name", "description")


def _filters(query: Query) -> _Filters:
    equal = {
        "feature": query.feature,
        "status": query.status,
        "workspace_no": query.workspace_id,
        "pool_no": query.pool_id,
        "owner_no": query.owner_id,
        "image_no": query.image_id,
        "id": query.id,
        "ip": query.ip,
    }
    return _Filters(
        equal=tuple(name for name, value in equal.items() if value is not None),
        parts=tuple(name for name in _FUZZY if getattr(query, name) is not None),
        tags=tuple(tag.value is None for tag in query.tags),
        billing=query.billing is not None,
    )


def _values(connection: Connection, directory: Directory, query: Query) -> dict[str, Any] | None:
    """None when an id that is asked for does not exist, so that nothing can match."""
    project_no = directory.project(connection, query.project_id)
    if project_no is None:
        return None
    values: dict[str, Any] = {"project_no": project_no, "deleted": STATUS[Status.DELETED]}
    lookups: tuple[tuple[str, str | None, Callable[[str], int | None]], ...] = (
        ("workspace_no", query.workspace_id, lambda i: directory.workspace(connection, project_no, i)),
        ("pool_no", query.pool_id, lambda i: directory.pool(connection, project_no, i)),
        ("owner_no", query.owner_id, lambda i: directory.user(connection, i)),
        ("image_no", query.image_id, lambda i: directory.image(connection, i.lower())),
        ("feature", query.feature, FEATURE.get),
        ("status", query.status, lambda word: STATUS[Status(word)]),
        ("billing", query.billing, lambda word: BILLING[Billing(word)]),
    )
    for name, wanted, look_up in lookups:
        if wanted is not None:
            values[name] = look_up(wanted)
            if values[name] is None:
                return None
    values |= {name: fold(getattr(query, name)) for name in _FUZZY if getattr(query, name) is not None}
    values |= {"id": (query.id or "").lower(), "ip": query.ip}
    for place, tag in enumerate(query.tags):
        values |= {f"tag_key_{place}": tag.key, f"tag_value_{place}": tag.value}
    return values


# From the shape of a query to statements.


@lru_cache(maxsize=512)
def _total(dialect: str, filters: _Filters) -> _Statement:
    table = _counter(filters)
    if table is None:
        return _compile(
            dialect, select(func.count()).select_from(schema.notebooks).where(_where(dialect, filters))
        )
    counted = func.coalesce(func.sum(table.c.total), 0)
    return _compile(dialect, select(counted).where(*_matches(table, filters)))


def _counter(filters: _Filters) -> Table | None:
    """The smallest counter that has a column for every filter."""
    if filters.counted:
        for table in (schema.count_by_status, schema.count_by_pool, schema.count_by_workspace):
            if set(filters.equal) <= set(table.c.keys()):
                return table
    return None


@lru_cache(maxsize=512)
def _page(
    dialect: str, filters: _Filters, sort: tuple[SortKey, ...], descending: bool, from_end: bool
) -> _Statement:
    """The rows of the page in order. From the end, the index is walked the other way round."""
    users, documents = schema.users.c, schema.documents.c
    wanted = (
        select(_n.rid)
        .where(_where(dialect, filters))
        .order_by(*_ordering(sort, descending=descending != from_end))
        .limit(bindparam("size"))
        .offset(bindparam("skip"))
        .subquery("wanted")
    )
    return _compile(
        dialect,
        select(_n.id, _n.generation, _n.status, users.id, users.name, documents.body)
        .select_from(wanted)
        .join(schema.notebooks, _n.rid == wanted.c.rid)
        .join(schema.documents, documents.rid == wanted.c.rid)
        .join(schema.users, users.no == _n.owner_no)
        .order_by(*_ordering(sort, descending=descending)),
    )


def _ordering(sort: tuple[SortKey, ...], *, descending: bool) -> list[UnaryExpression[Any]]:
    """The wanted order; what is equal stays in order of creation, in the same direction."""
    columns = [*(_ORDER[key] for key in sort), _n.rid]
    return [column.desc() if descending else column.asc() for column in columns]


def _where(dialect: str, filters: _Filters) -> ColumnElement[bool]:
    conditions = _matches(schema.notebooks, filters)
    conditions.extend(_PARTS[name](dialect, bindparam(name)) for name in filters.parts)
    conditions.extend(_has_tag(place, any_value) for place, any_value in enumerate(filters.tags))
    if filters.billing:
        conditions.append(_n.billing.bitwise_and(bindparam("billing")) == bindparam("billing"))
    return and_(*conditions)


def _matches(table: Table, filters: _Filters) -> list[ColumnElement[bool]]:
    conditions = [table.c[name] == bindparam(name) for name in ("project_no", *filters.equal)]
    if "status" not in filters.equal:
        conditions.append(table.c.status != bindparam("deleted"))
    return conditions


def _holds(dialect: str, folded: ColumnElement[Any], part: BindParameter[Any]) -> ColumnElement[bool]:
    """Whether the text has the part, letter by letter: LIKE would take `_` and `%` for wildcards."""
    find = func.instr if dialect == "sqlite" else func.strpos
    return find(folded, part) > 0


def _related(
    number: ColumnElement[Any], its_number: ColumnElement[Any], folded: ColumnElement[Any]
) -> Callable[[str, BindParameter[Any]], ColumnElement[bool]]:
    """A fuzzy condition on a text that is kept in another, small table."""

    def condition(dialect: str, part: BindParameter[Any]) -> ColumnElement[bool]:
        return number.in_(select(its_number).where(_holds(dialect, folded, part)))

    return condition


def _describes(dialect: str, part: BindParameter[Any]) -> ColumnElement[bool]:
    i = schema.instances.c
    return select(i.rid).where(i.rid == _n.rid, _holds(dialect, i.description_folded, part)).exists()


_PARTS: dict[str, Callable[[str, BindParameter[Any]], ColumnElement[bool]]] = {
    "name": lambda dialect, part: _holds(dialect, _n.name_folded, part),
    "flavor": lambda dialect, part: _holds(dialect, func.lower(_n.flavor), part),
    "username": _related(_n.owner_no, schema.users.c.no, schema.users.c.name_folded),
    "swr_path": _related(_n.image_no, schema.images.c.no, schema.images.c.swr_path_folded),
    "pool_name": _related(_n.pool_no, schema.pools.c.no, schema.pools.c.name_folded),
    "description": _describes,
}


def _has_tag(place: int, any_value: bool) -> ColumnElement[bool]:
    t = schema.notebook_tags.c
    query = select(t.rid).where(t.rid == _n.rid, t.key == bindparam(f"tag_key_{place}"))
    if not any_value:
        query = query.where(t.value == bindparam(f"tag_value_{place}"))
    return query.exists()


_DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(paramstyle="pyformat"),
}


def _compile(dialect: str, statement: Executable) -> _Statement:
    compiled: Any = cast(Any, statement).compile(dialect=_DIALECTS[dialect])
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    order = compiled.positiontup
    return _Statement(str(compiled), constants, None if order is None else tuple(order))

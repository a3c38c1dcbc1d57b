"""The fleet list: from a `Query` to a total and a page of ready documents, out of one snapshot.

Totals come from the smallest counter that knows all the filters, pages from the index that has the wanted
order, walked from its nearer end; only the rows of the page are then read. Who may see what was already
decided when the query was narrowed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, select
from sqlalchemy.sql.elements import UnaryExpression

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query, SortKey, Tag, fold
from nbfleet.store import schema
from nbfleet.store.codes import BILLING, FEATURE, STATUS
from nbfleet.store.directory import Directory

_n = schema.notebooks.c

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
    """The query with its ids resolved. `counted` are the conditions that counters know too."""

    counted: dict[str, int | None]
    other: tuple[ColumnElement[bool], ...]


def page(connection: Connection, directory: Directory, query: Query) -> Page:
    filters = _resolve(connection, directory, query)
    if filters is None:
        return Page(0, ())
    total = _total(connection, filters)
    if query.offset >= total:
        return Page(total, ())
    return Page(total, _rows(connection, filters, query, total))


def _resolve(connection: Connection, directory: Directory, query: Query) -> _Filters | None:
    """None when an id that is asked for does not exist, so that nothing can match."""
    project_no = directory.project(connection, query.project_id)
    if project_no is None:
        return None
    counted: dict[str, int | None] = {
        "project_no": project_no,
        "feature": None if query.feature is None else FEATURE[query.feature],
        "status": None if query.status is None else STATUS[query.status],
    }
    lookups: tuple[tuple[str, str | None, Callable[[str], int | None]], ...] = (
        ("workspace_no", query.workspace_id, lambda i: directory.workspace(connection, project_no, i)),
        ("pool_no", query.pool_id, lambda i: directory.pool(connection, project_no, i)),
        ("owner_no", query.owner_id, lambda i: directory.user(connection, i)),
        ("image_no", query.image_id, lambda i: directory.image(connection, i.lower())),
    )
    for name, wanted, look_up in lookups:
        if wanted is not None:
            number = look_up(wanted)
            if number is None:
                return None
            counted[name] = number
    return _Filters(counted, tuple(_conditions(connection.dialect.name, query)))


def _conditions(dialect: str, query: Query) -> list[ColumnElement[bool]]:
    """The conditions that no counter knows."""
    found: list[ColumnElement[bool]] = []
    if query.id is not None:
        found.append(_n.id == query.id.lower())
    if query.ip is not None:
        found.append(_n.ip == query.ip)
    if query.billing is not None:
        bits = BILLING[query.billing]
        found.append(_n.billing.bitwise_and(bits) == bits)
    if query.name is not None:
        found.append(_holds(dialect, _n.name_folded, query.name))
    if query.flavor is not None:
        found.append(_holds(dialect, func.lower(_n.flavor), query.flavor))
    found.extend(_has_tag(tag) for tag in query.tags)
    found.extend(_related(dialect, query))
    return found


def _related(dialect: str, query: Query) -> list[ColumnElement[bool]]:
    """Fuzzy conditions on what is kept in other tables."""
    users, images, pools, instances = schema.users.c, schema.images.c, schema.pools.c, schema.instances.c
    found: list[ColumnElement[bool]] = []
    if query.username is not None:
        matching = select(users.no).where(_holds(dialect, func.lower(users.name), query.username))
        found.append(_n.owner_no.in_(matching))
    if query.swr_path is not None:
        matching = select(images.no).where(_holds(dialect, func.lower(images.swr_path), query.swr_path))
        found.append(_n.image_no.in_(matching))
    if query.pool_name is not None:
        matching = select(pools.no).where(_holds(dialect, func.lower(pools.name), query.pool_name))
        found.append(_n.pool_no.in_(matching))
    if query.description is not None:
        matching = select(instances.rid).where(
            instances.rid == _n.rid, _holds(dialect, instances.description_folded, query.description)
        )
        found.append(matching.exists())
    return found


def _holds(dialect: str, folded: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether the text has the part, letter by letter: LIKE would take `_` and `%` for wildcards."""
    find = func.instr if dialect == "sqlite" else func.strpos
    return find(folded, fold(part)) > 0


def _has_tag(tag: Tag) -> ColumnElement[bool]:
    t = schema.notebook_tags.c
    query = select(t.rid).where(t.rid == _n.rid, t.key == tag.key)
    if tag.value is not None:
        query = query.where(t.value == tag.value)
    return query.exists()


def _total(connection: Connection, filters: _Filters) -> int:
    table = None if filters.other else _counter(filters)
    if table is None:
        query = select(func.count()).select_from(schema.notebooks).where(_where(filters))
    else:
        query = select(func.coalesce(func.sum(table.c.total), 0)).where(_matches(table, filters))
    return int(connection.execute(query).scalar_one())


def _counter(filters: _Filters) -> Table | None:
    """The smallest counter that has a column for every filter."""
    wanted = {name for name, value in filters.counted.items() if value is not None}
    for table in (schema.count_by_status, schema.count_by_pool, schema.count_by_workspace):
        if wanted <= set(table.c.keys()):
            return table
    return None


def _matches(table: Table, filters: _Filters) -> ColumnElement[bool]:
    conditions = [table.c[name] == value for name, value in filters.counted.items() if value is not None]
    if filters.counted["status"] is None:
        conditions.append(table.c.status != STATUS[Status.DELETED])
    return and_(*conditions)


def _where(filters: _Filters) -> ColumnElement[bool]:
    return and_(_matches(schema.notebooks, filters), *filters.other)


def _order(query: Query, *, descending: bool) -> list[UnaryExpression[Any]]:
    """The wanted order; what is equal stays in order of creation, in the same direction."""
    columns = [*(_ORDER[key] for key in query.sort), _n.rid]
    return [column.desc() if descending else column.asc() for column in columns]


def _rows(connection: Connection, filters: _Filters, query: Query, total: int) -> list[Row]:
    size = min(query.limit, total - query.offset)
    from_end = query.offset > total // 2
    skip = total - query.offset - size if from_end else query.offset
    order = _order(query, descending=query.descending != from_end)
    wanted = select(_n.rid).where(_where(filters)).order_by(*order).limit(size).offset(skip)
    rids = list(connection.execute(wanted).scalars())
    if from_end:
        rids.reverse()
    return _fetch(connection, rids)


def _fetch(connection: Connection, rids: Sequence[int]) -> list[Row]:
    users, documents = schema.users.c, schema.documents.c
    query = (
        select(_n.rid, _n.id, _n.generation, _n.status, users.id, users.name, documents.body)
        .join(schema.documents, documents.rid == _n.rid)
        .join(schema.users, users.no == _n.owner_no)
        .where(_n.rid.in_(rids))
    )
    running = STATUS[Status.RUNNING]
    found = {
        rid: Row(notebook_id, owner_id, owner_name, generation, status == running, body)
        for rid, notebook_id, generation, status, owner_id, owner_name, body in connection.execute(query)
    }
    return [found[rid] for rid in rids]


def one(connection: Connection, rid: int) -> Row:
    """The same view of one notebook."""
    return _fetch(connection, [rid])[0]

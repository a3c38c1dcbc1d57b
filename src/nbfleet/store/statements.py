"""SQL for the fleet list: from the shape of a query to compiled statements, kept for the next query like it.

Nothing here decides which statement to run or reads a row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import UnaryExpression

from nbfleet.domain.listing import SortKey
from nbfleet.store import schema
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.paths import BY_NUMBER
from nbfleet.store.shapes import Shape

_n = schema.notebooks.c
_DELETED: ColumnElement[int] = literal_column(str(schema.DELETED))
_KEPT = 512  # Statements; far more than the shapes that one site uses.

ORDER: dict[SortKey, ColumnElement[Any]] = {
    SortKey.NAME: _n.name,
    SortKey.STATUS: _n.status,
    SortKey.FLAVOR: _n.flavor,
    SortKey.FEATURE: _n.feature,
    SortKey.ID: _n.id,
    SortKey.CREATE_AT: _n.create_at,
    SortKey.UPDATE_AT: _n.update_at,
}


@dataclass(frozen=True, slots=True)
class Order:
    """`from_end`: the rows are reached from the other end, and then shown in the order asked for."""

    sort: tuple[SortKey, ...]
    descending: bool
    from_end: bool = False


@lru_cache(maxsize=_KEPT)
def counted(dialect: str, counter: Table, shape: Shape) -> Statement:
    """The total out of a counter that has a column for every condition."""
    return compiled(dialect, _sum(dialect, counter, shape))


def _sum(dialect: str, counter: Table, shape: Shape) -> Select[Any]:
    total = func.coalesce(func.sum(counter.c.total), 0)
    return select(total).where(*matches(dialect, counter, shape))


@lru_cache(maxsize=_KEPT)
def scanned(dialect: str, shape: Shape, index: str | None) -> Statement:
    """The total by looking at the entries of an index."""
    query = select(func.count()).select_from(schema.notebooks).where(where(dialect, shape, index))
    return compiled(dialect, along(query, index))


@lru_cache(maxsize=_KEPT)
def probed(dialect: str, shape: Shape, equal: Shape, order: Order, index: str | None) -> Statement:
    """How many of the first `probe` rows that match `equal` match `shape` as well."""
    first = select(_n.rid).where(where(dialect, equal)).order_by(*ordering(order)).limit(bindparam("probe"))
    among = _n.rid.in_(along(first, index))
    query = select(func.count()).select_from(schema.notebooks).where(among, where(dialect, shape))
    return compiled(dialect, along(query, BY_NUMBER))


@lru_cache(maxsize=_KEPT)
def grouped(dialect: str, counter: Table | None, shape: Shape, column: str, index: str | None) -> Statement:
    """How many there are for each value of a column: out of a counter that has it, or by looking at all."""
    if counter is not None:
        total = func.sum(counter.c.total)
        query = select(counter.c[column], total).where(*matches(dialect, counter, shape))
        return compiled(dialect, query.group_by(counter.c[column]).having(total > 0))
    counted_rows = cast("Select[Any]", select(_n[column], func.count()))
    query = counted_rows.where(where(dialect, shape)).group_by(_n[column])
    return compiled(dialect, along(query, index))


@lru_cache(maxsize=_KEPT)
def grouped_by_tag(dialect: str, shape: Shape, index: str | None) -> Statement:
    """How many there are for each key and value of a tag."""
    t = schema.notebook_tags.c
    found = along(select(_n.rid).where(where(dialect, shape)), index).subquery("found")
    query = select(t.key, t.value, func.count()).join_from(t.rid.table, found, found.c.rid == t.rid)
    return compiled(dialect, query.group_by(t.key, t.value))


@lru_cache(maxsize=_KEPT)
def page(
    dialect: str, shape: Shape, order: Order, index: str | None, total: Table | Literal["walked", "unknown"]
) -> Statement:
    """The rows of the page in order, each with the total in front: out of a counter that has a column for
    every condition, counted on the way (`walked`), or 0."""
    counted_rows: ColumnElement[int] = func.count().over() if total == "walked" else literal_column("0")
    some = cast("Select[Any]", select(_n.rid, counted_rows.label("total")))
    some = some.where(where(dialect, shape, index)).order_by(*ordering(order, reverse=order.from_end))
    some = some.limit(bindparam("size")).offset(bindparam("skip"))
    wanted = along(some, index).subquery("wanted")
    n = schema.notebooks.alias("n")
    known = wanted.c.total if isinstance(total, str) else _sum(dialect, total, shape).scalar_subquery()
    rows = _shown(known, wanted.join(n, n.c.rid == wanted.c.rid), n.c)
    return compiled(dialect, rows.order_by(*ordering(order, n.c)))


@lru_cache(maxsize=_KEPT)
def first_page(dialect: str, shape: Shape, order: Order, index: str, counter: Table) -> Statement:
    """The same without rows to skip, along an index in this order: one loop is enough then."""
    total = _sum(dialect, counter, shape).scalar_subquery()
    rows = _shown(total, schema.notebooks, _n).where(where(dialect, shape, index))
    return compiled(dialect, along(rows.order_by(*ordering(order)).limit(bindparam("size")), index))


@lru_cache(maxsize=_KEPT)
def next_rows(dialect: str, shape: Shape, order: Order, index: str | None) -> Statement:
    """The rows behind a place along an index in this order, each looked at by itself, with 0 for a total."""
    rows = _shown(literal_column("0"), schema.notebooks, _n).where(where(dialect, shape, each=True))
    rows = rows.order_by(*ordering(order)).limit(bindparam("size")).offset(bindparam("skip"))
    return compiled(dialect, along(rows, index))


@lru_cache(maxsize=_KEPT)
def next_as_stored(shape: Shape, order: Order, index: str | None, *, each: bool) -> Statement:
    """The rows behind a place with 0 for a total, for SQLite, which meets them in the order of their numbers:
    so they lie in the file, and the kernel reads ahead, as it does not from the newest to the oldest.

    `each`: they are looked at one by one along the index. The answer has no order.
    """
    some = select(_n.rid).where(where("sqlite", shape, None if each else index, each=each))
    some = some.order_by(*ordering(order)).limit(bindparam("size")).offset(bindparam("skip"))
    n = schema.notebooks.alias("n")
    rows = _shown(literal_column("0"), n, n.c).where(n.c.rid.in_(along(some, index)))
    return compiled("sqlite", rows)


def _shown(total: ColumnElement[Any], source: FromClause, n: Any) -> Select[Any]:
    """What a `Row` is made of, behind a total; `n` are the columns of the notebooks in the source."""
    users, documents = schema.users, schema.documents
    owner, body = users.c, documents.c.body
    columns = (total, n.rid, n.create_at, n.id, n.generation, n.status, owner.id, owner.name, body)
    joined = source.join(documents, documents.c.rid == n.rid).join(users, owner.no == n.owner_no)
    return cast("Select[Any]", select(*columns).select_from(joined))


def ordering(order: Order, columns: Any = _n, *, reverse: bool = False) -> list[UnaryExpression[Any]]:
    """The wanted order; what is equal stays in order of creation, in the same direction."""
    named = [*(columns[ORDER[key].name] for key in order.sort), columns.rid]
    return [column.desc() if order.descending != reverse else column.asc() for column in named]


def along(query: Select[Any], index: str | None) -> Select[Any]:
    """Tells SQLite which index to take; PostgreSQL always chooses for itself."""
    if index is None:
        return query
    hint = "NOT INDEXED" if index == BY_NUMBER else f"INDEXED BY notebooks_{index}"
    return query.with_hint(schema.notebooks, hint, "sqlite")


def where(dialect: str, shape: Shape, index: str | None = None, *, each: bool = False) -> ColumnElement[bool]:
    """`index` is the one that the rows are reached by; `each`: they are looked at one by one, few of them."""
    conditions = matches(dialect, schema.notebooks, shape)
    conditions.extend(_bound(*window) for window in shape.windows)
    parts = _PARTS if index != BY_NUMBER else _PARTS | {"description": _described}
    conditions.extend(parts[name](dialect, bindparam(name)) for name in shape.parts)
    has_tag = _carries_tag if each else _has_tag
    conditions.extend(has_tag(place, any_value) for place, any_value in enumerate(shape.tags))
    if shape.billing:
        conditions.append(_n.billing.bitwise_and(bindparam("billing")) == bindparam("billing"))
    if shape.after:
        place = tuple_(bindparam("after_create_at"), bindparam("after_rid"))
        here = tuple_(_n.create_at, _n.rid)
        conditions.append(here < place if shape.descending else here > place)
    return and_(*conditions)


def matches(dialect: str, table: Table, shape: Shape) -> list[ColumnElement[bool]]:
    """The conditions that counters know as well."""
    conditions = [table.c[name] == bindparam(name) for name in ("project_no", *sorted(shape.equal))]
    if shape.statuses:
        conditions.append(table.c.status.in_([bindparam(f"status_{n}") for n in range(shape.statuses)]))
    if shape.deleted is not None:
        is_deleted = table.c.status == _DELETED
        conditions.append(is_deleted if shape.deleted else ~is_deleted)
    if shape.granted:
        conditions.append(_among(dialect, table.c.workspace_no))
    return conditions


def _among(dialect: str, column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the number is one of a bound list, however long, so that its length is not in the text."""
    if dialect == "sqlite":
        return column.in_(select(func.json_each(bindparam("granted")).table_valued("value").c.value))
    return column == any_(bindparam("granted", type_=ARRAY(BigInteger)))


def _bound(column: str, bound: str) -> ColumnElement[bool]:
    value: BindParameter[int] = bindparam(f"{column}_{bound}")
    return _n[column] >= value if bound == "since" else _n[column] < value


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


def _described(dialect: str, part: BindParameter[Any]) -> ColumnElement[bool]:
    """The same where descriptions are looked through first: a fifth of the time, if it is all of them."""
    i = schema.instances.c
    described = select(i.rid).where(i.description_folded != literal_column("''"))
    hinted = described.with_hint(schema.instances, "INDEXED BY instances_description", "sqlite")
    return _n.rid.in_(hinted.where(_holds(dialect, i.description_folded, part)))


_PARTS: dict[str, Callable[[str, BindParameter[Any]], ColumnElement[bool]]] = {
    "name": lambda dialect, part: _holds(dialect, _n.name_folded, part),
    "flavor": lambda dialect, part: _holds(dialect, func.lower(_n.flavor), part),
    "username": _related(_n.owner_no, schema.users.c.no, schema.users.c.name_folded),
    "swr_path": _related(_n.image_no, schema.images.c.no, schema.images.c.swr_path_folded),
    "pool_name": _related(_n.pool_no, schema.pools.c.no, schema.pools.c.name_folded),
    "description": _describes,
}


def _has_tag(place: int, any_value: bool) -> ColumnElement[bool]:
    """The rows with a tag are looked up once, by the tag, and not the tags of each row."""
    t = schema.notebook_tags.c
    return _n.rid.in_(select(t.rid).where(*_is_tag(place, any_value)))


def _carries_tag(place: int, any_value: bool) -> ColumnElement[bool]:
    """The same for a row in hand."""
    t = schema.notebook_tags.c
    return select(t.rid).where(t.rid == _n.rid, *_is_tag(place, any_value)).exists()


def _is_tag(place: int, any_value: bool) -> list[ColumnElement[bool]]:
    t = schema.notebook_tags.c
    conditions = [t.key == bindparam(f"tag_key_{place}")]
    return conditions if any_value else [*conditions, t.value == bindparam(f"tag_value_{place}")]

"""The fleet list: from a `Query` to a total and a page of ready documents, out of one snapshot.

Totals come from the smallest counter that knows all the conditions, pages from the index that has the wanted
order, walked from its nearer end; only the rows of the page are then read. What no counter knows is counted
on the way. Who may see what was already decided when the query was narrowed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Table

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Place, Query
from nbfleet.store import paths, schema, statements
from nbfleet.store.codes import STATUS
from nbfleet.store.directory import Directory
from nbfleet.store.shapes import Shape, shape_of, values_of
from nbfleet.store.statements import Order, Statement

_RUNNING = STATUS[Status.RUNNING]
_BY_COLUMN = {
    "owner_no": schema.count_by_owner,
    "pool_no": schema.count_by_pool,
    "workspace_no": schema.count_by_workspace,
}


class Row(NamedTuple):
    """What a list needs of one notebook: its document, and what is spliced in for some readers only. A tuple,
    because thousands are made a second. `status` is its code."""

    number: int
    create_at: int
    id: str
    generation: int
    status: int
    owner_id: str
    owner_name: str
    body: bytes

    @property
    def running(self) -> bool:
        return self.status == _RUNNING

    @property
    def place(self) -> Place:
        """Where a walk goes on behind this row."""
        return Place(self.create_at, self.number)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The way to the answer of one query, found with the counters as they were: another time it may no longer
    be the quickest, and the answer is right all the same."""

    text: str
    arguments: Any
    offset: int

    def page(self, connection: Any) -> "Page | None":
        """The answer, by a connection of the driver; None behind the last row, where no row tells a total."""
        cursor = connection.cursor()
        cursor.execute(self.text, self.arguments)
        found = cursor.fetchall()
        if not found:
            return None if self.offset else Page(0, ())
        return Page(int(found[0][0]), _without_total(found))


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts all matching notebooks, `rows` are those of the page, both of the same moment."""

    total: int
    rows: Sequence[Row]


BOUNDED = 5000  # Index entries that may be walked beside other requests: half a millisecond.
# From so many entries on it pays to try whether matches are dense, before all of them are counted with their
# rows in hand: that takes longer for each match than a second look.
_WORTH_A_PROBE = 20_000
_PROBE = 1000
_DENSE = 10  # Of _PROBE.
_COUNTED = frozenset({"status", *_BY_COLUMN})
_GATHERED_BATCHES = 3
_CREATION = attrgetter("create_at", "number")
_new = cast(Any, tuple).__new__


def page(connection: Connection, directory: Directory, query: Query) -> Page:
    """The whole answer, however long it takes."""
    return cast(Page, _look(connection, directory, query, math.inf))


def bounded_page(connection: Connection, directory: Directory, query: Query) -> Page | None:
    """The page; None when it might take looking at more than BOUNDED index entries."""
    return _look(connection, directory, query, BOUNDED)


def prepare(connection: Connection, directory: Directory, query: Query) -> Prepared | None:
    """How to answer this query from now on in one statement; None where that takes more than looking at
    BOUNDED index entries, or more than one."""
    look = look_at(connection, directory, query)
    return None if look is None else look.prepared(BOUNDED)


def batch(connection: Connection, directory: Directory, query: Query, number: int) -> Sequence[Row]:
    """The next rows of a walk in order of creation, without a total. `number` counts the batches before.

    The first few look for all that match, which is quick where it is little; the others go along an index in
    this order, whose entries they look at once between them. DELETED among other statuses has no such index
    and is looked for each time.
    """
    look = look_at(connection, directory, query)
    return () if look is None else look.batch(along_index=number >= _GATHERED_BATCHES)


def _look(connection: Connection, directory: Directory, query: Query, most: float) -> Page | None:
    look = look_at(connection, directory, query)
    return Page(0, ()) if look is None else look.page(most)


def look_at(connection: Connection, directory: Directory, query: Query) -> "Look | None":
    """None where nothing can match."""
    values = values_of(connection, directory, query)
    return None if values is None else Look(connection, query, shape_of(query), values)


@dataclass(slots=True)
class Look:
    """One look at the store, for one query."""

    connection: Connection
    query: Query
    shape: Shape
    values: dict[str, Any]

    def prepared(self, most: float) -> "Prepared | None":
        """Total and page in one statement, where a counter knows the total and the page is near the start."""
        counter = counter_for(self.shape)
        if counter is None or self.shape.after or self.shape.deleted is not False:
            return None
        total = self.total()
        path = self._path(self.query.offset + self.query.limit, total)
        if path.cost > most or self.query.offset > total // 2:
            return None
        order, shape = self._order(), self.shape
        if path.index and not self.query.offset and paths.is_ordered(path, order.sort, shape.equal):
            statement = statements.first_page(self.dialect, shape, order, path.index, counter)
        else:
            statement = statements.page(self.dialect, shape, order, path.index, counter)
        values = self.values | {"size": self.query.limit, "skip": self.query.offset}
        return Prepared(statement.text, statement.arguments(values), self.query.offset)

    def page(self, most: float) -> Page | None:
        shape = self._whole()
        counter = counter_for(shape)
        if counter is None:
            path = self.narrowest()
            return None if path.cost > most else self._scanned(path)
        return self._walked(self.total(), most)

    def total(self) -> int:
        """How many match, wherever a walk has got to."""
        shape = self._whole()
        counter = counter_for(shape)
        if counter is not None:
            return self._number(statements.counted(self.dialect, counter, shape))
        return self._number(statements.scanned(self.dialect, shape, self.narrowest().index))

    def batch(self, *, along_index: bool) -> list[Row]:
        if along_index and self.shape.deleted is False and "id" not in self.shape.equal:
            index = paths.narrowest(self.shape.equal & _COUNTED, False, self._rows_with).index
            return self._next(self.query.limit, index, each=True)
        index = None if self.shape.tags else self.narrowest().index
        statement = statements.page(self.dialect, self.shape, self._order(), index, "unknown")
        return _without_total(self._rows(statement, self.query.limit, 0))

    def _next(self, size: int, index: str | None, *, each: bool) -> list[Row]:
        """The next rows of a walk, which goes in order of creation."""
        if self.dialect == "sqlite":
            stored = statements.next_as_stored(self.shape, self._order(), index, each=each)
            rows = _without_total(self._rows(stored, size, 0))
            return sorted(rows, key=_CREATION, reverse=self.query.descending)
        if each:
            statement = statements.next_rows(self.dialect, self.shape, self._order(), index)
        else:
            statement = statements.page(self.dialect, self.shape, self._order(), index, "unknown")
        return _without_total(self._rows(statement, size, 0))

    # Where a counter knows the total.

    def _walked(self, total: int, most: float = math.inf) -> Page | None:
        size = min(self.query.limit, total - self.query.offset)
        if size <= 0:
            return Page(total, ())
        from_end = self.query.offset > total // 2
        skip = total - self.query.offset - size if from_end else self.query.offset
        path = self._path(skip + size, total)
        if path.cost > most:
            return None
        if self.query.after is not None:
            return Page(total, self._next(size, path.index, each=False))
        order = self._order(from_end=from_end)
        found = self._rows(
            statements.page(self.dialect, self.shape, order, path.index, "unknown"), size, skip
        )
        return Page(total, _without_total(found))

    def _path(self, reach: int, total: int) -> paths.Path:
        shape = self.shape
        if shape.deleted is not False:
            return paths.Path(None, total + reach if shape.deleted else math.inf)
        if "id" in shape.equal:
            return paths.Path(None, total)

        def rows(column: str | None) -> int:
            # PostgreSQL takes no advice, and each number asked of it costs a round trip.
            asked = self.dialect == "sqlite" and not self._is_all_with(column)
            return self._rows_with(column) if asked else total

        path = paths.shortest(shape.equal, self._among(), self.query.sort, reach, total, rows)
        return paths.by_tag(path, total) if shape.tags else path

    # Where it has to be counted.

    def _scanned(self, path: paths.Path) -> Page:
        """Total and page in one go; for dense matches in two, which is then quicker."""
        shape, offset, index = self._whole(), self.query.offset, path.index
        dense = path.cost > _WORTH_A_PROBE and self._is_dense()
        if not dense and not self.shape.after:
            found = self._rows(
                statements.page(self.dialect, shape, self._order(), index, "walked"),
                self.query.limit,
                offset,
            )
            if found or offset == 0:
                return Page(found[0][0] if found else 0, _without_total(found))
        total = self._number(statements.scanned(self.dialect, shape, index))
        return cast(Page, self._walked(total))

    def _is_dense(self) -> bool:
        """Whether so many of the first rows match that few have to be walked for a page."""
        order, equal = self._order(), Shape(equal=self.shape.equal & _COUNTED)
        path = paths.shortest(equal.equal, (), order.sort, _PROBE, _PROBE, lambda _: _PROBE)
        if path.index is None or self.shape.deleted is not False:
            return False
        probe = statements.probed(self.dialect, self._whole(), equal, order, path.index)
        return self._number(probe, probe=_PROBE) >= _DENSE

    def narrowest(self) -> paths.Path:
        """The index with the fewest entries to look through for all that match."""
        shape = self.shape
        if "id" in shape.equal:
            return paths.Path(None, 1)
        if shape.deleted is not False:
            return paths.Path(None, math.inf)
        if shape.tags:
            return paths.Path(paths.BY_NUMBER, math.inf)
        wanted = (shape.equal & _COUNTED) | self._among()
        path = paths.narrowest(wanted, "name" in shape.parts, self._rows_with)
        if path.index == "create_at" and "description" in shape.parts and "name" not in shape.parts:
            return paths.Path(paths.BY_NUMBER, path.cost)
        return path

    # What both need.

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    def _whole(self) -> Shape:
        """Everything that is asked for, wherever a walk has got to."""
        return replace(self.shape, after=False, descending=False) if self.shape.after else self.shape

    def _order(self, *, from_end: bool = False) -> Order:
        return Order(self.query.sort, self.query.descending, from_end)

    def _is_all_with(self, column: str | None) -> bool:
        """Whether nothing is asked for but the wanted value in this column; of None, nothing at all."""
        shape = self._whole()
        return shape == (Shape() if column is None else Shape(equal=frozenset({column})))

    def _among(self) -> frozenset[str]:
        return frozenset({"workspace_no"} if self.shape.granted else ())

    def _rows_with(self, column: str | None) -> int:
        """How many notebooks have a wanted value in this column, whatever else they are."""
        granted = column in self._among()
        equal = frozenset[str]() if column is None or granted else frozenset({column})
        counter = _BY_COLUMN.get(column or "", schema.count_by_status)
        return self._number(statements.counted(self.dialect, counter, Shape(equal=equal, granted=granted)))

    def _number(self, statement: Statement, **more: int) -> int:
        return int(statement.run(self.connection, self.values | more).fetchone()[0])

    def _rows(self, statement: Statement, size: int, skip: int) -> list[Any]:
        return statement.run(self.connection, self.values | {"size": size, "skip": skip}).fetchall()


def _without_total(found: list[Any]) -> list[Row]:
    """Straight to the tuple: the constructor is a function of Python, which takes a third of the time."""
    return [_new(Row, one[1:]) for one in found]


def counter_for(shape: Shape, *also: str) -> Table | None:
    """The smallest counter that has a column for every condition, and those named besides."""
    if not shape.is_countable:
        return None
    columns = shape.equal.union(also, {"workspace_no"} if shape.granted else ())
    return next((table for table in schema.COUNTERS if columns <= set(table.c.keys())), None)

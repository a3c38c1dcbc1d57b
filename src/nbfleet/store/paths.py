"""Which index leads to the rows of a page, and how many of its entries that takes.

The counters know how many notebooks there are of each kind, so the cost of each way is known better than
the database's own planner can guess it. This module only reckons; it reads nothing. PostgreSQL takes no
advice, so there only the cost is used.
"""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

from nbfleet.domain.listing import SortKey

Rows = Callable[[str | None], int]

_OWN = {"status": SortKey.STATUS, "feature": SortKey.FEATURE, "id": SortKey.ID}
# What each index begins with, and the order in which it then stands.
INDEXES: dict[str, tuple[str | None, tuple[SortKey, ...]]] = {
    "owner": ("owner_no", (SortKey.CREATE_AT,)),
    "pool": ("pool_no", (SortKey.CREATE_AT,)),
    "workspace": ("workspace_no", (SortKey.CREATE_AT,)),
    "status": ("status", (SortKey.CREATE_AT,)),
    "status_update": ("status", (SortKey.UPDATE_AT,)),
    "create_at": (None, (SortKey.CREATE_AT,)),
    "update_at": (None, (SortKey.UPDATE_AT,)),
    "name": (None, (SortKey.NAME,)),
}
_ALSO_ORDERED: dict[tuple[SortKey, ...], str] = {
    (SortKey.STATUS, SortKey.CREATE_AT): "status",
    (SortKey.STATUS, SortKey.UPDATE_AT): "status_update",
}
BY_NUMBER = "by number"  # In place of an index: row by row, by the numbers that another condition gives.
_GATHERED = 3  # Reading a row and sorting it, in index entries.
_ONE_NUMBER = 100  # Asking a counter, in index entries.


@dataclass(frozen=True, slots=True)
class Path:
    """`index` is None where the database chooses. `cost` is in index entries of about 0.1 us each."""

    index: str | None
    cost: float


def needed(sort: tuple[SortKey, ...], equal: Collection[str]) -> tuple[SortKey, ...]:
    """The sort without the keys that are the same in all rows."""
    return tuple(key for key in sort if not any(_OWN.get(one) is key for one in equal))


def shortest(
    equal: Collection[str],
    among: Collection[str],
    sort: tuple[SortKey, ...],
    reach: int,
    total: int,
    rows: Rows,
) -> Path:
    """The way to the `reach` first of `total` matching rows, which are taken to be spread evenly.

    Columns in `equal` have one wanted value, those in `among` a list of them: an index that begins with one
    of these leads to the rows, but not in order. `rows(column)` is how many rows have a wanted value in that
    one column; of None, how many there are in all.
    """
    sort = needed(sort, equal)
    best = Path(None, math.inf)
    for name, column in _in_order(sort, equal):
        walked = reach * rows(column) / max(total, 1)
        if walked < best.cost:
            best = Path(name, walked)
        if best.cost <= reach + _ONE_NUMBER:
            return best  # Nothing takes less than `reach`: asking on would cost more than it can save.
    for name, (column, _) in INDEXES.items():
        if column in equal or column in among:
            gathered = rows(column) + _GATHERED * total
            if gathered < best.cost:
                best = Path(name, gathered)
    if best.index is None:
        # All rows, in an order that no index has: the table itself is the quickest way.
        best = Path(None, rows(None) + _GATHERED * total)
    return best


def is_ordered(path: Path, sort: tuple[SortKey, ...], equal: Collection[str]) -> bool:
    """Whether the rows come in this order, so that nothing has to be sorted."""
    sort = needed(sort, equal)
    return path.index is not None and path.index in (name for name, _ in _in_order(sort, equal))


def by_tag(path: Path, total: int) -> Path:
    """The way where tags are asked for: along an index with the numbers of the tagged rows in hand, or by
    these numbers alone."""
    along, gathered = path.cost + total, _GATHERED * total
    return Path(path.index, along) if along < gathered else Path(BY_NUMBER, gathered)


def _in_order(sort: tuple[SortKey, ...], equal: Collection[str]) -> list[tuple[str, str | None]]:
    """Indexes in which the rows stand in this order, with the column each begins with, narrow ones first."""
    found = [
        (name, column)
        for name, (column, order) in INDEXES.items()
        if order == sort and (column is None or column in equal)
    ]
    ordered = _ALSO_ORDERED.get(sort)
    return found if ordered is None else [*found, (ordered, None)]


def narrowest(wanted: Collection[str], by_name: bool, rows: Rows) -> Path:
    """The index through which all matching rows are found the soonest, given the columns of which only some
    values are wanted. Only the index of the usual order holds names; through the others each row has to be
    read for them."""
    candidates = [
        (rows(column) * (_GATHERED if by_name and column is not None else 1), name)
        for name, (column, order) in INDEXES.items()
        if order == (SortKey.CREATE_AT,) and (column is None or column in wanted)
    ]
    cost, name = min(candidates)
    return Path(name, cost)

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
GATHERED = 3  # Reading a row and sorting it, in index entries.


@dataclass(frozen=True, slots=True)
class Path:
    """`index` is None where the database chooses. `cost` is in index entries of about 0.1 us each."""

    index: str | None
    cost: float


def needed(sort: tuple[SortKey, ...], equal: Collection[str]) -> tuple[SortKey, ...]:
    """The sort without the keys that are the same in all rows."""
    return tuple(key for key in sort if not any(_OWN.get(one) is key for one in equal))


def shortest(equal: Collection[str], sort: tuple[SortKey, ...], reach: int, total: int, rows: Rows) -> Path:
    """The way to the `reach` first of `total` matching rows, which are taken to be spread evenly.

    `rows(column)` is how many there are with the wanted value in that one column; of None, how many in all.
    """
    sort = needed(sort, equal)
    best = Path(None, math.inf)
    for name, (column, order) in INDEXES.items():
        if column is not None and column not in equal:
            continue
        entries = rows(column)
        walked = reach * entries / max(total, 1) if sort == order else math.inf
        gathered = entries + GATHERED * total
        if min(walked, gathered) < best.cost:
            # Gathering everything needs no index; the table itself is quicker.
            best = Path(name if column is not None or walked <= gathered else None, min(walked, gathered))
    ordered = _ALSO_ORDERED.get(sort)
    if ordered is not None:
        walked = reach * rows(None) / max(total, 1)
        if walked < best.cost:
            best = Path(ordered, walked)
    return best


def narrowest(equal: Collection[str], by_name: bool, rows: Rows) -> tuple[str, float]:
    """The index through which all matching rows are found the soonest, and what that costs. Only the index of
    the usual order holds names; through the others each row has to be read for them."""
    candidates = [
        (rows(column) * (GATHERED if by_name and column is not None else 1), name)
        for name, (column, order) in INDEXES.items()
        if order == (SortKey.CREATE_AT,) and (column is None or column in equal)
    ]
    cost, name = min(candidates)
    return name, cost

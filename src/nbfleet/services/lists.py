"""What callers ask of the fleet as a whole: pages, walks, counts and exports.

Each query is narrowed to its reader before anything is counted. What may take long runs apart from short
work, a few at a time for each caller, and is given up at a deadline; only exports last as long as they need,
in pieces that each have their own snapshot.
"""

import math
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Concatenate, ParamSpec, TypeVar

from nbfleet.domain import access
from nbfleet.domain.access import Caller, Scope
from nbfleet.domain.listing import Query, SortKey
from nbfleet.services import markers
from nbfleet.services.context import Context
from nbfleet.services.slots import RETRY_AFTER, NoSlot, Slots
from nbfleet.store import counting, listing
from nbfleet.store.counting import By, Counts
from nbfleet.store.database import Connection, TooSlow
from nbfleet.store.listing import Page, Row
from nbfleet.wire import errors

P = ParamSpec("P")
R = TypeVar("R")

BATCH = 500  # Rows of an export: half a megabyte, and some milliseconds of work.


@dataclass(frozen=True, slots=True)
class Listed:
    """A page; `next_marker` where a walk goes on, None at its end and where nobody walks."""

    page: Page
    next_marker: str | None = None


async def list_page(
    context: Context, caller: Caller, query: Query, scope: Scope, marker: str | None = None
) -> Listed:
    """The page; with a marker the next one of a walk, which an empty marker begins."""
    narrowed = access.narrow(query, caller, scope)
    if marker is None:
        return Listed(await _page(context, caller, narrowed))
    markers.check(narrowed)
    if marker:
        place = markers.opened(context.keyring, caller, scope, narrowed, marker)
        narrowed = replace(narrowed, after=place)
    # One row more than asked for tells whether the walk goes on.
    page = await _page(context, caller, replace(narrowed, limit=query.limit + 1))
    rows = page.rows[: query.limit]
    if len(page.rows) == len(rows):
        return Listed(page)
    following = markers.sealed(context.keyring, caller, scope, narrowed, rows[-1].place)
    return Listed(Page(page.total, rows), following)


async def count(context: Context, caller: Caller, query: Query, by: By, limit: int) -> Counts:
    """The largest groups of everything that the caller may see."""
    narrowed = access.narrow(query, caller, Scope.ALL)
    asked = (context.directory, narrowed, by, limit)
    quick = await context.database.read(counting.quick_count, *asked)
    return quick or await _long(context, caller, counting.count, *asked)


async def export(
    context: Context, caller: Caller, query: Query, encode: Callable[[Sequence[Row]], bytes]
) -> AsyncGenerator[bytes, None]:
    """Everything that matches, in order of creation, encoded batch by batch."""
    narrowed = access.narrow(query, caller, Scope.ALL)
    narrowed = replace(narrowed, sort=(SortKey.CREATE_AT,), offset=0, limit=BATCH)

    def read(connection: Connection, query: Query) -> tuple[Sequence[Row], bytes]:
        rows = listing.batch(connection, context.directory, query)
        return rows, encode(rows)

    with _slot(context.exports, caller, "exports", context.settings.exports):
        while True:
            rows, encoded = await context.database.read_long(math.inf, read, narrowed)
            yield encoded
            if len(rows) < BATCH:
                return
            narrowed = replace(narrowed, after=rows[-1].place)


async def _page(context: Context, caller: Caller, query: Query) -> Page:
    if context.database.is_sqlite:
        # Handing a short read to a thread and back costs several times what it does.
        page = context.database.read_now(listing.bounded_page, context.directory, query)
    else:
        page = await context.database.read(listing.bounded_page, context.directory, query)
    return page or await _long(context, caller, listing.page, context.directory, query)


async def _long(
    context: Context,
    caller: Caller,
    fn: Callable[Concatenate[Connection, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    seconds = context.settings.list_deadline
    with _slot(context.long_reads, caller, "long lists", context.settings.long_reads):
        try:
            return await context.database.read_long(seconds, fn, *args, **kwargs)
        except TooSlow as fault:
            raise errors.too_slow(seconds, RETRY_AFTER) from fault


@contextmanager
def _slot(slots: Slots, caller: Caller, what: str, most: int) -> Generator[None, None, None]:
    try:
        with slots.take(caller.user_id, most):
            yield
    except NoSlot as fault:
        raise errors.too_many_at_once(what, most, RETRY_AFTER) from fault

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
from nbfleet.store import counting, listing, workspaces
from nbfleet.store.counting import By, Counts
from nbfleet.store.database import Connection, TooSlow
from nbfleet.store.listing import Page, Prepared, Row
from nbfleet.wire import errors

P = ParamSpec("P")
R = TypeVar("R")

BATCH = 500  # Rows of an export: half a megabyte, and some milliseconds of work.


@dataclass(frozen=True, slots=True)
class Listed:
    """A page; `next_marker` where a walk goes on, None at its end and where nobody walks."""

    page: Page
    next_marker: str | None = None


@dataclass(slots=True)
class Question:
    """A list as this caller may ask for it. `marker`: it is the next page of a walk, which an empty one
    begins. What is asked again is prepared, if that can be."""

    caller: Caller
    scope: Scope
    query: Query
    marker: str | None = None
    plan: Prepared | None = None
    is_new: bool = True
    wants_plan: bool = False


def ask(caller: Caller, query: Query, scope: Scope, marker: str | None = None) -> Question:
    narrowed = access.narrow(query, caller, scope)
    if marker is not None:
        markers.check(narrowed)
    return Question(caller, scope, narrowed, marker)


async def answer(context: Context, question: Question) -> Listed:
    """The page. The same question may be answered any number of times, each time from the start."""
    if question.marker is not None:
        return await _step(context, question, question.marker)
    database = context.database
    if question.plan is not None:
        # Handing a short read to a thread and back costs several times what it does.
        read = question.plan.page
        page = database.statement_now(read) if database.is_sqlite else await database.statement(read)
        if page is not None:
            return Listed(page)
        question.plan, question.wants_plan = None, True
    elif question.wants_plan:
        question.plan = await _short(context, listing.prepare, context.directory, question.query)
        question.wants_plan = False
    elif question.is_new:
        question.is_new, question.wants_plan = False, True
    return Listed(await _page(context, question.caller, question.query))


async def _step(context: Context, question: Question, marker: str) -> Listed:
    """The next page of a walk."""
    caller, scope, query = question.caller, question.scope, question.query
    if marker:
        query = replace(query, after=markers.opened(context.keyring, caller, scope, query, marker))
    # One row more than asked for tells whether the walk goes on.
    page = await _page(context, caller, replace(query, limit=query.limit + 1))
    rows = page.rows[: query.limit]
    if len(page.rows) == len(rows):
        return Listed(page)
    following = markers.sealed(context.keyring, caller, scope, query, rows[-1].place)
    return Listed(Page(page.total, rows), following)


async def count(context: Context, caller: Caller, query: Query, by: By, limit: int) -> Counts:
    """The largest groups of everything that the caller may see."""
    narrowed = access.narrow(query, caller, Scope.ALL)
    asked = (context.directory, narrowed, by, limit)
    quick = await context.database.read(counting.quick_count, *asked)
    return quick or await long_read(context, caller, counting.count, *asked)


async def export(
    context: Context, caller: Caller, query: Query, encode: Callable[[Sequence[Row]], bytes]
) -> AsyncGenerator[bytes, None]:
    """Everything that matches, in order of creation, encoded batch by batch. What is closed to the caller on
    the way is in no batch from then on."""
    narrowed = access.narrow(query, caller, Scope.ALL)
    narrowed = replace(narrowed, sort=(SortKey.CREATE_AT,), offset=0, limit=BATCH)

    def read(connection: Connection, query: Query) -> tuple[Sequence[Row], bytes]:
        query = replace(query, granted=_still_granted(connection, context, caller))
        rows = listing.batch(connection, context.directory, query)
        return rows, encode(rows)

    with _slot(context.exports, caller, "exports", context.settings.exports):
        while True:
            rows, encoded = await context.database.read_long(math.inf, read, narrowed)
            yield encoded
            if len(rows) < BATCH:
                return
            narrowed = replace(narrowed, after=rows[-1].place)


def _still_granted(connection: Connection, context: Context, caller: Caller) -> frozenset[str] | None:
    """What was open to the caller when it asked, and is so now."""
    user_no = context.directory.user(connection, caller.user_id)
    if user_no is None:
        return frozenset()
    roles = {caller.project_id: caller.role}
    now = workspaces.granted(connection, user_no, roles).get(caller.project_id)
    return caller.granted if now is None else now if caller.granted is None else now & caller.granted


async def _page(context: Context, caller: Caller, query: Query) -> Page:
    page = await _short(context, listing.bounded_page, context.directory, query)
    return page or await long_read(context, caller, listing.page, context.directory, query)


async def _short(
    context: Context, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    if context.database.is_sqlite:
        return context.database.read_now(fn, *args, **kwargs)
    return await context.database.read(fn, *args, **kwargs)


async def long_read(
    context: Context,
    caller: Caller,
    fn: Callable[Concatenate[Connection, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """fn(connection, ...) apart from short reads, as one of the few that this caller may have in hand."""
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

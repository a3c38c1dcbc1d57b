"""What callers ask of the fleet as a whole: pages, walks, counts and exports.

Each query is narrowed to its reader before anything is counted. What may take long runs apart from short
work, a few at a time for each caller, and is given up at a deadline; only exports last as long as they need,
in pieces that each have their own snapshot.
"""

import itertools
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
from nbfleet.store import counting, identity, listing
from nbfleet.store.counting import By, Counts
from nbfleet.store.database import Connection, TooSlow
from nbfleet.store.listing import Page, Prepared, Row
from nbfleet.wire import errors

P = ParamSpec("P")
R = TypeVar("R")

RENEWED = 100  # Uses of a plan, before the counters are asked again.
_AGAIN = 2  # The asking from which on it is worth a plan.
RECHECKED = 3_000  # Milliseconds after which an export asks again who it is for.
BATCH = 500  # Rows of an export: half a megabyte, and some milliseconds of work.


@dataclass(frozen=True, slots=True)
class Listed:
    """A page; `next_marker` where a walk goes on, None at its end and where nobody walks."""

    page: Page
    next_marker: str | None = None


@dataclass(slots=True)
class Question:
    """A list as this caller may ask for it. `marker`: it is the next page of a walk, which an empty one
    begins. `plan` is how to answer what is asked again, if that can be prepared; `is_long` is what took
    longer than was thought."""

    caller: Caller
    scope: Scope
    query: Query
    marker: str | None = None
    asked: int = 0
    plan: Prepared | None = None
    is_long: bool = False


def ask(caller: Caller, query: Query, scope: Scope, marker: str | None = None) -> Question:
    narrowed = access.narrow(query, caller, scope)
    if marker is not None:
        markers.check(narrowed)
    return Question(caller, scope, narrowed, marker)


async def answer(context: Context, question: Question) -> Listed:
    """The page. The same question may be answered any number of times, each time from the start."""
    if question.marker is not None:
        return await _step(context, question, question.marker)
    question.asked += 1
    page = None
    try:
        # What was a short way may have become a long one, and the other way round: the counters know.
        if question.asked % RENEWED == _AGAIN:
            question.is_long = False
            question.plan = await context.database.glance(listing.prepare, context.directory, question.query)
        if question.plan is not None and not question.is_long:
            page = await context.database.statement(question.plan.page)
    except TooSlow:
        question.is_long = True
    return Listed(page or await _page(context, question))


async def _step(context: Context, question: Question, marker: str) -> Listed:
    """The next page of a walk."""
    caller, scope, query = question.caller, question.scope, question.query
    if marker:
        query = replace(query, after=markers.opened(context.keyring, caller, scope, query, marker))
    # One row more than asked for tells whether the walk goes on.
    page = await _page(context, replace(question, query=replace(query, limit=query.limit + 1)))
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
    """Everything that matches, in order of creation, encoded batch by batch. Whoever may no longer see it
    meanwhile is refused the rest."""
    narrowed = access.narrow(query, caller, Scope.ALL)
    narrowed = replace(narrowed, sort=(SortKey.CREATE_AT,), offset=0, limit=BATCH)
    sure_until = context.clock() + RECHECKED

    def read(connection: Connection, query: Query, number: int) -> tuple[Sequence[Row], bytes]:
        if context.clock() >= sure_until and not _is_still(connection, caller):
            raise errors.forbidden(access.LIST_ALL)
        rows = listing.batch(connection, context.directory, query, number)
        return rows, encode(rows)

    with _slot(context.exports, caller, "exports", context.settings.exports):
        for number in itertools.count():
            rows, encoded = await context.database.read_long(math.inf, read, narrowed, number)
            if context.clock() >= sure_until:
                sure_until = context.clock() + RECHECKED
            yield encoded
            if len(rows) < BATCH:
                return
            narrowed = replace(narrowed, after=rows[-1].place)


def _is_still(connection: Connection, caller: Caller) -> bool:
    """Whether this user would be the same caller if it came now, with nothing more or less to see."""
    user = identity.user(connection, id=caller.user_id)
    principal = None if user is None else identity.principal_of(connection, user.no)
    return principal is not None and access.enter(principal, caller.project_id) == caller


async def _page(context: Context, question: Question) -> Page:
    """By a glance if that is enough."""
    asked = (context.directory, question.query)
    if not question.is_long:
        try:
            page = await context.database.glance(listing.bounded_page, *asked)
            if page is not None:
                return page
        except TooSlow:
            question.is_long = True
    return await long_read(context, question.caller, listing.page, *asked)


async def bounded_read(
    context: Context,
    caller: Caller,
    fn: Callable[Concatenate[Connection, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """fn(connection, ...) by a glance if that is enough, else as a long read."""
    try:
        return await context.database.glance(fn, *args, **kwargs)
    except TooSlow:
        return await long_read(context, caller, fn, *args, **kwargs)


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

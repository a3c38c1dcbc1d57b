"""Carries out actions on many notebooks: a few at a time, each in a transaction of its own.

The result is written in the transaction of the change, so an action that was cut goes on where it was and
does nothing twice. Under the lock of each notebook it is checked again that it is still on the list that the
action was begun on, and that the action still fits. Who began it must still be allowed to: that is read anew
before each few.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import structlog

from nbfleet.domain import access, lifecycle
from nbfleet.domain.access import Caller
from nbfleet.domain.bulk import Action, Candidate, Reason, Result, Wish
from nbfleet.domain.listing import Query
from nbfleet.services import notebooks, permits, tags
from nbfleet.services.bulk import operations, wish_of
from nbfleet.services.bulk_judging import judge, narrowed
from nbfleet.services.context import Context
from nbfleet.services.notebooks import First, Request
from nbfleet.store import bulk_actions as store
from nbfleet.store import identity
from nbfleet.store.bulk_actions import Bulk, Outcome
from nbfleet.store.database import Connection, Unavailable
from nbfleet.store.notebooks import Stored
from nbfleet.wire import errors
from nbfleet.wire.errors import ApiError
from nbfleet.wire.tags import CreateTmsTagsRequest, TmsTag

log = structlog.get_logger()

FEW = 4  # Notebooks in hand at a time.
ACTIONS = 16  # Of one round; those after them have the next.
BREATH = 0.03  # Seconds between two rounds, in which requests have the writer to themselves.
POLL = 0.5  # Seconds between looks where there is nothing to do.
_AFTER_FAULT = 1.0


class _Kept(Exception):
    """The notebook is not to be changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Settled(Exception):
    """What becomes of this row is written already: the action was called off."""


class Bulks:
    """`read_query` reads the query strings that `services.bulk` writes."""

    def __init__(
        self,
        context: Context,
        sleep: Callable[[float], Awaitable[None]],
        read_query: Callable[[str], Query],
    ) -> None:
        self._context = context
        self._sleep = sleep
        self._read_query = read_query
        self._last = 0  # The number of the action that had its turn last.

    async def run(self) -> None:
        """Until cancelled. A fault of the moment costs one round and not the service."""
        while True:
            try:
                pause = await self.step()
            except Exception as fault:
                log.warning("round failed", loop="bulk", cause=f"{type(fault).__name__}: {fault}")
                pause = _AFTER_FAULT
            await self._sleep(pause)

    async def step(self) -> float:
        """A few notebooks of each action in turn; answers the pause in seconds until the next look."""
        found = await self._context.database.read(_in_turn, self._last)
        for one in found:
            self._last = one.no
            await self._guarded(one)
        return BREATH if found else POLL

    async def _guarded(self, action: Bulk) -> None:
        """What is wrong with one action ends it and holds up no other; raises only where the store cannot be
        reached."""
        try:
            await self._few(action)
        except Exception as fault:
            if _is_of_the_store(fault):
                raise
            log.exception("action on many notebooks given up", bulk=action.id)
            outcome, now = Outcome(Result.FAILED, Reason.FAULT), self._context.clock()
            await self._context.database.write(store.settle_rest, action.no, outcome, now)

    async def _few(self, action: Bulk) -> None:
        database, now = self._context.database, self._context.clock
        wish = wish_of(action, self._read_query)
        caller, rows = await database.read(_next, action, wish)
        if caller is None:
            outcome = Outcome(Result.SKIPPED, Reason.NOT_ALLOWED)
            await database.write(store.settle_rest, action.no, outcome, now())
            return
        async with asyncio.TaskGroup() as group:
            for place, notebook_id in rows:
                group.create_task(self._one(caller, action, wish, place, notebook_id))
        if len(rows) < FEW:
            await database.write(store.end_if_done, action.no, now())

    async def _one(self, caller: Caller, action: Bulk, wish: Wish, place: int, notebook_id: str) -> None:
        """Changes one notebook, or writes why not. Raises only where the store cannot be reached: the row is
        then still pending."""
        request = Request(caller, action.id)
        try:
            await _change(self._context, request, wish, notebook_id, self._first(caller, action, wish, place))
        except _Settled:
            return
        except _Kept as kept:
            outcome = Outcome(Result.SKIPPED, kept.reason)
        except ApiError as refusal:
            outcome = _refused(refusal)
        except Unavailable:
            raise
        except Exception:
            log.exception("notebook of an action not changed", notebook=notebook_id, bulk=action.id)
            outcome = Outcome(Result.FAILED, Reason.FAULT)
        else:
            return
        now = self._context.clock()
        await self._context.database.write(store.settle, action.no, place, outcome, now)

    def _first(self, caller: Caller, action: Bulk, wish: Wish, place: int) -> First:
        """What goes before the change in its transaction, and is undone with it."""
        context = self._context

        def first(connection: Connection, found: Stored) -> None:
            notebook = found.notebook
            if wish.query is not None:
                query = narrowed(wish.query, caller)
                if not store.matches(connection, context.directory, query, notebook.id):
                    raise _Kept(Reason.LEFT)
            candidate = Candidate(
                notebook.owner_id,
                lifecycle.status_of(notebook),
                notebook.feature,
                lifecycle.is_waiting(notebook, claimed=found.claimed),
            )
            reason = judge(context, caller, wish, candidate)
            if reason is not None:
                raise _Kept(reason)
            if not store.settle(connection, action.no, place, Outcome(Result.DONE), context.clock()):
                raise _Settled

        return first


def _in_turn(connection: Connection, last: int) -> Sequence[Bulk]:
    """Those after the last one, and after the end from the beginning."""
    found = store.unfinished(connection, last, ACTIONS)
    return found or store.unfinished(connection, 0, ACTIONS)


def _is_of_the_store(fault: Exception) -> bool:
    if isinstance(fault, ExceptionGroup):
        return cast("ExceptionGroup[Exception]", fault).subgroup(Unavailable) is not None
    return isinstance(fault, Unavailable)


def _next(connection: Connection, action: Bulk, wish: Wish) -> tuple[Caller | None, list[tuple[int, str]]]:
    """Who began the action, if they may still do it, and the next few notebooks."""
    return _caller(connection, action, wish), store.pending(connection, action.no, FEW)


def _caller(connection: Connection, action: Bulk, wish: Wish) -> Caller | None:
    user = identity.user(connection, id=action.user_id)
    principal = None if user is None else identity.principal_of(connection, user.no)
    caller = None if principal is None else access.enter(principal, action.project_id)
    if caller is None or permits.lacking(caller, *operations(caller, wish)) is not None:
        return None
    return caller


async def _change(context: Context, request: Request, wish: Wish, notebook_id: str, first: First) -> None:
    match wish.action:
        case Action.START:
            period = context.lease_range.default if wish.period is None else wish.period
            await notebooks.start(context, request, notebook_id, period, first)
        case Action.STOP:
            await notebooks.stop(context, request, notebook_id, first)
        case Action.DELETE:
            await notebooks.delete(context, request, notebook_id, first)
        case Action.EXTEND:
            await notebooks.renew_lease(context, request, notebook_id, wish.period, None, first)
        case Action.TAG:
            key, value = wish.tag or ("", "")
            body = CreateTmsTagsRequest(tags=[TmsTag(key=key, value=value)])
            await tags.set_tags(context, request, notebook_id, None, body, first)


def _refused(refusal: ApiError) -> Outcome:
    """A notebook that is gone, or not the caller's to change, was never to be changed; all else was tried."""
    if refusal.status == 404:
        return Outcome(Result.SKIPPED, Reason.GONE)
    if refusal.status == 403:
        is_foreign = refusal.message == errors.forbidden(access.ACT_ON_ALL).message
        why = (Reason.FOREIGN, None) if is_foreign else (Reason.NOT_ALLOWED, refusal.message)
        return Outcome(Result.SKIPPED, *why)
    return Outcome(Result.FAILED, Reason.REFUSED, refusal.message)

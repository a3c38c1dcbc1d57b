"""Which notebooks an action on many is about, and what it would do to each of them now.

The same decision about one (`judge`) is made again under its lock when its turn comes. Nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nbfleet.domain import access, bulk, lifecycle
from nbfleet.domain.access import Caller, Scope
from nbfleet.domain.bulk import Candidate, Reason, Wish
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.services import lists
from nbfleet.services.context import Context
from nbfleet.store import bulk_actions as store
from nbfleet.store import notebooks
from nbfleet.store.bulk_actions import Found, Matching, Target
from nbfleet.store.database import Connection, TooSlow
from nbfleet.wire import errors

MOST = 10_000  # Notebooks of one action.
SHOWN = 50  # Notebooks of each kind that a preview names.
_BATCH = 500
_GLANCED = 1000  # Notebooks that are read beside other requests: some milliseconds.
HELD = 50  # Notebooks that are held against a query beside other requests.
_MOVING = frozenset({Status.CREATING, Status.STARTING})


@dataclass(frozen=True, slots=True)
class Judged:
    """One notebook of an action. `status` is None where it is not there for the caller; `reason` is None
    where it would be changed."""

    id: str
    name: str
    status: Status | None
    reason: Reason | None

    @property
    def target(self) -> Target:
        return Target(self.id, self.name, self.reason)


@dataclass(frozen=True, slots=True)
class Kind:
    """Notebooks that are kept for the same reason in the same status: how many, and the first of them."""

    reason: Reason
    status: Status | None
    count: int
    first: Sequence[Judged]


async def look_through(context: Context, caller: Caller, wish: Wish) -> list[Judged]:
    """Every notebook that the wish is about."""
    database = context.database
    if wish.ids or wish.query is None:
        # With a query each is held against it by itself.
        few = _GLANCED if wish.query is None else HELD
        if len(wish.ids) > few:
            return await lists.long_read(context, caller, _chosen, context, caller, wish)
        return await database.read(_chosen, context, caller, wish)
    found = await _matching(context, caller, narrowed(wish.query, caller))
    if found.total > MOST:
        raise too_many(found.total)
    return await database.read(_judge_all, context, caller, wish, found.rows)


def kinds_of(judged: Sequence[Judged]) -> list[Kind]:
    """Those that would be kept, the most first."""
    found: dict[tuple[Reason, Status | None], list[Judged]] = {}
    for one in judged:
        if one.reason is not None:
            found.setdefault((one.reason, one.status), []).append(one)
    kinds = [Kind(*why, len(those), those[:SHOWN]) for why, those in found.items()]
    return sorted(kinds, key=lambda kind: -kind.count)


def narrowed(query: Query, caller: Caller) -> Query:
    """Everything that the query finds for this caller, whatever page of it was looked at."""
    plain = Query()
    whole = replace(query, sort=plain.sort, descending=True, offset=0, limit=plain.limit, after=None)
    return access.narrow(whole, caller, Scope.ALL)


def judge(context: Context, caller: Caller, wish: Wish, candidate: Candidate) -> Reason | None:
    """Why this notebook, which the caller sees, would not be changed."""
    return bulk.objection(wish.action, candidate, caller, wish.period, context.lease_range.default)


def too_many(count: int) -> errors.ApiError:
    return errors.quota_exceeded(f"These are {count} notebooks; one action may take {MOST} at most.")


async def _matching(context: Context, caller: Caller, query: Query) -> Matching:
    """By a glance if that is enough."""
    try:
        found = await context.database.glance(store.matching, context.directory, query, _GLANCED)
    except TooSlow:
        found = None
    if found is not None and not _GLANCED < found.total <= MOST:
        return found
    return await lists.long_read(context, caller, store.matching, context.directory, query, MOST)


def _chosen(connection: Connection, context: Context, caller: Caller, wish: Wish) -> list[Judged]:
    """In the order in which they were chosen. Of what the caller may not see nothing is told."""
    found = store.chosen(connection, context.directory, caller.project_id, wish.ids)
    seen = [one for one in found.values() if access.sees(caller, one.owner_id, one.workspace_id)]
    listed = _listed(connection, context, caller, wish, [one.id for one in seen])
    judged = {one.id: one for one in _judge_all(connection, context, caller, wish, seen)}
    left = {one.id: replace(judged[one.id], reason=Reason.LEFT) for one in seen if one.id not in listed}
    told = judged | left
    return [told.get(id_) or Judged(id_, "", None, Reason.GONE) for id_ in wish.ids]


def _listed(
    connection: Connection, context: Context, caller: Caller, wish: Wish, ids: Sequence[str]
) -> frozenset[str]:
    """Those that are on the list under which they were chosen."""
    if wish.query is None:
        return frozenset(ids)
    query = narrowed(wish.query, caller)
    return frozenset(id_ for id_ in ids if store.matches(connection, context.directory, query, id_))


def _judge_all(
    connection: Connection, context: Context, caller: Caller, wish: Wish, found: Sequence[Found]
) -> list[Judged]:
    waiting = _waiting(connection, [one.rid for one in found if one.status in _MOVING])

    def judged(one: Found) -> Judged:
        candidate = Candidate(one.owner_id, one.status, one.feature, one.rid in waiting)
        return Judged(one.id, one.name, one.status, judge(context, caller, wish, candidate))

    return [judged(one) for one in found]


def _waiting(connection: Connection, rids: Sequence[int]) -> set[int]:
    """Those whose start waits for its turn."""
    return {
        one.rid
        for start in range(0, len(rids), _BATCH)
        for one in notebooks.find_many(connection, rids[start : start + _BATCH])
        if lifecycle.is_waiting(one.notebook, claimed=one.claimed)
    }

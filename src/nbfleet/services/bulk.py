"""Actions on many notebooks: what one would do, beginning it, watching it, and calling off the rest.

What is begun is written down with all its notebooks and carried out by `bulk_work`, in the name of whoever
began it. A list is looked through before anything is written, so that a long look holds up no writer; each
notebook is checked again when its turn comes.
"""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import msgspec

from nbfleet.domain import access, lifecycle
from nbfleet.domain.access import Caller
from nbfleet.domain.bulk import Action, Result, Shown, Wish
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query, spelled
from nbfleet.services import bulk_judging, bulk_outcomes, permits, requests
from nbfleet.services.bulk_judging import Judged, Kind
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.services.slots import RETRY_AFTER
from nbfleet.store import bulk_actions as store
from nbfleet.store.bulk_actions import Bulk, New, Row, Target
from nbfleet.store.database import Conflict, Connection
from nbfleet.wire import errors
from nbfleet.wire.fields import Uuid

AT_ONCE = 5  # Actions of one user that have work left.
IDLE_A_MINUTE = 60  # Actions of one user in a minute, where the next one would change nothing.
_MINUTE = 60_000
_OPERATIONS: Mapping[Action, str] = {
    Action.START: "StartNotebook",
    Action.STOP: "StopNotebook",
    Action.DELETE: "DeleteNotebook",
    Action.EXTEND: "RenewLease",
    Action.TAG: "CreateNotebookTags",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do now. `first` are some of the `changing` ones, and `shown` has all of them for
    `begin`; `kept` begins with the most."""

    wish: Wish
    total: int
    changing: int
    shown: Shown
    first: Sequence[Judged]
    kept: Sequence[Kind]


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wish as it is kept. Its ids stand with the action; `query` is a query string of ListAllNotebooks,
    which other releases read as well."""

    action: Action
    query: str | None
    period: int | None
    tag: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an action has come; `counts` has each result that there is. `wish` is None where this release
    cannot read what another one wrote. `now`, told of a single action: how those that were changed stand by
    now."""

    bulk: Bulk
    wish: Written | None
    counts: Mapping[Result, int]
    now: Mapping[Status, int] = field(default_factory=dict[Status, int])

    @property
    def in_motion(self) -> int:
        """How many are on their way to where the action, or somebody since then, wants them."""
        return sum(self.now.get(one, 0) for one in lifecycle.IN_MOTION)

    @property
    def settled(self) -> int:
        return self.bulk.total - self.counts.get(Result.PENDING, 0)


@dataclass(frozen=True, slots=True)
class Results:
    """A page of the notebooks of an action; `total` is how many there are on all pages."""

    total: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Recent:
    """A page of actions; `total` is how many there are on all pages."""

    total: int
    actions: Sequence[Progress]


async def preview(context: Context, caller: Caller, wish: Wish) -> Preview:
    """What the action would do, exactly and for all its notebooks; nothing is changed."""
    wish = checked(context, caller, wish)
    judged = await bulk_judging.look_through(context, caller, wish)
    changing = [one for one in judged if one.reason is None]
    shown = Shown.of(one.id for one in changing)
    first, kept = changing[: bulk_judging.SHOWN], bulk_judging.kinds_of(judged)
    return Preview(wish, len(judged), len(changing), shown, first, kept)


async def begin(
    context: Context, request: Request, wish: Wish, shown: Shown | None, once: str | None = None
) -> str:
    """Writes the action with the notebooks that it has now; answers its id. `shown` is what the preview said:
    if one that is not among those would be changed by now, nothing is begun; what cannot be undone needs it.
    Of all that the caller asks in the project with the same `once` the first is begun, and the others answer
    its id; they must ask for the same."""
    caller = request.caller
    wish = checked(context, caller, wish)
    key = None if once is None else _key(caller.project_id, once)
    asked = (wish.action, msgspec.json.encode(_written(wish)).decode())
    if key is not None:
        earlier = await context.database.read(_repeated, caller.user_id, key, asked, wish.ids)
        if earlier is not None:
            return earlier
    if shown is None and wish.action is Action.DELETE:
        raise errors.missing("shown")
    judged = await bulk_judging.look_through(context, caller, wish)
    if shown is not None:
        _check_shown(shown, judged)
    id_ = str(uuid.uuid4())
    new = New(id_, caller.project_id, caller.user_id, *asked, request.request_id, key)
    targets = [one.target for one in judged]
    try:
        return await context.database.write(_begun, context, new, targets, wish.ids)
    except Conflict:  # The same form, sent twice at once; the other one was quicker.
        return await context.database.write(_begun, context, new, targets, wish.ids)


def _repeated(
    connection: Connection, user_id: str, once: str, asked: tuple[Action, str], ids: Sequence[str]
) -> str | None:
    """The id of what was begun with this word; refused where that was something else."""
    earlier = store.begun_as(connection, user_id, once)
    if earlier is None:
        return None
    is_same = (earlier.action, earlier.wish) == asked
    if not is_same or (ids and set(ids) != store.ids_of(connection, earlier.no)):
        raise errors.wrong_value("once", "the word of another action", f"a new one: {earlier.id} has it")
    return earlier.id


def _key(project_id: str, once: str) -> str:
    """The word of a user means something else in another project."""
    return hashlib.sha256(f"{project_id} {once}".encode()).hexdigest()


def _check_idle(connection: Connection, now: int, new: New, targets: Sequence[Target]) -> None:
    """What changes nothing has no work left, but is kept with all its rows like any other."""
    if any(one.reason is None for one in targets):
        return
    lately = store.begun_since(connection, new.project_id, new.user_id, now - _MINUTE)
    if lately >= IDLE_A_MINUTE:
        raise errors.too_often(lately, _MINUTE // 1000)


def _check_shown(shown: Shown, judged: Sequence[Judged]) -> None:
    more = shown.lacking(one.id for one in judged if one.reason is None)
    if more:
        known, allowed = f"{len(shown.marks)} notebooks", f"{more} more as well, which would change by now"
        raise errors.wrong_value("shown", known, allowed)


def _begun(
    connection: Connection, context: Context, new: New, targets: Sequence[Target], ids: Sequence[str]
) -> str:
    if new.once is not None:
        asked = (new.action, new.wish)
        if (earlier := _repeated(connection, new.user_id, new.once, asked, ids)) is not None:
            return earlier
    if store.unfinished_of(connection, new.user_id) >= AT_ONCE:
        raise errors.too_many_at_once("actions on many notebooks", AT_ONCE, RETRY_AFTER)
    _check_idle(connection, context.clock(), new, targets)
    store.add(connection, new, targets, context.clock())
    return new.id


async def show(context: Context, caller: Caller, bulk_id: str) -> Progress:
    def read(connection: Connection) -> Progress:
        action = _mine(connection, caller, bulk_id)
        (found,) = _progress(connection, [action])
        return replace(found, now=bulk_outcomes.counts(connection, caller, action))

    return await context.database.read(read)


async def results(
    context: Context,
    caller: Caller,
    bulk_id: str,
    result: Result | None,
    offset: int,
    limit: int,
    status: Status | None = None,
) -> Results:
    """A page of what became of each notebook, of one result or of all; with `status`, of those that were
    changed and have it by now."""

    def read(connection: Connection) -> Results:
        (progress,) = _progress(connection, [_mine(connection, caller, bulk_id)])
        action = progress.bulk
        if status is None:
            total = action.total if result is None else progress.counts.get(result, 0)
            found = store.rows(connection, action.no, result, offset, limit)
        elif result in (None, Result.DONE):
            total, found = bulk_outcomes.rows(connection, caller, action, status, offset, limit)
        else:
            total, found = 0, ()
        return Results(total, bulk_outcomes.told(connection, caller, action, found))

    return await context.database.read(read)


async def recent(context: Context, caller: Caller, offset: int, limit: int) -> Recent:
    """A page of the caller's own in this project, newest first."""
    whose = (caller.project_id, caller.user_id)

    def read(connection: Connection) -> Recent:
        found = store.recent(connection, *whose, offset, limit)
        return Recent(store.begun_by(connection, *whose), _progress(connection, found))

    return await context.database.read(read)


async def cancel(context: Context, caller: Caller, bulk_id: str) -> None:
    """Calls off what is not done yet; may be repeated."""

    def write(connection: Connection) -> None:
        store.cancelled(connection, _mine(connection, caller, bulk_id).no, context.clock())

    await context.database.write(write)


def _written(wish: Wish) -> Written:
    query = None if wish.query is None else urlencode(spelled(wish.query))
    return Written(wish.action, query, wish.period, wish.tag)


def _read(action: Bulk) -> Written:
    return msgspec.json.decode(action.wish, type=Written)


def wish_of(action: Bulk, read_query: Callable[[str], Query]) -> Wish:
    """What was asked for, without the ids: those stand with the action. What this release cannot read raises
    msgspec.DecodeError or ApiError."""
    found = _read(action)
    query = None if found.query is None else read_query(found.query)
    return Wish(found.action, (), query, found.period, found.tag)


def operations(caller: Caller, wish: Wish) -> Sequence[str]:
    """The operations that do the same one by one: who may not ask for those may not ask for it at once."""
    listed = () if wish.query is None else (permits.listing(caller),)
    return (_OPERATIONS[wish.action], *listed)


def checked(context: Context, caller: Caller, wish: Wish) -> Wish:
    """The wish with what it leaves open filled in; refuses what makes no sense or is not the caller's to
    ask."""
    permits.check(caller, *operations(caller, wish))
    _check_owner(caller, wish.query)
    if wish.query is None and not wish.ids:
        raise errors.missing("ids")
    if len(wish.ids) > bulk_judging.MOST:
        raise bulk_judging.too_many(len(wish.ids))
    for place, id_ in enumerate(wish.ids):
        if not _is_id(id_):
            raise errors.wrong_value(f"ids[{place}]", id_, "a UUID")
    ids = tuple(dict.fromkeys(id_.lower() for id_ in wish.ids))
    return replace(wish, ids=ids, period=_period(context, wish), tag=_tag(wish))


def _check_owner(caller: Caller, query: Query | None) -> None:
    """A list passes over an owner that its reader may not ask for, and shows their own; an action would
    change those instead."""
    owner = None if query is None else query.owner_id
    if owner not in (None, caller.user_id) and not access.may(caller, access.LIST_ALL):
        raise errors.wrong_value("query.owner", owner, "your own id, or no such filter at all")


def _is_id(text: str) -> bool:
    """Whether the store may be asked for it at all."""
    try:
        return msgspec.convert(text, Uuid) == text
    except msgspec.ValidationError:
        return False


def _period(context: Context, wish: Wish) -> int | None:
    allowed = context.lease_range
    if wish.action not in (Action.START, Action.EXTEND):
        if wish.period is not None:
            raise errors.wrong_value("duration", wish.period, "nothing: start and extend only")
        return None
    if wish.period is None:
        if wish.action is Action.EXTEND:
            raise errors.missing("duration")
        return allowed.default
    return requests.checked_period(allowed, "duration", wish.period)


def _tag(wish: Wish) -> tuple[str, str] | None:
    if wish.action is not Action.TAG:
        if wish.tag is not None:
            raise errors.wrong_value("tag", wish.tag[0], "nothing: the action tag only")
        return None
    if wish.tag is None:
        raise errors.missing("tag")
    requests.check_tag("tag", *wish.tag)
    return wish.tag


def _mine(connection: Connection, caller: Caller, bulk_id: str) -> Bulk:
    found = store.find(connection, bulk_id) if _is_id(bulk_id) else None
    if found is None or (found.project_id, found.user_id) != (caller.project_id, caller.user_id):
        raise errors.not_found("action", bulk_id)
    return found


def _progress(connection: Connection, actions: Sequence[Bulk]) -> list[Progress]:
    counts = store.counts(connection, actions)
    return [Progress(one, _readable(one), counts[one.no]) for one in actions]


def _readable(action: Bulk) -> Written | None:
    try:
        return _read(action)
    except msgspec.DecodeError:
        return None

"""What is shown of a project over time, which leases end next, and how much room there is.

The history and the room are those of a whole project, so nobody sees them who may not see all its notebooks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nbfleet.domain import access
from nbfleet.domain.access import Caller, Scope
from nbfleet.domain.capacity import Room
from nbfleet.domain.history import HOUR, step_for, width_for
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.services import lists, pools
from nbfleet.services.context import Context
from nbfleet.store import expiries, history
from nbfleet.store.database import Connection
from nbfleet.store.expiries import Expiry
from nbfleet.wire import errors


@dataclass(frozen=True, slots=True)
class History:
    """From `since` to `until`, in milliseconds since 1970; samples are `step` milliseconds apart, and what
    happened is counted in spans of `width`."""

    since: int
    until: int
    step: int
    width: int
    samples: Sequence[history.Sample]
    happened: Sequence[history.Happened]
    reasons: Sequence[history.Reason]


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much of a pool is taken; `pool_id` is None for the machine, which is for all that are in none."""

    pool_id: str | None
    name: str
    room: Room


async def shown(context: Context, caller: Caller, hours: int, reasons: int) -> History:
    """The last `hours`, at most domain.history.MOST_HOURS, with so many reasons of failures."""
    _check_sees_all(caller)
    asked = (context, caller.project_id, context.clock(), hours, reasons)
    return await lists.bounded_read(context, caller, _shown, *asked)


def _shown(
    connection: Connection, context: Context, project_id: str, now: int, hours: int, reasons: int
) -> History:
    since, step, width = now - hours * HOUR, step_for(hours), width_for(hours)
    number = context.directory.project(connection, project_id)
    if number is None:
        return History(since, now, step, width, (), (), ())
    return History(
        since,
        now,
        step,
        width,
        history.samples(connection, number, since, step),
        history.happened(connection, number, since, width),
        history.reasons(connection, number, since, reasons) if reasons else (),
    )


async def stopping_next(context: Context, caller: Caller, limit: int) -> Sequence[Expiry]:
    """The running notebooks that the caller may see and whose leases end next, the soonest first."""
    wanted = Query(feature=None, workspace_id=None, statuses=(Status.RUNNING,))
    query = access.narrow(wanted, caller, Scope.ALL)
    return await lists.bounded_read(context, caller, expiries.next_of, context.directory, query, limit)


async def capacity(context: Context, caller: Caller) -> list[Capacity]:
    """The machine, where it has an end, then the pools in the order of the settings."""
    _check_sees_all(caller)
    machine = await context.database.read(pools.public_room, context)
    offered = await pools.listed(context, caller, None)
    found = [] if machine is None else [Capacity(None, "", machine)]
    return found + [Capacity(one.settings.id, one.settings.name, one.room) for one in offered]


def _check_sees_all(caller: Caller) -> None:
    """What is counted for a project as a whole tells of all its workspaces."""
    if caller.granted is not None or not access.may(caller, access.LIST_ALL):
        raise errors.forbidden(f"{access.LIST_ALL} in every workspace")

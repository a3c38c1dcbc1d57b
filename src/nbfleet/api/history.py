"""The calls about a fleet as a whole: over time, soon, and how much room it has."""

from msgspec import UNSET

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.domain.capacity import Size
from nbfleet.services import history
from nbfleet.services.history import Capacity, History
from nbfleet.wire.enums import NotebookStatus
from nbfleet.wire.history import (
    ActivityCount,
    CapacityAmount,
    FailureReason,
    FleetHistory,
    ListStoppingNotebooksResponse,
    PoolCapacity,
    ShowCapacityResponse,
    StatusSample,
    StoppingNotebook,
)

_HOURS, _REASONS, _LIMIT = 24, 20, 10


async def show_fleet_history(tools: Tools, call: Call) -> Answer:
    hours, reasons = call.query.get("hours", _HOURS), call.query.get("reasons", _REASONS)
    return Answer(_history(await history.shown(tools.context, call.caller, hours, reasons)))


def _history(found: History) -> FleetHistory:
    return FleetHistory(
        since=found.since,
        until=found.until,
        step=found.step,
        width=found.width,
        samples=[
            StatusSample(at=one.at, counts={NotebookStatus(s.value): n for s, n in one.counts.items()})
            for one in found.samples
        ],
        activity=[
            ActivityCount(since=one.since, event=one.activity.value, count=one.count)
            for one in found.happened
        ],
        reasons=[
            FailureReason(event=one.activity.value, reason=one.reason, count=one.count)
            for one in found.reasons
        ],
    )


async def list_stopping_notebooks(tools: Tools, call: Call) -> Answer:
    found = await history.stopping_next(tools.context, call.caller, call.query.get("limit", _LIMIT))
    data = [
        StoppingNotebook(
            id=one.id, name=one.name, owner=one.owner_id, owner_name=one.owner_name, stop_at=one.stop_at
        )
        for one in found
    ]
    return Answer(ListStoppingNotebooksResponse(data=data))


async def show_capacity(tools: Tools, call: Call) -> Answer:
    found = await history.capacity(tools.context, call.caller)
    return Answer(ShowCapacityResponse(pools=[_capacity(one) for one in found]))


def _capacity(found: Capacity) -> PoolCapacity:
    return PoolCapacity(
        pool_id=UNSET if found.pool_id is None else found.pool_id,
        name=found.name,
        all=_amount(found.room.all),
        taken=_amount(found.room.taken),
    )


def _amount(size: Size) -> CapacityAmount:
    return CapacityAmount(vcpus=float(size.vcpus), memory=size.memory, gpus=size.gpus, npus=size.npus)


HANDLERS: dict[str, Handler] = {
    "ShowFleetHistory": show_fleet_history,
    "ListStoppingNotebooks": list_stopping_notebooks,
    "ShowCapacity": show_capacity,
}

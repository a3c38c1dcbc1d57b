"""Answers of our own about a fleet as a whole: over time, soon, and how much room it has."""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from nbfleet.wire.enums import NotebookStatus
from nbfleet.wire.fields import Int64, LongCount, Millis, about
from nbfleet.wire.literals import ActivityKind


class StatusSample(Struct, frozen=True, kw_only=True):
    """How many instances had each status at a moment."""

    at: Annotated[Millis, about("The moment.")]
    counts: Annotated[dict[NotebookStatus, LongCount], about("By status; one that never occurred is absent.")]


class ActivityCount(Struct, frozen=True, kw_only=True):
    """How often something happened in an hour or a day."""

    since: Annotated[Millis, about("When the hour or day (UTC) began.")]
    event: Annotated[ActivityKind, about("What happened.")]
    count: Annotated[LongCount, about("How often.")]


class FailureReason(Struct, frozen=True, kw_only=True):
    """Why something failed, and how often it was for that."""

    event: Annotated[ActivityKind, about("What failed.")]
    reason: Annotated[str, about("The first line of the reason without ids; empty where none was told.")]
    count: Annotated[LongCount, about("How often.")]


class FleetHistory(Struct, frozen=True, kw_only=True):
    """A project over time. There are no samples of the time in which the service did not run."""

    since: Annotated[Millis, about("Where the time begins that was asked for.")]
    until: Annotated[Millis, about("Where it ends: now.")]
    step: Annotated[Int64, about("How far apart samples are, in milliseconds.")]
    samples: Annotated[list[StatusSample], about("Oldest first.")]
    width: Annotated[Int64, about("An hour or, of more than eight days, a day; in milliseconds.")]
    activity: Annotated[
        list[ActivityCount], about("In spans of width, oldest first; what did not happen is absent.")
    ]
    reasons: Annotated[list[FailureReason], about("Of failures in that time, the most frequent first.")]


class StoppingNotebook(Struct, frozen=True, kw_only=True):
    """A running instance that will be stopped when its lease ends."""

    id: Annotated[str, about("Instance id.")]
    name: Annotated[str, about("Instance name.")]
    owner: Annotated[str, about("Owner id.")]
    owner_name: Annotated[str, about("Owner name.")]
    stop_at: Annotated[Millis, about("When it will be stopped.")]


class ListStoppingNotebooksResponse(Struct, frozen=True, kw_only=True):
    """The instances whose leases end next."""

    data: Annotated[list[StoppingNotebook], about("The soonest first.")]


class CapacityAmount(Struct, frozen=True, kw_only=True):
    """An amount of each resource."""

    vcpus: Annotated[float, about("vCPUs.")]
    memory: Annotated[LongCount, about("Memory in MiB.")]
    gpus: Annotated[LongCount, about("GPUs.")]
    npus: Annotated[LongCount, about("NPUs.")]


class PoolCapacity(Struct, frozen=True, kw_only=True):
    """How much there is of a pool, or of the machine for all that are in none."""

    pool_id: Annotated[str, about("Pool id; absent for the machine.")] | UnsetType = UNSET
    name: Annotated[str, about("What people call it; empty for the machine.")]
    all: Annotated[CapacityAmount, about("In all.")]
    taken: Annotated[
        CapacityAmount, about("Given to instances; more than all where a pool was made smaller.")
    ]


class ShowCapacityResponse(Struct, frozen=True, kw_only=True):
    """How much room a project has."""

    pools: Annotated[list[PoolCapacity], about("The machine first, where its size is known.")]

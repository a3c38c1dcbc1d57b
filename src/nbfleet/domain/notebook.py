"""The notebook record: everything that is remembered about one instance.

Observed and wanted are two fields; the published status is computed from the pair in `lifecycle` and
nowhere else. The record knows nothing of SQL, of the wire or of what really runs it.
Times are milliseconds since 1970-01-01T00:00:00Z, durations milliseconds, sizes as their field says.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Wanted(StrEnum):
    """What the last accepted request asked for."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    DELETED = "DELETED"


class Observed(StrEnum):
    """What was last seen to be true."""

    NEW = "NEW"  # Never started: nothing exists yet.
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    CREATE_FAILED = "CREATE_FAILED"
    START_FAILED = "START_FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    ERROR = "ERROR"  # Ran, and ended by itself.
    GONE = "GONE"  # Nothing is left of it; the row is kept for audit.


class Step(IntEnum):
    """The four start-up steps, in the order in which they are done."""

    STORAGE = 1
    COMPUTE = 2
    NETWORK = 3
    INITIALISATION = 4


class StepStatus(StrEnum):
    WAITING = "WAITING"
    PROCESSING = "PROCESSING"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True, slots=True)
class Progress:
    """Status of the four steps, first step first."""

    steps: tuple[StepStatus, StepStatus, StepStatus, StepStatus] = (
        StepStatus.WAITING,
        StepStatus.WAITING,
        StepStatus.WAITING,
        StepStatus.WAITING,
    )

    def with_step(self, step: Step, status: StepStatus) -> "Progress":
        first, second, third, fourth = (
            status if position == step else now for position, now in enumerate(self.steps, start=1)
        )
        return Progress((first, second, third, fourth))


class LeaseType(StrEnum):
    TIMING = "TIMING"
    IDLE = "IDLE"


@dataclass(frozen=True, slots=True)
class Lease:
    """The auto-stop clock. `duration` runs from `create_at` to the planned stop; -1 with auto-stop off.

    `period` is what was last asked for: the clock restarts with it when the instance becomes ready.
    """

    create_at: int
    update_at: int
    duration: int
    period: int
    enable: bool
    type: LeaseType = LeaseType.TIMING


@dataclass(frozen=True, slots=True)
class Volume:
    """The work volume. Capacity in GB."""

    category: str
    ownership: str
    capacity: int
    mount_path: str = "/home/ma-user/work/"


@dataclass(frozen=True, slots=True)
class Notebook:
    id: str
    project_id: str
    owner_id: str
    name: str
    description: str
    feature: str
    flavor: str
    image_id: str
    workspace_id: str
    pool_id: str | None
    volume: Volume
    lease: Lease
    wanted: Wanted
    observed: Observed
    create_at: int
    update_at: int
    generation: int  # Counts the starts: the token of an earlier one opens nothing.
    progress: Progress | None = None
    fail_reason: str | None = None
    ip: str | None = None  # Address of the node, IPv4, while it runs.
    endpoint: str | None = None  # Where the gateway reaches it, as the runtime reported.
    handle: bytes | None = None  # The runtime's own notes to find it again; opaque elsewhere.
    tags: tuple[tuple[str, str], ...] = ()  # Key and value, in order of the keys.

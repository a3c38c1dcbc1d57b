"""The notebook record: everything that is remembered about one instance.

Observed and wanted are two fields; the published status is computed from the pair in `lifecycle` and
nowhere else. The record knows nothing of SQL, of the wire or of what really runs it.
Times are milliseconds since 1970-01-01T00:00:00Z, durations milliseconds, sizes as their field says.
"""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from nbfleet.domain.storage import ExtraVolume, Source


class Wanted(StrEnum):
    """What the last accepted request asked for."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    DELETED = "DELETED"
    FROZEN = "FROZEN"  # Kept from running by an administrator.


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
    """The work volume. Sizes in GB; `growing_to` is None unless a larger one was asked for. `source` is None
    for storage of the service's own, which goes with the notebook."""

    category: str
    ownership: str
    capacity: int
    mount_path: str = "/home/ma-user/work/"
    growing_to: int | None = None
    source: Source | None = None

    def grown(self) -> "Volume":
        """As large as was asked for."""
        capacity = self.capacity if self.growing_to is None else self.growing_to
        return replace(self, capacity=capacity, growing_to=None)


@dataclass(frozen=True, slots=True)
class CustomSize:
    """A size of its own instead of a flavor. Memory in MiB."""

    vcpus: float
    memory: int
    arch: str
    category: str
    resource_flavor: str | None = None


CUSTOM_FLAVOR = "custom.flavor.spec.code"  # What stands for the flavor of an instance with such a size.


@dataclass(frozen=True, slots=True)
class Hook:
    """A script around the start. `script` is its text, or the absolute path of a file inside the instance
    where `is_file` says so; `blocks` makes the start wait for it, and fail with it."""

    script: str
    is_file: bool
    blocks: bool


@dataclass(frozen=True, slots=True)
class AffinityRule:
    """A rule about the labels of nodes; `weight` is None for one that must hold."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """What an instance is made with beyond flavor, image and volume; most have nothing of it."""

    size: CustomSize | None = None
    pre_start: Hook | None = None
    post_start: Hook | None = None
    run_as: tuple[int, int] | None = None  # User and group id.
    required: tuple[AffinityRule, ...] = ()
    preferred: tuple[AffinityRule, ...] = ()
    volumes: tuple[ExtraVolume, ...] = ()


ORDINARY = Making()


class Ability(StrEnum):
    """What a runtime can do with an instance beyond starting and stopping it."""

    HOOKS = "hooks"
    RUN_USER = "run_user"
    AFFINITY = "affinity"
    OBJECT_STORAGE = "object storage"
    READ_ONLY = "read-only storage"
    USAGE = "usage"  # Tells what an instance uses.
    ANY_STORAGE = "any storage"  # Takes whatever is named, declared or not: nothing is really attached.


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
    making: Making = ORDINARY

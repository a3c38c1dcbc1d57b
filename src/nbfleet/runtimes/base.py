"""The interface between the reconciler and whatever runs an instance.

A handful of verbs. Each names its effect by notebook id and generation and may be repeated at any time:
"start" means "make sure it exists", "stop" means "make sure nothing of it runs". A runtime keeps no truth
of its own: what it needs to find an instance again it hands out as an opaque handle, which is saved before
the next effect happens and handed back later, perhaps to another process of the service.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nbfleet.domain.lifecycle import Presence
from nbfleet.domain.notebook import ORDINARY, Ability, Making, Step, StepStatus
from nbfleet.domain.storage import Source
from nbfleet.domain.usage import Usage


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """Names one start of one notebook. `handle` is None when none was saved yet."""

    notebook_id: str
    generation: int
    handle: bytes | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """Storage to be seen inside an instance. `name` is its own among those of the notebook; the source names
    a share or object storage, see `domain.storage`."""

    name: str
    category: str
    mount_path: str
    source: Source


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """What to start. `secret` is what the server inside must demand of every request; it never goes into
    arguments or logs. `base_path` is where the server must put its pages, with a slash at both ends.
    `memory` in MiB. `image_path` is the reference of a registered image, empty for the one that is always
    there. `making` asks for nothing beyond the runtime's abilities."""

    ref: InstanceRef
    image_id: str
    flavor: str
    vcpus: float
    memory: int
    base_path: str
    secret: str = field(repr=False)
    gpus: int = 0
    npus: int = 0
    image_path: str = ""
    making: Making = ORDINARY
    work: Attachment | None = None  # None: storage of the runtime's own.
    volumes: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class StartProgress:
    """One thing that just became true while starting. `handle` replaces the saved one when not None."""

    step: Step
    status: StepStatus
    handle: bytes | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What is true of one instance now; `reason` says why it EXITED, as well as is known.

    `endpoint` is an URL the gateway can reach (`unix:/path` or `http://host:port`) and `ip` the IPv4 address
    of its node; both only when READY.
    """

    presence: Presence
    endpoint: str | None = None
    ip: str | None = None
    reason: str | None = None


class StartFailed(Exception):
    """A start-up step failed for good; `reason` is shown to the owner as fail_reason."""

    def __init__(self, step: Step, reason: str) -> None:
        super().__init__(reason)
        self.step = step
        self.reason = reason


class DeleteFailed(Exception):
    """Something of the instance would not go; `reason` is shown to the owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GrowFailed(Exception):
    """The work volume cannot become so large; `reason` goes into the audit trail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AttachFailed(Exception):
    """The storage cannot be attached or detached; `reason` is shown to the owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Runtime(Protocol):
    """All methods are idempotent. Every method may raise OSError-like faults of the moment: the caller
    tries again later. StartFailed, DeleteFailed, GrowFailed and AttachFailed are final until somebody asks
    again."""

    name: str
    abilities: frozenset[Ability]

    def start(self, spec: InstanceSpec) -> AsyncIterator[StartProgress]:
        """Make sure the instance runs; yields after every effect, COMPLETED only once it holds.

        Ends when the server inside answers with its secret. Each yielded handle must be saved before the
        next item is asked for: a service that dies in between finds the instance by it.
        Repeating it for an instance that lives already goes on where that one stands.
        """
        ...

    async def observe(self, instances: Sequence[InstanceRef]) -> Sequence[Observation]:
        """One observation for each, in the same order. Many are asked about at once on purpose."""
        ...

    async def stop(self, instance: InstanceRef) -> None:
        """Make sure no process of any generation of this notebook runs; files stay."""
        ...

    async def delete(self, instance: InstanceRef) -> None:
        """Remove the files of a stopped notebook, its work volume included. Raises DeleteFailed."""
        ...

    async def grow(self, instance: InstanceRef, capacity: int) -> None:
        """Make sure the work volume has room for `capacity` GB, whether the instance runs or not. Raises
        GrowFailed."""
        ...

    async def attach(self, instance: InstanceRef, storage: Attachment) -> None:
        """Make sure a running instance sees the storage on its mount path. A stop ends all of it. Raises
        AttachFailed."""
        ...

    async def detach(self, instance: InstanceRef, storage: Attachment) -> None:
        """Make sure the instance does not see it any more; what is stored there stays. Raises
        AttachFailed."""
        ...

    async def inventory(self) -> Sequence[InstanceRef]:
        """Everything alive that this fleet started, found by its marker, known to the store or not."""
        ...

    async def log_tail(self, instance: InstanceRef, lines: int) -> str:
        """The last lines the instance wrote, oldest first; empty when it wrote none."""
        ...

    async def usage(self, instance: InstanceRef) -> Usage | None:
        """What all processes of this start use together; None when none runs, and always without
        Ability.USAGE. The notes of the instance are not needed."""
        ...

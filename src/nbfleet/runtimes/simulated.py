"""A runtime without processes: for tests of everything above it, and for trying the service out.

It keeps the contract of `base` and, where a `Behaviour` says so, breaks it the way real runtimes do. What
"runs" is in a `World`, which stands for the machine: it outlives the runtime object, so a test restarts the
service by making a second runtime on the same world. Nothing listens anywhere, so there is no endpoint.

A service that is really restarted comes back with an empty world and a database full of running notebooks;
the same holds for rows that were seeded by a script. Taking all of them for dead would turn a demonstration
fleet red at every restart. So a world that is not `strict` gives the benefit of the doubt: a notebook it has
never heard of is READY, whatever its handle. From the first start, stop, kill or delete on, the world knows
the notebook and says only what it knows. This is sound because only notebooks believed to be running are
looked at, and a start or a stop makes sure of its result whatever was seen before. A strict world takes the
unknown for ABSENT, as a real machine would: tests that look for twins and orphans want that.
"""

import asyncio
import math
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from nbfleet.domain.notebook import Ability, Step, StepStatus
from nbfleet.domain.usage import Usage
from nbfleet.runtimes.base import (
    AttachFailed,
    Attachment,
    DeleteFailed,
    GrowFailed,
    InstanceRef,
    InstanceSpec,
    Observation,
    Presence,
    StartFailed,
    StartProgress,
)

_NODE_ADDRESS = "127.0.0.1"
_WAVE = 60.0  # Seconds in which what an instance uses rises and falls.
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one instance behaves. Durations in seconds; the last three are lies, told so often and no more."""

    step_seconds: float = 0.0
    stop_seconds: float = 0.0
    stop_fail_reason: str | None = None  # Each stop fails, and it goes on running.
    fail_at: Step | None = None
    fail_reason: str = "simulated failure"
    hang_at: Step | None = None  # This step never ends by itself.
    dies_after: float | None = None  # Counted from when it became ready.
    delete_fail_reason: str | None = None
    grow_fail_reason: str | None = None
    attach_seconds: float = 0.0
    attach_fail_reason: str | None = None
    detach_fail_reason: str | None = None
    lost_answers: int = 0  # So many times a start, stop or delete takes effect and then times out.
    slow_to_notice: int = 0  # So many times it is UNKNOWN when looked at.
    ghosts: int = 0  # So many times it is READY although it was stopped or deleted.


Script = Callable[[InstanceSpec], Behaviour]
Sleep = Callable[[float], Awaitable[None]]


class _State(Enum):
    PREPARED = auto()  # Its storage is there or being made; nothing runs.
    STARTING = auto()
    READY = auto()
    ENDED = auto()
    STOPPED = auto()


@dataclass(slots=True)
class _Instance:
    generation: int
    behaviour: Behaviour
    state: _State
    reached: int = 0  # The last step that is complete.
    reason: str | None = None
    dies_at: float | None = None
    lost_answers: int = field(init=False)
    slow_to_notice: int = field(init=False)
    ghosts: int = field(init=False)

    def __post_init__(self) -> None:
        self.lost_answers = self.behaviour.lost_answers
        self.slow_to_notice = self.behaviour.slow_to_notice
        self.ghosts = self.behaviour.ghosts

    @property
    def prepared(self) -> bool:
        return self.state is _State.PREPARED

    @property
    def lives(self) -> bool:
        return self.state in (_State.STARTING, _State.READY)


class World:
    """The machine that is simulated. Several runtimes may share it, one after the other or at once."""

    def __init__(self, *, strict: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self.strict = strict
        self.clock = clock
        self.instances: dict[str, _Instance] = {}
        # By notebook: how it behaves from now on, whatever it was started with, if it was started at all.
        self.scripted: dict[str, Behaviour] = {}
        self.capacities: dict[str, int] = {}  # Of the volumes that have grown, in GB.
        self.attached: dict[str, dict[str, Attachment]] = {}  # By notebook and name.
        self.starts: dict[tuple[str, int], int] = {}  # How often each start really created something.

    def live(self) -> list[InstanceRef]:
        """The truth, without any lie: what runs now."""
        self.pass_time()
        return [
            InstanceRef(notebook_id, instance.generation, _handle(instance.generation))
            for notebook_id, instance in self.instances.items()
            if instance.lives
        ]

    def pass_time(self) -> None:
        """Let those die whose time has come."""
        now = self.clock()
        for instance in self.instances.values():
            if instance.lives and instance.dies_at is not None and instance.dies_at <= now:
                instance.state, instance.reason = _State.ENDED, "simulated: exited with status 1"


class SimulatedRuntime:
    """`script` says how each instance behaves; a single Behaviour is taken for all of them."""

    name = "simulated"
    abilities = frozenset(Ability)  # All of them, like everything else, in pretence.

    def __init__(
        self,
        script: Script | Behaviour | None = None,
        *,
        world: World | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._default = script if isinstance(script, Behaviour) else Behaviour()
        self._script: Script = script if callable(script) else lambda _: self._default
        self._sleep = sleep
        self.world = World() if world is None else world

    async def start(self, spec: InstanceSpec) -> AsyncIterator[StartProgress]:
        instance = self._instance_of(spec)
        for step in Step:
            yield StartProgress(step, StepStatus.PROCESSING)
            await self._do(step, spec.ref, instance)
            if step is Step.STORAGE:
                await self._attach_all(spec)
            made = step is Step.COMPUTE
            yield StartProgress(step, StepStatus.COMPLETED, _handle(instance.generation) if made else None)

    async def _attach_all(self, spec: InstanceSpec) -> None:
        for storage in (*([] if spec.work is None else [spec.work]), *spec.volumes):
            try:
                await self._attach(spec.ref, storage)
            except AttachFailed as failure:
                raise StartFailed(Step.STORAGE, failure.reason) from failure

    async def observe(self, instances: Sequence[InstanceRef]) -> Sequence[Observation]:
        self.world.pass_time()
        return [self._look(ref) for ref in instances]

    async def stop(self, instance: InstanceRef) -> None:
        known, behaviour = self._known(instance)
        if self._runs(known):
            await self._sleep(behaviour.stop_seconds)
            if behaviour.stop_fail_reason is not None:
                raise TimeoutError(behaviour.stop_fail_reason)
            known = self.world.instances.get(instance.notebook_id)  # Another start may have taken its place.
        if known is None:
            known = _Instance(instance.generation, self._default, _State.STOPPED)
            self.world.instances[instance.notebook_id] = known
        known.state, known.dies_at = _State.STOPPED, None
        self.world.attached.pop(instance.notebook_id, None)
        _maybe_lose_the_answer(known)

    async def delete(self, instance: InstanceRef) -> None:
        known, behaviour = self._known(instance)
        if known is not None and known.lives:
            raise DeleteFailed("it is still running")
        if behaviour.delete_fail_reason is not None:
            raise DeleteFailed(behaviour.delete_fail_reason)
        await self.stop(instance)  # Remembered as gone, not forgotten: the unknown would count as running.

    async def grow(self, instance: InstanceRef, capacity: int) -> None:
        known, behaviour = self._known(instance)
        await self._sleep(behaviour.step_seconds)
        if behaviour.grow_fail_reason is not None:
            raise GrowFailed(behaviour.grow_fail_reason)
        self.world.capacities[instance.notebook_id] = capacity
        if known is not None:
            _maybe_lose_the_answer(known)

    async def attach(self, instance: InstanceRef, storage: Attachment) -> None:
        known = self.world.instances.get(instance.notebook_id)
        if known is not None and not known.lives:
            raise ProcessLookupError("simulated: nothing of the instance runs")
        await self._attach(instance, storage)
        if known is not None:
            _maybe_lose_the_answer(known)

    async def _attach(self, instance: InstanceRef, storage: Attachment) -> None:
        _, behaviour = self._known(instance)
        await self._sleep(behaviour.attach_seconds)
        if behaviour.attach_fail_reason is not None:
            raise AttachFailed(behaviour.attach_fail_reason)
        self.world.attached.setdefault(instance.notebook_id, {})[storage.name] = storage

    async def detach(self, instance: InstanceRef, storage: Attachment) -> None:
        known, behaviour = self._known(instance)
        await self._sleep(behaviour.attach_seconds)
        if behaviour.detach_fail_reason is not None:
            raise AttachFailed(behaviour.detach_fail_reason)
        self.world.attached.get(instance.notebook_id, {}).pop(storage.name, None)
        if known is not None:
            _maybe_lose_the_answer(known)

    async def inventory(self) -> Sequence[InstanceRef]:
        return self.world.live()

    async def log_tail(self, instance: InstanceRef, lines: int) -> str:
        known = self.world.instances.get(instance.notebook_id)
        written = [] if known is None else [f"{step.name.lower()} complete" for step in Step][: known.reached]
        return "\n".join(written[-lines:]) if lines > 0 else ""

    async def usage(self, instance: InstanceRef) -> Usage | None:
        self.world.pass_time()
        known = self.world.instances.get(instance.notebook_id)
        runs = self._runs(known)
        if known is not None and known.generation not in (0, instance.generation):
            runs = False
        return _made_up(instance.notebook_id, self.world.clock()) if runs else None

    def kill(self, notebook_id: str, reason: str) -> None:
        """It ends by itself, now; one the world never heard of counts as started before."""
        known = self.world.instances.get(notebook_id)
        if known is None:
            known = _Instance(0, self._default, _State.READY)
            self.world.instances[notebook_id] = known
        known.state, known.reason, known.dies_at = _State.ENDED, reason, None

    def _known(self, instance: InstanceRef) -> tuple[_Instance | None, Behaviour]:
        """What the world knows of the notebook, and how it behaves now."""
        known = self.world.instances.get(instance.notebook_id)
        started_with = self._default if known is None else known.behaviour
        return known, self.world.scripted.get(instance.notebook_id, started_with)

    def _runs(self, known: _Instance | None) -> bool:
        return not self.world.strict if known is None else known.lives

    def _instance_of(self, spec: InstanceSpec) -> _Instance:
        """The one instance of this start; one of another start makes way for it."""
        self.world.pass_time()
        ref = spec.ref
        known = self.world.instances.get(ref.notebook_id)
        if known is not None and known.generation == ref.generation and (known.lives or known.prepared):
            return known
        behaviour = self.world.scripted.get(ref.notebook_id, self._script(spec))
        made = _Instance(ref.generation, behaviour, _State.PREPARED)
        self.world.instances[ref.notebook_id] = made
        return made

    async def _do(self, step: Step, ref: InstanceRef, instance: _Instance) -> None:
        """Make one step true, or find that it is true already."""
        if instance.reached < step:
            await self._try(step, instance)
        self.world.pass_time()
        if not (instance.lives or instance.prepared):
            raise StartFailed(step, instance.reason or "it was stopped while it started")
        instance.reached = max(instance.reached, step)
        if step is Step.COMPUTE:
            self._make(ref, instance)
        elif step is Step.INITIALISATION:
            self._make_ready(instance)

    async def _try(self, step: Step, instance: _Instance) -> None:
        behaviour = instance.behaviour
        await self._sleep(behaviour.step_seconds)
        if behaviour.hang_at is step:
            await asyncio.Event().wait()
        if behaviour.fail_at is step:
            instance.state = _State.STOPPED
            raise StartFailed(step, behaviour.fail_reason)

    def _make(self, ref: InstanceRef, instance: _Instance) -> None:
        if instance.prepared:
            instance.state = _State.STARTING
            key = (ref.notebook_id, ref.generation)
            self.world.starts[key] = self.world.starts.get(key, 0) + 1
        _maybe_lose_the_answer(instance)

    def _make_ready(self, instance: _Instance) -> None:
        if instance.state is _State.STARTING:
            instance.state = _State.READY
            if instance.behaviour.dies_after is not None:
                instance.dies_at = self.world.clock() + instance.behaviour.dies_after

    def _look(self, ref: InstanceRef) -> Observation:
        known = self.world.instances.get(ref.notebook_id)
        if known is None:
            return Observation(Presence.ABSENT) if self.world.strict else _ready()
        if known.slow_to_notice > 0:
            known.slow_to_notice -= 1
            return Observation(Presence.UNKNOWN)
        if known.generation not in (0, ref.generation):
            return Observation(Presence.ABSENT)
        match known.state:
            case _State.STARTING:
                return Observation(Presence.STARTING)
            case _State.READY:
                return _ready()
            case _State.ENDED:
                return Observation(Presence.EXITED, reason=known.reason)
            case _State.STOPPED if known.ghosts > 0:
                known.ghosts -= 1
                return _ready()
            case _State.STOPPED | _State.PREPARED:
                return Observation(Presence.ABSENT)


def _made_up(notebook_id: str, seconds: float) -> Usage:
    """From the clock alone: between 0.1 and 0.9 of a processor, and memory that follows it. Each notebook is
    at another place of the wave."""
    turn = math.tau * (seconds + zlib.crc32(notebook_id.encode()) % _WAVE) / _WAVE
    busy = 0.5 * seconds + 0.4 * (1 - math.cos(turn)) * _WAVE / math.tau
    return Usage(round(busy, 2), int(300 + 100 * math.sin(turn)) * _MIB)


def _ready() -> Observation:
    return Observation(Presence.READY, ip=_NODE_ADDRESS)


def _handle(generation: int) -> bytes:
    """Says nothing that is needed: the world is looked up by notebook."""
    return f"simulated:{generation}".encode()


def _maybe_lose_the_answer(instance: _Instance) -> None:
    if instance.lost_answers > 0:
        instance.lost_answers -= 1
        raise TimeoutError("simulated: the answer was lost")

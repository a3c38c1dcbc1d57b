"""The reconciler on a simulated machine, with a clock that only the test moves."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from nbfleet.domain.access import Caller, Role
from nbfleet.domain.lifecycle import Status, effect_for, status_of
from nbfleet.domain.notebook import Notebook, StepStatus
from nbfleet.reconciler.loop import Reconciler
from nbfleet.reconciler.mounts import Mounts
from nbfleet.reconciler.works import Works
from nbfleet.runtimes.simulated import Behaviour, SimulatedRuntime, World
from nbfleet.services import notebooks as services
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.settings import Settings
from nbfleet.store import claims, notebooks
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.telemetry import Metrics
from nbfleet.wire.notebooks import NotebookCreateRequest
from nbfleet.wire.volumes import VolumeMountRequest
from support import fleet

PATIENCE = 30  # Seconds of real time until something that should happen is taken for stuck.
REQUEST = Request(Caller(fleet.OWNER, "Anna", fleet.PROJECTS[0], Role.MEMBER, "d" * 32, "domain"), "request")


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Waits for what other tasks are doing; no time passes on the machine's clock."""
    while True:
        if await check():
            return
        await asyncio.sleep(0.002)


@dataclass
class Machine:
    """What outlives a service: the store, the world and time. `user` is the way of requests to the store."""

    url: str
    clock: fleet.Clock = field(default_factory=fleet.Clock)
    user: Database = field(init=False)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.user = Database(self.url)
        self.world = World(strict=True, clock=lambda: self.clock.now / 1000)

    async def find(self, notebook_id: str) -> Notebook:
        stored = await self.user.read(notebooks.find, notebook_id)
        assert stored is not None
        return stored.notebook

    async def status(self, notebook_id: str) -> Status:
        return status_of(await self.find(notebook_id))

    async def becomes(self, notebook_id: str, status: Status) -> None:
        """Waits for this status."""

        async def reached() -> bool:
            return await self.status(notebook_id) is status

        await until(reached)

    async def asleep(self) -> None:
        """Waits until the one loop that runs has done its turn: time may pass now."""

        async def sleeps() -> bool:
            return self.clock.sleepers == 1

        await until(sleeps)

    async def knows(self, notebook_id: str) -> None:
        """Waits until a start of this notebook has begun."""

        async def known() -> bool:
            return notebook_id in self.world.instances

        await until(known)

    def alive(self) -> list[tuple[str, int]]:
        return sorted((ref.notebook_id, ref.generation) for ref in self.world.live())


@dataclass
class Rig:
    """One service on a machine."""

    machine: Machine
    runtime: SimulatedRuntime
    works: Works
    reconciler: Reconciler
    task: "asyncio.Task[None]"
    mounts: Mounts

    @property
    def context(self) -> Context:
        return Context(
            self.machine.user, Directory(), fleet.KEYRING, self.works.settings, self.machine.clock,
            self.reconciler.hint, self.runtime.abilities,
        )  # fmt: skip

    @property
    def in_hand(self) -> float | None:
        return self.works.metrics.registry.get_sample_value("nbfleet_reconciling")

    async def create(self, **fields: Any) -> str:
        """The id of a new notebook of the caller."""
        body = NotebookCreateRequest(
            name="notebook", image_id=fleet.IMAGE, flavor="modelarts.vm.cpu.1u",
            **{"volume": VolumeMountRequest(category="EVS", ownership="MANAGED")} | fields,
        )  # fmt: skip
        return (await services.create(self.context, REQUEST, body)).notebook.id

    async def start(self, notebook_id: str) -> None:
        await services.start(self.context, REQUEST, notebook_id, fleet.HOUR)

    async def stop(self, notebook_id: str) -> None:
        await services.stop(self.context, REQUEST, notebook_id)

    async def delete(self, notebook_id: str) -> None:
        await services.delete(self.context, REQUEST, notebook_id)

    async def settled(self, notebook_id: str, step: int = 0) -> Notebook:
        """The notebook once it is not in motion. Whenever nobody works on it `step` milliseconds pass."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.machine.find(notebook_id)
                if effect_for(found) is None:
                    return found
                if self.in_hand == 0 and step:
                    self.machine.clock.advance(step)
                    self.reconciler.hint()
                await asyncio.sleep(0.002)

    async def ends(self, notebook_id: str, status: Status, step: int = 0) -> Notebook:
        found = await self.settled(notebook_id, step)
        assert (status_of(found), found.fail_reason) == (status, found.fail_reason)
        return found


@asynccontextmanager
async def service(
    machine: Machine,
    script: Any = None,
    *,
    database: Database | None = None,
    runtime: Callable[..., SimulatedRuntime] = SimulatedRuntime,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A service that runs until the block is left, as after a crash: nothing in hand is finished."""
    simulated = runtime(script, world=machine.world, sleep=machine.clock.sleep)
    works = Works(
        database or machine.user, fleet.KEYRING, simulated, Settings(**settings), machine.clock,
        machine.clock.sleep, Metrics(),
    )  # fmt: skip
    reconciler = Reconciler(works)
    task, mounts = asyncio.create_task(reconciler.run()), Mounts(works)
    try:
        yield Rig(machine, simulated, works, reconciler, task, mounts)
    finally:
        task.cancel()
        mounts.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def restarted(machine: Machine) -> None:
    """What a service does first that knows itself to be the only one."""
    await machine.user.write(claims.release_all)


def run(url: str, test: Callable[[Machine], Awaitable[None]]) -> None:
    machine = Machine(url)

    async def bounded() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await test(machine)

    try:
        asyncio.run(bounded())
    finally:
        machine.user.close()


class CutDatabase(Database):
    """The way to the store of a service that dies at its k-th write, before or after it is done."""

    def __init__(self, url: str, at: int, after: bool) -> None:
        super().__init__(url)
        self._at, self._after = at, after
        self._numbers = itertools.count(1)
        self.was_cut = False
        self.cut: Callable[[], object] = lambda: None

    async def write(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        number = next(self._numbers)
        if number < self._at:
            return await super().write(fn, *args, **kwargs)
        self.was_cut = True  # Before others can see what is written.
        if number == self._at and self._after:
            await super().write(fn, *args, **kwargs)
        self.cut()
        return await asyncio.Event().wait()


class WatchedDatabase(Database):
    """Compares the progress in the store with what the machine did, in each transaction that writes."""

    def __init__(self, url: str, world: World) -> None:
        super().__init__(url)
        self._world = world
        self.saved: list[tuple[StepStatus, ...]] = []
        self.lies: list[tuple[tuple[StepStatus, ...], int]] = []

    async def write(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        def watched(connection: Connection) -> Any:
            result = fn(connection, *args, **kwargs)
            self._compare(connection)
            return result

        return await super().write(watched)

    def _compare(self, connection: Connection) -> None:
        for notebook_id, instance in self._world.instances.items():
            found = notebooks.find(connection, notebook_id)
            progress = None if found is None else found.notebook.progress
            if progress is not None:
                if not self.saved or self.saved[-1] != progress.steps:
                    self.saved.append(progress.steps)
                if progress.steps.count(StepStatus.COMPLETED) > instance.reached:
                    self.lies.append((progress.steps, instance.reached))


__all__ = [
    "Behaviour",
    "CutDatabase",
    "Machine",
    "Rig",
    "WatchedDatabase",
    "restarted",
    "run",
    "service",
    "until",
]

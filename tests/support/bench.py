"""The reconciler on a bench: a real store, a simulated machine, a clock that moves when it is told to."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from nbfleet.domain.lifecycle import IN_MOTION, Status, status_of
from nbfleet.domain.notebook import Notebook
from nbfleet.reconciler.loop import Reconciler
from nbfleet.reconciler.works import Works
from nbfleet.runtimes.simulated import Behaviour, Script, SimulatedRuntime, World
from nbfleet.services import notebooks as service
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.settings import Settings
from nbfleet.store import listing, notebooks, schema
from nbfleet.telemetry import Metrics
from nbfleet.wire.notebooks import NotebookCreateRequest
from support import make, stores
from support.make import Clock

PATIENCE = 20.0  # Real seconds; only a failing test ever waits for them.


class Crash:
    """Stops the world of a reconciler at its k-th write to the store, before or after it took effect."""

    def __init__(self, database: Any, at: int | None = None, *, after: bool = False) -> None:
        self._database = database
        self._at = at
        self._after = after
        self.writes = 0
        self.happened = asyncio.Event()
        self.watch: Callable[[], None] = lambda: None

    async def read(self, *arguments: Any, **named: Any) -> Any:
        return await self._database.read(*arguments, **named)

    async def write(self, *arguments: Any, **named: Any) -> Any:
        self.writes += 1
        mine = self.writes == self._at
        if mine and not self._after:
            await self._end()
        result = await self._database.write(*arguments, **named)
        self.watch()
        if mine:
            await self._end()
        return result

    async def _end(self) -> None:
        self.happened.set()
        await asyncio.Event().wait()


async def never_wakes(_seconds: float) -> None:
    """The sleep of a process that was stopped: its heartbeats stop too."""
    await asyncio.Event().wait()


async def eventually(condition: Callable[[], bool]) -> None:
    """Lets others run until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in several places.
            await asyncio.sleep(0.001)


@dataclass
class Bench:
    store: stores.Store
    script: Script | Behaviour | None = None
    settings: Settings = field(default_factory=Settings)
    clock: Clock = field(default_factory=Clock)
    world: World = field(init=False)
    sleepers: list[tuple[int, asyncio.Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(strict=True, clock=lambda: self.clock.now / 1000)
        self.request = Request(make.caller(), "request-1")
        self.context = Context(
            self.store.database,
            self.store.directory,
            self.store.keyring,
            self.settings,
            self.clock,
            lambda: None,
        )

    # Time.

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = (self.clock.now + round(seconds * 1000), asyncio.Event())
        self.sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            if sleeper in self.sleepers:
                self.sleepers.remove(sleeper)

    def advance(self, milliseconds: int) -> None:
        self.clock.advance(milliseconds)
        for moment, woken in self.sleepers:
            if moment <= self.clock.now:
                woken.set()
        self.sleepers = [pair for pair in self.sleepers if not pair[1].is_set()]

    # What callers do.

    async def create(self, **fields: Any) -> str:
        body = {
            "name": "n",
            "flavor": "modelarts.vm.cpu.1u",
            "image_id": next(iter(stores.IMAGES)),
            "volume": {"category": "EVS", "ownership": "MANAGED"},
        }
        request = msgspec.convert(body | fields, NotebookCreateRequest)
        return (await service.create(self.context, self.request, request)).notebook.id

    async def start(self, notebook_id: str, period: int = 3_600_000) -> None:
        await service.start(self.context, self.request, notebook_id, period)

    async def stop(self, notebook_id: str) -> None:
        await service.stop(self.context, self.request, notebook_id)

    async def delete(self, notebook_id: str) -> None:
        await service.delete(self.context, self.request, notebook_id)

    # What is true.

    def notebook(self, notebook_id: str) -> Notebook:
        found = self.store.database.read_now(notebooks.find, notebook_id)
        assert found is not None
        return found.notebook

    def status(self, notebook_id: str) -> Status:
        return status_of(self.notebook(notebook_id))

    def document(self, notebook_id: str) -> dict[str, Any]:
        def read(connection: Any) -> bytes:
            found = notebooks.find(connection, notebook_id)
            assert found is not None
            return listing.one(connection, found.rid).body

        return json.loads(self.store.database.read_now(read))

    def live(self) -> list[str]:
        return sorted(instance.notebook_id for instance in self.world.live())

    def events(self, notebook_id: str) -> list[tuple[str, str | None, str, str | None]]:
        """The audit trail: event, status before and after, reason."""
        a = schema.audit.c
        query = (
            select(a.event, a.before, a.after, a.reason).where(a.notebook_id == notebook_id).order_by(a.no)
        )
        return self.store.database.read_now(lambda c: [tuple(row) for row in c.execute(query)])

    # The reconciler.

    def works(self, database: Any = None, world: World | None = None) -> Works:
        runtime = SimulatedRuntime(
            self.script, world=self.world if world is None else world, sleep=self.sleep
        )
        using = self.store.database if database is None else database
        return Works(using, self.store.keyring, runtime, self.settings, self.clock, self.sleep, Metrics())

    @contextlib.asynccontextmanager
    async def reconciling(self, works: Works | None = None) -> AsyncIterator[Reconciler]:
        reconciler = Reconciler(self.works() if works is None else works)
        task = asyncio.create_task(reconciler.run())
        try:
            yield reconciler
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settle(self, reconciler: Reconciler, until: asyncio.Event | None = None) -> None:
        """Until nothing is in motion, or the event; time only passes while everybody waits for it."""
        async with asyncio.timeout(PATIENCE):
            while rows := self._in_motion():
                if until is not None and until.is_set():
                    return
                if all(claim is None and due_at > self.clock.now for due_at, claim, _ in rows):
                    self.advance(min(due_at for due_at, _, _ in rows) - self.clock.now)
                reconciler.hint()
                await asyncio.sleep(0.001)

    def outlive_claims(self) -> None:
        """Lets as much time pass as a crashed reconciler's claims hold."""
        ends = [until for _, _, until in self._in_motion() if until is not None]
        if ends:
            self.advance(max(0, max(ends) - self.clock.now))

    def _in_motion(self) -> list[tuple[int, str | None, int | None]]:
        i = schema.instances.c
        query = select(i.due_at, i.claim, i.claim_until).where(i.due_at.is_not(None))
        return self.store.database.read_now(lambda c: [tuple(row) for row in c.execute(query)])

    async def bring(self, *ids: str) -> None:
        """Brings everything to rest, without any fault."""
        async with self.reconciling() as reconciler:
            await self.settle(reconciler)
        assert not {self.status(one) for one in ids} & IN_MOTION


def statuses(bench: Bench, ids: Iterable[str]) -> list[Status]:
    return [bench.status(one) for one in ids]

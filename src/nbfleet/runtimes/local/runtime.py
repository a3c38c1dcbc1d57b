"""The `local` runtime: instances are JupyterLab processes on this machine, beside the service.

The machine itself is the only truth: which processes carry our marker. The service may be killed at any
point and finds them again by the saved notes or, where it died before they were saved, by looking for the
marker. Instances share the user of the service: they are kept apart from other users of the machine and
from its environment, not from each other, and their flavor is not enforced.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

from nbfleet.domain.notebook import Ability, Hook, Step, StepStatus
from nbfleet.domain.usage import Usage
from nbfleet.runtimes.base import (
    Attachment,
    DeleteFailed,
    InstanceRef,
    InstanceSpec,
    Observation,
    Presence,
    StartFailed,
    StartProgress,
)
from nbfleet.runtimes.local import hooks, jupyter, machine, mounting, processes
from nbfleet.runtimes.local.attaching import Attaching
from nbfleet.runtimes.local.children import Children
from nbfleet.runtimes.local.control import failing, to_its_end, within
from nbfleet.runtimes.local.ending import end
from nbfleet.runtimes.local.handle import Handle
from nbfleet.runtimes.local.launch import Launch
from nbfleet.runtimes.local.layout import Layout, is_notebook_id
from nbfleet.runtimes.local.metering import Meter
from nbfleet.runtimes.local.processes import Marker, Process
from nbfleet.runtimes.local.servers import handle_of, is_server, servers_in
from nbfleet.runtimes.local.storage import Storage
from nbfleet.settings import ObjectStorageSettings, ShareSettings
from nbfleet.shelf import Shelf

_NODE_ADDRESS = "127.0.0.1"
_PAUSE = 0.05


class LocalRuntime:
    """For `pass_environment`, `arguments` and `images` see Launch. Durations in seconds."""

    name = "local"

    def __init__(
        self,
        root: Path,
        fleet_id: str,
        *,
        python: str = sys.executable,
        start_timeout: float = 60,
        stop_grace: float = 5,
        pass_environment: Iterable[str] = (),
        arguments: Sequence[str] = (),
        images: Shelf | None = None,
        devices: machine.Devices = machine.Devices(),  # noqa: B008 - it cannot change.
        shares: Sequence[ShareSettings] = (),
        objects: ObjectStorageSettings | None = None,
    ) -> None:
        processes.check_fleet_id(fleet_id)
        self._layout = Layout(root, fleet_id)
        self._fleet_id = fleet_id
        self._start_timeout = start_timeout
        self._stop_grace = stop_grace
        self._launch = Launch(python, frozenset(pass_environment), tuple(arguments), images)
        self._devices = devices
        self._children = Children()
        self._meter = Meter(fleet_id)
        self._storage = Storage(root, self._layout.work, shares, objects)
        self._attaching = Attaching(self._storage, self._held, lambda ref: self._find(ref) is not None)
        self.abilities = frozenset({Ability.HOOKS, Ability.USAGE}) | mounting.abilities()

    async def start(self, spec: InstanceSpec) -> AsyncIterator[StartProgress]:
        ref = spec.ref
        yield StartProgress(Step.STORAGE, StepStatus.PROCESSING)
        with failing(Step.STORAGE, "its directories cannot be made"):
            await asyncio.to_thread(self._layout.prepare, ref.notebook_id)
            await to_its_end(self._attaching.prepare(spec))
        yield StartProgress(Step.STORAGE, StepStatus.COMPLETED)

        yield StartProgress(Step.COMPUTE, StepStatus.PROCESSING)
        deadline = time.monotonic() + self._start_timeout
        with failing(Step.COMPUTE, "its process cannot be started"):
            if await to_its_end(self._make_way(spec)):
                await self._run_hook(spec, hooks.PRE_START, Step.COMPUTE, deadline)
            process, handle = await to_its_end(self._ensure_process(spec))
        yield StartProgress(Step.COMPUTE, StepStatus.COMPLETED, handle.encode())

        yield StartProgress(Step.NETWORK, StepStatus.PROCESSING)

        async def listens() -> str | None:
            return None if jupyter.accepts(handle.socket) else "nothing listens on its socket"

        await self._wait_for(Step.NETWORK, process, deadline, listens)
        yield StartProgress(Step.NETWORK, StepStatus.COMPLETED)

        yield StartProgress(Step.INITIALISATION, StepStatus.PROCESSING)

        async def answers() -> str | None:
            return await jupyter.ask(handle.socket, spec.base_path, spec.secret)

        await self._wait_for(Step.INITIALISATION, process, deadline, answers)
        with failing(Step.INITIALISATION, "its hook cannot be started"):
            await self._run_hook(spec, hooks.POST_START, Step.INITIALISATION, deadline)
        yield StartProgress(Step.INITIALISATION, StepStatus.COMPLETED)

    async def observe(self, instances: Sequence[InstanceRef]) -> Sequence[Observation]:
        return await asyncio.to_thread(self._look, list(instances))

    async def stop(self, instance: InstanceRef) -> None:
        if is_notebook_id(instance.notebook_id):
            await to_its_end(self._stop(instance.notebook_id))

    async def delete(self, instance: InstanceRef) -> None:
        await to_its_end(self._attaching.take_away(lambda: self._delete(instance.notebook_id)))

    async def grow(self, instance: InstanceRef, capacity: int) -> None:
        await asyncio.to_thread(self._layout.check_room, instance.notebook_id, capacity)

    async def attach(self, instance: InstanceRef, storage: Attachment) -> None:
        await to_its_end(self._attaching.attach(instance, storage))

    async def detach(self, instance: InstanceRef, storage: Attachment) -> None:
        await to_its_end(self._attaching.detach(instance.notebook_id, storage.name))

    async def inventory(self) -> Sequence[InstanceRef]:
        return await asyncio.to_thread(self._inventory)

    async def log_tail(self, instance: InstanceRef, lines: int) -> str:
        if lines <= 0 or not is_notebook_id(instance.notebook_id):
            return ""
        written = await asyncio.to_thread(self._layout.read_log, instance.notebook_id)
        return "\n".join(jupyter.clean(line) for line in written[-lines:])

    async def usage(self, instance: InstanceRef) -> Usage | None:
        return await asyncio.to_thread(self._meter.usage, self._marker(instance))

    async def _make_way(self, spec: InstanceSpec) -> bool:
        """Ends whatever else runs of the notebook; True where the server of this start does not run yet."""
        notebook_id, marker = spec.ref.notebook_id, self._marker(spec.ref)
        async with self._held(notebook_id):
            known = await asyncio.to_thread(self._find, spec.ref)
            begun = known is not None or self._hook(spec.ref, hooks.PRE_START) is not None
            await self._end(notebook_id, spare=marker if begun else None)
            if not begun:
                await asyncio.to_thread(self._layout.begin, notebook_id)
            return known is None

    async def _ensure_process(self, spec: InstanceSpec) -> tuple[Process, Handle]:
        """The one process of this start."""
        async with self._held(spec.ref.notebook_id):
            known = await asyncio.to_thread(self._find, spec.ref)
            return known or await asyncio.to_thread(self._spawn, spec, self._marker(spec.ref))

    async def _run_hook(self, spec: InstanceSpec, name: str, step: Step, deadline: float) -> None:
        """Makes sure the hook was begun, and where it blocks, that it ended well."""
        hook: Hook | None = getattr(spec.making, name)
        if hook is None:
            return
        status = hooks.status_file(self._layout.run(spec.ref.notebook_id), name, spec.ref.generation)
        process = await asyncio.to_thread(self._hook, spec.ref, name)
        if process is None and hooks.status(status) is None:
            try:
                process = await asyncio.to_thread(self._spawn_hook, spec, name, hook, status)
            except hooks.MissingScript as missing:
                if not hook.blocks:
                    await asyncio.to_thread(self._layout.note, spec.ref.notebook_id, f"{name}: {missing}")
                    return
                await self._fail_hook(spec, step, f"its {name} hook cannot run: {missing}")
        while hook.blocks and process is not None and self._lives(process):
            if time.monotonic() >= deadline:
                within = f"within the {self._start_timeout:g} seconds of a start"
                await self._fail_hook(spec, step, f"its {name} hook did not end {within}")
            await asyncio.sleep(_PAUSE)
        if hook.blocks and hooks.status(status) != 0:
            code = hooks.status(status)
            lines = self._layout.read_log(spec.ref.notebook_id)
            await self._fail_hook(
                spec, step, jupyter.reason(f"its {name} hook {jupyter.ending(code)}", lines)
            )

    async def _fail_hook(self, spec: InstanceSpec, step: Step, reason: str) -> NoReturn:
        """A failed start leaves no process behind."""
        await self.stop(spec.ref)
        raise StartFailed(step, reason)

    def _hook(self, ref: InstanceRef, name: str) -> Process | None:
        """The hook of this start, while it runs."""
        status = hooks.status_file(self._layout.run(ref.notebook_id), name, ref.generation)
        return hooks.running(processes.scan(self._fleet_id, ref.notebook_id), status)

    def _spawn_hook(self, spec: InstanceSpec, name: str, hook: Hook, status: Path) -> Process:
        notebook_id = spec.ref.notebook_id
        work, directory = self._storage.work(spec), self._layout.run(notebook_id)
        command = hooks.command(hook, directory, name, work, status)
        environment = self._launch.environment(spec, self._layout.home(notebook_id))
        log = self._layout.append_log(notebook_id)
        try:
            return self._children.spawn(command, environment, work, log, self._marker(spec.ref))
        finally:
            os.close(log)

    def _spawn(self, spec: InstanceSpec, marker: Marker) -> tuple[Process, Handle]:
        notebook_id = spec.ref.notebook_id
        home, work = self._layout.home(notebook_id), self._storage.work(spec)
        socket = self._layout.socket(notebook_id, marker.generation)
        command, environment = self._launch.server(spec, socket, home, work)
        self._children.forget(notebook_id)
        log = self._layout.append_log(notebook_id)
        # Between looking which devices are free and being seen with them nobody else may look.
        with self._layout.held_devices():
            try:
                mine = machine.chosen(self._devices, self._given(), spec.gpus, spec.npus)
            except machine.NoneFree as fault:
                os.close(log)
                raise StartFailed(Step.COMPUTE, str(fault)) from fault
            environment |= machine.environment(self._devices, mine)
            try:
                process = self._children.spawn(command, environment, work, log, marker)
            finally:
                os.close(log)
        return process, Handle.of(process, str(socket))

    def _given(self) -> list[str]:
        """The devices of the instances that live."""
        if self._devices == machine.Devices():
            return []
        found = processes.scan(self._fleet_id)
        told = (processes.variable_of(one.pid, machine.VARIABLE) for one in found)
        return [name for text in told if text for name in text.split(",")]

    async def _wait_for(
        self, step: Step, process: Process, deadline: float, missing: Callable[[], Awaitable[str | None]]
    ) -> None:
        """Until nothing is missing. A failed start leaves no process behind."""
        reason = await self._obstacle(process, deadline, missing)
        if reason is not None:
            await self.stop(InstanceRef(process.marker.notebook_id, process.marker.generation))
            raise StartFailed(step, reason)

    async def _obstacle(
        self, process: Process, deadline: float, missing: Callable[[], Awaitable[str | None]]
    ) -> str | None:
        """None once nothing is missing; else why it never will be."""
        while True:
            try:
                lacks = await within(deadline, missing)
            except jupyter.RefusedError as refused:
                return str(refused)
            if lacks is None:
                return None
            if not self._lives(process):
                return await asyncio.to_thread(self._cause, process)
            if time.monotonic() >= deadline:
                return await asyncio.to_thread(self._too_slow, process, lacks)
            await asyncio.sleep(_PAUSE)

    def _too_slow(self, process: Process, lacks: str) -> str:
        lines = self._layout.read_log(process.marker.notebook_id)
        return jupyter.reason(f"not ready within {self._start_timeout:g} seconds: {lacks}", lines)

    def _cause(self, process: Process) -> str:
        lines = self._layout.read_log(process.marker.notebook_id)
        return jupyter.reason(jupyter.ending(self._children.exit_code(process)), lines)

    async def _stop(self, notebook_id: str) -> None:
        async with self._attaching.stopping(notebook_id):
            await self._end(notebook_id)
            await asyncio.to_thread(self._layout.remove_sockets, notebook_id)
            await self._attaching.clear(notebook_id)
            await asyncio.to_thread(self._children.reap)

    async def _end(self, notebook_id: str, spare: Marker | None = None) -> None:
        def find() -> list[Process]:
            found = processes.scan(self._fleet_id, notebook_id)
            return [process for process in found if process.marker != spare]

        def servers() -> list[Process]:
            return [process for process in find() if is_server(self._layout, process)]

        await end(find, await asyncio.to_thread(servers), self._stop_grace)

    def _look(self, instances: Sequence[InstanceRef]) -> list[Observation]:
        """One pass: the notes first, and /proc as a whole only if they do not settle everything."""
        self._children.reap()
        servers: dict[Marker, Process] | None = None
        seen: list[Observation] = []
        for ref in instances:
            noted = self._noted(ref)
            if noted is not None and self._lives(noted[0]):
                seen.append(_living(noted[1]))
                continue
            if servers is None:
                servers = servers_in(self._layout, processes.scan(self._fleet_id))
            seen.append(self._unnoted(ref, servers))
        return seen

    def _unnoted(self, ref: InstanceRef, servers: dict[Marker, Process]) -> Observation:
        """What is true where the notes are missing or name a process that is gone."""
        if not is_notebook_id(ref.notebook_id):
            return Observation(Presence.ABSENT)
        marker = self._marker(ref)
        if marker in servers:
            return _living(handle_of(self._layout, servers[marker]))
        handle = Handle.decode(ref.handle, marker)
        if handle is None:
            return Observation(Presence.ABSENT)
        process = handle.process(marker)
        if process is None:
            return Observation(Presence.EXITED, reason="ended when the machine was restarted")
        return Observation(Presence.EXITED, reason=self._cause(process))

    def _delete(self, notebook_id: str) -> None:
        if is_notebook_id(notebook_id) and processes.scan(self._fleet_id, notebook_id):
            raise DeleteFailed("it is still running")
        if is_notebook_id(notebook_id):
            self._storage.remove(notebook_id)
        self._layout.remove(notebook_id)
        self._children.forget(notebook_id)

    def _inventory(self) -> list[InstanceRef]:
        """Left-over children whose server is gone count too, without notes: somebody has to end them."""
        found = processes.scan(self._fleet_id)
        servers = servers_in(self._layout, found)
        markers = dict.fromkeys(process.marker for process in found)
        return [
            InstanceRef(
                marker.notebook_id,
                marker.generation,
                handle_of(self._layout, servers[marker]).encode() if marker in servers else None,
            )
            for marker in markers
        ]

    def _find(self, ref: InstanceRef) -> tuple[Process, Handle] | None:
        """The live server of this very start, by its notes or else by its marker."""
        noted = self._noted(ref)
        if noted is not None and self._lives(noted[0]):
            return noted
        found = servers_in(self._layout, processes.scan(self._fleet_id, ref.notebook_id))
        process = found.get(self._marker(ref))
        return None if process is None else (process, handle_of(self._layout, process))

    def _noted(self, ref: InstanceRef) -> tuple[Process, Handle] | None:
        marker = self._marker(ref)
        handle = Handle.decode(ref.handle, marker)
        process = None if handle is None else handle.process(marker)
        return None if handle is None or process is None else (process, handle)

    def _lives(self, process: Process) -> bool:
        return self._children.runs(process) or processes.is_alive(process)

    def _marker(self, ref: InstanceRef) -> Marker:
        return Marker(self._fleet_id, ref.notebook_id, ref.generation)

    @asynccontextmanager
    async def _held(self, notebook_id: str) -> AsyncGenerator[None]:
        """Nobody else, in this process or another one, works on this notebook's processes meanwhile."""
        try:
            lock = self._layout.lock(notebook_id)
            while lock is None:
                await asyncio.sleep(_PAUSE)
                lock = self._layout.lock(notebook_id)
        except FileNotFoundError:  # Never started, or removed by hand: its processes may live all the same.
            yield
            return
        try:
            yield
        finally:
            os.close(lock)


def _living(handle: Handle) -> Observation:
    if not jupyter.accepts(handle.socket):
        return Observation(Presence.STARTING)
    return Observation(Presence.READY, endpoint=f"unix:{handle.socket}", ip=_NODE_ADDRESS)

"""The loop that mounts storage into running instances and unmounts it.

A request leaves a mount in motion; whoever finds it so makes it true, the service that was asked or the next
one. The work may be done twice, and its result is written only if the mount and the start of its notebook are
still those it was done for. A stop is handed to the runtime whatever is in hand here, and ends all mounts of
its instance; whether it has to wait there for one of them is the runtime's affair.
"""

import asyncio
import contextlib
from dataclasses import dataclass

import structlog

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.storage import MountEvent, MountStatus, moved
from nbfleet.reconciler.works import RECONCILER, Works, steadily
from nbfleet.runtimes.base import AttachFailed, Attachment, InstanceRef
from nbfleet.store import audit, notebooks
from nbfleet.store import mounts as rows
from nbfleet.store.database import Connection
from nbfleet.store.mounts import Due

log = structlog.get_logger()

POLL = 1.0  # Seconds between looks without a hint.
IN_HAND = 16  # Notebooks at the same time.
GIVE_UP = 5  # Tries before a fault is taken for lasting.
_BATCH = 200
_FIRST_PAUSE = 1000  # Milliseconds after a first failure; each one after it takes twice as long.
_DONE = {
    MountStatus.MOUNTING: (MountEvent.MOUNTED, MountEvent.MOUNT_FAILED),
    MountStatus.UNMOUNTING: (MountEvent.UNMOUNTED, MountEvent.UNMOUNT_FAILED),
}


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    notebook_id: str
    due_at: int  # When it is tried again.


class Mounts:
    """Mounts of one notebook are worked on one after the other, those of several at the same time."""

    def __init__(self, works: Works) -> None:
        self._works = works
        self._hinted = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}  # By notebook.
        self._failures: dict[tuple[str, int], _Failures] = {}  # By mount and generation.

    def hint(self) -> None:
        """Something is due. To be called on the event loop of the reconciler."""
        self._hinted.set()

    async def run(self) -> None:
        """Until cancelled; what is in hand then is begun again by the next service."""
        try:
            await steadily(self._works, "mounts", self._step)
        finally:
            tasks = self.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def cancel(self) -> list[asyncio.Task[None]]:
        """Ends what is in hand, unfinished; answers it, to be waited for."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        return tasks

    async def _step(self) -> float:
        self._hinted.clear()
        if not await self.take():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):
                    await self._hinted.wait()
        return 0.0

    async def take(self) -> bool:
        """Sets tasks to what is due; True where there was something and there may be more."""
        if len(self._tasks) >= IN_HAND:
            return False
        now = self._works.clock()
        in_hand = list(self._tasks)
        due = await self._works.database.read(rows.due, now, _BATCH, in_hand)
        if len(due) < _BATCH:
            self._forget_failures(now, due, in_hand)
        for notebook_id, mine in _by_notebook(due).items():
            if len(self._tasks) < IN_HAND:
                self._set_to(notebook_id, mine)
        return bool(due)

    async def settled(self) -> None:
        """Waits for what is in hand."""
        await asyncio.gather(*self._tasks.values())

    def _forget_failures(self, now: int, due: list[Due], in_hand: list[str]) -> None:
        """A mount that should be tried again by now, and is neither due nor in hand, was ended by a stop."""
        known = {_key(one) for one in due}
        for key, failures in list(self._failures.items()):
            if failures.due_at <= now and key not in known and failures.notebook_id not in in_hand:
                del self._failures[key]

    def _set_to(self, notebook_id: str, due: list[Due]) -> None:
        task = asyncio.create_task(self._all_of(due))
        self._tasks[notebook_id] = task

        def done(_task: asyncio.Task[None]) -> None:
            self._tasks.pop(notebook_id, None)
            self._hinted.set()

        task.add_done_callback(done)

    async def _all_of(self, due: list[Due]) -> None:
        for one in due:
            try:
                await self._one(one)
            except Exception as fault:
                # Of the store: the mount is still in motion and found again.
                log.warning("mount not done", mount=one.mount.id, cause=f"{type(fault).__name__}: {fault}")
                await self._works.sleep(POLL)
                return

    async def _one(self, due: Due) -> None:
        mount = due.mount
        well, badly = _DONE[mount.status]
        try:
            await self._make_true(due)
        except AttachFailed as failure:
            await self._end(due, badly, failure.reason)
        except Exception as fault:
            await self._after_fault(due, badly, fault)
        else:
            await self._end(due, well, None)

    async def _make_true(self, due: Due) -> None:
        mount, runtime = due.mount, self._works.runtime
        instance = InstanceRef(mount.notebook_id, due.generation, due.handle)
        storage = Attachment(mount.id, mount.category, mount.mount_path, mount.source)
        if mount.status is MountStatus.MOUNTING:
            await runtime.attach(instance, storage)
        else:
            await runtime.detach(instance, storage)

    async def _after_fault(self, due: Due, badly: MountEvent, fault: Exception) -> None:
        """Tries again later, and not for ever."""
        before = self._failures.get(_key(due))
        failures = 1 if before is None else before.count + 1
        due_at = self._works.clock() + _FIRST_PAUSE * 2 ** (failures - 1)
        self._failures[_key(due)] = _Failures(failures, due.mount.notebook_id, due_at)
        log.warning("mount failed", mount=due.mount.id, cause=f"{type(fault).__name__}: {fault}")
        if failures >= GIVE_UP:
            await self._end(due, badly, f"It failed {failures} times; the last cause: {fault}")
            return
        await self._works.database.write(rows.put_off, due.mount, due_at)

    async def _end(self, due: Due, event: MountEvent, reason: str | None) -> None:
        self._failures.pop(_key(due), None)
        if await self._works.database.write(_apply, self._works, due, event, reason):
            log.info("mount", mount=due.mount.id, notebook=due.mount.notebook_id, result=event.value)


def _apply(connection: Connection, works: Works, due: Due, event: MountEvent, reason: str | None) -> bool:
    """False where it is no longer what the work was done for."""
    found = notebooks.find(connection, due.mount.notebook_id, lock=True)
    if found is None or status_of(found.notebook) is not Status.RUNNING:
        return False
    changed = moved(due.mount, event, works.clock(), reason)
    if found.notebook.generation != due.generation or changed is None:
        return False
    if not rows.save(connection, due.mount, changed, due_at=works.clock()):
        return False
    why = due.mount.mount_path if reason is None else reason
    audit.record(connection, works.clock(), RECONCILER, event.value, found.notebook, found.notebook, why)
    return True


def _key(due: Due) -> tuple[str, int]:
    return due.mount.id, due.generation


def _by_notebook(due: list[Due]) -> dict[str, list[Due]]:
    found: dict[str, list[Due]] = {}
    for one in due:
        found.setdefault(one.mount.notebook_id, []).append(one)
    return found

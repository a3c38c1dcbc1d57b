"""When storage is attached to an instance: with its notebook held, so that no stop comes in between.

What is put where stands in `storage`; this module knows neither processes nor directories. Storage that hangs
costs threads of its own: no look at instances and no stop of another notebook waits for one of them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from nbfleet.runtimes.base import Attachment, InstanceRef, InstanceSpec
from nbfleet.runtimes.local.storage import Storage

T = TypeVar("T")

_ATTACHING = 32  # Each may take as long as `mounting` has patience, for every command of it.
_TAKING_AWAY = 4  # Waits for nothing that is mounted.


class Attaching:
    """`held` keeps others off a notebook; `runs` tells whether the server of this very start does."""

    def __init__(
        self,
        storage: Storage,
        held: Callable[[str], AbstractAsyncContextManager[None]],
        runs: Callable[[InstanceRef], bool],
    ) -> None:
        self._storage = storage
        self._held = held
        self._runs = runs
        self._attaching = ThreadPoolExecutor(_ATTACHING, thread_name_prefix="nbfleet-attaching")
        self._away = ThreadPoolExecutor(_TAKING_AWAY, thread_name_prefix="nbfleet-taking-away")
        self._stopping: Counter[str] = Counter()

    async def attach(self, instance: InstanceRef, wanted: Attachment) -> None:
        """Only while it runs: a stop that came before has cleared everything away."""
        async with self._held(instance.notebook_id):
            if self._stopping[instance.notebook_id]:
                raise ProcessLookupError("the instance is being stopped")
            if not await asyncio.to_thread(self._runs, instance):
                raise ProcessLookupError("nothing of the instance runs")
            await _on(self._attaching, lambda: self._storage.attach(instance.notebook_id, wanted))

    async def detach(self, notebook_id: str, name: str) -> None:
        async with self._held(notebook_id):
            await _on(self._attaching, lambda: self._storage.detach(notebook_id, name))

    async def prepare(self, spec: InstanceSpec) -> None:
        """What an earlier start left behind goes first; where the server of this one runs it is its own."""
        if not self._storage.concerns(spec):
            return
        async with self._held(spec.ref.notebook_id):
            if not await asyncio.to_thread(self._runs, spec.ref):
                await self.clear(spec.ref.notebook_id)
            await _on(self._attaching, lambda: self._storage.attach_all(spec))

    @asynccontextmanager
    async def stopping(self, notebook_id: str) -> AsyncGenerator[None]:
        """Holds the notebook for a stop, which waits for what is being attached and for no more after it."""
        self._stopping[notebook_id] += 1
        try:
            async with self._held(notebook_id):
                yield
        finally:
            self._stopping[notebook_id] -= 1
            self._stopping = +self._stopping

    async def clear(self, notebook_id: str) -> None:
        """With the notebook held."""
        await self.take_away(lambda: self._storage.clear(notebook_id))

    async def take_away(self, work: Callable[[], T]) -> T:
        """Does something that takes storage away, on the threads for it."""
        return await _on(self._away, work)


async def _on(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)

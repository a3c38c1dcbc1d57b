"""When storage is attached to an instance: with its notebook held, so that no stop comes in between.

What is put where stands in `storage`; this module knows neither processes nor directories.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from nbfleet.runtimes.base import Attachment, InstanceRef, InstanceSpec
from nbfleet.runtimes.local.storage import Storage


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

    async def attach(self, instance: InstanceRef, wanted: Attachment) -> None:
        """Only while it runs: a stop that came before has cleared everything away."""
        async with self._held(instance.notebook_id):
            if not await asyncio.to_thread(self._runs, instance):
                raise ProcessLookupError("nothing of the instance runs")
            await asyncio.to_thread(self._storage.attach, instance.notebook_id, wanted)

    async def detach(self, notebook_id: str, name: str) -> None:
        async with self._held(notebook_id):
            await asyncio.to_thread(self._storage.detach, notebook_id, name)

    async def prepare(self, spec: InstanceSpec) -> None:
        """What an earlier start left behind goes first; where the server of this one runs it is its own."""
        if not self._storage.concerns(spec):
            return
        async with self._held(spec.ref.notebook_id):
            if not await asyncio.to_thread(self._runs, spec.ref):
                await asyncio.to_thread(self._storage.clear, spec.ref.notebook_id)
            await asyncio.to_thread(self._storage.attach_all, spec)

"""The loop that brings notebooks in motion where they are going.

A hint makes it look at once; without one it looks every second, which is what correctness rests on. Each
notebook is worked on by one task, under a claim that is renewed while the task lives.
"""

import asyncio
import contextlib
import uuid

import structlog

from nbfleet.domain import tries
from nbfleet.domain.lifecycle import Effect, effect_for
from nbfleet.reconciler.effects import give_up, perform
from nbfleet.reconciler.works import CLAIM, ClaimLost, Works, put_off
from nbfleet.store import claims
from nbfleet.store.database import Unavailable
from nbfleet.store.notebooks import Stored

log = structlog.get_logger()

POLL = 1.0  # Seconds between looks without a hint.
HEARTBEAT = 5.0  # Seconds between renewals.
_UNREACHED = "The database of the service cannot be used now."
IN_HAND = 64  # Notebooks stopped or removed at the same time; how many are started is a setting.
GIVE_UP = 5  # Tries of a start or a removal before its fault is taken for lasting.
_LONGEST_PAUSE = 30_000  # Milliseconds between tries of an effect that keeps failing.


class Reconciler:
    def __init__(self, works: Works) -> None:
        self._works = works
        self._hinted = asyncio.Event()
        self._tasks: dict[asyncio.Task[None], Effect] = {}
        self._failures: dict[str, tuple[Effect, int]] = {}  # By notebook: of what, and how many in a row.

    def hint(self) -> None:
        """Something is due. To be called on the event loop of the reconciler."""
        self._hinted.set()

    async def run(self) -> None:
        """Until cancelled; what is in hand then stays in motion and is taken up by the next start."""
        try:
            while True:
                self._hinted.clear()
                if not await self._take():
                    await self._pause()
        finally:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                await self._hinted.wait()

    async def _take(self) -> bool:
        """Claims what is due and sets tasks to it; True when it is worth looking again at once."""
        works = self._works
        started = sum(effect is Effect.START for effect in self._tasks.values())
        room = (works.settings.concurrent_starts - started, IN_HAND - (len(self._tasks) - started))
        try:
            if not await works.database.read(claims.is_due, works.clock(), *room):
                return False
            claim, now = uuid.uuid4().hex, works.clock()
            taken = await works.database.write(claims.claim_due, claim, now, now + CLAIM, *room)
        except Exception as fault:
            log.warning("cannot look for work", cause=str(fault))
            return False
        for stored in taken:
            self._set_to(stored, claim)
        works.metrics.set_in_hand(len(self._tasks))
        return bool(taken)

    def _set_to(self, stored: Stored, claim: str) -> None:
        effect = effect_for(stored.notebook)
        if effect is not None:
            task = asyncio.create_task(self._work(effect, stored, claim))
            self._tasks[task] = effect
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        self._works.metrics.set_in_hand(len(self._tasks))
        self.hint()

    async def _work(self, effect: Effect, stored: Stored, claim: str) -> None:
        notebook = stored.notebook
        heartbeat = asyncio.create_task(self._keep(stored, claim))
        try:
            result = await perform(self._works, effect, notebook, claim)
        except ClaimLost:
            log.warning("claim lost", notebook=notebook.id, effect=effect.value)
            self._failures.pop(notebook.id, None)
            result = "lost"
        except Exception as fault:
            result = await self._after_fault(effect, stored, claim, fault)
        else:
            self._failures.pop(notebook.id, None)
        finally:
            heartbeat.cancel()
        self._works.metrics.count_effect(effect.value, result)
        log.info("effect", notebook=notebook.id, effect=effect.value, result=result)

    async def _keep(self, stored: Stored, claim: str) -> None:
        """Until cancelled, or the claim is lost. A fault of the store, of whatever kind, costs one renewal:
        a start whose heartbeat had ended would be begun by another while it still goes on here."""
        works = self._works
        while True:
            await works.sleep(HEARTBEAT)
            try:
                if not await works.database.write(claims.renew, claim, stored.rid, works.clock() + CLAIM):
                    return
            except Exception as fault:
                cause = f"{type(fault).__name__}: {fault}"
                log.warning("claim not renewed", notebook=stored.notebook.id, cause=cause)

    async def _after_fault(self, effect: Effect, stored: Stored, claim: str, fault: Exception) -> str:
        """Tries again later and tells why; what keeps failing gets its failed state, so that every
        transition ends.

        Stopping is never given up: an instance that may still run is not to be called stopped.
        """
        notebook, works = stored.notebook, self._works
        failures = self._count_failure(notebook.id, effect)
        secret = works.keyring.instance_secret(notebook.id, notebook.generation)
        # What a database says when it cannot be reached names the machine on which it runs.
        cause = _UNREACHED if isinstance(fault, Unavailable) else tries.cause(fault, secret)
        why = tries.told(failures, cause)
        # A traceback that says what the one before it said helps nobody, and takes time to write.
        log.error(
            "effect failed", notebook=notebook.id, effect=effect.value, failures=failures, cause=cause,
            exc_info=None if why is None and failures < GIVE_UP else fault,
        )  # fmt: skip
        try:
            if failures >= GIVE_UP and effect is not Effect.STOP:
                del self._failures[notebook.id]
                await give_up(works, effect, notebook, claim, tries.lasting(failures, cause))
                return "given up"
            due_at = works.clock() + min(1000 * 2 ** (failures - 1), _LONGEST_PAUSE)
            await put_off(works, claim, notebook.id, effect, due_at, why)
        except ClaimLost:
            self._failures.pop(notebook.id, None)
            return "lost"
        except Unavailable:
            pass  # The claim ends by itself, and the notebook is taken up again.
        return "retried"

    def _count_failure(self, notebook_id: str, effect: Effect) -> int:
        """How often this effect has failed in a row, this time included."""
        of, before = self._failures.get(notebook_id, (effect, 0))
        failures = before + 1 if of is effect else 1
        self._failures[notebook_id] = (effect, failures)
        return failures

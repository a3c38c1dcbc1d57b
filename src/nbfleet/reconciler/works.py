"""What the loops of the reconciler work with, and how a finding becomes a change of the record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from nbfleet.domain import lease as leases
from nbfleet.domain import lifecycle, tries
from nbfleet.domain.lifecycle import Effect, Event
from nbfleet.domain.notebook import Notebook, Progress, Step, StepStatus
from nbfleet.runtimes.base import InstanceRef, Observation, Runtime
from nbfleet.settings import Settings
from nbfleet.store import audit, claims, notebooks
from nbfleet.store.audit import Actor
from nbfleet.store.database import Connection, Database
from nbfleet.store.keyring import Keyring
from nbfleet.telemetry import Metrics

log = structlog.get_logger()

RECONCILER = Actor("reconciler")
STEP = "step"  # The event of a step that begins or ends; its reason tells which.
CLAIM = 15_000  # Milliseconds a claim holds unless it is renewed.
_AFTER_FAULT = 1.0  # Seconds.


@dataclass(frozen=True, slots=True)
class Works:
    """`clock` answers milliseconds since 1970; `sleep` waits for seconds."""

    database: Database
    keyring: Keyring
    runtime: Runtime
    settings: Settings
    clock: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    metrics: Metrics


class ClaimLost(Exception):
    """Somebody else works on this notebook now: nothing more may be done about it here."""


async def steadily(works: Works, what: str, step: Callable[[], Awaitable[float]]) -> None:
    """Until cancelled: `step`, then the pause in seconds that it asks for.

    A fault of the moment, of the store or of the runtime, costs one round and not the service.
    """
    while True:
        try:
            pause = await step()
        except Exception as fault:
            log.warning("round failed", loop=what, cause=f"{type(fault).__name__}: {fault}")
            pause = _AFTER_FAULT
        await works.sleep(pause)


def ref(notebook: Notebook) -> InstanceRef:
    return InstanceRef(notebook.id, notebook.generation, notebook.handle)


def is_ready(notebook: Notebook, seen: Observation, now: int) -> Notebook:
    """The auto-stop clock starts when the instance can be used, not when it was asked for."""
    return replace(
        lifecycle.apply(notebook, Event.READY, now),
        lease=leases.restarted(notebook.lease, now),
        endpoint=seen.endpoint,
        ip=seen.ip,
        progress=None,
        fail_reason=None,
    )


def is_down(notebook: Notebook, event: Event, now: int, reason: str | None = None) -> Notebook:
    """After any event that leaves nothing running."""
    return replace(
        lifecycle.apply(notebook, event, now), endpoint=None, ip=None, handle=None, fail_reason=reason
    )


async def apply(
    works: Works,
    claim: str,
    notebook_id: str,
    event: str,
    change: Callable[[Notebook, int], Notebook],
    reason: str | None = None,
) -> Notebook:
    """Writes the result of an effect, if the claim still holds; raises ClaimLost otherwise. `reason` is for
    the audit trail; by default it is why the notebook failed."""

    def write(connection: Connection) -> Notebook:
        found = claims.held(connection, claim, notebook_id)
        if found is None:
            raise ClaimLost(notebook_id)
        now = works.clock()
        changed = change(found.notebook, now)
        notebooks.save(connection, found, changed, due_at=now)
        why = changed.fail_reason if reason is None else reason
        audit.record(connection, now, RECONCILER, event, changed, found.notebook, reason=why)
        return changed

    return await works.database.write(write)


async def put_off(
    works: Works, claim: str, notebook_id: str, effect: Effect, due_at: int, why: str | None
) -> None:
    """Gives the notebook back unfinished, to be tried again at `due_at`; raises ClaimLost where it was lost.
    `why` is for the audit trail; where it is None, nothing is written there."""

    def write(connection: Connection) -> None:
        found = claims.held(connection, claim, notebook_id)
        if found is None:
            raise ClaimLost(notebook_id)
        claims.release(connection, claim, found.rid, due_at)
        if why is not None:
            now, one = works.clock(), found.notebook
            audit.record(connection, now, RECONCILER, tries.retried(effect), one, one, why)

    await works.database.write(write)


async def save_progress(works: Works, claim: str, notebook: Notebook) -> None:
    """Remembers how far a start has come, and by what the runtime finds it again."""

    def write(connection: Connection) -> None:
        found = claims.held(connection, claim, notebook.id)
        if found is None:
            raise ClaimLost(notebook.id)
        changed, now = (
            replace(found.notebook, progress=notebook.progress, handle=notebook.handle),
            works.clock(),
        )
        notebooks.save(connection, found, changed, due_at=now)
        for told in _moved(found.notebook.progress, notebook.progress):
            audit.record(connection, now, RECONCILER, STEP, changed, found.notebook, told)

    await works.database.write(write)


def _moved(before: Progress | None, after: Progress | None) -> list[str]:
    """Each step that began or ended between the two, as its name and what it is now."""
    earlier, later = (before or Progress()).steps, (after or Progress()).steps
    return [
        f"{step.name} {now.value}"
        for step, was, now in zip(Step, earlier, later, strict=True)
        if now not in (was, StepStatus.WAITING)
    ]

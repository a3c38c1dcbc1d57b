"""Looking after what is settled: instances that ended by themselves, and instances nobody owns."""

import structlog

from nbfleet.domain.lifecycle import Event, Presence, Status, finding, is_stray, status_of
from nbfleet.domain.notebook import Notebook
from nbfleet.reconciler.works import RECONCILER, Works, is_down, ref
from nbfleet.runtimes.base import InstanceRef, Observation
from nbfleet.store import audit, claims, notebooks
from nbfleet.store.database import Connection

log = structlog.get_logger()

LOOK = 2.0  # Seconds between looks at running instances.
SWEEP = 10.0  # Seconds between looks for strays.
_BATCH = 500


async def watch_running(works: Works) -> None:
    """Until cancelled: a running notebook whose instance ended becomes ERROR, with the reason."""
    while True:
        await look_once(works)
        await works.sleep(LOOK)


async def look_once(works: Works) -> None:
    after = 0
    while batch := await works.database.read(claims.running, after, _BATCH):
        after = batch[-1].rid
        running = [stored.notebook for stored in batch]
        seen = await works.runtime.observe([ref(notebook) for notebook in running])
        for notebook, observation in zip(running, seen, strict=True):
            if finding(Status.RUNNING, observation.presence) is Event.DIED:
                await _mourn(works, notebook, observation)


async def _mourn(works: Works, notebook: Notebook, seen: Observation) -> None:
    """Records the end of an instance, once nothing that it left behind runs any more."""
    reason = seen.reason or "Its process is gone; nothing says why."

    def write(connection: Connection) -> bool:
        found = notebooks.find(connection, notebook.id, lock=True)
        if found is None or status_of(found.notebook) is not Status.RUNNING:
            return False
        if found.notebook.generation != notebook.generation:
            return False
        now = works.clock()
        changed = is_down(found.notebook, Event.DIED, now, reason)
        notebooks.save(connection, found, changed, due_at=now)
        audit.record(connection, now, RECONCILER, Event.DIED.value, changed, found.notebook, reason)
        return True

    await works.runtime.stop(ref(notebook))
    if await works.database.write(write):
        log.warning("instance ended by itself", notebook=notebook.id, reason=reason)


async def sweep_strays(works: Works) -> None:
    """Until cancelled: whatever this fleet started and no record wants is stopped."""
    while True:
        for instance in await works.runtime.inventory():
            if await works.database.read(_is_stray, instance):
                log.warning("stray instance stopped", notebook=instance.notebook_id)
                await works.runtime.stop(instance)
        await works.sleep(SWEEP)


def _is_stray(connection: Connection, instance: InstanceRef) -> bool:
    """What is in motion is left alone: the reconciler is at it, and makes sure itself."""
    found = notebooks.find(connection, instance.notebook_id)
    return found is None or is_stray(status_of(found.notebook), Presence.READY)

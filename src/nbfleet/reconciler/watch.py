"""Looking after what is settled: instances that ended by themselves, and instances nobody owns.

Both are claimed while they are cleared away, so that a start asked for meanwhile waits for its turn and is
not taken for what is cleared away.
"""

import uuid
from collections.abc import Awaitable, Callable

import structlog

from nbfleet.domain.images import State
from nbfleet.domain.lifecycle import Event, Presence, Status, finding, is_stray, status_of
from nbfleet.domain.notebook import Notebook
from nbfleet.reconciler.works import CLAIM, RECONCILER, Works, is_down, ref, steadily
from nbfleet.runtimes.base import InstanceRef, Observation
from nbfleet.store import audit, claims, images, notebooks
from nbfleet.store.database import Connection
from nbfleet.store.notebooks import Stored

log = structlog.get_logger()

LOOK = 2.0  # Seconds between looks at running instances.
_REST = 20  # After a look, so many times as long as it took: a large fleet costs a twentieth of a core.
SWEEP = 10.0  # Seconds between looks for strays.
_BATCH = 500
_MILLISECONDS = 1000


async def watch_running(works: Works) -> None:
    """Until cancelled: a running notebook whose instance ended becomes ERROR, with the reason."""

    async def step() -> float:
        begun = works.clock()
        await look_once(works)
        spent = (works.clock() - begun) / _MILLISECONDS
        return max(LOOK, spent * _REST)

    await steadily(works, "watch", step)


async def look_once(works: Works) -> None:
    after = 0
    while batch := await works.database.read(claims.running, after, _BATCH):
        after = batch[-1].rid
        instances = [InstanceRef(one.notebook_id, one.generation, one.handle) for one in batch]
        seen = await works.runtime.observe(instances)
        for instance, observation in zip(instances, seen, strict=True):
            if finding(Status.RUNNING, observation.presence) is Event.DIED:
                await _by_itself(instance.notebook_id, _mourn(works, instance, observation))


async def _mourn(works: Works, instance: InstanceRef, seen: Observation) -> None:
    """Records the end of an instance, once nothing that it left behind runs any more."""
    reason = seen.reason or "Its process is gone; nothing says why."

    def is_the_same(now: Notebook) -> bool:
        return status_of(now) is Status.RUNNING and now.generation == instance.generation

    def write(connection: Connection, claim: str) -> bool:
        found = claims.held(connection, claim, instance.notebook_id)
        if found is None or not is_the_same(found.notebook):
            return False
        now = works.clock()
        changed = is_down(found.notebook, Event.DIED, now, reason)
        notebooks.save(connection, found, changed, due_at=now)
        audit.record(connection, now, RECONCILER, Event.DIED.value, changed, found.notebook, reason)
        return True

    claim = uuid.uuid4().hex
    found = await _claim(works, claim, instance.notebook_id, is_the_same)
    if found is None:
        return
    try:
        await works.runtime.stop(ref(found.notebook))
        if await works.database.write(write, claim):
            log.warning("instance ended by itself", notebook=instance.notebook_id, reason=reason)
    finally:
        await works.database.write(claims.drop, claim, found.rid)


async def _by_itself(notebook_id: str, work: Awaitable[None]) -> None:
    """What goes wrong with one instance keeps nobody from the others; the next look tries again."""
    try:
        await work
    except Exception as fault:
        log.warning("not cleared away yet", notebook=notebook_id, cause=f"{type(fault).__name__}: {fault}")


async def sweep_strays(works: Works) -> None:
    """Until cancelled: whatever this fleet started and no record wants is stopped."""

    async def step() -> float:
        await sweep_once(works)
        return SWEEP

    await steadily(works, "strays", step)


async def sweep_once(works: Works) -> None:
    for instance in await works.runtime.inventory():
        await _by_itself(instance.notebook_id, _sweep(works, instance))


async def _sweep(works: Works, instance: InstanceRef) -> None:
    found = await works.database.read(notebooks.find, instance.notebook_id)
    if found is None:
        await _sweep_unknown(works, instance)
    elif _is_unwanted(found.notebook):
        claim = uuid.uuid4().hex
        if await _claim(works, claim, instance.notebook_id, _is_unwanted) is not None:
            try:
                await _stop_stray(works, instance)
            finally:
                await works.database.write(claims.drop, claim, found.rid)


async def _sweep_unknown(works: Works, instance: InstanceRef) -> None:
    """Spares the trial of an image. Of one that nobody waits for any more the files go as well; those of
    anything else may be somebody's work."""
    image = await works.database.read(images.find, instance.notebook_id)
    if image is not None and image.due_at is not None and image.state is not State.DELETED:
        return
    await _stop_stray(works, instance)
    if image is not None:
        await works.runtime.delete(instance)


async def _stop_stray(works: Works, instance: InstanceRef) -> None:
    log.warning("stray instance stopped", notebook=instance.notebook_id)
    await works.runtime.stop(instance)


def _is_unwanted(notebook: Notebook) -> bool:
    return is_stray(notebook, Presence.READY)


async def _claim(
    works: Works, claim: str, notebook_id: str, condition: Callable[[Notebook], bool]
) -> Stored | None:
    """The notebook, claimed, if the condition still holds and nobody works on it."""

    def write(connection: Connection) -> Stored | None:
        now = works.clock()
        found = claims.take(connection, claim, notebook_id, now, now + CLAIM)
        if found is not None and not condition(found.notebook):
            claims.drop(connection, claim, found.rid)
            return None
        return found

    return await works.database.write(write)

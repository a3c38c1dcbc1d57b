"""The four effects: start, stop, remove, grow. Each makes sure of its result and writes what came of it.

Nothing is written as done before its effect holds. A failure that is final becomes a state with its reason;
any other exception leaves the notebook in motion, to be tried again.
"""

import asyncio
from dataclasses import replace

from nbfleet.domain import tries
from nbfleet.domain.capacity import Size, size_of
from nbfleet.domain.lifecycle import Effect, Event, Presence
from nbfleet.domain.notebook import Notebook, Progress, Step, StepStatus
from nbfleet.reconciler.works import Works, apply, is_down, is_ready, ref, save_progress
from nbfleet.runtimes.base import Attachment, DeleteFailed, GrowFailed, InstanceSpec, Observation, StartFailed
from nbfleet.store import catalogue, notebooks
from nbfleet.store.database import Connection
from nbfleet.wire.enums import ImageType

_MILLISECONDS = 1000
_LOOK_AGAIN = 0.5  # Seconds.


async def perform(works: Works, effect: Effect, notebook: Notebook, claim: str) -> str:
    """Makes the effect true; answers how it ended, in one word."""
    match effect:
        case Effect.START:
            return await _start(works, notebook, claim)
        case Effect.STOP:
            return await _stop(works, notebook, claim)
        case Effect.REMOVE:
            return await _remove(works, notebook, claim)
        case Effect.GROW:
            return await _grow(works, notebook, claim)


async def give_up(works: Works, effect: Effect, notebook: Notebook, claim: str, cause: str) -> None:
    """Calls an effect failed that nobody expects to succeed any more."""
    if effect is Effect.GROW:
        await _not_grown(works, notebook, claim, cause)
        return
    event = Event.REMOVE_FAILED if effect is Effect.REMOVE else Event.START_FAILED

    def change(current: Notebook, now: int) -> Notebook:
        after = is_down(current, event, now, cause)
        if effect is Effect.REMOVE:
            return after
        steps = (current.progress or Progress()).with_step(_step_of(current), StepStatus.FAILED)
        return replace(after, progress=steps)

    await apply(works, claim, notebook.id, event.value, change)


async def _start(works: Works, notebook: Notebook, claim: str) -> str:
    try:
        seen = await _run(works, notebook, claim)
    except StartFailed as failure:
        await _failed(works, notebook, claim, failure)
        return "failed"

    ready = await apply(works, claim, notebook.id, Event.READY.value, lambda n, now: is_ready(n, seen, now))
    works.metrics.observe_start((ready.update_at - notebook.update_at) / _MILLISECONDS)
    return "done"


async def _run(works: Works, notebook: Notebook, claim: str) -> Observation:
    """Goes through the steps, remembering each; answers what is seen of the instance at the end."""
    limit = works.settings.start_timeout
    deadline = asyncio.timeout(limit)
    current = replace(notebook, progress=Progress())
    try:
        async with deadline:
            image_path = await works.database.read(_image_path, notebook.image_id)
            async for item in works.runtime.start(_spec(works, notebook, image_path)):
                steps = (current.progress or Progress()).with_step(item.step, item.status)
                handle = current.handle if item.handle is None else item.handle
                current = replace(current, progress=steps, handle=handle)
                await save_progress(works, claim, current)
            seen = await _look(works, current)
    except TimeoutError as fault:
        if not deadline.expired():
            raise  # The runtime's own, of the moment.
        raise StartFailed(_step_of(current), f"It was not ready within {limit} seconds.") from fault
    if seen.presence is not Presence.READY:
        reason = seen.reason or "It ended before it could be used."
        raise StartFailed(Step.INITIALISATION, reason)
    return seen


async def _look(works: Works, notebook: Notebook) -> Observation:
    """What is seen of the instance, as soon as the runtime can tell."""
    while True:
        (seen,) = await works.runtime.observe([ref(notebook)])
        if seen.presence not in (Presence.UNKNOWN, Presence.STARTING):
            return seen
        await works.sleep(_LOOK_AGAIN)


def _image_path(connection: Connection, image_id: str) -> str:
    """What leads the runtime to the image: its reference, or nothing for one of the service."""
    image = catalogue.image(connection, image_id)
    return str(image.swr_path) if image.type is ImageType.DEDICATED else ""


def _spec(works: Works, notebook: Notebook, image_path: str) -> InstanceSpec:
    size = _size(works, notebook)
    return InstanceSpec(
        ref=ref(notebook),
        image_id=notebook.image_id,
        flavor=notebook.flavor,
        vcpus=size.vcpus,
        memory=size.memory,
        gpus=size.gpus,
        npus=size.npus,
        base_path=f"/{notebook.id}/",
        secret=works.keyring.instance_secret(notebook.id, notebook.generation),
        image_path=image_path,
        making=notebook.making,
        work=_work(notebook),
        volumes=tuple(
            Attachment(f"volume-{number}", one.category, one.mount_path, one.source)
            for number, one in enumerate(notebook.making.volumes)
        ),
    )


def _work(notebook: Notebook) -> Attachment | None:
    volume = notebook.volume
    if volume.source is None:
        return None
    return Attachment("work", volume.category, volume.mount_path, volume.source)


def _size(works: Works, notebook: Notebook) -> Size:
    custom = notebook.making.size
    if custom is not None:
        return Size(custom.vcpus, custom.memory)
    flavor = next((f for f in works.settings.flavors if f.id == notebook.flavor), None)
    if flavor is None:
        raise StartFailed(Step.COMPUTE, f"The flavor {notebook.flavor} is no longer offered.")
    return size_of(flavor)


def _step_of(notebook: Notebook) -> Step:
    """The step in which a start hangs: the first that is not completed."""
    steps = (notebook.progress or Progress()).steps
    return next((s for s in Step if steps[s - 1] is not StepStatus.COMPLETED), Step.INITIALISATION)


async def _failed(works: Works, notebook: Notebook, claim: str, failure: StartFailed) -> None:
    # Read again for its handle: the failed start may have left something behind.
    found = await works.database.read(notebooks.find, notebook.id)
    await works.runtime.stop(ref(notebook if found is None else found.notebook))

    def change(current: Notebook, now: int) -> Notebook:
        steps = (current.progress or Progress()).with_step(failure.step, StepStatus.FAILED)
        return replace(is_down(current, Event.START_FAILED, now, failure.reason), progress=steps)

    await apply(works, claim, notebook.id, Event.START_FAILED.value, change)


async def _stop(works: Works, notebook: Notebook, claim: str) -> str:
    await works.runtime.stop(ref(notebook))
    await apply(
        works,
        claim,
        notebook.id,
        Event.FOUND_STOPPED.value,
        lambda current, now: is_down(current, Event.FOUND_STOPPED, now),
    )
    return "done"


async def _remove(works: Works, notebook: Notebook, claim: str) -> str:
    await works.runtime.stop(ref(notebook))
    try:
        await works.runtime.delete(ref(notebook))
    except DeleteFailed as failure:
        event, reason, result = Event.REMOVE_FAILED, failure.reason, "failed"
    else:
        event, reason, result = Event.REMOVED, None, "done"
    await apply(
        works, claim, notebook.id, event.value, lambda current, now: is_down(current, event, now, reason)
    )
    return result


async def _grow(works: Works, notebook: Notebook, claim: str) -> str:
    capacity = notebook.volume.grown().capacity
    try:
        await works.runtime.grow(ref(notebook), capacity)
    except GrowFailed as failure:
        await _not_grown(works, notebook, claim, failure.reason)
        return "failed"

    def change(current: Notebook, _now: int) -> Notebook:
        return replace(current, volume=replace(notebook.volume.grown(), growing_to=_still(current, capacity)))

    await apply(works, claim, notebook.id, tries.GROWN, change)
    return "done"


def _still(current: Notebook, reached: int) -> int | None:
    """What is wanted beyond the size just reached: somebody may have asked again meanwhile."""
    wanted = current.volume.growing_to
    return wanted if wanted is not None and wanted > reached else None


async def _not_grown(works: Works, notebook: Notebook, claim: str, reason: str) -> None:
    """The volume stays as it is, and so does the instance; the audit trail says why."""
    await apply(
        works,
        claim,
        notebook.id,
        tries.GROW_FAILED,
        lambda current, _now: replace(current, volume=replace(current.volume, growing_to=None)),
        reason,
    )

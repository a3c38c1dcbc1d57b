"""Images that are to be tried: each is started once, as an instance of nobody, and must answer.

What is to be done stands in the row of the image until it is done, and nobody else works on this database: a
service that dies in between finds it due again, and the runtime goes on with the instance that was started. A
result counts only if the image was not asked to be tried anew, or deleted, meanwhile. The content of images
that were deleted with it is removed here as well.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog
from msgspec import UNSET
from msgspec.structs import replace

from nbfleet import shelf
from nbfleet.domain.images import AFTER_FAILURE, ON_TRIAL, State
from nbfleet.domain.notebook import Step
from nbfleet.reconciler.works import Works, steadily
from nbfleet.runtimes.base import DeleteFailed, InstanceRef, InstanceSpec, StartFailed
from nbfleet.store import images
from nbfleet.store.database import Connection, Unavailable
from nbfleet.store.images import Stored
from nbfleet.wire.enums import ImageStatus
from nbfleet.wire.images import Image

log = structlog.get_logger()

POLL = 0.5  # Seconds between looks.
AT_ONCE = 2  # Trials at the same time; notebooks come first.
GIVE_UP = 5  # Tries before a fault of the moment is taken for lasting.
_LONGEST_PAUSE = 30_000  # Milliseconds.
_LOG_LINES = 40
_LONGEST_MESSAGE = 4096


class TrialFailed(Exception):
    """The image does not run; the text says why and ends in what it wrote."""


async def try_images(works: Works) -> None:
    """Until cancelled; what is in hand then stays due."""
    trials = Trials(works)
    async with asyncio.TaskGroup() as group:
        await steadily(works, "images", lambda: trials.step(group))


class Trials:
    def __init__(self, works: Works) -> None:
        self._works = works
        self._in_hand: dict[int, tuple[Stored, asyncio.Task[None]]] = {}
        self._failures: dict[tuple[int, int], int] = {}

    async def step(self, group: asyncio.TaskGroup) -> float:
        """Sets tasks to what is due; answers the pause until the next look."""
        works = self._works
        await self._call_off()
        due = await works.database.read(images.due, works.clock(), AT_ONCE + len(self._in_hand))
        for one in due:
            if one.no not in self._in_hand and len(self._in_hand) < AT_ONCE:
                self._in_hand[one.no] = (one, group.create_task(self._work(one)))
        return POLL

    async def _call_off(self) -> None:
        """Ends trials that nobody waits for any more: an image that hangs must not hold up the others."""
        if self._in_hand:
            wanted = await self._works.database.read(images.wanted, list(self._in_hand))
            for no, (one, task) in list(self._in_hand.items()):
                # Once: a second call would end the tidying up that the first one led to.
                if wanted.get(no) != (one.state is State.DELETED, one.trial) and not task.cancelling():
                    task.cancel()

    async def _work(self, one: Stored) -> None:
        """Never raises: one image must not end the loop for the others."""
        try:
            await (self._clear if one.state is State.DELETED else self._try)(one)
        except Exception as fault:
            log.exception("image not tried", image=one.image.id, trial=one.trial)
            with suppress(Unavailable):
                await self._again(one, fault)
        else:
            self._failures.pop((one.no, one.trial), None)
        finally:
            del self._in_hand[one.no]

    async def _try(self, one: Stored) -> None:
        if not await self._settle(one, _on_trial, done=False):
            return
        try:
            size = await self._boot(one)
        except TrialFailed as failure:
            message = str(failure)
            await self._settle(one, lambda now: _failed(now, message))
            log.warning("image does not run", image=one.image.id, trial=one.trial)
            return
        await self._settle(one, lambda now: _active(now, size))
        log.info("image runs", image=one.image.id, trial=one.trial)

    async def _boot(self, one: Stored) -> int | None:
        """Starts it and ends it again; answers its size in KB, None where nothing really stands anywhere."""
        works, ref = self._works, InstanceRef(str(one.image.id), one.trial)
        try:
            await self._answers(one, ref)
            return await asyncio.to_thread(_size, works, str(one.image.swr_path))
        except (StartFailed, shelf.Unusable) as failure:
            # Before its files go.
            written = await works.runtime.log_tail(ref, _LOG_LINES)
            raise TrialFailed(_message(str(failure), written)) from failure
        finally:
            await works.runtime.stop(ref)
            try:
                await works.runtime.delete(ref)
            except DeleteFailed as left:
                log.warning("files of a trial stay", image=one.image.id, cause=left.reason)

    async def _answers(self, one: Stored, ref: InstanceRef) -> None:
        limit = self._works.settings.start_timeout
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                async for _ in self._works.runtime.start(_spec(self._works, one, ref)):
                    pass
        except TimeoutError as fault:
            if not deadline.expired():
                raise  # The runtime's own, of the moment.
            raise StartFailed(Step.INITIALISATION, f"It was not ready within {limit} seconds.") from fault

    async def _settle(self, one: Stored, change: Callable[[Image], Image], *, done: bool = True) -> bool:
        """Writes what came of it, if it still is what was asked for. `change` gets the image as it is now."""

        def write(connection: Connection) -> bool:
            now = images.find_to_change(connection, str(one.image.id))
            if (
                now is None
                or now.state is State.DELETED
                or (now.trial, now.due_at) != (one.trial, one.due_at)
            ):
                return False
            more = {"due_at": None} if done else {}
            images.save(connection, now, change(now.image), self._works.clock(), **more)
            return True

        return await self._works.database.write(write)

    async def _clear(self, one: Stored) -> None:
        """Removes the content of a deleted image, unless it was registered again meanwhile."""
        path, place = str(one.image.swr_path), shelf.of(self._works.settings)
        if place is not None and not await self._works.database.read(images.is_registered, path):
            await asyncio.to_thread(place.remove, path)
        await self._works.database.write(images.postpone, one.no, None)

    async def _again(self, one: Stored, fault: Exception) -> None:
        """Tries again later; what keeps failing gets its failed state, or is left as it is if deleted."""
        key = (one.no, one.trial)
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        if failures < GIVE_UP:
            due_at = self._works.clock() + min(1000 * 2 ** (failures - 1), _LONGEST_PAUSE)
            await self._works.database.write(images.postpone, one.no, due_at)
            return
        del self._failures[key]
        if one.state is State.DELETED:
            await self._works.database.write(images.postpone, one.no, None)
        else:
            cause = f"It failed {failures} times; the last cause: {fault}"
            await self._settle(one, lambda now: _failed(now, cause))


def _spec(works: Works, one: Stored, ref: InstanceRef) -> InstanceSpec:
    flavor = works.settings.flavors[0]
    return InstanceSpec(
        ref=ref,
        image_id=str(one.image.id),
        flavor=flavor.id,
        vcpus=flavor.vcpus,
        memory=flavor.memory,
        base_path=f"/{one.image.id}/",
        secret=works.keyring.instance_secret(str(one.image.id), one.trial),
        image_path=str(one.image.swr_path),
    )


def _size(works: Works, path: str) -> int | None:
    place = shelf.of(works.settings)
    return None if place is None else shelf.size(place.find(path))


def _message(reason: str, written: str) -> str:
    """The reason, and of what it wrote as much as there is room for: the end says most."""
    room = _LONGEST_MESSAGE - len(reason) - 1
    return f"{reason}\n{written[-room:]}" if written and room > 0 else reason[:_LONGEST_MESSAGE]


def _on_trial(image: Image) -> Image:
    return replace(image, status=ImageStatus(ON_TRIAL[State(str(image.status))]))


def _active(image: Image, size: int | None) -> Image:
    told = {} if size is None else {"size": size}
    return replace(image, status=ImageStatus.ACTIVE, status_message=UNSET, **told)


def _failed(image: Image, message: str) -> Image:
    state = AFTER_FAILURE[State(str(image.status))]
    return replace(image, status=ImageStatus(state), status_message=message)

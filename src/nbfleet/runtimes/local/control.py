"""Small pieces of control flow that the start-up of an instance needs. They know nothing of processes."""

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from nbfleet.domain.notebook import Step
from nbfleet.runtimes.base import StartFailed

T = TypeVar("T")

# The machine is short of something for now: another try may well succeed, so the start has not failed.
_OF_THE_MOMENT = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EINTR, errno.EBUSY})


@contextmanager
def failing(step: Step, what: str) -> Generator[None]:
    """Faults that another try would meet again become StartFailed; those of the moment pass through."""
    try:
        yield
    except ValueError as error:
        raise StartFailed(step, f"{what}: {error}") from error
    except OSError as error:
        if isinstance(error, TimeoutError) or error.errno in _OF_THE_MOMENT:
            raise
        raise StartFailed(step, f"{what}: {error}") from error


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Whoever waits may be cancelled; what is half done is finished first, with its lock still held."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # Looked at, so that it is not reported as forgotten.
        raise


async def within(deadline: float, missing: Callable[[], Awaitable[str | None]]) -> str | None:
    """What is missing; an answer that does not come before the deadline is missing too."""
    try:
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            return await missing()
    except TimeoutError:
        return "its server accepts connections but does not answer"

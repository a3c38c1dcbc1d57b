"""Server-sent events: how a page that stays open is told what changed.

A stream ends when its reader is no longer let in, within seconds; a browser then asks again by itself and is
told to stop. What a stream sends is made by the page it belongs to.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from nbfleet.console import texts
from nbfleet.console.live import Live, Watch
from nbfleet.console.visit import Visit
from nbfleet.domain.access import Caller
from nbfleet.store.database import Unavailable
from nbfleet.wire.errors import ApiError

CHECKED = 2.0  # Seconds after which it is asked anew who reads: at each change it would be most of the work.
_BEAT = (
    15.0  # Seconds after which something is sent, so that nobody in between takes the connection for dead.
)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Event:
    """`data` is what JSON can hold."""

    name: str
    data: object

    def encoded(self) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (self.name.encode(), msgspec.json.encode(self.data))


# What to send, from whom it is for and what changed; `changed` is empty when it is only time to look.
Make = Callable[[Caller, set[str], Watch], Awaitable[Sequence[Event]]]


def stream(visit: Visit, live: Live, ids: frozenset[str] | None, make: Make) -> Response:
    """An answer that goes on while the page is open. `make` is asked after each change of `ids`, and at least
    every CHECKED seconds. Refused before anything is sent where too many pages are open."""
    return _Stream(visit, live, live.open(visit.caller.user_id, visit.caller.project_id, ids), make)


def ended() -> Response:
    """What makes a browser stop asking for a stream."""
    return Response(status_code=204, headers=_HEADERS)


class _Stream(StreamingResponse):
    """Gives its place back when it ends, whether or not anything was sent."""

    def __init__(self, visit: Visit, live: Live, watch: Watch, make: Make) -> None:
        super().__init__(_events(visit, live, watch, make), headers=_HEADERS, media_type="text/event-stream")
        self._live = live
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._live.shut(self._watch)


async def _events(visit: Visit, live: Live, watch: Watch, make: Make) -> AsyncGenerator[bytes, None]:
    texts.use(visit.look.language)
    last = time.monotonic()
    caller, checked = visit.caller, last
    yield b": open\n\n"
    while not live.is_closed:
        await _woken(watch, checked + CHECKED)
        try:
            if (now := time.monotonic()) >= checked + CHECKED:
                caller, checked = await visit.again(), now
            events = await make(caller, watch.taken(), watch)
        except (ApiError, Unavailable):
            return  # A browser asks again, and is told then what there is to tell.
        if events or time.monotonic() - last >= _BEAT:
            last = time.monotonic()
            yield b"".join(event.encoded() for event in events) or b": still here\n\n"


async def _woken(watch: Watch, at: float) -> None:
    """At this time of the monotonic clock, if nothing wakes it before."""
    try:
        async with asyncio.timeout(at - time.monotonic()):
            await watch.woken.wait()
    except TimeoutError:
        return

"""Relays one HTTP exchange, as bytes and as a stream in both directions.

Nothing is decoded, kept or retried. Whoever leaves first ends the exchange for the other: a caller who
is gone costs the instance nothing, and a cut answer is cut here too instead of looking complete.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp

from nbfleet.gateway import headers as lines
from nbfleet.gateway.asgi import Receive, Send
from nbfleet.gateway.call import Call
from nbfleet.gateway.pool import Line
from nbfleet.gateway.resolve import Upstream


class NoAnswerError(Exception):
    """The instance gave no answer; the caller has been sent nothing yet."""


class _CallerLeftError(Exception):
    """The caller went away in the middle of an upload."""


class _Inbound:
    """The caller's side of the connection: the body first, then word of the caller leaving."""

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        self._left = False
        if not has_body:
            self._read.set()

    async def body(self) -> AsyncIterator[bytes]:
        try:
            while True:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self._left = True
                    raise _CallerLeftError
                if chunk := message.get("body", b""):
                    yield chunk
                if not message.get("more_body", False):
                    return
        finally:
            self._read.set()

    async def leaving(self) -> None:
        """Return when the caller has gone. There is one reader at a time, so wait for the body."""
        await self._read.wait()
        while not self._left:
            self._left = (await self._receive())["type"] == "http.disconnect"


async def relay(
    call: Call, upstream: Upstream, query: bytes, line: Line, receive: Receive, send: Send
) -> None:
    """Carry one exchange to its end. Raises NoAnswerError when nothing could be sent to the caller."""
    inbound = _Inbound(receive, has_body=lines.has_body(call.headers))
    exchange = asyncio.ensure_future(_exchange(call, upstream, query, line, inbound, send))
    leaving = asyncio.ensure_future(inbound.leaving())
    try:
        await asyncio.wait((exchange, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not exchange.done():
            exchange.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving
    with contextlib.suppress(asyncio.CancelledError):
        await exchange


async def _exchange(
    call: Call, upstream: Upstream, query: bytes, line: Line, inbound: _Inbound, send: Send
) -> None:
    response = await _ask(call, upstream, query, line, inbound)
    try:
        await _answer(response, upstream, send)
    finally:
        # After a complete answer the connection is already back in the pool and this does nothing;
        # after any other end it must not be used again.
        response.close()


async def _ask(
    call: Call, upstream: Upstream, query: bytes, line: Line, inbound: _Inbound
) -> aiohttp.ClientResponse:
    head = lines.to_instance(
        call.headers, secret=upstream.secret, scheme=call.scheme, host=call.host, peer=call.peer
    )
    try:
        return await line.session.request(
            call.method,
            line.url(call.path, query),
            headers=head,
            data=inbound.body() if lines.has_body(call.headers) else None,
            allow_redirects=False,
        )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise NoAnswerError(type(error).__name__) from error


async def _answer(response: aiohttp.ClientResponse, upstream: Upstream, send: Send) -> None:
    if not 200 <= response.status <= 599:
        raise NoAnswerError(f"status {response.status}")
    head = lines.to_caller(response.raw_headers, response.status, upstream.notebook_id, upstream.secret)
    await send({"type": "http.response.start", "status": response.status, "headers": head})
    try:
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except (aiohttp.ClientError, OSError):
        # Returning without the last message makes the server cut the connection, which is the only
        # way to tell the caller that the answer is not whole.
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})

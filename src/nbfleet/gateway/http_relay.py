"""Relays one HTTP exchange, as bytes and as a stream in both directions.

Nothing is decoded, kept or retried. Whoever leaves first ends the exchange for the other: a caller who
is gone costs the instance nothing, and a cut answer is cut here too instead of looking complete.
"""

import asyncio
from collections.abc import AsyncIterator

import aiohttp

from nbfleet.gateway.asgi import Channel, Receive, Send
from nbfleet.gateway.errand import Errand, NoAnswerError


class _CallerLeftError(Exception):
    """The caller went away in the middle of an upload."""


class _Inbound:
    """The caller's side of the connection: the body first, then word of the caller leaving."""

    def __init__(self, receive: Receive, *, has_body: bool) -> None:
        self._receive = receive
        self._read = asyncio.Event()
        self.left = False
        if not has_body:
            self._read.set()

    async def body(self) -> AsyncIterator[bytes]:
        try:
            more = True
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self.left = True
                    raise _CallerLeftError
                if chunk := message.get("body", b""):
                    yield chunk
                more = message.get("more_body", False)
        finally:
            self._read.set()

    async def leaving(self) -> None:
        """Return when the caller has gone. There is one reader at a time, so wait for the body."""
        await self._read.wait()
        while not self.left:
            self.left = (await self._receive())["type"] == "http.disconnect"


async def relay(errand: Errand, channel: Channel) -> None:
    """Carry one exchange to its end. Raises NoAnswerError when nothing was sent to the caller."""
    inbound = _Inbound(channel.receive, has_body=errand.has_body)
    exchange = asyncio.ensure_future(_exchange(errand, inbound, channel.send))
    leaving = asyncio.ensure_future(inbound.leaving())
    try:
        await asyncio.wait((exchange, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        exchange.cancel()
        leaving.cancel()
        await asyncio.gather(exchange, leaving, return_exceptions=True)
    if not inbound.left:
        exchange.result()


async def _exchange(errand: Errand, inbound: _Inbound, send: Send) -> None:
    response = await _ask(errand, inbound)
    try:
        await _answer(errand, response, send)
    finally:
        # After a complete answer the connection is already back in the pool and this does nothing;
        # after any other end it must not be used again.
        response.close()


async def _ask(errand: Errand, inbound: _Inbound) -> aiohttp.ClientResponse:
    try:
        return await errand.line.session.request(
            errand.call.method,
            errand.url,
            headers=errand.head(),
            data=inbound.body() if errand.has_body else None,
            allow_redirects=False,
        )
    except (aiohttp.ClientError, OSError) as error:
        raise NoAnswerError(type(error).__name__) from error


async def _answer(errand: Errand, response: aiohttp.ClientResponse, send: Send) -> None:
    status = response.status
    if not 200 <= status <= 599:
        raise NoAnswerError(f"status {status}")
    head = errand.answer_head(response.raw_headers, status)
    await send({"type": "http.response.start", "status": status, "headers": head})
    try:
        async for chunk in response.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except (aiohttp.ClientError, OSError):
        # Returning without the last message makes the server cut the connection, which is the only
        # way to tell the caller that the answer is not whole.
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})

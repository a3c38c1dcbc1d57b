"""The little of ASGI that the gateway uses: types, and whole answers in one call.

A framework's request and response objects would cost more than the relay itself, so there are none.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Channel:
    """The server's side of one request."""

    scope: Scope
    receive: Receive
    send: Send


async def answer(send: Send, status: int, headers: RawHeaders, body: bytes = b"") -> None:
    """Send a complete HTTP answer."""
    sized = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})


async def deny(scope: Scope, send: Send, status: int, headers: RawHeaders, body: bytes = b"") -> None:
    """Refuse a WebSocket before its handshake, with an HTTP answer where the server can send one."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    sized = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "websocket.http.response.start", "status": status, "headers": sized})
    await send({"type": "websocket.http.response.body", "body": body})

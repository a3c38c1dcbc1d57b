"""The last step of a request: status, headers and body to the server that speaks HTTP."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from starlette.types import Receive, Send

from nbfleet.api.call import Answer, Pieces
from nbfleet.api.handlers import encode

_NO_CONTENT = 204
Headers = list[tuple[bytes, bytes]]
_ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))


async def send_whole(send: Send, status: int, answer: Answer, names: Headers) -> None:
    body = encode(answer.body)
    headers: Headers = [*names, *_ALWAYS]
    if status != _NO_CONTENT:  # HTTP forbids to tell a length there.
        headers.append((b"content-length", str(len(body)).encode()))
    if body:
        headers.append((b"content-type", b"application/json"))
    headers.extend(_given(answer))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_pieces(
    receive: Receive, send: Send, status: int, answer: Answer, pieces: Pieces, names: Headers
) -> None:
    """Piece by piece, until the end or until nobody listens any more. A fault on the way is raised: without
    its end the answer cannot be taken for a whole one."""
    headers: Headers = [*names, *_ALWAYS, *_given(answer)]
    # After the body of the request this only returns when the connection is closed.
    gone = asyncio.ensure_future(receive())
    try:
        async with aclosing(pieces.rest) as rest:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": pieces.first, "more_body": True})
            async for piece in rest:
                if gone.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        gone.cancel()


def _given(answer: Answer) -> Headers:
    extra: Mapping[str, Any] = answer.headers or {}
    return [(name.lower().encode(), str(value).encode("latin-1")) for name, value in extra.items()]

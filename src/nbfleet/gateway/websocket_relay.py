"""Relays one WebSocket: messages both ways, and how it ended.

The instance is asked first and the caller's handshake is answered after it, so a refusal is an HTTP
answer and the subprotocol is the one the instance chose. No size limit, no compression, no idle limit.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from nbfleet.gateway import headers as lines
from nbfleet.gateway.asgi import Receive, Scope, Send, deny
from nbfleet.gateway.call import Call
from nbfleet.gateway.http_relay import NoAnswerError
from nbfleet.gateway.pool import Line, UpgradeRefusedError
from nbfleet.gateway.resolve import Upstream

Recheck = Callable[[], Awaitable[bool]]
_CLOSE_TIMEOUT = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=5.0)
# Codes that only say how a connection looked from one end; they may not be sent.
_NO_STATUS, _ABNORMAL = 1005, 1006
_GOING_AWAY, _REVOKED, _BAD_GATEWAY = 1001, 1008, 1014
_FROM_INSTANCE = frozenset({aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY})


@dataclass(frozen=True)
class _End:
    code: int
    reason: str = ""
    by_caller: bool = False
    by_instance: bool = False


async def relay(
    call: Call,
    upstream: Upstream,
    query: bytes,
    line: Line,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    handshake_timeout: float,
    recheck: Recheck,
    recheck_seconds: float | None,
) -> None:
    """Carry a WebSocket to its end. Raises NoAnswerError when the instance cannot be reached."""
    await receive()  # websocket.connect
    try:
        async with asyncio.timeout(handshake_timeout):
            instance = await _open(call, upstream, query, line, scope)
    except UpgradeRefusedError as refused:
        await deny(scope, send, refused.status if 400 <= refused.status <= 599 else 502, [])
        return
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise NoAnswerError(type(error).__name__) from error
    try:
        await send({"type": "websocket.accept", "subprotocol": instance.protocol, "headers": []})
        pumps = [_from_caller(receive, instance), _from_instance(instance, send)]
        if recheck_seconds is not None:
            pumps.append(_until_revoked(recheck, recheck_seconds))
        await _finish(await _first(pumps), instance, send)
    except OSError:
        pass  # The caller vanished while being written to; the instance is told below.
    finally:
        await instance.close(code=_GOING_AWAY)


async def _open(
    call: Call, upstream: Upstream, query: bytes, line: Line, scope: Scope
) -> aiohttp.ClientWebSocketResponse[Any]:
    head = lines.to_instance(
        call.headers, secret=upstream.secret, scheme=call.scheme, host=call.host, peer=call.peer
    )
    return await line.session.ws_connect(
        line.url(call.path, query),
        headers=head,
        protocols=scope.get("subprotocols") or (),
        timeout=_CLOSE_TIMEOUT,
        max_msg_size=0,
        compress=0,
    )


async def _first(pumps: list[Any]) -> _End:
    tasks: list[asyncio.Task[_End]] = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return next(task for task in tasks if task in done).result()


async def _from_caller(receive: Receive, instance: aiohttp.ClientWebSocketResponse[Any]) -> _End:
    while (message := await receive())["type"] == "websocket.receive":
        # A failed write means the instance is leaving; the other direction learns how and why.
        with contextlib.suppress(aiohttp.ClientError, OSError):
            if (data := message.get("bytes")) is not None:
                await instance.send_bytes(data)
            else:
                await instance.send_str(message.get("text") or "")
    return _End(message.get("code") or _NO_STATUS, message.get("reason") or "", by_caller=True)


async def _from_instance(instance: aiohttp.ClientWebSocketResponse[Any], send: Send) -> _End:
    while (message := await instance.receive()).type in _FROM_INSTANCE:
        kind = "text" if message.type is aiohttp.WSMsgType.TEXT else "bytes"
        await send({"type": "websocket.send", kind: message.data})
    if message.type is aiohttp.WSMsgType.CLOSE:
        return _End(message.data or _NO_STATUS, message.extra or "", by_instance=True)
    return _End(_ABNORMAL, by_instance=True)


async def _until_revoked(recheck: Recheck, seconds: float) -> _End:
    while True:
        await asyncio.sleep(seconds)
        if not await recheck():
            return _End(_REVOKED, "access has ended")


async def _finish(end: _End, instance: aiohttp.ClientWebSocketResponse[Any], send: Send) -> None:
    if not end.by_caller:
        code = _sendable(end.code, instead=_BAD_GATEWAY)
        await send({"type": "websocket.close", "code": code, "reason": end.reason})
    if not end.by_instance:
        await instance.close(code=_sendable(end.code, instead=_GOING_AWAY), message=end.reason.encode())


def _sendable(code: int, *, instead: int) -> int:
    """A code that may stand in a close frame: 1005 becomes 1000, what cannot be sent a substitute."""
    if code == _NO_STATUS:
        return 1000
    if code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code <= 4999:
        return code
    return instead

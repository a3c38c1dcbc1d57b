"""Relays one WebSocket: messages both ways, and how it ended.

The instance is asked first and the caller's handshake is answered after it, so a refusal is an HTTP
answer and the subprotocol is the one the instance chose. No size limit, no compression, no idle limit.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

import aiohttp

from nbfleet.gateway.asgi import Channel, Receive, Scope, Send, deny
from nbfleet.gateway.errand import Errand, NoAnswerError
from nbfleet.gateway.pool import UpgradeRefusedError

Recheck = Callable[[], Awaitable[bool]]
Instance = aiohttp.ClientWebSocketResponse[bool]
Pump = Coroutine[None, None, "_End"]
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


@dataclass(frozen=True)
class Terms:
    """How long things may take, and whom to ask whether the caller's rights still stand."""

    handshake_timeout: float
    recheck_seconds: float | None
    recheck: Recheck


async def relay(errand: Errand, channel: Channel, terms: Terms) -> None:
    """Carry a WebSocket to its end. Raises NoAnswerError when the instance cannot be reached."""
    await channel.receive()  # websocket.connect
    try:
        async with asyncio.timeout(terms.handshake_timeout):
            instance = await _open(errand, channel.scope)
    except UpgradeRefusedError as refused:
        await deny(channel.scope, channel.send, refused.status if 400 <= refused.status <= 599 else 502, [])
        return
    except (aiohttp.ClientError, OSError) as error:
        raise NoAnswerError(type(error).__name__) from error
    try:
        await channel.send({"type": "websocket.accept", "subprotocol": instance.protocol, "headers": []})
        end = await _first(_pumps(instance, channel, terms))
        await _finish(end, instance, channel.send)
    except OSError:
        pass  # The caller vanished while being written to; the instance is told below.
    finally:
        await instance.close(code=_GOING_AWAY)


async def _open(errand: Errand, scope: Scope) -> Instance:
    return await errand.line.session.ws_connect(
        errand.url,
        headers=errand.head(),
        protocols=scope.get("subprotocols") or (),
        max_msg_size=0,
        compress=0,
    )


def _pumps(instance: Instance, channel: Channel, terms: Terms) -> list[Pump]:
    pumps: list[Pump] = [_from_caller(channel.receive, instance), _from_instance(instance, channel.send)]
    if terms.recheck_seconds is not None:
        pumps.append(_until_revoked(terms.recheck, terms.recheck_seconds))
    return pumps


async def _first(pumps: list[Pump]) -> _End:
    tasks: list[asyncio.Task[_End]] = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return next(task for task in tasks if task in done).result()


async def _from_caller(receive: Receive, instance: Instance) -> _End:
    while (message := await receive())["type"] == "websocket.receive":
        # A failed write means the instance is leaving; the other direction learns how and why.
        with contextlib.suppress(aiohttp.ClientError, OSError):
            if (data := message.get("bytes")) is not None:
                await instance.send_bytes(data)
            else:
                await instance.send_str(message.get("text") or "")
    return _End(message.get("code") or _NO_STATUS, message.get("reason") or "", by_caller=True)


async def _from_instance(instance: Instance, send: Send) -> _End:
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


async def _finish(end: _End, instance: Instance, send: Send) -> None:
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

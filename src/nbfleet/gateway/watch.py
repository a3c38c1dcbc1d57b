"""What is told about each request: one access line and one measurement.

Lines hold no query, no header and no value of unbounded length, so no secret and no forged line can get
in. Where lines and measurements go is not decided here.
"""

import time
from collections.abc import Callable

import structlog

from nbfleet.gateway.asgi import Message, Scope, Send

OnRequest = Callable[[str, int, float], None]
_log = structlog.stdlib.get_logger("nbfleet.gateway")
_SHOWN = 128
_NO_STATUS_SENT = 499  # The caller left before there was an answer.
_STATUS_OF = {"websocket.accept": 101, "websocket.close": 403}


class Watched:
    """Stands between the application and the server and remembers the status that was sent."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        self._path = _shown(scope.get("raw_path") or b"")
        self._peer = (scope.get("client") or ("",))[0]
        self._start = time.perf_counter()
        self._answered = 0.0
        self.status = 0

    async def send(self, message: Message) -> None:
        if not self.status:
            self.status = message.get("status") or _STATUS_OF.get(message["type"], 0)
            self._answered = time.perf_counter() - self._start
        await self._send(message)

    def report(self, on_request: OnRequest | None) -> None:
        elapsed = time.perf_counter() - self._start
        status = self.status or _NO_STATUS_SENT
        # A WebSocket lives for hours; what compares with other requests is its handshake.
        measured = self._answered if self._method == "WEBSOCKET" and self.status else elapsed
        _log.info(
            "relayed",
            method=self._method,
            path=self._path,
            status=status,
            peer=self._peer,
            seconds=round(elapsed, 6),
        )
        if on_request is not None:
            on_request(self._method, status, measured)


def _shown(path: bytes) -> str:
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E else "?" for byte in path[:_SHOWN])

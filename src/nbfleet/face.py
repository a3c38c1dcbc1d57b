"""One listening port of the service: an application behind an embedded uvicorn.

The server's own signal handling is left out, because the process has one place that decides when to end.
"""

import contextlib
import os
import socket
import ssl
from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from nbfleet.settings import Settings

_DRAIN = 5  # Seconds that open requests have to end.


class CannotStart(Exception):
    """The service cannot run as it is set up; the text says why and what helps."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, made before anything else is, so that a taken port leaves nothing half-done."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as fault:
        reason = os.strerror(fault.errno) if fault.errno else str(fault)
        raise CannotStart(f"Cannot listen on {host}:{port}: {reason}.") from fault
    # What is accepted inherits it. The loop of asyncio sets it only where a socket names TCP as its protocol,
    # which this one does not, and an answer whose body follows its head then waits 40 ms for the client's
    # kernel; uvloop sets it itself.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def check_certificate(settings: Settings) -> None:
    """Reads certificate and key once, so that what is wrong with them is said before anything is started."""
    if settings.tls_certificate:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                settings.tls_certificate, settings.tls_key
            )
        except OSError as fault:
            raise CannotStart(f"Cannot use the certificate {settings.tls_certificate}: {fault}.") from fault


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Face:
    """`options` are keyword arguments of the server that the application needs set its way."""

    def __init__(
        self,
        app: ASGIApp,
        listening: socket.socket,
        settings: Settings,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._socket = listening
        own: dict[str, Any] = {
            "http": "httptools",
            "ws": "none",
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "proxy_headers": bool(settings.trusted_proxies),
            "forwarded_allow_ips": settings.trusted_proxies,
            "ssl_certfile": settings.tls_certificate or None,
            "ssl_keyfile": settings.tls_key or None,
            "timeout_graceful_shutdown": _DRAIN,
        }
        merged: dict[str, Any] = {**own, **options, "loop": "none"}
        self._server = _Server(uvicorn.Config(app, **merged))

    async def run(self) -> None:
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        self._server.should_exit = True

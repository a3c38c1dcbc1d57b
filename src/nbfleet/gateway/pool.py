"""Connections towards instances: one client session per endpoint, a bounded number of them.

A connection belongs to one instance for life, so a disagreement about where a message ends cannot
reach another one. No retries beyond a kept-alive connection that turns out closed, no cookies, no
redirects: the address comes from the resolver alone.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

# Lines that aiohttp would add by itself when the caller sent none.
_ADDED_BY_CLIENT = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
_TCP = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_HEAD_LIMIT = 64 * 1024
_READ_BUFFER = 128 * 1024


class BadEndpointError(ValueError):
    """The resolver named an endpoint that is neither a socket path nor a plain origin."""


class UpgradeRefusedError(Exception):
    """The instance answered a WebSocket handshake with something else than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"handshake answered with {status}")
        self.status = status


@dataclass
class Line:
    """A session to one endpoint, and how many requests are using it."""

    session: aiohttp.ClientSession
    base: str
    users: int = 0

    def url(self, path: bytes, query: bytes) -> URL:
        target = path + b"?" + query if query else path
        return URL(self.base + target.decode("ascii"), encoded=True)


class Pool:
    def __init__(self, *, endpoints: int, connections: int, connect_timeout: float) -> None:
        self._limit = endpoints
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout)
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._lines)

    @contextmanager
    def lease(self, endpoint: str) -> Generator[Line]:
        """Borrow the session of an endpoint; while borrowed it is not evicted."""
        line = self._lines.get(endpoint)
        if line is None:
            line = self._lines[endpoint] = self._open(endpoint)
            self._evict(endpoint)
        self._lines.move_to_end(endpoint)
        line.users += 1
        try:
            yield line
        finally:
            line.users -= 1

    async def close(self) -> None:
        lines, self._lines = list(self._lines.values()), OrderedDict()
        await asyncio.gather(*(line.session.close() for line in lines), *self._closing)

    def _open(self, endpoint: str) -> Line:
        if endpoint.startswith("unix:/"):
            path = endpoint.removeprefix("unix:")
            connector: aiohttp.BaseConnector = aiohttp.UnixConnector(path, limit=self._connections)
            base = "http://instance"
        elif _TCP.fullmatch(endpoint):
            connector = aiohttp.TCPConnector(limit=self._connections)
            base = endpoint
        else:
            raise BadEndpointError("endpoint must be unix:/path or http(s)://host:port")
        return Line(self._session(connector), base)

    def _session(self, connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            auto_decompress=False,
            skip_auto_headers=_ADDED_BY_CLIENT,
            read_bufsize=_READ_BUFFER,
            max_line_size=_HEAD_LIMIT,
            max_field_size=_HEAD_LIMIT,
            middlewares=(_only_switching_protocols,),
        )

    def _evict(self, newest: str) -> None:
        # Instances come and go: their idle sessions would stay for ever. Sessions in use stay, even
        # beyond the limit, because closing one cuts its requests.
        excess = len(self._lines) - self._limit
        idle = [name for name, line in self._lines.items() if not line.users and name != newest]
        for name in idle[: max(excess, 0)]:
            task = asyncio.get_running_loop().create_task(self._lines.pop(name).session.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _only_switching_protocols(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    # The client follows redirects of a WebSocket handshake and offers no switch for it; an instance
    # could so send us, with its token, to any address. Only handshakes carry Upgrade here.
    response = await handler(request)
    if "Upgrade" in request.headers and response.status != 101:
        response.close()
        raise UpgradeRefusedError(response.status)
    return response

"""One request as the gateway sees it: the checked facts of an ASGI scope.

Reading happens once, here, so that every later decision rests on the same bytes. Judges only form,
never rights.
"""

import re
from dataclasses import dataclass, field

from nbfleet.gateway import headers as lines
from nbfleet.gateway import pages, target
from nbfleet.gateway.asgi import RawHeaders, Scope

_HOST = re.compile(r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_HEAD_LIMIT = 32 * 1024
_TARGET_LIMIT = 16 * 1024


@dataclass(frozen=True)
class Call:
    is_websocket: bool
    method: str
    scheme: str  # Of the page's address: http or https.
    host: str
    peer: str | None
    path: bytes
    query: bytes = field(repr=False)
    headers: RawHeaders = field(repr=False)

    @property
    def wants_html(self) -> bool:
        return "text/html" in (lines.first(self.headers, b"accept") or "")

    @property
    def is_navigation(self) -> bool:
        if self.is_websocket or self.method != "GET":
            return False
        return self.wants_html or lines.first(self.headers, b"sec-fetch-mode") == "navigate"


def read(scope: Scope, *, secure: bool | None) -> Call | pages.Problem:
    """Read a scope; a Problem when its form is not acceptable."""
    is_websocket = scope["type"] == "websocket"
    headers: RawHeaders = [(name.lower(), value) for name, value in scope["headers"]]
    path: bytes = scope.get("raw_path") or b""
    query: bytes = scope.get("query_string") or b""
    if len(path) + len(query) > _TARGET_LIMIT or _size(headers) > _HEAD_LIMIT:
        return pages.TOO_LARGE
    hosts = lines.values(headers, b"host")
    if len(hosts) != 1 or not lines.valid(headers) or not target.well_formed(path, query):
        return pages.BAD_REQUEST
    host = hosts[0].decode()
    if not _HOST.fullmatch(host):
        return pages.BAD_REQUEST
    method = "GET" if is_websocket else scope["method"]
    if method in ("CONNECT", "TRACE"):
        return pages.METHOD
    if secure is None:
        secure = scope.get("scheme") in ("https", "wss")
    client = scope.get("client")
    return Call(
        is_websocket=is_websocket,
        method=method,
        scheme="https" if secure else "http",
        host=host,
        peer=client[0] if client else None,
        path=path,
        query=query,
        headers=headers,
    )


def _size(headers: RawHeaders) -> int:
    return sum(len(name) + len(value) + 4 for name, value in headers)

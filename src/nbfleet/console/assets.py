"""The files that pages refer to, with their content in their address: a browser may keep each for ever.

They are read and packed once, at the start, and served from memory. Nothing that a user wrote is among them.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    media_type: str
    body: bytes
    packed: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:16]


class Assets:
    def __init__(self, directory: Path, below: str) -> None:
        """`below` is the path under which they are served, with a slash at the end."""
        found = [_read(file) for file in sorted(directory.iterdir()) if file.suffix in _TYPES]
        self._addresses: Mapping[str, str] = {one.name: f"{below}{one.digest}/{one.name}" for one in found}
        self._served: Mapping[str, Asset] = {self._addresses[one.name]: one for one in found}

    def address(self, name: str) -> str:
        """The path of a file; a KeyError for one that is not there."""
        return self._addresses[name]

    def answer(self, request: Request) -> Response | None:
        """The file at the path of the request; None where there is none, or where it was another one once."""
        asset = self._served.get(request.url.path)
        if asset is None:
            return None
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                asset.packed, headers={**_HEADERS, "Content-Encoding": "gzip"}, media_type=asset.media_type
            )
        return Response(asset.body, headers=_HEADERS, media_type=asset.media_type)


def _read(file: Path) -> Asset:
    body = file.read_bytes()
    return Asset(file.name, _TYPES[file.suffix], body, gzip.compress(body, 9, mtime=0))

"""Which notebook a request names, and which token its query carries.

Works on the bytes as received and never decodes or normalises a path: the instance must see what the
caller sent. Does not know whether the notebook exists.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH = re.compile(rb"/(" + _UUID + rb")(/[\x21-\x7e]*)?")
# "#" never belongs in a request target; passed on, it would silently cut the query.
_VISIBLE = re.compile(rb"[\x21\x22\x24-\x7e]*")


@dataclass(frozen=True)
class Target:
    notebook_id: str
    rest: bytes  # From the slash after the id; empty when that slash is missing.
    query: bytes  # Without our token.
    token: str | None


def well_formed(path: bytes, query: bytes) -> bool:
    return path.startswith(b"/") and bool(_VISIBLE.fullmatch(path)) and bool(_VISIBLE.fullmatch(query))


def parse(path: bytes, query: bytes) -> Target | None:
    """Read a target; None when the path names no notebook."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    stripped, token = take_token(query)
    return Target(match[1].decode(), match[2] or b"", stripped, token)


def take_token(query: bytes) -> tuple[bytes, str | None]:
    """Split our parameter off a query; every other byte stays as it is. The first value counts."""
    if b"=" not in query:
        return query, None
    kept: list[bytes] = []
    values: list[str] = []
    for part in query.split(b"&"):
        name, equals, value = part.partition(b"=")
        if equals and _form_decode(name) == b"token":
            values.append(_form_decode(value).decode("utf-8", "replace"))
        else:
            kept.append(part)
    if not values:
        return query, None
    # An empty token is what a client sends that has none: it is no credential.
    return b"&".join(kept), values[0] or None


def location(target: Target) -> bytes:
    """Where to lead the browser: always below the notebook's own prefix, on the same origin."""
    path = b"/" + target.notebook_id.encode() + (target.rest or b"/")
    return path + b"?" + target.query if target.query else path


def _form_decode(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))

"""Which header lines cross the gateway, in each direction. Pure functions over raw lines.

Framing, hop-by-hop lines and credentials end here; everything else passes unchanged. No judgement
about who may pass is made here.
"""

import re
from collections.abc import Iterable

from nbfleet.gateway import cookies
from nbfleet.gateway.asgi import RawHeaders

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Credentials of the product, claims about the way here that anyone could make, and Expect, which the
# server in front has already answered.
_KEPT_FROM_INSTANCE = frozenset(
    {b"authorization", b"cookie", b"x-auth-token", b"forwarded", b"x-real-ip", b"x-scheme", b"expect"}
)
_KEPT_FROM_INSTANCE_PREFIXES = (b"x-forwarded-", b"x-sdk-", b"sec-websocket-")
# These speak for the whole origin, which the instance shares with others.
_KEPT_FROM_CALLER = frozenset(
    {
        b"alt-svc",
        b"clear-site-data",
        b"nel",
        b"report-to",
        b"service-worker-allowed",
        b"strict-transport-security",
    }
)
_TOKEN = re.compile(r"(?:token|bearer)\s+(\S+)\s*", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_FIELD_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key == name]


def first(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in headers if key == name), None)


def valid(headers: RawHeaders) -> bool:
    """Whether every line can be written again without changing its meaning."""
    return all(_FIELD_NAME.fullmatch(name) and _is_text(value) for name, value in headers)


def token(headers: RawHeaders) -> str | None:
    """The token of an Authorization header; other schemes are not ours and count as none."""
    for value in values(headers, b"authorization"):
        if match := _TOKEN.fullmatch(value.decode("latin-1").strip()):
            return match[1]
    return None


def to_instance(
    headers: RawHeaders, *, secret: str, scheme: str, host: str, peer: str | None
) -> list[tuple[str, str]]:
    """The request head the instance gets."""
    dropped = _named_by_connection(headers) - {b"host"}
    out = [
        (name.decode("ascii"), _without_query(value) if name == b"referer" else value.decode())
        for name, value in headers
        if not (
            name in _HOP_BY_HOP
            or name in _KEPT_FROM_INSTANCE
            or name in dropped
            or name.startswith(_KEPT_FROM_INSTANCE_PREFIXES)
        )
    ]
    if cookie := cookies.without_ours(values(headers, b"cookie")):
        out.append(("cookie", cookie.decode()))
    out.append(("authorization", f"token {secret}"))
    out.append(("x-forwarded-proto", scheme))
    out.append(("x-forwarded-host", host))
    if peer:
        out.append(("x-forwarded-for", peer))
    return out


def to_caller(
    headers: Iterable[tuple[bytes, bytes]], status: int, notebook_id: str, secret: str
) -> RawHeaders:
    """The response head the caller gets."""
    lines = [(name.lower(), value) for name, value in headers]
    dropped = _HOP_BY_HOP | _KEPT_FROM_CALLER | _named_by_connection(lines)
    if status in (204, 304):
        # There is no body to measure; a length would make the server wait for one.
        dropped |= {b"content-length"}
    hidden = secret.encode()
    out: RawHeaders = []
    for name, value in lines:
        if name in dropped or not _FIELD_NAME.fullmatch(name) or _CONTROL.search(value):
            continue
        if hidden and hidden in value:
            continue
        if name != b"set-cookie":
            out.append((name, value))
        elif (confined := cookies.confine(value, notebook_id)) is not None:
            out.append((name, confined))
    return out


def has_body(headers: RawHeaders) -> bool:
    if values(headers, b"transfer-encoding"):
        return True
    return any(value.strip() != b"0" for value in values(headers, b"content-length"))


def _named_by_connection(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    return frozenset(
        part.strip().lower() for value in values(headers, b"connection") for part in value.split(b",")
    )


def _is_text(value: bytes) -> bool:
    if _CONTROL.search(value):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_query(referer: bytes) -> str:
    # The page's address may still hold the token.
    return re.split(rb"[?#]", referer, maxsplit=1)[0].decode()

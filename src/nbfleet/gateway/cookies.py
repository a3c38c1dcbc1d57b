"""Cookies in both directions: ours stay here, the instance's stay below its own path.

All notebooks share the gateway's origin, so a cookie that escapes its path reaches other notebooks.
Parsing is on raw bytes and keeps what it does not understand, as browsers do.
"""

PREFIX = "nbfleet"


def name_for(notebook_id: str) -> str:
    return f"{PREFIX}-{notebook_id}"


def find(headers: list[bytes], name: str) -> str | None:
    """The first value of a cookie; the most specific path comes first."""
    for pair in _pairs(headers):
        key, equals, value = pair.partition(b"=")
        if equals and key.strip() == name.encode():
            return value.strip().decode("ascii", "replace") or None
    return None


def carries_ours(headers: list[bytes]) -> bool:
    return any(_is_ours(pair) for pair in _pairs(headers))


def without_ours(headers: list[bytes]) -> bytes:
    """One Cookie header for the instance; empty when nothing is left."""
    return b"; ".join(pair for pair in _pairs(headers) if not _is_ours(pair))


def ours(notebook_id: str, value: str, *, secure: bool) -> bytes:
    """The Set-Cookie line that replaces a token in the address."""
    line = f"{name_for(notebook_id)}={value}; Path=/{notebook_id}/; HttpOnly; SameSite=Lax"
    if any(not 0x21 <= ord(c) <= 0x7E or c in ';,"\\' for c in value):
        raise ValueError("the cookie value is not a cookie value")
    return (line + "; Secure" if secure else line).encode()


def confine(line: bytes, notebook_id: str) -> bytes | None:
    """A Set-Cookie line of the instance, kept to its own host and path; None when it must go."""
    pair, *attributes = line.split(b";")
    if _is_ours(pair):
        return None
    home = f"/{notebook_id}/".encode()
    kept: list[bytes] = [pair.strip()]
    path: bytes | None = None
    for attribute in attributes:
        key, _, value = attribute.partition(b"=")
        match key.strip().lower():
            case b"path":
                path = value.strip()  # The last one counts, as in a browser.
            case b"domain" | b"":
                continue
            case _:
                kept.append(attribute.strip())
    if path is not None:
        kept.append(b"Path=" + (path if path.startswith(home) else home))
    return b"; ".join(kept)


def _is_ours(pair: bytes) -> bool:
    # Browsers read "=nbfleet-x" and "nbfleet-x" as nameless cookies and may send them back either way.
    return pair.strip().lstrip(b"= \t").lower().startswith(PREFIX.encode())


def _pairs(headers: list[bytes]) -> list[bytes]:
    return [pair.strip() for line in headers for pair in line.split(b";") if pair.strip()]

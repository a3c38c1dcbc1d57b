"""Request signatures of the scheme SDK-HMAC-SHA256, to check and to make.

Pure functions over a request as it travelled: no clock, no store of keys, no decision about who may do
what. The server looks up the secret between `authorization` and `verify`; our own client calls `sign`.

Everything works on bytes as received. Whoever decodes first and signs again would accept what it has
repaired and refuse what it has spoilt.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"
MAX_SKEW = timedelta(minutes=15)

_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_DATE = re.compile(rb"[0-9]{8}T[0-9]{6}Z")
_HEADER_NAME = r"[a-z0-9!#$%&'*+.^_`|~-]+"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<key>[!-+\--~]+), "
    rf"SignedHeaders=(?P<headers>{_HEADER_NAME}(?:;{_HEADER_NAME})*), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
_DATE_HEADER = "x-sdk-date"
_PAYLOAD_HEADER = "x-sdk-content-sha256"


class Flaw(StrEnum):
    """What is wrong with a signature."""

    NOT_SIGNED = "there is no Authorization header"
    ALGORITHM = "the algorithm is not supported"
    MALFORMED = "the Authorization header is malformed"
    HEADER_MISSING = "a signed header is missing"
    HEADER_REPEATED = "a header that must be unique occurs more than once"
    DATE_NOT_SIGNED = "X-Sdk-Date is not signed"
    DATE_MALFORMED = "X-Sdk-Date is malformed"
    SKEW = "X-Sdk-Date is too far from the time of the service"
    PAYLOAD = "X-Sdk-Content-Sha256 does not fit the body"
    SIGNATURE = "the signature does not match"


class SignatureError(Exception):
    """The request is not signed as it should be."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


class Request(Struct, frozen=True):
    """A request as it travels: path and query still encoded, headers in order of arrival."""

    method: str
    path: bytes
    query: bytes = b""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""

    def header(self, name: str) -> bytes | None:
        """Value of a header, None if absent. Two values mean two readings, so they are refused."""
        wanted = name.encode("ascii")
        values = [value for key, value in self.headers if key.lower() == wanted]
        if len(values) > 1:
            raise SignatureError(Flaw.HEADER_REPEATED)
        return values[0].strip() if values else None


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the Authorization header claims."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(value: bytes) -> Authorization:
    """Take the header apart; anything but the exact form is refused."""
    text = value.decode("latin-1")
    if text.partition(" ")[0] != ALGORITHM:
        raise SignatureError(Flaw.ALGORITHM)
    match = _AUTHORIZATION.fullmatch(text)
    if match is None:
        raise SignatureError(Flaw.MALFORMED)
    names = tuple(match["headers"].split(";"))
    if len(set(names)) != len(names):
        raise SignatureError(Flaw.MALFORMED)
    return Authorization(match["key"], names, match["signature"])


def authorization(request: Request) -> Authorization:
    """Read who claims to have signed a request, without believing it yet."""
    value = request.header("authorization")
    if value is None:
        raise SignatureError(Flaw.NOT_SIGNED)
    return parse_authorization(value)


def verify(
    request: Request, claim: Authorization, secret: str, now: datetime, *, skew: timedelta = MAX_SKEW
) -> None:
    """Raise SignatureError unless the claim was made with this secret, over this request, about now.

    Exactly the headers named in the claim are checked: some clients leave out Host, or add the project
    after signing.
    """
    if _DATE_HEADER not in claim.signed_headers:
        raise SignatureError(Flaw.DATE_NOT_SIGNED)
    date = _signed_date(request)
    if abs(now - _moment(date)) > skew:
        raise SignatureError(Flaw.SKEW)
    expected = [
        signature(secret, string_to_sign(date, canonical_request(request, claim.signed_headers, payload)))
        for payload in _payloads(request, claim.signed_headers)
    ]
    if not any(hmac.compare_digest(one, claim.signature) for one in expected):
        raise SignatureError(Flaw.SIGNATURE)


def sign(request: Request, access_key: str, secret: str, now: datetime) -> dict[str, str]:
    """Make the headers to add to a request: X-Sdk-Date and Authorization.

    Every header of the request is signed, as the official client does; give those that will be sent
    exactly so, Host among them. Names with an underscore are left out: proxies drop them.
    """
    date = now.astimezone(UTC).strftime(_DATE_FORMAT).encode("ascii")
    kept = [(key, value) for key, value in request.headers if key.lower() != _DATE_HEADER.encode("ascii")]
    dated = Request(request.method, request.path, request.query, [*kept, (b"X-Sdk-Date", date)], request.body)
    names = tuple(sorted(key.decode("ascii").lower() for key, _ in dated.headers if b"_" not in key))
    payload = _payloads(dated, names)[0]
    made = signature(secret, string_to_sign(date, canonical_request(dated, names, payload)))
    claim = f"Access={access_key}, SignedHeaders={';'.join(names)}, Signature={made}"
    return {"X-Sdk-Date": date.decode("ascii"), "Authorization": f"{ALGORITHM} {claim}"}


def canonical_path(path: bytes) -> bytes:
    """Encode every segment anew and end in a slash; an encoded slash turns into a separator."""
    encoded = "/".join(_encode(segment) for segment in unquote_to_bytes(path).split(b"/"))
    return (encoded if encoded.endswith("/") else encoded + "/").encode("ascii")


def canonical_query(query: bytes) -> bytes:
    """Decode all pairs, sort them by name and value, and encode them anew."""
    pairs = sorted(_pair(part) for part in query.split(b"&") if part)
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in pairs).encode("ascii")


def canonical_headers(request: Request, names: Sequence[str]) -> bytes:
    lines: list[bytes] = []
    for name in names:
        value = request.header(name)
        if value is None:
            raise SignatureError(Flaw.HEADER_MISSING)
        lines.append(name.encode("ascii") + b":" + value + b"\n")
    return b"".join(lines)


def canonical_request(request: Request, names: Sequence[str], payload: bytes) -> bytes:
    parts = (
        request.method.upper().encode("ascii"),
        canonical_path(request.path),
        canonical_query(request.query),
        canonical_headers(request, names),
        ";".join(names).encode("ascii"),
        payload,
    )
    return b"\n".join(parts)


def string_to_sign(date: bytes, canonical: bytes) -> bytes:
    digest = hashlib.sha256(canonical).hexdigest().encode("ascii")
    return b"\n".join((ALGORITHM.encode("ascii"), date, digest))


def signature(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def payload_hash(request: Request, names: Sequence[str]) -> bytes:
    """What the signature says about the body, as the official client computes it."""
    return _payloads(request, names)[0]


def _payloads(request: Request, names: Sequence[str]) -> tuple[bytes, ...]:
    """Payload hashes a signer may have used.

    The header that names the hash counts only if it is signed itself, and a hash in it must be that of the
    body; otherwise anybody could add it to a request seen elsewhere and change the body. For an empty body
    some signers use the header and some do not, and nothing is lost by accepting either.
    """
    actual = hashlib.sha256(request.body).hexdigest().encode("ascii")
    if _PAYLOAD_HEADER not in names:
        return (actual,)
    declared = request.header(_PAYLOAD_HEADER)
    if declared is None:
        raise SignatureError(Flaw.HEADER_MISSING)
    if declared != UNSIGNED_PAYLOAD and declared.lower() != actual:
        raise SignatureError(Flaw.PAYLOAD)
    return (declared,) if request.body else (actual, declared)


def _signed_date(request: Request) -> bytes:
    value = request.header(_DATE_HEADER)
    if value is None:
        raise SignatureError(Flaw.HEADER_MISSING)
    return value


def _moment(date: bytes) -> datetime:
    if _DATE.fullmatch(date) is None:
        raise SignatureError(Flaw.DATE_MALFORMED)
    try:
        return datetime.strptime(date.decode("ascii"), _DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError(Flaw.DATE_MALFORMED) from None


def _pair(part: bytes) -> tuple[bytes, bytes]:
    # A plus stands for a space here, as it does for everybody who reads the query afterwards.
    name, _, value = part.replace(b"+", b" ").partition(b"=")
    return unquote_to_bytes(name), unquote_to_bytes(value)


def _encode(text: bytes) -> str:
    return quote(text, safe="-_.~")

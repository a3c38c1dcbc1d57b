"""Credentials: from a request to a principal, by token, by signature, or by the session of a browser.

A present X-Auth-Token decides; else a signature; else a session. What was proved is remembered for a
moment, so that a disabled user or key is cut off within seconds and a busy client costs no query a call.
What this process itself changes about workspaces counts at once.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Generic, TypeVar

from nbfleet.domain.access import Principal
from nbfleet.services import identity
from nbfleet.services.context import Context, Generation
from nbfleet.store.identity import Token
from nbfleet.wire import errors_credentials, signing
from nbfleet.wire.signing import SignatureError

T = TypeVar("T")

REMEMBERED = 3_000  # Milliseconds. Bounds how long a revoked credential still works.
_CAPACITY = 10_000
_COOKIE = "nbfleet-session"
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_MILLISECONDS = 1000


def session_cookie(*, secure: bool) -> str:
    """The name of the cookie that holds a session. Where the service is reached by TLS, a browser takes one
    of this name from nobody but the service itself."""
    return f"__Host-{_COOKIE}" if secure else _COOKIE


@dataclass(frozen=True, slots=True)
class Proof:
    """A principal, and the one project its credential is good for; None: any of the principal's."""

    principal: Principal
    project_id: str | None = None
    any_project: bool = True


class Memory(Generic[T]):
    """Answers of a look-up, each kept for REMEMBERED milliseconds, and no longer than its generation. Unknown
    keys are not kept."""

    def __init__(
        self, look_up: Callable[[str], Awaitable[T | None]], clock: Callable[[], int], generation: Generation
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._generation = generation
        self._kept: dict[str, tuple[int, int, T]] = {}

    async def get(self, key: str) -> T | None:
        kept = self._kept.get(key)
        now, generation = self._clock(), self._generation.number
        if kept is not None and kept[1] == generation and 0 <= now - kept[0] < REMEMBERED:
            return kept[2]
        self._kept.pop(key, None)
        found = await self._look_up(key)
        if found is not None:
            if len(self._kept) >= _CAPACITY:
                self._kept.clear()
            # As of before the look: what ended its generation meanwhile may not be in it.
            self._kept[key] = (now, generation, found)
        return found


class Authenticator:
    """`secure`: browsers reach the service by TLS only."""

    def __init__(self, context: Context, *, secure: bool = False) -> None:
        self._cookie = session_cookie(secure=secure)
        self._clock = context.clock
        self._skew = timedelta(seconds=context.settings.signature_skew)
        self._tokens: Memory[Token] = Memory(
            lambda text: identity.token(context, text), context.clock, context.access
        )
        self._keys: Memory[identity.ProvenKey] = Memory(
            lambda key: identity.access_key(context, key), context.clock, context.access
        )

    async def prove(self, request: signing.Request) -> Proof:
        """Whose request this is; raises the 401 of whatever is wrong with its credentials."""
        tokens = [value for name, value in request.headers if name.lower() == b"x-auth-token"]
        if len(tokens) > 1:
            raise errors_credentials.token_unreadable()
        if tokens:
            return await self._by_token(tokens[0].decode("latin-1").strip())
        if any(name.lower() == b"authorization" for name, _ in request.headers):
            return await self._by_signature(request)
        # For reading only: a foreign page could send anything else in its name.
        session = self.session_of(request.headers) if request.method in _SAFE_METHODS else None
        if session is not None:
            return await self.by_session(session)
        raise errors_credentials.token_missing()

    def session_of(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The session that a browser sent."""
        cookies = b"; ".join(value for name, value in headers if name.lower() == b"cookie")
        try:
            morsel = SimpleCookie(cookies.decode("latin-1")).get(self._cookie)
        except CookieError:
            return None
        return None if morsel is None else morsel.value

    async def by_session(self, text: str) -> Proof:
        """A session is a token without a project: whoever signed in may enter each of theirs."""
        proof = await self._by_token(text)
        return Proof(proof.principal) if proof.project_id is None else proof

    async def _by_token(self, text: str) -> Proof:
        token = await self._tokens.get(text)
        if token is None:
            raise errors_credentials.token_invalid()
        if token.expires_at <= self._clock():
            raise errors_credentials.token_expired()
        return Proof(token.principal, token.project_id, any_project=False)

    async def _by_signature(self, request: signing.Request) -> Proof:
        try:
            claim = signing.authorization(request)
            key = await self._keys.get(claim.access_key)
            now = datetime.fromtimestamp(self._clock() / _MILLISECONDS, UTC)
            # An unknown key costs the same work as a known one with a wrong signature.
            secret = "unknown" if key is None else key.secret
            signing.verify(request, claim, secret, now, skew=self._skew)
        except SignatureError as fault:
            raise errors_credentials.unauthorized_signature(str(fault)) from fault
        if key is None:
            raise errors_credentials.unauthorized_signature("the signature does not match")
        return Proof(key.principal)

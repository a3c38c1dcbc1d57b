"""The gateway as an ASGI application: form, rights, then the relay, in this order for every protocol.

All checks stand in one place before HTTP and WebSocket part ways. The application does not know what a
notebook is, keeps no state but connections, and leaves draining to the server.
"""

import hmac
from dataclasses import dataclass

import structlog

from nbfleet.gateway import call as calls
from nbfleet.gateway import cookies, http_relay, origin, pages, target, websocket_relay
from nbfleet.gateway import headers as lines
from nbfleet.gateway.asgi import Channel, Receive, Scope, Send, answer, deny
from nbfleet.gateway.call import Call
from nbfleet.gateway.errand import Errand, NoAnswerError
from nbfleet.gateway.pool import BadEndpointError, Pool
from nbfleet.gateway.resolve import Credentials, Refusal, Refused, Resolve, Upstream
from nbfleet.gateway.target import Target
from nbfleet.gateway.watch import OnRequest, Watched

_log = structlog.stdlib.get_logger("nbfleet.gateway")
_NO_TRACE = [(b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer")]


@dataclass(frozen=True)
class Settings:
    """`secure` None: the page's scheme is that of the connection. `public_origins`: further origins
    under which browsers see this gateway, such as that of a reverse proxy that changes Host."""

    secure: bool | None = None
    public_origins: frozenset[str] = frozenset()
    connect_timeout: float = 5.0
    handshake_timeout: float = 90.0  # The instance waits for a starting kernel within the handshake.
    max_endpoints: int = 512
    connections_per_endpoint: int = 1000
    recheck_seconds: float | None = 5.0  # How soon an open WebSocket learns that rights have ended.


def app(resolve: Resolve, settings: Settings | None = None, on_request: OnRequest | None = None) -> "Gateway":
    return Gateway(resolve, settings or Settings(), on_request)


class Gateway:
    def __init__(self, resolve: Resolve, settings: Settings, on_request: OnRequest | None) -> None:
        self._resolve = resolve
        self._settings = settings
        self._on_request = on_request
        self._pool = Pool(
            endpoints=settings.max_endpoints,
            connections=settings.connections_per_endpoint,
            connect_timeout=settings.connect_timeout,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        watched = Watched(scope, send)
        call = calls.read(scope, secure=self._settings.secure)
        try:
            await self._serve(call, Channel(scope, receive, watched.send))
        finally:
            watched.report(self._on_request)

    async def close(self) -> None:
        await self._pool.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, call: Call | pages.Problem, channel: Channel) -> None:
        if isinstance(call, pages.Problem):
            await _refuse(call, channel, html=False)
            return
        if call.path == b"/healthz" and not call.is_websocket:
            await _healthz(call, channel.send)
            return
        goal = target.parse(call.path, call.query)
        if goal is None:
            await _refuse(pages.NOT_FOUND, channel, html=call.wants_html)
            return
        # The server logs the scope's query in places; the token must not be there to be logged.
        channel.scope["query_string"] = goal.query
        try:
            problem = await self._open(call, goal, channel)
        except NoAnswerError as error:
            _log.warning("no answer from the instance", notebook_id=goal.notebook_id, error=str(error))
            problem = pages.NO_ANSWER
        if problem is not None:
            await _refuse(problem, channel, html=call.wants_html)

    async def _open(self, call: Call, goal: Target, channel: Channel) -> pages.Problem | None:
        if not goal.rest and not (goal.token and call.is_navigation):
            return await _add_slash(call, goal, channel.send)
        shown = _Shown.by(call, goal)
        if not self._same_site(call, shown):
            return pages.CROSS_SITE
        found = await self._ask(call, shown)
        if isinstance(found, Refusal):
            return _problem(found)
        if goal.token and call.is_navigation and found.used_token:
            await self._clean_address(call, goal, found.upstream, channel.send)
            return None
        if not goal.rest:
            return await _add_slash(call, goal, channel.send)
        await self._relay(call, goal, found, channel)
        return None

    def _same_site(self, call: Call, shown: "_Shown") -> bool:
        return origin.allowed(
            changes_state=call.method not in origin.SAFE_METHODS,
            is_websocket=call.is_websocket,
            has_token=shown.token is not None,
            has_cookie=shown.any_cookie,
            origins=[value.decode("latin-1") for value in lines.values(call.headers, b"origin")],
            fetch_site=lines.first(call.headers, b"sec-fetch-site"),
            trusted=self._settings.public_origins | {origin.own_origin(call.scheme, call.host)},
        )

    async def _ask(self, call: Call, shown: "_Shown") -> "_Found | Refusal":
        if shown.token is None and shown.cookie is None:
            # Not even asked: the answer takes the same time whether the notebook exists or not.
            return Refusal(Refused.UNAUTHORIZED)
        if shown.token is None:
            return await self._resolved(call, Credentials(cookie=shown.cookie))
        found = await self._resolved(call, Credentials(token=shown.token))
        if not isinstance(found, Refusal) or shown.cookie is None:
            return found
        # JupyterLab writes the instance's own secret into its pages, and their scripts send it with
        # every request. Next to a right cookie it says nothing new, so it counts as not being there;
        # the request then stands under the rules for cookies.
        by_cookie = await self._resolved(call, Credentials(cookie=shown.cookie))
        if isinstance(by_cookie, Refusal) or not _same(by_cookie.upstream.secret, shown.token):
            return found
        return by_cookie if self._same_site(call, shown.without_token()) else Refusal(Refused.UNAUTHORIZED)

    async def _resolved(self, call: Call, credentials: Credentials) -> "_Found | Refusal":
        try:
            outcome = await self._resolve(call.host, call.path.decode("ascii"), credentials)
        except Exception as error:
            # No traceback: renderers show local variables, and these hold credentials.
            _log.warning("the resolver failed", error=type(error).__name__)
            return Refusal(Refused.UNAVAILABLE)
        return outcome if isinstance(outcome, Refusal) else _Found(outcome, credentials)

    async def _clean_address(self, call: Call, goal: Target, upstream: Upstream, send: Send) -> None:
        cookie = cookies.ours(goal.notebook_id, upstream.cookie, secure=call.scheme == "https")
        headers = [(b"location", target.location(goal)), (b"set-cookie", cookie), *_NO_TRACE]
        await answer(send, 302, headers)

    async def _relay(self, call: Call, goal: Target, found: "_Found", channel: Channel) -> None:
        try:
            with self._pool.lease(found.upstream.endpoint) as line:
                errand = Errand(call, found.upstream, goal.query, line)
                if call.is_websocket:
                    await websocket_relay.relay(errand, channel, self._terms(call, found))
                else:
                    await http_relay.relay(errand, channel)
        except BadEndpointError as error:
            raise NoAnswerError(str(error)) from error

    def _terms(self, call: Call, found: "_Found") -> websocket_relay.Terms:
        async def still_allowed() -> bool:
            now = await self._resolved(call, found.credentials)
            # A store that cannot answer for a moment must not cut everyone's work.
            return not isinstance(now, Refusal) or now.reason is Refused.UNAVAILABLE

        settings = self._settings
        return websocket_relay.Terms(settings.handshake_timeout, settings.recheck_seconds, still_allowed)


@dataclass(frozen=True)
class _Found:
    upstream: Upstream
    credentials: Credentials

    @property
    def used_token(self) -> bool:
        return self.credentials.token is not None


@dataclass(frozen=True)
class _Shown:
    """The credentials a call shows, before anyone has judged them."""

    token: str | None
    cookie: str | None
    any_cookie: bool

    @staticmethod
    def by(call: Call, goal: Target) -> "_Shown":
        sent = lines.values(call.headers, b"cookie")
        return _Shown(
            token=goal.token or lines.token(call.headers),
            cookie=cookies.find(sent, cookies.name_for(goal.notebook_id)),
            any_cookie=cookies.carries_ours(sent),
        )

    def without_token(self) -> "_Shown":
        return _Shown(None, self.cookie, self.any_cookie)


def _same(secret: str, shown: str) -> bool:
    return bool(secret) and hmac.compare_digest(secret.encode(), shown.encode("utf-8", "surrogateescape"))


def _problem(refusal: Refusal) -> pages.Problem:
    match refusal.reason:
        case Refused.NOT_RUNNING:
            return pages.not_running(refusal.status)
        case Refused.UNAVAILABLE:
            return pages.UNAVAILABLE
        case Refused.NOT_FOUND if refusal.verified:
            return pages.NOT_FOUND
        case _:
            return pages.UNAUTHORIZED


async def _refuse(problem: pages.Problem, channel: Channel, *, html: bool) -> None:
    headers, body = pages.render(problem, html=html)
    if channel.scope["type"] == "websocket":
        await deny(channel.scope, channel.send, problem.status, headers, body)
    else:
        await answer(channel.send, problem.status, headers, body)


async def _add_slash(call: Call, goal: Target, send: Send) -> pages.Problem | None:
    """Lead `/{id}` to `/{id}/`. Form only: nothing is asked, so nothing is told about the notebook."""
    if call.is_websocket or call.method not in ("GET", "HEAD"):
        return pages.NOT_FOUND
    # A script that came with a token follows with it; only a browser gets a cookie instead.
    whole = Target(goal.notebook_id, b"", call.query, None)
    await answer(send, 302, [(b"location", target.location(whole)), *_NO_TRACE])
    return None


async def _healthz(call: Call, send: Send) -> None:
    if call.method not in ("GET", "HEAD"):
        headers, body = pages.render(pages.METHOD, html=False)
        await answer(send, 405, [*headers, (b"allow", b"GET, HEAD")], body)
        return
    await answer(send, 200, [(b"content-type", b"application/json"), *_NO_TRACE], b'{"status":"ok"}')

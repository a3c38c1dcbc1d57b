"""The application of the pages: their ordered path, and the only place where refusals become pages.

    path -> who is signed in -> the project -> for changes: origin and word -> the page

Pages without a project (signing in, the operations to browse) come first. Requests are logged and counted by
the name of their page.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from nbfleet.api.app import RETRY_AFTER
from nbfleet.api.auth import Authenticator, Proof, session_cookie
from nbfleet.api.call import Tools
from nbfleet.api.site import Pages, document_for, site
from nbfleet.console import docs, texts, trust
from nbfleet.console.desk import Desk
from nbfleet.console.live import Live
from nbfleet.console.page import BUSY, Page, Parts
from nbfleet.console.pages import administration, bulk, create, fleet, notebook, overview
from nbfleet.console.render import HEADERS, STATIC, Renderer
from nbfleet.console.signing_in import HOME, SigningIn, place
from nbfleet.console.stream import ended
from nbfleet.console.visit import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Form, Look, Project, Visit, read_form
from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.services import identity
from nbfleet.store.database import Unavailable
from nbfleet.telemetry import Metrics, new_request_id
from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.errors import ApiError

log = structlog.get_logger()
_YEAR = 365 * 86_400
# Where a page puts a refusal, whatever its request was to replace.
_AS_NOTICE = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Reselect": ".notice"}
_METHODS = {
    "/": {"GET", "HEAD"},
    "/docs": {"GET", "HEAD"},
    "/login": {"GET", "HEAD", "POST"},
    "/logout": {"POST"},
    "/look": {"POST"},
}


def whole_site(
    tools: Tools, authenticator: Authenticator, metrics: Metrics, address: str
) -> tuple[ASGIApp, Live]:
    """The application of the API's port with the console in it, and the loop that keeps open pages up to
    date. `address` is where clients reach it."""
    document = document_for(address)
    live = Live(tools)
    console = Console(tools, authenticator, metrics, address, document, live)
    return site(tools, authenticator, metrics, document, Pages(console, _METHODS, HOME)), live


def project_pages(parts: Parts) -> list[Page]:
    """Every page of a project."""
    # Fixed words such as `new` stand where other pages have an id, and come first.
    first = (*overview.pages(parts), *fleet.pages(parts), *create.pages(parts))
    return [*first, *notebook.pages(parts), *administration.pages(parts), *bulk.pages(parts)]


class Console:
    """The ASGI callable of all pages."""

    def __init__(
        self,
        tools: Tools,
        authenticator: Authenticator,
        metrics: Metrics,
        address: str,
        document: dict[str, Any],
        live: Live,
    ) -> None:
        self._tools = tools
        self._authenticator = authenticator
        self._metrics = metrics
        self._address = address
        self._renderer = Renderer()
        self._document = document
        cookie = session_cookie(secure=address.startswith("https:"))
        self._signing_in = SigningIn(tools.context, self._renderer, cookie, address)
        parts = Parts(self._renderer, live, address, tools.presenter.gateway)
        self._routes = [_route(page) for page in project_pages(parts)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, request_id, started = Request(scope, receive), new_request_id(), time.perf_counter()
        look = Look.of(request)
        texts.use(look.language)
        name, answer = self._found(request)
        try:
            _refuse_nul(request)
            response = await answer(request, look, request_id)
        except ClientDisconnect:
            return
        except ApiError as refusal:
            response = self._refused(request, look, refusal)
        except Unavailable as fault:
            log.warning("store unavailable", request_id=request_id, page=name, cause=str(fault))
            response = self._refused(request, look, errors.overloaded(RETRY_AFTER))
        except Exception:
            log.exception("page failed", request_id=request_id, page=name)
            response = self._refused(request, look, errors.internal())
        for header, value in {**HEADERS, "X-Request-Id": request_id}.items():
            response.headers.setdefault(header, value)
        seconds = time.perf_counter() - started  # Until there is an answer: a stream goes on for hours.
        await response(scope, receive, send)
        self._metrics.observe_request(f"page {name}", response.status_code, seconds)
        ms = round(seconds * 1000, 2)
        log.info("page", request_id=request_id, page=name, status=response.status_code, ms=ms)

    def _found(self, request: Request) -> "tuple[str, _Answer]":
        """The name of the page at the path of the request, and who answers it."""
        path, changes = request.url.path, request.method == "POST"
        if path.startswith(STATIC):
            return "static", self._static
        if path == "/login":
            return "sign in", self._log_in if changes else self._login
        plain: dict[str, tuple[str, _Answer]] = {
            "/": ("front", self._front),
            HOME: ("home", self._home),
            "/docs": ("operations", self._docs),
            "/logout": ("sign out", self._log_out),
            "/look": ("look", self._change_look),
        }
        return plain[path] if path in plain else self._page_at(request)

    def _page_at(self, request: Request) -> "tuple[str, _Answer]":
        others: set[str] = set()
        for page, route in self._routes:
            match, inner = route.matches(request.scope)
            if match is Match.FULL:
                request.scope["path_params"] = inner["path_params"]
                return page.name, self._answer_of(page)
            if match is Match.PARTIAL:
                others |= route.methods or set()
        return "none", _only(others) if others else _nothing

    def _answer_of(self, page: Page) -> "_Answer":
        async def answer(request: Request, look: Look, request_id: str) -> Response:
            project_id = request.path_params["project"]
            return await page.handler(await self._visit(request, look, request_id, project_id))

        return answer

    # Pages without a project.

    async def _static(self, request: Request, _look: Look, _request_id: str) -> Response:
        found = self._renderer.assets.answer(request)
        if found is None:
            raise errors.no_such_path(request.url.path)
        return found

    async def _front(self, _request: Request, _look: Look, _request_id: str) -> Response:
        return RedirectResponse(HOME, 303)

    async def _docs(self, request: Request, look: Look, _request_id: str) -> Response:
        groups, info = docs.operations_by_tag(self._document), self._document["info"]
        signed_in = self._authenticator.session_of(request.headers.raw) is not None
        values = {"info": info, "groups": groups, "signed_in": signed_in}
        return self._renderer.page("docs.html", look, None, **values)

    async def _login(self, request: Request, look: Look, _request_id: str) -> Response:
        return self._signing_in.shown(request, look)

    async def _log_in(self, request: Request, look: Look, _request_id: str) -> Response:
        return await self._signing_in.sent(request, look, await read_form(request))

    async def _change_look(self, request: Request, _look: Look, _request_id: str) -> Response:
        form = await read_form(request)
        if not trust.is_own_origin(request.headers, self._address):
            raise errors.not_from_here()
        response = RedirectResponse(place(form.one("then")), 303)
        chosen = ((LANGUAGE_COOKIE, "language", texts.LANGUAGES), (THEME_COOKIE, "theme", THEMES))
        for cookie, field, allowed in chosen:
            if form.one(field) in allowed:
                response.set_cookie(cookie, form.one(field), max_age=_YEAR, samesite="lax")
        return response

    # Pages of somebody who is signed in.

    async def _home(self, request: Request, look: Look, _request_id: str) -> Response:
        proof, session = await self._signed_in(request)
        if not proof.principal.roles:
            refusal, word = errors.foreign_project("of this user"), trust.csrf_word(session)
            values: dict[str, Any] = {"refusal": refusal, "csrf": word}
            return self._renderer.page("refused.html", look, None, refusal.status, **values)
        return RedirectResponse(f"{HOME}{next(iter(proof.principal.roles))}/", 303)

    async def _log_out(self, request: Request, _look: Look, _request_id: str) -> Response:
        proof, session = await self._signed_in(request)
        form = await self._checked_form(request, session)
        return await self._signing_in.out(form, session, proof.principal.user_id)

    async def _signed_in(self, request: Request) -> tuple[Proof, str]:
        session = self._authenticator.session_of(request.headers.raw)
        if session is None:
            raise errors_credentials.token_missing()
        proof = await self._authenticator.by_session(session)
        if not proof.any_project:
            raise errors_credentials.token_invalid()
        return proof, session

    async def _visit(self, request: Request, look: Look, request_id: str, project_id: str) -> Visit:
        proof, session = await self._signed_in(request)
        caller = _entered(proof, project_id)

        async def again() -> Caller:
            return _entered(await self._authenticator.by_session(session), project_id)

        form = await self._checked_form(request, session) if request.method == "POST" else Form({})
        desk = Desk(self._tools, proof, project_id, request_id)
        found = await identity.projects_of(self._tools.context, proof.principal, None)
        projects = [Project(one.id, one.name) for one in found]
        return Visit(request, look, session, proof, caller, projects, desk, form, again)

    async def _checked_form(self, request: Request, session: str) -> Form:
        """The form of a change that its sender is known to have wanted."""
        form = await read_form(request)
        word = request.headers.get(trust.CSRF_HEADER, form.one(trust.CSRF_FIELD))
        if not trust.is_own_origin(request.headers, self._address) or not trust.has_word(session, word):
            raise errors.not_from_here()
        return form

    # Refusals.

    def _refused(self, request: Request, look: Look, refusal: ApiError) -> Response:
        is_part = request.headers.get("hx-request") == "true"
        if refusal.status in (401, 403) and request.headers.get("accept") == "text/event-stream":
            return ended()
        if refusal.status == 401 and not is_part:
            then = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            response: Response = RedirectResponse(f"/login?then={quote(place(then), safe='')}", 303)
        elif refusal.status == 401:
            response = Response("", headers={"HX-Redirect": "/login"})
        elif is_part:
            # Beside what is shown, and as an ordinary answer: browsers call every other one an error.
            text = self._renderer.text("notice.html", refusal=refusal, visit=None, look=look)
            response = Response(text, media_type="text/html")
            response.headers.update(_AS_NOTICE)
        else:
            again = request.method == "GET" and refusal.status in BUSY
            values: dict[str, Any] = {"refusal": refusal, "again": again}
            response = self._renderer.page("refused.html", look, None, refusal.status, **values)
        response.headers.update(refusal.headers)
        return response


_Answer = Callable[[Request, Look, str], Awaitable[Response]]


def _refuse_nul(request: Request) -> None:
    """No field of anything may hold it, and not every database takes it."""
    if "\0" in request.url.path or "%00" in request.url.query:
        raise errors.invalid_query("address", "NUL", "text without NUL")


async def _nothing(request: Request, _look: Look, _request_id: str) -> Response:
    raise errors.no_such_page(request.url.path)


def _only(methods: set[str]) -> "_Answer":
    async def answer(request: Request, _look: Look, _request_id: str) -> Response:
        raise errors.no_such_method(request.method, sorted(methods))

    return answer


def _entered(proof: Proof, project_id: str) -> Caller:
    caller = access.enter(proof.principal, project_id)
    if caller is None:
        raise errors.foreign_project(project_id)
    return caller


def _route(page: Page) -> tuple[Page, Route]:
    path = f"{HOME}{{project}}/{page.path}"
    return page, Route(path, page.handler, methods=[page.method])  # pyright: ignore[reportArgumentType]

"""In and out: a one-time link or a name with its password, and the end of one session or of all.

Nothing here is taken from a request as a place to go to, but a path of the console in the form that its own
pages have.
"""

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nbfleet.console import trust
from nbfleet.console.render import Renderer
from nbfleet.console.visit import Form, Look
from nbfleet.services import identity
from nbfleet.services.context import Context
from nbfleet.wire.errors import ApiError

HOME = "/console/"
_PATH = re.compile(r"/console/(?:[A-Za-z0-9_.~-]+/)*[A-Za-z0-9_.~-]*(?:\?[A-Za-z0-9_.~%&=+*,-]*)?")
_LONGEST = 256


def place(text: str) -> str:
    """The path to go on to, if it is one of the console's."""
    return text if len(text) <= 2048 and _PATH.fullmatch(text) and "//" not in text else HOME


class SigningIn:
    """`cookie` is the name under which browsers keep a session, `address` where they reach the service."""

    def __init__(self, context: Context, renderer: Renderer, cookie: str, address: str) -> None:
        self._context = context
        self._renderer = renderer
        self._cookie = cookie
        self._address = address

    def shown(self, request: Request, look: Look) -> Response:
        # Looking at a link must not use it up: mail scanners and previews do that.
        ticket = request.query_params.get("ticket", "")[:_LONGEST]
        then = place(request.query_params.get("then", ""))
        return self._page(look, ticket=ticket, then=then)

    async def sent(self, request: Request, look: Look, form: Form) -> Response:
        ticket, then = form.one("ticket"), place(form.one("then"))
        # What comes from nowhere in particular can only be a program, which nobody can trick; a page of
        # another site must not sign anybody in as somebody else.
        if "origin" in request.headers and not trust.is_own_origin(request.headers, self._address):
            return self._page(look, 403, refused="origin", then=then)
        if ticket:
            token = None if len(ticket) > _LONGEST else await identity.log_in(self._context, ticket)
            refused = "ticket"
        else:
            token = await self._by_password(form.one("name"), form.one("password"))
            refused = "password"
        if token is None:
            return self._page(look, 403, refused=refused, name=form.one("name")[:_LONGEST], then=then)
        return self._let_in(RedirectResponse(then, 303), token)

    async def _by_password(self, name: str, password: str) -> str | None:
        try:
            issued = await identity.issue_token(
                self._context,
                password,
                user_id=None,
                user_name=name,
                account=None,
                project_id=None,
                project_name=None,
            )
        except ApiError as refusal:
            if refusal.status != 401:
                raise
            return None
        return issued.token

    def _let_in(self, response: Response, token: str) -> Response:
        response.set_cookie(
            self._cookie,
            token,
            max_age=self._context.settings.token_lifetime,
            httponly=True,
            samesite="lax",
            secure=self._address.startswith("https:"),
        )
        return response

    async def out(self, form: Form, session: str, user_id: str) -> Response:
        """Ends this session, or with `everywhere` all of them and every token of the user."""
        if form.one("everywhere"):
            await identity.end_sessions(self._context, user_id)
        else:
            await identity.end_session(self._context, session)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(
            self._cookie, httponly=True, samesite="lax", secure=self._address.startswith("https:")
        )
        return response

    def _page(self, look: Look, status: int = 200, **values: str) -> Response:
        told = {"ticket": "", "refused": "", "name": "", **values}
        return self._renderer.page("login.html", look, None, status, **told)

"""The few pages on the API's port: the operations to browse, and the exchange of a login link.

They show what the served document says and hold nothing of their own. Notebook pages never share this
origin: they are on the gateway's.
"""

import secrets
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from nbfleet.api.auth import SESSION_COOKIE
from nbfleet.api.handlers import HANDLERS
from nbfleet.services import identity
from nbfleet.services.context import Context

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_METHODS = ("get", "post", "put", "patch", "delete")
_LONGEST_TICKET = 256


def routes(context: Context, document: dict[str, Any]) -> list[Route]:
    # As browsers see it: the proxy in front may speak TLS where we do not.
    secure = document["servers"][0]["url"].startswith("https:")

    async def front(_request: Request) -> Response:
        return RedirectResponse("/docs", 303)

    async def docs(_request: Request) -> Response:
        return _page("docs.html", info=document["info"], groups=operations_by_tag(document))

    async def login(request: Request) -> Response:
        if request.method != "POST":
            # Looking at a link must not use it up: mail scanners and previews do that.
            return _page("login.html", ticket=request.query_params.get("ticket", "")[:_LONGEST_TICKET])
        ticket = await _posted_ticket(request)
        token = None if ticket is None else await identity.log_in(context, ticket)
        if token is None:
            return _page("login_refused.html", 403)
        response = RedirectResponse("/docs", 303)
        response.set_cookie(
            SESSION_COOKIE,
            token,
            max_age=context.settings.token_lifetime,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return response

    return [
        Route("/", front),
        Route("/docs", docs),
        Route("/login", login, methods=["GET", "POST"]),
    ]


async def _posted_ticket(request: Request) -> str | None:
    """The ticket of the form, without reading further than one can reach; None from one who went away."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _LONGEST_TICKET + len("ticket="):
                return None
    except ClientDisconnect:
        return None
    return body.decode("ascii", "replace").removeprefix("ticket=")


def operations_by_tag(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Tags with their operations, in the order of the document."""
    groups: dict[str, dict[str, Any]] = {
        tag["name"]: {"name": tag["name"], "description": tag["description"], "operations": []}
        for tag in document["tags"]
    }
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = item[method]
                shown = {
                    "method": method.upper(),
                    "path": path,
                    "available": operation["operationId"] in HANDLERS,
                    **operation,
                }
                groups[operation["tags"][0]]["operations"].append(shown)
    return [group for group in groups.values() if group["operations"]]


def _page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    nonce = secrets.token_urlsafe(12)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(_templates.get_template(name).render(nonce=nonce, **values), status, headers)

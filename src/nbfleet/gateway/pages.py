"""What a caller sees instead of a notebook: a small page for browsers, an envelope for programs.

Self-contained and escaped. Nothing of the request is echoed, so there is nothing to inject.
"""

import json
from dataclasses import dataclass
from html import escape

from nbfleet.gateway.asgi import RawHeaders


@dataclass(frozen=True)
class Problem:
    status: int
    code: str
    sentence: str
    advice: str


BAD_REQUEST = Problem(
    400, "Gateway.BadRequest", "The request could not be understood.", "Check the address and try again."
)
UNAUTHORIZED = Problem(
    401,
    "Gateway.Unauthorized",
    "This link is not valid, or no longer.",
    "Open the notebook from the console again; the link changes with every start.",
)
CROSS_SITE = Problem(
    403,
    "Gateway.CrossSite",
    "The request came from another site.",
    "Open the notebook in a tab of its own and repeat the step there.",
)
NOT_FOUND = Problem(
    404,
    "Gateway.NotFound",
    "There is no such notebook.",
    "Check the address, or open the notebook from the console.",
)
METHOD = Problem(405, "Gateway.MethodNotAllowed", "This method is not supported here.", "Use another method.")
TOO_LARGE = Problem(
    431, "Gateway.HeadTooLarge", "The request head is too large.", "Delete this site's cookies and try again."
)
NO_ANSWER = Problem(
    502,
    "Gateway.NoAnswer",
    "The notebook does not answer.",
    "Wait a moment and reload; if it stays so, restart the notebook.",
)
UNAVAILABLE = Problem(
    503, "Gateway.Unavailable", "The service cannot answer just now.", "Wait a moment and reload."
)


def not_running(word: str) -> Problem:
    status = word if word.isascii() and word.replace("_", "").isalnum() and len(word) <= 32 else "UNKNOWN"
    return Problem(
        503,
        "Gateway.NotRunning",
        f"The notebook is not running (status: {status}).",
        "Start it, wait until it is running, and open it from the console.",
    )


def render(problem: Problem, *, html: bool) -> tuple[RawHeaders, bytes]:
    headers: RawHeaders = [
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if problem.status == 401:
        headers.append((b"www-authenticate", b"token"))
    if not html:
        body = {"error_code": problem.code, "error_msg": f"{problem.sentence} {problem.advice}"}
        return [*headers, (b"content-type", b"application/json")], json.dumps(body).encode()
    headers.append((b"content-type", b"text/html; charset=utf-8"))
    headers.append((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"))
    return headers, _page(problem).encode()


def _page(problem: Problem) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Notebook</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}"
        "small{color:#767676}</style></head><body>"
        f"<h1>{escape(problem.sentence)}</h1><p>{escape(problem.advice)}</p>"
        f"<small>{problem.status} {escape(problem.code)}</small></body></html>"
    )

"""Admission, with a resolver and a server that are plain functions."""

import asyncio

import pytest

from nbfleet import gateway
from nbfleet.gateway import Credentials, Refusal, Refused, Settings, Upstream

ID = "0f2b7b52-6c1e-4c53-9d60-0a3f3a1f9a11"
COOKIE = (b"cookie", f"nbfleet-{ID}=right".encode())
HTML = (b"accept", b"text/html")


def call(outcome=None, *, settings=None, path=f"/{ID}/lab", query=b"", headers=(), **changes):
    """Send one request; returns what was asked of the resolver, what the server got, and the scope."""
    asked, sent = [], []

    async def resolve(host, raw_path, credentials):
        asked.append((host, raw_path, credentials))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    told = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        return next(told, None) or await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"host", b"nb.example"), *headers],
        "client": ("10.0.0.1", 1),
    }
    scope |= changes

    async def go():
        application = gateway.app(resolve, settings)
        await application(scope, receive, send)
        await application.close()

    asyncio.run(go())
    return asked, sent, scope


def status(*args, **kwargs):
    return call(*args, **kwargs)[1][0]["status"]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Refusal(Refused.NOT_FOUND), 401),
        (Refusal(Refused.NOT_FOUND, verified=True), 404),
        (Refusal(Refused.UNAUTHORIZED), 401),
        (Refusal(Refused.NOT_RUNNING, "STOPPED"), 503),
        (Refusal(Refused.UNAVAILABLE), 503),
        (RuntimeError("store"), 503),
        (Upstream("unix:/nonexistent/socket", "s", "c", ID), 502),
        (Upstream("ftp://host", "s", "c", ID), 502),
        (Upstream("http://host/path", "s", "c", ID), 502),
    ],
)
def test_each_outcome_has_a_status(outcome, expected):
    assert status(outcome, headers=[COOKIE]) == expected


def test_nobody_is_asked_about_a_caller_who_shows_nothing():
    asked, sent, _ = call(Refusal(Refused.NOT_FOUND))
    assert (asked, sent[0]["status"]) == ([], 401)


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        (b"token=q", [(b"authorization", b"token h")], Credentials(token="q")),
        (b"", [(b"authorization", b"token h")], Credentials(token="h")),
        (b"token=", [(b"authorization", b"Bearer h")], Credentials(token="h")),
        (b"", [COOKIE], Credentials(cookie="right")),
        (b"token=", [COOKIE], Credentials(cookie="right")),
    ],
)
def test_the_order_of_credentials(query, headers, expected):
    asked, _, _ = call(Refusal(Refused.UNAUTHORIZED), query=query, headers=headers)
    assert asked == [("nb.example", f"/{ID}/lab", expected)]


def test_a_wrong_token_is_refused_beside_a_right_cookie():
    async def resolve(host, path, credentials):
        if credentials.cookie == "right":
            return Upstream("unix:/nonexistent", "instance-secret", "right", ID)
        return Refusal(Refused.UNAUTHORIZED)

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "scheme": "http", "raw_path": f"/{ID}/lab".encode()}
    scope |= {"headers": [(b"host", b"a"), COOKIE, (b"authorization", b"token wrong")], "query_string": b""}
    asyncio.run(gateway.app(resolve)(scope, receive, send))
    assert sent[0]["status"] == 401


@pytest.mark.parametrize(
    ("secure", "scheme", "marked"),
    [(None, "http", False), (None, "https", True), (True, "http", True), (False, "https", False)],
)
def test_the_cookie_is_marked_secure_where_the_page_is(secure, scheme, marked):
    found = Upstream("unix:/x", "s", "value", ID)
    settings = Settings(secure=secure)
    _, sent, _ = call(found, settings=settings, query=b"token=t", headers=[HTML], scheme=scheme)
    line = dict(sent[0]["headers"])[b"set-cookie"]
    assert line.endswith(b"; Secure") is marked


def test_the_scope_keeps_no_token_for_the_server_to_log():
    _, _, scope = call(Refusal(Refused.UNAUTHORIZED), query=b"a=1&token=t")
    assert scope["query_string"] == b"a=1"


@pytest.mark.parametrize("origin", ["http://nb.example", "https://public.example"])
def test_own_and_public_origins_may_change_state(origin):
    settings = Settings(public_origins=frozenset({"https://public.example"}))
    headers = [COOKIE, (b"origin", origin.encode())]
    assert status(Refusal(Refused.UNAVAILABLE), settings=settings, method="POST", headers=headers) == 503
    assert status(Refusal(Refused.UNAVAILABLE), method="POST", headers=[COOKIE]) == 403


def test_a_websocket_is_refused_where_the_server_cannot_send_an_answer():
    _, sent, _ = call(None, type="websocket", scheme="ws")
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_trace_is_refused():
    assert status(None, method="TRACE", headers=[COOKIE]) == 405


def test_no_secret_shows_in_a_representation():
    shown = repr(Credentials("tok-1", "cook-1")) + repr(Upstream("unix:/x", "sec-1", "cook-2", ID))
    assert [word for word in ("tok-1", "cook-1", "sec-1", "cook-2") if word in shown] == []

"""HTTP through a real server: admission, heads, streams, and how exchanges end."""

import asyncio
import gzip
import hashlib
import json
import resource
import socket

import aiohttp
import pytest
import yarl
from gateway_harness import COOKIE, COOKIE_NAME, ID, SECRET, SILENT, STOPPED, TOKEN

from nbfleet.gateway.pool import Pool

UNKNOWN = "99999999-6c1e-4c53-9d60-0a3f3a1f9a11"
AUTH = {"Authorization": f"token {TOKEN}"}
MY_COOKIE = {"Cookie": f"{COOKIE_NAME}={COOKIE}"}
HTML = {"Accept": "text/html"}


def ask(server, target, method="GET", headers=None, data=None):
    async def go():
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False) as session:
            url = yarl.URL(f"http://{server}{target}", encoded=True)
            async with session.request(method, url, headers=headers, data=data, allow_redirects=False) as got:
                return got.status, got.headers, await got.read()

    return asyncio.run(go())


def raw(server, request: bytes) -> bytes:
    host, port = server.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        got = b""
        while chunk := connection.recv(65536):
            got += chunk
        return got


def test_health_and_everything_else_on_the_port(server):
    status, _, body = ask(server, "/healthz")
    assert (status, body) == (200, b'{"status":"ok"}')
    for path in ("/", "/lab", "/favicon.ico", f"//{ID}/", "/healthz/", f"/{ID.upper()}/"):
        assert ask(server, path, headers=AUTH)[0] == 404
    assert ask(server, "/healthz", "POST")[0] == 405


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "token wrong"},
        {"Authorization": "Basic abc"},
        {"Cookie": f"{COOKIE_NAME}=old"},
        {"Cookie": f"nbfleet-{STOPPED}={COOKIE}"},
        {**MY_COOKIE, "Authorization": "token wrong"},
    ],
)
def test_without_right_credentials_known_and_unknown_look_alike(server, headers):
    for accept in ("text/html", "*/*"):
        known = ask(server, f"/{ID}/echo", headers={**headers, "Accept": accept})
        unknown = ask(server, f"/{UNKNOWN}/echo", headers={**headers, "Accept": accept})
        stopped = ask(server, f"/{STOPPED}/echo", headers={**headers, "Accept": accept})
        if "nbfleet-2" not in headers.get("Cookie", ""):
            assert stopped == known
        assert known == unknown
        assert known[0] == 401


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_every_method_needs_credentials(server, method):
    assert ask(server, f"/{ID}/echo", method)[0] == 401
    assert ask(server, f"/{ID}/echo?token=wrong", method, headers=MY_COOKIE)[0] == 401
    assert ask(server, f"/{ID}/echo", method, headers=AUTH)[0] == 200


def test_errors_are_pages_or_envelopes(server):
    status, headers, body = ask(server, f"/{ID}/echo", headers=HTML)
    assert (status, headers["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert body.startswith(b"<!doctype html>")
    status, headers, body = ask(server, f"/{STOPPED}/echo", headers=AUTH)
    assert (status, json.loads(body)["error_code"]) == (503, "Gateway.NotRunning")
    assert b"STOPPED" in body
    assert ask(server, f"/{SILENT}/echo", headers=AUTH)[0] == 502


def test_a_token_in_the_address_becomes_a_cookie(server):
    status, headers, body = ask(server, f"/{ID}/lab/tree/a%2Fb?x=1&token={TOKEN}&y=%20", headers=HTML)
    assert (status, body) == (302, b"")
    assert headers["Location"] == f"/{ID}/lab/tree/a%2Fb?x=1&y=%20"
    assert headers["Set-Cookie"] == f"{COOKIE_NAME}={COOKIE}; Path=/{ID}/; HttpOnly; SameSite=Lax"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert ask(server, f"/{ID}?token={TOKEN}", headers=HTML)[1]["Location"] == f"/{ID}/"
    assert ask(server, f"/{ID}/lab?token=wrong", headers={**HTML, **MY_COOKIE})[0] == 401


def test_a_missing_slash_is_added(server):
    assert ask(server, f"/{ID}")[1]["Location"] == f"/{ID}/"
    assert ask(server, f"/{UNKNOWN}?a=b")[1]["Location"] == f"/{UNKNOWN}/?a=b"
    assert ask(server, f"/{ID}", "POST", headers=AUTH)[0] == 404


def test_a_script_with_a_token_in_the_address_is_relayed(server):
    status, _, body = ask(server, f"/{ID}/echo?token={TOKEN}&x=1")
    assert status == 200
    assert json.loads(body)["target"] == f"/{ID}/echo?x=1"
    assert TOKEN.encode() not in body


@pytest.mark.parametrize(
    "target",
    [
        "/echo/a%2Fb%20c",
        "/echo//x/../y/./z",
        "/echo/%7E%41;v=1,2?a=%2b+b&&c=/?",
        "/echo/'()*!$@:[]|",
        "/echo?x=%FF%zz",
    ],
)
def test_the_target_keeps_its_bytes(server, target):
    head = (
        f"GET /{ID}{target} HTTP/1.1\r\nHost: a\r\nAuthorization: token {TOKEN}\r\nConnection: close\r\n\r\n"
    )
    body = raw(server, head.encode()).partition(b"\r\n\r\n")[2]
    assert json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])["target"] == f"/{ID}{target}"


def test_the_instance_sees_none_of_our_credentials(server):
    sent = {
        "Host": "nb.example.org:1234",
        "Authorization": f"Bearer {TOKEN}",
        "Cookie": f"a=b; {COOKIE_NAME}={COOKIE}; _xsrf=2",
        "X-Auth-Token": "iam",
        "X-Sdk-Date": "1",
        "X-Forwarded-For": "6.6.6.6",
        "Forwarded": "for=6.6.6.6",
        "Referer": f"http://x/{ID}/lab?token={TOKEN}",
        "X-Mine": "kept",
        "Connection": "close, x-hop",
        "X-Hop": "1",
    }
    _, headers, body = ask(server, f"/{ID}/echo", headers=sent)
    got = {name.lower(): value for name, value in json.loads(body)["headers"]}
    accepted = got.pop("accept-encoding"), got.pop("accept"), got.pop("user-agent")
    assert len(accepted) == 3
    assert got == {
        "host": "nb.example.org:1234",
        "authorization": f"token {SECRET}",
        "cookie": "a=b; _xsrf=2",
        "referer": f"http://x/{ID}/lab",
        "x-mine": "kept",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "nb.example.org:1234",
        "x-forwarded-for": "127.0.0.1",
    }
    assert headers.getall("Set-Cookie") == [f"_xsrf=1; Path=/{ID}/", f"theme=dark; Path=/{ID}/"]
    assert SECRET not in str(headers)


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 403), ("null", 403), ("http://evil.example", 403), ("http://127.0.0.1", 403), ("own", 200)],
)
def test_a_cookie_changes_state_only_from_our_own_pages(server, origin, status):
    headers = dict(MY_COOKIE)
    if origin:
        headers["Origin"] = f"http://{server}" if origin == "own" else origin
    assert ask(server, f"/{ID}/echo", "POST", headers=headers, data=b"x")[0] == status
    assert ask(server, f"/{ID}/echo", "GET", headers=headers)[0] == 200


def test_the_secret_that_jupyterlab_shows_its_pages_counts_only_beside_the_cookie(server):
    secret = {"Authorization": f"token {SECRET}"}
    own = {"Origin": f"http://{server}"}
    assert ask(server, f"/{ID}/echo", headers=secret)[0] == 401
    assert ask(server, f"/{ID}/echo", headers={**secret, **MY_COOKIE})[0] == 200
    assert ask(server, f"/{ID}/echo?token={SECRET}", headers={**HTML, **MY_COOKIE})[0] == 200
    assert ask(server, f"/{ID}/echo", "POST", headers={**secret, **MY_COOKIE, **own})[0] == 200
    assert ask(server, f"/{ID}/echo", "POST", headers={**secret, **MY_COOKIE})[0] == 401


def test_redirects_are_passed_on(server):
    status, headers, _ = ask(server, f"/{ID}/status/302", headers=AUTH)
    assert (status, headers["Location"]) == (302, "http://169.254.169.254/x")


@pytest.mark.parametrize("code", [204, 304])
def test_answers_without_a_body_keep_the_connection(server, code):
    async def go():
        async with aiohttp.ClientSession(headers=AUTH) as session:
            for _ in range(3):
                async with session.get(f"http://{server}/{ID}/status/{code}") as got:
                    assert (got.status, got.headers["ETag"], await got.read()) == (code, '"e"', b"")

    asyncio.run(go())


def test_head_has_the_length_and_no_body(server):
    status, headers, body = ask(server, f"/{ID}/echo", "HEAD", headers=AUTH)
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100


def test_range(server):
    status, headers, body = ask(server, f"/{ID}/range", headers={**AUTH, "Range": "bytes=2-4"})
    assert (status, headers["Content-Range"], body) == (206, "bytes 2-4/26", b"cde")


def test_packed_bytes_pass_as_they_are(server):
    status, headers, body = ask(server, f"/{ID}/gzip", headers=AUTH)
    assert (status, headers["Content-Encoding"], body) == (200, "gzip", gzip.compress(b"packed", mtime=0))


@pytest.mark.parametrize("sized", [False, True])
def test_a_big_upload_streams(server, sized):
    block, count = b"u" * 2**20, 100

    async def blocks():
        for _ in range(count):
            yield block

    headers = {**AUTH, "Content-Length": str(len(block) * count)} if sized else AUTH
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    body = ask(server, f"/{ID}/sum", "POST", headers=headers, data=blocks())[2]
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert json.loads(body) == {"sha256": hashlib.sha256(block * count).hexdigest(), "count": 2**20 * count}
    assert after - before < 50 * 1024


def test_a_big_download_streams(server):
    async def go():
        count = 0
        async with (
            aiohttp.ClientSession(headers=AUTH) as session,
            session.get(f"http://{server}/{ID}/big/100") as got,
        ):
            async for chunk in got.content.iter_any():
                count += len(chunk)
        return count

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert asyncio.run(go()) == 100 * 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_a_caller_who_does_not_read_slows_the_instance_and_leaving_ends_it(server, upstream):
    upstream.left.clear()
    host, port = server.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"GET /{ID}/endless HTTP/1.1\r\nHost: a\r\nAuthorization: token {TOKEN}\r\n\r\n".encode()
        )
        assert connection.recv(10)
        produced = -1
        while produced != upstream.produced:  # Until back-pressure has stopped the source.
            produced = upstream.produced
            assert not upstream.left.wait(0.3)
        assert produced < 32 * 2**20
    assert upstream.left.wait(10)


def test_events_arrive_one_by_one_and_leaving_ends_them(server, upstream):
    upstream.left.clear()

    async def go():
        async with (
            aiohttp.ClientSession(headers=AUTH) as session,
            session.get(f"http://{server}/{ID}/events") as got,
        ):
            first = await got.content.readuntil(b"\n\n")
            upstream.nudge()
            return got.content_type, first, await got.content.readuntil(b"\n\n")

    assert asyncio.run(go()) == ("text/event-stream", b"data: first\n\n", b"data: second\n\n")
    assert upstream.left.wait(10)


def test_an_upload_that_breaks_off_does_not_look_complete(server, upstream):
    upstream.left.clear()
    upstream.produced = 0
    host, port = server.split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /{ID}/sum HTTP/1.1\r\nHost: a\r\nAuthorization: token {TOKEN}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".encode())
        while upstream.produced != 5:
            assert not upstream.left.wait(0.01)
    assert upstream.left.wait(10)


def test_an_answer_that_breaks_off_does_not_look_complete(server):
    with pytest.raises(aiohttp.ClientPayloadError):
        ask(server, f"/{ID}/cut", headers=AUTH)


def test_continue_is_answered_and_an_early_answer_passes(server):
    head = f"POST /{ID}/sum HTTP/1.1\r\nHost: a\r\nAuthorization: token {TOKEN}\r\nConnection: close\r\n"
    got = raw(server, f"{head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab".encode())
    assert got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert ask(server, f"/{ID}/early", "POST", headers=AUTH, data=b"x")[0] == 413


@pytest.mark.parametrize(
    "lines",
    [
        "Host: a\r\nHost: b\r\n",
        "Host: a/b\r\n",
        "Host: \r\n",
        "Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        "Host: a\r\nX: b\r\n folded\r\n",
        "Host: a\r\nX: \xff\r\n",
        "Host : a\r\n",
        "",
    ],
)
def test_odd_heads_are_refused(server, lines):
    head = f"GET /{ID}/echo HTTP/1.1\r\n{lines}Connection: close\r\nAuthorization: token {TOKEN}\r\n\r\n"
    assert raw(server, head.encode("latin-1")).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "first",
    [
        "GET {path} HTTP/1.0",
        "GET http://evil.example{path} HTTP/1.1",
        "CONNECT evil.example:80 HTTP/1.1",
        "PRI * HTTP/2.0",
        "OPTIONS * HTTP/1.1",
        "POST {path} HTTP/1.1",
    ],
)
@pytest.mark.parametrize("upgrade", ["", "h2c", "websocket", "tls/1.2"])
def test_no_form_of_request_goes_around_the_check(server, registry, first, upgrade):
    registry.seen.clear()
    lines = f"Connection: upgrade\r\nUpgrade: {upgrade}\r\n" if upgrade else "Connection: close\r\n"
    host, port = server.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"{first.format(path=f'/{ID}/echo')}\r\nHost: a\r\n{lines}\r\n"
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        got = connection.recv(65536)
    assert got == b"" or got.split()[1] in (b"400", b"401", b"404", b"405", b"426")
    assert registry.seen == []


def test_large_heads_are_refused(server):
    head = f"GET /{ID}/echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {'a' * 40000}\r\n\r\n"
    assert raw(server, head.encode()).startswith(b"HTTP/1.1 431 ")


def test_measurements_and_lines_hold_no_secret(server, measured, capfd):
    measured.clear()
    assert ask(server, f"/{ID}/echo?token={TOKEN}", headers=MY_COOKIE)[0] == 200
    ask(server, "/healthz")  # The measurement of the first is taken by then.
    assert [entry[:2] for entry in measured[:1]] == [("GET", 200)]
    out = "".join(capfd.readouterr())
    assert f"/{ID}/echo" in out
    assert [secret for secret in (TOKEN, SECRET, COOKIE) if secret in out] == []


def test_an_idle_endpoint_makes_room():
    async def go():
        pool = Pool(endpoints=2, connections=10, connect_timeout=1)
        with pool.lease("unix:/a") as busy:
            for name in "bcd":
                with pool.lease(f"unix:/{name}"):
                    pass
            kept = len(pool)
            still_open = not busy.session.closed
        await pool.close()
        return kept, still_open, len(pool)

    assert asyncio.run(go()) == (2, True, 0)

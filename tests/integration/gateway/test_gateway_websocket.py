"""WebSockets through a real server: admission before the handshake, messages, and how they end."""

import asyncio

import aiohttp
import gateway_harness as harness
import pytest
from gateway_harness import COOKIE, COOKIE_NAME, ID, SECRET, SILENT, STOPPED, TOKEN

from nbfleet import gateway

PROTOCOL = "v1.kernel.websocket.jupyter.org"
AUTH = {"Authorization": f"token {TOKEN}"}
MY_COOKIE = {"Cookie": f"{COOKIE_NAME}={COOKIE}"}


def over(server, path, talk, headers=AUTH, protocols=()):
    async def go():
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.ws_connect(
                f"ws://{server}{path}", headers=headers, protocols=protocols, max_msg_size=0
            ) as ws,
        ):
            hello = await ws.receive_json()
            return await talk(ws, hello)

    return asyncio.run(go())


def refusal(server, path, headers=None):
    async def talk(ws, hello):
        return None

    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        over(server, path, talk, headers or {})
    return caught.value.status


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (f"/{ID}/ws", {}, 401),
        (f"/{ID}/ws", {"Authorization": "token wrong"}, 401),
        (f"/{ID}/ws?token=wrong", MY_COOKIE, 401),
        (f"/{ID}/ws", {"Cookie": f"{COOKIE_NAME}=old", "Origin": "own"}, 401),
        (f"/{ID}/ws", MY_COOKIE, 403),
        (f"/{ID}/ws", {**MY_COOKIE, "Origin": "null"}, 403),
        (f"/{ID}/ws", {**MY_COOKIE, "Origin": "http://evil.example"}, 403),
        (f"/{ID}/ws", {**MY_COOKIE, **AUTH, "Origin": "http://evil.example"}, 403),
        (f"/{STOPPED}/ws", AUTH, 503),
        (f"/{SILENT}/ws", AUTH, 502),
        (f"/{ID}", AUTH, 404),
        ("/healthz", AUTH, 404),
        (f"/{ID}/ws-refuse", AUTH, 403),
        (f"/{ID}/status/500", AUTH, 500),
        (f"/{ID}/status/200", AUTH, 502),
    ],
)
def test_refused_before_the_handshake(server, path, headers, status):
    if headers.get("Origin") == "own":
        headers = {**headers, "Origin": f"http://{server}"}
    assert refusal(server, path, headers) == status


def test_a_redirect_of_the_handshake_is_not_followed(server, upstream):
    assert refusal(server, f"/{ID}/ws-redirect", AUTH) == 502
    assert not upstream.redirected.is_set()


@pytest.mark.parametrize("way", ["header", "query", "cookie", "secret"])
def test_each_credential_opens_and_none_reaches_the_instance(server, way):
    async def talk(ws, hello):
        return hello

    own = {**MY_COOKIE, "Origin": f"http://{server}"}
    path, headers = {
        "header": (f"/{ID}/ws?x=1", AUTH),
        "query": (f"/{ID}/ws?x=1&token={TOKEN}", {}),
        "cookie": (f"/{ID}/ws?x=1", own),
        "secret": (f"/{ID}/ws?token={SECRET}&x=1", own),
    }[way]
    hello = over(server, path, talk, headers)
    assert hello["target"] == f"/{ID}/ws?x=1"
    assert hello["headers"]["authorization"] == f"token {SECRET}"
    assert TOKEN not in str(hello)
    assert COOKIE not in str(hello)
    assert "sec-websocket-extensions" not in hello["headers"]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [((), None), ((PROTOCOL,), PROTOCOL), (("other", PROTOCOL), PROTOCOL), (("other",), None)],
)
def test_the_subprotocol_is_the_one_the_instance_chose(server, offered, chosen):
    async def talk(ws, hello):
        return ws.protocol, hello["headers"].get("sec-websocket-protocol")

    assert over(server, f"/{ID}/ws", talk, protocols=offered) == (chosen, ",".join(offered) or None)


def test_messages_pass_both_ways_unchanged(server):
    messages = ["", "text ☃", b"", bytes(range(256)), "x" * 70_000, b"y" * (20 * 2**20)]

    async def talk(ws, hello):
        got = []
        for message in messages:
            await (ws.send_str if isinstance(message, str) else ws.send_bytes)(message)
            got.append((await ws.receive()).data)
        return got

    assert over(server, f"/{ID}/ws", talk) == messages


def test_many_messages_in_flight_keep_their_order(server):
    async def talk(ws, hello):
        async def send():
            for number in range(2000):
                await ws.send_str(str(number))

        sender = asyncio.create_task(send())
        got = [await ws.receive_str() for _ in range(2000)]
        await sender
        return got

    assert over(server, f"/{ID}/ws", talk) == [str(number) for number in range(2000)]


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "bye"), (3999, "mine"), (4999, "ä" * 40)])
def test_how_the_caller_closes_reaches_the_instance(server, upstream, code, reason):
    async def talk(ws, hello):
        await ws.close(code=code, message=reason.encode())

    over(server, f"/{ID}/ws", talk)
    assert upstream.closed.result(10) == (code, reason)


def test_how_the_instance_closes_reaches_the_caller(server):
    async def talk(ws, hello):
        await ws.send_str("close 4321")
        message = await ws.receive()
        return message.type, message.data, message.extra

    assert over(server, f"/{ID}/ws", talk) == (aiohttp.WSMsgType.CLOSE, 4321, "because")


def test_an_instance_that_vanishes_closes_the_caller(server):
    async def talk(ws, hello):
        await ws.send_str("drop")
        return (await ws.receive()).data

    assert over(server, f"/{ID}/ws", talk) == 1014


def test_a_caller_that_vanishes_closes_the_instance(server, upstream):
    async def talk(ws, hello):
        ws._writer.transport.abort()

    over(server, f"/{ID}/ws", talk)
    assert upstream.closed.result(10)[0] in (1000, 1001)


def test_lost_rights_close_an_open_websocket(server, upstream, registry):
    async def talk(ws, hello):
        registry.revoked = True
        message = await ws.receive()
        return message.data, message.extra

    try:
        assert over(server, f"/{ID}/ws", talk) == (1008, "access has ended")
        assert upstream.closed.result(10) == (1008, "access has ended")
    finally:
        registry.revoked = False


def test_a_server_that_stops_tells_both_ends(upstream, registry):
    app = gateway.app(registry.resolve)

    async def talk(ws, hello):
        stopping = asyncio.to_thread(serving.__exit__, None, None, None)
        stopped = asyncio.ensure_future(stopping)
        message = await ws.receive()
        await stopped
        return message.data

    serving = harness.serving(app)
    assert over(serving.__enter__(), f"/{ID}/ws", talk) == 1012
    assert upstream.closed.result(10)[0] in (1012, 1001)

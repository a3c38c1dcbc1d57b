"""A real JupyterLab behind the gateway: pages, REST, kernels and static files as a user meets them."""

import asyncio
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import uuid

import aiohttp
import gateway_harness as harness
import pytest
from gateway_harness import COOKIE, COOKIE_NAME, ID, SECRET, TOKEN
from yarl import URL

from nbfleet import gateway

AUTH = {"Authorization": f"token {TOKEN}"}
KERNEL_PROTOCOL = "v1.kernel.websocket.jupyter.org"


def _environment(home):
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return env | {
        "HOME": str(home),
        "JUPYTER_TOKEN": SECRET,
        "JUPYTER_RUNTIME_DIR": str(home / "run"),
        "JUPYTER_CONFIG_DIR": str(home / "etc"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "IPYTHONDIR": str(home / "ipython"),
    }


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    home = tmp_path_factory.mktemp("j")
    path = home / "lab.sock"
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", f"--sock={path}"]
    options = [
        f"--ServerApp.base_url=/{ID}/",
        f"--ServerApp.root_dir={home}",
        "--ServerApp.allow_remote_access=True",
    ]
    process = subprocess.Popen(
        [*command, *options], env=_environment(home), cwd=home, stderr=subprocess.PIPE, text=True
    )
    try:
        # The server announces its address once it listens; reading to there needs no waiting by time.
        assert any("is running at" in line for line in process.stderr)
        # A full pipe would stop it, so someone has to go on reading.
        reader = threading.Thread(target=process.stderr.read, daemon=True)
        reader.start()
        yield path
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.join(30)
        process.stderr.close()


@pytest.fixture(scope="module")
def lab(jupyter):
    registry = harness.Registry(f"unix:{jupyter}")
    with harness.serving(gateway.app(registry.resolve)) as address:
        yield f"http://{address}"


@contextlib.asynccontextmanager
async def direct(path):
    headers = {"Authorization": f"token {SECRET}"}
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession(connector=connector, headers=headers, auto_decompress=False) as session:
        yield session


async def browse(session, lab):
    async with session.get(f"{lab}/{ID}/lab?token={TOKEN}", headers={"Accept": "text/html"}) as got:
        return got.status, str(got.url), [hop.status for hop in got.history], await got.text()


def test_opening_the_link_shows_lab_at_a_clean_address(lab):
    async def go():
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            opened = await browse(session, lab)
            names = set(jar.filter_cookies(URL(f"{lab}/{ID}/")))
            outside = set(jar.filter_cookies(URL(f"{lab}/x/")))
            async with session.get(f"{lab}/{ID}/api/status") as got:
                return opened, names, outside, got.status

    (status, url, hops, text), names, outside, api = asyncio.run(go())
    assert (status, url, hops, api) == (200, f"{lab}/{ID}/lab", [302], 200)
    assert f'"baseUrl": "/{ID}/"' in text
    assert COOKIE_NAME in names
    assert "_xsrf" in names
    assert outside == set()


def _scripts_of_lab(page):
    """What the page's own scripts send: the token of the page configuration."""
    config = json.loads(
        re.search(r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.S)[1]
    )
    return config["token"]


def test_lab_s_own_scripts_get_through_with_the_token_they_find(lab):
    async def go():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            page = (await browse(session, lab))[3]
            token = _scripts_of_lab(page)
            headers = {"Authorization": f"token {token}", "Origin": lab, "Sec-Fetch-Site": "same-origin"}
            async with session.post(f"{lab}/{ID}/api/kernels", headers=headers, json={}) as got:
                kernel, created = await got.json(), got.status
            url = f"{lab}/{ID}/api/kernels/{kernel['id']}/channels?session_id=1&token={token}"
            async with session.ws_connect(url, headers={"Origin": lab}, protocols=(KERNEL_PROTOCOL,)) as ws:
                answer = await execute(ws, "6*7")
            async with session.delete(f"{lab}/{ID}/api/kernels/{kernel['id']}", headers=headers) as got:
                return created, answer, got.status

    assert asyncio.run(go()) == (201, "42", 204)


@pytest.mark.parametrize("protocols", [(KERNEL_PROTOCOL,), ()])
def test_a_kernel_computes_over_its_websocket(lab, protocols):
    async def go():
        async with aiohttp.ClientSession(headers=AUTH) as session:
            async with session.post(f"{lab}/{ID}/api/kernels", json={"name": "python3"}) as got:
                kernel = await got.json()
            url = f"{lab}/{ID}/api/kernels/{kernel['id']}/channels"
            async with session.ws_connect(url, protocols=protocols, max_msg_size=0) as ws:
                answer = ws.protocol, await execute(ws, "6*7")
            async with session.delete(f"{lab}/{ID}/api/kernels/{kernel['id']}") as got:
                return *answer, got.status

    assert asyncio.run(go()) == (protocols[0] if protocols else None, "42", 204)


async def execute(ws, code):
    """Run code in the kernel and return the text of its result, in either wire form."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "1",
        "version": "5.3",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
    }
    if ws.protocol:
        await ws.send_bytes(_pack("shell", header, {}, {}, content))
    else:
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
        }
        await ws.send_str(json.dumps(message))
    while True:
        received = await ws.receive()
        if received.type is aiohttp.WSMsgType.BINARY:
            kind, parent, body = _unpack(received.data)
        else:
            whole = json.loads(received.data)
            kind, parent, body = whole["header"]["msg_type"], whole["parent_header"], whole["content"]
        if kind == "execute_result" and parent["msg_id"] == header["msg_id"]:
            return body["data"]["text/plain"]


def _pack(channel, *parts):
    chunks = [channel.encode(), *(json.dumps(part).encode() for part in parts)]
    offsets = [8 * (len(chunks) + 2)]
    for chunk in chunks:
        offsets.append(offsets[-1] + len(chunk))
    head = [len(offsets), *offsets]
    return b"".join(number.to_bytes(8, "little") for number in head) + b"".join(chunks)


def _unpack(data):
    count = int.from_bytes(data[:8], "little")
    offsets = [int.from_bytes(data[8 * i : 8 * i + 8], "little") for i in range(1, count + 1)]
    parts = [data[start:end] for start, end in itertools.pairwise(offsets)]
    header, parent, _, content = (json.loads(part) for part in parts[1:5])
    return header["msg_type"], parent, content


def test_api_status_with_a_header_and_a_foreign_host_name(lab):
    async def go():
        async with (
            aiohttp.ClientSession(headers=AUTH) as session,
            session.get(f"{lab}/{ID}/api/status", headers={"Host": "nb.example.org"}) as got,
        ):
            return got.status, sorted(await got.json())

    assert asyncio.run(go()) == (200, ["connections", "kernels", "last_activity", "started"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "token of-the-last-start"},
        {"Cookie": f"{COOKIE_NAME}=of-the-last-start"},
        {"Authorization": f"token {SECRET}"},
        {"Cookie": f"{COOKIE_NAME}={COOKIE}", "Authorization": "token of-the-last-start"},
    ],
)
def test_wrong_and_old_credentials_are_refused(lab, headers):
    async def go():
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.get(f"{lab}/{ID}/api/status") as plain:
                pass
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"{lab}/{ID}/api/events/subscribe", headers={"Origin": lab})
            return plain.status, caught.value.status

    assert asyncio.run(go()) == (401, 401)


def test_static_files_pass_byte_for_byte_and_revalidate(lab, jupyter):
    async def fetch(session, url, headers):
        async with session.get(url, headers=headers) as got:
            kept = {
                name: got.headers.get(name)
                for name in ("Content-Type", "Content-Encoding", "ETag", "Content-Length", "Last-Modified")
            }
            return got.status, kept, await got.read()

    async def go():
        async with (
            direct(jupyter) as inside,
            aiohttp.ClientSession(headers=AUTH, auto_decompress=False) as outside,
        ):
            async with inside.get(f"http://x/{ID}/lab") as got:
                page = (await got.read()).decode()
            path = re.search(rf"/{ID}/static/lab/main\.[0-9a-f]+\.js[^\"]*", page)[0]
            pairs = []
            for headers in (
                {"Accept-Encoding": "gzip"},
                {"Accept-Encoding": "identity"},
                {"Range": "bytes=10-99"},
            ):
                one = await fetch(inside, f"http://x{path}", headers)
                pairs.append((one, await fetch(outside, f"{lab}{path}", headers)))
            since = {"If-Modified-Since": pairs[1][0][1]["Last-Modified"]}
            unchanged = [await fetch(outside, f"{lab}{path}", since)]
            specs = f"{lab}/{ID}/api/kernelspecs"
            etag = {"If-None-Match": (await fetch(outside, specs, {}))[1]["ETag"]}
            return pairs, [*unchanged, await fetch(outside, specs, etag)]

    pairs, unchanged = asyncio.run(go())
    assert [inside for inside, _ in pairs] == [outside for _, outside in pairs]
    assert [inside[0] for inside, _ in pairs] == [200, 200, 206]
    assert [(status, body) for status, _, body in unchanged] == [(304, b""), (304, b"")]


def test_a_terminal_talks(lab):
    async def go():
        async with aiohttp.ClientSession(headers=AUTH) as session:
            async with session.post(f"{lab}/{ID}/api/terminals") as got:
                name = (await got.json())["name"]
            seen = ""
            async with session.ws_connect(f"{lab}/{ID}/terminals/websocket/{name}") as ws:
                await ws.send_json(["stdin", "echo $((6*7))-done\r"])
                while "42-done" not in seen:
                    kind, *rest = await ws.receive_json()
                    seen += rest[0] if kind == "stdout" else ""
            async with session.delete(f"{lab}/{ID}/api/terminals/{name}") as got:
                return got.status

    assert asyncio.run(go()) == 204


def test_a_file_travels_there_and_back(lab):
    body = {"type": "file", "format": "text", "content": "ä" * 100_000}

    async def go():
        async with aiohttp.ClientSession(headers=AUTH) as session:
            async with session.put(f"{lab}/{ID}/api/contents/a%20b.txt", json=body) as got:
                created = got.status
            async with session.get(f"{lab}/{ID}/files/a%20b.txt?download=1") as got:
                return created, await got.text()

    assert asyncio.run(go()) == (201, body["content"])

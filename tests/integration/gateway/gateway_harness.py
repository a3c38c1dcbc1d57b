"""A real server around the gateway, and an upstream that shows what reached it.

Both run on loops in threads of their own, so tests stay ordinary functions.
"""

import asyncio
import contextlib
import gzip
import hashlib
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

import uvicorn
from aiohttp import WSMsgType, web

from nbfleet import gateway
from nbfleet.gateway.server import OPTIONS, quiet_refusals

ID = "0f2b7b52-6c1e-4c53-9d60-0a3f3a1f9a11"
STOPPED = "22222222-6c1e-4c53-9d60-0a3f3a1f9a11"
SILENT = "33333333-6c1e-4c53-9d60-0a3f3a1f9a11"
TOKEN = "right-token-6c1e4c53"
SECRET = "instance-secret-9d600a3f"
COOKIE = "right-cookie-3a1f9a11"
COOKIE_NAME = f"nbfleet-{ID}"


@dataclass
class Registry:
    """The resolver of the tests: one running notebook, one stopped, one whose instance is away."""

    endpoint: str
    revoked: bool = False
    seen: list = field(default_factory=list)

    async def resolve(self, host, path, credentials):
        self.seen.append((host, path, credentials))
        notebook_id = path.split("/")[1]
        if notebook_id not in (ID, STOPPED, SILENT):
            return gateway.Refusal(gateway.Refused.NOT_FOUND)
        right = credentials.token == TOKEN or credentials.cookie == COOKIE
        if not right or self.revoked:
            return gateway.Refusal(gateway.Refused.UNAUTHORIZED)
        if notebook_id == STOPPED:
            return gateway.Refusal(gateway.Refused.NOT_RUNNING, "STOPPED")
        endpoint = self.endpoint if notebook_id == ID else self.endpoint + ".none"
        return gateway.Upstream(endpoint, SECRET, COOKIE, notebook_id)


@contextlib.contextmanager
def serving(app):
    """Run the gateway with the settings the product uses; yields host:port."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
        **OPTIONS,
    )
    quiet_refusals()
    server = uvicorn.Server(config)
    started = threading.Event()
    startup = server.startup

    async def announced(*args, **kwargs):
        await startup(*args, **kwargs)
        started.set()

    server.startup = announced
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert started.wait(10)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


class Upstream:
    """What the instance of the tests does, and what it noticed."""

    def __init__(self):
        self.left = threading.Event()  # A caller went away before its answer was complete.
        self.closed: Future = Future()  # How the last WebSocket ended.
        self.redirected = threading.Event()
        self.produced = 0

    def app(self):
        app = web.Application(client_max_size=2**40)
        base = f"/{ID}"
        app.router.add_route("*", base + "/echo{rest:.*}", self.echo)
        app.router.add_route("*", base + "/status/{code}", self.status)
        app.router.add_post(base + "/sum", self.sum)
        app.router.add_get(base + "/big/{megabytes}", self.big)
        app.router.add_get(base + "/endless", self.endless)
        app.router.add_get(base + "/events", self.events)
        app.router.add_get(base + "/range", self.range)
        app.router.add_get(base + "/cut", self.cut)
        app.router.add_get(base + "/gzip", self.gzip)
        app.router.add_post(base + "/early", self.early)
        app.router.add_get(base + "/ws", self.websocket)
        app.router.add_get(base + "/ws-refuse", self.refuse)
        app.router.add_get(base + "/ws-redirect", self.redirect)
        app.router.add_get(base + "/ws-target", self.target)
        return app

    async def echo(self, request):
        body = await request.read()
        told = {
            "method": request.method,
            "target": request.raw_path,
            "headers": [[k.decode(), v.decode()] for k, v in request.raw_headers],
            "length": len(body),
        }
        answer = web.json_response(told)
        answer.headers.add("Set-Cookie", "_xsrf=1; Path=/")
        answer.headers.add("Set-Cookie", f"{COOKIE_NAME}=stolen; Path=/")
        answer.headers.add("Set-Cookie", f"theme=dark; Domain=example.org; Path=/{ID}/")
        return answer

    async def status(self, request):
        code = int(request.match_info["code"])
        headers = {"Location": "http://169.254.169.254/x"} if 300 <= code < 304 else {"ETag": '"e"'}
        return web.Response(status=code, headers=headers)

    async def sum(self, request):
        digest, count = hashlib.sha256(), 0
        try:
            async for chunk in request.content.iter_any():
                digest.update(chunk)
                count += len(chunk)
                self.produced = count
        except (OSError, asyncio.CancelledError):
            self.left.set()
            raise
        return web.json_response({"sha256": digest.hexdigest(), "count": count})

    async def big(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(request.match_info["megabytes"])):
            await response.write(b"x" * 2**20)
        return response

    async def endless(self, request):
        response = web.StreamResponse()
        try:
            await response.prepare(request)
            self.produced = 0
            while True:
                await response.write(b"x" * 2**16)
                self.produced += 2**16
        finally:
            self.left.set()

    async def events(self, request):
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            await response.prepare(request)
            await response.write(b"data: first\n\n")
            # The next one comes when the caller has proved that it got the first.
            await self.nudged.wait()
            await response.write(b"data: second\n\n")
            await asyncio.Event().wait()
        finally:
            self.left.set()

    async def range(self, request):
        assert request.headers["Range"] == "bytes=2-4"
        return web.Response(status=206, body=b"cde", headers={"Content-Range": "bytes 2-4/26"})

    async def gzip(self, request):
        return web.Response(body=gzip.compress(b"packed", mtime=0), headers={"Content-Encoding": "gzip"})

    async def cut(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        request.transport.close()
        return response

    async def early(self, request):
        return web.Response(status=413, text="too much")

    async def websocket(self, request):
        self.closed = Future()
        ws = web.WebSocketResponse(protocols=("v1.kernel.websocket.jupyter.org",), max_msg_size=0)
        await ws.prepare(request)
        head = {k.lower(): v for k, v in request.headers.items()}
        await ws.send_json({"target": request.path_qs, "headers": head})
        reason = None
        while (message := await ws.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
            if message.data == "close 4321":
                await ws.close(code=4321, message=b"because")
                break
            if message.data == "drop":
                request.transport.abort()
                break
            if message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        if message.type is WSMsgType.CLOSE:
            reason = message.extra
        self.closed.set_result((ws.close_code, reason))
        return ws

    async def refuse(self, request):
        raise web.HTTPForbidden

    async def redirect(self, request):
        raise web.HTTPFound(f"/{ID}/ws-target")

    async def target(self, request):
        self.redirected.set()
        return await self.websocket(request)


@contextlib.contextmanager
def upstream_on(path):
    """Run the upstream on a unix socket."""
    upstream, ready, stop = Upstream(), threading.Event(), asyncio.Event()
    holder = {}

    async def main():
        holder["loop"] = asyncio.get_running_loop()
        upstream.nudged = asyncio.Event()
        runner = web.AppRunner(upstream.app(), handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        await web.UnixSite(runner, str(path)).start()
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert ready.wait(10)
    upstream.nudge = lambda: holder["loop"].call_soon_threadsafe(upstream.nudged.set)
    try:
        yield upstream
    finally:
        holder["loop"].call_soon_threadsafe(stop.set)
        thread.join(20)

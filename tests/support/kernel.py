"""A kernel of a running notebook, spoken to over its WebSocket the way a browser does."""

import asyncio
import json
import uuid
from typing import Any

import aiohttp


async def _execute(base: str, headers: dict[str, str], kernel_id: str, code: str) -> str:
    socket_url = f"{base}/api/kernels/{kernel_id}/channels".replace("http", "ws", 1)
    message_id = uuid.uuid4().hex
    request = {
        "header": {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "test",
                   "version": "5.3", "date": ""},
        "parent_header": {}, "metadata": {}, "channel": "shell",
        "content": {"code": code, "silent": False, "store_history": True, "user_expressions": {},
                    "allow_stdin": False, "stop_on_error": True},
    }  # fmt: skip
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(socket_url, max_msg_size=0) as socket,
    ):
        await socket.send_str(json.dumps(request))
        output = ""
        async with asyncio.timeout(60):
            while True:
                message = json.loads((await socket.receive()).data)
                if message["parent_header"].get("msg_id") != message_id:
                    continue
                kind, content = message["header"]["msg_type"], message["content"]
                if kind == "stream":
                    output += content["text"]
                elif kind == "execute_result":
                    output += content["data"]["text/plain"]
                elif kind == "error":
                    raise AssertionError(content["evalue"])
                elif kind == "status" and content["execution_state"] == "idle":
                    return output


async def _start(base: str, headers: dict[str, str]) -> str:
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{base}/api/kernels", json={}) as answer,
    ):
        assert answer.status == 201, await answer.text()
        return (await answer.json())["id"]


class Kernel:
    """Of the notebook at `url` (as in an answer of the API), opened with its token."""

    def __init__(self, url: str, token: str, kernel_id: str | None = None) -> None:
        self._base = url.removesuffix("/lab")
        self._headers = {"Authorization": f"token {token}"}
        self.id = kernel_id or asyncio.run(_start(self._base, self._headers))

    def execute(self, code: str) -> str:
        """What the code prints and its last value."""
        return asyncio.run(_execute(self._base, self._headers, self.id, code))


def get(url: str, **headers: str) -> tuple[int, Any]:
    """Status and text of a plain request."""

    async def run() -> tuple[int, Any]:
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
            return answer.status, await answer.text()

    return asyncio.run(run())

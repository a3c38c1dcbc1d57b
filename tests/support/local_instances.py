"""What the tests of the local runtime share: starting, asking over the socket, waiting for real processes."""

import asyncio
import os
import secrets
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec

from nbfleet.runtimes.base import InstanceRef, InstanceSpec, Observation, StartProgress
from nbfleet.runtimes.local import LocalRuntime

PATIENCE = 30.0


def new_fleet() -> str:
    """One for each test: what a failed test left behind, or another run beside it, is not ours."""
    return f"test-{uuid.uuid4().hex}"


def new_spec(
    notebook_id: str | None = None, generation: int = 1, handle: bytes | None = None
) -> InstanceSpec:
    notebook_id = notebook_id or str(uuid.uuid4())
    ref = InstanceRef(notebook_id, generation, handle)
    return InstanceSpec(ref, "image", "flavor", 2, 4096, f"/notebook/{notebook_id}/", secrets.token_hex(24))


def start(runtime: LocalRuntime, spec: InstanceSpec) -> tuple[list[StartProgress], InstanceRef]:
    """Everything it yielded, and the reference with the handle that a store would have saved."""

    async def collect() -> list[StartProgress]:
        return [progress async for progress in runtime.start(spec)]

    progress = asyncio.run(collect())
    handle = next(item.handle for item in progress if item.handle is not None)
    return progress, InstanceRef(spec.ref.notebook_id, spec.ref.generation, handle)


def observe(runtime: LocalRuntime, *refs: InstanceRef) -> list[Observation]:
    return list(asyncio.run(runtime.observe(refs)))


def notes(ref: InstanceRef) -> dict[str, object]:
    assert ref.handle is not None
    return msgspec.json.decode(ref.handle, type=dict[str, object])


def pid_of(ref: InstanceRef) -> int:
    pid = notes(ref)["pid"]
    assert isinstance(pid, int)
    return pid


def with_notes(ref: InstanceRef, **changed: object) -> InstanceRef:
    return InstanceRef(ref.notebook_id, ref.generation, msgspec.json.encode({**notes(ref), **changed}))


def socket_of(ref: InstanceRef) -> Path:
    return Path(str(notes(ref)["socket"]))


def wait_for_end(pid: int) -> None:
    """Of a child: until it is all gone, threads included, without reaping it."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def runs(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.02)


def status(ref: InstanceRef, spec: InstanceSpec, secret: str | None) -> int:
    headers = {} if secret is None else {"Authorization": f"token {secret}"}

    async def ask() -> int:
        connector = aiohttp.UnixConnector(path=str(socket_of(ref)))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"http://localhost{spec.base_path}api/status", headers=headers) as response,
        ):
            return response.status

    return asyncio.run(ask())


async def _execute(ref: InstanceRef, spec: InstanceSpec, code: str) -> None:
    connector = aiohttp.UnixConnector(path=str(socket_of(ref)))
    headers = {"Authorization": f"token {spec.secret}"}
    base = f"http://localhost{spec.base_path}api/kernels"
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        async with session.post(base, json={}) as response:
            kernel = (await response.json())["id"]
        async with session.ws_connect(f"{base}/{kernel}/channels") as channel:
            header = {
                "msg_id": "1",
                "msg_type": "execute_request",
                "username": "",
                "session": "s",
                "date": "",
            }
            content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
            await channel.send_json(
                {
                    "header": {**header, "version": "5.3"},
                    "parent_header": {},
                    "metadata": {},
                    "content": {**content, "user_expressions": {}, "stop_on_error": True},
                    "channel": "shell",
                    "buffers": [],
                }
            )
            while (await channel.receive_json())["msg_type"] != "execute_reply":
                pass


def execute(ref: InstanceRef, spec: InstanceSpec, code: str) -> None:
    """Run code in a new kernel of the instance."""
    asyncio.run(asyncio.wait_for(_execute(ref, spec, code), PATIENCE))


def script(path: Path, text: str) -> str:
    """An executable that stands where the interpreter should be."""
    path.write_text(text)
    os.chmod(path, 0o700)
    return str(path)

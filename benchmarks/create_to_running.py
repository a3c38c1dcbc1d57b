"""From POST to RUNNING with an answering address: real JupyterLab processes on the local runtime.

    python benchmarks/create_to_running.py [--count 10] [--at-once 5]

Sequential: one after the other, each from the request until its address answers 200 through the gateway.
At once: that many requests in one moment, until the last one answers. Beside them the floor: how long the
same JupyterLab takes when it is started by hand.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import msgspec

from nbfleet import first_start
from nbfleet.client import Client
from nbfleet.face import listen

_PAUSE = 0.02


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        return listening.getsockname()[1]


class Service:
    """A real service on a data directory of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.port, self.gateway_port = free_port(), free_port()
        self._log = (data_dir / "service.log").open("wb")
        arguments = ["--data-dir", str(data_dir), "--port", str(self.port)]
        arguments += ["--gateway-port", str(self.gateway_port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nbfleet", "serve", *arguments], stdout=self._log, stderr=self._log
        )
        self._file = data_dir / first_start.CREDENTIALS

    def credentials(self) -> first_start.Credentials:
        while True:
            if self._file.exists():
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                        return msgspec.json.decode(self._file.read_bytes(), type=first_start.Credentials)
            time.sleep(0.05)


async def one(client: Client, http: aiohttp.ClientSession, name: str) -> tuple[str, float]:
    """The id of a new notebook, and the seconds until its address answered."""
    begun = time.perf_counter()
    created = await client.create_notebook(name)
    while True:
        now = await client.show_notebook(created.id)
        if now.status == "RUNNING":
            break
        if now.status != "CREATING":
            raise RuntimeError(f"{now.status}: {now.fail_reason}")
        await asyncio.sleep(_PAUSE)
    headers = {"Authorization": f"token {now.token}"}
    async with http.get(str(now.url).removesuffix("/lab") + "/api/status", headers=headers) as answer:
        if answer.status != 200:
            raise RuntimeError(f"the address answered {answer.status}")
    return created.id, time.perf_counter() - begun


async def remove(client: Client, ids: list[str]) -> None:
    for notebook_id in ids:
        await client.delete_notebook(notebook_id)


def by_hand() -> float:
    """Seconds until a JupyterLab that nobody manages answers."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/s"
        command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.sock={path}", "--no-browser"]
        command.append("--allow-root")
        begun = time.perf_counter()
        environment = os.environ | {"HOME": folder, "JUPYTER_TOKEN": "t"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while True:
                with socket.socket(socket.AF_UNIX) as probe:
                    if probe.connect_ex(path) == 0:
                        return time.perf_counter() - begun
                time.sleep(_PAUSE)
        finally:
            process.kill()
            process.wait()


def say(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    p95 = ordered[max(0, int(len(ordered) * 0.95) - 1)]
    print(f"{what:<28} n={len(seconds):<3} p50 {statistics.median(seconds):.2f} s   p95 {p95:.2f} s")


async def run(service: Service, count: int, at_once: int) -> None:
    credentials = service.credentials()
    async with Client(credentials) as client, aiohttp.ClientSession() as http:
        hand, ours = [], []
        for number in range(count):
            hand.append(by_hand())
            notebook_id, seconds = await one(client, http, f"one-{number}")
            ours.append(seconds)
            await remove(client, [notebook_id])
        say("JupyterLab started by hand", hand)
        say("create to RUNNING", ours)
        begun = time.perf_counter()
        made = await asyncio.gather(*(one(client, http, f"many-{n}") for n in range(at_once)))
        print(f"{at_once} at once: all answer after {time.perf_counter() - begun:.2f} s")
        await remove(client, [notebook_id for notebook_id, _ in made])
        while (await client.list_notebooks()).total:  # noqa: ASYNC110 - another process is waited for.
            await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as folder:
        running = Service(Path(folder))
        try:
            asyncio.run(run(running, given.count, given.at_once))
        finally:
            running.process.terminate()
            running.process.wait()

"""Everything at once: how long the first page and the health check take while others keep the service busy.

    python benchmarks/mixed.py [--rows 100000] [--keep DIR] [--seconds 10]

Milliseconds of wall clock at a client. Quiet: first pages and nothing else, one after the other. Busy: the
same while the worst search runs without a pause and 50 states a second change. Crowded: /healthz, fifty times
a second, while 16 clients ask for all kinds of list, for searches and for whole exports. SQLite. The service
is that of `servers.py`, on a machine that it shares with its clients.
"""

import argparse
import asyncio
import itertools
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import fleet
from kinds import Figures, figures
from list_page import free_port, start
from nbfleet.seeding import NotEmpty
from nbfleet.store.database import Database, sqlite_url
from writes import moved, stopped

CLIENTS = 16
CHANGES = 50  # A second.
WORST = "/all?feature=*&workspace_id=*&description=nowhere"
QUESTIONS = (
    "/all", "/all?status=RUNNING&workspace_id=*", "/all?sort_key=name&sort_dir=ASC&workspace_id=*", WORST,
    "/all?name=train&workspace_id=*", "/all?tags=team|vision&workspace_id=*", "/count?by=flavor",
    "/all?offset=40000&limit=100&workspace_id=*", "/count?by=tag", "/export",
)  # fmt: skip


@dataclass
class Asked:
    """Seconds of each answer by status; what was refused is no answer."""

    times: list[float]
    refused: int = 0


@contextmanager
def changing(file: Path) -> Generator[None, None, None]:
    """CHANGES states a second, written by another connection as the service would."""
    database, ended = Database(sqlite_url(file)), threading.Event()
    ids = itertools.cycle(database.read_now(stopped, 5000))

    def run() -> None:
        while not ended.wait(1 / CHANGES):
            database.write_now(moved, next(ids))

    thread = threading.Thread(target=run)
    thread.start()
    yield
    ended.set()
    thread.join()
    database.close()


async def ask(session: aiohttp.ClientSession, target: str, asked: Asked) -> None:
    begun = time.perf_counter()
    async with session.get(target) as answer:
        async for _ in answer.content.iter_any():
            pass
        if answer.status == 200:
            asked.times.append(time.perf_counter() - begun)
        else:
            asked.refused += 1


async def until(end: float, call: Callable[[], Coroutine[Any, Any, None]], pause: float = 0) -> None:
    while time.perf_counter() < end:
        await call()
        await asyncio.sleep(pause)


@asynccontextmanager
async def client(port: int, made: fleet.Filled) -> AsyncGenerator[aiohttp.ClientSession, None]:
    base, headers = f"http://127.0.0.1:{port}", {"X-Auth-Token": made.token}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(base, headers=headers, connector=connector) as session:
        yield session


async def first_pages(port: int, made: fleet.Filled, seconds: float, *, busy: bool) -> tuple[Asked, Asked]:
    """First pages, and beside them the worst search when it is busy."""
    pages, searches, root = Asked([]), Asked([]), f"/v1/{made.project_id}/notebooks"
    async with client(port, made) as session:
        end = time.perf_counter() + seconds
        work = [until(end, lambda: ask(session, root + "/all", pages))]
        if busy:
            work.append(until(end, lambda: ask(session, root + WORST, searches)))
        await asyncio.gather(*work)
    return pages, searches


async def crowded(port: int, made: fleet.Filled, seconds: float) -> tuple[Asked, Asked]:
    """Health checks, and what the crowd asked beside them."""
    health, others, root = Asked([]), Asked([]), f"/v1/{made.project_id}/notebooks"
    async with client(port, made) as session:
        end = time.perf_counter() + seconds
        crowd: list[Any] = []
        for number in range(CLIENTS):
            questions = itertools.cycle(QUESTIONS[number % len(QUESTIONS) :] + QUESTIONS)
            crowd.append(until(end, lambda q=questions: ask(session, root + next(q), others)))
        await asyncio.gather(until(end, lambda: ask(session, "/healthz", health), 0.02), *crowd)
    return health, others


def line(name: str, asked: Asked) -> Figures:
    found = figures(asked.times)
    print(
        f"{name:<34}{len(asked.times):>8}{asked.refused:>9}{found.p50:>10.2f}{found.p99:>10.2f}", flush=True
    )
    return found


def run(rows: int, keep: Path | None, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        folder = (keep / f"sqlite-{rows}") if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(NotEmpty):
            asyncio.run(fleet.fill(folder, rows))
        made, port = asyncio.run(fleet.log_in(folder)), free_port()
        server = start("product", port, folder)
        print(f"\n{rows} notebooks{'':<22}answers  refused    p50 ms    p99 ms")
        try:
            quiet = line("first page, quiet", asyncio.run(first_pages(port, made, seconds, busy=False))[0])
            with changing(folder / "nbfleet.db"):
                pages, searches = asyncio.run(first_pages(port, made, seconds, busy=True))
            busy = line("first page, busy", pages)
            line("worst search, busy", searches)
            print(f"{'p99 busy against quiet':<34}{busy.p99 / quiet.p99:>37.1f}")
            health, others = asyncio.run(crowded(port, made, seconds))
            line("health, crowded", health)
            line("everything else, crowded", others)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    for size in given.rows:
        run(size, given.keep, given.seconds)

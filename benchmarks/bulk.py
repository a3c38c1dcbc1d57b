"""What other requests notice of an action on many notebooks: their times while 500 are stopped at once.

    python benchmarks/bulk.py [--rows 10000] [--count 500] [--seconds 10] [--keep DIR]

Milliseconds of wall clock at a client of the whole service on the simulated runtime and SQLite. Quiet: first
pages, one notebook and counts in turns, without a pause. Busy: the same from the beginning of the action
until each of its notebooks has a result and none is still on its way to a stop, but for one in twenty: those
do not stop, and are tried again all the time.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

import fleet
from create_to_running import free_port
from mixed import Asked, ask, client
from nbfleet.domain.access import Caller, Role
from nbfleet.domain.bulk import Action, Result, Wish
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.seeding import NotEmpty
from nbfleet.services import bulk
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.store import identity, listing
from nbfleet.store.database import Connection

_READY = 200  # Looks, 50 ms apart.
_STUBBORN = 20  # One in so many does not stop.
_SCRIPT = Path(__file__).with_name("stubborn.py")


@contextmanager
def serving(folder: Path, port: int, stubborn: Sequence[str]) -> Generator[None, None, None]:
    """The service as it is run, with all its loops; these of its notebooks do not stop."""
    file = folder / "stubborn.txt"
    file.write_text("\n".join(stubborn), encoding="utf-8")
    command = [sys.executable, str(_SCRIPT), str(file), "serve", "--data-dir", str(folder)]
    command += ["--port", str(port), "--runtime", "simulated", "--gateway-port", str(free_port())]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


async def ready(session: aiohttp.ClientSession) -> None:
    for _ in range(_READY):
        with suppress(aiohttp.ClientError):
            async with session.get("/healthz"):
                return
        await asyncio.sleep(0.05)
    raise RuntimeError("the service did not start")


async def watched(session: aiohttp.ClientSession, targets: list[str], is_over: Callable[[], Any]) -> Asked:
    """Asks for the targets in turns until it is over."""
    asked = Asked([])
    for target in itertools.cycle(targets):
        await ask(session, target, asked)
        if await is_over():
            return asked
    return asked


def caller(connection: Connection, project_id: str) -> Caller:
    user = identity.user(connection, name="admin")
    if user is None:
        raise LookupError("admin")
    return Caller(user.id, user.name, project_id, Role.ADMINISTRATOR, user.account_id, user.account_name)


async def running(folder: Path, count: int) -> list[str]:
    """Ids of so many that run, the newest first."""
    made = await fleet.log_in(folder)
    query = Query(
        project_id=made.project_id, feature=None, workspace_id=None, statuses=(Status.RUNNING,), limit=count
    )
    async with fleet.opened(folder, "") as context:
        found = await context.database.read(listing.page, context.directory, query)
    return [one.id for one in found.rows]


async def measured(folder: Path, port: int, ids: Sequence[str], seconds: float) -> None:
    made = await fleet.log_in(folder)
    root = f"/v1/{made.project_id}/notebooks"
    async with client(port, made) as session, fleet.opened(folder, "") as context:
        await ready(session)
        targets = [f"{root}/all", f"{root}/{ids[0]}", f"{root}/count?by=status"]
        print(f"\n{'':<22}answers  refused    p50 ms    p95 ms    p99 ms")
        end = time.perf_counter() + seconds

        async def is_late() -> bool:
            return time.perf_counter() > end

        line("quiet", await watched(session, targets, is_late))
        who = await context.database.read(caller, made.project_id)
        wish = Wish(Action.STOP, tuple(ids))
        shown = (await bulk.preview(context, who, wish)).shown
        begun = time.perf_counter()
        bulk_id = await bulk.begin(context, Request(who, "benchmark"), wish, shown)
        print(f"begun in {(time.perf_counter() - begun) * 1e3:.0f} ms")
        line(
            f"while {len(ids)} stop",
            await watched(session, targets, over(context, who, bulk_id, len(stubborn_of(ids)))),
        )
        print(f"all the others stopped after {time.perf_counter() - begun:.1f} s")
        reached = await bulk.show(context, who, bulk_id)
        print(", ".join(f"{found} {result.value}" for result, found in reached.counts.items()))
        print(", ".join(f"{found} {status.value}" for status, found in reached.now.items()))


def stubborn_of(ids: Sequence[str]) -> Sequence[str]:
    return ids[::_STUBBORN]


def over(context: Context, who: Caller, bulk_id: str, stubborn: int) -> Callable[[], Any]:
    """Whether every notebook has its result and so many only have not stopped; looked at ten times a second,
    for looking takes time of the service as well."""
    looked = time.perf_counter()

    async def is_over() -> bool:
        nonlocal looked
        if time.perf_counter() - looked < 0.1:
            return False
        looked = time.perf_counter()
        reached = await bulk.show(context, who, bulk_id)
        return not reached.counts.get(Result.PENDING, 0) and reached.in_motion == stubborn

    return is_over


def line(name: str, asked: Asked) -> None:
    ordered = sorted(one * 1e3 for one in asked.times)

    def at(share: float) -> float:
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    shares = "".join(f"{at(share):>10.2f}" for share in (0.5, 0.95, 0.99))
    print(f"{name:<22}{len(ordered):>7}{asked.refused:>9}{shares}", flush=True)


def run(rows: int, count: int, seconds: float, keep: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(NotEmpty):
            asyncio.run(fleet.fill(folder, rows))
        port = free_port()
        ids = asyncio.run(running(folder, count))
        with serving(folder, port, stubborn_of(ids)):
            asyncio.run(measured(folder, port, ids, seconds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    run(given.rows, given.count, given.seconds, given.keep)

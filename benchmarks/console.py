"""The list of notebooks in a browser: how soon it is there or another one, and what watching it costs.

    python benchmarks/console.py [--rows 10000] [--repeat 20] [--keep DIR] [--live 200] [--seconds 20]

Milliseconds in Chromium on the machine of the service, medians. First row: from the wish to see the page
until its first row is visible, with an empty cache each time. Changes: from the click until the new rows are
drawn; a search waits a fifth of a second for the next letter, which is in its figure. Bytes: all that is
sent at a first visit, as it is sent. With --live so many open pages are told of 20 changes a second, and the
share of one core that the service uses for all of it is told beside the share with no page open. SQLite; the
service is that of `servers.py`, without anything that runs notebooks. `--keep` is that of `kinds`.
"""

import argparse
import asyncio
import itertools
import math
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

import fleet
from list_page import free_port, start
from nbfleet.seeding import NotEmpty
from nbfleet.store.database import Database, sqlite_url
from writes import moved, stopped

CHROMIUM = "/usr/bin/chromium"
CHANGES = 20  # A second.
PAGES = 10  # Different pages of the list that are watched.
PAGES_OF_ONE = 50  # That one user may have open.
ROWS = 25
# From a wish until the frame that shows its result.
CHANGED = """
([selector, text]) => new Promise((resolve) => {
  const begun = performance.now();
  const done = (event) => {
    if (event.detail.target.id !== "results") return;
    document.removeEventListener("htmx:afterSettle", done);
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
  };
  document.addEventListener("htmx:afterSettle", done);
  const element = document.querySelector(selector);
  if (text === null) element.click();
  else {
    element.value = text;
    element.dispatchEvent(new Event("input", { bubbles: true }));
  }
})
"""
WISHES: dict[str, tuple[tuple[str, str | None], ...]] = {
    "next page": (("#next", None),),
    "last page, first page": (("#last", None), ("#first", None)),
    "sort by name": (("#sort-name", None),),
    "filter by state": ((".chip input[value=STOPPED]", None),),
    "search": (("[type=search]", "train"), ("[type=search]", "vision-data")),
}


def session_cookie(browser: Browser, port: int, ticket: str) -> Any:
    """Signs in; answers what a browser keeps of it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/login?ticket={ticket}")
    page.click("main button")
    page.wait_for_url("**/console/**")
    state = context.storage_state()
    context.close()
    return state


def first_visit(context: BrowserContext, address: str) -> tuple[float, int]:
    """Milliseconds until the first row is visible, and bytes of everything that was sent for the page."""
    page, sizes = context.new_page(), list[int]()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#fleet tbody tr")
    taken = (time.perf_counter() - begun) * 1e3
    page.wait_for_timeout(500)
    page.close()
    return taken, sum(sizes)


def settled(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("#count-STOPPED:not(:empty)")


def line(name: str, values: list[float], unit: str = "ms", note: str = "") -> None:
    print(f"{name:<34}{statistics.median(values):>10.1f} {unit:<6}{max(values):>10.1f}  {note}", flush=True)


def in_browser(browser: Browser, state: Any, address: str, repeat: int) -> None:
    times, sizes = list[float](), list[float]()
    for _ in range(repeat):
        context = browser.new_context(storage_state=state)
        taken, size = first_visit(context, address)
        times.append(taken)
        sizes.append(size / 1000)
        context.close()
    print(f"{'':<34}{'median':>10}{'':<7}{'most':>10}")
    line("first row, empty cache", times)
    line("sent at a first visit", sizes, "kB")
    context = browser.new_context(storage_state=state)
    page = context.new_page()
    for name, wishes in WISHES.items():
        settled(page, address)
        asked = itertools.islice(itertools.cycle(wishes), repeat)
        line(name, [page.evaluate(CHANGED, list(wish)) for wish in asked])
    context.close()


@contextmanager
def changing(database: Database, ids: list[str]) -> Generator[None, None, None]:
    """CHANGES states a second among these notebooks."""
    turns, ended = itertools.cycle(ids), threading.Event()

    def run() -> None:
        due = time.monotonic()
        while not ended.wait(max(0.0, due - time.monotonic())):
            database.write_now(moved, next(turns))
            due += 1 / CHANGES

    thread = threading.Thread(target=run)
    thread.start()
    yield
    ended.set()
    thread.join()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def watched(
    address: str, users: list[dict[str, str]], pages: list[list[str]], count: int, spent: Any
) -> int:
    """Keeps `count` pages open while `spent` runs; answers how many rows they were told of meanwhile."""
    told = 0

    async def read(session: aiohttp.ClientSession, number: int) -> None:
        nonlocal told
        ids, cookies = pages[number % len(pages)], users[number // PAGES_OF_ONE]
        header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        async with session.get(f"{address}/live", params={"ids": ",".join(ids)}, headers=header) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                told += line.startswith(b"event: row")

    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        readers = [asyncio.create_task(read(session, number)) for number in range(count)]
        await asyncio.sleep(8)  # Each is told of all its rows at first.
        before = told
        await asyncio.to_thread(spent)
        found = told - before
        for reader in readers:
            if reader.done():
                reader.result()
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return found


def while_watched(
    pid: int, database: Database, address: str, users: list[dict[str, str]], count: int, seconds: float
) -> None:
    ids = database.read_now(stopped, PAGES * ROWS)
    pages = [ids[at : at + ROWS] for at in range(0, len(ids), ROWS)]
    shares = list[float]()

    def spend() -> None:
        begun, used = time.monotonic(), cpu_seconds(pid)
        time.sleep(seconds)
        shares.append((cpu_seconds(pid) - used) / (time.monotonic() - begun) * 100)

    # One row of each page in turn, so that every page has something to tell every second.
    with changing(database, [one for row in zip(*pages, strict=True) for one in row]):
        spend()
        told = asyncio.run(watched(address, users, pages, count, spend))
    print(f"\n{CHANGES} changes a second{'':<14}share of one core")
    print(f"{'no page open':<34}{shares[0]:>10.1f} %")
    print(f"{f'{count} pages open':<34}{shares[1]:>10.1f} %     {told / seconds:.0f} rows a second told")


def run(rows: int, keep: Path | None, repeat: int, live: int, seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        folder = (keep / f"sqlite-{rows}") if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(NotEmpty):
            asyncio.run(fleet.fill(folder, rows))
        made, port = asyncio.run(fleet.log_in(folder)), free_port()
        tickets = asyncio.run(fleet.login_tickets(folder, max(1, math.ceil(live / PAGES_OF_ONE))))
        database, server = Database(sqlite_url(folder / "nbfleet.db")), start("console", port, folder)
        address = f"http://127.0.0.1:{port}/console/{made.project_id}/notebooks"
        print(f"\n{rows} notebooks", flush=True)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                states = [session_cookie(browser, port, ticket) for ticket in tickets]
                in_browser(browser, states[0], address, repeat)
                browser.close()
            if live:
                users = [{one["name"]: one["value"] for one in state["cookies"]} for state in states]
                while_watched(server.pid, database, address, users, live, seconds)
        finally:
            server.kill()
            server.wait()
            database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000])
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--live", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=20)
    given = parser.parse_args()
    for size in given.rows:
        run(size, given.keep, given.repeat, given.live, given.seconds)

"""The whole fleet once: a walk by marker in the data layer, and an export over HTTP with the memory it takes.

    python benchmarks/walk.py [--rows 1000 10000 100000] [--keep DIR]

Walk: CPU seconds of a process that reads 100 rows after the other from the first to the last. Export: seconds
until the last byte, and how much larger the server became at most. SQLite. `--keep` is that of `kinds`.
"""

import argparse
import asyncio
import http.client
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import fleet
from list_page import free_port, start
from nbfleet.domain.listing import Query
from nbfleet.seeding import NotEmpty
from nbfleet.store import listing
from nbfleet.store.database import Database, sqlite_url
from nbfleet.store.directory import Directory

LIMIT = 100


def walked(file: Path, project_id: str) -> tuple[int, float]:
    """How many rows were met, and the CPU seconds that it took."""
    database, directory = Database(sqlite_url(file)), Directory()
    query = Query(project_id=project_id, feature=None, workspace_id=None, limit=LIMIT)
    begun, met = time.process_time(), 0
    while True:
        page = database.read_now(listing.page, directory, query)
        met += len(page.rows)
        if len(page.rows) < LIMIT:
            break
        query = replace(query, after=page.rows[-1].place)
    spent = time.process_time() - begun
    database.close()
    return met, spent


def memory(pid: int, name: str) -> float:
    """Megabytes, from the kernel's own account of a process."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def exported(folder: Path, made: fleet.Filled, form: str) -> tuple[int, float, float, float]:
    """Rows, seconds, megabytes sent, and by how many megabytes the server grew at most."""
    port = free_port()
    server = start("cached", port, folder)
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        path = f"/v1/{made.project_id}/notebooks"
        connection.request("GET", f"{path}/all", headers={"X-Auth-Token": made.token})
        connection.getresponse().read()
        before, begun = memory(server.pid, "VmRSS"), time.perf_counter()
        connection.request("GET", f"{path}/export?format={form}", headers={"X-Auth-Token": made.token})
        answer, rows, size = connection.getresponse(), 0, 0
        while part := answer.read(1 << 20):
            rows += part.count(b"\n")
            size += len(part)
        return rows, time.perf_counter() - begun, size / 1e6, memory(server.pid, "VmHWM") - before
    finally:
        server.kill()
        server.wait()


def run(rows: int, keep: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        folder = (keep / f"sqlite-{rows}") if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(NotEmpty):
            asyncio.run(fleet.fill(folder, rows))
        made = asyncio.run(fleet.log_in(folder))
        met, spent = walked(folder / "nbfleet.db", made.project_id)
        print(f"{rows:>9} notebooks: {met} met in {spent:.2f} s of CPU, {spent / met * 1e6:.1f} us each",
              flush=True)  # fmt: skip
        for form in ("ndjson", "csv"):
            lines, seconds, size, grown = exported(folder, made, form)
            print(f"{'':>9} {form}: {lines} lines, {size:.0f} MB in {seconds:.1f} s, grown by {grown:.0f} MB",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    for size in given.rows:
        run(size, given.keep)

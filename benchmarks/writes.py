"""Durable state changes at every size, against the schema people write first.

    python benchmarks/writes.py [--rows 1000 10000 100000] [--url URL URL URL] [--keep DIR] [--count 500]

Milliseconds of wall clock from the call until the change is on disk, one after the other. Product: the whole
transaction of a service (find and lock, check, write three rows, counters, audit). Naive: one UPDATE of
status, time and body. `--keep` and `--url` are those of `kinds`.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from sqlalchemy import select, text

from kinds import Figures, Stores, figures, stores, timed
from nbfleet.domain.lifecycle import Event, apply
from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.store import audit, notebooks, schema
from nbfleet.store.audit import Actor
from nbfleet.store.database import Connection

ACTOR = Actor("benchmark", None)


def stopped(connection: Connection, count: int) -> list[str]:
    """Ids of notebooks that can be started, from all over the fleet."""
    n = schema.notebooks.c
    rows = connection.execute(select(n.id).where(n.status == 130).order_by(n.id).limit(count))
    return list(rows.scalars())


def started(connection: Connection, notebook_id: str) -> None:
    """What a start writes."""
    found = notebooks.find(connection, notebook_id, lock=True)
    if found is None:
        raise LookupError(notebook_id)
    now = found.notebook.update_at + 1
    changed = apply(found.notebook, Event.START, now, claimed=False)
    notebooks.save(connection, found, changed, due_at=now)
    audit.record(connection, now, ACTOR, "start", changed, found.notebook)


def restored(connection: Connection, notebook_id: str) -> None:
    """Puts it back, but for the time of its last change."""
    found = notebooks.find(connection, notebook_id, lock=True)
    if found is not None:
        stays = replace(found.notebook, wanted=Wanted.STOPPED, observed=Observed.STOPPED, progress=None)
        notebooks.save(connection, found, stays, due_at=0)
        audit.record(connection, found.notebook.update_at, ACTOR, "restore", stays, found.notebook)


def moved(connection: Connection, notebook_id: str) -> None:
    """Back and forth."""
    found = notebooks.find(connection, notebook_id)
    is_stopped = found is not None and found.notebook.wanted is Wanted.STOPPED
    (started if is_stopped else restored)(connection, notebook_id)


NAIVE = text(
    "UPDATE notebook SET status = 'STARTING', update_at = update_at + 1, body = body || ' ' WHERE id = :id"
)

NAIVE_RESTORED = text("UPDATE notebook SET status = 'STOPPED', body = rtrim(body) WHERE id = :id")


def measured(found: Stores, count: int) -> tuple[Figures, Figures]:
    ids = found.product.read_now(stopped, count)
    times: tuple[list[float], list[float]] = ([], [])
    for notebook_id in ids:
        timed(times[0], lambda id_=notebook_id: found.product.write_now(started, id_))
        timed(
            times[1], lambda id_=notebook_id: found.naive.write_now(lambda c: c.execute(NAIVE, {"id": id_}))
        )
    for notebook_id in ids:
        found.product.write_now(restored, notebook_id)
        found.naive.write_now(lambda c, id_=notebook_id: c.execute(NAIVE_RESTORED, {"id": id_}))
    return figures(times[0]), figures(times[1])


def run(rows: int, url: str, keep: Path | None, count: int) -> None:
    kind = "postgresql" if url else "sqlite"
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        folder = (keep / f"{kind}-{rows}") if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = stores(rows, folder, url)
        try:
            product, naive = measured(found, count)
        finally:
            found.close()
    print(f"{kind:<12}{rows:>9}{product.p50:>10.3f}{product.p99:>10.3f}{naive.p50:>11.3f}{naive.p99:>11.3f}"
          f"{product.p50 / naive.p50:>8.2f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--url", nargs="+", default=[], help="an empty PostgreSQL database for each size")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    urls = given.url or [""] * len(given.rows)
    if len(urls) != len(given.rows):
        sys.exit("Name one database for each size.")
    print("database    notebooks    p50 ms    p99 ms  naive p50  naive p99   ratio")
    for rows, url in zip(given.rows, urls, strict=True):
        run(rows, url, given.keep, given.count)


if __name__ == "__main__":
    main()

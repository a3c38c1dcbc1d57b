"""Nineteen kinds of list at every size, in the data layer, each against the schema people write first.

    python benchmarks/kinds.py [--rows 1000 10000 100000] [--url URL URL URL] [--keep DIR]

Milliseconds of wall clock in one thread. Product and naive schema take turns, so that whatever else the
machine does hits both; before anything is measured they must agree on the total and the ids of every kind.
`--url` names an empty PostgreSQL database for each size. `--keep` keeps the filled stores there and uses
those it finds.
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, text

import fleet
import naive
import plot
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query, SortKey, Tag
from nbfleet.seeding import NotEmpty
from nbfleet.store import listing, schema
from nbfleet.store.codes import NO_POOL
from nbfleet.store.database import Connection, Database, sqlite_url
from nbfleet.store.directory import Directory

SECONDS = 1.5  # For one kind of one schema; at least three runs, whatever they take.
GRANTS = (0, 1, 50, 500)


@dataclass(frozen=True)
class Figures:
    """Milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Compared:
    kind: str
    product: Figures
    naive: Figures

    @property
    def ratio(self) -> float:
        return self.naive.p50 / self.product.p50


def most_common(connection: Connection, column: Any, table: Any, other_than: int = -1) -> str:
    """The id of what most notebooks have."""
    n = schema.notebooks.c[column]
    query = select(n).where(n != other_than).group_by(n).order_by(func.count().desc(), n).limit(1)
    number = connection.execute(query).scalar_one()
    return connection.execute(select(table.c.id).where(table.c.no == number)).scalar_one()


def kinds(connection: Connection) -> dict[str, Query]:
    """The questions, with values that many rows have."""
    project_id = connection.execute(select(schema.projects.c.id)).scalar_one()
    owner = most_common(connection, "owner_no", schema.users)
    pool = most_common(connection, "pool_no", schema.pools, NO_POOL)
    first = connection.execute(select(func.min(schema.notebooks.c.workspace_no))).scalar_one()
    workspace = most_common(connection, "workspace_no", schema.workspaces, first)
    every = Query(project_id=project_id, feature=None, workspace_id=None)
    some = Query(project_id=project_id)
    status, running = (SortKey.STATUS, SortKey.UPDATE_AT), (Status.RUNNING,)
    total = connection.execute(select(func.sum(schema.count_by_status.c.total))).scalar_one()
    middle, end = int(total) // 2, int(total) * 9 // 10
    return {
        "wire default": some,
        "everything": every,
        "status": replace(every, statuses=running),
        "owner": replace(every, owner_id=owner),
        "pool": replace(every, pool_id=pool),
        "workspace": replace(every, workspace_id=workspace),
        "status and pool": replace(every, statuses=running, pool_id=pool),
        "status and owner": replace(every, statuses=running, owner_id=owner),
        "pool and workspace": replace(every, pool_id=pool, workspace_id="0"),
        "two statuses": replace(every, statuses=(Status.RUNNING, Status.ERROR)),
        "middle by creation": replace(every, offset=middle),
        "late by creation": replace(every, offset=end),
        "first by name": replace(every, sort=(SortKey.NAME,), descending=False),
        "middle by name": replace(every, sort=(SortKey.NAME,), descending=False, offset=middle),
        "middle by status, update": replace(every, sort=status, offset=middle),
        "part of many names": replace(every, name="train"),
        "part of no name": replace(every, name="nowhere"),
        "part of descriptions": replace(every, description="baseline"),
        "tag": replace(every, tags=(Tag("team", "vision"),)),
    }


def timed(seconds: list[float], call: Callable[[], Any]) -> None:
    begun = time.perf_counter()
    call()
    seconds.append(time.perf_counter() - begun)


def figures(seconds: Sequence[float]) -> Figures:
    ordered = sorted(seconds)
    return Figures(
        ordered[len(ordered) // 2] * 1e3, ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1e3
    )


def side_by_side(one: Callable[[], Any], other: Callable[[], Any], repeat: int) -> tuple[Figures, Figures]:
    """The two in turns; the quicker one goes on alone when the slower has had its time."""
    for call in (one, other):
        call()
    times: tuple[list[float], list[float]] = ([], [])
    for call, spent in zip((one, other), times, strict=True):
        timed(spent, call)
    while any(_goes_on(spent, repeat) for spent in times):
        for call, spent in zip((one, other), times, strict=True):
            if _goes_on(spent, repeat):
                timed(spent, call)
    return figures(times[0]), figures(times[1])


def _goes_on(spent: Sequence[float], repeat: int) -> bool:
    return len(spent) < repeat and (len(spent) < min(3, repeat) or sum(spent) < SECONDS)


@dataclass
class Stores:
    product: Database
    naive: Database
    directory: Directory

    def asked(self, query: Query) -> tuple[Callable[[], Any], Callable[[], Any]]:
        ask = naive.question(self.product.engine.dialect.name, query)
        return (
            lambda: self.product.read_now(listing.page, self.directory, query),
            lambda: self.naive.read_now(ask),
        )

    def agree(self, query: Query) -> bool:
        product, other = (call() for call in self.asked(query))
        return (product.total, [row.id for row in product.rows]) == other

    def close(self) -> None:
        self.product.close()
        if self.naive is not self.product:
            self.naive.close()


def stores(rows: int, folder: Path, url: str) -> Stores:
    """Filled, unless they are there already."""
    with suppress(NotEmpty):
        asyncio.run(fleet.fill(folder, rows, url))
    file = folder / "nbfleet.db"
    product = Database(url or sqlite_url(file))
    other = product if url else naive.opened(folder)
    if not _has_naive(other, product):
        naive.fill(other, None if url else file)
    return Stores(product, other, Directory())


def _has_naive(database: Database, product: Database) -> bool:
    """Whether it is there and of today: other benchmarks change the product's rows."""
    with database.engine.connect() as connection:
        if not database.engine.dialect.has_table(connection, "notebook"):
            return False
    return database.read_now(_moment, "notebook") == product.read_now(_moment, "notebooks")


def _moment(connection: Connection, table: str) -> tuple[int, int]:
    count, changes = connection.execute(text(f"SELECT COUNT(*), SUM(update_at) FROM {table}")).one()
    return count, int(changes)


def measured(found: Stores, repeat: int) -> list[Compared]:
    asked = found.product.read_now(kinds)
    wrong = [kind for kind, query in asked.items() if not found.agree(query)]
    if wrong:
        sys.exit(f"The product and the naive schema do not agree on: {', '.join(wrong)}.")
    print(f"{len(asked)} kinds agree with the naive schema.", flush=True)
    compared: list[Compared] = []
    for kind, query in asked.items():
        one = Compared(kind, *side_by_side(*found.asked(query), repeat))
        compared.append(one)
        print(f"{one.kind:<26}{one.product.p50:>10.3f}{one.product.p99:>10.3f}{one.naive.p50:>11.3f}"
              f"{one.naive.p99:>11.3f}{one.ratio:>9.1f}", flush=True)  # fmt: skip
    return compared


def granted(found: Stores, repeat: int) -> dict[int, Figures]:
    """The first page of a reader who may see so many workspaces."""

    def add(connection: Connection) -> list[str]:
        w = schema.workspaces.c
        known = list(connection.execute(select(w.id).order_by(w.no)).scalars())
        project_no = connection.execute(select(schema.projects.c.no)).scalar_one()
        for number in range(max(0, max(GRANTS) - len(known))):
            values = {"project_no": project_no, "id": f"{number:032x}", "name": f"granted-{number}"}
            connection.execute(insert(schema.workspaces).values(**values))
            known.append(values["id"])
        return known

    ids = found.product.write_now(add)
    every = found.product.read_now(kinds)["everything"]
    result: dict[int, Figures] = {}
    for number in GRANTS:
        product, _ = found.asked(replace(every, granted=frozenset(ids[:number])))
        result[number] = side_by_side(product, product, repeat)[0]
        print(f"granted {number:>4} workspaces  {result[number].p50:>10.3f}{result[number].p99:>10.3f}")
    return result


def mean(ratios: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def run(rows: int, url: str, keep: Path | None, repeat: int) -> list[Compared]:
    kind = "postgresql" if url else "sqlite"
    print(f"\n{rows} notebooks, {kind}{'':<8}p50 ms    p99 ms  naive p50  naive p99    ratio", flush=True)
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        folder = (keep / f"{kind}-{rows}") if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = stores(rows, folder, url)
        try:
            compared = measured(found, repeat)
            granted(found, repeat)
        finally:
            found.close()
    worst = max(compared, key=lambda one: one.product.p50)
    print(f"geometric mean {mean([one.ratio for one in compared]):.1f}, "
          f"slowest: {worst.kind}, {worst.product.p50:.3f} ms", flush=True)  # fmt: skip
    return compared


def growth(smallest: Sequence[Compared], largest: Sequence[Compared]) -> None:
    print("\np50 of the largest against the smallest size")
    for small, large in zip(smallest, largest, strict=True):
        print(f"{small.kind:<26}{large.product.p50 / small.product.p50:>8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--url", nargs="+", default=[], help="an empty PostgreSQL database for each size")
    parser.add_argument("--repeat", type=int, default=100)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--plot", type=Path, help="draw them there, as SVG")
    given = parser.parse_args()
    urls = given.url or [""] * len(given.rows)
    if len(urls) != len(given.rows):
        sys.exit("Name one database for each size.")
    results = {
        rows: run(rows, url, given.keep, given.repeat) for rows, url in zip(given.rows, urls, strict=True)
    }
    if len(results) > 1:
        growth(results[min(results)], results[max(results)])
    points = {
        rows: {one.kind: (one.product.p50, one.naive.p50) for one in some} for rows, some in results.items()
    }
    if given.json:
        given.json.write_text(json.dumps(points, indent=1), "utf-8")
    if given.plot:
        given.plot.write_text(plot.drawn(points, "PostgreSQL" if given.url else "SQLite"), "utf-8")


if __name__ == "__main__":
    main()

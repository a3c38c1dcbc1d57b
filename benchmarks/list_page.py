"""The first page of the fleet list against its floors, side by side in one run.

    python benchmarks/list_page.py [--rows 1000 10000] [--requests 2000] [--rounds 3] [--keep DIR] [--signed]

Prints server CPU per request: the minimum over rounds that alternate between the servers. Bare floor: ASGI
answering the same bytes. Static floor: route, authentication and request id of the product around the same
bytes. Product: the whole path with an exact total; in turn: the same for sixteen questions, equality on one
or two fields each; cached: the first question again while nothing was written. Signed requests instead of
tokens with --signed. `--keep` is that of `kinds`.
"""

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import fleet
from kinds import kinds
from load import Result, ask, measure
from nbfleet.face import listen
from nbfleet.seeding import NotEmpty
from nbfleet.store.database import Database, sqlite_url
from nbfleet.wire import signing

HERE = Path(__file__).parent


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        return listening.getsockname()[1]


def start(kind: str, port: int, data_dir: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "servers.py"), kind, str(port), str(data_dir), ""]
    process = subprocess.Popen(command, stderr=(data_dir / f"{kind}.log").open("wb"))
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process
    raise RuntimeError(f"{kind} did not start")


@dataclass(frozen=True)
class Asker:
    """Makes requests as a client with a token sends them, or one that signs."""

    port: int
    made: fleet.Filled
    signed: bool

    def request(self, query: str = "") -> bytes:
        path, host = f"/v1/{self.made.project_id}/notebooks/all", f"127.0.0.1:{self.port}"
        headers = {"Host": host, **self._proof(path, query, host)}
        lines = [f"GET {path}{'?' if query else ''}{query} HTTP/1.1"]
        return "\r\n".join([*lines, *(f"{k}: {v}" for k, v in headers.items()), "", ""]).encode()

    def _proof(self, path: str, query: str, host: str) -> dict[str, str]:
        if not self.signed:
            return {"X-Auth-Token": self.made.token}
        request = signing.Request("GET", path.encode(), query.encode(), [(b"host", host.encode())], b"")
        return signing.sign(request, self.made.access_key, self.made.secret_key, datetime.now(UTC))


def questions(data_dir: Path) -> list[str]:
    """Equality on each of five fields and on each pair of them, with values that many rows have."""
    database = Database(sqlite_url(data_dir / "nbfleet.db"))
    asked = database.read_now(kinds)
    database.close()
    values = {
        "feature": "feature=NOTEBOOK",
        "status": "status=RUNNING",
        "owner": f"owner={asked['owner'].owner_id}",
        "pool": f"pool_id={asked['pool'].pool_id}",
        "workspace": f"workspace_id={asked['workspace'].workspace_id}",
    }
    any_of = {"feature": "feature=*", "workspace": "workspace_id=*"}
    some = [(), *((one,) for one in values), *itertools.combinations(values, 2)]
    return [
        "&".join(
            sorted(
                [values[name] for name in names]
                + [text for name, text in any_of.items() if name not in names]
            )
        )
        for names in some
    ]


def compare(rows: int, count: int, rounds: int, keep: Path | None, signed: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as temporary:
        data_dir = (keep / f"sqlite-{rows}") if keep else Path(temporary)
        data_dir.mkdir(parents=True, exist_ok=True)
        with suppress(NotEmpty):
            asyncio.run(fleet.fill(data_dir, rows))
        made = asyncio.run(fleet.log_in(data_dir))
        kinds_of = {"product": "product", "in turn": "product", "cached": "cached", "static": "static",
                    "bare": "bare"}  # fmt: skip
        ports: dict[str, int] = {}
        servers: dict[str, subprocess.Popen[bytes]] = {}
        for name, kind in kinds_of.items():
            port = ports[name] = free_port()  # Free until somebody listens: two at once may be the same.
            servers[name] = start(kind, port, data_dir)
            if name == "product":
                (data_dir / "page.json").write_bytes(ask(port, Asker(port, made, signed).request()))
        askers = {name: Asker(port, made, signed) for name, port in ports.items()}
        requests = {name: [asker.request()] for name, asker in askers.items()}
        requests["in turn"] = [askers["in turn"].request(query) for query in questions(data_dir)]
        best: dict[str, Result] = {}
        try:
            for _ in range(rounds):
                for name, server in servers.items():
                    measure(server.pid, ports[name], requests[name], 200)
                    result = measure(server.pid, ports[name], requests[name], count)
                    if name not in best or result.cpu_us < best[name].cpu_us:
                        best[name] = result
        finally:
            for server in servers.values():
                server.kill()
                server.wait()
        report(rows, best, (data_dir / "page.json").stat().st_size)


def report(rows: int, best: dict[str, Result], size: int) -> None:
    print(f"\n{rows} notebooks, page of {size} bytes")
    print(f"{'server':<10}{'CPU us':>8}{'p50 ms':>8}{'p99 ms':>8}{'req/s':>8}{'of static floor':>17}")
    floor = best["static"].cpu_us
    for kind in ("bare", "static", "product", "in turn", "cached"):
        r = best[kind]
        share = f"{floor / r.cpu_us:.0%}"
        print(f"{kind:<10}{r.cpu_us:>8.0f}{r.p50_ms:>8.2f}{r.p99_ms:>8.2f}{r.per_second:>8.0f}{share:>17}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--signed", action="store_true")
    given = parser.parse_args()
    os.environ.pop("NBFLEET_DATA_DIR", None)
    for size in given.rows:
        compare(size, given.requests, given.rounds, given.keep, given.signed)

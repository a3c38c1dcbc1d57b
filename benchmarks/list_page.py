"""The first page of the fleet list against its floors, side by side in one run.

    python benchmarks/list_page.py [--rows 1000 10000] [--requests 2000] [--rounds 3]

Prints server CPU per request: the minimum over rounds that alternate between the servers. Bare floor: ASGI
answering the same bytes. Static floor: route, authentication and request id of the product around the same
bytes. Product: the whole path with an exact total; cached: the same when the question is asked again.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import fleet
from load import Result, measure
from nbfleet.face import listen

HERE = Path(__file__).parent


def free_port() -> int:
    with listen("127.0.0.1", 0) as listening:
        return listening.getsockname()[1]


def start(kind: str, port: int, data_dir: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / "servers.py"), kind, str(port), str(data_dir), ""]
    process = subprocess.Popen(command, stderr=(data_dir / f"{kind}.log").open("wb"))
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process
    raise RuntimeError(f"{kind} did not start")


def request(port: int, project_id: str, token: str, query: str = "") -> bytes:
    target = f"/v1/{project_id}/notebooks/all{query}"
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Auth-Token: {token}\r\n\r\n".encode()


def compare(rows: int, count: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="nbfleet-bench-") as folder:
        data_dir = Path(folder)
        made = asyncio.run(fleet.fill(data_dir, rows))
        ports = {kind: free_port() for kind in ("product", "cached", "static", "bare")}
        servers = {"product": start("product", ports["product"], data_dir)}
        url = f"http://127.0.0.1:{ports['product']}/v1/{made.project_id}/notebooks/all"
        asked = urllib.request.Request(url, headers={"X-Auth-Token": made.token})
        with urllib.request.urlopen(asked) as answer:
            (data_dir / "page.json").write_bytes(answer.read())
        for kind in ("cached", "static", "bare"):
            servers[kind] = start(kind, ports[kind], data_dir)
        best: dict[str, Result] = {}
        try:
            for _ in range(rounds):
                for kind, server in servers.items():
                    one = [request(ports[kind], made.project_id, made.token)]
                    measure(server.pid, ports[kind], one, 200)
                    result = measure(server.pid, ports[kind], one, count)
                    if kind not in best or result.cpu_us < best[kind].cpu_us:
                        best[kind] = result
        finally:
            for server in servers.values():
                server.kill()
                server.wait()
        report(rows, best, (data_dir / "page.json").stat().st_size)


def report(rows: int, best: dict[str, Result], size: int) -> None:
    print(f"\n{rows} notebooks, page of {size} bytes")
    print(f"{'server':<10}{'CPU us':>8}{'p50 ms':>8}{'p99 ms':>8}{'req/s':>8}{'of static floor':>17}")
    floor = best["static"].cpu_us
    for kind in ("bare", "static", "product", "cached"):
        r = best[kind]
        share = f"{floor / r.cpu_us:.0%}"
        print(f"{kind:<10}{r.cpu_us:>8.0f}{r.p50_ms:>8.2f}{r.p99_ms:>8.2f}{r.per_second:>8.0f}{share:>17}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ.pop("NBFLEET_DATA_DIR", None)
    for size in given.rows:
        compare(size, given.requests, given.rounds)

"""The fleet list beside the lists of programs that people would pick instead, in one run.

    python benchmarks/peers.py [--requests 500] [--rounds 3] [--small] [--environments DIR]

Prints server CPU per request: the minimum over rounds that alternate between the servers, and how many times
the product's for the comparable question it is: with every answer made anew, and as it is served, with its
answer cache, which the repeated question of a benchmark always meets. It does not compare what the programs
do: their rows are of other kinds, and their answers of other sizes. --small is a check that it all works; its
figures mean nothing.
"""

import argparse
import platform
import signal
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from load import Result, measure
from peer_environments import VERSIONS
from peer_servers import SERVERS, SMALL, Place, Server, Sizes

_WARM_UP = 40

Best = dict[tuple[str, str], Result]  # By server and question.


def one_round(servers: list[Server], count: int, best: Best) -> None:
    for server in servers:
        for question in server.questions:
            asked, place = [question.request], (server.name, question.label)
            measure(server.pid, server.port, asked, min(count, _WARM_UP))
            result = measure(server.pid, server.port, asked, count)
            if place not in best or result.cpu_us < best[place].cpu_us:
                best[place] = result


def report(servers: list[Server], best: Best, lengths: dict[tuple[str, str], int]) -> None:
    versions = {"nbfleet": version("nbfleet")} | VERSIONS
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    print(
        f"{'server':<11}{'question':<28}{'rows':>5}{'bytes':>7}{'CPU us':>8}"
        f"{'p50 ms':>8}{'p99 ms':>8}{'req/s':>7}{'times ours':>11}{'as served':>11}"
    )
    for server in servers:
        for asked in server.questions:
            place = (server.name, asked.label)
            r, ours, cached = best[place], best["nbfleet", asked.like], best["as served", asked.like]
            print(
                f"{server.name:<11}{asked.label:<28}{asked.rows:>5}{lengths[place]:>7}{r.cpu_us:>8.0f}"
                f"{r.p50_ms:>8.2f}{r.p99_ms:>8.2f}{r.per_second:>7.0f}{r.cpu_us / ours.cpu_us:>11.1f}"
                f"{r.cpu_us / cached.cpu_us:>11.1f}"
            )


def compare(sizes: Sizes, environments: Path, count: int, rounds: int) -> None:
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="nbfleet-peers-")))
        place = Place(sizes, folder, environments, ending)
        servers = [start(place) for start in SERVERS]
        lengths = {(s.name, asked.label): s.check(asked) for s in servers for asked in s.questions}
        best: Best = {}
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            one_round(servers, count, best)
        report(servers, best, lengths)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir(), "nbfleet-peers"))
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # So that the servers are ended then too.
    requests, rounds = (40, 1) if given.small else (500, 3)
    compare(
        SMALL if given.small else Sizes(),
        given.environments.absolute(),
        given.requests or requests,
        given.rounds or rounds,
    )

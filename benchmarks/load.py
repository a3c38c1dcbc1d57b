"""A load generator and a CPU meter for the benchmarks.

What counts is the CPU time of the server for one request: unlike the wall clock it does not depend on what
else the machine does. The generator keeps a fixed number of requests in flight over connections that stay
open, and reads whole answers.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time of the process so far, all its threads included."""
    schedstat = sum(
        int((thread / "schedstat").read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").iterdir()
    )
    return schedstat / 1e9


@dataclass(frozen=True)
class Result:
    requests: int
    cpu_us: float  # Server CPU per request, microseconds.
    p50_ms: float
    p99_ms: float
    per_second: float


async def _worker(
    host: str, port: int, requests: Sequence[bytes], start: int, step: int, count: int, times: list[float]
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for number in range(start, count, step):
        begun = time.perf_counter()
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode("latin-1"))
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
    writer.close()


def measure(pid: int, port: int, requests: Sequence[bytes], count: int, connections: int = 8) -> Result:
    """Sends `count` requests, the given ones in turn, and says what they cost the server `pid`."""

    async def run() -> list[float]:
        times: list[float] = []
        await asyncio.gather(
            *(
                _worker("127.0.0.1", port, requests, start, connections, count, times)
                for start in range(connections)
            )
        )
        return times

    cpu, begun = cpu_seconds(pid), time.perf_counter()
    times = sorted(asyncio.run(run()))
    wall = time.perf_counter() - begun
    spent = cpu_seconds(pid) - cpu
    return Result(
        requests=len(times),
        cpu_us=spent / len(times) * 1e6,
        p50_ms=times[len(times) // 2] * 1e3,
        p99_ms=times[int(len(times) * 0.99)] * 1e3,
        per_second=len(times) / wall,
    )

"""A load generator and a CPU meter for the benchmarks.

What counts is the CPU time of the server for one request: unlike the wall clock it does not depend on what
else the machine does. The generator keeps a fixed number of requests in flight, over connections that stay
open unless the server closes them, and reads whole answers. It does not read chunked ones.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


def family(pid: int) -> list[int]:
    """The process and the processes below it, parents first."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # It may end meanwhile.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    members = [pid]
    for member in members:
        members.extend(child for child, parent in parents.items() if parent == member)
    return members


def cpu_seconds(pid: int) -> float:
    """CPU time so far of the process and those below it, with all their threads, ended ones included."""
    return sum(time.clock_gettime(_clock(member)) for member in family(pid))


def _clock(pid: int) -> int:
    """Linux's id of the CPU clock of a process. What /proc tells by thread forgets the threads that ended."""
    return ~pid << 3 | 2


@dataclass(frozen=True)
class Result:
    requests: int
    cpu_us: float  # Server CPU per request, microseconds.
    p50_ms: float
    p99_ms: float
    per_second: float


async def _body(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """The body of the next answer, and whether the connection stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError((head + body).decode("utf-8", "replace"))
    return body, b"connection: close" not in lines


async def _worker(port: int, requests: Sequence[bytes], times: list[float]) -> bytes:
    """Sends the requests one after the other; the last answer's body."""
    body, is_open = b"", False
    for request in requests:
        begun = time.perf_counter()
        if not is_open:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        body, is_open = await _body(reader)
        times.append(time.perf_counter() - begun)
        if not is_open:
            writer.close()
    if is_open:
        writer.close()
    return body


def ask(port: int, request: bytes) -> bytes:
    """The body of one answer; raises RuntimeError with the whole answer unless its status is 200."""
    return asyncio.run(_worker(port, [request], []))


def send(port: int, requests: Sequence[bytes], connections: int = 8) -> list[float]:
    """Sends each request once; the seconds that each answer took."""

    async def run() -> list[float]:
        times: list[float] = []
        shares = [requests[start::connections] for start in range(connections)]
        await asyncio.gather(*(_worker(port, share, times) for share in shares))
        return times

    return asyncio.run(run())


def measure(pid: int, port: int, requests: Sequence[bytes], count: int, connections: int = 8) -> Result:
    """Sends `count` requests, the given ones in turn, and says what they cost the server `pid`."""
    sent = [requests[number % len(requests)] for number in range(count)]
    cpu, begun = cpu_seconds(pid), time.perf_counter()
    times = sorted(send(port, sent, connections))
    wall = time.perf_counter() - begun
    spent = cpu_seconds(pid) - cpu
    return Result(
        requests=count,
        cpu_us=spent / count * 1e6,
        p50_ms=times[count // 2] * 1e3,
        p99_ms=times[int(count * 0.99)] * 1e3,
        per_second=count / wall,
    )

"""Bytes for the ports of a service: valid requests, mutations of them, and noise; and what comes back."""

import asyncio
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

_WAIT = 0.25  # Seconds for an answer; to a request that never ends there is none.
_AT_ONCE = 32
_LONGEST = 200_000
_WORDS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"/", b"//", b"..", b"%00", b"%2f", b"%", b"%ff%fe",
    b"?", b"#", b"&", b"=", b"'", b'"', b"{", b"}", b"[", b"\\u0000", b"\\ud800", b"\xff\xfe",
    b"\xed\xa0\x80", "实验".encode(), b"-1", b"0", b"1e309", b"9" * 40, b"2147483648", b"null", b"true",
    b"A" * 300, b"[" * 3000, b"GET ", b"PRI * HTTP/2.0", b"HTTP/1.1", b"HTTP/0.9", b"HTTP/9.9",
    b"CONNECT x:1 HTTP/1.1\r\n", b"Content-Length: 5\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n",
    b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\nConnection: Upgrade\r\n", b"Upgrade: h2c\r\n",
    b"Sec-WebSocket-Version: 0\r\n", b"X-Auth-Token: \xff\r\n",
    b"Authorization: SDK-HMAC-SHA256 Access=\r\n", b"Host: \r\n", b"Cookie: " + b"a=b; " * 500 + b"\r\n",
    b"Idempotency-Key: \x01\r\n", b"X-Forwarded-For: ::\r\n",
)  # fmt: skip


@dataclass(frozen=True)
class Seed:
    port: int
    bytes: bytes


def request(method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    named = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body:
        named["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _left_out(chance: random.Random, data: bytes) -> bytes:
    start = chance.randrange(len(data) + 1)
    return data[:start] + data[start + chance.randint(1, 20) :]


def _put_in(chance: random.Random, data: bytes) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(_WORDS) + data[place:]


def _repeated(chance: random.Random, data: bytes) -> bytes:
    """A header line, or another stretch, many times."""
    start = chance.randrange(len(data) + 1)
    stretch = data[start : start + chance.randint(1, 60)]
    return data[:start] + stretch * chance.choice((2, 3, 50, 500)) + data[start:]


def _headers(chance: random.Random, data: bytes) -> bytes:
    """More of the words that mean something, where headers stand."""
    first, end, rest = data.partition(b"\r\n")
    words = b"".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 4)))
    return first + end + words + rest


def _noise(chance: random.Random, _data: bytes) -> bytes:
    return chance.randbytes(chance.choice((1, 16, 300, 5000)))


def _twice(chance: random.Random, data: bytes) -> bytes:
    return data + _flipped(chance, data)


_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flipped, _cut, _left_out, _put_in, _put_in, _repeated, _headers, _headers, _noise, _twice,
)  # fmt: skip


def mutated(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        data = chance.choice(_MUTATIONS)(chance, data)
    return data[:_LONGEST]


async def sent(port: int, data: bytes) -> bytes:
    """What a port says to these bytes, as far as it says it soon; nothing when it just closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        with suppress(ConnectionError, TimeoutError):
            writer.write(data)
            async with asyncio.timeout(_WAIT):
                got = await reader.read(65536)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return got


async def answers(seeds: Iterable[Seed], judge: Callable[[Seed, bytes], None]) -> None:
    """Sends each, some at a time, and hands over what came back."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(seed: Seed) -> None:
        try:
            judge(seed, await sent(seed.port, seed.bytes))
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            await room.acquire()
            group.create_task(one(seed))

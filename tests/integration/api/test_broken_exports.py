"""An export that ends too early is never taken for a whole one, and one that nobody reads ends."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from nbfleet.client import BrokenOff, Client
from nbfleet.domain.access import Role
from nbfleet.services import lists
from nbfleet.store import identity
from nbfleet.store.database import Connection
from nbfleet.wire import signing
from support.client import Caller
from support.hosted import Hosted
from support.people import DATABASES

ROWS = 40


@pytest.fixture(params=DATABASES)
def hosted(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hosted]:
    """Its batches are small, so that a few rows are many of them, each larger than what sockets hold."""
    monkeypatch.setattr(lists, "BATCH", 1)
    sqlite = f"sqlite:///{tmp_path}/test.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    started = Hosted(tmp_path, url, {"exports": 1}).start()
    for _ in range(ROWS):
        started.administrator().create()
    started.database.write_now(_swell)
    yield started
    started.stop()


def _swell(connection: Connection) -> None:
    """Documents of half a megabyte: no socket holds many of them."""
    padding = b" " * 500_000
    for rid, body in connection.execute(text("SELECT rid, body FROM documents")).all():
        swollen = {"body": bytes(body)[:-1] + padding + b"}", "rid": rid}
        connection.execute(text("UPDATE documents SET body = :body WHERE rid = :rid"), swollen)


def _disable(connection: Connection, name: str) -> None:
    user = identity.user(connection, name=name)
    assert user is not None
    identity.enable_user(connection, user.no, False)


@contextmanager
def begun(caller: Caller) -> Iterator[socket.socket]:
    """An export of which nothing but the status was read."""
    path, host = caller.at("/export"), f"127.0.0.1:{caller.port}"
    request = signing.Request("GET", path.encode(), b"", [(b"host", host.encode())], b"")
    signed = {"Host": host} | signing.sign(request, caller.access_key, caller.secret_key, caller.now)
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.items()), "", ""]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", caller.port))
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """Everything until the other side closes."""
    parts: list[bytes] = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def test_a_fault_on_the_way_breaks_the_answer_off(hosted: Hosted) -> None:
    with begun(hosted.administrator()) as connection:
        time.sleep(0.3)
        hosted.database.write_now(lambda c: c.execute(text("ALTER TABLE documents RENAME TO gone")))
        rest = rest_of(connection)
    assert 0 < rest.count(b"}\n") < ROWS
    # The piece that would say that this is all never came.
    assert not rest.endswith(b"0\r\n\r\n")
    hosted.database.write_now(lambda c: c.execute(text("ALTER TABLE gone RENAME TO documents")))
    assert hosted.administrator().get("/export").raw.count(b"}\n") == ROWS


def test_an_export_ends_with_the_right_to_it(hosted: Hosted) -> None:
    boss = hosted.user("boss", "local", Role.ADMINISTRATOR)
    with begun(boss) as connection:
        time.sleep(0.3)
        hosted.database.write_now(_disable, "boss")
        hosted.clock.now += lists.RECHECKED
        rest = rest_of(connection)
    assert 0 < rest.count(b"}\n") < ROWS
    assert not rest.endswith(b"0\r\n\r\n")
    assert boss.get("/export").status == 401


def test_an_export_that_nobody_reads_gives_its_turn_back(hosted: Hosted) -> None:
    admin = hosted.administrator()
    with begun(admin):
        assert admin.get("/export").status == 503
    end = time.monotonic() + 10
    while admin.get("/export").status == 503:
        assert time.monotonic() < end
        time.sleep(0.05)


@dataclass
class HalfAnAnswer:
    """Speaks HTTP, and goes away in the middle."""

    endpoint: str = ""
    project_id: str = "p"
    access_key: str = "a"
    secret_key: str = "s"

    def serve_once(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def run() -> None:
            connection, _ = listening.accept()
            with listening, connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n")

        threading.Thread(target=run, daemon=True).start()


def test_the_client_tells_half_an_answer_from_a_whole_one() -> None:
    half = HalfAnAnswer()
    half.serve_once()
    pieces: list[bytes] = []

    async def run() -> None:
        async with Client(half) as client:
            async for piece in client.stream("ExportNotebooks"):
                pieces.append(piece)

    with pytest.raises(BrokenOff, match=f"The connection to {half.endpoint} was lost on the way"):
        asyncio.run(run())
    assert pieces == [b"first\n"]

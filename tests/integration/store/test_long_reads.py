"""Reads that may take long: apart from short ones, and given up at their deadline, on both databases."""

import asyncio
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from nbfleet.store.database import LONG_READERS, Connection, Database, TooSlow, Unavailable, sqlite_url
from support import fleet

ENDLESS = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(3600)",
}


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


def endless(connection: Connection) -> None:
    connection.execute(text(ENDLESS[connection.dialect.name]))


def number(connection: Connection) -> int:
    return connection.execute(text("SELECT 7")).scalar_one()


async def given_up_after(database: Database, seconds: float) -> float:
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        await database.read_long(seconds, endless)
    return time.monotonic() - begun


def test_an_endless_read_is_given_up_and_its_thread_is_good_for_the_next(database: Database) -> None:
    async def run() -> None:
        for _ in range(LONG_READERS + 1):
            assert 0.2 <= await given_up_after(database, 0.2) < 2
        for _ in range(LONG_READERS + 1):
            assert await database.read_long(5, number) == 7

    asyncio.run(run())


def test_waiting_for_a_turn_counts(database: Database) -> None:
    async def run() -> None:
        busy = [asyncio.create_task(given_up_after(database, 1.5)) for _ in range(LONG_READERS)]
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        with pytest.raises(TooSlow):
            await database.read_long(0.3, number)
        assert 0.3 <= time.monotonic() - begun < 1
        await asyncio.gather(*busy)

    asyncio.run(run())


def test_short_reads_and_writes_do_not_wait_for_long_ones(database: Database) -> None:
    async def run() -> None:
        busy = [asyncio.create_task(given_up_after(database, 1.5)) for _ in range(2 * LONG_READERS)]
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        assert await database.read(number) == 7
        assert await database.write(number) == 7
        assert time.monotonic() - begun < 1
        await asyncio.gather(*busy)

    asyncio.run(run())


def test_without_a_deadline_a_read_may_take_its_time(database: Database) -> None:
    assert asyncio.run(database.read_long(math.inf, number)) == 7


def test_other_faults_keep_their_name(database: Database) -> None:
    def refused(_connection: Connection) -> None:
        raise Unavailable("the disk is gone")

    with pytest.raises(Unavailable, match="the disk is gone"):
        asyncio.run(database.read_long(5, refused))


def test_the_deadline_ends_with_its_read(database: Database) -> None:
    """Whatever the thread does next is not cut short by the deadline of an earlier read."""

    async def run() -> None:
        for _ in range(LONG_READERS):
            assert await database.read_long(0.2, number) == 7
        await asyncio.sleep(0.3)
        for _ in range(LONG_READERS):
            slow = "SELECT pg_sleep(0.4)" if not database.is_sqlite else ENDLESS["sqlite"].replace(
                "FROM c)", "FROM c WHERE x < 300000)"
            )  # fmt: skip
            await database.read_long(math.inf, lambda c, slow=slow: c.execute(text(slow)))

    asyncio.run(run())


def test_only_what_is_looked_for_is_mapped(tmp_path: Path) -> None:
    """Of what goes through everything no page counts as memory of the service."""
    file = tmp_path / "test.db"

    def is_mapped(connection: Connection) -> bool:
        assert connection.execute(text("SELECT word FROM words")).scalar() == "word"
        maps = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
        return any(line.endswith(f" {file}") for line in maps)

    with closing(sqlite3.connect(file)) as made:
        made.execute("CREATE TABLE words AS SELECT 'word' AS word")
    with closing(Database(sqlite_url(file))) as database:
        assert asyncio.run(database.read_long(math.inf, is_mapped)) is False
        assert asyncio.run(database.read_long(5, is_mapped)) is True

"""Transactions: what one write may do to others, what a read may see, and what failures are called."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text, update

from nbfleet.domain.listing import Query
from nbfleet.store import compiled, listing, schema
from nbfleet.store.database import LONG_READERS, Conflict, Connection, Database, TooSlow, Unavailable
from nbfleet.store.directory import Directory
from support import fleet
from support.postgres import Postgres

SETTINGS = schema.settings


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


def put(connection: Connection, key: str, value: str = "") -> None:
    connection.execute(insert(SETTINGS).values(key=key, value=value))


def keys(connection: Connection) -> list[str]:
    return list(connection.execute(select(SETTINGS.c.key).order_by(SETTINGS.c.key)).scalars())


def put_and_fail(connection: Connection, key: str) -> None:
    put(connection, key)
    raise KeyError(key)


def test_a_write_is_visible_to_the_next_read(database: Database) -> None:
    async def run() -> None:
        for number in range(20):
            await database.write(put, f"{number:02}")
            assert await database.read(keys) == [f"{n:02}" for n in range(number + 1)]

    asyncio.run(run())


def test_a_write_answers_what_its_function_answers(database: Database) -> None:
    assert database.write_now(lambda _, a, b=0: a + b, 1, b=2) == 3


def test_a_failing_write_in_a_group_harms_nobody(database: Database) -> None:
    """They queue up behind the first, which waits, and then share a transaction on SQLite."""
    go = threading.Event()

    def wait(connection: Connection) -> None:
        go.wait(10)
        put(connection, "first")

    async def run() -> list[object]:
        first = asyncio.create_task(database.write(wait))
        await asyncio.sleep(0.05)
        others = [
            database.write(put_and_fail if number % 3 == 1 else put, f"{number:02}") for number in range(30)
        ]
        gathered = asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)
        go.set()
        await first
        return await gathered

    results = asyncio.run(run())
    assert [type(result) for result in results] == [
        KeyError if number % 3 == 1 else type(None) for number in range(30)
    ]
    written = [f"{number:02}" for number in range(30) if number % 3 != 1]
    assert database.read_now(keys) == [*written, "first"]


def test_a_cancelled_write_in_a_group_harms_nobody(database: Database) -> None:
    go = threading.Event()

    async def run() -> list[object]:
        first = asyncio.create_task(database.write(lambda _: go.wait(10)))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(database.write(put, f"{number:02}")) for number in range(20)]
        await asyncio.sleep(0.05)
        for task in others[::4]:
            task.cancel()
        first.cancel()
        go.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    first, *results = asyncio.run(run())
    assert isinstance(first, asyncio.CancelledError)
    # Those that were cancelled may have been too quick for it; nobody else may notice anything.
    assert [result for number, result in enumerate(results) if number % 4] == [None] * 15
    certain = {f"{number:02}" for number in range(20) if number % 4}
    assert certain - set(database.read_now(keys)) == set()
    database.write_now(put, "afterwards")
    assert database.read_now(keys)[-1] == "afterwards"


def test_a_key_that_exists_is_a_conflict_and_the_rest_of_the_write_is_undone(database: Database) -> None:
    database.write_now(put, "taken")

    def write(connection: Connection) -> None:
        put(connection, "before")
        put(connection, "taken")

    with pytest.raises(Conflict):
        database.write_now(write)
    assert database.read_now(keys) == ["taken"]


def test_a_missing_reference_is_a_conflict(database: Database) -> None:
    values = {"id": "k", "user_no": 999, "secret": b"", "enabled": True, "create_at": 0}
    with pytest.raises(Conflict):
        database.write_now(lambda connection: connection.execute(insert(schema.access_keys).values(**values)))


def test_a_read_is_a_snapshot(database: Database) -> None:
    database.write_now(put, "a")

    def read(connection: Connection) -> tuple[list[str], list[str]]:
        before = keys(connection)
        database.write_now(put, "b")
        return before, keys(connection)

    assert database.read_now(read) == (["a"], ["a"])
    assert database.read_now(keys) == ["a", "b"]


def test_a_read_that_fails_gives_its_connection_back(database: Database) -> None:
    def fail(connection: Connection) -> None:
        keys(connection)
        raise KeyError

    for _ in range(10):
        with pytest.raises(KeyError):
            database.read_now(fail)
    database.write_now(put, "a")
    assert database.read_now(keys) == ["a"]


def test_writes_at_once_lose_nothing(database: Database) -> None:
    database.write_now(put, "count", "0")

    def count(connection: Connection) -> None:
        here = SETTINGS.c.key == "count"
        value = connection.execute(select(SETTINGS.c.value).where(here).with_for_update()).scalar_one()
        connection.execute(update(SETTINGS).where(here).values(value=str(int(value) + 1)))

    async def run() -> None:
        await asyncio.gather(*(database.write(count) for _ in range(100)))

    asyncio.run(run())
    assert database.read_now(lambda c: c.execute(select(SETTINGS.c.value)).scalar_one()) == "100"


def test_notebooks_that_change_status_in_opposite_ways_do_not_wait_for_each_other(database: Database) -> None:
    """Their counters are touched in one order; a deadlock would cost a second each."""
    table = schema.notebooks
    for number in range(8):
        database.write_now(fleet.add, fleet.notebook(number))

    def swap(connection: Connection, number: int, status: int) -> None:
        mine = table.c.id == fleet.notebook(number).id
        connection.execute(update(table).where(mine).values(status=status))

    async def run() -> None:
        for turn in range(30):
            writes = (database.write(swap, n, 90 if (n + turn) % 2 else 130) for n in range(8))
            await asyncio.gather(*writes)

    asyncio.run(run())
    assert database.read_now(fleet.counters) == database.read_now(fleet.recount)
    if not database.is_sqlite:
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert database.write_now(lambda c: c.execute(text(deadlocks)).scalar()) == 0


def test_sqlite_locked_by_another_process_is_unavailable_until_it_is_free(
    sqlite_template: Path, tmp_path: Path
) -> None:
    path = tmp_path / "locked.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}", patience=0.05)
    database.write_now(put, "before")
    # A second connection of the same library locks like one of another process.
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(2):
        with pytest.raises(Unavailable, match="locked"):
            database.write_now(put, "during")
    assert database.read_now(keys) == ["before"], "readers wait for no writer"
    other.execute("ROLLBACK")
    other.close()
    database.write_now(put, "afterwards")
    assert database.read_now(keys) == ["afterwards", "before"]
    database.close()


def test_a_server_that_is_gone_is_unavailable_and_found_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    directory = Path(tmp_path_factory.mktemp("gone", numbered=True))
    for place in (directory, *directory.parents[:3]):
        place.chmod(0o755)
    server = Postgres(directory).start()
    url = server.new_database()
    database = Database(url)
    database.write_now(schema.metadata.create_all)
    database.write_now(fleet.populate)
    database.write_now(put, "before")
    query = Query(project_id=fleet.PROJECTS[0])
    directory_of_ids = Directory()
    assert database.read_now(listing.page, directory_of_ids, query).total == 0
    server.stop()
    for _ in range(2):
        with pytest.raises(Unavailable):
            database.read_now(listing.page, directory_of_ids, query)
        with pytest.raises(Unavailable):
            database.read_now(keys)
        with pytest.raises(Unavailable):
            database.write_now(put, "during")
        with pytest.raises(Unavailable):
            asyncio.run(database.glance(listing.bounded_page, directory_of_ids, query))
        with pytest.raises(Unavailable):
            asyncio.run(database.statement(lambda driver: driver.execute("SELECT 1")))
    server.restart()

    def settled() -> list[str]:
        """Each thread finds out once that its connection is gone."""
        for _ in range(20):
            try:
                database.write_now(put, "afterwards")
            except Unavailable:
                continue
            return database.read_now(keys)
        raise AssertionError("not found again")

    assert settled() == ["afterwards", "before"]
    assert asyncio.run(database.statement(lambda driver: driver.execute("SELECT 1").fetchone())) == (1,)
    assert database.read_now(listing.page, directory_of_ids, query).total == 0
    database.close()
    server.stop()


ENDLESS = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(3600)",
}


def test_a_glance_that_takes_long_is_given_up_and_harms_no_other(database: Database) -> None:
    endless = ENDLESS[database.engine.dialect.name]
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        asyncio.run(database.glance(lambda connection: connection.execute(text(endless))))
    with pytest.raises(TooSlow):
        asyncio.run(database.statement(lambda driver: driver.execute(endless).fetchone()))
    assert time.monotonic() - begun < 3
    assert asyncio.run(database.glance(keys)) == []
    assert asyncio.run(database.statement(lambda driver: driver.execute("SELECT 1").fetchone())) == (1,)
    # Nothing of it is left on the connection: what is not a glance may take its time.
    numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000)"
    long = f"{numbers} SELECT max(x) FROM c"
    assert database.read_now(lambda connection: connection.execute(text(long)).scalar()) == 300_000


def test_a_deadline_holds_for_all_statements_of_a_read(postgres: Postgres) -> None:
    database = Database(postgres.new_database())

    def many(connection: Connection) -> None:
        for _ in range(20):
            compiled.Statement("SELECT pg_sleep(0.2)", {}, None).run(connection, {})

    async def asked() -> float:
        """How long all threads were busy, from the moment that the callers were told."""
        reads = (database.read_long(0.5, many) for _ in range(LONG_READERS))
        assert [type(one) for one in await asyncio.gather(*reads, return_exceptions=True)] == [TooSlow] * 2
        begun = time.monotonic()
        await database.read_long(10, lambda connection: connection.execute(text("SELECT 1")).scalar())
        return time.monotonic() - begun

    assert asyncio.run(asked()) < 1
    database.close()


def test_sqlite_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/nowhere/test.db")
    for ask in (database.version, lambda: asyncio.run(database.statement(lambda driver: driver))):
        with pytest.raises(Unavailable):
            ask()
    with pytest.raises(Unavailable):
        asyncio.run(database.glance(keys))

"""Transactions: how a plain function of a connection is run, on SQLite and on PostgreSQL.

Store functions are synchronous and take a Connection; `Database.read` and `Database.write` are the only
asynchronous border. SQLite has one writer thread, so that no transaction ever has to be upgraded or waits
for a lock inside this process; what queues up behind a commit shares the next one. PostgreSQL runs each
function in a transaction of its own and repeats it when the database asks for that.
"""

import asyncio
import contextlib
import fcntl
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from nbfleet.store import bounds
from nbfleet.store.bounds import TooSlow
from nbfleet.store.writer import Conflict, PerThread, SqliteWriter, Unavailable, translated

P = ParamSpec("P")
R = TypeVar("R")

READERS = 4
NICENESS = 5  # Of threads for long reads: a third of what a request gets, where all cores are busy.
LONG_READERS = 2  # As many cores as long reads may keep busy; what is short never waits for them.
PATIENCE = 10.0  # Seconds to wait while another process has SQLite locked.
CACHE = 64  # MiB for a connection to SQLite.
LONG_CACHE = 8  # The same for long reads: they meet each page once, and a larger one would only fill.
# Bytes of SQLite's file that are read where the kernel keeps them instead of being copied, the most that it
# maps: a part of a description among a million takes 111 ms instead of 166, a tag 50 instead of 81. In
# return a file that is cut short under the service ends the process: see "Backups" in docs/settings.md.
MAPPED = 2**31 - 65536
_TRIES = 5
_REPEATABLE = frozenset({"40001", "40P01"})  # Serialization failure, deadlock.


__all__ = [
    "Busy",
    "Conflict",
    "Connection",
    "Database",
    "TooSlow",
    "Unavailable",
    "open_engine",
    "sqlite_url",
]


class Busy(Exception):
    """Somebody else has what only one may have."""


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def open_engine(url: str, patience: float = PATIENCE, cache: int = CACHE, mapped: int = MAPPED) -> Engine:
    """An engine whose connections begin their transactions as we say, not as the driver guesses."""
    if url.startswith("sqlite"):
        return _sqlite_engine(url, patience, cache, mapped)
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg" + url.removeprefix("postgresql")
    return create_engine(url, poolclass=NullPool)


def _sqlite_engine(url: str, patience: float, cache: int, mapped: int) -> Engine:
    arguments = {"check_same_thread": False, "timeout": patience}
    engine = create_engine(url, poolclass=NullPool, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def prepare(dbapi: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        # The driver would begin transactions late and commit them early.
        dbapi.isolation_level = None
        _use_wal(dbapi, patience)
        # Not temp_store=MEMORY: what a savepoint keeps is then a list that is gone through from its start,
        # and 60,000 rows in groups of 5,000 took more than twice as long.
        sizes = (f"cache_size=-{cache * 1024}", f"mmap_size={mapped}")
        for pragma in ("synchronous=FULL", "foreign_keys=ON", *sizes):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _glancing(url: str, patience: float) -> Engine:
    """An engine for PostgreSQL that gives each statement up after the time of a glance."""
    engine = open_engine(url, patience)

    @event.listens_for(engine, "connect")
    def prepare(dbapi: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        dbapi.execute(f"SET statement_timeout = {bounds.GLANCE_TIME}")
        dbapi.commit()

    return engine


def _use_wal(dbapi: Any, patience: float) -> None:
    """Two processes that open a new file at once: here SQLite does not wait for the other one by itself."""
    end = time.monotonic() + patience
    while True:
        try:
            dbapi.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.01)


def _give_way() -> None:
    """Lets whatever is short have the cores first: to Linux a thread has a priority of its own."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_SERVICE = 0x6E62666D  # Any number of our own, beside that of the migrations.


@contextlib.contextmanager
def _postgresql_lock(engine: Engine) -> Generator[Callable[[], bool], None, None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        query = text("SELECT pg_try_advisory_lock(:key)")
        yield lambda: bool(connection.execute(query, {"key": _SERVICE}).scalar())


@contextlib.contextmanager
def _sqlite_lock(engine: Engine) -> Generator[Callable[[], bool], None, None]:
    with Path(f"{engine.url.database}.lock").open("w", encoding="ascii") as file:

        def is_held() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield is_held


class Database:
    """Reads run on a few threads, each in a snapshot; writes as the module says, and lock the rows that they
    read."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self.engine = open_engine(url, patience)
        # What the driver raises where a statement is handed to it directly, as lists do.
        self._driver_fault: type[Exception] = self.engine.dialect.loaded_dbapi.OperationalError
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        isolation = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._long_engine = open_engine(url, patience, LONG_CACHE)
        # What reads everything once would have all of the file counted as memory of this process.
        self._whole_engine = open_engine(url, patience, LONG_CACHE, mapped=0)
        self._glance_engine = self.engine if self.is_sqlite else _glancing(url, patience)
        self._readers = PerThread(self.engine, **isolation)
        self._long_readers = PerThread(self._long_engine, **isolation)
        whole = PerThread(self._whole_engine, **isolation)
        self._whole_readers = whole if self.is_sqlite else self._long_readers
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="nbfleet-store")
        self._long_threads = ThreadPoolExecutor(
            LONG_READERS, thread_name_prefix="nbfleet-long", initializer=_give_way
        )
        self._writers = PerThread(self.engine)
        self._glancers = self._readers if self.is_sqlite else PerThread(self._glance_engine, **isolation)
        # SQLite's readers are outside of transactions wherever none was begun.
        single = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._single = self._readers if self.is_sqlite else PerThread(self._glance_engine, **single)
        self._writer = SqliteWriter(self.engine) if self.is_sqlite else None

    async def read(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """fn(connection, ...) in one snapshot."""
        return await asyncio.wrap_future(self._threads.submit(self.read_now, fn, *args, **kwargs))

    async def read_long(
        self, seconds: float, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """fn(connection, ...) in one snapshot, apart from short reads; raises TooSlow after so many seconds,
        the wait for its turn included. Math.inf is no limit, for what goes through everything."""
        end = time.monotonic() + seconds
        future = self._long_threads.submit(self._read_until, end, lambda c: fn(c, *args, **kwargs))
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as fault:
            raise TooSlow from fault

    def _read_until(self, end: float, call: Callable[[Connection], R]) -> R:
        def bounded(connection: Connection) -> R:
            with self._stopped_at(connection, end):
                return call(connection)

        readers = self._whole_readers if math.isinf(end) else self._long_readers
        try:
            return self._read(readers, bounded)
        except Unavailable as fault:
            if time.monotonic() >= end:
                raise TooSlow from fault
            raise

    @contextlib.contextmanager
    def _stopped_at(self, connection: Connection, end: float) -> Generator[None, None, None]:
        """Makes the database give up whatever runs on this connection at that time of the monotonic clock."""
        driver: Any = connection.connection.driver_connection
        if math.isinf(end):
            yield
        elif self.is_sqlite:
            driver.set_progress_handler(lambda: time.monotonic() >= end, bounds.STEPS)
            try:
                yield
            finally:
                driver.set_progress_handler(None, bounds.STEPS)
        else:
            usual = driver.cursor_factory
            driver.cursor_factory = bounds.cursor_until(end, self.engine.dialect.loaded_dbapi.Cursor)
            try:
                yield
            finally:
                driver.cursor_factory = usual

    def version(self) -> tuple[object, int] | None:
        """Differs after every commit, from whichever process; None where there is no cheap way to tell.

        To be asked on one and the same thread each time: the number is that of its connection, which stands
        before it.
        """
        if not self.is_sqlite:
            return None
        try:
            driver = self._readers.driver()
            return driver, driver.execute("PRAGMA data_version").fetchone()[0]
        except OperationalError as fault:
            raise translated(fault) from fault
        except self._driver_fault as fault:
            raise Unavailable(str(fault)) from fault

    async def write(
        self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """fn(connection, ...) in one transaction: once this returns, its effect is on disk.

        fn may run more than once and must only touch the database.
        """
        return await asyncio.wrap_future(self._submit(lambda connection: fn(connection, *args, **kwargs)))

    def write_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The same for callers without an event loop."""
        return self._submit(lambda connection: fn(connection, *args, **kwargs)).result()

    def read_now(self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """fn(connection, ...) in one snapshot, in the calling thread."""
        return self._read(self._readers, lambda connection: fn(connection, *args, **kwargs))

    def _read(self, readers: PerThread, call: Callable[[Connection], R]) -> R:
        try:
            connection = readers.get()
            with connection.begin():
                return call(connection)
        except OperationalError as fault:
            raise translated(fault) from fault
        except self._driver_fault as fault:
            raise Unavailable(str(fault)) from fault

    async def glance(
        self, fn: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """fn(connection, ...) in one snapshot, for what should take a moment; raises TooSlow where it does
        not. With SQLite it has the calling thread to itself, because handing a short read to another and back
        costs several times what it does."""
        if self.is_sqlite:
            return self._glanced(lambda _: self._read(self._readers, lambda c: fn(c, *args, **kwargs)))
        future = self._threads.submit(self._read, self._glancers, lambda c: fn(c, *args, **kwargs))
        return await self._in_time(future)

    async def statement(self, run: Callable[[Any], R]) -> R:
        """run(connection of the driver) outside of any transaction, otherwise like `glance`. For one
        statement, which is a snapshot by itself."""
        if self.is_sqlite:
            return self._glanced(lambda driver: self._told(run, driver))
        return await self._in_time(self._threads.submit(self.statement_now, run))

    def statement_now(self, run: Callable[[Any], R]) -> R:
        """The same in the calling thread, however long it takes with SQLite."""
        try:
            driver = self._single.driver()
        except OperationalError as fault:
            raise translated(fault) from fault
        return self._told(run, driver)

    def _told(self, run: Callable[[Any], R], driver: Any) -> R:
        try:
            return run(driver)
        except self._driver_fault as fault:
            if not self.is_sqlite and driver.closed:
                self._single.get().invalidate()
            raise Unavailable(str(fault)) from fault

    def _glanced(self, read: Callable[[Any], R]) -> R:
        """read(connection of the driver), stopped after the steps of a glance at SQLite."""
        steps = bounds.Steps()
        try:
            driver = self._readers.driver()
        except OperationalError as fault:
            raise translated(fault) from fault
        driver.set_progress_handler(steps, bounds.STEPS)
        try:
            return read(driver)
        except Unavailable as fault:
            if steps.are_over:
                raise TooSlow from fault
            raise
        finally:
            driver.set_progress_handler(None, bounds.STEPS)

    @staticmethod
    async def _in_time(future: Future[R]) -> R:
        try:
            return await asyncio.wrap_future(future)
        except Unavailable as fault:
            if bounds.was_given_up(fault):
                raise TooSlow from fault
            raise

    @contextlib.contextmanager
    def exclusive(self, patience: float) -> Generator[None, None, None]:
        """Held by one process at a time; raises Busy after `patience` seconds. It ends with its holder."""
        holder = _sqlite_lock(self.engine) if self.is_sqlite else _postgresql_lock(self.engine)
        deadline = time.monotonic() + patience
        with holder as is_held:
            while not is_held():
                if time.monotonic() > deadline:
                    raise Busy
                time.sleep(0.1)
            yield

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._threads.shutdown(wait=True)
        self._long_threads.shutdown(wait=True, cancel_futures=True)
        self._readers.close()
        self._long_readers.close()
        self._whole_readers.close()
        self._writers.close()
        self._glancers.close()
        self._single.close()
        self.engine.dispose()
        self._long_engine.dispose()
        self._whole_engine.dispose()
        self._glance_engine.dispose()

    def _submit(self, call: Callable[[Connection], R]) -> Future[R]:
        if self._writer is not None:
            return self._writer.submit(call)
        return self._threads.submit(self._write_postgresql, call)

    def _write_postgresql(self, call: Callable[[Connection], R]) -> R:
        for last in (False,) * (_TRIES - 1) + (True,):
            try:
                connection = self._writers.get()
                with connection.begin():
                    return call(connection)
            except DBAPIError as fault:
                if last or getattr(fault.orig, "sqlstate", None) not in _REPEATABLE:
                    raise translated(fault) from fault
        raise AssertionError("unreachable")

"""The connections of threads, and the one thread that writes to SQLite."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

R = TypeVar("R")

GROUP = 64  # How many queued writes may share one commit.


class Conflict(Exception):
    """A row with this key exists already: somebody else was faster."""


class Unavailable(Exception):
    """The database cannot be used now: it is locked by another process, full, or gone."""


class PerThread:
    """One connection for each thread that asks, opened when it first does and replaced when it breaks."""

    def __init__(self, engine: Engine, **options: Any) -> None:
        self._engine = engine
        self._options = options
        self._local = threading.local()
        self._all: set[Connection] = set()

    def get(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed or connection.invalidated:
            if connection is not None:
                self._all.discard(connection)
            connection = self._engine.connect().execution_options(**self._options)
            self._local.connection = connection
            self._local.driver = connection.connection.driver_connection
            self._all.add(connection)
        return connection

    def driver(self) -> Any:
        """The connection of the driver in it, kept: to ask for it each time takes as long as a short read."""
        self.get()
        return self._local.driver

    def close(self) -> None:
        for connection in self._all:
            connection.close()
        self._all.clear()


@dataclass(slots=True)
class _Write:
    call: Callable[[Connection], Any]
    result: Future[Any]

    def is_wanted(self) -> bool:
        """False when whoever asked has gone away; after True that is no longer possible."""
        return self.result.set_running_or_notify_cancel()


class SqliteWriter:
    """The one thread that writes. Each call has a savepoint of its own inside a shared transaction."""

    def __init__(self, engine: Engine) -> None:
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._connections = PerThread(engine, writes=True)
        self._thread = threading.Thread(target=self._run, name="nbfleet-writer", daemon=True)
        self._thread.start()

    def submit(self, call: Callable[[Connection], R]) -> Future[R]:
        result: Future[R] = Future()
        self._queue.put(_Write(call, result))
        return result

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connections.close()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            if not first.is_wanted():
                continue
            group = [first]
            try:
                self._commit_group(group)
            except BaseException as fault:
                for write in group:
                    if not write.result.done():
                        write.result.set_exception(translated(fault))

    def _commit_group(self, group: list[_Write]) -> None:
        connection = self._connections.get()
        outcomes: list[tuple[_Write, Any, BaseException | None]] = []
        with connection.begin():
            outcomes.append(self._attempt(connection, group[0]))
            while len(group) < GROUP and (write := self._next()) is not None:
                group.append(write)
                outcomes.append(self._attempt(connection, write))
        for write, value, fault in outcomes:
            if fault is None:
                write.result.set_result(value)
            else:
                write.result.set_exception(translated(fault))

    def _next(self) -> _Write | None:
        while True:
            try:
                write = self._queue.get_nowait()
            except queue.Empty:
                return None
            if write is None:
                self._queue.put(None)  # Closing: leave the sign where the outer loop finds it.
                return None
            if write.is_wanted():
                return write

    @staticmethod
    def _attempt(connection: Connection, write: _Write) -> tuple[_Write, Any, BaseException | None]:
        savepoint = connection.begin_nested()
        try:
            value = write.call(connection)
            savepoint.commit()
        except BaseException as fault:
            try:
                savepoint.rollback()
            except DBAPIError as lost:
                # SQLite gave up the whole transaction, as it does on a full disk: the cause is what matters.
                raise fault from lost
            return write, None, fault
        return write, value, None


def translated(fault: BaseException) -> BaseException:
    """Our word for what the database says, where a caller can do something about it."""
    match fault:
        case IntegrityError():
            translated: Exception = Conflict(str(fault.orig))
        case OperationalError():
            translated = Unavailable(str(fault.orig))
        case _:
            return fault
    translated.__cause__ = fault
    return translated

"""How a read is kept from taking longer than it may: by the steps of SQLite, by the clock of PostgreSQL.

When a bound applies and what becomes of a read that met it is not in here.
"""

import math
import time
from typing import Any

from nbfleet.store.writer import Unavailable

STEPS = 10_000  # Of SQLite's own machine, between two looks: a fraction of a millisecond.
GLANCE = 40  # Times STEPS of a glance at SQLite: some milliseconds of a request's own thread.
GLANCE_TIME = 250  # Milliseconds of each statement of a glance at PostgreSQL, which tells no steps.
_GIVEN_UP = "57014"  # What PostgreSQL says at the end of statement_timeout.


class TooSlow(Exception):
    """A read was not done in time and was given up."""


class Steps:
    """What SQLite asks every STEPS whether to give up."""

    def __init__(self) -> None:
        self._left = GLANCE

    def __call__(self) -> bool:
        self._left -= 1
        return self.are_over

    @property
    def are_over(self) -> bool:
        return self._left <= 0


def cursor_until(end: float, cursor: type[Any]) -> type[Any]:
    """A kind of cursor whose every statement PostgreSQL gives up at that time of the monotonic clock."""

    class Bounded(cursor):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            left = math.ceil((end - time.monotonic()) * 1000)
            if left <= 0:
                raise TooSlow
            plain: Any = super()
            plain.execute(f"SET LOCAL statement_timeout = {left}")
            return plain.execute(query, params, **more)

    return Bounded


def was_given_up(fault: Unavailable) -> bool:
    cause = fault.__cause__
    return getattr(getattr(cause, "orig", cause), "sqlstate", None) == _GIVEN_UP

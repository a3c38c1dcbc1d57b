"""How many long things of one kind each caller has going: none can take the place of everybody else."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

RETRY_AFTER = 2  # Seconds.


class NoSlot(Exception):
    """The caller has as many going as it may."""


class Slots:
    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def take(self, caller_id: str, most: int) -> Generator[None, None, None]:
        """One more for this caller while the context lasts; raises NoSlot beyond `most`."""
        if self._taken[caller_id] >= most:
            raise NoSlot
        self._taken[caller_id] += 1
        try:
            yield
        finally:
            self._taken[caller_id] -= 1
            if not self._taken[caller_id]:
                del self._taken[caller_id]

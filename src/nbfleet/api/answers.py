"""Answers of list calls, kept while nothing was written: a console that polls asks the same again and again.

An answer belongs to one caller and one query, and to one version of the store; any commit makes all of them
stale at once, so there is nothing to expire. Without a cheap version number nothing is kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

Version = tuple[object, int]
CAPACITY = 8 << 20  # Bytes.
_BESIDES = 2 << 10  # Bytes that an answer takes besides itself, with the longest question that is kept.


class Questions(Generic[T]):
    """What was asked lately, in the form in which it is answered: most is asked again soon."""

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        question = self._kept.get(key)
        if question is not None:
            self._kept.move_to_end(key)
        return question

    def keep(self, key: Hashable, question: T) -> None:
        """What was not asked for longest makes room."""
        self._kept[key] = question
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


class Answers:
    def __init__(self, version: Callable[[], Version | None], capacity: int = CAPACITY) -> None:
        self._read_version = version
        self._capacity = capacity
        self._version: Version | None = None
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0

    def version(self) -> Version | None:
        """The version of the store now: to be asked before an answer is made, and given to `keep`."""
        version = self._read_version()
        if version != self._version:
            self._version = version
            self._kept.clear()
            self._size = 0
        return version

    def get(self, key: Hashable, version: Version | None) -> bytes | None:
        return None if version is None else self._kept.get(key)

    def keep(self, key: Hashable, version: Version | None, answer: bytes) -> None:
        """Keeps an answer made after `version` was asked, unless that version is over by now."""
        if version is None or version != self._version or key in self._kept:
            return
        self._kept[key] = answer
        self._size += len(answer) + _BESIDES
        while self._size > self._capacity:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest) + _BESIDES

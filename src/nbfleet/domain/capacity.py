"""How much room a pool has, and whether something fits. Counting only: nobody is put on a machine here."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """vCPUs with at most two decimals, memory in MiB."""

    vcpus: float = 0
    memory: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(round(self.vcpus + other.vcpus, 2), self.memory + other.memory)

    def __sub__(self, other: "Size") -> "Size":
        return Size(round(self.vcpus - other.vcpus, 2), self.memory - other.memory)

    def times(self, count: int) -> "Size":
        return Size(self.vcpus * count, self.memory * count)

    def holds(self, other: "Size") -> bool:
        return other.vcpus <= self.vcpus and other.memory <= self.memory


def total(sizes: Iterable[Size]) -> Size:
    return sum(sizes, Size())


@dataclass(frozen=True, slots=True)
class Room:
    """What a pool has in all, and what is taken; that can be more, because a pool may become smaller."""

    all: Size
    taken: Size

    @property
    def free(self) -> Size:
        left = self.all - self.taken
        return Size(max(left.vcpus, 0), max(left.memory, 0))

    def words(self) -> str:
        free = self.free
        return f"{free.vcpus:g} of {self.all.vcpus:g} vCPUs, {free.memory} of {self.all.memory} MiB"

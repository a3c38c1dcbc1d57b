"""How much room a pool has, and whether something fits. Counting only: nobody is put on a machine here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Size:
    """vCPUs with at most two decimals, memory in MiB, and devices, each for one instance at a time."""

    vcpus: float = 0
    memory: int = 0
    gpus: int = 0
    npus: int = 0

    def __add__(self, other: "Size") -> "Size":
        return Size(
            round(self.vcpus + other.vcpus, 2),
            self.memory + other.memory,
            self.gpus + other.gpus,
            self.npus + other.npus,
        )

    def __sub__(self, other: "Size") -> "Size":
        return self + other.times(-1)

    def times(self, count: int) -> "Size":
        return Size(self.vcpus * count, self.memory * count, self.gpus * count, self.npus * count)

    def holds(self, other: "Size") -> bool:
        fits = other.vcpus <= self.vcpus and other.memory <= self.memory
        return fits and other.gpus <= self.gpus and other.npus <= self.npus

    def overcommitted(self, factor: float) -> "Size":
        """As much as may be promised of it. A device is there or not."""
        return Size(round(self.vcpus * factor, 2), int(self.memory * factor), self.gpus, self.npus)


class Sized(Protocol):
    """A flavor, or a machine."""

    @property
    def vcpus(self) -> float: ...
    @property
    def memory(self) -> int: ...
    @property
    def gpus(self) -> int: ...
    @property
    def npus(self) -> int: ...


def size_of(thing: Sized) -> Size:
    return Size(thing.vcpus, thing.memory, thing.gpus, thing.npus)


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
        return Size(max(left.vcpus, 0), max(left.memory, 0), max(left.gpus, 0), max(left.npus, 0))

    def words(self) -> str:
        free = self.free
        words = [
            f"{free.vcpus:.15g} of {self.all.vcpus:.15g} vCPUs",
            f"{free.memory} of {self.all.memory} MiB",
        ]
        for name, left, every in (("GPUs", free.gpus, self.all.gpus), ("NPUs", free.npus, self.all.npus)):
            words += [f"{left} of {every} {name}"] if every else []
        return ", ".join(words)

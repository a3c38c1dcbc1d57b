"""What every service function works with."""

from collections.abc import Callable
from dataclasses import dataclass, field

from nbfleet.domain.capacity import Size
from nbfleet.domain.lease import Range
from nbfleet.domain.notebook import Ability
from nbfleet.services.slots import Slots
from nbfleet.settings import Settings
from nbfleet.store.database import Database
from nbfleet.store.directory import Directory
from nbfleet.store.keyring import Keyring


@dataclass(slots=True)
class Generation:
    """Counts the changes of who may enter what that were made here, so that what is remembered of callers can
    be forgotten at once. Changes by other processes are not counted."""

    number: int = 0

    def end(self) -> None:
        self.number += 1


@dataclass(frozen=True, slots=True)
class Context:
    """`clock` answers milliseconds since 1970; `hint` tells the reconciler that something is due; `abilities`
    are those of the runtime; `machine` is what it can give to notebooks in no pool, None for no end of it."""

    database: Database
    directory: Directory
    keyring: Keyring
    settings: Settings
    clock: Callable[[], int]
    hint: Callable[[], None]
    abilities: frozenset[Ability] = frozenset()
    machine: Size | None = None
    long_reads: Slots = field(default_factory=Slots)
    exports: Slots = field(default_factory=Slots)
    access: Generation = field(default_factory=Generation)

    @property
    def lease_range(self) -> Range:
        return Range(self.settings.lease.minimum, self.settings.lease.maximum)

"""The notes by which an instance is found again after the service was restarted or the machine rebooted.

Kept as JSON so that a person can read them in the database. They are only ever a hint: what they name is
believed when the live process agrees in every part, and never because the notes say so.
"""

from typing import Self

import msgspec

from nbfleet.runtimes.local import processes
from nbfleet.runtimes.local.processes import Marker, Process


class Handle(msgspec.Struct, frozen=True):
    boot_id: str
    pid: int
    began: int
    marker: str
    socket: str

    @classmethod
    def of(cls, process: Process, socket: str) -> Self:
        return cls(processes.boot_id(), process.pid, process.began, str(process.marker), socket)

    @classmethod
    def decode(cls, notes: bytes | None, marker: Marker) -> Self | None:
        """None for no notes, unreadable ones, and ones about another start or another fleet."""
        if notes is None:
            return None
        try:
            handle = msgspec.json.decode(notes, type=cls)
        except msgspec.DecodeError:
            return None
        return handle if handle.marker == str(marker) else None

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    def process(self, marker: Marker) -> Process | None:
        """The process it names, which may be gone; None when it was of another boot."""
        if self.boot_id != processes.boot_id():
            return None
        return Process(self.pid, self.began, marker)

"""Who a process is, and how to signal it without ever hitting another one.

A pid alone names nothing: it is given away again as soon as its owner is gone. A process is ours only
when the boot, the pid, the moment it began and the marker in its environment all agree, and a signal is
sent through a descriptor that was opened before that was checked.
This module reads /proc and sends signals. It knows nothing of Jupyter, of directories or of when to stop
what.
"""

import os
import re
import select
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MARKER_VARIABLE = "NBFLEET_INSTANCE"

TICKS = os.sysconf("SC_CLK_TCK")  # Of the clock by which the kernel counts, in a second.

_PROC = Path("/proc")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOKS = 5
_PAUSE = 0.001
# Fields of /proc/<pid>/stat, counted from the one after the name.
_TIMES, _BEGAN, _RESIDENT = slice(11, 15), 19, 21
_FLEET = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Marker:
    """What every process of an instance carries in its environment, and its descendants inherit."""

    fleet_id: str
    notebook_id: str
    generation: int

    def __str__(self) -> str:
        return f"{self.fleet_id}:{self.notebook_id}:{self.generation}"

    @staticmethod
    def parse(text: str) -> "Marker | None":
        fleet_id, _, rest = text.partition(":")
        notebook_id, _, generation = rest.partition(":")
        if not fleet_id or not notebook_id or not (generation.isascii() and generation.isdigit()):
            return None
        return Marker(fleet_id, notebook_id, int(generation))


@dataclass(frozen=True, slots=True)
class Process:
    """A process seen alive in this boot. `began` is in clock ticks since the boot."""

    pid: int
    began: int
    marker: Marker


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a process has used: `ticks` of processors, its ended children's included, and resident bytes."""

    ticks: int
    resident: int


def check_fleet_id(fleet_id: str) -> None:
    """A colon would let one fleet's marker read as another's."""
    if _FLEET.fullmatch(fleet_id) is None:
        raise ValueError(f"fleet id {fleet_id!r}: 1 to 64 letters, digits, dots, dashes or underscores")


def boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def began(pid: int) -> int | None:
    """When it began, or None when it is gone. One that is dead and only waits to be reaped is gone."""
    fields = _stat(pid)
    return None if fields is None else int(fields[_BEGAN])


def consumed(process: Process) -> Consumed | None:
    """What this very process has used, or None when it is gone. All is from one reading, so nothing of
    another process can be in it."""
    fields = _stat(process.pid)
    if fields is None or int(fields[_BEGAN]) != process.began:
        return None
    return Consumed(sum(int(one) for one in fields[_TIMES]), int(fields[_RESIDENT]) * _PAGE)


def marker_of(pid: int) -> Marker | None:
    text = variable_of(pid, MARKER_VARIABLE)
    return None if text is None else Marker.parse(text)


def variable_of(pid: int, name: str) -> str | None:
    """What the process was started with under this name."""
    prefix = f"{name}=".encode()
    for entry in (_read(pid, "environ") or b"").split(b"\0"):
        if entry.startswith(prefix):
            return entry.removeprefix(prefix).decode("utf-8", "replace")
    return None


def arguments_of(pid: int) -> list[str]:
    return [os.fsdecode(word) for word in (_read(pid, "cmdline") or b"").split(b"\0")]


def is_alive(process: Process) -> bool:
    """Whether this very process lives in this boot.

    While a process replaces its program its environment reads as empty for an instant; one look more is
    then worth it, because "gone" would be a grave mistake.
    """
    for _ in range(_LOOKS):
        if began(process.pid) != process.began:
            return False
        if _read(process.pid, "environ") != b"":
            break
        time.sleep(_PAUSE)
    return marker_of(process.pid) == process.marker


def scan(fleet_id: str, notebook_id: str | None = None) -> list[Process]:
    """Every live process of the fleet, or of one notebook of it, oldest first."""
    found: list[Process] = []
    for pid in _pids():
        marker = marker_of(pid)
        if marker is None or marker.fleet_id != fleet_id:
            continue
        if notebook_id is not None and marker.notebook_id != notebook_id:
            continue
        moment = began(pid)
        if moment is not None:
            found.append(Process(pid, moment, marker))
    return sorted(found, key=lambda process: (process.began, process.pid))


def send(process: Process, number: signal.Signals) -> None:
    """Signal exactly this process; one that is gone is left in peace."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        # Only now: what the descriptor names cannot change any more, so the check holds for the signal.
        if is_alive(process):
            signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return
    finally:
        os.close(descriptor)


class Watch:
    """Tells without a timer whether a process has ended. Never mistakes its successor for it."""

    def __init__(self, process: Process) -> None:
        self._descriptor: int | None = None
        try:
            descriptor = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        if is_alive(process):
            self._descriptor = descriptor
        else:
            os.close(descriptor)

    def ended(self) -> bool:
        if self._descriptor is None:
            return True
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _pids() -> Iterator[int]:
    own = os.getpid()  # A service that was itself started below an instance must not find itself.
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and int(entry.name) != own:
            yield int(entry.name)


def _stat(pid: int) -> list[bytes] | None:
    """The fields after the name, which may itself hold blanks and brackets; None when it is gone or dead."""
    stat = _read(pid, "stat")
    if stat is None:
        return None
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in {b"Z", b"X"} else fields


def _read(pid: int, name: str) -> bytes | None:
    """None when the process is gone or belongs to somebody whose processes we may not read."""
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None

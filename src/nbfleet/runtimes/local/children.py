"""The processes that this very process started: how they ended, and that none stays behind as a zombie.

Only a parent is told how a process ended. After a restart of the service that knowledge is lost, and
nothing here pretends otherwise. No child watcher of an event loop is involved, so any loop will do.
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from nbfleet.runtimes.local import processes
from nbfleet.runtimes.local.processes import Marker, Process

_PAUSE = 0.001


class _Child(subprocess.Popen[bytes]):
    def __del__(self) -> None:
        """Unlike the usual child, an instance is meant to outlive us: not worth a warning."""


class Children:
    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[int, int], tuple[Marker, _Child]] = {}

    def spawn(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: Path,
        log: int,
        marker: Marker,
    ) -> Process:
        """Start it in a session of its own: it outlives us and shares no terminal and no pipe with us."""
        child = _Child(
            command,
            env={**environment, processes.MARKER_VARIABLE: str(marker)},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
        )
        moment = processes.began(child.pid)
        if moment is None:  # Dead already, and its time is of no use to anybody: no signal will reach it.
            moment = 0
        process = Process(child.pid, moment, marker)
        with self._lock:
            self._known[process.pid, process.began] = (marker, child)
        _wait_until_marked(child)
        return process

    def runs(self, process: Process) -> bool:
        """Whether it is a child of ours that has not ended: its pid cannot have passed to another one."""
        known = self._known.get((process.pid, process.began))
        return known is not None and known[1].poll() is None

    def exit_code(self, process: Process) -> int | None:
        """Its exit status, negative for a signal; None while it runs and when it was not our child."""
        known = self._known.get((process.pid, process.began))
        return None if known is None else known[1].poll()

    def reap(self) -> None:
        """Let go of the dead. Their exit codes are kept until `forget`."""
        for _, child in list(self._known.values()):
            child.poll()

    def forget(self, notebook_id: str) -> None:
        """Drop what is known of the ended ones of this notebook."""
        with self._lock:
            ended = [
                key
                for key, (marker, child) in self._known.items()
                if marker.notebook_id == notebook_id and child.poll() is not None
            ]
            for key in ended:
                del self._known[key]


def _wait_until_marked(child: _Child) -> None:
    """The kernel lets a parent go on a moment before the new program's environment can be read.

    Without waiting for it, a look around right after a start would miss the process.
    """
    while child.poll() is None and processes.marker_of(child.pid) is None:
        time.sleep(_PAUSE)

"""What instances use, summed over everything that carries their marker.

Looking for the marker costs a look at every process of the machine, and pages ask every few seconds. So one
look serves all who ask within `LOOK_KEPT`; the figures themselves are always read anew, from processes that
are still the same. A process that began since the last look is counted from the next one on.
"""

import time
from collections.abc import Callable
from threading import Lock

from nbfleet.domain.usage import Usage
from nbfleet.runtimes.local import processes
from nbfleet.runtimes.local.processes import Marker, Process

LOOK_KEPT = 4.0  # Seconds.


class Meter:
    """May be asked from several threads. `clock` is in seconds."""

    def __init__(self, fleet_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._fleet_id = fleet_id
        self._clock = clock
        self._lock = Lock()
        self._looked: float | None = None
        self._found: dict[Marker, list[Process]] = {}

    def usage(self, marker: Marker) -> Usage | None:
        """None when nothing of this start runs."""
        read = (processes.consumed(process) for process in self._processes(marker))
        told = [one for one in read if one is not None]
        if not told:
            return None
        ticks, size = sum(one.ticks for one in told), sum(one.resident for one in told)
        return Usage(round(ticks / processes.TICKS, 2), size)

    def _processes(self, marker: Marker) -> list[Process]:
        with self._lock:
            now = self._clock()
            if self._looked is None or now - self._looked >= LOOK_KEPT or marker not in self._found:
                self._found = {}
                for process in processes.scan(self._fleet_id):
                    self._found.setdefault(process.marker, []).append(process)
                self._looked = now
            return self._found.get(marker, [])

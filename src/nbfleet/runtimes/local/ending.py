"""Ends every process of a notebook, however it tries to stay.

The server is asked first, so that it can end its kernels in order. After that everything that carries the
notebook's marker is killed: daemons that left the session and ignore requests carry it too, because the
environment is inherited. Nothing without the marker is touched, whatever its parent is.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence

from nbfleet.runtimes.local import processes
from nbfleet.runtimes.local.processes import Process, Watch

_PAUSE = 0.02
_KILL_TIMEOUT = 30.0
_EMPTY_LOOKS = (
    2  # A process may move behind one look by forking; not behind two in a row once all others died.
)

Find = Callable[[], Sequence[Process]]


async def end(find: Find, servers: Sequence[Process], grace: float) -> None:
    """Returns only when `find` finds nothing any more; raises TimeoutError when some process will not die."""
    if servers:
        await _ask_to_end(servers, grace)
    deadline = time.monotonic() + _KILL_TIMEOUT
    empty_looks = 0
    while empty_looks < _EMPTY_LOOKS:
        found = await asyncio.to_thread(_kill, find)
        empty_looks = 0 if found else empty_looks + 1
        if not found:
            continue
        if time.monotonic() > deadline:
            pids = ", ".join(str(process.pid) for process in found)
            raise TimeoutError(f"processes that cannot be killed: {pids}")
        await asyncio.sleep(_PAUSE)


async def _ask_to_end(servers: Sequence[Process], grace: float) -> None:
    watches = [Watch(process) for process in servers]
    try:
        for process in servers:
            processes.send(process, signal.SIGTERM)
        deadline = time.monotonic() + grace
        # Asked in turns rather than waited for: not every event loop can watch such a descriptor.
        while time.monotonic() < deadline and not all(watch.ended() for watch in watches):  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE)
    finally:
        for watch in watches:
            watch.close()


def _kill(find: Find) -> Sequence[Process]:
    found = find()
    for process in found:
        processes.send(process, signal.SIGKILL)
    return found

"""Which of the processes that carry the marker of a start is its server."""

from collections.abc import Sequence

from nbfleet.runtimes.local import jupyter, processes
from nbfleet.runtimes.local.handle import Handle
from nbfleet.runtimes.local.layout import Layout, is_notebook_id
from nbfleet.runtimes.local.processes import Marker, Process


def servers_in(layout: Layout, found: Sequence[Process]) -> dict[Marker, Process]:
    """The server of each start: of all that look like it the oldest, as a fork of it is younger. `found` has
    the oldest first."""
    told: dict[Marker, Process] = {}
    for process in found:
        if process.marker not in told and is_server(layout, process):
            told[process.marker] = process
    return told


def is_server(layout: Layout, process: Process) -> bool:
    marker = process.marker
    if not is_notebook_id(marker.notebook_id):
        return False
    socket = layout.socket(marker.notebook_id, marker.generation)
    return jupyter.socket_argument(socket) in processes.arguments_of(process.pid)


def handle_of(layout: Layout, process: Process) -> Handle:
    marker = process.marker
    return Handle.of(process, str(layout.socket(marker.notebook_id, marker.generation)))

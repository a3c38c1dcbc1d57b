"""What happened to one notebook: who changed what, what the service did by itself, and why.

Read from the record that is written with each change. Whoever sees the notebook may read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nbfleet.domain.access import Caller
from nbfleet.services.context import Context
from nbfleet.services.notebooks import visible
from nbfleet.store import audit
from nbfleet.store.audit import Told
from nbfleet.store.database import Connection


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. `next_marker` is None where nothing older is left."""

    events: Sequence[Told]
    next_marker: int | None


async def of_notebook(
    context: Context, caller: Caller, notebook_id: str, marker: int | None, limit: int
) -> Page:
    """The events before the one whose number is `marker`, or the newest."""

    def read(connection: Connection) -> Page:
        notebook = visible(connection, caller, notebook_id).notebook
        found = audit.of_notebook(connection, notebook.id, marker, limit + 1)
        page, more = found[:limit], found[limit:]
        return Page(page, page[-1].change.no if more else None)

    return await context.database.read(read)

"""What happened to notebooks lately, for whoever keeps a view of them up to date.

Changes are found in the record of who changed what, which is written with each of them; so they are seen
whichever process made them. Who may see a notebook is for the caller of `row` to check.
"""

from collections.abc import Sequence

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.services.context import Context
from nbfleet.store import audit, listing
from nbfleet.store.audit import Change
from nbfleet.store.database import Connection
from nbfleet.store.listing import Row

MOST = 10_000  # Changes that are read at once.
# Transactions side by side may become visible in another order than that of their numbers, by a few rows.
_OVERLAP = 64


class Trail:
    """Reads the record from where it stands at first; each change is told once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: set[int] = set()
        self._newest: int | None = None

    async def step(self) -> Sequence[Change]:
        """What is new since the step before; nothing in the first one."""
        if self._newest is None:
            return await self._begin()
        found = await self._read(self._newest)
        new = [one for one in found if one.no not in self._told]
        self._remember(found)
        return new

    async def _begin(self) -> Sequence[Change]:
        self._newest = await self._context.database.read(audit.newest)
        self._remember(await self._read(self._newest))
        return ()

    async def _read(self, newest: int) -> Sequence[Change]:
        return await self._context.database.read(audit.since, newest - _OVERLAP, MOST)

    def _remember(self, found: Sequence[Change]) -> None:
        self._newest = max([self._newest or 0, *(one.no for one in found)])
        self._told = {one.no for one in found if one.no > self._newest - _OVERLAP}


async def row(context: Context, project_id: str, notebook_id: str) -> Row | None:
    """A notebook as lists show it, a deleted one too; None where it is gone for good."""
    query = Query(
        project_id=project_id,
        id=notebook_id,
        feature=None,
        workspace_id=None,
        statuses=tuple(Status),
        limit=1,
    )

    def read(connection: Connection) -> Row | None:
        rows = listing.page(connection, context.directory, query).rows
        return rows[0] if rows else None

    return await context.database.read(read)

"""A store with people in it, and actions on many notebooks done there step by step."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nbfleet.api.lists import read_query
from nbfleet.domain import lifecycle
from nbfleet.domain.access import Caller, Role
from nbfleet.domain.bulk import Reason, Result, Shown, Wish
from nbfleet.domain.lifecycle import Event, Status, status_of
from nbfleet.domain.listing import Query
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.services import bulk, bulk_work
from nbfleet.services.bulk_work import Bulks
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.settings import Settings
from nbfleet.store import audit, identity, notebooks
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from support import fleet

ALL = Query(feature=None, workspace_id=None)
RUNNING = replace(ALL, statuses=(Status.RUNNING,))
MEMBER = Caller(fleet.OWNER, "Anna", fleet.PROJECTS[0], Role.MEMBER, "d" * 32, "domain")
CHIEF = replace(MEMBER, role=Role.ADMINISTRATOR)


@dataclass
class Site:
    database: Database
    context: Context

    def put(self, *made: Notebook) -> None:
        def write(connection: Connection) -> None:
            for one in made:
                fleet.add(connection, one)

        self.database.write_now(write)

    def change(self, notebook_id: str, change: Callable[[Notebook], Notebook]) -> None:
        def write(connection: Connection) -> None:
            found = notebooks.find(connection, notebook_id, lock=True)
            assert found is not None
            notebooks.save(connection, found, change(found.notebook), due_at=fleet.NOW)

        self.database.write_now(write)

    def freeze(self, notebook_id: str) -> None:
        self.change(notebook_id, lambda one: lifecycle.apply(one, Event.FREEZE, fleet.NOW))

    def role(self, role: Role | None) -> None:
        def write(connection: Connection) -> None:
            user, project = identity.user(connection, id=fleet.OWNER), identity.project(connection, name="p")
            assert user is not None
            assert project is not None
            identity.set_role(connection, user.no, project.no, role)

        self.database.write_now(write)

    def statuses(self, ids: Sequence[str]) -> list[Status]:
        def read(connection: Connection) -> list[Status]:
            found = [notebooks.find(connection, one) for one in ids]
            return [status_of(one.notebook) for one in found if one is not None]

        return self.database.read_now(read)

    def changes(self) -> list[tuple[str, str]]:
        """Event and notebook of all that was changed, in order."""
        found = self.database.read_now(audit.since, 0, 1000)
        return [(one.event, one.notebook_id) for one in found]

    def preview(self, caller: Caller, wish: Wish) -> bulk.Preview:
        return asyncio.run(bulk.preview(self.context, caller, wish))

    def begin(self, caller: Caller, wish: Wish, shown: Shown | None = None, once: str | None = None) -> str:
        """What a preview shows now, unless it was shown before."""
        known = self.preview(caller, wish).shown if shown is None else shown
        return asyncio.run(bulk.begin(self.context, Request(caller, "request"), wish, known, once))

    def carry_out(self, rounds: int = 1000) -> None:
        bulks = Bulks(self.context, asyncio.sleep, read_query)

        async def work() -> None:
            for _ in range(rounds):
                if await bulks.step() == bulk_work.POLL:
                    return

        asyncio.run(work())

    def results(self, caller: Caller, bulk_id: str) -> dict[str, tuple[Result, Reason | None]]:
        rows = asyncio.run(bulk.results(self.context, caller, bulk_id, None, 0, 1000)).rows
        return {row.notebook_id: (row.result, row.reason) for row in rows}

    def show(self, caller: Caller, bulk_id: str) -> bulk.Progress:
        return asyncio.run(bulk.show(self.context, caller, bulk_id))


def context_of(database: Database) -> Context:
    clock = fleet.Clock()
    return Context(database, Directory(), fleet.KEYRING, Settings(), clock, lambda: None)


def some(count: int, make: Callable[..., Notebook] = fleet.running, **changes: Any) -> list[Notebook]:
    return [make(number, **changes) for number in range(1, count + 1)]


def mixed() -> list[Notebook]:
    """70 running, 20 stopped, 5 frozen, 3 failed of one user, and 12 running of another."""
    made: list[Notebook] = []
    numbers = itertools.count(1)
    failed = {"observed": Observed.ERROR}
    for count, changes in (
        (70, {"observed": Observed.RUNNING}),
        (20, {"wanted": Wanted.STOPPED, "observed": Observed.STOPPED}),
        (5, {"wanted": Wanted.FROZEN, "observed": Observed.STOPPED}),
        (3, failed),
        (12, {"observed": Observed.RUNNING, "owner_id": fleet.OTHER}),
    ):
        made += [fleet.notebook(next(numbers), **changes) for _ in range(count)]
    return made

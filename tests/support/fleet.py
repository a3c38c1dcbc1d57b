"""A store with people, workspaces, pools and images in it, and a clock that only tests move."""

import asyncio
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import Table, func, insert, select

from nbfleet.domain import lease as leases
from nbfleet.domain.access import Role
from nbfleet.domain.listing import fold
from nbfleet.domain.notebook import Notebook, Observed, Volume, Wanted
from nbfleet.store import catalogue, identity, notebooks, schema
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.store.keyring import Keyring
from nbfleet.wire import enums
from nbfleet.wire.images import Image

NOW = 1_700_000_000_000
HOUR = 3_600_000
PROJECTS = ("p" * 32, "q" * 32)
# Names that only differ in case, or whose case has more than one letter.
USERS = {"u" * 32: "Anna", "v" * 32: "anna_b", "w" * 32: "ÄRGER-50%", "x" * 32: "straße", "y" * 32: "王伟"}
OWNER, OTHER = list(USERS)[:2]
WORKSPACES = ("0", "a" * 32, "b" * 32)
POOLS = {"pool-1": "GPU_pool", "pool-2": "gpu-Übung", "pool-3": "池%"}
IMAGES = {
    "11111111-1111-4111-8111-111111111111": "localhost/nbfleet/jupyterlab:4.6",
    "22222222-2222-4222-8222-222222222222": "Registry.example.org:5000/team_a/Torch:2.9",
}
IMAGE = next(iter(IMAGES))
KEYRING = Keyring(Fernet.generate_key())


@dataclass
class Clock:
    """Milliseconds since 1970, and sleepers who wake when a test moves it."""

    now: int = NOW
    _sleepers: list[tuple[int, int, asyncio.Future[None]]] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __call__(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return await asyncio.sleep(0)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + round(seconds * 1000), next(self._numbers), woken))
        return await woken

    @property
    def sleepers(self) -> int:
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def advance(self, milliseconds: int) -> None:
        self.now += milliseconds
        while self._sleepers and self._sleepers[0][0] <= self.now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)


def image(image_id: str, swr_path: str) -> Image:
    return Image(
        id=image_id,
        name=swr_path.rpartition("/")[2].partition(":")[0].lower(),
        swr_path=swr_path,
        type=enums.ImageType.BUILD_IN,
        description="An image.",
        tag=swr_path.rpartition(":")[2],
    )


def populate(connection: Connection) -> None:
    """Two projects whose workspaces and pools have the same ids, and users who are members of both."""
    identity.add_account(connection, "d" * 32, "domain")
    projects = [identity.add_project(connection, id, id[0], "d" * 32, NOW) for id in PROJECTS]
    for user_id, name in USERS.items():
        number = identity.add_user(connection, user_id, name, "d" * 32, "scrypt:00:00", NOW)
        for project in projects:
            identity.set_role(connection, number, project, Role.MEMBER)
    for project in projects:
        for workspace in WORKSPACES[1:]:
            values = {"project_no": project, "id": workspace, "name": workspace}
            connection.execute(insert(schema.workspaces).values(**values))
        for pool, name in POOLS.items():
            values = {"project_no": project, "id": pool, "name": name, "name_folded": fold(name)}
            connection.execute(insert(schema.pools).values(**values))
    for image_id, swr_path in IMAGES.items():
        catalogue.put_image(connection, image(image_id, swr_path), NOW)


def notebook(number: int = 1, **changes: Any) -> Notebook:
    """A notebook that was just asked for."""
    made = Notebook(
        id=f"7d9069fb-6058-4e69-b76d-{number:012d}",
        project_id=PROJECTS[0],
        owner_id=OWNER,
        name=f"notebook-{number}",
        description="",
        feature="NOTEBOOK",
        flavor="modelarts.vm.cpu.1u",
        image_id=IMAGE,
        workspace_id="0",
        pool_id=None,
        volume=Volume("EVS", "MANAGED", 5),
        lease=leases.opened(HOUR, NOW),
        wanted=Wanted.RUNNING,
        observed=Observed.NEW,
        create_at=NOW,
        update_at=NOW,
        generation=1,
    )
    return replace(made, **changes)


def running(number: int = 1, **changes: Any) -> Notebook:
    return notebook(number, **({"observed": Observed.RUNNING} | changes))


def stopped(number: int = 1, **changes: Any) -> Notebook:
    return notebook(number, **({"wanted": Wanted.STOPPED, "observed": Observed.STOPPED} | changes))


def add(connection: Connection, made: Notebook, due_at: int = NOW) -> int:
    return notebooks.add(connection, Directory(), made, due_at)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def counters(connection: Connection) -> dict[str, dict[tuple[Any, ...], int]]:
    """What the counters say, without the combinations of which there are none."""
    found: dict[str, dict[tuple[Any, ...], int]] = {}
    for table in schema.COUNTERS:
        rows = connection.execute(select(table).where(table.c.total != 0)).all()
        found[table.name] = {tuple(row[:-1]): row.total for row in rows}
    return found


def recount(connection: Connection) -> dict[str, dict[tuple[Any, ...], int]]:
    """What the counters should say."""
    return {table.name: _count(connection, table) for table in schema.COUNTERS}


def _count(connection: Connection, table: Table) -> dict[tuple[Any, ...], int]:
    keys = [schema.notebooks.c[column.name] for column in table.primary_key.columns]
    rows = connection.execute(select(*keys, func.count()).group_by(*keys)).all()
    return {tuple(row[:-1]): row[-1] for row in rows}

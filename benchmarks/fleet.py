"""A store full of notebooks for the benchmarks: owners with a heavy head, names and states as on a site."""

import random
import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec

from nbfleet import first_start
from nbfleet.domain import lease as leases
from nbfleet.domain.access import Role
from nbfleet.domain.notebook import Notebook, Observed, Volume, Wanted
from nbfleet.server import milliseconds, open_ground
from nbfleet.services import identity
from nbfleet.services.catalogue import BUILT_IN_ID
from nbfleet.services.context import Context
from nbfleet.settings import load
from nbfleet.store import identity as people
from nbfleet.store import notebooks
from nbfleet.store.database import Connection
from nbfleet.store.directory import Directory

_STATES = ((Wanted.STOPPED, Observed.STOPPED),) * 14 + ((Wanted.RUNNING, Observed.RUNNING),) * 3 + (
    (Wanted.RUNNING, Observed.ERROR), (Wanted.RUNNING, Observed.START_FAILED),
    (Wanted.RUNNING, Observed.CREATE_FAILED),
)  # fmt: skip
_WORDS = ("train", "vision", "speech", "notebook", "data", "demo", "model", "test", "exp", "lab")
_BATCH = 1000


@dataclass(frozen=True)
class Filled:
    project_id: str
    token: str


async def fill(data_dir: Path, rows: int, database_url: str = "", seed: int = 1) -> Filled:
    settings = load({"data_dir": str(data_dir), "database_url": database_url}, {})
    ground = open_ground(settings)
    context = Context(ground.database, Directory(), ground.keyring, settings, milliseconds, lambda: None)
    await first_start.prepare(context, "http://127.0.0.1:1")
    chance = random.Random(seed)
    (project,) = await ground.database.read(people.list_projects)
    owners = await ground.database.write(_add_owners, project, max(rows // 20, 1))
    for start in range(0, rows, _BATCH):
        batch = [_notebook(chance, project.id, owners, n) for n in range(start, min(start + _BATCH, rows))]
        await ground.database.write(_add, context, batch)
    issued = await identity.issue_token(
        context, _password(data_dir), user_id=None, user_name="admin", account=None,
        project_id=project.id, project_name=None,
    )  # fmt: skip
    ground.database.close()
    return Filled(project.id, issued.token)


def _password(data_dir: Path) -> str:
    content = (data_dir / first_start.CREDENTIALS).read_bytes()
    return msgspec.json.decode(content, type=first_start.Credentials).password


def _add_owners(connection: Connection, project: people.Project, count: int) -> list[str]:
    account_id, _ = people.list_accounts(connection)[0]
    owners: list[str] = []
    for number in range(count):
        user_id = identity.new_id()
        user_no = people.add_user(connection, user_id, f"user-{number}", account_id, "scrypt:00:00", 0)
        people.set_role(connection, user_no, project.no, Role.MEMBER)
        owners.append(user_id)
    return owners


def _notebook(chance: random.Random, project_id: str, owners: list[str], number: int) -> Notebook:
    wanted, observed = chance.choice(_STATES)
    created = 1_700_000_000_000 + number * 60_000 + chance.randrange(60_000)
    owner = owners[min(int(chance.paretovariate(0.6)) - 1, len(owners) - 1)]
    name = (
        f"notebook-{chance.randrange(16**8):08x}"
        if chance.random() < 0.4
        else f"{chance.choice(_WORDS)}-{chance.choice(_WORDS)}_{number}"
    )
    return Notebook(
        id=str(uuid.UUID(int=chance.getrandbits(128), version=4)), project_id=project_id, owner_id=owner,
        name=name, description="For the benchmark.", feature="NOTEBOOK", flavor="modelarts.vm.cpu.1u",
        image_id=BUILT_IN_ID, workspace_id="0", pool_id=None, volume=Volume("EVS", "MANAGED", 5),
        lease=leases.opened(leases.OFF, created), wanted=wanted, observed=observed, create_at=created,
        update_at=created + chance.randrange(10**8), generation=1,
    )  # fmt: skip


def _add(connection: Connection, context: Context, batch: list[Notebook]) -> None:
    for notebook in batch:
        notebooks.add(connection, context.directory, notebook, due_at=0)

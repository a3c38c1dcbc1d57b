"""A seeded store for the benchmarks, and a token of its administrator."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from nbfleet import first_start, seeding
from nbfleet.server import milliseconds, open_ground
from nbfleet.services import identity
from nbfleet.services.context import Context
from nbfleet.settings import load
from nbfleet.store.directory import Directory


@dataclass(frozen=True)
class Filled:
    project_id: str
    token: str


async def fill(data_dir: Path, rows: int, database_url: str = "", seed: int = 1) -> Filled:
    settings = load({"data_dir": str(data_dir), "database_url": database_url}, {})
    ground = open_ground(settings)
    context = Context(ground.database, Directory(), ground.keyring, settings, milliseconds, lambda: None)
    await first_start.prepare(context, "http://127.0.0.1:1")
    project_id = await seeding.seed(context, rows, seed, lambda _done: None)
    issued = await identity.issue_token(
        context, _password(data_dir), user_id=None, user_name="admin", account=None,
        project_id=project_id, project_name=None,
    )  # fmt: skip
    ground.database.close()
    return Filled(project_id, issued.token)


def _password(data_dir: Path) -> str:
    content = (data_dir / first_start.CREDENTIALS).read_bytes()
    return msgspec.json.decode(content, type=first_start.Credentials).password

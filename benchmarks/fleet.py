"""A seeded store for the benchmarks, and a token of its administrator."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from nbfleet import first_start, seeding
from nbfleet.domain.access import Role
from nbfleet.server import milliseconds, open_ground
from nbfleet.services import identity
from nbfleet.services.context import Context
from nbfleet.settings import load
from nbfleet.store.database import Connection
from nbfleet.store.directory import Directory


@dataclass(frozen=True)
class Filled:
    project_id: str
    token: str
    access_key: str
    secret_key: str


async def fill(data_dir: Path, rows: int, database_url: str = "", seed: int = 1) -> Filled:
    """Raises NotEmpty where a fleet is already."""
    async with opened(data_dir, database_url) as context:
        await first_start.prepare(context, "http://127.0.0.1:1")
        await seeding.seed(context, rows, seed, lambda _done: None)
    return await log_in(data_dir, database_url)


async def log_in(data_dir: Path, database_url: str = "") -> Filled:
    """A new token for a store that was filled before."""
    known = _credentials(data_dir)
    async with opened(data_dir, database_url) as context:
        issued = await identity.issue_token(
            context, known.password, user_id=None, user_name=known.user_name, account=None,
            project_id=known.project_id, project_name=None,
        )  # fmt: skip
    return Filled(known.project_id, issued.token, known.access_key, known.secret_key)


async def login_tickets(data_dir: Path, count: int, database_url: str = "") -> list[str]:
    """Each lets a browser sign in once: as the administrator, and as colleagues who are made where they are
    not there yet."""
    known = _credentials(data_dir)
    async with opened(data_dir, database_url) as context:

        def issue(connection: Connection) -> list[str]:
            names = [known.user_name, *(f"colleague-{number}" for number in range(1, count))]
            project = identity.the_project(connection, known.project_id)
            for name in names:
                with suppress(identity.Refused):
                    identity.add_user(connection, context, name, project, Role.ADMINISTRATOR, known.password)
            return [identity.new_login_link(connection, context, name) for name in names]

        return await context.database.write(issue)


@asynccontextmanager
async def opened(data_dir: Path, database_url: str) -> AsyncGenerator[Context, None]:
    settings = load({"data_dir": str(data_dir), "database_url": database_url}, {})
    ground = open_ground(settings)
    try:
        yield Context(ground.database, Directory(), ground.keyring, settings, milliseconds, lambda: None)
    finally:
        ground.database.close()


def _credentials(data_dir: Path) -> first_start.Credentials:
    content = (data_dir / first_start.CREDENTIALS).read_bytes()
    return msgspec.json.decode(content, type=first_start.Credentials)

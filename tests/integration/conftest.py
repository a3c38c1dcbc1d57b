"""Databases with the schema of this release, copied from one that was migrated once."""

import shutil
from pathlib import Path

import pytest

from nbfleet.store import migrate
from nbfleet.store.database import open_engine
from support import fleet
from support.postgres import Postgres


def _prepared(url: str) -> str:
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    with fleet.opened(url) as database:
        database.write_now(fleet.populate)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    _prepared(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    return _prepared(postgres.new_database()).rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the people and things of `support.fleet` in it; every test runs on both."""
    if request.param == "sqlite":
        path = tmp_path / "store.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database(request.getfixturevalue("postgres_template"))

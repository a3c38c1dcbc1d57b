"""Databases with the schema of this release, copied from one that was migrated once."""

import shutil
from pathlib import Path

import pytest

from nbfleet.store import migrate
from nbfleet.store.database import open_engine
from support import fleet
from support.postgres import Postgres


def prepared(url: str) -> str:
    """Migrated, with the people and things of `support.fleet` in it."""
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    with fleet.opened(url) as database:
        database.write_now(fleet.populate)
    return url


def copy_of_template(request: pytest.FixtureRequest, directory: Path) -> str:
    """A new database of the kind that is the parameter of the fixture that asks."""
    if request.param == "sqlite":
        path = directory / "store.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database(request.getfixturevalue("postgres_template"))


def copy_of(request: pytest.FixtureRequest, url: str, directory: Path) -> str:
    """A new database like this one, which nobody is connected to."""
    if url.startswith("sqlite"):
        path = directory / "copy.db"
        shutil.copyfile(url.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database(url.rpartition("/")[2])

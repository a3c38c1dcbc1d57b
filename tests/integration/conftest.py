"""Databases that are ready to use, for tests of the store and of what stands on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from nbfleet.store import migrate, schema
from nbfleet.store.database import open_engine
from support.postgres import Postgres
from support.stores import Store, open_store
from support.templates import copy_of_template, prepared


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    prepared(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    return prepared(postgres.new_database()).rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the people and things of `support.fleet` in it; every test runs on both."""
    return copy_of_template(request, tmp_path)


@pytest.fixture(scope="session")
def one_postgresql_url(postgres: Postgres) -> str:
    url = postgres.new_database()
    migrate.upgrade(open_engine(url))
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An open store for each test. PostgreSQL keeps one database and is emptied each time."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/test.db"
    else:
        url = request.getfixturevalue("one_postgresql_url")
        with open_engine(url).begin() as connection:
            names = ", ".join(schema.metadata.tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    opened = open_store(url)
    yield opened
    opened.close()

"""Databases that are ready to use, for tests of the store and of what stands on it."""

from pathlib import Path

import pytest

from support.postgres import Postgres
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

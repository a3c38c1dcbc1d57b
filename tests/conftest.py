"""Fixtures that more than one kind of test uses."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import Postgres
from support.service import Service


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    # Not below pytest's own directory, which only root may enter.
    directory = Path(tempfile.mkdtemp(prefix="nbfleet-pg-"))
    directory.chmod(0o755)
    server = Postgres(directory).start()
    yield server
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables; every test that takes it runs on both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A running service on the local runtime and SQLite."""
    running = Service(tmp_path / "data").start()
    yield running
    running.clear_away()

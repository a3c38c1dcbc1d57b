"""Fixtures that more than one kind of test uses."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.postgres import Postgres
from support.service import Service

settings.register_profile("short", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=20_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="Long runs: hours instead of seconds.")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("soak" if config.getoption("--soak") else "short")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        for item in items:
            item.add_marker(pytest.mark.timeout(6 * 3600))


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a check that can be repeated is repeated."""
    return 500 if request.config.getoption("--soak") else 4


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

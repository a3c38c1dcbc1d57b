"""One running service for each database, shared by all tests here: each makes its own projects and people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nbfleet.domain.access import Role
from nbfleet.store.database import Database, sqlite_url
from support.people import Person, Place
from support.service import Service

DATABASES = ["sqlite", "postgresql"]
Open = Callable[..., Place]


@contextmanager
def opened(request: pytest.FixtureRequest, directory: Path, kind: str, **environment: str) -> Iterator[Place]:
    data = directory / "data"
    url = "" if kind == "sqlite" else request.getfixturevalue("postgres").new_database()
    service = Service(data, runtime="simulated", database_url=url, environment=environment).start()
    place = Place(service, Database(url or sqlite_url(data / "nbfleet.db")))
    try:
        yield place
    finally:
        place.close()
        service.clear_away()


@pytest.fixture(scope="session", params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with opened(request, tmp_path_factory.mktemp("api"), request.param) as made:
        yield made


@pytest.fixture(scope="module")
def member(place: Place) -> Person:
    """A member of a project of its own."""
    return place.new_person(place.new_project(), name="member")


@pytest.fixture(scope="module")
def admin(place: Place, member: Person) -> Person:
    """An administrator of the same project."""
    return place.new_person(member.project, Role.ADMINISTRATOR, name="chief")

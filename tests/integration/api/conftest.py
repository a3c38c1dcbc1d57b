"""Two ways to have a service: inside the process of the test with our clock, or as a process of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from nbfleet.domain.access import Role
from support.client import Caller
from support.hosted import Hosted
from support.people import DATABASES, Person, Place, opened


@dataclass
class Fleet:
    """An administrator, two members and a second project."""

    hosted: Hosted
    admin: Caller
    alice: Caller
    bob: Caller
    carol: Caller  # Of the project "lab" only.


@pytest.fixture(scope="module", params=DATABASES)
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One inside the process for each module and database."""
    directory = tmp_path_factory.mktemp("service")
    if request.param == "sqlite":
        url = f"sqlite:///{directory}/test.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    hosted = Hosted(directory, url).start()
    hosted.project("lab")
    yield Fleet(
        hosted, hosted.administrator(), hosted.user("alice", "local"), hosted.user("bob", "local"),
        hosted.user("carol", "lab"),
    )  # fmt: skip
    hosted.stop()


@pytest.fixture(scope="session", params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A process for each database, shared by all tests: each makes its own projects and people."""
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

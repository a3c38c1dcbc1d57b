"""One running service for each database, shared by all tests here: each makes its own projects and people."""

from collections.abc import Iterator

import pytest

from nbfleet.domain.access import Role
from support.people import DATABASES, Person, Place, opened


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

"""A role that is given and deleted at the same time: nobody is left with the name of one that is gone."""

import threading
from collections.abc import Callable, Iterator

import pytest

from nbfleet.domain.access import Role
from nbfleet.services import identity, roles
from nbfleet.store import identity as people
from nbfleet.store import roles as stored_roles
from nbfleet.store.database import Connection, Database
from support import fleet

Change = Callable[[Connection], None]
GUEST = Role("guest", frozenset({"modelarts:notebook:get"}))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        opened.write_now(stored_roles.put, GUEST)
        yield opened


def give(connection: Connection) -> None:
    user, project = identity.the_user(connection, "Anna"), identity.the_project(connection, fleet.PROJECTS[0])
    people.set_role(connection, user.no, project.no, roles.role_to_give(connection, "guest"))


def overtaken(database: Database, first: Change, second: Change) -> list[str]:
    """What comes of `second`, which begins while `first` is done and not committed yet."""
    told: list[str] = []

    def late() -> None:
        try:
            database.write_now(second)
            told.append("done")
        except identity.Refused as refusal:
            told.append(str(refusal))

    thread = threading.Thread(target=late)

    def early(connection: Connection) -> None:
        first(connection)
        thread.start()
        thread.join(0.5)

    database.write_now(early)
    thread.join(20)
    return told


def remove(connection: Connection) -> None:
    roles.remove(connection, "guest")


def test_a_role_that_is_being_given_is_not_deleted(database: Database) -> None:
    assert overtaken(database, give, remove) == [
        "1 memberships are of the role guest; give them another one first."
    ]
    assert database.read_now(stored_roles.find, "guest") == GUEST


def test_a_role_that_is_being_deleted_is_not_given(database: Database) -> None:
    assert overtaken(database, remove, give) == ["There is no role guest; there are administrator, member."]
    assert database.read_now(stored_roles.members, "guest") == 0

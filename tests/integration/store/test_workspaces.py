"""Workspaces as rows: which are open to a user, and what stays of one that is deleted."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import event, select

from nbfleet.domain.access import Caller, Openness, Role
from nbfleet.domain.listing import Query
from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.gateway.from_store import resolver
from nbfleet.gateway.resolve import Credentials, Refusal, Refused, Upstream
from nbfleet.services import lists
from nbfleet.services.context import Context
from nbfleet.settings import Settings
from nbfleet.store import identity, notebooks, schema, workspaces
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.store.listing import Row
from nbfleet.store.workspaces import Grantee, Workspace
from nbfleet.wire.errors import ApiError
from support import fleet

PROJECT, OTHER_PROJECT = fleet.PROJECTS
ME, OTHER = fleet.OWNER, fleet.OTHER
OPEN, LAB = fleet.WORKSPACES[1:]
NOW = fleet.NOW


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


def numbers(connection: Connection, workspace: str = LAB) -> tuple[int, int, int]:
    """Of the project, the workspace and the user."""
    directory = Directory()
    project = directory.project(connection, PROJECT) or 0
    place = directory.workspace(connection, project, workspace) or 0
    return project, place, directory.user(connection, ME) or 0


def close(connection: Connection, auth_type: str, named: bool = False, owner: bool = False) -> None:
    _, place, me = numbers(connection)
    values: dict[str, Any] = {"auth_type": auth_type, "owner_no": me if owner else None}
    workspaces.change(connection, place, values, NOW)
    workspaces.set_grants(connection, place, [me] if named else [])


def principal(connection: Connection) -> Any:
    found = identity.principal_of(connection, numbers(connection)[2])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("auth_type", "named", "owner", "is_open"),
    [
        ("PUBLIC", False, False, True), ("public", False, False, True), ("PRIVATE", False, False, False),
        ("private", True, False, False), ("PRIVATE", False, True, True), ("INTERNAL", False, False, False),
        ("internal", True, False, True), ("INTERNAL", False, True, True),
    ],
)  # fmt: skip
def test_a_principal_knows_what_is_open_to_it(
    database: Database, auth_type: str, named: bool, owner: bool, is_open: bool
) -> None:
    database.write_now(close, auth_type, named, owner)
    found = database.read_now(principal)
    # The other project has workspaces with the same ids: they are open as they were.
    assert found.granted == ({} if is_open else {PROJECT: frozenset({"0", OPEN})})
    row = database.read_now(lambda c: workspaces.find(c, numbers(c)[0], LAB, numbers(c)[2]))
    assert row is not None
    assert (row.openness, row.is_owner, row.is_granted) == (Openness(auth_type.upper()), owner, named)


def test_to_an_administrator_everything_is_open(database: Database) -> None:
    def write(connection: Connection) -> None:
        close(connection, "PRIVATE")
        project, _, me = numbers(connection)
        identity.set_role(connection, me, project, Role.ADMINISTRATOR)

    database.write_now(write)
    assert database.read_now(principal).granted == {}


def test_a_workspace_is_added_changed_and_read(database: Database) -> None:
    def write(connection: Connection) -> list[Any]:
        project, _, me = numbers(connection)
        values = {"id": "c" * 32, "name": "new", "description": "d", "auth_type": "internal"}
        number = workspaces.add(connection, project, me, values, NOW)
        workspaces.set_grants(connection, number, [me])
        workspaces.change(connection, number, {"name": "newer"}, NOW + 1)
        found = workspaces.find(connection, project, "c" * 32, me)
        shown = Workspace(
            number, "c" * 32, "newer", "d", "internal", fleet.USERS[ME], NOW, NOW + 1, is_owner=True,
            is_granted=True,
        )  # fmt: skip
        assert found == shown
        assert workspaces.grants(connection, number) == [Grantee(me, ME, fleet.USERS[ME])]
        everything = workspaces.of_project(connection, project, me)
        assert everything[-1] == shown
        return [(one.id, one.owner_name) for one in everything]

    assert database.write_now(write) == [
        ("0", "domain"), (OPEN, "domain"), (LAB, "domain"), ("c" * 32, fleet.USERS[ME]),
    ]  # fmt: skip


def test_only_one_that_had_notebooks_stays_on_record(database: Database) -> None:
    database.write_now(close, "INTERNAL", True)
    gone = fleet.notebook(workspace_id=LAB, wanted=Wanted.DELETED, observed=Observed.GONE)
    database.write_now(fleet.add, gone)

    def remove(connection: Connection, workspace: str) -> tuple[list[Any], bool, int]:
        project, place, me = numbers(connection, workspace)
        assert workspaces.notebooks_in(connection, project, place) == 0
        workspaces.remove(connection, project, place, NOW + 5)
        row = select(schema.workspaces.c.delete_at).where(schema.workspaces.c.no == place)
        left = list(connection.execute(row).scalars())
        count = workspaces.count(connection, project)
        return left, workspaces.find(connection, project, workspace, me) is None, count

    assert database.write_now(remove, OPEN) == ([], True, 2)
    assert database.write_now(remove, LAB) == ([NOW + 5], True, 1)
    # Its deleted notebooks are seen by the same people as before.
    assert database.read_now(principal).granted == {}


def test_whether_one_was_used_is_asked_of_the_counters(database: Database) -> None:
    asked: list[str] = []

    def remove(connection: Connection) -> None:
        project, place, _ = numbers(connection, OPEN)
        event.listen(connection, "before_cursor_execute", lambda *given: asked.append(given[2]))
        workspaces.remove(connection, project, place, NOW)

    database.write_now(remove)
    assert [one for one in asked if "FROM notebooks" in one] == []


def test_users_and_projects_go_with_what_names_them(database: Database) -> None:
    def write(connection: Connection) -> list[int]:
        close(connection, "INTERNAL", named=True, owner=True)
        project, place, me = numbers(connection)
        identity.delete_user(connection, me)
        owner = select(schema.workspaces.c.owner_no).where(schema.workspaces.c.no == place)
        assert connection.execute(owner).scalar() is None
        left = [len(workspaces.grants(connection, place))]
        identity.delete_project(connection, project)
        return [*left, workspaces.count(connection, project)]

    assert database.write_now(write) == [0, 0]


def test_the_gateway_lets_an_owner_in_while_the_workspace_is_open(database: Database) -> None:
    made = fleet.running(workspace_id=LAB, endpoint="http://127.0.0.1:1")
    database.write_now(fleet.add, made)
    resolve = resolver(database, fleet.KEYRING)
    token = Credentials(token=fleet.KEYRING.notebook_token(made.id, made.generation))

    async def ask(credentials: Credentials) -> Upstream | Refusal:
        return await resolve("host", f"/{made.id}/lab", credentials)

    answers = []
    for auth_type, named in (("PUBLIC", False), ("INTERNAL", True), ("INTERNAL", False), ("PRIVATE", False)):
        database.write_now(close, auth_type, named)
        answers.append(asyncio.run(ask(token)))
    assert [isinstance(one, Upstream) for one in answers] == [True, True, False, False]
    assert answers[2:] == [Refusal(Refused.NOT_FOUND)] * 2
    assert database.read_now(notebooks.find, made.id) is not None


def test_an_export_ends_where_a_workspace_is_closed_on_the_way(database: Database) -> None:
    """More than one batch, and more than a moment between them."""
    clock = fleet.Clock()
    context = Context(database, Directory(), fleet.KEYRING, Settings(), clock, lambda: None)
    me = Caller(ME, fleet.USERS[ME], PROJECT, Role.MEMBER, "d" * 32, "domain")

    def fill(connection: Connection) -> None:
        for number in range(lists.BATCH + 20):
            place = (LAB, "0")[number % 2]
            fleet.add(connection, fleet.stopped(number, create_at=NOW + number, workspace_id=place))

    def encode(rows: Sequence[Row]) -> bytes:
        return str(len(rows)).encode()

    async def exported(closed: bool) -> list[bytes]:
        found: list[bytes] = []
        async for piece in lists.export(context, me, Query(feature=None, workspace_id=None), encode):
            found.append(piece)
            if closed:
                await database.write(close, "PRIVATE")
            clock.advance(lists.RECHECKED)
        return found

    database.write_now(fill)
    assert asyncio.run(exported(False)) == [b"500", b"20"]
    with pytest.raises(ApiError) as refused:
        asyncio.run(exported(True))
    assert (refused.value.status, refused.value.code) == (403, "ModelArts.0108")

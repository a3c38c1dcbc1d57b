"""Whatever is open to whom, and however that changes: a list tells nobody what is not theirs to see.

Roles, kinds of workspaces and grants are drawn anew again and again in one running service, so that what was
asked before is in its memory of callers, in its answers and in its prepared questions. Each answer is held
against the rule, written here once more.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbfleet.api.auth import REMEMBERED
from nbfleet.domain.access import Role
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.services.catalogue import BUILT_IN_ID
from nbfleet.store import notebooks
from nbfleet.store.database import Connection
from nbfleet.store.directory import Directory
from support import make
from support.client import Caller
from support.hosted import Hosted
from support.people import DATABASES

NAMES = ("alice", "bob", "dora")
EACH = 3  # Notebooks of each person in each workspace.
UNKNOWN = "e" * 32
KINDS = ("PUBLIC", "PRIVATE", "INTERNAL", "public", "private", "internal")
# Few, so that they are asked again after something has changed.
FILTERS: tuple[dict[str, Any], ...] = (
    {}, {"limit": 4}, {"limit": 4, "offset": 3}, {"name": "1"}, {"sort_key": "name", "sort_dir": "ASC"},
    {"status": "STOPPED", "limit": 100},
)  # fmt: skip


@dataclass
class Site:
    hosted: Hosted
    admin: Caller
    people: list[Caller]
    workspaces: list[str]
    notebooks: list[Notebook] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    grants: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)

    def visible(self, caller: Caller, everybody: bool) -> list[Notebook]:
        """The newest first."""
        chief = self.roles[caller.user_id] is Role.ADMINISTRATOR
        seen = [
            one for one in self.notebooks
            if (one.owner_id == caller.user_id or (chief and everybody))
            and (chief or self.enters(caller, one.workspace_id))
        ]  # fmt: skip
        return seen[::-1]

    def enters(self, caller: Caller, workspace_id: str) -> bool:
        """Of a member; who made a workspace is an administrator and nobody else here."""
        kind = self.kinds[workspace_id].upper()
        return kind == "PUBLIC" or (kind == "INTERNAL" and caller.name in self.grants[workspace_id])


@pytest.fixture(scope="module", params=DATABASES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("leaks")
    if request.param == "sqlite":
        url = f"sqlite:///{directory}/test.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    hosted = Hosted(directory, url).start()
    admin = hosted.administrator()
    people = [hosted.user(name, "local") for name in NAMES]
    places = [
        admin.request("POST", f"/v1/{admin.project_id}/workspaces", None, {"name": f"team-{n}"}).json["id"]
        for n in range(3)
    ]
    made = Site(hosted, admin, people, ["0", *places])
    fill(made)
    yield made
    hosted.stop()


def fill(site: Site) -> None:
    everybody = [site.admin, *site.people]
    places = list(itertools.product(range(EACH), site.workspaces, everybody))
    site.notebooks = [
        make.notebook(
            project_id=site.admin.project_id, owner_id=owner.user_id, name=f"n-{number:03}",
            workspace_id=workspace, image_id=BUILT_IN_ID, create_at=make.T0 + number,
            wanted=Wanted.STOPPED, observed=Observed.STOPPED,
        )
        for number, (_, workspace, owner) in enumerate(places)
    ]  # fmt: skip

    def write(connection: Connection) -> None:
        for one in site.notebooks:
            notebooks.add(connection, Directory(), one, make.T0)

    site.hosted.database.write_now(write)
    site.roles = {one.user_id: Role.MEMBER for one in site.people} | {site.admin.user_id: Role.ADMINISTRATOR}
    site.kinds = dict.fromkeys(site.workspaces, "PUBLIC")
    site.grants = {one: set[str]() for one in site.workspaces}


def change(site: Site, workspace: str, kind: str, named: set[str]) -> None:
    internal = kind.upper() == "INTERNAL"
    body: dict[str, Any] = {"auth_type": kind}
    if internal:
        body["grants"] = [{"user_name": name} for name in sorted(named)]
    path = f"/v1/{site.admin.project_id}/workspaces/{workspace}"
    assert site.admin.request("PUT", path, None, body).status == 200
    site.kinds[workspace], site.grants[workspace] = kind, named if internal else set()


def promote(site: Site, caller: Caller, role: Role) -> None:
    """At the store, as `nbfleet user role` does: that counts once callers are not remembered any more."""
    if site.roles[caller.user_id] is not role:
        site.hosted.leave(caller, "local", role)
        site.roles[caller.user_id] = role
        site.hosted.clock.advance(REMEMBERED)


def expected(site: Site, caller: Caller, everybody: bool, query: dict[str, Any]) -> tuple[int, list[str]]:
    workspace = query.get("workspace_id", "0")
    found = [
        one for one in site.visible(caller, everybody)
        if workspace in ("*", one.workspace_id) and query.get("name", "") in one.name
    ]  # fmt: skip
    if query.get("sort_dir") == "ASC":
        found.reverse()
    start = query.get("offset", 0)
    return len(found), [one.id for one in found[start : start + query.get("limit", 10)]]


def check_list(site: Site, caller: Caller, everybody: bool, query: dict[str, Any]) -> None:
    total, ids = expected(site, caller, everybody, query)
    limit, offset = query.get("limit", 10), query.get("offset", 0)
    rest = "/all" if everybody else ""
    # Again and again: as it is looked for, as it is prepared, as it is kept.
    for _ in range(3):
        answer = caller.get(rest, query).json
        assert (answer["total"], [one["id"] for one in answer["data"]]) == (total, ids)
        assert (answer["pages"], answer["current"]) == (-(-total // limit), offset // limit)


def check_walk(site: Site, caller: Caller, workspace: str) -> None:
    query = {"workspace_id": workspace, "limit": 4, "marker": ""}
    total, ids = expected(site, caller, False, query | {"limit": 1000})
    found: list[str] = []
    while True:
        answer = caller.get("", query).json
        assert answer["total"] == total
        found += [one["id"] for one in answer["data"]]
        if "next_marker" not in answer:
            break
        query["marker"] = answer["next_marker"]
    assert found == ids


def check_counts(site: Site, caller: Caller) -> None:
    seen = [one.workspace_id for one in site.visible(caller, True)]
    answer = caller.get("/count", {"by": "workspace"}).json
    assert answer["total"] == len(seen)
    counted = {one["key"]: one["count"] for one in answer["groups"]}
    assert counted == {one: seen.count(one) for one in set(seen)}
    lines = caller.get("/export").raw.splitlines()
    assert len(lines) == len(seen)


def check_closed(site: Site, caller: Caller, workspace: str) -> None:
    """What is in a closed workspace looks like what is in none."""
    if site.roles[caller.user_id] is Role.ADMINISTRATOR or site.enters(caller, workspace):
        return
    for query in ({}, {"marker": ""}, {"sort_key": "nonsense"}):
        answers = [caller.get("", {"workspace_id": one} | query) for one in (workspace, UNKNOWN)]
        assert answers[0].raw == answers[1].raw
    inside = next(one.id for one in site.notebooks if one.workspace_id == workspace)
    unknown = "00000000-0000-4000-8000-00000000ffff"
    for method, rest in (("GET", ""), ("POST", "/start"), ("DELETE", "")):
        raw = [caller.request(method, caller.at(f"/{one}{rest}")).raw for one in (inside, unknown)]
        assert raw[0].replace(inside.encode(), b"") == raw[1].replace(unknown.encode(), b"")


CHANGES = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(KINDS), st.sets(st.sampled_from(NAMES))), max_size=3
)
ASKED = st.lists(
    st.tuples(st.integers(0, 2), st.booleans(), st.integers(0, 5), st.sampled_from(FILTERS)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(
    changes=CHANGES,
    who=st.integers(0, 2),
    role=st.sampled_from([Role.ADMINISTRATOR, Role.MEMBER]),
    asked=ASKED,
)
def test_nothing_is_told_that_is_not_to_be_seen(
    site: Site, changes: list[Any], who: int, role: Role, asked: list[Any]
) -> None:
    promote(site, site.people[who], role)
    for place, kind, named in changes:
        change(site, site.workspaces[place], kind, named)
    for person, of_all, place, filters in asked:
        caller = site.people[person]
        workspace = ["*", UNKNOWN, *site.workspaces][place]
        everybody = of_all and site.roles[caller.user_id] is Role.ADMINISTRATOR
        check_list(site, caller, everybody, filters | {"workspace_id": workspace})
        check_walk(site, caller, workspace)
        check_counts(site, caller)
        if workspace not in ("*", UNKNOWN):
            check_closed(site, caller, workspace)


def test_a_marker_of_before_leads_nowhere_else(site: Site) -> None:
    """It goes on behind its place, with what is open now."""
    alice = site.people[0]
    promote(site, alice, Role.MEMBER)
    for workspace in site.workspaces:
        change(site, workspace, "INTERNAL", set(NAMES))
    query = {"workspace_id": "*", "limit": 2, "marker": ""}
    first = alice.get("", query).json
    change(site, site.workspaces[1], "PRIVATE", set())
    rest = alice.get("", query | {"marker": first["next_marker"], "limit": 100}).json
    mine = [one for one in site.visible(alice, False) if one.id not in {n["id"] for n in first["data"]}]
    assert [one["id"] for one in rest["data"]] == [one.id for one in mine]
    assert rest["total"] == EACH * 3

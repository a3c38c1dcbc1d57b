"""What members and administrators see of each other, and what they may do.

What each operation answers to each kind of caller is a table, in `support.policy`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.access import EVERY_ACTION, Role
from nbfleet.services.catalogue import BUILT_IN_ID
from nbfleet.store.identity import Project
from nbfleet.wire.operation import Action, Operation
from nbfleet.wire.operations import OPERATIONS
from support.http import Reply
from support.people import DATABASES, Person, Place, opened

HOUR = 3_600_000
LIST_ALL_FORBIDDEN = (
    403,
    "ModelArts.0108",
    "The caller does not have the permission modelarts:notebook:listAllNotebooks.",
)


@dataclass
class Room:
    """Three people of one project, each with a running and a stopped notebook; alice has another one too."""

    place: Place
    alice: Person
    bob: Person
    chief: Person
    elsewhere: Project
    notebooks: dict[str, list[dict[str, Any]]]  # By user id; as their owners see them, running one first.

    def of(self, person: Person) -> list[dict[str, Any]]:
        return self.notebooks[person.user.id]

    def ids(self, *people: Person) -> list[str]:
        return sorted(one["id"] for person in people for one in self.of(person))

    def call(self, person: Person, method: str, path: str, **more: Any) -> Reply:
        """Whatever is asked: no answer holds a token or an address of somebody else."""
        reply = person.key(method, path, **more)
        text = reply.raw.decode()
        for owner in (self.alice, self.bob, self.chief):
            for one in self.of(owner):
                if owner is not person:
                    assert one["token"] not in text
                    assert f"{self.place.service.gateway}/{one['id']}" not in text
        return reply

    def listed(self, person: Person, path: str, **query: Any) -> list[str]:
        page = self.call(person, "GET", path, query=query).json
        assert page["total"] == len(page["data"])
        return sorted(one["id"] for one in page["data"])


def furnish(place: Place) -> Room:
    project = place.new_project("room")
    people = [place.new_person(project, name=name) for name in ("alice", "bob")]
    people.append(place.new_person(project, Role.ADMINISTRATOR, name="chief"))
    elsewhere = place.new_project("elsewhere")
    place.join(people[0], elsewhere, Role.ADMINISTRATOR)
    made = {one.user.id: [one.running(name="runs"), one.stopped(name="rests")] for one in people}
    return Room(place, *people, elsewhere, made)


@pytest.fixture(scope="module")
def room(place: Place) -> Room:
    return furnish(place)


def refusal(reply: Reply) -> tuple[int, str, str]:
    return (*reply.error, reply.message)


def test_members_list_their_own_only(room: Room) -> None:
    for person in (room.alice, room.bob):
        assert room.listed(person, "notebooks") == room.ids(person)
        for query in ({}, {"owner": person.user.id}, {"limit": 1}):
            reply = room.call(person, "GET", "notebooks/all", query=query)
            assert refusal(reply) == LIST_ALL_FORBIDDEN


def test_owner_has_no_effect_for_members(room: Room) -> None:
    for owner in (room.alice, room.bob, room.chief):
        assert room.listed(room.alice, "notebooks", owner=owner.user.id) == room.ids(room.alice)
    assert room.listed(room.alice, "notebooks", owner="0" * 32) == room.ids(room.alice)


def test_owner_narrows_for_administrators(room: Room) -> None:
    everybody = room.ids(room.alice, room.bob, room.chief)
    assert room.listed(room.chief, "notebooks") == room.ids(room.chief)
    assert room.listed(room.chief, "notebooks/all") == everybody
    for owner in (room.alice, room.bob, room.chief):
        for path in ("notebooks", "notebooks/all"):
            assert room.listed(room.chief, path, owner=owner.user.id) == room.ids(owner)
    assert room.listed(room.chief, "notebooks/all", owner="0" * 32) == []


def test_nothing_finds_a_notebook_of_somebody_else(room: Room) -> None:
    other = room.of(room.bob)[0]
    for query in (
        {"id": other["id"]},
        {"username": room.bob.user.name},
        {"workspace_id": "*", "feature": "*"},
        {"status": "RUNNING", "sort_key": "id"},
        {"username": "chief"},
    ):
        found = room.listed(room.alice, "notebooks", **query)
        assert set(found) <= set(room.ids(room.alice))


def every_call(notebook_id: str) -> list[tuple[str, str, Any]]:
    base = f"notebooks/{notebook_id}"
    return [
        ("GET", base, None),
        ("PUT", base, {"name": "taken"}),
        ("DELETE", base, None),
        ("POST", f"{base}/start", None),
        ("POST", f"{base}/stop", None),
        ("GET", f"{base}/lease", None),
        ("PATCH", f"{base}/lease", {"duration": HOUR}),
        ("GET", f"{base}/log", None),
    ]


def test_what_belongs_to_somebody_else_does_not_exist(room: Room) -> None:
    for other in (*room.of(room.bob), *room.of(room.chief)):
        for method, path, body in every_call(other["id"]):
            reply = room.call(room.alice, method, path, body=body)
            message = f"The instance {other['id']} does not exist."
            assert refusal(reply) == (404, "ModelArts.6404", message)
    for person in (room.bob, room.chief):
        for one in room.of(person):
            shown = person.show(one["id"])
            assert shown == {**one, "current_time": shown["current_time"]}


def test_what_is_in_another_project_does_not_exist(room: Room) -> None:
    """Not even for its administrator, nor for the owner, who comes in through the other project."""
    foreign = room.place.new_person(room.elsewhere, Role.ADMINISTRATOR)
    there = room.place.caller(room.alice.key.credentials, room.elsewhere.id)
    for caller in (foreign.key, there):
        for one in room.of(room.alice):
            for method, path, body in every_call(one["id"]):
                assert caller(method, path, body=body).error == (404, "ModelArts.6404")
        everything = caller("GET", "notebooks/all", query={"workspace_id": "*", "feature": "*"}).json
        assert (everything["total"], everything["data"]) == (0, [])


def without_access(notebook: dict[str, Any]) -> dict[str, Any]:
    hidden = {k: v for k, v in notebook.items() if k not in ("token", "url", "current_time")}
    return {**hidden, "endpoints": []}


def test_administrators_see_all_but_the_way_in(room: Room) -> None:
    for person in (room.alice, room.bob):
        for one in room.of(person):
            shown = room.call(room.chief, "GET", f"notebooks/{one['id']}").json
            del shown["current_time"]
            assert shown == without_access(one)
    page = room.call(room.chief, "GET", "notebooks/all").json
    seen = {one["id"]: one for one in page["data"]}
    for person in (room.alice, room.bob):
        for one in room.of(person):
            short = {k: v for k, v in one["image"].items() if k not in ("description", "tag")}
            assert seen[one["id"]] == {**without_access(one), "image": short}
    for one in room.of(room.chief):
        assert seen[one["id"]]["token"] == one["token"]
        assert seen[one["id"]].get("url") == one.get("url")
        assert seen[one["id"]]["endpoints"] == one["endpoints"]


def test_administrators_act_on_all(room: Room) -> None:
    notebook = room.alice.running(name="handled")
    base = f"notebooks/{notebook['id']}"
    chief = room.chief

    def act(method: str, path: str, **more: Any) -> dict[str, Any]:
        reply = chief.key(method, path, **more)
        assert reply.status == 200
        assert notebook["token"] not in reply.raw.decode()
        assert "token" not in reply.json
        assert "url" not in reply.json
        return reply.json

    assert act("GET", f"{base}/lease") == notebook["lease"]
    assert act("PATCH", f"{base}/lease", body={"duration": -1})["enable"] is False
    renamed = act("PUT", base, body={"name": "renamed"})
    assert (renamed["name"], renamed["user"], renamed["endpoints"]) == ("renamed", notebook["user"], [])
    assert act("POST", f"{base}/stop")["status"] == "STOPPING"
    room.alice.wait(notebook["id"], "STOPPED")
    started = act("POST", f"{base}/start")
    assert (started["status"], started["user_id"]) == ("STARTING", room.alice.user.id)
    again = room.alice.wait(notebook["id"])
    shown = chief.key("GET", base)
    assert again["token"] not in shown.raw.decode()
    assert act("DELETE", base)["status"] == "DELETING"
    assert room.alice.wait_until_gone(notebook["id"]).error == (404, "ModelArts.6404")


# The setting that reveals.


@pytest.fixture(scope="module", params=DATABASES)
def open_room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    directory = tmp_path_factory.mktemp("open")
    with opened(request, directory, request.param, NBFLEET_REVEAL_TO_ADMIN="true") as place:
        yield furnish(place)


def test_a_setting_reveals_to_administrators_and_to_nobody_else(open_room: Room) -> None:
    room = open_room
    for one in (*room.of(room.alice), *room.of(room.bob)):
        shown = room.chief.show(one["id"])
        assert shown == {**one, "current_time": shown["current_time"]}
    seen = {one["id"]: one for one in room.chief.key("GET", "notebooks/all").json["data"]}
    assert sorted(seen) == room.ids(room.alice, room.bob, room.chief)
    for person in (room.alice, room.bob, room.chief):
        for one in room.of(person):
            listed = seen[one["id"]]
            assert (listed["token"], listed.get("url")) == (one["token"], one.get("url"))
            assert listed["endpoints"] == one["endpoints"]
    assert room.listed(room.alice, "notebooks") == room.ids(room.alice)
    for other in (*room.of(room.bob), *room.of(room.chief)):
        for method, path, body in every_call(other["id"]):
            assert room.call(room.alice, method, path, body=body).error == (404, "ModelArts.6404")


# The operations of the table.

UNAVAILABLE = [operation for operation in OPERATIONS if operation.id not in HANDLERS]
VALUES = {
    "id": BUILT_IN_ID,
    "image_id": BUILT_IN_ID,
    "instance_id": BUILT_IN_ID,
    "resource_id": BUILT_IN_ID,
    "storage_id": BUILT_IN_ID,
    "workspace_id": "0",
    "pool_name": "a-pool-1",
    "cluster_id": "c",
    "feature": "NOTEBOOK",
}


def path_of(operation: Operation, project_id: str) -> str:
    return operation.path.format(project_id=project_id, **VALUES)


def may(role: Role, operation: Operation) -> bool:
    permission, actions = operation.permission, role.actions
    return not isinstance(permission, Action) or bool({permission.name, EVERY_ACTION} & actions)


@pytest.mark.parametrize("operation", UNAVAILABLE, ids=lambda operation: operation.id)
def test_what_is_not_available_says_so_to_those_who_may(room: Room, operation: Operation) -> None:
    for person, role in ((room.alice, Role.MEMBER), (room.chief, Role.ADMINISTRATOR)):
        reply = room.call(person, operation.method, path_of(operation, person.project.id))
        if may(role, operation):
            message = f"The operation {operation.id} is not available on this service."
            assert refusal(reply) == (501, "ModelArts.6361", message)
        else:
            assert isinstance(operation.permission, Action)
            name = operation.permission.name
            message = f"The caller does not have the permission {name}."
            assert refusal(reply) == (403, "ModelArts.0108", message)
    nobody = room.place.caller(None, room.alice.project.id)
    assert nobody(operation.method, path_of(operation, room.alice.project.id)).error[0] == 401


def test_the_table_of_what_members_may_not() -> None:
    """Written out, because the roles above decide what the test before expects."""
    forbidden = {operation.id for operation in OPERATIONS if not may(Role.MEMBER, operation)}
    assert forbidden == {
        *("ListAllNotebooks", "SyncImage", "UpdateImageGroup", "DeleteImageGroup", "CreateWorkspace"),
        *(
            "UpdateWorkspace",
            "DeleteWorkspace",
            "UpdateWorkspaceQuotas",
            "ListUsers",
            "ValidateAuthorization",
        ),
        *("FreezeNotebook", "UnfreezeNotebook", "ShowFleetHistory", "ShowCapacity"),
    }
    assert [operation.id for operation in OPERATIONS if not may(Role.ADMINISTRATOR, operation)] == []


def test_everybody_sees_sizes_and_images(room: Room) -> None:
    answers = [
        [
            room.call(person, "GET", path).json
            for path in ("notebooks/flavors", "images", f"images/{BUILT_IN_ID}")
        ]
        for person in (room.alice, room.bob, room.chief)
    ]
    assert answers[0] == answers[1] == answers[2]


def test_tokens_see_what_keys_see(room: Room) -> None:
    for person in (room.alice, room.chief):
        assert person.token("GET", "notebooks").json == person.key("GET", "notebooks").json
    assert room.chief.token("GET", "notebooks/all").json["total"] == 6

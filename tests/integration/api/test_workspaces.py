"""Workspaces over HTTP: what is answered, who is let in, and what is refused."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nbfleet.api.auth import REMEMBERED
from nbfleet.domain.access import Role
from support import shelves
from support.client import Answer, Caller
from support.hosted import Hosted
from support.make import T0

_numbers = itertools.count()
ID = re.compile(r"[0-9a-f]{32}")
FORBIDDEN = (403, "ModelArts.0108")
CLOSED = (403, "ModelArts.0112")
GONE = (400, "ModelArts.7005")
VALUE = (400, "ModelArts.6336")
CHARACTERS = (400, "ModelArts.6334")


def at(caller: Caller, rest: str = "") -> str:
    return f"/v1/{caller.project_id}/workspaces{rest}"


def name() -> str:
    return f"team-{next(_numbers)}"


def make(caller: Caller, **fields: Any) -> dict[str, Any]:
    answer = caller.request("POST", at(caller), None, {"name": name()} | fields)
    assert answer.status == 200, answer.raw
    return answer.json


def show(caller: Caller, workspace_id: str) -> Answer:
    return caller.request("GET", at(caller, f"/{workspace_id}"))


def change(caller: Caller, workspace_id: str, **fields: Any) -> Answer:
    return caller.request("PUT", at(caller, f"/{workspace_id}"), None, fields)


def remove(caller: Caller, workspace_id: str) -> Answer:
    return caller.request("DELETE", at(caller, f"/{workspace_id}"))


def listed(caller: Caller, **query: Any) -> dict[str, Any]:
    return caller.request("GET", at(caller), query).json


def names(caller: Caller, **query: Any) -> list[str]:
    return [one["name"] for one in listed(caller, **query)["workspaces"]]


def written(fleet: Any) -> list[Any]:
    rows = fleet.hosted.dump()
    return [rows[table] for table in ("workspaces", "workspace_grants", "quotas")]


def put(caller: Caller, workspace_id: str, **fields: Any) -> Answer:
    return caller.post("", caller.body(workspace_id=workspace_id, **fields))


def seen(caller: Caller, workspace_id: str, rest: str = "") -> list[str]:
    return [one["id"] for one in caller.get(rest, {"workspace_id": workspace_id}).json["data"]]


def test_a_workspace_is_made_shown_changed_and_deleted(fleet) -> None:
    admin, now = fleet.admin, fleet.hosted.clock.now
    made = make(admin, name="视觉-1", description="for vision")
    assert ID.fullmatch(made["id"])
    whole = {
        "id": made["id"],
        "name": "视觉-1",
        "description": "for vision",
        "owner": "admin",
        "create_time": now,
        "update_time": now,
        "auth_type": "PUBLIC",
        "enterprise_project_id": "0",
        "enterprise_project_name": "default",
        "status": "NORMAL",
        "status_info": "",
        "grants": [],
    }
    assert made == whole
    assert show(admin, made["id"]).json == show(fleet.alice, made["id"]).json == whole
    fleet.hosted.clock.advance(1)
    assert change(admin, made["id"], name="vision-2").json == {"workspace_id": made["id"]}
    assert show(admin, made["id"]).json == whole | {"name": "vision-2", "update_time": now + 1}
    change(admin, made["id"], description="", auth_type="private")
    assert show(admin, made["id"]).json == whole | {
        "name": "vision-2", "update_time": now + 1, "description": "", "auth_type": "private",
    }  # fmt: skip
    assert remove(admin, made["id"]).json == {"workspace_id": made["id"]}
    assert show(admin, made["id"]).refusal == GONE
    assert remove(admin, made["id"]).refusal == change(admin, made["id"], description="").refusal == GONE


def test_the_default_one_is_always_there(fleet) -> None:
    entry = show(fleet.alice, "0").json
    assert entry == {
        "id": "0",
        "name": "default",
        "description": "",
        "owner": "nbfleet",
        "create_time": T0,
        "update_time": T0,
        "auth_type": "PUBLIC",
        "enterprise_project_id": "0",
        "enterprise_project_name": "default",
        "status": "NORMAL",
        "status_info": "",
        "grants": [],
    }
    for answer, words in (
        (remove(fleet.admin, "0"), "be deleted"), (change(fleet.admin, "0", name="other"), "be renamed"),
    ):  # fmt: skip
        assert answer.refusal == (400, "ModelArts.7004")
        assert answer.message == f"The workspace 0 cannot {words}: it is the default one."
    assert change(fleet.admin, "0", name="default").refusal == CHARACTERS
    assert show(fleet.alice, "0").json == entry


def test_lists_filter_sort_and_page(fleet) -> None:
    admin = fleet.admin
    ids = {}
    for one in ("list-b", "list-A", "list-c"):
        ids[one] = make(admin, name=one)["id"]
        fleet.hosted.clock.advance(1)
    change(admin, ids["list-b"], description="x")
    assert names(admin, name="LIST-") == ["list-c", "list-b", "list-A"]
    assert names(admin, name="list-", order="asc") == ["list-A", "list-b", "list-c"]
    assert names(admin, name="list-", sort_by="update_time") == ["list-b", "list-c", "list-A"]
    assert names(admin, name="list-", sort_by="status", order="asc") == ["list-b", "list-A", "list-c"]
    page = listed(admin, name="list-", limit=1, offset=1)
    assert (page["total_count"], page["count"]) == (3, 1)
    assert [one["name"] for one in page["workspaces"]] == ["list-b"]
    assert "grants" not in page["workspaces"][0]
    assert listed(admin, name="list-", offset=3) == {"total_count": 3, "count": 0, "workspaces": []}
    assert names(admin, name="list-", enterprise_project_id="0", order="asc") == [
        "list-A",
        "list-b",
        "list-c",
    ]
    assert listed(admin, enterprise_project_id="1") == {"total_count": 0, "count": 0, "workspaces": []}
    assert "list-b" not in names(fleet.carol)


def test_only_those_whom_it_is_open_to_may_use_it(fleet) -> None:
    admin, alice, bob = fleet.admin, fleet.alice, fleet.bob
    open_to_all, private = make(admin)["id"], make(admin, auth_type="PRIVATE")["id"]
    internal = make(admin, auth_type="internal", grants=[{"user_name": "bob"}])["id"]
    for caller, allowed in (
        (admin, [open_to_all, private, internal]), (alice, [open_to_all]), (bob, [open_to_all, internal]),
    ):  # fmt: skip
        for one in (open_to_all, private, internal):
            answers = [
                show(caller, one),
                put(caller, one),
                caller.request("GET", at(caller, f"/{one}/quotas")),
            ]
            wanted = [200] * 3 if one in allowed else [403] * 3
            assert [answer.status for answer in answers] == wanted
            if one not in allowed:
                assert {answer.refusal for answer in answers} == {CLOSED}
                assert answers[0].message == f"The workspace {one} is not open to the caller."
        usable = {one["id"] for one in listed(caller, filter_accessible="true")["workspaces"]}
        assert usable & {open_to_all, private, internal} == set(allowed)
        everything = {one["id"] for one in listed(caller)["workspaces"]}
        assert {open_to_all, private, internal} <= everything
    grants = [{"user_id": bob.user_id, "user_name": "bob"}]
    assert show(bob, internal).json["grants"] == grants


def test_a_member_may_change_nothing(fleet) -> None:
    made = make(fleet.admin, auth_type="INTERNAL", grants=[{"user_id": fleet.alice.user_id}])["id"]
    before = written(fleet)
    calls = [
        ("POST", "", {"name": name()}),
        ("PUT", f"/{made}", {"description": "mine"}),
        ("DELETE", f"/{made}", None),
        ("GET", "/users/list", None),
        ("PUT", f"/{made}/quotas", {"quotas": [{"resource": "notebook.count", "quota": 1}]}),
        ("POST", f"/{made}/auth", {"requests": []}),
    ]
    for method, rest, body in calls:
        assert fleet.alice.request(method, at(fleet.alice, rest), None, body).refusal == FORBIDDEN
    assert written(fleet) == before


def test_what_is_in_a_workspace_goes_with_the_grant(fleet) -> None:
    admin, alice = fleet.admin, fleet.alice
    place = make(admin, auth_type="INTERNAL", grants=[{"user_name": "alice"}])["id"]
    made = alice.until(put(alice, place).json["id"], "RUNNING")["id"]
    elsewhere = alice.create()["id"]
    assert [seen(alice, place), seen(alice, place)] == [[made], [made]]
    assert made in seen(alice, "*")
    change(admin, place, grants=[])
    assert seen(alice, place) == []
    assert made not in seen(alice, "*")
    assert elsewhere in seen(alice, "*")
    assert alice.get(f"/{made}").refusal == (404, "ModelArts.6404")
    for method, rest in (("POST", "/stop"), ("DELETE", ""), ("PATCH", "/lease"), ("GET", "/log")):
        assert alice.request(method, alice.at(f"/{made}{rest}")).status == 404
    groups = alice.get("/count", {"by": "workspace"}).json["groups"]
    assert place not in {group["key"] for group in groups}
    assert made not in alice.get("/export").raw.decode()
    # An administrator of the project sees it all the same.
    assert seen(admin, place, "/all") == [made]
    change(admin, place, grants=[{"user_name": "alice"}])
    assert seen(alice, place) == [made]
    change(admin, place, auth_type="PRIVATE")
    assert seen(alice, place) == []
    # Who was named once is not named again by itself.
    change(admin, place, auth_type="INTERNAL")
    assert seen(alice, place) == []
    change(admin, place, auth_type="PUBLIC")
    assert seen(alice, place) == [made]


def test_a_grant_counts_at_once_where_a_notebook_is_made(fleet) -> None:
    place = make(fleet.admin, auth_type="INTERNAL", grants=[{"user_name": "bob"}])["id"]
    assert put(fleet.bob, place).status == 200
    change(fleet.admin, place, grants=[])
    assert put(fleet.bob, place).refusal == CLOSED


def test_an_unknown_workspace_is_told_and_lists_of_it_are_empty(fleet) -> None:
    unknown = "f" * 32
    foreign = make(fleet.admin)["id"]
    for caller, workspace in ((fleet.admin, unknown), (fleet.alice, unknown), (fleet.carol, foreign)):
        answers = [put(caller, workspace), show(caller, workspace)]
        assert {answer.refusal for answer in answers} == {GONE}
        assert answers[0].message == f"The workspace {workspace} does not exist."
        assert seen(caller, workspace) == []


def test_one_with_notebooks_is_not_deleted(fleet) -> None:
    place = make(fleet.admin)["id"]
    made = fleet.alice.until(put(fleet.alice, place).json["id"], "RUNNING")["id"]
    refused = remove(fleet.admin, place)
    assert refused.refusal == (400, "ModelArts.7004")
    assert refused.message == (
        f"The workspace {place} cannot be deleted: the number of instances that are still in it is 1."
    )
    assert show(fleet.alice, place).json["status"] == "NORMAL"
    fleet.alice.delete(f"/{made}")
    fleet.alice.gone(made)
    assert remove(fleet.admin, place).status == 200
    assert show(fleet.admin, place).refusal == put(fleet.alice, place).refusal == GONE
    assert place not in {one["id"] for one in listed(fleet.admin)["workspaces"]}
    deleted = fleet.admin.get("/all", {"workspace_id": "*", "status": "DELETED"}).json["data"]
    assert made in {one["id"] for one in deleted}


def register(fleet: Any, caller: Caller, workspace_id: str) -> Answer:
    path = f"localhost/team-a/{name()}:1"
    shelves.put(fleet.hosted.data_dir / "images", path)
    body = {"swr_path": path, "workspace_id": workspace_id}
    return caller.request("POST", f"/v1/{caller.project_id}/images", None, body)


def test_an_image_is_registered_in_an_open_workspace_only(fleet) -> None:
    place, closed = make(fleet.admin)["id"], make(fleet.admin, auth_type="PRIVATE")["id"]
    first = register(fleet, fleet.alice, place)
    assert (first.status, first.json["workspace_id"]) == (200, place)
    image = f"/v1/{fleet.alice.project_id}/images/{first.json['id']}"
    assert fleet.alice.request("DELETE", image).status == 200
    assert remove(fleet.admin, place).status == 200
    gone = register(fleet, fleet.alice, place)
    assert (gone.refusal, gone.message) == (GONE, f"The workspace {place} does not exist.")
    refused = register(fleet, fleet.alice, closed)
    assert (refused.refusal, refused.message) == (CLOSED, put(fleet.alice, closed).message)
    assert register(fleet, fleet.admin, closed).status == 200


def test_one_with_images_is_not_deleted(fleet) -> None:
    place = make(fleet.admin)["id"]
    made = [register(fleet, fleet.alice, place).json["id"] for _ in range(2)]
    for left in (2, 1):
        refused = remove(fleet.admin, place)
        assert refused.refusal == (400, "ModelArts.7004")
        assert refused.message == (
            f"The workspace {place} cannot be deleted: the number of images that are still in it is {left}."
        )
        image = f"/v1/{fleet.alice.project_id}/images/{made.pop()}"
        assert fleet.alice.request("GET", image).json["workspace_id"] == place
        assert fleet.alice.request("DELETE", image).status == 200
    assert remove(fleet.admin, place).status == 200
    assert show(fleet.alice, place).refusal == GONE


def test_users_that_can_be_named(fleet) -> None:
    found = fleet.admin.request("GET", at(fleet.admin, "/users/list")).json
    assert found["users"][:3] == [{"userName": one} for one in ("admin", "alice", "bob")]
    assert {"userName": "carol"} not in found["users"]


def test_who_is_disabled_stays_named_and_is_offered_no_more(fleet) -> None:
    erik = fleet.hosted.user("erik", "local")
    place = make(fleet.admin, auth_type="INTERNAL", grants=[{"user_name": "erik"}])["id"]
    fleet.hosted.disable(erik)
    named = [one["user_name"] for one in show(fleet.admin, place).json["grants"]]
    assert named == ["erik"]
    grants = [{"user_name": one} for one in ("erik", "bob")]
    assert change(fleet.admin, place, grants=grants).status == 200
    assert [one["user_name"] for one in show(fleet.admin, place).json["grants"]] == ["bob", "erik"]
    offered = fleet.admin.request("GET", at(fleet.admin, "/users/list")).json["users"]
    assert {"userName": "erik"} not in offered


def test_a_workspace_is_not_deleted_under_those_who_come_in(fleet) -> None:
    """Either it is gone and nobody got in, or somebody did and it stays."""
    body = fleet.alice.body()
    for _ in range(4):
        place = make(fleet.admin)["id"]
        wanted = body | {"workspace_id": place}
        acts = [partial(fleet.alice.post, "", wanted)] * 3
        acts.insert(1, partial(remove, fleet.admin, place))
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda act: act(), acts))
        deleted = answers.pop(1)
        got_in = [one.json["id"] for one in answers if one.status == 200]
        assert sorted(seen(fleet.admin, place, "/all")) == sorted(got_in)
        assert {one.refusal for one in answers if one.status != 200} <= {GONE}
        if got_in:
            assert deleted.refusal == (400, "ModelArts.7004")
        else:
            assert deleted.status == 200


@pytest.mark.parametrize("workspace", ["abc", "F" * 32, "-", "0" * 33])
def test_what_is_no_id_of_a_workspace(fleet, workspace: str) -> None:
    for answer in (show(fleet.admin, workspace), remove(fleet.admin, workspace), put(fleet.alice, workspace)):
        assert answer.status == 400
        assert "workspace_id" in answer.message


def test_who_left_the_project_is_named_no_more(fleet) -> None:
    dora = fleet.hosted.user("dora", "local")
    place = make(fleet.admin, auth_type="INTERNAL", grants=[{"user_name": "dora"}])["id"]
    fleet.hosted.leave(dora, "local")
    assert show(fleet.admin, place).json["grants"] == []


def test_permissions_are_checked(fleet) -> None:
    place = make(fleet.admin)["id"]
    asked = [
        {"action_id": "a1", "action": "modelarts:notebook:create", "resource": "*"},
        {"action": "modelarts:no:such", "service_attributes": {"k": "v"}},
    ]
    answer = fleet.admin.request("POST", at(fleet.admin, f"/{place}/auth"), None, {"requests": asked})
    assert answer.json == {
        "results": [
            {"action": "modelarts:notebook:create", "verdict": "allow", "action_id": "a1", "resource": "*",
             "cause": []},
            {"action": "modelarts:no:such", "verdict": "deny",
             "cause": [{"policy_name": "role administrator", "condition": []}]},
        ]
    }  # fmt: skip
    for body, refusal in (
        ({"requests": [{"resource": "*"}]}, (400, "ModelArts.6335")),
        ({"requests": asked * 51}, VALUE),
    ):
        assert fleet.admin.request("POST", at(fleet.admin, f"/{place}/auth"), None, body).refusal == refusal
    assert fleet.admin.request("POST", at(fleet.admin, "/0/auth"), None, {}).json == {"results": []}
    unknown = fleet.admin.request("POST", at(fleet.admin, f"/{'f' * 32}/auth"), None, {"requests": asked})
    assert unknown.refusal == GONE


GRANT = {"user_name": "alice"}


@pytest.mark.parametrize(
    ("body", "refusal", "words"),
    [
        ({}, (400, "ModelArts.6335"), "name"),
        ({"name": "abc"}, VALUE, "Chinese characters, 4 to 64 in all, and not default"),
        ({"name": "default"}, CHARACTERS, "name"),
        ({"name": "with space"}, CHARACTERS, "name"),
        ({"name": "n\0ame"}, CHARACTERS, "4 to 64 in all"),
        ({"name": "n" * 65}, VALUE, "4 to 64 in all"),
        ({"name": 7777}, (400, "ModelArts.6332"), "name"),
        ({"name": "good", "description": "d" * 257}, VALUE, "0 to 256 characters"),
        ({"name": "good", "auth_type": "Public"}, VALUE, "auth_type"),
        ({"name": "good", "enterprise_project_id": "1"}, VALUE,
         "The field enterprise_project_id is 1; allowed: 0."),
        ({"name": "good", "grants": [GRANT]}, VALUE,
         "The field grants is 1 users; allowed: none with auth_type PUBLIC."),
        ({"name": "good", "auth_type": "internal", "grants": [GRANT, {}]}, (400, "ModelArts.6335"),
         "The field grants[1].user_id is missing."),
        ({"name": "good", "auth_type": "internal", "grants": [{"user_id": "x", "user_name": "alice"}]}, VALUE,
         "The field grants[0].user_id is x; allowed: a user of the project."),
        ({"name": "good", "auth_type": "internal", "grants": [{"user_name": "carol"}]}, VALUE,
         "The field grants[0].user_name is carol; allowed: a user of the project."),
        ({"name": "good", "auth_type": "internal", "grants": [GRANT | {"user_type": "FEDERATE"}]}, VALUE,
         "The field grants[0].user_type is FEDERATE; allowed: IAM."),
        ({"name": "good", "auth_type": "internal", "grants": [GRANT] * 501}, VALUE, "grants"),
        ({"name": "good", "grants": {}}, (400, "ModelArts.6332"), "grants"),
        (b"[", (400, "ModelArts.6400"), "body"),
    ],
)  # fmt: skip
def test_what_cannot_be_made(fleet, body: Any, refusal: tuple[int, str], words: str) -> None:
    before = written(fleet)
    answer = fleet.admin.request("POST", at(fleet.admin), None, body)
    assert answer.refusal == refusal
    assert words in answer.message
    assert written(fleet) == before


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "offset=-1", "sort_by=owner", "order=DESC", "filter_accessible=maybe"],
)
def test_what_cannot_be_listed(fleet, query: str) -> None:
    answer = fleet.admin.request("GET", at(fleet.admin), query)
    assert (answer.status, answer.json.get("error_code")) == (400, "ModelArts.0107")


def test_a_project_has_room_for_so_many(tmp_path: Path) -> None:
    hosted = Hosted(tmp_path, f"sqlite:///{tmp_path}/test.db", {"workspaces": 2}).start()
    try:
        admin = hosted.administrator()
        made = make(admin)["id"]
        refused = admin.request("POST", at(admin), None, {"name": name()})
        assert refused.refusal == (400, "ModelArts.7006")
        assert refused.message == "The project has 2 workspaces already, as many as it may have."
        remove(admin, made)
        assert make(admin)["status"] == "NORMAL"
    finally:
        hosted.stop()


def test_an_administrator_who_became_a_member_keeps_what_it_made(fleet) -> None:
    chief = fleet.hosted.user("chief", "local", Role.ADMINISTRATOR)
    own, others = make(chief, auth_type="PRIVATE")["id"], make(fleet.admin, auth_type="PRIVATE")["id"]
    assert show(chief, others).status == 200
    fleet.hosted.leave(chief, "local", Role.MEMBER)
    fleet.hosted.clock.advance(REMEMBERED)
    assert [show(chief, own).status, show(chief, others).refusal] == [200, CLOSED]

"""Tags over HTTP: setting and removing, what refuses them, which are in use, and the clients' own ways."""

from typing import Any

import pytest
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import (
    CreateNotebookTagsRequest,
    CreateTmsTagsRequest,
    DeleteNotebookTagsRequest,
    DeleteTmsTagsRequest,
    ListNotebooksRequest,
    ShowNotebookTagsRequest,
    TmsTag,
    TmsTagForDeletion,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from nbfleet.domain.access import Role
from nbfleet.domain.lifecycle import Status
from nbfleet.store import schema
from nbfleet.store.codes import STATUS
from nbfleet.store.database import Connection
from support import sdk
from support.client import Answer, Caller
from support.hosted import HANGS, STAYS
from support.people import Person

UNKNOWN = "00000000-0000-4000-8000-000000000000"
LAB = "1" * 32
KEYS = ("team", "Team", "团队", "a b", "_")
VALUES = ("vision", "", "1/2", "视觉")


def put(caller: Caller, notebook_id: str, query: Any = None, **tags: str) -> Answer:
    body = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
    return caller.post(f"/{notebook_id}/tags/create", body, query)


def remove(caller: Caller, notebook_id: str, *keys: str, query: Any = None) -> Answer:
    return caller.delete(f"/{notebook_id}/tags/delete", {"tags": [{"key": key} for key in keys]}, query)


def tags_of(caller: Caller, notebook_id: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in caller.get(f"/{notebook_id}").json["tags"]}


def in_use(caller: Caller, query: Any = None) -> dict[str, list[str]]:
    return {one["key"]: one["values"] for one in caller.get("/tags", query).json["tags"]}


def audited(fleet, notebook_id: str) -> list[tuple[Any, ...]]:
    a = schema.audit.c

    def read(connection: Connection) -> list[tuple[Any, ...]]:
        query = select(a.event, a.actor, a.before, a.after).where(a.notebook_id == notebook_id)
        return [tuple(row) for row in connection.execute(query.order_by(a.no))]

    return fleet.hosted.database.read_now(read)


def with_workspace(fleet, project_id: str) -> None:
    def write(connection: Connection) -> None:
        number = connection.execute(
            select(schema.projects.c.no).where(schema.projects.c.id == project_id)
        ).scalar_one()
        values = {"project_no": number, "id": LAB, "name": "lab-1"}
        connection.execute(insert(schema.workspaces).values(**values))

    fleet.hosted.database.write_now(write)


def test_what_is_set_is_shown_listed_and_found(fleet) -> None:
    alice = fleet.alice
    made = alice.running(name="tagged")
    then = fleet.hosted.clock.advance(1000)
    answer = put(alice, made["id"], team="vision", stage="dev")
    assert (answer.status, answer.raw, answer.headers.get("content-length")) == (204, b"", None)
    assert tags_of(alice, made["id"]) == {"stage": "dev", "team": "vision"}
    listed = alice.get("", {"tags": "team|vision,stage"}).json["data"]
    assert [(one["id"], one["tags"], one["update_at"]) for one in listed] == [
        (made["id"], [{"key": "stage", "value": "dev"}, {"key": "team", "value": "vision"}], then)
    ]
    assert audited(fleet, made["id"])[-1] == ("tag", alice.user_id, "RUNNING", "RUNNING")

    assert remove(alice, made["id"], "stage", "unknown").status == 204
    assert tags_of(alice, made["id"]) == {"team": "vision"}
    assert alice.get("", {"tags": "stage"}).json["total"] == 0
    assert audited(fleet, made["id"])[-1] == ("untag", alice.user_id, "RUNNING", "RUNNING")


def test_doing_it_again_changes_nothing(fleet) -> None:
    alice = fleet.alice
    made = alice.running(name="again")
    put(alice, made["id"], team="vision")
    shown, rows = alice.get(f"/{made['id']}").json, audited(fleet, made["id"])
    fleet.hosted.clock.advance(1000)
    assert put(alice, made["id"], team="vision").status == 204
    assert remove(alice, made["id"], "never there").status == 204
    assert alice.get(f"/{made['id']}").json == shown | {"current_time": fleet.hosted.clock.now}
    assert audited(fleet, made["id"]) == rows


def test_a_notebook_can_have_tags_from_the_start(fleet) -> None:
    made = fleet.alice.create(tags=[{"key": "b", "value": "2"}, {"key": "a"}])
    assert made["tags"] == [{"key": "a", "value": ""}, {"key": "b", "value": "2"}]
    assert fleet.alice.get("", {"tags": "b|2", "id": made["id"]}).json["total"] == 1


STEPS = st.lists(
    st.tuples(st.just("set"), st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), min_size=1))
    | st.tuples(st.just("remove"), st.lists(st.sampled_from(KEYS), min_size=1, unique=True)),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_steps_end_where_a_dictionary_ends(fleet, one_notebook: str, steps: Any) -> None:
    alice, model = fleet.alice, {}
    assert remove(alice, one_notebook, *KEYS).status == 204
    for verb, what in steps:
        if verb == "set":
            model |= what
            assert put(alice, one_notebook, **what).status == 204
        else:
            model = {key: value for key, value in model.items() if key not in what}
            assert remove(alice, one_notebook, *what).status == 204
        assert list(tags_of(alice, one_notebook).items()) == sorted(model.items())
    found = {
        key: alice.get("", {"id": one_notebook, "tags": f"{key}|{value}"}).json["total"]
        for key in KEYS
        for value in VALUES[:1]
    }
    assert found == {key: int(model.get(key) == VALUES[0]) for key in KEYS}


@pytest.fixture(scope="module")
def one_notebook(fleet) -> str:
    return fleet.alice.running(name="model")["id"]


BAD = [
    ([], "6336", "tags is []"),
    ([{"value": "x"}], "6335", "tags[0].key is missing"),
    ([{"key": ""}], "6336", "tags[0].key is "),
    ([{"key": " a"}], "6336", "tags[0].key is  a"),
    ([{"key": "_sys_a"}], "6336", "tags[0].key is _sys_a"),
    ([{"key": "a"}, {"key": "a/b"}], "6336", "tags[1].key is a/b"),
    ([{"key": "a#b"}], "6336", "tags[0].key is a#b"),
    ([{"key": "x" * 129}], "6336", "tags[0].key is xxx"),
    ([{"key": "a", "value": "x" * 256}], "6336", "tags[0].value is xxx"),
    ([{"key": "a", "value": "x,y"}], "6336", "tags[0].value is x,y"),
    ([{"key": "a", "value": 5}], "6332", "tags[0].value is 5"),
    ([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "6336", "tags[1].key is a"),
    ([{"key": f"k{n}"} for n in range(21)], "6336", "tags is "),
]


@pytest.mark.parametrize(("tags", "code", "message"), BAD)
def test_bad_tags_are_refused_by_name(fleet, one_notebook: str, tags: Any, code: str, message: str) -> None:
    before = tags_of(fleet.alice, one_notebook)
    answer = fleet.alice.post(f"/{one_notebook}/tags/create", {"tags": tags})
    assert answer.refusal == (400, f"ModelArts.{code}")
    assert message in answer.message
    assert tags_of(fleet.alice, one_notebook) == before
    if tags:
        created = fleet.alice.post("", fleet.alice.body(tags=tags))
        assert (created.refusal, message in created.message) == (answer.refusal, True)


def test_twenty_tags_are_the_most(fleet) -> None:
    made = fleet.alice.running(name="many")
    assert put(fleet.alice, made["id"], **{f"k{n:02}": "" for n in range(19)}).status == 204
    assert put(fleet.alice, made["id"], k00="new", k19="").status == 204
    refused = put(fleet.alice, made["id"], one_more="")
    assert refused.refusal == (400, "ModelArts.0118")
    assert refused.message == "The instance would have 21 tags; it may have at most 20."
    assert len(tags_of(fleet.alice, made["id"])) == 20


def test_only_a_deletion_that_goes_on_or_is_done_refuses_tags(fleet) -> None:
    alice = fleet.alice
    for notebook in (alice.create(flavor=HANGS), alice.stopped(), alice.failed()):
        assert put(alice, notebook["id"], a="b").status == 204
        assert tags_of(alice, notebook["id"]) == {"a": "b"}
    kept = alice.running(flavor=STAYS)
    alice.delete(f"/{kept['id']}")
    alice.until(kept["id"], "DELETE_FAILED")
    assert put(alice, kept["id"], a="b").status == 204
    gone = alice.running()["id"]
    alice.delete(f"/{gone}")
    alice.gone(gone)
    assert put(alice, gone, a="b").refusal == (404, "ModelArts.6404")
    assert remove(alice, gone, "a").refusal == (404, "ModelArts.6404")


def test_a_deletion_that_goes_on_refuses_tags(fleet) -> None:
    made = fleet.alice.stopped()["id"]

    def deleting(connection: Connection) -> None:
        n, i = schema.notebooks.c, schema.instances.c
        rid = connection.execute(select(n.rid).where(n.id == made)).scalar_one()
        values = {"wanted": "DELETED", "due_at": None}
        connection.execute(update(schema.instances).where(i.rid == rid).values(**values))
        connection.execute(
            update(schema.notebooks).where(n.rid == rid).values(status=STATUS[Status.DELETING])
        )

    fleet.hosted.database.write_now(deleting)
    refused = put(fleet.alice, made, a="b")
    assert refused.refusal == (400, "ModelArts.6357")
    assert refused.message == f"The instance {made} is DELETING and cannot change its tags now."
    assert remove(fleet.alice, made, "a").refusal == (400, "ModelArts.6357")


def test_whose_notebook_it_is(fleet) -> None:
    made = fleet.alice.running(name="mine")
    assert put(fleet.bob, made["id"], a="b").refusal == (404, "ModelArts.6404")
    assert put(fleet.carol, made["id"], a="b").refusal == (404, "ModelArts.6404")
    assert remove(fleet.bob, made["id"], "a").refusal == (404, "ModelArts.6404")
    assert put(fleet.alice, UNKNOWN, a="b").refusal == (404, "ModelArts.6404")
    assert put(fleet.admin, made["id"], a="b").status == 204
    assert tags_of(fleet.alice, made["id"]) == {"a": "b"}


def test_a_workspace_that_is_named_must_be_its_own(fleet) -> None:
    made = fleet.alice.running(name="placed")
    assert put(fleet.alice, made["id"], {"workspace_id": LAB}, a="b").refusal == (404, "ModelArts.6404")
    assert put(fleet.alice, made["id"], {"workspace_id": "0"}, a="b").status == 204
    assert remove(fleet.alice, made["id"], "a", query={"workspace_id": LAB}).refusal[0] == 404
    assert tags_of(fleet.alice, made["id"]) == {"a": "b"}


def test_tags_in_use_are_those_of_notebooks_that_the_caller_sees(fleet) -> None:
    with_workspace(fleet, fleet.carol.project_id)
    hosted = fleet.hosted
    dora, erin = hosted.user("dora", "lab"), hosted.user("erin", "lab")
    chief = hosted.user("chief", "lab", Role.ADMINISTRATOR)
    dora.running(tags=[{"key": "team", "value": "b"}, {"key": "x"}])
    dora.running(tags=[{"key": "team", "value": "a"}], workspace_id=LAB)
    erin.running(tags=[{"key": "team", "value": "c"}])
    gone = erin.running(tags=[{"key": "gone"}])["id"]
    erin.delete(f"/{gone}")
    erin.gone(gone)
    assert in_use(chief) == {"team": ["a", "b", "c"], "x": [""]}
    assert in_use(chief, {"workspace_id": "*"}) == in_use(chief)
    assert in_use(chief, {"workspace_id": LAB}) == {"team": ["a"]}
    assert in_use(chief, {"workspace_id": "0"}) == {"team": ["b", "c"], "x": [""]}
    assert in_use(dora) == {"team": ["a", "b"], "x": [""]}
    assert in_use(erin) == {"team": ["c"]}
    assert in_use(fleet.carol) == {}
    assert in_use(chief, {"workspace_id": "9" * 32}) == {}


def test_the_official_sdk(member: Person, admin: Person) -> None:
    client = sdk.client_of(member.place.service, member.access_key, member.secret_key, member.project.id)
    made = sdk.create(client, name="by-sdk")
    sdk.wait_until(client, made.id, "RUNNING")
    body = CreateTmsTagsRequest(tags=[TmsTag(key="stage", value="dev"), TmsTag(key="owner@x", value="a/b")])
    set_ = client.create_notebook_tags(CreateNotebookTagsRequest(resource_id=made.id, body=body))
    assert set_.status_code == 204
    shown = sdk.show(client, made.id)
    assert [(tag.key, tag.value) for tag in shown.tags] == [("owner@x", "a/b"), ("stage", "dev")]
    found = client.list_notebooks(ListNotebooksRequest(tags="stage|dev"))
    assert [one.id for one in found.data] == [made.id]
    used = client.show_notebook_tags(ShowNotebookTagsRequest())
    assert [(one.key, one.values) for one in used.tags] == [("owner@x", ["a/b"]), ("stage", ["dev"])]
    gone = DeleteTmsTagsRequest(tags=[TmsTagForDeletion(key="stage"), TmsTagForDeletion(key="x", value="y")])
    deleted = client.delete_notebook_tags(DeleteNotebookTagsRequest(resource_id=made.id, body=gone))
    assert deleted.status_code == 204
    assert [tag.key for tag in sdk.show(client, made.id).tags] == ["owner@x"]
    with pytest.raises(exceptions.ClientRequestException) as refused:
        client.create_notebook_tags(
            CreateNotebookTagsRequest(
                resource_id=made.id, body=CreateTmsTagsRequest(tags=[TmsTag(key="_sys_x")])
            )
        )
    assert (refused.value.status_code, refused.value.error_code) == (400, "ModelArts.6336")


def test_the_calls_of_terraform_in_their_order(member: Person) -> None:
    """Create, wait, tags; on a change first the old ones go, then the new ones come; then what is read."""
    call = member.key
    notebook_id = member.create(name="tf", duration=-1)["id"]
    member.wait(notebook_id)
    at = f"notebooks/{notebook_id}/tags"
    first = [{"key": "foo", "value": "bar"}, {"key": "key", "value": "value"}]
    assert call("POST", f"{at}/create", body={"tags": first}).status == 204
    assert member.show(notebook_id)["tags"] == first
    assert call("DELETE", f"{at}/delete", body={"tags": first}).status == 204
    second = [{"key": "foo", "value": "new"}]
    assert call("POST", f"{at}/create", body={"tags": second}).status == 204
    assert member.show(notebook_id)["tags"] == second

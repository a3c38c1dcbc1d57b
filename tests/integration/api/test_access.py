"""Who reaches what: members, administrators, several projects, and everybody that is cut off."""

from typing import Any

import pytest

from nbfleet.domain.access import Role
from nbfleet.store import identity
from support.client import Caller
from support.hosted import PASSWORD, Hosted

LIST_ALL = "The caller does not have the permission modelarts:notebook:listAllNotebooks."
SECRETS = ("token", "url")


@pytest.fixture(scope="module")
def owned(fleet) -> dict[str, str]:
    """One running notebook of each user."""
    callers = {"admin": fleet.admin, "alice": fleet.alice, "bob": fleet.bob, "carol": fleet.carol}
    return {name: caller.running(name=f"of-{name}")["id"] for name, caller in callers.items()}


def listed(caller: Caller, rest: str = "", **query: str) -> set[str]:
    page = caller.get(rest, {"limit": 1000, **query}).json
    assert page["total"] == len(page["data"])
    return {one["id"] for one in page["data"]}


def test_members_list_their_own_and_administrators_everybody(fleet, owned: dict[str, str]) -> None:
    assert listed(fleet.alice) == {owned["alice"]}
    assert listed(fleet.bob) == {owned["bob"]}
    assert listed(fleet.admin) == {owned["admin"]}
    assert listed(fleet.admin, "/all") == {owned["admin"], owned["alice"], owned["bob"]}
    assert listed(fleet.carol) == {owned["carol"]}


def test_a_member_may_not_list_everybody(fleet, owned: dict[str, str]) -> None:
    for query in ({}, {"owner": fleet.alice.user_id}, {"limit": "nonsense"}):
        answer = fleet.alice.get("/all", query)
        assert (answer.refusal, answer.message) == ((403, "ModelArts.0108"), LIST_ALL)


def test_the_parameter_owner_has_effect_for_administrators_only(fleet, owned: dict[str, str]) -> None:
    bob = fleet.bob.user_id
    assert listed(fleet.alice, owner=bob) == {owned["alice"]}
    assert listed(fleet.admin, owner=bob) == {owned["bob"]}
    assert listed(fleet.admin, "/all", owner=bob) == {owned["bob"]}
    assert listed(fleet.admin, "/all", owner="e" * 32) == set()
    assert listed(fleet.admin, "/all", owner=fleet.carol.user_id) == set()


ACTIONS: dict[str, Any] = {
    "show": lambda caller, at: caller.get(at),
    "lease": lambda caller, at: caller.get(f"{at}/lease"),
    "update": lambda caller, at: caller.put(at, {"name": "taken"}),
    "renew": lambda caller, at: caller.patch(f"{at}/lease"),
    "start": lambda caller, at: caller.post(f"{at}/start"),
    "stop": lambda caller, at: caller.post(f"{at}/stop"),
    "delete": lambda caller, at: caller.delete(at),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_what_belongs_to_somebody_else_does_not_exist(fleet, owned: dict[str, str], action: str) -> None:
    before = fleet.hosted.dump()["audit"]
    for other in ("bob", "admin", "carol"):
        answer = ACTIONS[action](fleet.alice, f"/{owned[other]}")
        assert answer.refusal == (404, "ModelArts.6404")
        assert answer.message == f"The instance {owned[other]} does not exist."
    assert fleet.hosted.dump()["audit"] == before


def test_a_notebook_of_another_project_does_not_exist_for_an_administrator(
    fleet, owned: dict[str, str]
) -> None:
    assert fleet.admin.get(f"/{owned['carol']}").refusal == (404, "ModelArts.6404")


def test_an_administrator_acts_and_sees_no_secret(fleet) -> None:
    one = fleet.alice.running(name="acted-on")
    at = f"/{one['id']}"
    admin = fleet.admin
    answers = [
        admin.get(at).json,
        admin.get("/all", {"name": "acted-on"}).json["data"][0],
        admin.put(at, {"name": "renamed"}).json,
        admin.post(f"{at}/stop").json,
    ]
    fleet.alice.until(one["id"], "STOPPED")
    answers.append(admin.post(f"{at}/start").json)
    fleet.alice.until(one["id"], "RUNNING")
    answers += [admin.get(at).json, admin.delete(at).json]
    for answer in answers:
        assert not set(SECRETS) & set(answer)
        assert (answer["endpoints"], answer["user"]["name"]) == ([], "alice")
    assert one["token"] not in str(answers)
    actors = {(row[5], row[4]) for row in fleet.hosted.dump()["audit"] if row[3] == one["id"]}
    assert ("update", admin.user_id) in actors
    assert ("create", fleet.alice.user_id) in actors


def test_only_the_owner_is_told_token_and_address_in_lists(fleet, owned: dict[str, str]) -> None:
    data = fleet.admin.get("/all", {"limit": 1000}).json["data"]
    told = {one["id"]: set(SECRETS) & set(one) for one in data}
    assert told[owned["admin"]] == set(SECRETS)
    assert told[owned["alice"]] == told[owned["bob"]] == set()


def test_a_setting_reveals_them_to_administrators(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("revealing")
    hosted = Hosted(directory, f"sqlite:///{directory}/test.db", {"reveal_to_admin": True}).start()
    request.addfinalizer(hosted.stop)
    alice, bob = hosted.user("alice", "local"), hosted.user("bob", "local")
    one = alice.running()
    shown = hosted.administrator().get(f"/{one['id']}").json
    assert shown == one
    row = hosted.administrator().get("/all").json["data"][0]
    assert {key: row[key] for key in (*SECRETS, "endpoints")} == {
        key: one[key] for key in (*SECRETS, "endpoints")
    }
    assert bob.get(f"/{one['id']}").refusal == (404, "ModelArts.6404")


# Projects.


def in_project(caller: Caller, project_id: str) -> Caller:
    return Caller(**{**vars(caller), "project_id": project_id})


def test_a_foreign_project_is_not_entered(fleet) -> None:
    for project in (fleet.carol.project_id, "0" * 32):
        foreign = in_project(fleet.alice, project)
        for answer in (foreign.get(), foreign.post("", {}), foreign.get("/flavors")):
            assert answer.refusal == (403, "ModelArts.0210")
            assert answer.message == f"The credentials are not valid for the project {project}."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("%7Bproject_id%7D", "{project_id}"),
        ("a_b", "a_b"),
        ("a%2Fb", "a/b"),
        ("x" * 65, "x" * 65),
        ("%00", "\\x00"),
    ],
)
def test_a_malformed_project_id(fleet, given: str, said: str) -> None:
    answer = fleet.alice.request("GET", f"/v1/{given}/notebooks")
    assert answer.refusal == (400, "ModelArts.0210")
    assert answer.message == f"{said} is not a project id."


def test_a_member_of_two_projects_sees_each_apart(fleet) -> None:
    both = fleet.hosted.user("both", "local")
    lab = fleet.carol.project_id

    def join(connection) -> None:
        user, project = identity.user(connection, name="both"), identity.project(connection, id=lab)
        identity.set_role(connection, user.no, project.no, Role.MEMBER)

    fleet.hosted.database.write_now(join)
    there = in_project(both, lab)
    here_id, there_id = both.running()["id"], there.running()["id"]
    assert (listed(both), listed(there)) == ({here_id}, {there_id})
    assert both.get(f"/{there_id}").refusal == (404, "ModelArts.6404")
    # A token is good for its project only.
    token = there.log_in(PASSWORD).headers["x-subject-token"]
    assert listed(there.with_token(token)) == {there_id}
    assert both.with_token(token).get().refusal == (403, "ModelArts.0210")
    names = [
        {project["name"] for project in caller.request("GET", "/v3/projects").json["projects"]}
        for caller in (both, fleet.alice, fleet.carol)
    ]
    assert names == [{"local", "lab"}, {"local"}, {"lab"}]


# Cut off. What was proved is remembered for three seconds at most.


def change(fleet, what, name: str, value: bool) -> None:
    def write(connection) -> None:
        found = getattr(identity, what[0])(connection, name=name)
        what[1](connection, found.no, value)

    fleet.hosted.database.write_now(write)


def test_a_disabled_user_is_cut_off_within_five_seconds(fleet) -> None:
    dave = fleet.hosted.user("dave", "local")
    by_token = dave.with_token(dave.log_in(PASSWORD).headers["x-subject-token"])
    assert [one.get().status for one in (dave, by_token)] == [200, 200]
    change(fleet, ("user", identity.enable_user), "dave", False)
    fleet.hosted.clock.advance(5000)
    assert dave.get().refusal == (401, "APIGW.0301")
    assert by_token.get().refusal == (401, "ModelArts.0203")
    assert dave.log_in(PASSWORD).refusal == (401, "APIGW.0301")
    change(fleet, ("user", identity.enable_user), "dave", True)
    assert dave.get().status == 200
    assert by_token.get().refusal == (401, "ModelArts.0203")


def test_a_disabled_project_is_cut_off_within_five_seconds(fleet) -> None:
    fleet.hosted.project("closing")
    erin = fleet.hosted.user("erin", "closing")
    by_token = erin.with_token(erin.log_in(PASSWORD).headers["x-subject-token"])
    assert [one.get().status for one in (erin, by_token)] == [200, 200]
    change(fleet, ("project", identity.enable_project), "closing", False)
    fleet.hosted.clock.advance(5000)
    assert [one.get().refusal for one in (erin, by_token)] == [(403, "ModelArts.0210")] * 2


def test_a_disabled_key_is_cut_off_within_five_seconds(fleet) -> None:
    frank = fleet.hosted.user("frank", "local")
    assert frank.get().status == 200

    def disable(connection) -> None:
        identity.enable_key(connection, frank.access_key, False)

    fleet.hosted.database.write_now(disable)
    fleet.hosted.clock.advance(5000)
    assert frank.get().refusal == (401, "APIGW.0301")
    assert frank.log_in(PASSWORD).status == 201

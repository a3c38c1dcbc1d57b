"""Roles that an administrator made, over HTTP: they give what they name, and nothing more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbfleet.domain.access import ACT_ON_ALL, LIST_ALL, MEMBER_ACTIONS, Role
from nbfleet.services import roles
from nbfleet.services.identity import Refused
from nbfleet.store import roles as stored
from support.client import Caller
from support.hosted import Hosted
from support.people import DATABASES

STOP = "modelarts:notebook:stop"


@pytest.fixture(params=DATABASES)
def hosted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosted]:
    sqlite = f"sqlite:///{tmp_path}/test.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    started = Hosted(tmp_path, url).start()
    yield started
    started.stop()


def with_role(hosted: Hosted, name: str, *actions: str) -> Caller:
    made = hosted.database.write_now(roles.add, name, actions)
    return hosted.user(f"{name}-person", "local", made)


def change(hosted: Hosted, name: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    hosted.database.write_now(roles.change, name, add, remove)
    hosted.clock.advance(5000)


def test_an_auditor_sees_everybody_and_changes_nothing(hosted: Hosted) -> None:
    alice = hosted.user("alice", "local")
    one, body = alice.running(name="of-alice")["id"], alice.body()
    auditor = with_role(hosted, "auditor", LIST_ALL, "modelarts:notebook:list", "modelarts:notebook:get")
    assert [found["id"] for found in auditor.get("/all").json["data"]] == [one]
    shown = auditor.get(f"/{one}")
    assert (shown.status, "token" in shown.json, "url" in shown.json) == (200, False, False)
    stop = auditor.post(f"/{one}/stop")
    assert (stop.refusal, stop.message) == (
        (403, "ModelArts.0108"), f"The caller does not have the permission {STOP}."
    )  # fmt: skip
    assert auditor.post("", body).refusal == (403, "ModelArts.0108")
    # With the action it could stop its own, but it has none: those of others take one more.
    change(hosted, "auditor", add=(STOP,))
    assert auditor.post(f"/{one}/stop").refusal == (403, "ModelArts.0108")
    change(hosted, "auditor", add=(ACT_ON_ALL,))
    assert auditor.post(f"/{one}/stop").status == 200
    assert alice.until(one, "STOPPED")["status"] == "STOPPED"
    change(hosted, "auditor", remove=(LIST_ALL,))
    assert auditor.get("/all").refusal == (403, "ModelArts.0108")


def test_a_role_is_told_by_name_in_a_token_and_gives_no_right_once_it_is_gone(hosted: Hosted) -> None:
    one = with_role(hosted, "reader", "modelarts:notebook:list")
    assert one.get().status == 200
    hosted.database.write_now(stored.remove, "reader")
    hosted.clock.advance(5000)
    assert one.get().refusal == (403, "ModelArts.0210")


def test_what_cannot_be_a_role(hosted: Hosted) -> None:
    hosted.database.write_now(roles.add, "own", ["modelarts:notebook:list"])

    def refused(fn, *arguments) -> str:
        with pytest.raises(Refused) as refusal:
            hosted.database.write_now(fn, *arguments)
        return str(refusal.value)

    words = "cannot be the name of a role: use lower-case letters, digits and hyphens."
    assert refused(roles.add, "Own", [STOP]) == f"Own {words}"
    assert refused(roles.add, "none", [STOP]) == f"none {words}"
    assert refused(roles.add, "own", [STOP]) == "There is a role own already."
    assert refused(roles.add, "member", [STOP]) == "There is a role member already."
    assert refused(roles.add, "new", []) == "The role new would have no action; give one at least."
    assert refused(roles.add, "new", ["modelarts:notebook:stopp"]) == (
        f"There is no action modelarts:notebook:stopp; did you mean {STOP}?"
    )
    assert refused(roles.change, "member", [STOP], []) == (
        "The role member is built in; add one of your own."
    )
    assert refused(roles.change, "own", [], [STOP]) == f"The role own has no action {STOP}."
    assert refused(roles.remove, "administrator") == (
        "The role administrator is built in; add one of your own."
    )
    assert refused(roles.remove, "missing") == (
        "There is no role missing; there are administrator, member, own."
    )
    hosted.user("somebody", "local", Role("own", frozenset()))
    assert refused(roles.remove, "own") == ("1 memberships are of the role own; give them another one first.")
    assert hosted.database.read_now(stored.every) == [
        Role.ADMINISTRATOR, Role.MEMBER, Role("own", frozenset({"modelarts:notebook:list"}))
    ]  # fmt: skip


def test_every_action_of_the_operations_can_be_given() -> None:
    known = roles.operations_of_actions()
    assert (MEMBER_ACTIONS | {LIST_ALL, ACT_ON_ALL}) - set(known) == set()
    assert known[LIST_ALL] == ["ListAllNotebooks", "ShowFleetHistory", "ShowCapacity"]
    assert known[STOP] == ["StopNotebook"]

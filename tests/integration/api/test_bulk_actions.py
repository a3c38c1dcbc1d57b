"""Actions on many notebooks over the API: whole answers, whose they are, and what is refused."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from nbfleet.domain.access import ACT_ON_ALL, LIST_ALL, Role
from nbfleet.domain.bulk import Shown
from nbfleet.services import roles
from nbfleet.wire.bulk import NotebookActionRequest
from support.client import Answer, Caller
from support.service import wait_for

HOUR = 3_600_000
EVERYWHERE = {"feature": "NOTEBOOK", "workspace_id": "0"}  # What a query says that says nothing.
NONE = {"pending": 0, "done": 0, "skipped": 0, "failed": 0, "cancelled": 0}
WRONG, MISSING, QUERY = (400, "ModelArts.6336"), (400, "ModelArts.6335"), (400, "ModelArts.0107")
HIDDEN, FORBIDDEN = (404, "ModelArts.6404"), (403, "ModelArts.0108")
_numbers = itertools.count(1)


def member(fleet: Any, role: Role = Role.MEMBER) -> Caller:
    """Somebody new, who has nothing yet."""
    return fleet.hosted.user(f"bulk-{next(_numbers)}", "local", role)


def role_of(fleet: Any, *actions: str) -> Role:
    return fleet.hosted.database.write_now(roles.add, f"bulk-role-{next(_numbers)}", actions)


def asked(caller: Caller, rest: str = "", **body: Any) -> Any:
    answer = caller.post(f"/actions{rest}", body)
    assert answer.status == 200, answer.raw
    return answer.json


def got(caller: Caller, rest: str = "", **query: Any) -> Any:
    answer = caller.get(f"/actions{rest}", query)
    assert answer.status == 200, answer.raw
    return answer.json


def refused(answer: Answer) -> tuple[tuple[int, str], str]:
    return answer.refusal, answer.message


def ended(caller: Caller, action_id: str) -> Any:
    def look() -> Any:
        shown = got(caller, f"/{action_id}")
        return shown if "end_at" in shown else None

    return wait_for("the action to end", look, 10, 0.01)


@contextmanager
def held(fleet: Any) -> Iterator[None]:
    """What is begun waits meanwhile."""
    fleet.hosted.bulk_may_go_on.clear()
    try:
        yield
    finally:
        fleet.hosted.bulk_may_go_on.set()


def in_the_lab(fleet: Any, caller: Caller) -> Caller:
    """The same user in another project."""
    fleet.hosted.leave(caller, "lab", Role.MEMBER)
    fleet.hosted.context.access.end()
    return replace(caller, project_id=fleet.carol.project_id)


def told(notebook: dict[str, Any], status: str) -> dict[str, Any]:
    return {"id": notebook["id"], "name": notebook["name"], "status": status}


def unknown(notebook_id: str) -> dict[str, Any]:
    return {"id": notebook_id, "name": ""}


def shown_of(notebooks: Sequence[dict[str, Any]]) -> str:
    return Shown.of(one["id"] for one in notebooks).text


def listed(action: dict[str, Any]) -> dict[str, Any]:
    """Lists do not look how notebooks stand by now."""
    return {name: value for name, value in action.items() if name not in ("now", "in_motion")}


def page(data: list[Any], total: int, current: int = 0, size: int = 100) -> dict[str, Any]:
    pages = -(-total // size)
    return {"current": current, "pages": pages, "size": size, "total": total, "data": data}


def test_a_preview_says_what_would_happen_and_changes_nothing(fleet: Any) -> None:
    someone = member(fleet)
    first, second = someone.running(name="one"), someone.running(name="two")
    idle = someone.stopped(name="idle")
    kept = [{"reason": "state", "status": "STOPPED", "count": 1, "first": [told(idle, "STOPPED")]}]
    assert asked(someone, "/preview", action="stop", query={}) == {
        "action": "stop",
        "query": EVERYWHERE,
        "total": 3,
        "changing": 2,
        "first": [told(second, "RUNNING"), told(first, "RUNNING")],
        "kept": kept,
        "shown": shown_of([second, first]),
    }
    narrow = {"name": "o", "created_since": 0, "workspace_id": "*", "feature": "*"}
    nobody = str(uuid4())
    assert asked(
        someone, "/preview", action="extend", duration=2 * HOUR, query=narrow,
        ids=[idle["id"], nobody, first["id"].upper(), first["id"]],
    ) == {
        "action": "extend",
        "query": {"feature": "*", "workspace_id": "*", "created_since": "0", "name": "o"},
        "duration": 2 * HOUR,
        "total": 3,
        "changing": 1,
        "first": [told(first, "RUNNING")],
        "kept": [
            {"reason": "left", "status": "STOPPED", "count": 1, "first": [told(idle, "STOPPED")]},
            {"reason": "gone", "count": 1, "first": [unknown(nobody)]},
        ],
        "shown": shown_of([first]),
    }  # fmt: skip
    assert asked(someone, "/preview", action="start", ids=[idle["id"]])["duration"] == HOUR
    tag = {"key": "team", "value": ""}
    assert asked(someone, "/preview", action="tag", ids=[nobody], tag={"key": "team"}) == {
        "action": "tag",
        "tag": tag,
        "total": 1,
        "changing": 0,
        "first": [],
        "kept": [{"reason": "gone", "count": 1, "first": [unknown(nobody)]}],
        "shown": "",
    }
    assert got(someone) == page([], 0)
    states = {one["name"]: one["status"] for one in someone.get().json["data"]}
    assert states == {"one": "RUNNING", "two": "RUNNING", "idle": "STOPPED"}


def test_an_action_goes_on_by_itself_and_each_notebook_has_its_result(fleet: Any) -> None:
    someone, now = member(fleet), fleet.hosted.clock()
    ready, full = someone.running(name="ready"), someone.running(name="full")
    many = [{"key": f"key-{number}"} for number in range(20)]
    assert someone.post(f"/{full['id']}/tags/create", {"tags": many}).status == 204
    nobody = str(uuid4())
    wish = {"action": "tag", "tag": {"key": "team", "value": "a"}}
    ids = [ready["id"], full["id"], nobody]
    preview = asked(someone, "/preview", ids=ids, **wish)
    with held(fleet):
        begun = asked(someone, ids=ids, shown=preview["shown"], once="word", **wish)
        assert begun == wish | {
            "id": begun["id"],
            "total": 3,
            "settled": 1,
            "counts": NONE | {"pending": 2, "skipped": 1},
            "create_at": now,
            "now": {},
            "in_motion": 0,
        }
        assert got(someone, f"/{begun['id']}") == begun
        waiting = [
            {"notebook_id": one["id"], "name": one["name"], "result": "pending"} for one in (ready, full)
        ]
        assert got(someone, f"/{begun['id']}/results", result="pending") == page(waiting, 2)
    counts = NONE | {"done": 1, "skipped": 1, "failed": 1}
    after = begun | {"settled": 3, "counts": counts, "end_at": now}
    assert ended(someone, begun["id"]) == after
    detail = "The instance would have 21 tags; it may have at most 20."
    results = [
        {"notebook_id": ready["id"], "name": "ready", "result": "done", "at": now},
        {
            "notebook_id": full["id"], "name": "full", "result": "failed", "reason": "refused",
            "detail": detail, "at": now,
        },
        {"notebook_id": nobody, "name": "", "result": "skipped", "reason": "gone", "at": now},
    ]  # fmt: skip
    at = f"/{begun['id']}/results"
    assert got(someone, at) == page(results, 3)
    assert got(someone, at, limit=2, offset=2) == page(results[2:], 3, 1, 2)
    assert got(someone, at, result="failed") == page(results[1:2], 1)
    assert got(someone, at, result="cancelled") == page([], 0)
    newer = asked(someone, action="stop", ids=[full["id"]])
    ended(someone, newer["id"])
    newer = got(someone, f"/{newer['id']}")
    assert got(someone) == page([listed(newer), listed(after)], 2)
    assert got(someone, limit=1, offset=1) == page([listed(after)], 2, 1, 1)
    tags = [{"key": "team", "value": "a"}]
    assert someone.get(f"/{ready['id']}").json["tags"] == tags
    (event,) = someone.get(f"/{ready['id']}/events", {"limit": 1}).json["events"]
    assert (event["event"], event["actor"], event["request_id"]) == ("tag", someone.user_id, begun["id"])


def test_every_action_does_what_it_says(fleet: Any) -> None:
    someone = member(fleet)
    idle, busy, old = someone.stopped(name="idle"), someone.running(name="busy"), someone.stopped(name="old")
    shown = asked(someone, "/preview", action="delete", ids=[old["id"]])["shown"]
    for wish in (
        {"action": "start", "ids": [idle["id"]], "duration": 3 * HOUR},
        {"action": "extend", "query": {"id": busy["id"]}, "duration": -1},
        {"action": "delete", "ids": [old["id"]], "shown": shown},
    ):
        action = ended(someone, asked(someone, **wish)["id"])
        assert action["counts"] == NONE | {"done": 1}
    someone.gone(old["id"])
    assert someone.until(idle["id"], "RUNNING")["lease"]["duration"] == 3 * HOUR
    assert someone.get(f"/{busy['id']}").json["lease"]["enable"] is False
    stop = ended(someone, asked(someone, action="stop", query={"status": "RUNNING"})["id"])
    assert stop["counts"] == NONE | {"done": 2}
    for one in (busy, idle):
        someone.until(one["id"], "STOPPED")
    shown = got(someone, f"/{stop['id']}")
    assert (shown["now"], shown["in_motion"]) == ({"STOPPED": 2}, 0)
    results = [
        {
            "notebook_id": one["id"], "name": one["name"], "result": "done", "at": fleet.hosted.clock(),
            "status": "STOPPED",
        }
        for one in (busy, idle)
    ]  # fmt: skip
    at = f"/{stop['id']}/results"
    assert got(someone, at) == got(someone, at, status="STOPPED", result="done") == page(results, 2)
    assert got(someone, at, status="stopped", limit=1) == page(results[:1], 2, 0, 1)
    assert got(someone, at, status="STOPPING") == got(someone, at, status="STOPPED", result="failed")
    assert got(someone, at, status="STOPPING") == page([], 0)


def test_a_request_that_is_repeated_begins_nothing_more(fleet: Any) -> None:
    someone = member(fleet)
    one = someone.running(name="one")
    wish = {"action": "extend", "ids": [one["id"]], "duration": HOUR, "once": "nightly:2026-11-30"}
    with ThreadPoolExecutor(4) as pool:
        begun = {answer["id"] for answer in pool.map(lambda _: asked(someone, **wish), range(4))}
    (action_id,) = begun
    ended(someone, action_id)
    assert asked(someone, **wish) == got(someone, f"/{action_id}")
    assert asked(someone, **wish | {"once": "another"})["id"] != action_id
    assert [found["total"] for found in (got(someone), got(someone, limit=1))] == [2, 2]
    # The word is a user's in one project.
    elsewhere = in_the_lab(fleet, someone)
    there = {"ids": [elsewhere.running(name="there")["id"]]}
    other = asked(elsewhere, **wish | there)
    assert (other["id"] == action_id, got(elsewhere)["total"]) == (False, 1)
    third = member(fleet)
    ids = [third.running(name="of-the-third")["id"]]
    assert asked(third, **wish | {"ids": ids})["id"] not in (action_id, other["id"])


def test_nothing_is_begun_on_more_than_the_preview_said(fleet: Any) -> None:
    someone = member(fleet)
    first = someone.stopped(name="first")
    wish = {"action": "delete", "query": {"status": "STOPPED"}}
    shown = asked(someone, "/preview", **wish)["shown"]
    second = someone.stopped(name="second")
    more = "The field shown is 1 notebooks; allowed: 1 more as well, which would change by now."
    assert refused(someone.post("/actions", wish | {"shown": shown})) == (WRONG, more)
    # What is deleted cannot be brought back.
    assert refused(someone.post("/actions", wish)) == (MISSING, "The field shown is missing.")
    assert got(someone) == page([], 0)
    chosen = asked(someone, **wish, ids=[first["id"]], shown=shown)
    assert ended(someone, chosen["id"])["counts"] == NONE | {"done": 1}
    someone.gone(first["id"])
    assert someone.get(f"/{second['id']}").json["status"] == "STOPPED"


def test_the_rest_is_called_off(fleet: Any) -> None:
    someone, now = member(fleet), fleet.hosted.clock()
    one = someone.running(name="one")
    with held(fleet):
        begun = asked(someone, action="stop", query={"name": "one"})
        after = begun | {
            "settled": 1,
            "counts": NONE | {"cancelled": 1},
            "end_at": now,
            "cancel_at": now,
        }
        assert asked(someone, f"/{begun['id']}/cancel") == after
        assert someone.post(f"/actions/{begun['id']}/cancel").json == after
    assert got(someone, f"/{begun['id']}/results") == page(
        [{"notebook_id": one["id"], "name": "one", "result": "cancelled", "at": now}], 1
    )
    assert someone.get(f"/{one['id']}").json["status"] == "RUNNING"


def test_an_action_is_known_to_who_began_it_and_nobody_else(fleet: Any) -> None:
    someone = member(fleet)
    begun = asked(someone, action="stop", ids=[someone.running(name="mine")["id"]])
    at = f"/actions/{begun['id']}"
    message = f"The action {begun['id']} does not exist."
    for other in (member(fleet), fleet.admin, fleet.carol):
        before = got(other)
        assert [
            refused(other.get(at)), refused(other.get(f"{at}/results")), refused(other.post(f"{at}/cancel"))
        ] == [(HIDDEN, message)] * 3  # fmt: skip
        assert begun["id"] not in [one["id"] for one in before["data"]]
        assert got(other) == before
    elsewhere = in_the_lab(fleet, someone)
    assert refused(elsewhere.get(at)) == (HIDDEN, message)
    assert got(elsewhere) == page([], 0)
    assert got(someone)["total"] == 1


def test_a_member_reaches_nothing_of_others_and_learns_nothing_of_it(fleet: Any) -> None:
    owner, thief = member(fleet), member(fleet)
    theirs = owner.stopped(name="secret-plans", description="of the owner")
    nothing = {"total": 0, "changing": 0, "first": [], "kept": [], "shown": ""}
    for query in (
        {"id": theirs["id"]},
        {"username": owner.name},
        {"name": "secret"},
    ):
        found = asked(thief, "/preview", action="delete", query=query)
        assert found == {"action": "delete", "query": EVERYWHERE | query} | nothing
    named = asked(thief, "/preview", action="delete", ids=[theirs["id"]])
    assert named["kept"] == [{"reason": "gone", "count": 1, "first": [unknown(theirs["id"])]}]
    assert (
        named["kept"] == asked(thief, "/preview", action="tag", tag={"key": "x"}, ids=[theirs["id"]])["kept"]
    )
    own = thief.stopped(name="own")
    owned = "; allowed: your own id, or no such filter at all."
    whose = {"action": "delete", "query": {"owner": owner.user_id}}
    assert refused(thief.post("/actions/preview", whose)) == (
        WRONG,
        f"The field query.owner is {owner.user_id}{owned}",
    )
    ids = [own["id"], theirs["id"]]
    begun = asked(thief, action="delete", ids=ids, shown=shown_of([own, theirs]))
    assert begun["counts"] == NONE | {"pending": 1, "skipped": 1}
    (result,) = got(thief, f"/{begun['id']}/results", result="skipped")["data"]
    assert {name: result.get(name) for name in ("notebook_id", "name", "reason")} == {
        "notebook_id": theirs["id"],
        "name": "",
        "reason": "gone",
    }
    # Who sees it and may not act on it is told whose it is not.
    leader = member(fleet, role_of(fleet, LIST_ALL, "modelarts:notebook:delete"))
    asked_for = asked(leader, "/preview", action="delete", ids=[theirs["id"]])
    assert asked_for["kept"] == [
        {"reason": "foreign", "status": "STOPPED", "count": 1, "first": [told(theirs, "STOPPED")]}
    ]
    chief = member(fleet, role_of(fleet, LIST_ALL, ACT_ON_ALL, "modelarts:notebook:delete"))
    assert asked(chief, "/preview", action="delete", ids=[theirs["id"]])["changing"] == 1
    assert owner.get(f"/{theirs['id']}").json["status"] == "STOPPED"


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ({"action": "start"}, "modelarts:notebook:start"),
        ({"action": "stop"}, "modelarts:notebook:stop"),
        ({"action": "delete"}, "modelarts:notebook:delete"),
        ({"action": "extend", "duration": HOUR}, "modelarts:notebook:updateStopPolicy"),
    ],
)
def test_who_may_not_do_it_to_one_may_not_do_it_to_many(fleet: Any, wish: dict[str, Any], name: str) -> None:
    lister = member(fleet, role_of(fleet, "modelarts:notebook:list"))
    only = member(fleet, role_of(fleet, name))
    ids = [str(uuid4())]
    lacking = f"The caller does not have the permission {name}."
    for rest in ("/actions/preview", "/actions"):
        assert refused(lister.post(rest, wish | {"ids": ids})) == (FORBIDDEN, lacking)
        message = "The caller does not have the permission modelarts:notebook:list."
        assert refused(only.post(rest, wish | {"query": {}})) == (FORBIDDEN, message)
    assert asked(only, "/preview", ids=ids, **wish)["total"] == 1
    assert got(lister) == page([], 0)


FIELDS = ", ".join(NotebookActionRequest.__struct_fields__)
UUID = r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"
ONE = {"action": "stop", "ids": ["0" * 8 + "-0000-0000-0000-" + "0" * 12]}
RANGE = f"-1 or {HOUR} to 259200000 milliseconds"


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ({}, MISSING, "The field action is missing."),
        ({"action": "explode"}, WRONG,
         "The field action is explode; allowed: delete, extend, start, stop, tag."),
        ({"action": "stop"}, MISSING, "The field ids is missing."),
        ({"action": "stop", "ids": []}, WRONG,
         f"The field ids is []; allowed: a list with 1 items or more, each text matching {UUID}."),
        ({"action": "stop", "ids": ["x\n\u202e"]}, WRONG,
         f"The field ids[0] is x\\n\\u202e; allowed: text matching {UUID}."),
        (ONE | {"idz": ["x"]}, WRONG, f"The field idz is unknown; allowed: {FIELDS}."),
        (ONE | {"` - at `$.ids\n": 1}, WRONG, f"The field ` - at `$.ids\\n is unknown; allowed: {FIELDS}."),
        ({"action": "stop", "query": {"statuss": "RUNNING"}}, WRONG, "The field query.statuss is unknown;"),
        ({"action": "stop", "query": {"name": ""}}, WRONG, "The field query.name is empty; allowed: a value"),
        ({"action": "stop", "query": {"status": "BROKEN"}}, QUERY, "The parameter status is BROKEN;"),
        ({"action": "stop", "query": {"name": "a b"}}, QUERY, "The parameter name is a b;"),
        ({"action": "stop", "query": {"name": None}}, (400, "ModelArts.6332"), "The field query[...] is"),
        ({"action": "stop", "query": {"limit": 5000}}, QUERY, "The parameter limit is 5000;"),
        ({"action": "stop", "query": {"name": "a" * 9000}}, QUERY, "The parameter query string is"),
        ({"action": "stop", "query": "status=RUNNING"}, (400, "ModelArts.6332"),
         "The field query is status=RUNNING; expected: object."),
        ({"action": "extend", "query": {}}, MISSING, "The field duration is missing."),
        ({"action": "extend", "query": {}, "duration": 5}, (400, "ModelArts.6349"),
         f"The duration duration is 5; allowed: {RANGE}."),
        (ONE | {"duration": HOUR}, WRONG,
         f"The field duration is {HOUR}; allowed: nothing: start and extend only."),
        (ONE | {"tag": {"key": "a"}}, WRONG, "The field tag is a; allowed: nothing: the action tag only."),
        ({"action": "tag", "query": {}}, MISSING, "The field tag is missing."),
        ({"action": "tag", "query": {}, "tag": {"value": "a"}}, MISSING, "The field tag.key is missing."),
        ({"action": "tag", "query": {}, "tag": {"key": "a;b"}}, WRONG, "The field tag.key is a;b; allowed:"),
        ({"action": "tag", "query": {}, "tag": {"key": "a", "value": "<b>"}}, WRONG,
         "The field tag.value is <b>; allowed:"),
        ([], (400, "ModelArts.6332"), "The field body is []; expected: object."),
        (b"{", (400, "ModelArts.6400"), "The request body cannot be read:"),
        (b"", (400, "ModelArts.6400"), "The request body cannot be read:"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_by_name(
    fleet: Any, body: Any, error: tuple[int, str], message: str
) -> None:
    for rest in ("/actions/preview", "/actions"):
        answer = fleet.bob.post(rest, body)
        expected = message
        if "unknown; allowed: action" in message and rest == "/actions":
            expected = message.removesuffix(".") + ", shown, once."
        told_ = answer.message if message.endswith(".") else answer.message[: len(message)]
        assert (answer.refusal, told_) == (error, expected)
        assert answer.message.isprintable()
    assert got(fleet.bob) == page([], 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shown": "äöü"}, "The field shown is äöü; allowed: what a preview answered."),
        ({"shown": "AAAA"}, "The field shown is AAAA; allowed: what a preview answered."),
        ({"once": ""}, "The field once is ; allowed: text matching ^[A-Za-z0-9._:-]{1,64}$."),
        ({"once": "a b"}, "The field once is a b; allowed: text matching ^[A-Za-z0-9._:-]{1,64}$."),
    ],
)
def test_what_is_no_word_of_a_preview_or_of_a_caller_is_refused(
    fleet: Any, fields: dict[str, Any], message: str
) -> None:
    assert refused(fleet.bob.post("/actions", ONE | fields)) == (WRONG, message)
    assert got(fleet.bob) == page([], 0)


def test_the_words_of_paths_and_queries_are_checked(fleet: Any) -> None:
    nobody = str(uuid4())
    assert refused(fleet.bob.get("/actions/mine")) == (
        WRONG,
        f"The field action_id is mine; allowed: text matching {UUID}.",
    )
    assert refused(fleet.bob.get(f"/actions/{nobody}")) == (HIDDEN, f"The action {nobody} does not exist.")
    for rest, query, message in (
        ("", {"limit": 0}, "The parameter limit is 0; allowed: 1 to 1000."),
        ("", {"limit": 1001}, "The parameter limit is 1001; allowed: 1 to 1000."),
        ("", {"offset": -1}, "The parameter offset is -1; allowed: 0 to 2147483647."),
        (f"/{nobody}/results", {"result": "lost"},
         "The parameter result is lost; allowed: cancelled, done, failed, pending, skipped."),
    ):  # fmt: skip
        assert refused(fleet.bob.get(f"/actions{rest}", query)) == (QUERY, message)


def test_the_paths_are_none_of_notebooks(fleet: Any) -> None:
    """No notebook is called so: what the contract has under a notebook's id is not there for the word."""
    for method, rest, allowed in (
        ("PUT", "", "GET, POST"),
        ("DELETE", "", "GET, POST"),
        ("POST", "/start", "GET"),
        ("PATCH", "/lease", "GET"),
        ("GET", "/preview", "POST"),
    ):
        answer = fleet.bob.request(method, fleet.bob.at(f"/actions{rest}"))
        assert (answer.status, answer.headers["allow"]) == (405, allowed)

"""What happened to a notebook, as whoever sees it is told."""

from typing import Any

from nbfleet.domain.access import LIST_ALL
from nbfleet.runtimes.simulated import Behaviour
from nbfleet.services import roles
from support.client import Caller
from support.service import wait_for

STEPS = [
    f"{step} {now}"
    for step in ("STORAGE", "COMPUTE", "NETWORK", "INITIALISATION")
    for now in ("PROCESSING", "COMPLETED")
]


def told(caller: Caller, notebook_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = caller.get(f"/{notebook_id}/events", query)
    assert answer.status == 200, answer.raw
    return answer.json["events"]


def test_the_story_of_a_notebook_is_told_newest_first_with_names(fleet) -> None:
    one = fleet.alice.stopped(name="told")
    events = told(fleet.alice, one["id"])
    story = [(event["event"], event.get("actor_name"), event.get("reason")) for event in reversed(events)]
    assert story == [
        ("create", "alice", None),
        *(("step", None, step) for step in STEPS),
        ("ready", None, None),
        ("stop", "alice", None),
        ("found stopped", None, None),
    ]
    assert [event["actor"] for event in events[:2]] == ["reconciler", fleet.alice.user_id]
    assert [(event.get("before"), event["after"]) for event in events[:2]] == [
        ("STOPPING", "STOPPED"),
        ("RUNNING", "STOPPING"),
    ]


def test_why_a_start_failed_is_part_of_it(fleet) -> None:
    made = fleet.alice.post("", fleet.alice.body(name="fails", flavor="flavor.that.fails")).json
    fleet.alice.until(made["id"], "CREATE_FAILED")
    newest = told(fleet.alice, made["id"])[0]
    assert (newest["event"], newest["reason"], newest["after"]) == (
        "start failed",
        "no room",
        "CREATE_FAILED",
    )


def test_why_a_stop_is_tried_again_is_part_of_it(fleet) -> None:
    one = fleet.alice.running(name="stuck")
    scripted = fleet.hosted.runtime.world.scripted
    scripted[one["id"]] = Behaviour(stop_fail_reason="processes that cannot be killed: 7")
    assert fleet.alice.post(f"/{one['id']}/stop").status == 200
    wait_for("it to be told", lambda: told(fleet.alice, one["id"])[0]["event"] == "stop retried")
    newest = told(fleet.alice, one["id"])[0]
    assert {name: newest[name] for name in newest if name not in ("id", "at")} == {
        "event": "stop retried",
        "actor": "reconciler",
        "before": "STOPPING",
        "after": "STOPPING",
        "reason": "processes that cannot be killed: 7",
    }
    scripted.clear()
    fleet.hosted.clock.advance(1000)
    fleet.alice.until(one["id"], "STOPPED")
    assert [event["event"] for event in told(fleet.alice, one["id"])[:3]] == [
        "found stopped", "stop retried", "stop",
    ]  # fmt: skip


def test_a_walk_by_marker_meets_each_event_once(fleet) -> None:
    one = fleet.alice.running(name="walked")
    whole, found, query = told(fleet.alice, one["id"]), [], {"limit": 4}
    while True:
        page = fleet.alice.get(f"/{one['id']}/events", query).json
        found += page["events"]
        if "next_marker" not in page:
            break
        query["marker"] = page["next_marker"]
    assert found == whole
    assert len(found) == 10


def test_whoever_sees_it_is_told_and_nobody_else(fleet) -> None:
    one = fleet.alice.running(name="seen")
    role = fleet.hosted.database.write_now(roles.add, "auditor", (LIST_ALL, "modelarts:notebook:get"))
    auditor = fleet.hosted.user("auditor", "local", role)
    assert told(auditor, one["id"]) == told(fleet.admin, one["id"]) == told(fleet.alice, one["id"])
    assert fleet.bob.get(f"/{one['id']}/events").refusal == (404, "ModelArts.6404")
    assert fleet.carol.get(f"/{one['id']}/events").refusal == (404, "ModelArts.6404")


def test_what_is_out_of_range_is_refused(fleet) -> None:
    at = f"/{fleet.alice.running(name='asked')['id']}/events"
    for query in ({"limit": 0}, {"limit": 1001}, {"marker": "x"}, {"marker": -1}):
        assert fleet.alice.get(at, query).refusal == (400, "ModelArts.0107")

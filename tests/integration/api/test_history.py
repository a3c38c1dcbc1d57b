"""What is told of a fleet as a whole, and to whom: over time, soon, and how much room there is."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nbfleet.domain.access import LIST_ALL, Role
from nbfleet.domain.capacity import Size
from nbfleet.domain.history import DAY, HOUR, MINUTE
from nbfleet.services import roles
from nbfleet.settings import NodeSettings, PoolSettings
from nbfleet.store import history
from nbfleet.wire.extensions import MOST_HOURS
from support.client import Caller
from support.hosted import FAILS, Hosted
from support.people import DATABASES

POOL = PoolSettings(id="pool-vision", name="Vision", nodes=(NodeSettings(vcpus=8, memory=16_384, gpus=1),))
FORBIDDEN = (403, "ModelArts.0108", f"The caller does not have the permission {LIST_ALL}.")


@pytest.fixture(params=DATABASES)
def hosted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosted]:
    sqlite = f"sqlite:///{tmp_path}/test.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    started = Hosted(tmp_path, url, {"pools": (POOL,)}, machine=Size(64, 131_072, gpus=2)).start()
    started.clock.now -= started.clock.now % HOUR
    yield started
    started.stop()


def leased(hours: int) -> dict[str, Any]:
    return {"duration": hours * HOUR, "type": "TIMING"}


def stopping(caller: Caller, **query: Any) -> list[str]:
    return [one["name"] for one in caller.get("/stopping", query).json["data"]]


def refusal(caller: Caller, rest: str) -> tuple[int, str, str]:
    answer = caller.get(rest)
    return (*answer.refusal, answer.message)


def test_the_history_of_a_project(hosted: Hosted) -> None:
    admin, alice = hosted.administrator(), hosted.user("alice", "local")
    first = hosted.clock.now
    alice.running(name="one")
    failed = alice.post("", alice.body(flavor=FAILS)).json
    alice.until(failed["id"], "CREATE_FAILED")
    now = hosted.clock.advance(10 * MINUTE)
    hosted.database.write_now(history.sample, now)
    hosted.database.write_now(history.count_activity, now)
    counts = {"CREATE_FAILED": 1, "CREATING": 0, "RUNNING": 1}
    told = admin.get("/history", {"hours": 1}).json
    # At the first moment the loop of the service may have been quicker than what was made.
    told["samples"] = [one for one in told["samples"] if one["at"] == now]
    assert told == {
        "since": now - HOUR,
        "until": now,
        "step": MINUTE,
        "width": HOUR,
        "samples": [{"at": now, "counts": counts}],
        "activity": [
            {"since": first, "event": "create failed", "count": 1},
            {"since": first, "event": "created", "count": 2},
            {"since": first, "event": "ready", "count": 1},
        ],
        "reasons": [{"event": "create failed", "reason": "no room", "count": 1}],
    }
    day = admin.get("/history").json
    assert (day["since"], day["step"]) == (now - DAY, 10 * MINUTE)
    assert admin.get("/history", {"hours": 1, "reasons": 0}).json == {
        **admin.get("/history", {"hours": 1}).json,
        "reasons": [],
    }
    month = admin.get("/history", {"hours": 30 * 24}).json
    assert (month["step"], month["width"]) == (3 * HOUR, DAY)
    assert [one["since"] for one in month["activity"]] == [first - first % DAY] * 3
    assert admin.get("/history", {"hours": MOST_HOURS}).json["step"] == 12 * HOUR
    for hours in (0, MOST_HOURS + 1):
        assert admin.get("/history", {"hours": hours}).refusal == (400, "ModelArts.0107")
    hosted.project("lab")
    other = hosted.user("head", "lab", Role.ADMINISTRATOR)
    assert other.get("/history").json == {**day, "samples": [], "activity": [], "reasons": []}


def test_the_history_and_the_room_are_for_those_who_see_all_of_the_project(hosted: Hosted) -> None:
    alice = hosted.user("alice", "local")
    assert refusal(alice, "/history") == refusal(alice, "/capacity") == FORBIDDEN
    hosted.database.write_now(roles.add, "auditor", [LIST_ALL, "modelarts:notebook:list"])
    auditor = hosted.user("eve", "local", Role("auditor", frozenset({LIST_ALL, "modelarts:notebook:list"})))
    assert [auditor.get(rest).status for rest in ("/history", "/capacity")] == [200, 200]
    admin = hosted.administrator()
    path = f"/v1/{admin.project_id}/workspaces"
    admin.request("POST", path, body={"name": "secret", "auth_type": "PRIVATE"})
    hosted.clock.advance(5000)
    everywhere = (*FORBIDDEN[:2], f"{FORBIDDEN[2][:-1]} in every workspace.")
    assert refusal(auditor, "/history") == refusal(auditor, "/capacity") == everywhere
    assert admin.get("/history").status == 200


def test_what_stops_next_is_told_of_what_a_reader_may_see(hosted: Hosted) -> None:
    admin, alice, bob = hosted.administrator(), hosted.user("alice", "local"), hosted.user("bob", "local")
    last, first = alice.running(name="last", lease=leased(9)), bob.running(name="first", lease=leased(1))
    alice.running(name="next", lease=leased(2))
    alice.stopped(name="stopped", lease=leased(1))
    assert stopping(admin) == ["first", "next", "last"]
    assert stopping(admin, limit=1) == ["first"]
    assert stopping(alice) == ["next", "last"]
    assert bob.get("/stopping").json["data"] == [
        {
            "id": first["id"],
            "name": "first",
            "owner": bob.user_id,
            "owner_name": "bob",
            "stop_at": hosted.clock.now + HOUR,
        }
    ]
    # A short look takes none of the few places for long ones.
    with ExitStack() as taken:
        for _ in range(hosted.settings.long_reads):
            taken.enter_context(hosted.context.long_reads.take(bob.user_id, hosted.settings.long_reads))
        assert stopping(bob) == ["first"]
    alice.post(f"/{last['id']}/stop")
    assert stopping(admin) == ["first", "next"]
    assert stopping(hosted.user("carol", "local")) == []


def test_the_room_of_the_machine_and_of_pools(hosted: Hosted) -> None:
    admin, alice = hosted.administrator(), hosted.user("alice", "local")
    alice.running()
    alice.running(pool_id=POOL.id)
    small = {"vcpus": 1.0, "memory": 2048, "gpus": 0, "npus": 0}
    assert admin.get("/capacity").json["pools"] == [
        {
            "name": "",
            "all": {"vcpus": 64.0, "memory": 131_072, "gpus": 2, "npus": 0},
            "taken": small,
        },
        {
            "pool_id": POOL.id,
            "name": "Vision",
            "all": {"vcpus": 8.0, "memory": 16_384, "gpus": 1, "npus": 0},
            "taken": small,
        },
    ]

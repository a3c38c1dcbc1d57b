"""Every available operation: what it answers, key by key, and what it refuses in which state."""

import re
from typing import Any

import pytest

from nbfleet.domain.notebook import Step
from support.client import Answer, Caller
from support.hosted import FAILS, FLAVORS, GATEWAY, HANGS, NO_MOUNT, STAYS
from support.make import T0
from support.service import wait_for

HOUR = 3_600_000
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IMAGE_LISTED = {"id", "name", "swr_path", "type"}
IMAGE_SHOWN = IMAGE_LISTED | {"description", "tag"}


def plain(made: dict[str, Any]) -> dict[str, Any]:
    """Without what differs from one notebook to another."""
    assert UUID.fullmatch(made["id"])
    return {key: value for key, value in made.items() if key not in ("id", "token", "image", "user", "url")}


def common(fleet, now: int, **fields: Any) -> dict[str, Any]:
    return {
        "name": "n",
        "description": "",
        "feature": "NOTEBOOK",
        "flavor": "modelarts.vm.cpu.1u",
        "workspace_id": "0",
        "volume": {
            "category": "EVS",
            "ownership": "MANAGED",
            "capacity": 5,
            "mount_path": "/home/ma-user/work/",
            "read_only": False,
        },
        "lease": {"create_at": now, "update_at": now, "duration": HOUR, "enable": True, "type": "TIMING"},
        "user_id": fleet.alice.user_id,
        "billing_items": [],
        "endpoints": [],
        "tags": [],
        "create_at": now,
        "update_at": now,
    } | fields


def test_create_answers_a_notebook_that_is_being_made(fleet) -> None:
    made = fleet.alice.create()
    now = fleet.hosted.clock.now
    texts = {
        4: "Initialise the instance.",
        3: "Configure the network.",
        2: "Prepare compute resources.",
        1: "Prepare storage.",
    }
    steps = [
        {"notebook_id": made["id"], "step": n, "status": "WAITING", "step_description": s, "description": s}
        for n, s in texts.items()
    ]
    assert plain(made) == common(fleet, now, status="CREATING", action_progress=steps)
    assert UUID.fullmatch(made["token"])
    assert "url" not in made
    assert set(made["image"]) == IMAGE_SHOWN
    assert made["user"] == {
        "id": fleet.alice.user_id,
        "name": "alice",
        "domain": {"id": made["user"]["domain"]["id"], "name": "nbfleet"},
    }
    assert all(type(made[key]) is int for key in ("create_at", "update_at"))
    fleet.alice.until(made["id"], "RUNNING")


def test_show_answers_a_running_notebook_with_its_addresses(fleet) -> None:
    made = fleet.alice.create(name="模型_1-X", description="50% _ 模")
    shown = fleet.alice.until(made["id"], "RUNNING")
    now = fleet.hosted.clock.now
    url = f"{GATEWAY}/{made['id']}/lab"
    endpoint = {
        "service": "NOTEBOOK", "dev_service": "NOTEBOOK", "uri": url, "key_pair_names": [], "ssh_keys": [],
        "allowed_access_ips": [],
    }  # fmt: skip
    assert plain(shown) == common(
        fleet, now, name="模型_1-X", description="50% _ 模", status="RUNNING", endpoints=[endpoint],
        billing_items=["COMPUTE", "STORAGE"], ip="127.0.0.1", current_time=now,
    )  # fmt: skip
    assert (shown["url"], shown["token"]) == (url, made["token"])
    assert fleet.alice.get(f"/{made['id'].upper()}").json == shown


def test_a_list_holds_the_same_with_a_shorter_image(fleet) -> None:
    made = fleet.alice.running(name="listed-once")
    page = fleet.alice.get("", {"name": "LISTED-ONCE"}).json
    del made["current_time"]
    made["image"] = {key: made["image"][key] for key in IMAGE_LISTED}
    assert page == {"current": 0, "size": 10, "pages": 1, "total": 1, "data": [made]}


def test_an_empty_list(fleet) -> None:
    nothing = {"current": 0, "size": 10, "pages": 0, "total": 0, "data": []}
    assert fleet.alice.get("", {"name": "nothing-like-this"}).json == nothing
    assert fleet.admin.get("/all", {"name": "nothing-like-this"}).json == nothing


def test_pages_and_order(fleet) -> None:
    ids = [fleet.bob.create(name=f"page-{n}")["id"] for n in range(5)]
    whole = {"name": "page-", "sort_key": "name", "sort_dir": "ASC", "limit": 2}
    pages = [fleet.bob.get("", whole | {"offset": offset}).json for offset in (0, 2, 4, 6)]
    assert [[one["id"] for one in page["data"]] for page in pages] == [ids[:2], ids[2:4], ids[4:], []]
    assert [(p["current"], p["size"], p["pages"], p["total"]) for p in pages] == [
        (0, 2, 3, 5), (1, 2, 3, 5), (2, 2, 3, 5), (3, 2, 3, 5),
    ]  # fmt: skip
    # Newest first without being told; all were made in the same millisecond.
    assert [one["id"] for one in fleet.bob.get("", {"name": "page-"}).json["data"]] == ids[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"workspaceId": "0", "workspace_id": "x"}, True),
        ({"workspace_id": "x"}, False),
        ({"workspaceId": "x", "workspace_id": "0"}, False),
        ({"workspace_id": "*"}, True),
        ({"feature": "*"}, True),
        ({"feature": "DEFAULT"}, False),
        ({"status": "DELETED"}, False),
        ({"username": "ALI"}, True),
        ({"billing": "ALL"}, True),
        ({"ip": "127.0.0.1"}, True),
        ({"tags": "k|v"}, False),
        ({"tags": ""}, True),
        ({"sort_key": ""}, True),
        ({"description": "100%25"}, False),
        ({"swr_path": "NBFLEET/"}, True),
        ({"flavor": "CPU.1"}, True),
        ({"unknown_parameter": "x"}, True),
    ],
)
def test_filters_travel_to_the_list(fleet, query: dict[str, str], found: bool) -> None:
    name = "filtered"
    if fleet.alice.get("", {"name": name}).json["total"] == 0:
        fleet.alice.running(name=name)
    assert fleet.alice.get("", {"name": name, **query}).json["total"] == (1 if found else 0)


def test_a_space_may_come_as_plus(fleet) -> None:
    fleet.alice.create(name="spaced", description="two words")
    token = fleet.alice.log_in("correct horse").headers["x-subject-token"]
    answer = fleet.alice.with_token(token).get("", "description=two+words")
    assert answer.json["total"] == 1


def test_stop_start_delete_and_a_second_delete(fleet) -> None:
    alice, clock = fleet.alice, fleet.hosted.clock
    made = alice.running()
    at = f"/{made['id']}"
    clock.advance(1000)
    stopping = alice.post(f"{at}/stop", {}).json
    assert (stopping["status"], stopping["token"], stopping["update_at"]) == (
        "STOPPING", made["token"], clock.now,
    )  # fmt: skip
    assert "url" not in stopping
    stopped = alice.until(made["id"], "STOPPED")
    assert (stopped["billing_items"], stopped["endpoints"], "ip" in stopped) == ([], [], False)
    assert stopped["lease"] == made["lease"]
    clock.advance(1000)
    starting = alice.post(f"{at}/start").json
    assert starting["status"] == "STARTING"
    assert starting["token"] != made["token"]
    assert [step["status"] for step in starting["action_progress"]] == ["WAITING"] * 4
    again = alice.until(made["id"], "RUNNING")
    assert again["token"] == starting["token"]
    assert alice.delete(at).json["status"] == "DELETING"
    alice.gone(made["id"])
    second = alice.delete(at)
    assert second.refusal == (404, "ModelArts.6404")
    assert second.message == f"The instance {made['id']} does not exist."
    assert alice.get("", {"id": made["id"]}).json["total"] == 0
    kept = alice.get("", {"id": made["id"], "status": "DELETED"}).json
    assert [(one["id"], one["status"]) for one in kept["data"]] == [(made["id"], "DELETED")]


def refused(answer: Answer, status: int, code: str, message: str) -> None:
    assert (answer.refusal, answer.message) == ((status, code), message)


STATES = [
    ("STOPPED", "stop", "ModelArts.6357", "The instance {id} is STOPPED and cannot stop now."),
    ("STOPPED", "lease", "ModelArts.6327", "The instance {id} is STOPPED; it must be RUNNING."),
    ("STOPPED", "renew", "ModelArts.6327", "The instance {id} is STOPPED; it must be RUNNING."),
    ("RUNNING", "start", "ModelArts.6357", "The instance {id} is RUNNING and cannot start now."),
    ("CREATE_FAILED", "start", "ModelArts.6357", "The instance {id} is CREATE_FAILED and cannot start now."),
    ("CREATE_FAILED", "stop", "ModelArts.6327", "The instance {id} is CREATE_FAILED; it must be RUNNING."),
    ("CREATE_FAILED", "renew", "ModelArts.6327", "The instance {id} is CREATE_FAILED; it must be RUNNING."),
    ("CREATE_FAILED", "update", "ModelArts.6347",
     "The field name cannot be changed while the instance is CREATE_FAILED; it must be RUNNING or STOPPED."),
    ("CREATING", "start", "ModelArts.6357", "The instance {id} is CREATING and cannot start now."),
    ("CREATING", "stop", "ModelArts.6357", "The instance {id} is CREATING and cannot stop now."),
    ("CREATING", "delete", "ModelArts.6357", "The instance {id} is CREATING and cannot be deleted now."),
    ("CREATING", "lease", "ModelArts.6327", "The instance {id} is CREATING; it must be RUNNING."),
    ("CREATING", "update", "ModelArts.6347",
     "The field name cannot be changed while the instance is CREATING; it must be RUNNING or STOPPED."),
    ("DELETE_FAILED", "start", "ModelArts.6357", "The instance {id} is DELETE_FAILED and cannot start now."),
    ("DELETE_FAILED", "stop", "ModelArts.6327", "The instance {id} is DELETE_FAILED; it must be RUNNING."),
]  # fmt: skip


def begun(alice: Caller) -> str:
    """A notebook whose start has begun and hangs: one that only waits could be stopped and deleted."""
    notebook_id = alice.create(flavor=HANGS)["id"]

    def look() -> bool:
        steps = alice.get(f"/{notebook_id}").json["action_progress"]
        return "PROCESSING" in {step["status"] for step in steps if step["step"] == Step.COMPUTE}

    wait_for("its start to hang", look, 10, 0.01)
    return notebook_id


@pytest.fixture(scope="module")
def in_state(fleet) -> dict[str, str]:
    """A notebook in each state that lasts."""
    alice = fleet.alice
    stays = alice.running(flavor=STAYS)
    alice.delete(f"/{stays['id']}")
    return {
        "STOPPED": alice.stopped()["id"],
        "RUNNING": alice.running()["id"],
        "CREATE_FAILED": alice.failed()["id"],
        "CREATING": begun(alice),
        "DELETE_FAILED": alice.until(stays["id"], "DELETE_FAILED")["id"],
    }


@pytest.mark.parametrize(("state", "action", "code", "message"), STATES)
def test_what_a_state_does_not_allow_is_refused_and_changes_nothing(
    fleet, in_state: dict[str, str], state: str, action: str, code: str, message: str
) -> None:
    one = in_state[state]
    before = fleet.hosted.dump()["audit"]
    calls = {
        "start": lambda: fleet.alice.post(f"/{one}/start"),
        "stop": lambda: fleet.alice.post(f"/{one}/stop"),
        "delete": lambda: fleet.alice.delete(f"/{one}"),
        "lease": lambda: fleet.alice.get(f"/{one}/lease"),
        "renew": lambda: fleet.alice.patch(f"/{one}/lease", {"duration": HOUR}),
        "update": lambda: fleet.alice.put(f"/{one}", {"name": "new"}),
    }
    refused(calls[action](), 400, code, message.format(id=one))
    assert fleet.alice.get(f"/{one}").json["status"] == state
    assert fleet.hosted.dump()["audit"] == before


def test_a_failed_create_tells_why(fleet, in_state: dict[str, str]) -> None:
    shown = fleet.alice.get(f"/{in_state['CREATE_FAILED']}").json
    assert (shown["fail_reason"], shown["flavor"]) == ("no room", FAILS)
    assert [step["status"] for step in shown["action_progress"]] == [
        "WAITING", "WAITING", "FAILED", "COMPLETED",
    ]  # fmt: skip


# Leases.


def test_the_published_walk_through_the_life_of_a_lease(fleet) -> None:
    alice, clock = fleet.alice, fleet.hosted.clock
    made = alice.running()
    start, at = clock.now, f"/{made['id']}/lease"
    first = {"create_at": start, "update_at": start, "duration": HOUR, "enable": True, "type": "TIMING"}
    assert alice.get(at).json == first
    clock.advance(1_057_544)
    renewed = first | {"update_at": start + 1_057_544, "duration": 4_657_544}
    assert alice.patch(at, {"duration": HOUR, "type": "TIMING"}).json == renewed
    assert alice.get(at).json == alice.get(f"/{made['id']}").json["lease"] == renewed
    assert alice.get(f"/{made['id']}").json["update_at"] == start  # A renewal does not count.
    clock.advance(1000)
    query = alice.patch(at, {"duration": 2 * HOUR, "type": "idle"}, {"duration": 3 * HOUR}).json
    assert query == first | {"update_at": start + 1_058_544, "duration": 1_058_544 + 3 * HOUR}
    assert alice.patch(at).json["duration"] == 1_058_544 + HOUR
    off = alice.patch(at, None, {"duration": -1}).json
    assert off == first | {"update_at": start + 1_058_544, "duration": -1, "enable": False}
    alice.post(f"/{made['id']}/stop")
    alice.until(made["id"], "STOPPED")
    clock.advance(1000)
    started = alice.post(f"/{made['id']}/start", None, {"duration": -1}).json["lease"]
    assert (started["enable"], started["duration"]) == (False, -1)
    alice.until(made["id"], "RUNNING")
    assert alice.get(at).json["enable"] is False


@pytest.mark.parametrize(
    ("fields", "duration", "enable"),
    [
        ({}, HOUR, True),
        ({"lease": {}}, HOUR, True),
        ({"lease": {"duration": 2 * HOUR, "type": "timing"}}, 2 * HOUR, True),
        ({"lease": {"duration": 2 * HOUR}, "duration": 3 * HOUR}, 3 * HOUR, True),
        ({"lease": {"duration": 2 * HOUR, "type": "IDLE"}, "duration": HOUR}, HOUR, True),
        ({"duration": -1}, -1, False),
        ({"lease": {"duration": -1}}, -1, False),
        ({"duration": 259_200_000}, 259_200_000, True),
    ],
)
def test_where_a_new_lease_comes_from(fleet, fields: dict[str, Any], duration: int, enable: bool) -> None:
    now = fleet.hosted.clock.now
    assert fleet.alice.create(**fields)["lease"] == {
        "create_at": now, "update_at": now, "duration": duration, "enable": enable, "type": "TIMING",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "period"), [(None, HOUR), ({"duration": 2 * HOUR}, 2 * HOUR), ({"type": "timing"}, HOUR)]
)
def test_a_start_sets_the_clock_anew(fleet, query: Any, period: int) -> None:
    one = fleet.alice.stopped()
    passed = fleet.hosted.clock.advance(5000) - one["lease"]["create_at"]
    lease = fleet.alice.post(f"/{one['id']}/start", None, query).json["lease"]
    assert (lease["duration"], lease["enable"]) == (passed + period, True)


# Changes.


def test_name_and_description_change_while_it_runs_and_while_it_does_not(fleet) -> None:
    for one in (fleet.alice.running(), fleet.alice.stopped()):
        now = fleet.hosted.clock.advance(1000)
        changed = fleet.alice.put(f"/{one['id']}", {"name": "new-模", "description": "d"}).json
        expected = one | {"name": "new-模", "description": "d", "update_at": now}
        del expected["current_time"]
        assert changed == expected
        assert fleet.alice.get(f"/{one['id']}").json == expected | {"current_time": now}
        only = fleet.alice.put(f"/{one['id']}", {"description": ""}).json
        assert (only["name"], only["description"]) == ("new-模", "")


def test_an_update_without_a_change_changes_nothing(fleet) -> None:
    one = fleet.alice.stopped(name="same")
    fleet.hosted.clock.advance(1000)
    del one["current_time"]
    assert fleet.alice.put(f"/{one['id']}", {"name": "same"}).json == one
    assert fleet.alice.put(f"/{one['id']}", {}).json == one


# What notebooks are made of.


def test_flavors(fleet) -> None:
    page = fleet.alice.get("/flavors").json
    assert (page["current"], page["pages"], page["size"], page["total"]) == (1, 1, len(FLAVORS), len(FLAVORS))
    assert page["flavors"] == page["data"]
    first = page["data"][0]
    assert first.pop("arch") in ("x86_64", "aarch64")
    assert first == {
        "id": "modelarts.vm.cpu.1u", "name": "CPU: 1vCPUs 2GB", "description": "One core, for first steps",
        "category": "CPU", "feature": "NOTEBOOK", "vcpus": 1, "memory": 2_097_152, "free": True,
        "sold_out": False, "storages": ["EVS", "EFS"], "billing": {"code": "local.cpu", "unit_num": 1},
    }  # fmt: skip
    for query in ({"category": "GPU"}, {"type": "DEDICATED"}):
        assert fleet.alice.get("/flavors", query).json["data"] == []
    second = fleet.alice.get("/flavors", {"limit": 2, "offset": 2, "sort_key": "id", "sort_dir": "ASC"}).json
    assert [one["id"] for one in second["data"]] == [STAYS, NO_MOUNT]
    numbers = (second["current"], second["pages"], second["size"], second["total"])
    assert numbers == (1, len(FLAVORS) // 2, 2, len(FLAVORS))


def test_images(fleet) -> None:
    alice = fleet.alice
    at = f"/v1/{alice.project_id}/images"
    page = alice.request("GET", at).json
    assert (page["current"], page["pages"], page["size"], page["total"]) == (0, 1, 200, 1)
    image = page["data"][0]
    assert (image["name"], image["type"], image["status"]) == ("jupyterlab", "BUILD_IN", "ACTIVE")
    shown = alice.request("GET", f"/v1/{alice.project_id}/images/{image['id']}").json
    assert {key: shown[key] for key in image} == image
    assert alice.request("GET", at, {"type": "DEDICATED"}).json["data"] == []
    assert alice.request("GET", at, {"name": "upyterla"}).json["total"] == 1
    exact = {"name": "jupyterla", "name_fuzzy_match": "false"}
    assert alice.request("GET", at, exact).json["total"] == 0
    gone = alice.request("GET", f"{at}/{'0' * 8}-0000-0000-0000-{'0' * 12}")
    assert gone.refusal == (404, "ModelArts.6404")


def test_times_are_milliseconds(fleet) -> None:
    shown = fleet.alice.running()
    assert all(T0 <= shown[key] < 10 * T0 for key in ("create_at", "update_at", "current_time"))

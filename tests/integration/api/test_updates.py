"""Changing how an instance is made: what is allowed in which state, what is refused, and what comes of it."""

import base64
from typing import Any

import pytest

from nbfleet.services.catalogue import BUILT_IN_ID
from support.client import Answer
from support.hosted import FAILS

HOUR = 3_600_000
ONE, TWO, FOUR = (f"modelarts.vm.cpu.{size}u" for size in (1, 2, 4))
PRE_START = "hooks.container_hooks.pre_start.script"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def text(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def hook(**fields: Any) -> dict[str, Any]:
    return {"hooks": {"container_hooks": {"pre_start": fields}}}


def refused(answer: Answer, code: str, message: str, status: int = 400) -> None:
    assert (answer.status, answer.json) == (status, {"error_code": code, "error_msg": message})


# Flavors.


def test_a_stopped_instance_switches_to_another_flavor(fleet) -> None:
    one = fleet.alice.stopped(flavor=ONE)
    at = f"/{one['id']}"
    offered = fleet.alice.get(f"{at}/flavors").json
    assert [flavor["id"] for flavor in offered["data"]][:2] == [TWO, FOUR]
    assert (offered["flavors"], offered["total"]) == (offered["data"], len(offered["data"]))
    assert [one["id"] for one in fleet.alice.get("/flavors").json["data"] if one["id"] != ONE] == [
        flavor["id"] for flavor in offered["data"]
    ]
    assert fleet.alice.put(at, {"flavor": FOUR}).json["flavor"] == FOUR
    listed = fleet.alice.get("", {"id": one["id"]}).json["data"]
    assert [shown["flavor"] for shown in listed] == [FOUR]
    assert fleet.alice.get("", {"flavor": FOUR, "id": one["id"]}).json["total"] == 1
    assert fleet.alice.get("", {"flavor": ONE, "id": one["id"]}).json["total"] == 0


def test_an_instance_runs_with_the_flavor_it_was_switched_to(fleet) -> None:
    one = fleet.alice.stopped(flavor=ONE)
    fleet.alice.put(f"/{one['id']}", {"flavor": FAILS})
    fleet.alice.post(f"/{one['id']}/start")
    assert fleet.alice.until(one["id"], "START_FAILED")["fail_reason"] == "no room"


def test_a_page_of_switchable_flavors(fleet) -> None:
    at = f"/{fleet.alice.stopped(flavor=ONE)['id']}/flavors"
    page = fleet.alice.get(at, {"limit": 1, "offset": 1, "sort_key": "vcpus", "sort_dir": "DESC"}).json
    assert [flavor["id"] for flavor in page["data"]] == [TWO]
    assert (page["current"], page["size"]) == (1, 1)
    refused(fleet.bob.get(at), "ModelArts.6404", f"The instance {at.split('/')[1]} does not exist.", 404)


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"flavor": "huge"}, "ModelArts.6323", "The flavor huge is not supported."),
        (
            {"custom_spec": {"cpu": 1, "memory": 1024}},
            "ModelArts.6336",
            "The field custom_spec cannot be honoured: it is for instances in a dedicated pool, "
            "which pool_id names.",
        ),
        ({"image_id": UNKNOWN}, "ModelArts.6797", f"The image {UNKNOWN} does not exist."),
        ({"storage_new_size": 6}, "ModelArts.6331", "The size storage_new_size is 6; allowed: 7 to 4096 GB."),
        (
            {"affinity": {"required_during_scheduling_ignored_during_execution": [{"key": "k"}]}},
            "ModelArts.6336",
            "The field affinity cannot be honoured: it is for instances in a dedicated pool, "
            "which pool_id names.",
        ),
        (
            hook(type="COMMAND"),
            "ModelArts.6335",
            f"The field {PRE_START} is missing.",
        ),
        (
            hook(script="work/x.sh"),
            "ModelArts.6336",
            f"The field {PRE_START} is work/x.sh; allowed: an absolute path of at "
            "most 4096 characters, with type SCRIPT.",
        ),
        *(
            (
                hook(script=script, type="COMMAND"),
                "ModelArts.6336",
                f"The field {PRE_START} is something else; allowed: Base64 of UTF-8 "
                "text of at most 65536 bytes, with type COMMAND.",
            )
            for script in ("echo secret", "/w==", text("x" * 65_537), text("a\0b"))
        ),
    ],
)
def test_what_cannot_be_changed_is_refused_by_name(
    fleet, fields: dict[str, Any], code: str, message: str
) -> None:
    one = fleet.alice.stopped(volume={"category": "EVS", "ownership": "MANAGED", "capacity": 7})
    refused(fleet.alice.put(f"/{one['id']}", {"name": "other"} | fields), code, message)
    assert fleet.alice.get(f"/{one['id']}").json == one


@pytest.mark.parametrize(
    ("field", "value"),
    [("flavor", TWO), ("image_id", BUILT_IN_ID), ("hooks", hook(script="/x")["hooks"])],
)
def test_how_it_is_made_waits_for_it_to_be_stopped(fleet, field: str, value: Any) -> None:
    one = fleet.alice.running()
    refused(
        fleet.alice.put(f"/{one['id']}", {field: value}),
        "ModelArts.6347",
        f"The field {field} cannot be changed while the instance is RUNNING; it must be STOPPED.",
    )


def test_a_stopped_instance_gets_another_image(fleet) -> None:
    other = fleet.hosted.image("other")
    one = fleet.alice.stopped()
    changed = fleet.alice.put(f"/{one['id']}", {"image_id": other.upper()}).json
    assert (changed["image"]["id"], changed["image"]["name"]) == (other, "other")
    assert fleet.alice.get("", {"image_id": other}).json["data"][0]["id"] == one["id"]
    assert fleet.alice.get("", {"image_id": BUILT_IN_ID, "id": one["id"]}).json["total"] == 0


# Volumes.


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_a_volume_grows(fleet, state: str) -> None:
    one = getattr(fleet.alice, state)()
    changed = fleet.alice.put(f"/{one['id']}", {"storage_new_size": 20}).json
    assert (changed["volume"]["capacity"], changed["volume"]["status"]) == (5, "RESIZING")
    assert changed["status"] == state.upper()
    grown = fleet.alice.once(one["id"], lambda shown: "status" not in shown["volume"])
    assert grown["volume"] == one["volume"] | {"capacity": 20}
    assert fleet.hosted.runtime.world.capacities[one["id"]] == 20


@pytest.mark.parametrize(("category", "size"), [("EVS", 5), ("EFS", 50)])
def test_the_size_that_it_has_can_be_sent_along(fleet, category: str, size: int) -> None:
    one = fleet.alice.stopped(volume={"category": category, "ownership": "MANAGED"})
    assert one["volume"]["capacity"] == size
    del one["current_time"]  # Shown, and not in the answer to a change.
    assert fleet.alice.put(f"/{one['id']}", {"storage_new_size": size}).json == one
    changed = fleet.alice.put(f"/{one['id']}", {"storage_new_size": size, "flavor": TWO}).json
    assert (changed["flavor"], changed["volume"]) == (TWO, one["volume"])


def test_only_a_disk_grows(fleet) -> None:
    one = fleet.alice.stopped(volume={"category": "EFS", "ownership": "MANAGED"})
    refused(
        fleet.alice.put(f"/{one['id']}", {"storage_new_size": 60}),
        "ModelArts.6324",
        "The field storage_new_size is not for storage of the kind EFS; allowed: EVS.",
    )


# Frozen instances.


def test_a_frozen_instance_is_stopped_and_left_alone(fleet) -> None:
    one = fleet.alice.running()
    at = f"/{one['id']}"
    refused(
        fleet.alice.post(f"{at}/freeze"),
        "ModelArts.0108", "The caller does not have the permission nbfleet:notebook:freeze.", 403,
    )  # fmt: skip
    frozen = fleet.admin.post(f"{at}/freeze").json
    assert frozen["status"] == "FROZEN"
    fleet.alice.once(one["id"], lambda shown: "ip" not in shown)
    message = f"The instance {one['id']} is frozen; an administrator can lift that."
    for answer in (
        fleet.alice.post(f"{at}/start"),
        fleet.alice.post(f"{at}/stop"),
        fleet.alice.delete(at),
        fleet.alice.put(at, {"name": "n"}),
        fleet.alice.patch(f"{at}/lease", {"duration": HOUR}),
        fleet.alice.get(f"{at}/lease"),
    ):
        refused(answer, "ModelArts.6326", message)
    assert fleet.alice.get("", {"status": "FROZEN"}).json["data"][0]["id"] == one["id"]
    again = f"The instance {one['id']} is FROZEN and cannot be frozen now."
    refused(fleet.admin.post(f"{at}/freeze"), "ModelArts.6357", again)
    assert fleet.admin.post(f"{at}/unfreeze").json["status"] == "STOPPED"
    fleet.alice.post(f"{at}/start")
    fleet.alice.until(one["id"], "RUNNING")
    refused(
        fleet.admin.post(f"{at}/unfreeze"),
        "ModelArts.6357", f"The instance {one['id']} is RUNNING and cannot be unfrozen now.",
    )  # fmt: skip


# The free instance.


def test_each_user_has_one_free_instance(fleet) -> None:
    first = fleet.bob.running(feature="DEFAULT", flavor=ONE)
    assert first["feature"] == "DEFAULT"
    refused(
        fleet.bob.post("", fleet.bob.body(feature="DEFAULT", flavor=ONE)),
        "ModelArts.6302",
        "The caller has an instance with the feature DEFAULT already; one for each user is allowed.",
    )
    assert fleet.bob.get("", {"feature": "DEFAULT"}).json["total"] == 1
    fleet.bob.delete(f"/{first['id']}")
    fleet.bob.gone(first["id"])
    fleet.bob.running(feature="DEFAULT", flavor=ONE)


def test_a_free_instance_is_small_and_runs_for_an_hour(fleet) -> None:
    allowed = "allowed: 3600000 to 3600000 milliseconds with the feature DEFAULT."
    refused(
        fleet.alice.post("", fleet.alice.body(feature="DEFAULT", flavor=TWO)),
        "ModelArts.6870",
        f"The flavor {TWO} is not for the feature DEFAULT; allowed: {ONE}.",
    )
    for duration in (2 * HOUR, -1):
        refused(
            fleet.alice.post("", fleet.alice.body(feature="DEFAULT", flavor=ONE, duration=duration)),
            "ModelArts.6349",
            f"The duration duration is {duration}; {allowed}",
        )
    one = fleet.alice.running(feature="DEFAULT", flavor=ONE)
    at = f"/{one['id']}"
    for answer in (
        fleet.alice.patch(f"{at}/lease", {"duration": 2 * HOUR}),
        fleet.alice.patch(f"{at}/lease", {"duration": -1}),
    ):
        assert answer.refusal == (400, "ModelArts.6349")
    assert fleet.alice.patch(f"{at}/lease", {"duration": HOUR}).status == 200
    fleet.alice.post(f"{at}/stop")
    fleet.alice.until(one["id"], "STOPPED")
    assert fleet.alice.post(f"{at}/start", None, {"duration": 2 * HOUR}).refusal == (400, "ModelArts.6349")
    refused(
        fleet.alice.put(at, {"flavor": TWO}),
        "ModelArts.6792",
        f"The instance cannot switch to the flavor {TWO}; allowed: none.",
    )

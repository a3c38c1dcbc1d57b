"""Every status against every operation that a status can forbid."""

import itertools
import uuid
from typing import Any

import pytest

from nbfleet.domain import lease as leases
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.notebook import Observed, Progress, Step, StepStatus, Wanted
from nbfleet.services.catalogue import BUILT_IN_ID
from support import fleet
from support.people import Person, Place, now

DAY = 86_400_000
PAIRS: dict[Status, tuple[Wanted, Observed]] = {
    Status.CREATING: (Wanted.RUNNING, Observed.NEW),
    Status.STARTING: (Wanted.RUNNING, Observed.STOPPED),
    Status.RUNNING: (Wanted.RUNNING, Observed.RUNNING),
    Status.STOPPING: (Wanted.STOPPED, Observed.RUNNING),
    Status.STOPPED: (Wanted.STOPPED, Observed.STOPPED),
    Status.DELETING: (Wanted.DELETED, Observed.STOPPED),
    Status.CREATE_FAILED: (Wanted.RUNNING, Observed.CREATE_FAILED),
    Status.START_FAILED: (Wanted.RUNNING, Observed.START_FAILED),
    Status.DELETE_FAILED: (Wanted.DELETED, Observed.DELETE_FAILED),
    Status.ERROR: (Wanted.RUNNING, Observed.ERROR),
    Status.DELETED: (Wanted.DELETED, Observed.GONE),
}
MOVING = {Status.CREATING, Status.STARTING, Status.STOPPING, Status.DELETING}
STARTING = {Status.CREATING, Status.STARTING}
FAILED = {Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR}
CALLS: dict[str, tuple[str, str, Any]] = {
    "start": ("POST", "/start", None),
    "stop": ("POST", "/stop", None),
    "delete": ("DELETE", "", None),
    "rename": ("PUT", "", {"name": "other"}),
    "describe": ("PUT", "", {"description": "other"}),
    "renew": ("PATCH", "/lease", None),
    "lease": ("GET", "/lease", None),
}
numbers = itertools.count(1)


BEGUN = Progress().with_step(Step.STORAGE, StepStatus.PROCESSING)


def put(place: Place, person: Person, status: Status, progress: Progress | None = None) -> str:
    """A notebook in this status, on which nobody works before tomorrow; a start has begun unless said so."""
    wanted, observed = PAIRS[status]
    if progress is None and status in STARTING:
        progress = BEGUN
    made = fleet.notebook(
        next(numbers), id=str(uuid.uuid4()), project_id=person.project.id, owner_id=person.user.id,
        image_id=BUILT_IN_ID, wanted=wanted, observed=observed, lease=leases.opened(DAY, now()),
        progress=progress,
    )  # fmt: skip
    place.database.write_now(lambda connection: fleet.add(connection, made, due_at=now() + DAY))
    return made.id


def outcome(call: str, status: Status, notebook_id: str) -> tuple[int, str, str]:
    """What the contract says: HTTP status, then the new status or the code, then the message."""
    missing = (404, "ModelArts.6404", f"The instance {notebook_id} does not exist.")
    conflict = {
        "start": "start now",
        "stop": "stop now",
        "delete": "be deleted now",
    }
    needs_running = (400, "ModelArts.6327", f"The instance {notebook_id} is {status}; it must be RUNNING.")
    if status is Status.DELETED:
        return missing
    match call:
        case "start" if status in (Status.STOPPED, Status.START_FAILED, Status.ERROR):
            return (200, "STARTING", "")
        case "stop" if status is Status.RUNNING:
            return (200, "STOPPING", "")
        case "stop" if status in FAILED:
            return needs_running
        case "delete" if status not in MOVING:
            return (200, "DELETING", "")
        case "start" | "stop" | "delete":
            text = f"The instance {notebook_id} is {status} and cannot {conflict[call]}."
            return (400, "ModelArts.6357", text)
        case "rename" | "describe" if status in (Status.RUNNING, Status.STOPPED):
            return (200, status.value, "")
        case "rename" | "describe":
            field = {"rename": "name", "describe": "description"}[call]
            needed = f"{status}; it must be RUNNING or STOPPED"
            text = f"The field {field} cannot be changed while the instance is {needed}."
            return (400, "ModelArts.6347", text)
        case _ if status is Status.RUNNING:
            return (200, "", "")
        case _:
            return needs_running


@pytest.mark.parametrize("status", PAIRS)
@pytest.mark.parametrize("call", CALLS)
def test_each_operation_in_each_status(place: Place, member: Person, call: str, status: Status) -> None:
    notebook_id = put(place, member, status)
    method, path, body = CALLS[call]
    before = member.key("GET", f"notebooks/{notebook_id}").json
    reply = member.key(method, f"notebooks/{notebook_id}{path}", body=body)
    expected = outcome(call, status, notebook_id)
    if expected[0] == 200:
        assert (reply.status, reply.json.get("status", ""), "") == expected
    else:
        assert (*reply.error, reply.message) == expected
        after = member.key("GET", f"notebooks/{notebook_id}").json
        assert {**after, "current_time": 0} == {**before, "current_time": 0}


@pytest.mark.parametrize("status", sorted(STARTING))
def test_a_start_that_waits_is_called_off_by_a_stop(place: Place, member: Person, status: Status) -> None:
    notebook_id = put(place, member, status, Progress())
    before = member.show(notebook_id)
    reply = member.key("POST", f"notebooks/{notebook_id}/stop")
    assert [step["status"] for step in before.pop("action_progress")] == ["WAITING"] * 4
    del before["current_time"]
    changed = {"status": "STOPPED", "update_at": reply.json["update_at"]}
    assert (reply.status, reply.json) == (200, before | changed)
    second = member.key("POST", f"notebooks/{notebook_id}/stop")
    assert second.error == (400, "ModelArts.6357")
    assert second.message == f"The instance {notebook_id} is STOPPED and cannot stop now."
    assert member.key("POST", f"notebooks/{notebook_id}/start").json["status"] == "STARTING"
    member.wait(notebook_id)
    assert member.key("DELETE", f"notebooks/{notebook_id}").json["status"] == "DELETING"
    assert member.wait_until_gone(notebook_id).error == (404, "ModelArts.6404")


@pytest.mark.parametrize("status", sorted(STARTING))
def test_a_start_that_waits_is_called_off_by_a_delete(place: Place, member: Person, status: Status) -> None:
    notebook_id = put(place, member, status, Progress())
    reply = member.key("DELETE", f"notebooks/{notebook_id}")
    assert (reply.status, reply.json["status"], "action_progress" in reply.json) == (200, "DELETING", False)
    assert member.wait_until_gone(notebook_id).error == (404, "ModelArts.6404")


def test_a_status_without_a_call_shows_itself(place: Place, member: Person) -> None:
    for status in PAIRS:
        if status is not Status.DELETED:
            notebook_id = put(place, member, status)
            shown = member.show(notebook_id)
            assert (shown["id"], shown["status"]) == (notebook_id, status)
            assert ("url" in shown) == (status is Status.RUNNING)


def test_update_refuses_the_state_before_it_changes_anything(place: Place, member: Person) -> None:
    """Two fields at once: the first is named, none is changed."""
    notebook_id = put(place, member, Status.STOPPING)
    reply = member.key("PUT", f"notebooks/{notebook_id}", body={"description": "d", "name": "n"})
    assert reply.error == (400, "ModelArts.6347")
    assert reply.message.startswith("The field name cannot be changed while the instance is STOPPING")

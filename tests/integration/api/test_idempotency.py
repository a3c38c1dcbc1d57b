"""A create request that is repeated under one key has one effect."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.client import Answer


def create(caller, key: str, **fields: Any) -> Answer:
    return caller.post("", caller.body(**fields), headers=[("Idempotency-Key", key)])


def test_a_repeated_request_answers_the_same_notebook(fleet) -> None:
    first = create(fleet.alice, "once", name="keyed-once").json
    fleet.alice.until(first["id"], "RUNNING")
    again = create(fleet.alice, "once", name="keyed-once").json
    assert (again["id"], again["status"]) == (first["id"], "RUNNING")
    assert fleet.alice.get("", {"name": "keyed-once"}).json["total"] == 1


def test_another_body_under_the_same_key_is_refused(fleet) -> None:
    create(fleet.alice, "body", name="keyed-body")
    other = create(fleet.alice, "body", name="keyed-other")
    assert other.refusal == (400, "ModelArts.6336")
    assert other.message == (
        "The field Idempotency-Key is body; allowed: a key not yet used for another request."
    )
    assert fleet.alice.get("", {"name": "keyed-other"}).json["total"] == 0


def test_a_key_belongs_to_its_user(fleet) -> None:
    mine = create(fleet.alice, "shared").json
    theirs = create(fleet.bob, "shared").json
    assert mine["id"] != theirs["id"]


def test_a_refused_request_does_not_use_its_key_up(fleet) -> None:
    assert create(fleet.alice, "later", flavor="absent").refusal == (400, "ModelArts.6323")
    assert create(fleet.alice, "later").status == 200


def test_at_the_same_moment_one_is_made(fleet) -> None:
    body = fleet.alice.body(name="keyed-crowd")

    def once(_n: int) -> Answer:
        return fleet.alice.post("", body, headers=[("Idempotency-Key", "crowd")])

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(once, range(12)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert fleet.alice.get("", {"name": "keyed-crowd"}).json["total"] == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "tab\there"])
def test_what_is_no_key_is_refused(fleet, key: str) -> None:
    answer = create(fleet.alice, key)
    assert answer.refusal == (400, "ModelArts.6336")
    assert "Idempotency-Key" in answer.message
    assert "1 to 255 printable characters" in answer.message

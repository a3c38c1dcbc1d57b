"""Idempotency-Key: a create request that is repeated has no second effect."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.http import Reply
from support.people import Person, Place


def create(person: Person, key: str | None, **fields: Any) -> Reply:
    headers = [] if key is None else [("Idempotency-Key", key)]
    return person.key("POST", "notebooks", body=person.request(**fields), headers=headers)


def names(person: Person) -> list[str]:
    return [one["name"] for one in person.key("GET", "notebooks").json["data"]]


@pytest.fixture
def person(place: Place, member: Person) -> Person:
    return place.new_person(member.project)


def test_the_same_key_and_body_answer_the_same_notebook(person: Person) -> None:
    first = create(person, "key-1", name="once").json
    running = person.wait(first["id"])
    again = create(person, "key-1", name="once")
    assert again.status == 200
    del running["current_time"]
    assert again.json == running
    assert names(person) == ["once"]


def test_how_the_body_is_written_does_not_matter(person: Person) -> None:
    body = person.request(name="once")
    spaced = str(body).replace("'", '"').replace(",", " ,\n").encode()
    headers = [("Idempotency-Key", "key")]
    first = person.key("POST", "notebooks", body=body, headers=headers).json["id"]
    second = person.key("POST", "notebooks", body=spaced, headers=headers).json["id"]
    assert first == second


def test_another_body_is_refused(person: Person) -> None:
    first = create(person, "key-1", name="once").json["id"]
    for fields in ({"name": "other"}, {"name": "once", "description": "x"}, {"name": "once", "duration": -1}):
        reply = create(person, "key-1", **fields)
        assert reply.error == (400, "ModelArts.6336")
        allowed = "a key not yet used for another request"
        assert reply.message == f"The field Idempotency-Key is key-1; allowed: {allowed}."
    assert create(person, "key-1", name="once").json["id"] == first
    assert names(person) == ["once"]


def test_other_keys_and_none_make_other_notebooks(person: Person) -> None:
    keys = ("key-1", "KEY-1", "key-2", None, None, "k" * 255, "\xe9")
    made = [create(person, key, name="same").json["id"] for key in keys]
    assert len(set(made)) == len(keys)


def test_other_people_and_projects_are_not_affected(place: Place, person: Person) -> None:
    other = place.new_person(person.project)
    elsewhere = place.new_person(place.new_project())
    made = [
        create(one, "shared", name=f"of-{one.user.name}").json["id"] for one in (person, other, elsewhere)
    ]
    assert len(set(made)) == 3
    assert names(person) == [f"of-{person.user.name}"]
    assert names(other) == [f"of-{other.user.name}"]


def test_a_refused_request_uses_no_key_up(person: Person) -> None:
    assert create(person, "key-1", name="bad name").error == (400, "ModelArts.6334")
    unknown = "00000000-0000-4000-8000-000000000000"
    assert create(person, "key-1", image_id=unknown).error == (400, "ModelArts.6797")
    assert create(person, "key-1", workspace_id="a" * 32).error == (400, "ModelArts.7005")
    assert create(person, "key-1", name="good").status == 200
    assert names(person) == ["good"]


def test_a_key_does_not_revive_a_deleted_notebook(person: Person) -> None:
    first = person.wait(create(person, "key-1", name="once").json["id"])["id"]
    assert person.key("DELETE", f"notebooks/{first}").json["status"] == "DELETING"
    person.wait_until_gone(first)
    reply = create(person, "key-1", name="once")
    assert reply.error == (404, "ModelArts.6404")
    assert reply.message == f"The instance {first} does not exist."
    assert names(person) == []


def test_two_different_keys_in_one_request_are_refused(person: Person) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    reply = person.token("POST", "notebooks", body=person.request(), headers=headers)
    assert reply.error == (400, "ModelArts.6336")
    assert reply.message == "The field Idempotency-Key is a, b; allowed: one value."
    assert names(person) == []


@pytest.mark.parametrize("round_", range(5))
def test_eight_requests_at_once_make_one_notebook(place: Place, person: Person, round_: int) -> None:
    def ask(_number: int) -> Reply:
        caller = place.caller(person.key.credentials, person.project.id)
        body = person.request(name="raced")
        return caller("POST", "notebooks", body=body, headers=[("Idempotency-Key", f"race-{round_}")])

    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(ask, range(8)))
    assert [reply.status for reply in replies] == [200] * 8
    assert len({reply.json["id"] for reply in replies}) == 1
    assert names(person) == ["raced"]


def test_eight_different_requests_at_once_with_one_key_make_one_notebook(
    place: Place, person: Person
) -> None:
    def ask(number: int) -> Reply:
        caller = place.caller(person.key.credentials, person.project.id)
        body = person.request(name=f"raced-{number}")
        return caller("POST", "notebooks", body=body, headers=[("Idempotency-Key", "race")])

    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(ask, range(8)))
    won = [reply.json["name"] for reply in replies if reply.status == 200]
    assert names(person) == won
    assert [reply.error for reply in replies if reply.status != 200] == [(400, "ModelArts.6336")] * 7

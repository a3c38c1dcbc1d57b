"""What the fleet lists can do beside the contract: several statuses, windows, walks, counts and exports."""

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbfleet.domain.lifecycle import Status, status_of
from support import fleet
from support.http import Reply
from support.listed import POOLS, Entry, Fleet, filled
from support.people import Person, Place

EVERYTHING = {"feature": "*", "workspace_id": "*"}


@pytest.fixture(scope="module")
def listed(place: Place) -> Fleet:
    return filled(place)


def ask(person: Person, rest: str, **query: Any) -> Reply:
    return person.key("GET", f"notebooks{rest}", query=query)


def ids(reply: Reply) -> list[str]:
    assert reply.status == 200, reply
    return [one["id"] for one in reply.json["data"]]


def newest_first(listed: Fleet, matches: Callable[[Entry], bool]) -> list[Entry]:
    """Entries are numbered as they were made, which is what decides between equal times."""
    found = [entry for entry in enumerate(listed.entries) if matches(entry[1])]
    found.sort(key=lambda item: (item[1].notebook.create_at, item[0]), reverse=True)
    return [entry for _, entry in found]


def exists(entry: Entry) -> bool:
    return status_of(entry.notebook) is not Status.DELETED


def refused(reply: Reply) -> tuple[tuple[int, str], str]:
    return reply.error, reply.message


# Several statuses, and windows of time.


@pytest.mark.parametrize(
    "asked", ["RUNNING,STOPPED", "running,Running", "DELETED,RUNNING", "ERROR,CREATE_FAILED,DELETED"]
)
def test_several_statuses_are_any_of_them(listed: Fleet, asked: str) -> None:
    wanted = set(asked.upper().split(","))
    expected = newest_first(listed, lambda entry: status_of(entry.notebook).value in wanted)
    reply = ask(listed.chief, "/all", status=asked, limit=1000, **EVERYTHING)
    assert ids(reply) == [entry.notebook.id for entry in expected]
    assert reply.json["total"] == len(expected)


@pytest.mark.parametrize(
    ("asked", "given"),
    [("RUNNING,", ""), ("RUNNING,LOST", "LOST"), (",", ""), ("RUNNING STOPPED", "RUNNING STOPPED")],
)
def test_one_unknown_status_among_several_is_refused(listed: Fleet, asked: str, given: str) -> None:
    error, message = refused(ask(listed.chief, "/all", status=asked))
    assert error == (400, "ModelArts.0107")
    assert message.startswith(f"The parameter status is {given};")


def test_windows_begin_with_their_first_millisecond_and_end_before_their_last(listed: Fleet) -> None:
    for field, moment in (("created", "create_at"), ("updated", "update_at")):
        for since, until in ((3, 9), (5, None), (None, 4), (7, 7), (9, 3), (0, 100)):
            window = {f"{field}_since": since, f"{field}_until": until}
            query = {name: fleet.NOW + value for name, value in window.items() if value is not None}

            def within(
                entry: Entry, moment: str = moment, since: int | None = since, until: int | None = until
            ) -> bool:
                at = getattr(entry.notebook, moment) - fleet.NOW
                inside = (since is None or at >= since) and (until is None or at < until)
                return exists(entry) and inside

            reply = ask(listed.chief, "/all", limit=1000, **query, **EVERYTHING)
            assert ids(reply) == [entry.notebook.id for entry in newest_first(listed, within)], query


@pytest.mark.parametrize("value", ["-1", "yesterday", str(2**63), "1.5", ""])
def test_a_window_of_no_time_is_refused(listed: Fleet, value: str) -> None:
    error, message = refused(ask(listed.chief, "/all", created_since=value))
    assert error == (400, "ModelArts.0107")
    assert message.startswith(f"The parameter created_since is {value};")


# Walks.


def walked(person: Person, rest: str, limit: int, **query: Any) -> list[str]:
    found: list[str] = []
    marker: str | None = ""
    while marker is not None:
        reply = ask(person, rest, limit=limit, marker=marker, **query)
        found += ids(reply)
        marker = reply.json.get("next_marker")
    return found


@pytest.mark.parametrize("limit", [1, 7, 60, 1000])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_a_walk_meets_everything_once_in_order(listed: Fleet, limit: int, direction: str) -> None:
    expected = [entry.notebook.id for entry in newest_first(listed, exists)]
    found = walked(listed.chief, "/all", limit, sort_dir=direction, **EVERYTHING)
    assert found == (expected if direction == "DESC" else expected[::-1])


def test_without_a_marker_the_answer_is_that_of_the_contract(listed: Fleet) -> None:
    reply = ask(listed.chief, "/all", limit=2, **EVERYTHING)
    assert reply.json.keys() == {"current", "data", "pages", "size", "total"}


def test_the_numbers_of_a_walk_are_those_of_the_whole(listed: Fleet) -> None:
    whole = ask(listed.chief, "/all", limit=50, **EVERYTHING).json
    first = ask(listed.chief, "/all", limit=50, marker="", **EVERYTHING).json
    then = ask(listed.chief, "/all", limit=50, marker=first.pop("next_marker"), **EVERYTHING).json
    assert first == whole
    assert {name: then[name] for name in ("total", "pages", "size", "current")} == {
        name: whole[name] for name in ("total", "pages", "size", "current")
    }


def test_a_walk_may_change_its_step_and_nothing_else(listed: Fleet) -> None:
    anna, chief = listed.people["Anna"], listed.chief
    marker = ask(chief, "/all", limit=3, marker="", **EVERYTHING).json["next_marker"]
    assert ids(ask(chief, "/all", limit=4, marker=marker, **EVERYTHING)) == [
        entry.notebook.id for entry in newest_first(listed, exists)[3:7]
    ]
    allowed = "empty, or the next_marker of an answer to you with the same filters"
    for person, rest, query in (
        (anna, "", EVERYTHING),  # Another caller.
        (chief, "", EVERYTHING),  # Another list.
        (chief, "/all", {**EVERYTHING, "status": "RUNNING"}),
        (chief, "/all", {**EVERYTHING, "name": "a"}),
        (chief, "/all", {**EVERYTHING, "sort_dir": "ASC"}),
        (chief, "/all", {"feature": "*"}),
        (chief, "/all", {**EVERYTHING, "created_since": 0}),
    ):
        error, message = refused(ask(person, rest, marker=marker, **query))
        assert error == (400, "ModelArts.0107"), query
        assert message.endswith(f"allowed: {allowed}.")


def test_a_marker_that_was_touched_is_refused(listed: Fleet) -> None:
    marker = ask(listed.chief, "/all", limit=3, marker="", **EVERYTHING).json["next_marker"]
    content = bytearray(base64.urlsafe_b64decode(marker + "=="))
    content[-1] ^= 1
    changed = base64.urlsafe_b64encode(content).decode().rstrip("=")
    for bad in (changed, marker[:-4], marker[:9], "x", "é", "0", marker + marker):
        reply = ask(listed.chief, "/all", limit=3, marker=bad, **EVERYTHING)
        assert reply.error == (400, "ModelArts.0107"), bad


def test_a_walk_goes_by_creation_only(listed: Fleet) -> None:
    by_name = ask(listed.chief, "/all", marker="", sort_key="name")
    assert refused(by_name) == (
        (400, "ModelArts.0107"),
        "The parameter sort_key is name; allowed: create_at, as a marker was given.",
    )
    behind = ask(listed.chief, "/all", marker="", offset=3)
    assert refused(behind) == (
        (400, "ModelArts.0107"),
        "The parameter offset is 3; allowed: 0, as a marker was given.",
    )


def test_others_come_and_go_during_a_walk(place: Place) -> None:
    """Whoever was there throughout is met once, whatever is made and deleted meanwhile."""
    chief = filled(place).chief
    stay = set(ids(ask(chief, "/all", limit=1000, **EVERYTHING)))
    met: list[str] = []
    marker: str | None = ""
    while marker is not None:
        made = chief.create(name="comes")["id"]
        reply = ask(chief, "/all", limit=10, marker=marker, **EVERYTHING)
        met += ids(reply)
        marker = reply.json.get("next_marker")
        goes = next((one for one in ids(reply) if one in stay and len(met) < 60), None)
        if goes is not None and chief.key("DELETE", f"notebooks/{goes}").status == 200:
            stay.discard(goes)
        assert met.count(made) <= 1
    assert Counter(met).most_common(1)[0][1] == 1
    assert stay <= set(met)


# Counts.


def values_of(entry: Entry, by: str) -> list[str]:
    n = entry.notebook
    one = {
        "status": status_of(n).value,
        "owner": n.owner_id,
        "pool": n.pool_id or "",
        "flavor": n.flavor,
        "image": n.image_id,
        "workspace": n.workspace_id,
    }
    return [f"{key}|{value}" for key, value in entry.tags.items()] if by == "tag" else [one[by]]


def names(listed: Fleet, by: str) -> dict[str, str]:
    return {
        "owner": {person.user.id: person.user.name for person in listed.people.values()},
        "pool": {"": None, **POOLS},
        "image": dict(listed.images),
    }.get(by, {})  # type: ignore[return-value]


def counted(listed: Fleet, entries: list[Entry], by: str, limit: int = 100) -> dict[str, Any]:
    numbers = Counter(value for entry in entries for value in values_of(entry, by))
    groups = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    named = names(listed, by)
    return {
        "by": by,
        "total": len(entries),
        "group_total": len(groups),
        "groups": [
            {"key": key, "count": number} | ({"name": named[key]} if named.get(key) is not None else {})
            for key, number in groups[:limit]
        ],
    }


FILTERS: list[tuple[dict[str, Any], Callable[[Entry], bool]]] = [
    ({}, lambda entry: True),
    ({"name": "train"}, lambda entry: "train" in entry.notebook.name.casefold()),
    ({"pool_id": "pool-1"}, lambda entry: entry.notebook.pool_id == "pool-1"),
    ({"workspace_id": "0", "feature": "NOTEBOOK"},
     lambda entry: (entry.notebook.workspace_id, entry.notebook.feature) == ("0", "NOTEBOOK")),
    ({"tags": "team"}, lambda entry: "team" in entry.tags),
    ({"created_since": fleet.NOW + 7}, lambda entry: entry.notebook.create_at >= fleet.NOW + 7),
    ({"description": "nowhere"}, lambda entry: False),
]  # fmt: skip


@pytest.mark.parametrize("by", ["status", "owner", "pool", "flavor", "image", "workspace", "tag"])
def test_counts_by_every_field_with_every_kind_of_filter(listed: Fleet, by: str) -> None:
    for query, matches in FILTERS:
        entries = newest_first(listed, lambda entry, matches=matches: exists(entry) and matches(entry))
        reply = ask(listed.chief, "/count", by=by, **query)
        answer = reply.json
        if by == "workspace":
            answer["groups"] = [{k: v for k, v in one.items() if k != "name"} for one in answer["groups"]]
        assert answer == counted(listed, entries, by), query


def test_counts_several_statuses_deleted_ones_too(listed: Fleet) -> None:
    wanted = {Status.DELETED, Status.RUNNING}
    entries = newest_first(listed, lambda entry: status_of(entry.notebook) in wanted)
    assert ask(listed.chief, "/count", status="DELETED,RUNNING").json == counted(listed, entries, "status")


def test_counts_as_many_groups_as_asked_for(listed: Fleet) -> None:
    entries = newest_first(listed, exists)
    assert ask(listed.chief, "/count", by="tag", limit=2).json == counted(listed, entries, "tag", 2)


def test_a_member_counts_its_own(listed: Fleet) -> None:
    anna = listed.people["Anna"]
    entries = newest_first(listed, lambda e: exists(e) and e.notebook.owner_id == anna.user.id)
    for by in ("status", "owner", "tag"):
        answer = ask(anna, "/count", by=by, owner=listed.people["ben"].user.id).json
        assert answer == counted(listed, entries, by)


@pytest.mark.parametrize(
    ("query", "start"),
    [
        (
            {"by": "colour"},
            "The parameter by is colour; allowed: flavor, image, owner, pool, status, tag, workspace.",
        ),
        ({"limit": 0}, "The parameter limit is 0;"),
        ({"name": "a b"}, "The parameter name is a b;"),
    ],
)
def test_a_count_of_something_else_is_refused(listed: Fleet, query: dict[str, Any], start: str) -> None:
    error, message = refused(ask(listed.chief, "/count", **query))
    assert error == (400, "ModelArts.0107")
    assert message.startswith(start)


# Exports.


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_an_export_is_the_list_without_secrets(listed: Fleet, direction: str) -> None:
    page = ask(listed.chief, "/all", limit=1000, sort_dir=direction, **EVERYTHING).json["data"]
    secret = ("token", "url", "endpoints")
    expected = [{name: value for name, value in one.items() if name not in secret} for one in page]
    reply = ask(listed.chief, "/export", sort_dir=direction)
    assert [json.loads(line) for line in reply.raw.splitlines()] == expected
    assert reply.header("Content-Type") == "application/x-ndjson"
    assert reply.header("Content-Disposition") == 'attachment; filename="notebooks.ndjson"'


def test_an_owner_exports_no_secrets_either(listed: Fleet) -> None:
    anna = listed.people["Anna"]
    mine = newest_first(listed, lambda e: exists(e) and e.notebook.owner_id == anna.user.id)
    rows = [json.loads(line) for line in ask(anna, "/export").raw.splitlines()]
    assert [row["id"] for row in rows] == [entry.notebook.id for entry in mine]
    assert {name for row in rows for name in row} & {"token", "url", "endpoints"} == set()
    assert "token" in ask(anna, "", limit=1, **EVERYTHING).json["data"][0]


def test_a_table_has_the_same_rows(listed: Fleet) -> None:
    reply = ask(listed.chief, "/export", format="csv", name="train")
    rows = list(csv.DictReader(io.StringIO(reply.raw.decode(), newline="")))
    expected = newest_first(listed, lambda e: exists(e) and "train" in e.notebook.name.casefold())
    assert [(row["id"], row["name"], row["status"], row["owner_name"], row["image"]) for row in rows] == [
        (e.notebook.id, e.notebook.name, status_of(e.notebook).value, e.owner, e.swr_path) for e in expected
    ]
    assert reply.header("Content-Type") == "text/csv; charset=utf-8"


def test_a_cell_is_no_formula(listed: Fleet) -> None:
    reply = ask(listed.chief, "/export", format="csv")
    rows = list(csv.DictReader(io.StringIO(reply.raw.decode(), newline="")))
    names = {entry.notebook.name for entry in newest_first(listed, exists)}
    assert "-" in names
    assert {row["name"] for row in rows} == {"'-" if name == "-" else name for name in names}


def test_an_empty_export_has_no_rows(listed: Fleet) -> None:
    assert ask(listed.chief, "/export", description="nowhere").raw == b""
    assert ask(listed.chief, "/export", description="nowhere", format="csv").raw.count(b"\r\n") == 1


def test_an_export_in_another_form_is_refused_before_it_begins(listed: Fleet) -> None:
    error, message = refused(ask(listed.chief, "/export", format="xml"))
    assert error == (400, "ModelArts.0107")
    assert message == "The parameter format is xml; allowed: csv, ndjson."


@settings(max_examples=40)
@given(data=st.data())
def test_lists_counts_and_exports_agree(listed: Fleet, data: st.DataObject) -> None:
    """Three ways to ask the same."""
    choices = [query for query, _ in FILTERS] + [
        {"status": "RUNNING,STOPPED"}, {"owner": listed.people["ben"].user.id}, {"flavor": "cpu"},
        {"updated_until": fleet.NOW + 9}, {"billing": "COMPUTE"}, {"username": "a"}, {"swr_path": "torch"},
    ]  # fmt: skip
    query: dict[str, Any] = dict(EVERYTHING)
    for one in data.draw(st.lists(st.sampled_from(choices), max_size=3)):
        query |= one
    person = data.draw(st.sampled_from([listed.chief, listed.people["Anna"]]))
    rest = "/all" if person is listed.chief else ""
    page = ask(person, rest, limit=1000, **query)
    exported = [json.loads(line)["id"] for line in ask(person, "/export", **query).raw.splitlines()]
    assert exported == ids(page)
    for by in ("status", "flavor"):
        answer = ask(person, "/count", by=by, **query).json
        assert answer["total"] == sum(group["count"] for group in answer["groups"]) == len(exported)
    assert walked(person, rest, 25, **query) == exported

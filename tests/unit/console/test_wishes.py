"""What forms ask for, and which field a refusal is about."""

from typing import Any

import pytest
from msgspec import UNSET

from nbfleet.console import wishes
from nbfleet.console.visit import Form
from nbfleet.wire import errors, errors_storage
from nbfleet.wire.tags import TmsTagResponse


def form(**fields: str) -> Form:
    return Form({name: (value,) for name, value in fields.items()})


@pytest.mark.parametrize(
    ("refusal", "field"),
    [
        (errors.wrong_value("volume.capacity", 1, "5 to 10"), "volume"),
        (errors.wrong_value("tags[3].key", "x", "y"), "tags"),
        (errors.missing("name"), "name"),
        (errors_storage.bad_size("storage_new_size", 1, "2"), "storage_new_size"),
        (errors.bad_duration("duration", 1, "2"), "duration"),
        (errors_storage.bad_mount_path("mount_path", "/", "/data/"), "mount_path"),
        (errors.image_not_found("x"), "image_id"),
        (errors.flavor_sold_out("x", "public", "none"), "flavor"),
        (errors.workspace_not_found("0"), "workspace_id"),
        (errors.quota_exceeded("You have 3 notebooks; you may have at most 3."), ""),
        (errors.overloaded(3), ""),
    ],
    ids=lambda given: given if isinstance(given, str) else given.code,
)
def test_a_refusal_names_its_field(refusal: errors.ApiError, field: str) -> None:
    assert wishes.field_of(refusal) == field


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", []),
        (" \n\n", []),
        ("a=1\r\n b = 2 = 3 \nalone", [("a", "1"), ("b", "2 = 3"), ("alone", "")]),
        ("=x", [("", "x")]),
    ],
)
def test_each_line_is_a_tag(text: str, tags: list[tuple[str, str]]) -> None:
    assert wishes.tags_of(text) == [{"key": key, "value": value} for key, value in tags]


def test_what_is_empty_is_left_out_and_what_makes_no_sense_travels_on() -> None:
    sent = form(name="", flavor="", image_id="x", category="EVS", size="five", duration="-1", tags="")
    assert wishes.to_create(sent) == {
        "name": "",
        "image_id": "x",
        "volume": {"category": "EVS", "ownership": "MANAGED", "capacity": "five"},
        "duration": -1,
    }


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({"name": "one", "name_was": "one", "description": "", "flavor": "s"}, {"flavor": "s"}),
        ({"name": "two", "name_was": "one", "flavor_was": "s"}, {"name": "two"}),
        ({"description": "a\r\nb", "description_was": "a\nb"}, {}),
        ({"description": "", "description_was": "d"}, {"description": ""}),
        ({"storage_new_size": "9", "storage_new_size_was": "5"}, {"storage_new_size": 9}),
        ({"storage_new_size": "4", "storage_new_size_was": "4"}, {}),
    ],
)
def test_only_what_differs_from_what_was_shown_is_asked_for(
    fields: dict[str, str], body: dict[str, Any]
) -> None:
    assert wishes.to_change(form(**fields)) == body


def test_tags_that_are_new_or_other_are_set_and_those_left_out_are_removed() -> None:
    was = wishes.lines_of([TmsTagResponse(key="a", value="1"), TmsTagResponse(key="b")])
    assert was == "a=1\nb"
    assert wishes.tags_to_change(form(tags="a=2\r\nc", tags_was=was)) == (
        [{"key": "a", "value": "2"}, {"key": "c", "value": ""}],
        [{"key": "b"}],
    )
    assert wishes.tags_to_change(form(tags=was, tags_was=was)) == ([], [])
    assert wishes.lines_of(UNSET) == ""


def test_what_is_saved_counts_as_shown() -> None:
    sent = form(name="two", name_was="one", tags="a=2\nb", tags_was="a=1\nc\nb")
    asked = wishes.changes(sent)
    assert [(one.operation, one.body, dict(one.then)) for one in asked] == [
        ("UpdateNotebook", {"name": "two"}, {"name_was": "two"}),
        ("DeleteNotebookTags", {"tags": [{"key": "c"}]}, {"tags_was": "a=1\nb"}),
        ("CreateNotebookTags", {"tags": [{"key": "a", "value": "2"}]}, {"tags_was": "a=2\nb"}),
    ]
    assert wishes.changes(form(name="one", name_was="one")) == []

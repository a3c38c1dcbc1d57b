"""What forms ask for, and which field a refusal is about."""

from typing import Any

import pytest
from msgspec import UNSET

from nbfleet.console import wishes
from nbfleet.console.visit import Form
from nbfleet.wire import enums, errors
from nbfleet.wire.images import Image
from nbfleet.wire.notebooks import NotebookResp
from nbfleet.wire.tags import TmsTagResponse
from nbfleet.wire.volumes import VolumeRes

ONE = NotebookResp(
    id="11111111-2222-4333-8444-555555555555",
    name="one",
    status=enums.NotebookStatus.STOPPED,
    flavor="small",
    image=Image(id="22222222-2222-4333-8444-555555555555"),
    volume=VolumeRes(capacity=5),
    tags=[TmsTagResponse(key="a", value="1"), TmsTagResponse(key="b")],
)


def form(**fields: str) -> Form:
    return Form({name: (value,) for name, value in fields.items()})


@pytest.mark.parametrize(
    ("refusal", "field"),
    [
        (errors.wrong_value("volume.capacity", 1, "5 to 10"), "volume"),
        (errors.wrong_value("tags[3].key", "x", "y"), "tags"),
        (errors.missing("name"), "name"),
        (errors.bad_size("storage_new_size", 1, "2"), "storage_new_size"),
        (errors.bad_duration("duration", 1, "2"), "duration"),
        (errors.bad_mount_path("mount_path", "/", "/data/"), "mount_path"),
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
        ({"name": "one", "description": "", "flavor": "small"}, {}),
        ({"name": "two", "description": "d"}, {"name": "two", "description": "d"}),
        ({"storage_new_size": "9", "storage_was": "5"}, {"storage_new_size": 9}),
        # The volume has grown since the form was made; nobody asked to shrink it.
        ({"storage_new_size": "4", "storage_was": "4"}, {}),
    ],
)
def test_only_what_differs_is_asked_for(fields: dict[str, str], body: dict[str, Any]) -> None:
    assert wishes.to_change(form(**fields), ONE) == body


def test_tags_that_are_new_or_other_are_set_and_those_left_out_are_removed() -> None:
    assert wishes.tags_to_change(form(tags="a=2\nc"), ONE) == (
        [{"key": "a", "value": "2"}, {"key": "c", "value": ""}],
        [{"key": "b"}],
    )
    assert wishes.tags_to_change(form(tags=wishes.lines_of(ONE.tags)), ONE) == ([], [])
    assert wishes.lines_of(UNSET) == ""

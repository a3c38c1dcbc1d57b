"""The table of operations: unambiguous, complete, and decodable."""

import re
from typing import Any

import msgspec
import pytest

from nbfleet.wire.enums import FeatureFilter, SortDirection
from nbfleet.wire.operations import (
    ACTIONS,
    AUTHENTICATED,
    MEMBER,
    OPERATIONS,
    PUBLIC,
    Action,
    Operation,
    Standing,
    by_id,
)
from nbfleet.wire.parameters import FLEET, LISTING, Parameter

UUID = "11111111-2222-4333-8444-555555555555"
PROJECT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def parameter(operation_id: str, name: str) -> Parameter:
    return next(p for p in by_id(operation_id).parameters if p.name == name)


def decode(operation_id: str, name: str, text: str) -> Any:
    return msgspec.convert(text, parameter(operation_id, name).type, strict=False)


def matches(operation: Operation, method: str, path: str) -> bool:
    pattern = re.sub(r"\{\w+\}", "[^/]+", operation.path)
    return operation.method == method and re.fullmatch(pattern, path) is not None


def resolve(method: str, path: str) -> str:
    """Choose as a router should: a fixed word wins over a parameter, from left to right."""
    found = [operation for operation in OPERATIONS if matches(operation, method, path)]
    return min(found, key=lambda o: [word.startswith("{") for word in o.path.split("/")]).id


def test_ids_are_unique() -> None:
    assert len({operation.id for operation in OPERATIONS}) == len(OPERATIONS) == 66


def test_method_and_path_are_unique_whatever_the_parameters_are_called() -> None:
    shapes = [(o.method, re.sub(r"\{\w+\}", "{}", o.path)) for o in OPERATIONS]
    assert len(set(shapes)) == len(shapes)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_row_can_be_served(operation: Operation) -> None:
    in_path = {p.name for p in operation.parameters if p.location == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", operation.path))
    assert all(p.required for p in operation.parameters if p.location == "path")
    assert len({(p.location, p.name) for p in operation.parameters}) == len(operation.parameters)
    assert operation.body is not None or not operation.body_required
    assert (operation.answer is None and not operation.streams) == (operation.status == 204)
    assert operation.answer is None or not operation.streams
    assert by_id(operation.id) is operation


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_row_has_a_permission_that_fits_its_path(operation: Operation) -> None:
    assert isinstance(operation.permission, Action | Standing)
    has_project = "{project_id}" in operation.path
    assert has_project == (operation.permission not in {PUBLIC, AUTHENTICATED})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_defaults_are_values_of_their_type(operation: Operation) -> None:
    for item in operation.parameters:
        if item.default is not None:
            assert msgspec.convert(item.default, item.type) == item.default, item.name


def test_unknown_id_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        by_id("ListEverything")


def test_actions_are_those_of_the_rows() -> None:
    assert len(ACTIONS) == 32
    assert {action.split(":")[1] for action in ACTIONS} == {"notebook", "image", "workspace"}
    assert [action for action in ACTIONS if action.startswith("nbfleet:")] == ["nbfleet:notebook:freeze"]
    assert by_id("ListAllNotebooks").permission == Action("modelarts:notebook:listAllNotebooks")


def test_what_any_member_may_do() -> None:
    assert {operation.id for operation in OPERATIONS if operation.permission is MEMBER} == {
        "ListFlavors",
        "ShowSwitchableFlavors",
        "ShowLease",
        "ShowNotebookTags",
        "CreateNotebookTags",
        "DeleteNotebookTags",
        "ListAuthoringClusters",
        "ShowCluster",
        "ListFeatures",
        "ListPools",
        "ShowPool",
        "CreateKeypair",
        "ListKeypairs",
        "ListKeypairDetail",
        "UpdateKeypairDescription",
        "DeleteKeypair",
        # These take what the same on one notebook takes, which hangs on the action.
        *("PreviewNotebookAction", "BeginNotebookAction", "ListNotebookActions", "ShowNotebookAction"),
        *("ListNotebookActionResults", "CancelNotebookAction"),
    }


def test_what_needs_no_project() -> None:
    standings = {o.id: o.permission for o in OPERATIONS if o.permission in {PUBLIC, AUTHENTICATED}}
    assert standings == {
        "KeystoneCreateUserTokenByPassword": PUBLIC,
        "KeystoneListProjects": AUTHENTICATED,
        "KeystoneListAuthDomains": AUTHENTICATED,
    }


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "notebooks/all", "ListAllNotebooks"),
        ("GET", "notebooks/flavors", "ListFlavors"),
        ("GET", "notebooks/tags", "ShowNotebookTags"),
        ("GET", f"notebooks/{UUID}", "ShowNotebook"),
        ("GET", f"notebooks/{UUID}/flavors", "ShowSwitchableFlavors"),
        ("DELETE", f"notebooks/{UUID}/tags/delete", "DeleteNotebookTags"),
        ("DELETE", f"notebooks/{UUID}/storage/{UUID}", "DetachDynamicStorage"),
        ("GET", "images/group", "ListImageGroup"),
        ("GET", f"images/{UUID}", "ShowImage"),
        ("DELETE", f"images/group/{UUID}", "DeleteImageGroup"),
        ("GET", "workspaces/users/list", "ListUsers"),
        ("GET", "workspaces/0/quotas", "ShowWorkspaceQuotas"),
        ("GET", "workspaces/0", "ShowWorkspace"),
    ],
)
def test_fixed_words_win(method: str, path: str, expected: str) -> None:
    assert resolve(method, f"/v1/{PROJECT}/{path}") == expected


def test_both_fleet_lists_share_their_parameters() -> None:
    assert by_id("ListAllNotebooks").parameters is LISTING
    assert by_id("ListNotebooks").parameters is LISTING
    assert [one for one in LISTING if not one.extension] == list(FLEET)
    assert len(FLEET) == 22


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("limit", "1000", 1000),
        ("limit", "2147483647", 2147483647),
        ("offset", "0", 0),
        ("feature", "*", FeatureFilter.ANY),
        ("sort_dir", "ASC", SortDirection.ASC),
        ("sort_key", "name,create_at", "name,create_at"),
        ("tags", "team|vision,stage", "team|vision,stage"),
        ("workspaceId", "*", "*"),
        ("ip", "10.0.0.255", "10.0.0.255"),
        ("id", UUID.upper(), UUID.upper()),
        ("name", "实验-1", "实验-1"),
        ("name", "", ""),
    ],
)
def test_fleet_parameter_is_decoded(name: str, text: str, value: object) -> None:
    assert decode("ListAllNotebooks", name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("limit", "0"),
        ("limit", "2147483648"),
        ("limit", "ten"),
        ("offset", "-1"),
        ("feature", "laptop"),
        ("sort_dir", "UP"),
        ("sort_key", "a" * 129),
        ("sort_key", "name\n"),
        ("status", "BUSY"),
        ("tags", ",a"),
        ("tags", "a||b"),
        ("tags", "a,"),
        ("ip", "10.0.0.256"),
        ("ip", "10.0.0"),
        ("ip", "10.0.0.1."),
        ("ip", "::1"),
        ("id", UUID + "\n"),
        ("owner", "A" * 32),
    ],
)
def test_fleet_parameter_is_refused(name: str, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode("ListAllNotebooks", name, text)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), ("1", True)])
def test_switches_are_decoded(text: str, value: bool) -> None:
    assert decode("ListImage", "name_fuzzy_match", text) is value


@pytest.mark.parametrize("text", ["-1", "3600000", "60000"])
def test_lease_duration_is_a_number_whatever_its_range(text: str) -> None:
    assert decode("RenewLease", "duration", text) == int(text)

"""ListAllNotebooks through the official SDK: all twenty parameters, against plain Python over one fleet."""

import itertools
import uuid
from typing import Any

import pytest
from huaweicloudsdkmodelarts.v1 import ListAllNotebooksRequest, ListNotebooksRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.notebook import Notebook
from support.listed import IPS, POOLS, ROWS, WORKSPACES, Entry, Fleet, filled
from support.people import Place
from support.sdk import client_of

SPELLINGS = {
    **dict.fromkeys(("createTime", "create_time", "create_at"), "create_at"),
    **dict.fromkeys(("updateTime", "update_time", "update_at"), "update_at"),
    **{name: name for name in ("name", "status", "flavor", "feature", "id")},
}


@pytest.fixture(scope="module")
def listed(place: Place) -> Fleet:
    return filled(place)


# The oracle, from the words of the contract.


def holds(text: str, part: str | None) -> bool:
    return part is None or part.casefold() in text.casefold()


def billed(notebook: Notebook) -> set[str]:
    if status_of(notebook) is not Status.RUNNING:
        return set()
    return {"COMPUTE", "STORAGE"} if notebook.volume.category == "EVS" else {"COMPUTE"}


def has_tags(entry: Entry, text: str | None) -> bool:
    pairs = [part.partition("|") for part in text.split(",")] if text else []
    return all(key in entry.tags and (not bar or entry.tags[key] == value) for key, bar, value in pairs)


def matches(entry: Entry, query: dict[str, Any]) -> bool:
    n, status = entry.notebook, status_of(entry.notebook).value
    workspace, feature = query.get("workspace_id", "0"), query.get("feature", "NOTEBOOK")
    billing = query.get("billing")
    asked = {"COMPUTE", "STORAGE"} if billing == "ALL" else {billing} - {None}
    return all(
        (
            status == query["status"] if "status" in query else status != "DELETED",
            workspace in ("*", n.workspace_id),
            feature in ("*", n.feature),
            query.get("owner", n.owner_id) == n.owner_id,
            query.get("id", n.id).lower() == n.id,
            query.get("image_id", n.image_id) == n.image_id,
            query.get("pool_id", n.pool_id) == n.pool_id,
            query.get("ip", n.ip) == n.ip,
            asked <= billed(n),
            has_tags(entry, query.get("tags")),
            holds(n.name, query.get("name")),
            holds(n.flavor, query.get("flavor")),
            holds(n.description, query.get("description")),
            holds(entry.swr_path, query.get("swr_path")),
            holds(entry.owner, query.get("username")),
            holds(POOLS.get(n.pool_id or "", ""), query.get("pool_name")),
        )
    )


def expected(entries: list[Entry], query: dict[str, Any]) -> dict[str, Any]:
    keys = [SPELLINGS[name] for name in query.get("sort_key", "create_at").split(",")]
    found = [(place, entry) for place, entry in enumerate(entries) if matches(entry, query)]
    found.sort(
        key=lambda item: (*(item[1].sort_value(key) for key in keys), item[0]),
        reverse=query.get("sort_dir", "DESC") == "DESC",
    )
    limit, offset = query.get("limit", 10), query.get("offset", 0)
    return {
        "total": len(found),
        "size": limit,
        "current": offset // limit,
        "pages": (len(found) + limit - 1) // limit,
        "data": [described(entry) for _, entry in found[offset : offset + limit]],
    }


def described(entry: Entry) -> tuple[Any, ...]:
    n = entry.notebook
    return (n.id, n.name, status_of(n).value, n.feature, n.workspace_id, n.flavor, n.image_id, entry.owner)


def answered(listed: Fleet, query: dict[str, Any]) -> dict[str, Any]:
    page = listed.client.list_all_notebooks(ListAllNotebooksRequest(**query))
    rows = [
        (n.id, n.name, n.status, n.feature, n.workspace_id, n.flavor, n.image.id, n.user.name)
        for n in page.data
    ]
    return {
        "total": page.total,
        "size": page.size,
        "current": page.current,
        "pages": page.pages,
        "data": rows,
    }


def values(listed: Fleet) -> dict[str, list[Any]]:
    """Some values of every parameter of the SDK; made here because ids differ every time."""
    some = [entry.notebook.id for entry in listed.entries[:6]]
    names = [person.user.name for person in listed.people.values()]
    return {
        "feature": ["NOTEBOOK", "DEFAULT", "*"],
        "limit": [1, 3, 10, 50, 1000],
        "offset": [0, 1, 7, 60, ROWS, 2**31 - 1],
        "name": ["train", "TRAIN_", "训练", "_", "-", "a", "nowhere", "1"],
        "pool_id": [*POOLS, "pool-9"],
        "owner": [*(person.user.id for person in listed.people.values()), "0" * 32],
        "sort_dir": ["ASC", "DESC"],
        "sort_key": [
            *SPELLINGS,
            "name,status",
            "status,updateTime,id",
            "feature,flavor,name",
            "name,name,id",
        ],
        "status": [status.value for status in Status],
        "workspace_id": [*WORKSPACES, "*", "c" * 32],
        "flavor": ["cpu", "CPU.1", "modelarts.vm.gpu_1", "_", "nowhere"],
        "image_id": [*listed.images, str(uuid.UUID(int=7))],
        "id": [*some, some[0].upper(), str(uuid.UUID(int=7))],
        "billing": ["COMPUTE", "STORAGE", "ALL"],
        "tags": ["team", "team|vision", "team|Vision,stage|dev", "stage|", "stage", "none", "team|1/2,stage"],
        "swr_path": ["team_a", "REGISTRY", ":4", "/", "nowhere"],
        "pool_name": ["gpu", "GPU-", "2", "nowhere"],
        "description": ["%", "_", "ärger", "|", "+ ", "训", "", "nowhere"],
        "ip": [*IPS, "10.0.0.2"],
        "username": [*names, "ANNA", "_b", "nobody"],
    }


def test_the_parameters_are_those_of_the_sdk(listed: Fleet) -> None:
    assert set(values(listed)) == set(ListAllNotebooksRequest.openapi_types)
    assert len(values(listed)) == 20


def test_without_parameters(listed: Fleet) -> None:
    assert answered(listed, {}) == expected(listed.entries, {})


def test_every_parameter_alone(listed: Fleet) -> None:
    for name, some in values(listed).items():
        for value in some:
            assert answered(listed, {name: value}) == expected(listed.entries, {name: value})


def test_every_parameter_over_everything(listed: Fleet) -> None:
    """The defaults hide most of the fleet."""
    everything = {"feature": "*", "workspace_id": "*", "limit": 1000}
    for name, some in values(listed).items():
        for value in some:
            query = {**everything, name: value}
            assert answered(listed, query) == expected(listed.entries, query)


@settings(max_examples=150)
@given(data=st.data())
def test_random_combinations(listed: Fleet, data: st.DataObject) -> None:
    choices = values(listed)
    filters = [
        name for name in choices if name not in ("limit", "offset", "sort_key", "sort_dir", "workspace_id")
    ]
    names = data.draw(st.sets(st.sampled_from(filters), max_size=3) | st.just(set(filters)))
    rest = data.draw(st.sets(st.sampled_from(sorted(choices.keys() - set(filters)))))
    query = {name: data.draw(st.sampled_from(choices[name]), label=name) for name in sorted(names | rest)}
    query.setdefault("workspace_id", data.draw(st.sampled_from(["0", "*"])))
    assert answered(listed, query) == expected(listed.entries, query)


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_pages_put_together_are_the_whole(listed: Fleet, limit: int) -> None:
    """The way Terraform walks: the offset grows by what came."""
    query = {"feature": "*", "workspace_id": "*", "sort_key": "name", "sort_dir": "ASC", "limit": limit}
    rows: list[Any] = []
    for _ in itertools.count():
        page = answered(listed, {**query, "offset": len(rows)})
        rows += page["data"]
        if len(page["data"]) < limit:
            break
    assert rows == expected(listed.entries, {**query, "limit": 1000})["data"]


def test_own_lists_take_the_same_parameters(listed: Fleet) -> None:
    """As everybody's list narrowed to oneself."""
    anna = listed.people["Anna"]
    client = client_of(anna.place.service, anna.access_key, anna.secret_key, anna.project.id)
    for name, some in values(listed).items():
        for value in some:
            query = {"feature": "*", "workspace_id": "*", name: value}
            page = client.list_notebooks(ListNotebooksRequest(**query))
            wanted = expected(listed.entries, {**query, "owner": anna.user.id})
            assert (page.total, page.pages, [one.id for one in page.data]) == (
                wanted["total"], wanted["pages"], [row[0] for row in wanted["data"]],
            )  # fmt: skip


def test_the_older_spelling_of_the_workspace_wins(listed: Fleet) -> None:
    anna = listed.people["Anna"]
    for query, workspace in (
        ({"workspaceId": "a" * 32}, "a" * 32),
        ({"workspaceId": "a" * 32, "workspace_id": "b" * 32}, "a" * 32),
        ({"workspace_id": "b" * 32, "workspaceId": "0"}, "0"),
        ({"workspaceId": "*", "workspace_id": "0"}, "*"),
    ):
        page = anna.key("GET", "notebooks", query={**query, "feature": "*", "limit": 1000}).json
        wanted = {"workspace_id": workspace, "feature": "*", "owner": anna.user.id, "limit": 1000}
        assert [one["id"] for one in page["data"]] == [
            row[0] for row in expected(listed.entries, wanted)["data"]
        ]


def test_a_plus_stands_for_a_space(listed: Fleet) -> None:
    """As forms write it; token clients do."""
    anna = listed.people["Anna"]
    plus = anna.token("GET", "notebooks", query="description=x+%2B+y&feature=*&workspace_id=*").json
    wanted = {"description": "x + y", "feature": "*", "workspace_id": "*", "owner": anna.user.id}
    assert [one["id"] for one in plus["data"]] == [row[0] for row in expected(listed.entries, wanted)["data"]]

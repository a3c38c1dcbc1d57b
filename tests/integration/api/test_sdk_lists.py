"""A seeded fleet of a thousand, read with the official SDK: walked page by page, and asked in every way.

`test_api_lists` asks about a small fleet of odd texts. Here it is the fleet that `nbfleet seed` makes, on a
service that was started on it, so that the seed, the store and the service must agree; what is expected is
worked out in plain Python from the records in the store.
"""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from huaweicloudsdkmodelarts.v1 import ListAllNotebooksRequest, ModelArtsClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, select

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Billing, Query, SortKey, Tag
from nbfleet.store import notebooks, schema
from nbfleet.store.database import Connection, Database, sqlite_url
from support import fleet, oracle, sdk
from support.oracle import Entry, Names
from support.people import DATABASES
from support.service import Service

COUNT = 1_000
EVERYTHING = {"feature": "*", "workspace_id": "*"}
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SPELLINGS = {
    **{key.value: key for key in SortKey},
    **dict.fromkeys(("createTime", "create_time"), SortKey.CREATE_AT),
    **dict.fromkeys(("updateTime", "update_time"), SortKey.UPDATE_AT),
}


@dataclass(frozen=True)
class Seeded:
    client: ModelArtsClient
    database: Database
    entries: list[Entry]
    project_id: str


@pytest.fixture(scope="module", params=DATABASES)
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Nothing in it is in motion; that the service left it alone is checked in the end."""
    data = tmp_path_factory.mktemp("seeded") / "data"
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    service = Service(data, runtime="simulated", database_url=url)
    where = ("--data-dir", str(data), *(("--database-url", url) if url else ()))
    command = service.command("seed", "--count", str(COUNT), "--seed", "7", *where)
    subprocess.run(command, check=True, capture_output=True)
    with ExitStack() as stack:
        stack.callback(service.clear_away)
        service.start()
        database = stack.enter_context(fleet.opened(url or sqlite_url(data / "nbfleet.db")))
        entries = database.read_now(stored)
        yield Seeded(sdk.connect(service), database, entries, service.credentials["project_id"])
        assert database.read_now(stored) == entries


def stored(connection: Connection) -> list[Entry]:
    """All records in order of creation."""
    users, images, pools = schema.users.c, schema.images.c, schema.pools.c

    def pairs(key: Column[str], value: Column[str]) -> dict[str, str]:
        return {row[0]: row[1] for row in connection.execute(select(key, value))}

    names = Names(pairs(users.id, users.name), pairs(images.id, images.swr_path), pairs(pools.id, pools.name))
    rids = connection.execute(select(schema.notebooks.c.rid)).scalars().all()
    found = notebooks.find_many(connection, rids)
    return [oracle.entry(one.rid, one.notebook, names) for one in found]


# What is expected, from the words of the contract.


def query_of(seeded: Seeded, given: dict[str, Any]) -> Query:
    workspace, feature = given.get("workspace_id", "0"), given.get("feature", "NOTEBOOK")
    same = ("id", "image_id", "pool_id", "ip", "name", "flavor", "description", "swr_path", "pool_name")
    tags = [part.partition("|") for part in given.get("tags", "").split(",") if part]
    sort = [SPELLINGS[name] for name in given.get("sort_key", "create_at").split(",")]
    return Query(
        project_id=seeded.project_id,
        owner_id=given.get("owner"),
        feature=None if feature == "*" else feature,
        workspace_id=None if workspace == "*" else workspace,
        statuses=(Status(given["status"]),) if "status" in given else (),
        billing=Billing(given["billing"]) if "billing" in given else None,
        tags=tuple(Tag(key, value if bar else None) for key, bar, value in tags),
        username=given.get("username"),
        sort=tuple(sort),
        descending=given.get("sort_dir", "DESC") == "DESC",
        offset=given.get("offset", 0),
        limit=given.get("limit", 10),
        **{name: given.get(name) for name in same},
    )


def expected(seeded: Seeded, given: dict[str, Any]) -> dict[str, Any]:
    total, ids = oracle.expected(seeded.entries, query_of(seeded, given))
    limit, offset = given.get("limit", 10), given.get("offset", 0)
    pages = (total + limit - 1) // limit
    return {"total": total, "size": limit, "current": offset // limit, "pages": pages, "ids": ids}


def answered(seeded: Seeded, given: dict[str, Any]) -> dict[str, Any]:
    page = seeded.client.list_all_notebooks(ListAllNotebooksRequest(**given))
    names = ("total", "size", "current", "pages")
    return {name: getattr(page, name) for name in names} | {"ids": [one.id for one in page.data]}


def walked(seeded: Seeded, **given: Any) -> list[str]:
    """The ids on all pages of a hundred, as a client collects them that trusts the total."""
    ids: list[str] = []
    while True:
        page = seeded.client.list_all_notebooks(ListAllNotebooksRequest(**given, limit=100, offset=len(ids)))
        ids.extend(one.id for one in page.data)
        if len(ids) >= page.total:
            assert len(ids) == page.total
            return ids


def values(seeded: Seeded) -> dict[str, list[Any]]:
    """Some values of each parameter of the SDK: those that the fleet has, parts of them, and unknown ones."""
    some = [entry.notebook for entry in seeded.entries[:: COUNT // 8]]
    pools = sorted({entry.notebook.pool_id for entry in seeded.entries} - {None})
    return {
        "feature": ["NOTEBOOK", "DEFAULT", "*"],
        "limit": [1, 3, 10, 99, 1000],
        "offset": [0, 1, 7, 450, 900, COUNT, 2**31 - 1],
        "name": ["notebook-", "TRAIN", "-demo_", "训练", "_7", "a", "nowhere", *(n.name for n in some[:3])],
        "pool_id": [*pools, "pool-9"],
        "owner": [*(n.owner_id for n in some), "0" * 32],
        "sort_dir": ["ASC", "DESC"],
        "sort_key": [*SPELLINGS, "status,updateTime", "status,create_at", "feature,flavor,name", "name,name"],
        "status": [status.value for status in Status],
        "workspace_id": ["0", "*", "c" * 32, *sorted({e.notebook.workspace_id for e in seeded.entries})],
        "flavor": ["cpu", "CPU.1", "modelarts.vm.cpu.2u", "_", "nowhere"],
        "image_id": [*sorted({e.notebook.image_id for e in seeded.entries}), UNKNOWN],
        "id": [*(n.id for n in some), UNKNOWN],
        "billing": ["COMPUTE", "STORAGE", "ALL"],
        "tags": ["team", "team|vision", "team|Vision", "stage|dev,team", "cost-centre|1001,stage", "none"],
        "swr_path": ["registry.local", "VISION/", "torch:2", "/", "nowhere"],
        "pool_name": ["pool", "POOL-1", "2", "nowhere"],
        "description": ["report", "50%", "a_b \\", "回归", "%", "nowhere"],
        "ip": [*sorted({e.notebook.ip for e in seeded.entries} - {None})[:6], "10.99.0.1"],
        "username": ["anna", "WEI.", "-1", ".", "nobody"],
    }  # fmt: skip


def test_the_values_are_of_all_parameters_of_the_sdk(seeded: Seeded) -> None:
    assert set(values(seeded)) == set(ListAllNotebooksRequest.openapi_types)
    assert len(values(seeded)) == 20


def test_a_walk_meets_each_of_the_thousand_once(seeded: Seeded) -> None:
    """Deleted ones are listed only where they are asked for."""
    alive, deleted = walked(seeded, **EVERYTHING), walked(seeded, **EVERYTHING, status="DELETED")
    assert sorted(alive + deleted) == sorted(one.notebook.id for one in seeded.entries)
    assert len(alive) + len(deleted) == COUNT
    assert len(deleted) == sum(one.status is Status.DELETED for one in seeded.entries)
    whole = oracle.expected(seeded.entries, query_of(seeded, {**EVERYTHING, "limit": COUNT}))
    assert (len(alive), alive) == whole


@pytest.mark.parametrize("sort_key", ["name", "status,updateTime", "flavor"])
@pytest.mark.parametrize("sort_dir", ["ASC", "DESC"])
def test_a_walk_in_another_order_meets_them_too(seeded: Seeded, sort_key: str, sort_dir: str) -> None:
    given = {**EVERYTHING, "sort_key": sort_key, "sort_dir": sort_dir}
    whole = oracle.expected(seeded.entries, query_of(seeded, {**given, "limit": COUNT}))
    ids = walked(seeded, **given)
    assert (len(ids), ids) == whole


def test_a_walk_without_parameters_keeps_to_the_defaults(seeded: Seeded) -> None:
    ids = walked(seeded)
    assert (len(ids), ids) == oracle.expected(seeded.entries, query_of(seeded, {"limit": COUNT}))
    assert {"0", "NOTEBOOK"} == {
        value
        for one in seeded.entries
        if one.notebook.id in set(ids)
        for value in (one.notebook.workspace_id, one.notebook.feature)
    }


@pytest.mark.parametrize("rest", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_parameter_alone(seeded: Seeded, rest: dict[str, Any]) -> None:
    for name, some in values(seeded).items():
        for value in some:
            given = {**rest, name: value}
            assert answered(seeded, given) == expected(seeded, given), given


def test_every_filter_finds_something(seeded: Seeded) -> None:
    """Or the agreement above would say little."""
    empty = {
        name
        for name, some in values(seeded).items()
        if not any(expected(seeded, {**EVERYTHING, name: value})["ids"] for value in some)
    }
    assert empty == set()


@settings(max_examples=300)
@given(chance=st.randoms(use_true_random=False))
def test_random_combinations(seeded: Seeded, chance: Any) -> None:
    choices = values(seeded)
    names = chance.sample(sorted(choices), chance.choice((1, 2, 2, 3, 3, 4, 5, len(choices))))
    given = {name: chance.choice(choices[name]) for name in names}
    given = given if chance.random() < 0.3 else EVERYTHING | given
    assert answered(seeded, given) == expected(seeded, given), given

"""What quotas count, held against the records themselves, and quotas as rows."""

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import delete, select

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.notebook import CUSTOM_FLAVOR, CustomSize, Making, Notebook, Observed, Wanted
from nbfleet.domain.quotas import EVERY_USER, THE_PROJECT, Holder, Quota, Resource, Subject
from nbfleet.store import notebooks, quotas, schema
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.store.pools import Taken
from support import fleet, oracle

ROWS = 300
PROJECT = fleet.PROJECTS[0]
MADE = oracle.made_up(random.Random(31), ROWS)
HAVE_ROOM = {
    Status.CREATING, Status.STARTING, Status.RUNNING, Status.STOPPING, Status.SNAPSHOTTING, Status.INIT,
}  # fmt: skip


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


def fill(connection: Connection) -> None:
    for notebook in MADE:
        fleet.add(connection, notebook)


def subjects(connection: Connection) -> list[tuple[Subject, dict[str, str]]]:
    """Each with the fields of the notebooks that are its."""
    directory = Directory()
    project_no = directory.project(connection, PROJECT) or 0
    found = [(THE_PROJECT, dict[str, str]())]
    for one in fleet.WORKSPACES:
        number = directory.workspace(connection, project_no, one) or 0
        found.append((Subject(Holder.WORKSPACE, number), {"workspace_id": one}))
    for one in fleet.USERS:
        found.append((Subject(Holder.USER, directory.user(connection, one) or 0), {"owner_id": one}))
    return found


def theirs(fields: dict[str, str]) -> list[Notebook]:
    wanted = {"project_id": PROJECT} | fields
    return [one for one in MADE if all(getattr(one, name) == value for name, value in wanted.items())]


def has_room(one: Notebook) -> bool:
    status = status_of(one)
    return status in HAVE_ROOM or (status is Status.DELETING and one.observed is Observed.RUNNING)


def counted(connection: Connection) -> list[tuple[int, int, Taken]]:
    number = Directory().project(connection, PROJECT) or 0
    return [
        (
            quotas.instances_of(connection, number, one),
            quotas.storage_of(connection, number, one),
            quotas.taken_by(connection, number, one),
        )
        for one, _ in subjects(connection)
    ]


def test_everything_is_counted_as_the_records_say(database: Database) -> None:
    database.write_now(fill)
    expected = []
    for _, fields in database.read_now(subjects):
        there = [one for one in theirs(fields) if status_of(one) is not Status.DELETED]
        flavors = [one.flavor for one in there if has_room(one)]
        storage = sum(one.volume.grown().capacity for one in there)
        sizes = {flavor: flavors.count(flavor) for flavor in sorted(set(flavors) - {CUSTOM_FLAVOR})}
        expected.append((len(there), storage, sizes))
    found = database.read_now(counted)
    assert [
        (count, storage, dict(sorted(taken.flavors.items()))) for count, storage, taken in found
    ] == expected
    assert sum(count for count, _, _ in expected) > ROWS / 2
    assert sum(sum(sizes.values()) for _, _, sizes in expected) > 10


def test_what_is_counted_follows_each_change(database: Database) -> None:
    size = CustomSize(0.5, 1024, "x86_64", "CPU")
    states = [
        (Wanted.RUNNING, Observed.NEW, 5, None), (Wanted.RUNNING, Observed.RUNNING, 5, None),
        (Wanted.RUNNING, Observed.RUNNING, 5, 9), (Wanted.RUNNING, Observed.RUNNING, 9, None),
        (Wanted.STOPPED, Observed.RUNNING, 9, None), (Wanted.STOPPED, Observed.STOPPED, 9, None),
        (Wanted.FROZEN, Observed.STOPPED, 9, None), (Wanted.DELETED, Observed.RUNNING, 9, None),
        (Wanted.DELETED, Observed.STOPPED, 9, None), (Wanted.DELETED, Observed.GONE, 9, None),
    ]  # fmt: skip
    one = fleet.notebook(flavor=CUSTOM_FLAVOR, making=Making(size=size))
    database.write_now(fleet.add, one)
    found = []
    for wanted, observed, capacity, growing_to in states:
        volume = replace(one.volume, capacity=capacity, growing_to=growing_to)
        changed = replace(one, wanted=wanted, observed=observed, volume=volume)

        def save(connection: Connection, changed: Notebook = changed) -> None:
            stored = notebooks.find(connection, one.id, lock=True)
            assert stored is not None
            notebooks.save(connection, stored, changed, fleet.NOW)

        database.write_now(save)
        count, storage, taken = database.read_now(counted)[0]
        found.append((count, storage, taken.custom))
    assert found == [
        (1, 5, [size]), (1, 5, [size]), (1, 9, [size]), (1, 9, [size]), (1, 9, [size]), (1, 9, []),
        (1, 9, []), (1, 9, [size]), (1, 9, []), (0, 0, []),
    ]  # fmt: skip


def test_rows_that_go_are_counted_no_more(database: Database) -> None:
    database.write_now(fill)

    def empty(connection: Connection) -> int:
        for table in (schema.notebook_tags, schema.documents, schema.instances, schema.notebooks):
            connection.execute(delete(table))
        return sum(connection.execute(select(schema.storage_used.c.total)).scalars())

    assert database.write_now(empty) == 0
    assert database.read_now(counted) == [(0, 0, Taken({}, []))] * (
        1 + len(fleet.WORKSPACES) + len(fleet.USERS)
    )


def test_quotas_are_set_changed_and_removed(database: Database) -> None:
    me = Subject(Holder.USER, 2)
    holders = (EVERY_USER, THE_PROJECT, me)
    given = [
        Quota(one, resource, value, value)
        for value, (one, resource) in enumerate(
            product(holders, (Resource.INSTANCES, Resource.VCPUS)), start=1
        )
    ]

    def write(connection: Connection) -> list[list[Quota]]:
        for quota in given:
            quotas.put(connection, 1, quota)
        quotas.put(connection, 1, replace(given[0], value=-1, update_at=9))
        quotas.put(connection, 2, replace(given[0], value=50))
        assert quotas.remove(connection, 1, me, Resource.VCPUS) is True
        assert quotas.remove(connection, 1, me, Resource.VCPUS) is False
        wanted = [(THE_PROJECT,), (EVERY_USER, me), (Subject(Holder.WORKSPACE, 2),)]
        return [quotas.of(connection, 1, *some, lock=True) for some in wanted]

    assert database.write_now(write) == [
        given[2:4], [replace(given[0], value=-1, update_at=9), given[1], given[4]], [],
    ]  # fmt: skip

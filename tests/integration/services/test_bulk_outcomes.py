"""What really became of the notebooks of an action: how they stand by now, and why not otherwise."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from nbfleet.domain import access
from nbfleet.domain.access import Caller, Role
from nbfleet.domain.bulk import Action, Result, Wish
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.services import bulk
from nbfleet.services import bulk_outcomes as outcomes
from nbfleet.store import audit, bulk_actions, bulk_outcomes
from nbfleet.store.audit import Actor
from nbfleet.store.database import Connection
from support import fleet
from support.bulk_site import ALL, CHIEF, MEMBER, Site, context_of, some

Told = tuple[str, Status | None, str | None]
ASIDE = fleet.WORKSPACES[1]


@pytest.fixture
def site(store_url: str) -> Iterator[Site]:
    with fleet.opened(store_url) as database:
        yield Site(database, context_of(database))


def told(
    site: Site, caller: Caller, bulk_id: str, status: Status | None = None, offset: int = 0, limit: int = 1000
) -> list[Told]:
    rows = asyncio.run(bulk.results(site.context, caller, bulk_id, None, offset, limit, status)).rows
    return [(row.notebook_id, row.status, row.cause) for row in rows]


def record(site: Site, one: Notebook, what: str, reason: str | None = None) -> None:
    site.database.write_now(audit.record, fleet.NOW, Actor("reconciler"), what, one, one, reason)


def is_(wanted: Wanted, observed: Observed, reason: str | None = None) -> "dict[str, object]":
    return {"wanted": wanted, "observed": observed, "fail_reason": reason}


def test_done_is_told_with_the_status_by_now_and_why_it_is_not_another(site: Site) -> None:
    made = some(7)
    site.put(*made, fleet.stopped(8))
    ids = [one.id for one in made]
    record(site, made[4], "grow retried", "of what was pending before")
    bulk_id = site.begin(CHIEF, Wish(Action.STOP, (*ids, fleet.stopped(8).id)))
    assert (site.show(CHIEF, bulk_id).now, site.show(CHIEF, bulk_id).in_motion) == ({}, 0)
    assert told(site, CHIEF, bulk_id) == [(one, None, None) for one in [*ids, fleet.stopped(8).id]]

    site.carry_out()
    assert (site.show(CHIEF, bulk_id).now, site.show(CHIEF, bulk_id).in_motion) == ({Status.STOPPING: 7}, 7)
    site.change(ids[0], lambda one: replace(one, **is_(Wanted.STOPPED, Observed.STOPPED)))
    site.change(ids[1], lambda one: replace(one, **is_(Wanted.DELETED, Observed.GONE)))
    site.change(ids[2], lambda one: replace(one, **is_(Wanted.RUNNING, Observed.START_FAILED, "no room")))
    for what, reason in (("stop retried", "busy"), ("tag", None), ("stop retried", "still busy")):
        record(site, made[3], what, reason)
    record(site, made[5], "stop retried", "over by now")
    record(site, made[5], "found stopped")
    record(site, made[5], "start")
    site.change(ids[5], lambda one: replace(one, **is_(Wanted.RUNNING, Observed.STOPPED)))
    record(site, made[6], "stop retried")
    after = site.show(CHIEF, bulk_id)
    assert (after.counts, after.in_motion) == ({Result.DONE: 7, Result.SKIPPED: 1}, 4)
    assert list(after.now.items()) == [
        (Status.STOPPING, 3),
        (Status.DELETED, 1),
        (Status.STARTING, 1),
        (Status.START_FAILED, 1),
        (Status.STOPPED, 1),
    ]
    assert told(site, CHIEF, bulk_id) == [
        (ids[0], Status.STOPPED, None),
        (ids[1], Status.DELETED, None),
        (ids[2], Status.START_FAILED, "no room"),
        (ids[3], Status.STOPPING, "still busy"),
        (ids[4], Status.STOPPING, None),
        (ids[5], Status.STARTING, None),
        (ids[6], Status.STOPPING, ""),
        (fleet.stopped(8).id, None, None),
    ]
    assert [one.now for one in asyncio.run(bulk.recent(site.context, CHIEF, 0, 10)).actions] == [{}]


def test_what_leaves_the_status_as_it_is_says_nothing_of_it(site: Site) -> None:
    site.put(*some(2))
    bulk_id = site.begin(CHIEF, Wish(Action.TAG, query=ALL, tag=("team", "b")))
    site.carry_out()
    assert (site.show(CHIEF, bulk_id).counts, site.show(CHIEF, bulk_id).now) == ({Result.DONE: 2}, {})
    assert {status for _, status, _ in told(site, CHIEF, bulk_id)} == {None}
    assert told(site, CHIEF, bulk_id, Status.RUNNING) == []


def test_those_of_one_status_are_paged_in_the_order_of_the_action(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_outcomes, "_BATCH", 3)
    made = some(11)
    site.put(*made)
    ids = [one.id for one in made]
    bulk_id = site.begin(CHIEF, Wish(Action.STOP, tuple(reversed(ids))))
    site.carry_out()
    for id_ in ids[::2]:
        site.change(id_, lambda one: replace(one, **is_(Wanted.STOPPED, Observed.STOPPED)))
    for one in made[1::2]:
        record(site, one, "stop retried", one.name)
    assert site.show(CHIEF, bulk_id).now == {Status.STOPPED: 6, Status.STOPPING: 5}
    stopped = [(id_, Status.STOPPED, None) for id_ in reversed(ids[::2])]
    assert told(site, CHIEF, bulk_id, Status.STOPPED, 0, 4) == stopped[:4]
    assert told(site, CHIEF, bulk_id, Status.STOPPED, 4, 4) == stopped[4:]
    stopping = [(one.id, Status.STOPPING, one.name) for one in reversed(made[1::2])]
    assert told(site, CHIEF, bulk_id, Status.STOPPING) == stopping
    assert told(site, CHIEF, bulk_id, Status.ERROR) == []


def test_only_what_the_caller_may_see_by_now_is_told(site: Site) -> None:
    mine, aside = fleet.running(1), fleet.running(2, workspace_id=ASIDE)
    theirs = fleet.running(3, owner_id=fleet.OTHER)
    site.put(mine, aside, theirs)
    ids = [mine.id, aside.id, theirs.id]
    bulk_id = site.begin(CHIEF, Wish(Action.STOP, tuple(ids)))
    site.role(CHIEF.role)
    site.carry_out()
    for caller, seen in (
        (CHIEF, ids),
        (MEMBER, [mine.id, aside.id]),
        (replace(CHIEF, granted=frozenset({"0"})), [mine.id, theirs.id]),
        (replace(MEMBER, granted=frozenset({ASIDE})), [aside.id]),
        (replace(MEMBER, granted=frozenset()), []),
        # Who may not look at one notebook is not told by way of an action.
        (replace(CHIEF, role=Role("stopper", frozenset({access.LIST_ALL, "modelarts:notebook:stop"}))), []),
    ):
        shown = site.show(caller, bulk_id)
        assert shown.counts == {Result.DONE: 3}
        assert shown.now == ({Status.STOPPING: len(seen)} if seen else {})
        assert [(id_, status) for id_, status, _ in told(site, caller, bulk_id)] == [
            (id_, Status.STOPPING if id_ in seen else None) for id_ in ids
        ]
        assert [id_ for id_, _, _ in told(site, caller, bulk_id, Status.STOPPING)] == seen


# PostgreSQL walks through small tables whatever there is.
@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_nothing_is_asked_that_grows_with_the_fleet(site: Site) -> None:
    made = some(3)
    site.put(*made)
    bulk_id = site.begin(CHIEF, Wish(Action.STOP, query=ALL))
    site.carry_out()
    site.change(made[0].id, lambda one: replace(one, **is_(Wanted.RUNNING, Observed.ERROR, "gone")))
    action = site.show(CHIEF, bulk_id).bulk

    def ask(connection: Connection) -> list[str]:
        asked: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            asked.append((statement, values))

        event.listen(connection, "before_cursor_execute", note)
        outcomes.counts(connection, CHIEF, action)
        outcomes.rows(connection, CHIEF, action, Status.STOPPING, 0, 10)
        found = bulk_actions.rows(connection, action.no, None, 0, 10)
        outcomes.told(connection, CHIEF, action, found)
        event.remove(connection, "before_cursor_execute", note)
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in asked]
        return [row.detail for plan in plans for row in plan]

    steps = site.database.read_now(ask)
    assert [step for step in steps if step.startswith("SCAN")] == []
    taken = {step.partition(" USING ")[0] for step in steps if step.startswith("SEARCH")}
    tables = ("audit", "bulk_rows", "instances", "notebooks", "users", "workspaces")
    assert taken == {f"SEARCH {table}" for table in tables}

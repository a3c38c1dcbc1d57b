"""The table of states: every pair of status and event, and what follows from the table as a whole."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from nbfleet.domain.lifecycle import (
    FAILED,
    TRANSITIONS,
    Alarm,
    Effect,
    Event,
    IllegalTransition,
    Presence,
    Status,
    alarm_of,
    allows,
    apply,
    effect_for,
    finding,
    is_stray,
    is_waiting,
    status_of,
)
from nbfleet.domain.notebook import (
    Lease,
    Notebook,
    Observed,
    Progress,
    Step,
    StepStatus,
    Volume,
    Wanted,
)

S, E = Status, Event

# Written down from the contract and not from the module.
TABLE = {
    (S.CREATING, E.READY): S.RUNNING,
    (S.CREATING, E.START_FAILED): S.CREATE_FAILED,
    (S.STARTING, E.READY): S.RUNNING,
    (S.STARTING, E.START_FAILED): S.START_FAILED,
    (S.STOPPED, E.START): S.STARTING,
    (S.START_FAILED, E.START): S.STARTING,
    (S.ERROR, E.START): S.STARTING,
    (S.RUNNING, E.STOP): S.STOPPING,
    (S.RUNNING, E.AUTO_STOP): S.STOPPING,
    (S.RUNNING, E.DIED): S.ERROR,
    (S.STOPPING, E.FOUND_STOPPED): S.STOPPED,
    **{
        (source, E.DELETE): S.DELETING
        for source in (S.RUNNING, S.STOPPED, S.CREATE_FAILED, S.START_FAILED, S.DELETE_FAILED, S.ERROR)
    },
    (S.STOPPED, E.EXPIRE): S.DELETING,
    **{
        (source, E.FREEZE): S.FROZEN
        for source in (S.RUNNING, S.STOPPED, S.CREATE_FAILED, S.START_FAILED, S.ERROR)
    },
    (S.FROZEN, E.FOUND_STOPPED): S.FROZEN,
    (S.FROZEN, E.UNFREEZE): S.STOPPED,
    (S.DELETING, E.REMOVED): S.DELETED,
    (S.DELETING, E.REMOVE_FAILED): S.DELETE_FAILED,
}
# What is possible besides while a start waits for its turn.
WHILE_WAITING = {
    (S.CREATING, E.STOP): S.STOPPED,
    (S.STARTING, E.STOP): S.STOPPED,
    (S.CREATING, E.DELETE): S.DELETING,
    (S.STARTING, E.DELETE): S.DELETING,
}
IN_MOTION = {S.CREATING, S.STARTING, S.STOPPING, S.DELETING}
UNREACHABLE = {S.INIT, S.SNAPSHOTTING}

NEW = Notebook(
    id="7d9069fb-6058-4e69-b76d-457480428406",
    project_id="p",
    owner_id="u",
    name="n",
    description="",
    feature="NOTEBOOK",
    flavor="f",
    image_id="i",
    workspace_id="0",
    pool_id=None,
    volume=Volume("EVS", "MANAGED", 5),
    lease=Lease(1, 1, 3_600_000, 3_600_000, enable=True),
    wanted=Wanted.RUNNING,
    observed=Observed.NEW,
    create_at=1,
    update_at=1,
    generation=1,
)


def possible(notebook: Notebook, event: Event) -> bool:
    return allows(status_of(notebook), event, settled=effect_for(notebook) is None)


def reachable() -> dict[tuple[Wanted, Observed], Notebook]:
    """A notebook for each pair (wanted, observed) that events lead to from a new one."""
    found = {(NEW.wanted, NEW.observed): NEW}
    waiting = [NEW]
    while waiting:
        notebook = waiting.pop()
        for event in Event:
            if possible(notebook, event):
                after = apply(notebook, event, notebook.update_at + 1)
                if (after.wanted, after.observed) not in found:
                    found[after.wanted, after.observed] = after
                    waiting.append(after)
    return found


REACHABLE = reachable()


def following(notebook: Notebook) -> list[Notebook]:
    return [apply(notebook, event, 0) for event in Event if possible(notebook, event)]


def ends(notebook: Notebook, goal: Status) -> bool:
    """Whether some row of events leads from here to the goal."""
    seen: set[tuple[Wanted, Observed]] = set()
    waiting = [notebook]
    while waiting:
        now = waiting.pop()
        if status_of(now) is goal:
            return True
        if (now.wanted, now.observed) not in seen:
            seen.add((now.wanted, now.observed))
            waiting.extend(following(now))
    return False


def test_all_statuses_but_two_are_reached() -> None:
    assert {status_of(notebook) for notebook in REACHABLE.values()} == set(Status) - UNREACHABLE


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("notebook", list(REACHABLE.values()), ids=lambda n: f"{n.wanted}-{n.observed}")
def test_every_pair_of_status_and_event(notebook: Notebook, event: Event) -> None:
    status = status_of(notebook)
    target = TABLE.get((status, event))
    if event is E.UNFREEZE and notebook.observed is Observed.RUNNING:
        target = None  # It is being stopped.
    assert possible(notebook, event) is (target is not None)
    if target is None:
        with pytest.raises(IllegalTransition) as refused:
            apply(notebook, event, 77)
        assert (refused.value.status, refused.value.event) == (status, event)
    else:
        after = apply(notebook, event, 77)
        assert status_of(after) is target
        # Nothing but the pair and the time of the change is touched.
        assert replace(after, wanted=notebook.wanted, observed=notebook.observed, update_at=0) == replace(
            notebook, update_at=0
        )
        assert after.update_at == 77


STARTS = [NEW, apply(replace(NEW, wanted=Wanted.STOPPED, observed=Observed.STOPPED), E.START, 2)]


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("progress", [None, Progress()])
@pytest.mark.parametrize("notebook", STARTS, ids=status_of)
def test_what_is_possible_while_a_start_waits(
    notebook: Notebook, progress: Progress | None, event: Event
) -> None:
    status, waiting = status_of(notebook), replace(notebook, progress=progress)
    target = (TABLE | WHILE_WAITING).get((status, event))
    assert allows(status, event, waiting=True) is (target is not None)
    if target is None:
        with pytest.raises(IllegalTransition):
            apply(waiting, event, 77, claimed=False)
    else:
        after = apply(waiting, event, 77, claimed=False)
        assert (status_of(after), after.update_at) == (target, 77)
        assert ends(after, Status.DELETED)


@pytest.mark.parametrize("event", [E.STOP, E.DELETE])
@pytest.mark.parametrize("notebook", STARTS, ids=status_of)
@pytest.mark.parametrize(
    "begun",
    [
        *({"progress": Progress().with_step(Step.STORAGE, one)} for one in StepStatus if one != "WAITING"),
        {"progress": Progress().with_step(Step.INITIALISATION, StepStatus.PROCESSING)},
        {"handle": b"h"},
        {"claimed": True},
    ],
    ids=str,
)
def test_a_start_that_has_begun_goes_its_way(notebook: Notebook, begun: dict[str, Any], event: Event) -> None:
    claimed = begun.get("claimed", False)
    started = replace(notebook, **{name: value for name, value in begun.items() if name != "claimed"})
    assert not is_waiting(started, claimed=claimed)
    with pytest.raises(IllegalTransition):
        apply(started, event, 77, claimed=claimed)


@pytest.mark.parametrize("notebook", list(REACHABLE.values()), ids=lambda n: f"{n.wanted}-{n.observed}")
def test_only_starts_wait(notebook: Notebook) -> None:
    waits = status_of(notebook) in (S.CREATING, S.STARTING)
    assert is_waiting(notebook, claimed=False) is waits


def test_a_start_that_was_called_off_can_be_asked_for_again() -> None:
    stopped = apply(NEW, E.STOP, 2, claimed=False)
    started = apply(stopped, E.START, 3)
    assert status_of(started) is S.STARTING
    assert status_of(apply(started, E.STOP, 4, claimed=False)) is S.STOPPED


@pytest.mark.parametrize("status", sorted(UNREACHABLE))
def test_no_event_is_possible_in_a_status_nothing_leads_to(status: Status) -> None:
    assert [event for event in Event if allows(status, event)] == []


def test_the_table_is_the_contract() -> None:
    assert {(row.source, row.event): row.target for row in TRANSITIONS if not row.waiting} == TABLE
    assert {(row.source, row.event): row.target for row in TRANSITIONS if row.waiting} == WHILE_WAITING
    assert len(TRANSITIONS) == len(TABLE | WHILE_WAITING), "no pair has two ways"
    assert [row for row in TRANSITIONS if not row.reason] == []


@pytest.mark.parametrize(
    ("status", "effect", "outcomes"),
    [
        (S.CREATING, Effect.START, {E.READY, E.START_FAILED}),
        (S.STARTING, Effect.START, {E.READY, E.START_FAILED}),
        (S.STOPPING, Effect.STOP, {E.FOUND_STOPPED}),
        (S.DELETING, Effect.REMOVE, {E.REMOVED, E.REMOVE_FAILED}),
    ],
)
def test_what_is_in_motion_has_an_effect_and_a_way_out(
    status: Status, effect: Effect, outcomes: set[Event]
) -> None:
    assert {effect_for(one) for one in REACHABLE.values() if status_of(one) is status} == {effect}
    assert {event for event in Event if allows(status, event)} == outcomes
    assert {target for (source, _), target in TABLE.items() if source is status} & IN_MOTION == set()


def test_only_what_is_in_motion_has_an_effect() -> None:
    """Besides a frozen one that still runs, which shows no other status while it is stopped."""
    moved = {pair: effect_for(one) for pair, one in REACHABLE.items() if status_of(one) not in IN_MOTION}
    assert moved.pop((Wanted.FROZEN, Observed.RUNNING)) is Effect.STOP
    assert set(moved.values()) == {None}


@pytest.mark.parametrize("notebook", list(REACHABLE.values()), ids=lambda n: f"{n.wanted}-{n.observed}")
def test_a_volume_grows_while_its_notebook_runs_or_is_stopped(notebook: Notebook) -> None:
    growing = replace(notebook, volume=replace(notebook.volume, growing_to=9))
    settled = status_of(notebook) in (S.RUNNING, S.STOPPED)
    assert effect_for(growing) is (Effect.GROW if settled else effect_for(notebook))
    assert growing.volume.grown() == replace(notebook.volume, capacity=9)
    assert notebook.volume.grown() == notebook.volume


@pytest.mark.parametrize("feature", ["NOTEBOOK", "DEFAULT"])
@pytest.mark.parametrize("notebook", list(REACHABLE.values()), ids=lambda n: f"{n.wanted}-{n.observed}")
def test_what_time_alone_does(notebook: Notebook, feature: str) -> None:
    one = replace(notebook, feature=feature, lease=Lease(1000, 1000, 500, 500, enable=True))
    expected = {
        (S.RUNNING, "NOTEBOOK"): Alarm(1500, E.AUTO_STOP),
        (S.RUNNING, "DEFAULT"): Alarm(1500, E.AUTO_STOP),
        (S.STOPPED, "DEFAULT"): Alarm(1500 + 72 * 3_600_000, E.EXPIRE),
    }
    assert alarm_of(one) == expected.get((status_of(one), feature))
    assert alarm_of(replace(one, lease=replace(one.lease, enable=False, duration=-1))) is None


@pytest.mark.parametrize("notebook", list(REACHABLE.values()), ids=lambda n: f"{n.wanted}-{n.observed}")
def test_everything_can_be_deleted_in_the_end(notebook: Notebook) -> None:
    assert ends(notebook, Status.DELETED)


def test_deleted_is_the_end() -> None:
    assert [key for key in TABLE if key[0] is S.DELETED] == []


def test_failed_statuses_are_those_named_so() -> None:
    assert {status for status in Status if status.endswith("FAILED") or status is S.ERROR} == FAILED


@pytest.mark.parametrize(("status", "seen"), list(itertools.product(Status, Presence)))
def test_only_a_running_notebook_that_is_surely_gone_has_died(status: Status, seen: Presence) -> None:
    gone = status is S.RUNNING and seen in (Presence.ABSENT, Presence.EXITED)
    assert finding(status, seen) is (E.DIED if gone else None)


@pytest.mark.parametrize(("pair", "seen"), list(itertools.product(REACHABLE, Presence)))
def test_a_stray_runs_although_nothing_wants_or_moves_it(
    pair: tuple[Wanted, Observed], seen: Presence
) -> None:
    notebook = REACHABLE[pair]
    runs = seen in (Presence.STARTING, Presence.READY)
    moved = (S.RUNNING, S.CREATING, S.STARTING, S.STOPPING, S.DELETING)
    left_alone = status_of(notebook) in moved or pair == (Wanted.FROZEN, Observed.RUNNING)
    assert is_stray(notebook, seen) is (runs and not left_alone)
    growing = replace(notebook, volume=replace(notebook.volume, growing_to=9))
    assert is_stray(growing, seen) is (runs and not left_alone)

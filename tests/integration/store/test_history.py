"""Samples of the counters, and the record counted by the hour: each entry once, and for a while."""

from dataclasses import replace
from threading import Thread

import pytest

from nbfleet.domain.history import DAY, HOUR, MINUTE, MOST_REASONS, Activity
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.store import audit, history, notebooks
from nbfleet.store.audit import Actor
from nbfleet.store.database import Connection
from nbfleet.store.history import SETTLED, Happened, Reason, Sample
from support import make
from support.stores import FOREIGN, Store

T0 = make.T0 - make.T0 % HOUR  # A full hour.
RUNS = {"wanted": Wanted.RUNNING, "observed": Observed.RUNNING}
FAILED = {"wanted": Wanted.RUNNING, "observed": Observed.START_FAILED}
NEVER = {"wanted": Wanted.RUNNING, "observed": Observed.CREATE_FAILED}


def number(store: Store, project_id: str = make.PROJECT) -> int:
    found = store.database.read_now(store.directory.project, project_id)
    assert found is not None
    return found


def add(store: Store, **fields: object) -> Notebook:
    made = make.notebook(**fields)
    store.database.write_now(notebooks.add, store.directory, made, None)
    return made


def become(store: Store, one: Notebook, **fields: object) -> Notebook:
    def write(connection: Connection) -> Notebook:
        found = notebooks.find(connection, one.id)
        assert found is not None
        changed = replace(found.notebook, **fields)  # pyright: ignore[reportArgumentType]
        notebooks.save(connection, found, changed, due_at=None)
        return changed

    return store.database.write_now(write)


def sample(store: Store, at: int) -> None:
    store.database.write_now(history.sample, at)


def samples(store: Store, since: int, step: int, project_id: str = make.PROJECT) -> list[Sample]:
    return store.database.read_now(history.samples, number(store, project_id), since, step)


def record(store: Store, at: int, event: str, after: Notebook, reason: str | None = None) -> None:
    store.database.write_now(audit.record, at, Actor("somebody"), event, after, reason=reason)


def count(store: Store, now: int) -> int:
    return store.database.write_now(history.count_activity, now)


def happened(store: Store, since: int, project_id: str = make.PROJECT) -> list[Happened]:
    return store.database.read_now(history.happened, number(store, project_id), since, HOUR)


def test_a_sample_has_the_counts_of_each_project(store: Store) -> None:
    first = add(store, **RUNS)
    add(store, **RUNS)
    add(store, project_id=FOREIGN, **FAILED)
    sample(store, T0 + 5_000)
    become(store, first, wanted=Wanted.STOPPED, observed=Observed.STOPPED)
    sample(store, T0 + MINUTE)
    assert samples(store, T0, MINUTE) == [
        Sample(T0, {Status.RUNNING: 2}),
        Sample(T0 + MINUTE, {Status.RUNNING: 1, Status.STOPPED: 1}),
    ]
    assert samples(store, T0, MINUTE, FOREIGN) == [
        Sample(T0, {Status.START_FAILED: 1}),
        Sample(T0 + MINUTE, {Status.START_FAILED: 1}),
    ]


def test_the_first_sample_of_a_span_stands_and_deleted_ones_are_not_in_it(store: Store) -> None:
    one = add(store, **RUNS)
    sample(store, T0)
    become(store, one, wanted=Wanted.DELETED, observed=Observed.GONE)
    sample(store, T0 + 30_000)
    sample(store, T0 + MINUTE)
    assert samples(store, T0, MINUTE) == [
        Sample(T0, {Status.RUNNING: 1}),
        Sample(T0 + MINUTE, {Status.RUNNING: 0}),
    ]
    assert samples(store, T0, HOUR) == [Sample(T0, {Status.RUNNING: 1})]


def test_samples_are_told_as_far_apart_as_is_asked(store: Store) -> None:
    add(store, **RUNS)
    for minutes in range(0, 4 * 60 + 1, 5):
        sample(store, T0 + minutes * MINUTE)
    ten = [one.at for one in samples(store, T0 + 1, 10 * MINUTE)]
    assert ten == [T0 + n * 10 * MINUTE for n in range(1, 25)]
    hours = [one.at for one in samples(store, 0, HOUR)]
    assert hours == [T0 + n * HOUR for n in range(5)]
    three = [one.at for one in samples(store, 0, 3 * HOUR)]
    assert three == [at for at in hours if at % (3 * HOUR) == 0]


def test_what_was_kept_long_enough_is_forgotten(store: Store) -> None:
    one = add(store, **RUNS)
    for at in (T0, T0 + MINUTE, T0 + HOUR, T0 + HOUR + MINUTE):
        sample(store, at)
    record(store, T0, "ready", one)
    count(store, T0 + SETTLED)
    store.database.write_now(history.thin, T0 + 27 * HOUR + MINUTE)
    assert [one.at for one in samples(store, 0, MINUTE)] == [T0 + HOUR + MINUTE]
    assert [one.at for one in samples(store, 0, HOUR)] == [T0, T0 + HOUR]
    store.database.write_now(history.thin, T0 + 90 * DAY + HOUR)
    assert [one.at for one in samples(store, 0, HOUR)] == [T0 + HOUR]
    assert happened(store, 0) == [Happened(T0, Activity.READY, 1)]
    store.database.write_now(history.thin, T0 + 90 * DAY + 2 * HOUR)
    assert happened(store, 0) == []


def test_what_happened_is_counted_once_by_project_and_hour(store: Store) -> None:
    mine, foreign = add(store, **RUNS), add(store, project_id=FOREIGN, **RUNS)
    for at, event, one in (
        (T0, "create", mine),
        (T0 + 1, "ready", mine),
        (T0 + 2, "ready", foreign),
        (T0 + 3, "lease", mine),
        (T0 + HOUR, "auto-stop", mine),
        (T0 + HOUR, "start", mine),
        (T0 + HOUR + 1, "start", mine),
        (T0 + HOUR + 2, "stop", mine),
        (T0 + HOUR + 3, "died", mine),
    ):
        record(store, at, event, one)
    assert count(store, T0 + HOUR + SETTLED) == 6
    assert count(store, T0 + HOUR + SETTLED) == 0
    assert count(store, T0 + 2 * HOUR) == 3
    first, second = T0, T0 + HOUR
    expected = [
        Happened(first, Activity.CREATED, 1),
        Happened(first, Activity.READY, 1),
        Happened(second, Activity.AUTO_STOPPED, 1),
        Happened(second, Activity.DIED, 1),
        Happened(second, Activity.STARTED, 2),
        Happened(second, Activity.STOPPED, 1),
    ]
    assert happened(store, T0) == expected
    assert happened(store, second + 1) == expected[2:]
    assert happened(store, T0, FOREIGN) == [Happened(first, Activity.READY, 1)]


def test_reasons_of_failures_are_grouped_without_ids_the_most_frequent_first(store: Store) -> None:
    failed, never = add(store, **FAILED), add(store, **NEVER)
    for _ in range(2):
        record(store, T0, "start failed", failed, f"The volume of {failed.id} is gone.\nAnd more of it")
    record(store, T0, "start failed", never, "no room")
    record(store, T0 + HOUR, "died", failed)
    record(store, T0 + HOUR, "start failed", failed, "x" * 200)
    record(store, T0, "ready", never, "not a reason of a failure")
    count(store, T0 + DAY)
    assert store.database.read_now(history.reasons, number(store), T0, 9) == [
        Reason(Activity.START_FAILED, "The volume of … is gone.", 2),
        Reason(Activity.CREATE_FAILED, "no room", 1),
        Reason(Activity.DIED, "", 1),
        Reason(Activity.START_FAILED, "x" * 159 + "…", 1),
    ]
    assert store.database.read_now(history.reasons, number(store), T0 + HOUR, 1) == [
        Reason(Activity.DIED, "", 1)
    ]


def test_only_so_many_reasons_of_an_hour_are_kept_and_the_rest_is_counted_without(store: Store) -> None:
    one = add(store, **FAILED)
    for number_ in range(MOST_REASONS + 5):
        record(store, T0, "start failed", one, f"bad {number_:02}")
    for reason in ("bad 24", "often", "often"):
        record(store, T0 + 1, "start failed", one, reason)
    assert count(store, T0 + SETTLED + 1) == MOST_REASONS + 8
    record(store, T0 + 2, "start failed", one, "bad 00")
    record(store, T0 + 3, "start failed", one, "late")
    record(store, T0 + HOUR, "start failed", one, "late")
    assert count(store, T0 + HOUR + SETTLED) == 3

    def told(since: int) -> dict[str, int]:
        found = store.database.read_now(history.reasons, number(store), since, 99)
        return {reason.reason: reason.count for reason in found}

    assert told(T0 + HOUR) == {"late": 1}
    assert told(T0) == {
        "often": 2,
        "bad 24": 2,
        "bad 00": 2,
        **{f"bad {kept:02}": 1 for kept in range(1, MOST_REASONS - 2)},
        "": 7,
        "late": 1,
    }
    assert happened(store, T0)[0] == Happened(T0, Activity.START_FAILED, MOST_REASONS + 10)


def test_two_that_count_at_once_count_nothing_twice(store: Store) -> None:
    record(store, T0, "ready", add(store, **RUNS))
    counted: list[int] = []
    second = Thread(target=lambda: counted.append(count(store, T0 + DAY)))

    def first(connection: Connection) -> int:
        number_ = history.count_activity(connection, T0 + DAY)
        second.start()
        # It has to wait for the end of this transaction; what does not wait is done in less.
        second.join(0.5)
        return number_

    assert store.database.write_now(first) == 1
    second.join()
    assert counted == [0]
    assert happened(store, T0) == [Happened(T0, Activity.READY, 1)]


def test_a_round_counts_no_more_than_so_many_and_the_next_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BATCH", 3)
    one = add(store, **RUNS)
    for _ in range(7):
        record(store, T0, "ready", one)
    assert [count(store, T0 + DAY) for _ in range(4)] == [3, 3, 1, 0]
    assert happened(store, T0) == [Happened(T0, Activity.READY, 7)]


def test_what_is_too_old_or_of_an_unknown_project_is_passed_over(store: Store) -> None:
    one = add(store, **RUNS)
    record(store, T0, "ready", one)
    record(store, T0 + 91 * DAY, "ready", replace(one, project_id="0" * 32))
    assert count(store, T0 + 92 * DAY) == 2
    assert happened(store, 0) == []


def test_what_happened_is_told_by_the_day_as_well(store: Store) -> None:
    one, day = add(store, **RUNS), T0 - T0 % DAY
    for at in (day - 1, day, day + HOUR, day + DAY - 1, day + DAY):
        record(store, at, "ready", one)
    count(store, day + 2 * DAY)
    told = store.database.read_now(history.happened, number(store), day + HOUR, DAY)
    assert told == [Happened(day, Activity.READY, 3), Happened(day + DAY, Activity.READY, 1)]

"""What is remembered of the fleet over time: samples of the counters, and what happened by the hour.

The samples cost the same however large the fleet is: they are read from the counters. What happened is taken
from the record of changes, each entry once and in order; where it stands is remembered beside the counts, in
one transaction with them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, delete, func, select, text, update

from nbfleet.domain.history import (
    ACTIVITY_KEPT,
    FAILURES,
    HOUR,
    KEPT,
    MOST_REASONS,
    Activity,
    activity_of,
    reason_of,
    span_for,
)
from nbfleet.domain.lifecycle import Status
from nbfleet.store import audit
from nbfleet.store.codes import STATUS_OF
from nbfleet.store.schema import DELETED, activity_hours, projects, settings, status_samples

BATCH = 2000  # Entries of the record that are counted at once.
# Milliseconds that an entry has lain before it is counted: those written side by side may become visible in
# another order than that of their numbers.
SETTLED = 10_000
_PLACE = "history_no"


@dataclass(frozen=True, slots=True)
class Sample:
    """How many notebooks had each status at a moment; a status that never occurred is not there."""

    at: int
    counts: Mapping[Status, int]


@dataclass(frozen=True, slots=True)
class Happened:
    """How often something happened in the hour or day from `since` on."""

    since: int
    activity: Activity
    count: int


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason of failures, empty where none was told, and how often it was one."""

    activity: Activity
    reason: str
    count: int


_Sums: TypeAlias = "Counter[tuple[int, int, Activity, str]]"

_SAMPLED = text(
    "INSERT INTO status_samples (project_no, span, at, status, total) "  # noqa: S608 - a constant of ours.
    "SELECT project_no, :span, :at, status, sum(total) FROM count_by_status "
    f"WHERE status <> {DELETED} GROUP BY project_no, status ON CONFLICT DO NOTHING"
)
_BEGUN = text("INSERT INTO settings (key, value) VALUES (:key, '0') ON CONFLICT DO NOTHING")
_COUNTED = text(
    "INSERT INTO activity_hours (project_no, hour, event, reason, total) "
    "VALUES (:project_no, :hour, :event, :reason, :total) ON CONFLICT (project_no, hour, event, reason) "
    "DO UPDATE SET total = activity_hours.total + excluded.total"
)


def sample(connection: Connection, now: int) -> None:
    """Writes down the counts of every project, unless that was done for this minute."""
    for span in KEPT:
        connection.execute(_SAMPLED, {"span": span, "at": now - now % span})


def thin(connection: Connection, now: int) -> None:
    """Forgets what has been kept long enough."""
    every = select(projects.c.no).scalar_subquery()
    s, a = status_samples.c, activity_hours.c
    for span, kept in KEPT.items():
        old = delete(status_samples).where(s.project_no.in_(every), s.span == span, s.at < now - kept)
        connection.execute(old)
    connection.execute(
        delete(activity_hours).where(a.project_no.in_(every), a.hour < now - ACTIVITY_KEPT - HOUR)
    )


def count_activity(connection: Connection, now: int) -> int:
    """Counts what is new in the record; answers how many entries that were, at most BATCH."""
    found = _settled(audit.since(connection, _place(connection), BATCH), now)
    if not found:
        return 0
    numbers = {id_: no for no, id_ in connection.execute(select(projects.c.no, projects.c.id))}
    sums = _bounded(connection, _sums(found, numbers, now))
    rows = [
        {"project_no": no, "hour": hour, "event": activity.value, "reason": reason, "total": total}
        for (no, hour, activity, reason), total in sorted(sums.items())
    ]
    if rows:
        connection.execute(_COUNTED, rows)
    _remember(connection, found[-1].no)
    return len(found)


def _settled(found: Sequence[audit.Change], now: int) -> Sequence[audit.Change]:
    young = (place for place, one in enumerate(found) if one.at > now - SETTLED)
    return found[: next(young, len(found))]


def _sums(found: Sequence[audit.Change], numbers: Mapping[str, int], now: int) -> _Sums:
    sums: _Sums = Counter()
    for one in found:
        activity, number = activity_of(one.event, one.after), numbers.get(one.project_id)
        if activity is not None and number is not None and one.at >= now - ACTIVITY_KEPT:
            sums[number, one.at - one.at % HOUR, activity, reason_of(activity, one.reason)] += 1
    return sums


def _bounded(connection: Connection, sums: _Sums) -> _Sums:
    """Without more reasons than are kept: those that are there already, then the most frequent ones. Reasons
    are what users can bring about, so their number is not left to them."""
    known: dict[tuple[int, int, Activity], set[str]] = {}
    bounded: _Sums = Counter()
    for (no, hour, activity, reason), total in sorted(sums.items(), key=lambda one: (-one[1], one[0])):
        place = (no, hour, activity)
        if reason and place not in known:
            known[place] = _reasons_at(connection, *place)
        kept = known.get(place, set())
        if reason and (reason in kept or len(kept) < MOST_REASONS):
            kept.add(reason)
            bounded[*place, reason] += total
        else:
            bounded[*place, ""] += total
    return bounded


def _reasons_at(connection: Connection, project_no: int, hour: int, activity: Activity) -> set[str]:
    a = activity_hours.c
    query = select(a.reason).where(
        a.project_no == project_no, a.hour == hour, a.event == activity.value, a.reason != ""
    )
    return {*connection.execute(query).scalars()}


def _place(connection: Connection) -> int:
    """Locked, so that of several who count at once each goes on where the one before has ended."""
    # There has to be a row to lock.
    connection.execute(_BEGUN, {"key": _PLACE})
    query = select(settings.c.value).where(settings.c.key == _PLACE)
    return int(connection.execute(query.with_for_update()).scalar_one())


def _remember(connection: Connection, number: int) -> None:
    connection.execute(update(settings).where(settings.c.key == _PLACE).values(value=str(number)))


# What is asked of it.


def samples(connection: Connection, project_no: int, since: int, step: int) -> list[Sample]:
    """Those from this moment on that are `step` milliseconds apart, oldest first."""
    s = status_samples.c
    query = (
        select(s.at, s.status, s.total)
        .where(s.project_no == project_no, s.span == span_for(step), s.at >= since, s.at % step == 0)
        .order_by(s.at, s.status)
    )
    found: dict[int, dict[Status, int]] = {}
    for at, status, total in connection.execute(query):
        found.setdefault(at, {})[STATUS_OF[status]] = total
    return [Sample(at, counts) for at, counts in found.items()]


def happened(connection: Connection, project_no: int, since: int, width: int) -> list[Happened]:
    """In spans of `width`, an hour or a day, from the one on in which this moment is, oldest first."""
    a = activity_hours.c
    begun = (a.hour - a.hour % width).label("begun")
    query = (
        select(begun, a.event, func.sum(a.total))
        .where(a.project_no == project_no, a.hour >= since - since % width)
        .group_by("begun", a.event)
        .order_by("begun", a.event)
    )
    return [Happened(at, Activity(event), int(total)) for at, event, total in connection.execute(query)]


def reasons(connection: Connection, project_no: int, since: int, limit: int) -> list[Reason]:
    """Why starts failed and instances ended by themselves since then, the most frequent first."""
    a, total = activity_hours.c, func.sum(activity_hours.c.total)
    query = (
        select(a.event, a.reason, total)
        .where(
            a.project_no == project_no,
            a.hour >= since - since % HOUR,
            a.event.in_([one.value for one in FAILURES]),
        )
        .group_by(a.event, a.reason)
        .order_by(total.desc(), a.event, a.reason)
        .limit(limit)
    )
    return [Reason(Activity(event), reason, int(count)) for event, reason, count in connection.execute(query)]

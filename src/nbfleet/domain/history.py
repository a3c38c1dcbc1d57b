"""What is remembered of a fleet over time: how finely, for how long, and which happenings are counted.

Pure rules; the loop that follows them is in the reconciler, the rows are in the store.
"""

import re
from enum import StrEnum

from nbfleet.domain.lifecycle import Event, Status

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

# How far apart samples are, and how long they are kept, in milliseconds. The first of a span counts.
KEPT = {MINUTE: 26 * HOUR, HOUR: 90 * DAY}
ACTIVITY_KEPT = 90 * DAY
MOST_HOURS = ACTIVITY_KEPT // HOUR

# What is shown at once stays below some hundred moments, however long the time.
_STEPS = ((4, MINUTE), (26, 10 * MINUTE), (8 * 24, HOUR), (31 * 24, 3 * HOUR), (MOST_HOURS, 12 * HOUR))

_BY_HOUR = 8 * 24
REASON_LENGTH = 160
MOST_REASONS = 20  # Of one project, hour and event; what comes after them is counted without its reason.
_IDS = re.compile(r"\b[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\b")


class Activity(StrEnum):
    """What is counted by the hour."""

    CREATED = "created"
    STARTED = "started"
    READY = "ready"
    CREATE_FAILED = "create failed"
    START_FAILED = "start failed"
    DIED = "died"
    STOPPED = "stopped"
    AUTO_STOPPED = "auto-stopped"


FAILURES = (Activity.CREATE_FAILED, Activity.START_FAILED, Activity.DIED)
_CREATE = "create"  # The word of the record for what begins a notebook and is no transition.
_ACTIVITIES: dict[str, Activity] = {
    _CREATE: Activity.CREATED,
    Event.START.value: Activity.STARTED,
    Event.READY.value: Activity.READY,
    Event.START_FAILED.value: Activity.START_FAILED,
    Event.DIED.value: Activity.DIED,
    Event.STOP.value: Activity.STOPPED,
    Event.AUTO_STOP.value: Activity.AUTO_STOPPED,
}


def activity_of(event: str, after: str) -> Activity | None:
    """What an entry of the record counts as; None for what is not counted."""
    if event == Event.START_FAILED and after == Status.CREATE_FAILED:
        return Activity.CREATE_FAILED
    return _ACTIVITIES.get(event)


def reason_of(activity: Activity, reason: str | None) -> str:
    """The reason under which a failure is counted: its first line without ids, so that like comes to like.
    Empty for what is no failure."""
    if activity not in FAILURES or not reason or not reason.strip():
        return ""
    line = _IDS.sub("…", reason.strip().splitlines()[0])
    return line if len(line) <= REASON_LENGTH else line[: REASON_LENGTH - 1] + "…"


def step_for(hours: int) -> int:
    """How far apart the moments are that are shown of so many hours, in milliseconds."""
    return next(step for most, step in _STEPS if hours <= most)


def width_for(hours: int) -> int:
    """How long the spans are in which happenings of so many hours are counted: an hour or, in UTC, a day."""
    return HOUR if hours <= _BY_HOUR else DAY


def span_for(step: int) -> int:
    """Which samples such moments are taken from."""
    return MINUTE if step < HOUR else HOUR

"""What is counted, under which reason, and how finely times are told."""

import pytest

from nbfleet.domain import history
from nbfleet.domain.history import DAY, HOUR, MINUTE, Activity
from nbfleet.domain.lifecycle import Effect
from nbfleet.domain.tries import retried
from nbfleet.wire.extensions import MOST_HOURS


@pytest.mark.parametrize(
    ("event", "after", "activity"),
    [
        ("create", "CREATING", Activity.CREATED),
        ("start", "STARTING", Activity.STARTED),
        ("ready", "RUNNING", Activity.READY),
        ("start failed", "CREATE_FAILED", Activity.CREATE_FAILED),
        ("start failed", "START_FAILED", Activity.START_FAILED),
        ("died", "ERROR", Activity.DIED),
        ("stop", "STOPPING", Activity.STOPPED),
        ("auto-stop", "STOPPING", Activity.AUTO_STOPPED),
        ("tag", "RUNNING", None),
        # What is tried again has not failed yet; once it is given up, that is counted.
        *((retried(effect), "STARTING", None) for effect in Effect),
        ("delete", "DELETING", None),
    ],
)
def test_what_an_entry_counts_as(event: str, after: str, activity: Activity | None) -> None:
    assert history.activity_of(event, after) is activity


@pytest.mark.parametrize(
    ("activity", "reason", "counted"),
    [
        (Activity.DIED, "exited with status 1\nand more", "exited with status 1"),
        (Activity.DIED, " \n ", ""),
        (Activity.DIED, None, ""),
        (Activity.READY, "not a failure", ""),
        (Activity.START_FAILED, "no 0a1b2c3d-0000-4000-8000-00000000000A, no " + "f" * 32, "no …, no …"),
        (Activity.START_FAILED, "x" * 160, "x" * 160),
        (Activity.START_FAILED, "x" * 161, "x" * 159 + "…"),
    ],
)
def test_like_failures_have_one_reason(activity: Activity, reason: str | None, counted: str) -> None:
    assert history.reason_of(activity, reason) == counted


def test_times_are_told_in_no_more_than_some_hundred_moments() -> None:
    told = {hours: (history.step_for(hours), history.width_for(hours)) for hours in (1, 24, 168, 720, 2160)}
    assert told == {
        1: (MINUTE, HOUR),
        24: (10 * MINUTE, HOUR),
        168: (HOUR, HOUR),
        720: (3 * HOUR, DAY),
        2160: (12 * HOUR, DAY),
    }
    assert MOST_HOURS == history.MOST_HOURS
    for hours in range(1, MOST_HOURS + 1):
        step = history.step_for(hours)
        assert hours * HOUR // step <= 248
        # Samples must have been kept for as long.
        assert history.KEPT[history.span_for(step)] >= hours * HOUR

"""How long the page of an action on many notebooks follows it."""

import pytest

from nbfleet.console.pages.bulk import FOLLOWED, next_look
from nbfleet.domain.bulk import Action, Result
from nbfleet.domain.lifecycle import Status
from nbfleet.services.bulk import Progress
from nbfleet.store.bulk_actions import Bulk

BEGUN = 1_000_000


def progress(total: int, end_at: int | None, now: dict[Status, int]) -> Progress:
    action = Bulk(1, "id", "project", "user", Action.STOP, "{}", total, BEGUN, end_at, None, None)
    return Progress(action, None, {Result.DONE: total}, now)


@pytest.mark.parametrize(
    ("now", "passed", "small", "large"),
    [
        ({Status.STOPPED: 4, Status.STOPPING: 1}, 0, 2, 10),
        ({Status.STARTING: 1}, FOLLOWED - 1, 2, 10),
        ({Status.DELETING: 1}, FOLLOWED, None, None),
        ({Status.STOPPED: 4, Status.START_FAILED: 1}, 0, None, None),
        ({}, 0, None, None),
    ],
)
def test_after_its_end_what_is_in_motion_is_followed_for_a_while(
    now: dict[Status, int], passed: int, small: int | None, large: int | None
) -> None:
    looks = [next_look(progress(total, BEGUN, now), BEGUN + passed) for total in (1000, 1001)]
    assert looks == [small, large]


def test_one_that_goes_on_is_followed_however_long_it_takes() -> None:
    looks = [next_look(progress(total, None, {}), BEGUN + 100 * FOLLOWED) for total in (1000, 1001)]
    assert looks == [1, 3]

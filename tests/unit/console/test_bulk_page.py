"""How long the page of an action on many notebooks follows it."""

import pytest
from msgspec import UNSET, UnsetType

from nbfleet.console.pages.bulk import FOLLOWED, next_look
from nbfleet.wire.bulk import ActionCounts, NotebookAction
from nbfleet.wire.enums import NotebookStatus

BEGUN = 1_000_000
IN_MOTION = {NotebookStatus.STOPPING, NotebookStatus.STARTING, NotebookStatus.DELETING}
Now = dict[NotebookStatus, int]


def action(total: int, end_at: int | UnsetType, now: Now) -> NotebookAction:
    counts = ActionCounts(pending=0, done=total, skipped=0, failed=0, cancelled=0)
    moving = sum(count for status, count in now.items() if status in IN_MOTION)
    return NotebookAction(
        id="id", action="stop", total=total, settled=total, counts=counts, create_at=BEGUN, end_at=end_at,
        now=now, in_motion=moving,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now", "passed", "small", "large"),
    [
        ({NotebookStatus.STOPPED: 4, NotebookStatus.STOPPING: 1}, 0, 2, 10),
        ({NotebookStatus.STARTING: 1}, FOLLOWED - 1, 2, 10),
        ({NotebookStatus.DELETING: 1}, FOLLOWED, None, None),
        ({NotebookStatus.STOPPED: 4, NotebookStatus.START_FAILED: 1}, 0, None, None),
        ({}, 0, None, None),
    ],
)
def test_after_its_end_what_is_in_motion_is_followed_for_a_while(
    now: Now, passed: int, small: int | None, large: int | None
) -> None:
    looks = [next_look(action(total, BEGUN, now), BEGUN + passed) for total in (1000, 1001)]
    assert looks == [small, large]


def test_one_that_goes_on_is_followed_however_long_it_takes() -> None:
    looks = [next_look(action(total, UNSET, {}), BEGUN + 100 * FOLLOWED) for total in (1000, 1001)]
    assert looks == [1, 3]

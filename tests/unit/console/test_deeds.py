"""What a page offers: only what the status allows and the reader may."""

import pytest

from nbfleet.console.deeds import offered
from nbfleet.domain.access import ACT_ON_ALL, Caller, Role
from nbfleet.domain.lifecycle import Event
from nbfleet.wire import enums
from nbfleet.wire.notebooks import JobProgress, NotebookResp

OWNER = "owner"
ID = "11111111-2222-4333-8444-555555555555"
START, STOP, DELETE = "modelarts:notebook:start", "modelarts:notebook:stop", "modelarts:notebook:delete"
FREEZE = "nbfleet:notebook:freeze"


def caller(*actions: str, user_id: str = OWNER) -> Caller:
    return Caller(user_id, "ada", "project", Role("some", frozenset(actions)), "account", "a")


def book(status: enums.NotebookStatus, first: str = "WAITING") -> NotebookResp:
    step = JobProgress(
        notebook_id=ID, step=1, status=enums.JobProgressStatus(first), step_description="", description=""
    )
    return NotebookResp(id=ID, name="one", status=status, flavor="small", action_progress=[step])


@pytest.mark.parametrize(
    ("status", "wishes"),
    [
        (enums.NotebookStatus.STOPPED, {Event.START, Event.DELETE, Event.FREEZE}),
        (enums.NotebookStatus.START_FAILED, {Event.START, Event.DELETE, Event.FREEZE}),
        (enums.NotebookStatus.ERROR, {Event.START, Event.DELETE, Event.FREEZE}),
        (enums.NotebookStatus.RUNNING, {Event.STOP, Event.DELETE, Event.FREEZE}),
        (enums.NotebookStatus.FROZEN, {Event.UNFREEZE}),
        (enums.NotebookStatus.STOPPING, set()),
    ],
)
def test_what_the_status_allows_is_offered(status: enums.NotebookStatus, wishes: set[Event]) -> None:
    assert offered(caller(START, STOP, DELETE, FREEZE), book(status), OWNER) == wishes


def test_a_start_is_called_off_only_while_nothing_was_begun() -> None:
    reader, starting = caller(START, STOP, DELETE), enums.NotebookStatus.STARTING
    assert offered(reader, book(starting), OWNER) == {Event.STOP, Event.DELETE}
    assert offered(reader, book(starting, "PROCESSING"), OWNER) == set()


def test_what_the_reader_may_not_is_not_offered() -> None:
    stopped = book(enums.NotebookStatus.STOPPED)
    assert offered(caller(START), stopped, OWNER) == {Event.START}
    assert offered(caller(DELETE), stopped, OWNER) == {Event.DELETE}
    assert offered(caller(START, user_id="other"), stopped, OWNER) == set()
    assert offered(caller(START, ACT_ON_ALL, user_id="other"), stopped, OWNER) == {Event.START}

"""Which notebooks an action on many would change, against a table written by hand."""

import itertools

import pytest

from nbfleet.domain.access import ACT_ON_ALL, MEMBER_ACTIONS, Role
from nbfleet.domain.bulk import Action, Candidate, Reason, objection
from nbfleet.domain.lifecycle import Status
from support.make import OTHER, OWNER, caller

HOUR = 3_600_000
FITS = {
    Action.START: {"STOPPED", "START_FAILED", "ERROR"},
    Action.STOP: {"RUNNING"},
    Action.DELETE: {"RUNNING", "STOPPED", "CREATE_FAILED", "START_FAILED", "ERROR", "DELETE_FAILED"},
    Action.EXTEND: {"RUNNING"},
    Action.TAG: {status.value for status in Status} - {"FROZEN", "DELETING", "DELETED"},
}
# While a start waits for its turn it can be called off as well.
WAITING = {Action.STOP: {"CREATING", "STARTING"}, Action.DELETE: {"CREATING", "STARTING"}}
LEADER = Role("leader", MEMBER_ACTIONS | {ACT_ON_ALL})


@pytest.mark.parametrize(("action", "status"), list(itertools.product(Action, Status)))
def test_the_status_decides(action: Action, status: Status) -> None:
    for waiting in (False, True):
        fits = FITS[action] | (WAITING.get(action, set()) if waiting else set())
        found = objection(action, Candidate(OWNER, status, waiting=waiting), caller(), HOUR, HOUR)
        assert found == (None if status.value in fits else Reason.STATE)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("role", "owner", "expected"),
    [
        (Role.MEMBER, OTHER, Reason.FOREIGN),
        (LEADER, OTHER, Reason.STATE),
        (Role.ADMINISTRATOR, OTHER, Reason.STATE),
        (Role.MEMBER, OWNER, Reason.STATE),
    ],
)
def test_whose_it_is_counts_before_its_status(
    action: Action, role: Role, owner: str, expected: Reason
) -> None:
    assert objection(action, Candidate(owner, Status.DELETING), caller(role), HOUR, HOUR) == expected


@pytest.mark.parametrize(("period", "expected"), [(HOUR, None), (HOUR + 1, Reason.FREE), (-1, Reason.FREE)])
def test_a_free_one_runs_for_an_hour_at_most(period: int, expected: Reason | None) -> None:
    for action, status in ((Action.START, Status.STOPPED), (Action.EXTEND, Status.RUNNING)):
        free, usual = Candidate(OWNER, status, "DEFAULT"), Candidate(OWNER, status)
        assert objection(action, free, caller(), period, HOUR) == expected
        assert objection(action, usual, caller(), period, HOUR) is None
    assert objection(Action.STOP, Candidate(OWNER, Status.RUNNING, "DEFAULT"), caller(), None, HOUR) is None

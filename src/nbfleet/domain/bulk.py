"""Actions on many notebooks: which of them one would change, and why not the others. Pure.

The same decision is made for the preview and again for each notebook under its lock, so that what was
announced and what happens differ only by what changed in between.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from nbfleet.domain import access, lifecycle
from nbfleet.domain import lease as leases
from nbfleet.domain.access import Caller
from nbfleet.domain.lifecycle import Event, Status
from nbfleet.domain.listing import Query


class Action(StrEnum):
    START = "start"
    STOP = "stop"
    DELETE = "delete"
    EXTEND = "extend"  # The lease is renewed.
    TAG = "tag"


_EVENTS = {Action.START: Event.START, Action.STOP: Event.STOP, Action.DELETE: Event.DELETE}


def changes_status(action: Action) -> bool:
    """Whether the notebooks are on their way to another status once the action is done with them."""
    return action in _EVENTS


class Result(StrEnum):
    """What became of one notebook of an action."""

    PENDING = "pending"
    DONE = "done"
    SKIPPED = "skipped"  # It was not to be changed, or no longer.
    FAILED = "failed"  # It was tried and refused, or did not work.
    CANCELLED = "cancelled"  # The rest was called off.


class Reason(StrEnum):
    """Why a notebook is not changed."""

    STATE = "state"  # Its status does not allow it.
    FOREIGN = "foreign"  # It belongs to somebody else.
    FREE = "free"  # A free one, whose lease cannot be that long.
    LEFT = "left"  # It no longer is on the list that the action was begun on.
    GONE = "gone"  # It is not there, or not for the caller.
    NOT_ALLOWED = "not allowed"  # The caller may no longer do this.
    REFUSED = "refused"  # By a rule that depends on more than the notebook, such as a quota.
    FAULT = "fault"  # Something went wrong in the service.


@dataclass(frozen=True, slots=True)
class Candidate:
    """What decides about a notebook. `waiting`: its start waits for its turn; see `lifecycle.is_waiting`."""

    owner_id: str
    status: Status
    feature: str = "NOTEBOOK"
    waiting: bool = False


def objection(
    action: Action, candidate: Candidate, caller: Caller, period: int | None, longest_free: int
) -> Reason | None:
    """Why the action would not change this notebook; None where it would. The caller is known to see it.

    `period` is that of the lease in milliseconds for START and EXTEND, and `longest_free` the longest that a
    free one may have.
    """
    if not access.acts_on(caller, candidate.owner_id):
        return Reason.FOREIGN
    if not _fits(action, candidate):
        return Reason.STATE
    is_too_long = period is not None and (period == leases.OFF or period > longest_free)
    return Reason.FREE if candidate.feature == "DEFAULT" and is_too_long else None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: an action on all that a query finds, or on those with these ids; where there are
    both, on those of these ids that the query finds.

    `period` in milliseconds is that of the lease for START and EXTEND; `tag` is the one to set, for TAG.
    """

    action: Action
    ids: tuple[str, ...] = ()
    query: Query | None = None
    period: int | None = None
    tag: tuple[str, str] | None = None


_MARK = 8  # Bytes of the digest of an id: none of 10,000 is taken for another.


@dataclass(frozen=True, slots=True)
class Shown:
    """Which notebooks a preview said would change, in a form that fits into a field for 10,000 of them."""

    marks: tuple[bytes, ...]

    @staticmethod
    def of(ids: Iterable[str]) -> "Shown":
        return Shown(tuple(map(_mark, ids)))

    @staticmethod
    def read(text: str) -> "Shown":
        """What `text` wrote; raises ValueError where it is of another form."""
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        if len(raw) % _MARK:
            raise ValueError("not a whole number of marks")
        return Shown(tuple(raw[start : start + _MARK] for start in range(0, len(raw), _MARK)))

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(b"".join(self.marks)).decode()

    def lacking(self, ids: Iterable[str]) -> int:
        """How many of these were not shown."""
        known = frozenset(self.marks)
        return sum(_mark(one) not in known for one in ids)


def _mark(notebook_id: str) -> bytes:
    return hashlib.sha256(notebook_id.encode()).digest()[:_MARK]


def _fits(action: Action, candidate: Candidate) -> bool:
    status = candidate.status
    if action is Action.EXTEND:
        return status is Status.RUNNING
    if action is Action.TAG:
        return status not in (Status.FROZEN, Status.DELETING, Status.DELETED)
    return lifecycle.allows(status, _EVENTS[action], waiting=candidate.waiting)

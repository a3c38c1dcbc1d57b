"""Every state a notebook can be in and every way from one to another, with the reason for each.

Nothing about state may live elsewhere: requests and the reconciler both change a notebook only through
`apply`, and the published status is only ever computed by `status_of`. The diagram in the docs is drawn
from `TRANSITIONS`. This module decides; it does not act.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from nbfleet.domain import lease as leases
from nbfleet.domain.notebook import Notebook, Observed, Progress, Wanted


class Status(StrEnum):
    """The published status. DELETED rows are kept for audit and never shown by id."""

    INIT = "INIT"
    CREATING = "CREATING"
    STARTING = "STARTING"
    STOPPING = "STOPPING"
    DELETING = "DELETING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SNAPSHOTTING = "SNAPSHOTTING"
    CREATE_FAILED = "CREATE_FAILED"
    START_FAILED = "START_FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    ERROR = "ERROR"
    DELETED = "DELETED"
    FROZEN = "FROZEN"


class Event(StrEnum):
    """What can happen to a notebook: seven wishes, then six findings."""

    START = "start"
    STOP = "stop"
    AUTO_STOP = "auto-stop"
    DELETE = "delete"
    EXPIRE = "expire"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    READY = "ready"
    START_FAILED = "start failed"
    DIED = "died"
    FOUND_STOPPED = "found stopped"
    REMOVED = "removed"
    REMOVE_FAILED = "remove failed"


class Presence(StrEnum):
    """What a runtime sees of an instance now."""

    ABSENT = "absent"  # Nothing of it runs, and nothing says why it ended.
    STARTING = "starting"  # Something runs but does not answer yet.
    READY = "ready"
    EXITED = "exited"  # It ended by itself.
    UNKNOWN = "unknown"  # The runtime cannot tell now. Nothing may be concluded from this.


class Effect(StrEnum):
    """What the reconciler makes true. Each may be repeated at any time."""

    START = "start"  # Make sure it runs and answers; leads to READY or START_FAILED.
    STOP = "stop"  # Make sure nothing of it runs; leads to FOUND_STOPPED.
    REMOVE = "remove"  # Stop it and remove its files; leads to REMOVED or REMOVE_FAILED.
    GROW = "grow"  # Make its work volume as large as was asked for; its status stays.


@dataclass(frozen=True, slots=True)
class Transition:
    source: Status
    event: Event
    wanted: Wanted
    observed: Observed
    reason: str
    waiting: bool = False  # Only while the start is waiting for its turn; see `is_waiting`.
    settled: bool = False  # Only once nothing has to be made true any more.

    @property
    def target(self) -> Status:
        return _PUBLISHED[self.wanted, self.observed]


_PUBLISHED: dict[tuple[Wanted, Observed], Status] = {
    (Wanted.RUNNING, Observed.NEW): Status.CREATING,
    (Wanted.RUNNING, Observed.STOPPED): Status.STARTING,
    (Wanted.RUNNING, Observed.RUNNING): Status.RUNNING,
    (Wanted.RUNNING, Observed.CREATE_FAILED): Status.CREATE_FAILED,
    (Wanted.RUNNING, Observed.START_FAILED): Status.START_FAILED,
    (Wanted.RUNNING, Observed.ERROR): Status.ERROR,
    (Wanted.STOPPED, Observed.RUNNING): Status.STOPPING,
    (Wanted.STOPPED, Observed.STOPPED): Status.STOPPED,
    (Wanted.DELETED, Observed.STOPPED): Status.DELETING,
    (Wanted.DELETED, Observed.RUNNING): Status.DELETING,
    (Wanted.DELETED, Observed.CREATE_FAILED): Status.DELETING,
    (Wanted.DELETED, Observed.START_FAILED): Status.DELETING,
    (Wanted.DELETED, Observed.ERROR): Status.DELETING,
    (Wanted.DELETED, Observed.DELETE_FAILED): Status.DELETE_FAILED,
    (Wanted.DELETED, Observed.GONE): Status.DELETED,
    (Wanted.FROZEN, Observed.RUNNING): Status.FROZEN,
    (Wanted.FROZEN, Observed.STOPPED): Status.FROZEN,
}

_RUN, _STOP, _DELETE, _FREEZE = Wanted.RUNNING, Wanted.STOPPED, Wanted.DELETED, Wanted.FROZEN

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        Status.CREATING, Event.READY, _RUN, Observed.RUNNING, "its server answered for the first time"
    ),
    Transition(Status.CREATING, Event.START_FAILED, _RUN, Observed.CREATE_FAILED, "a start-up step failed"),
    Transition(Status.STOPPED, Event.START, _RUN, Observed.STOPPED, "its owner asked for it"),
    Transition(Status.START_FAILED, Event.START, _RUN, Observed.STOPPED, "another try after a failed start"),
    Transition(Status.ERROR, Event.START, _RUN, Observed.STOPPED, "another try after it ended by itself"),
    Transition(Status.STARTING, Event.READY, _RUN, Observed.RUNNING, "its server answered"),
    Transition(Status.STARTING, Event.START_FAILED, _RUN, Observed.START_FAILED, "a start-up step failed"),
    Transition(
        Status.CREATING,
        Event.STOP,
        _STOP,
        Observed.STOPPED,
        "nothing was made yet: like any stopped one it can be started, or removed for good",
        waiting=True,
    ),
    Transition(Status.STARTING, Event.STOP, _STOP, Observed.STOPPED, "nothing of it runs yet", waiting=True),
    Transition(
        Status.CREATING, Event.DELETE, _DELETE, Observed.STOPPED, "nothing was made yet", waiting=True
    ),
    Transition(Status.STARTING, Event.DELETE, _DELETE, Observed.STOPPED, "only files are left", waiting=True),
    Transition(Status.RUNNING, Event.STOP, _STOP, Observed.RUNNING, "its owner asked for it"),
    Transition(Status.RUNNING, Event.AUTO_STOP, _STOP, Observed.RUNNING, "its lease ran out"),
    Transition(Status.RUNNING, Event.DIED, _RUN, Observed.ERROR, "it ended by itself"),
    Transition(Status.STOPPING, Event.FOUND_STOPPED, _STOP, Observed.STOPPED, "nothing of it runs any more"),
    Transition(Status.RUNNING, Event.DELETE, _DELETE, Observed.RUNNING, "its owner asked for it"),
    Transition(Status.STOPPED, Event.DELETE, _DELETE, Observed.STOPPED, "its owner asked for it"),
    Transition(
        Status.CREATE_FAILED, Event.DELETE, _DELETE, Observed.CREATE_FAILED, "cleared away by its owner"
    ),
    Transition(
        Status.START_FAILED, Event.DELETE, _DELETE, Observed.START_FAILED, "cleared away by its owner"
    ),
    Transition(Status.ERROR, Event.DELETE, _DELETE, Observed.ERROR, "cleared away by its owner"),
    Transition(
        Status.DELETE_FAILED, Event.DELETE, _DELETE, Observed.STOPPED, "another try after a failed removal"
    ),
    Transition(
        Status.STOPPED, Event.EXPIRE, _DELETE, Observed.STOPPED, "a free one, not started again in time"
    ),
    Transition(
        Status.RUNNING, Event.FREEZE, _FREEZE, Observed.RUNNING, "an administrator froze it: it is stopped"
    ),
    Transition(Status.STOPPED, Event.FREEZE, _FREEZE, Observed.STOPPED, "an administrator froze it"),
    Transition(Status.CREATE_FAILED, Event.FREEZE, _FREEZE, Observed.STOPPED, "an administrator froze it"),
    Transition(Status.START_FAILED, Event.FREEZE, _FREEZE, Observed.STOPPED, "an administrator froze it"),
    Transition(Status.ERROR, Event.FREEZE, _FREEZE, Observed.STOPPED, "an administrator froze it"),
    Transition(Status.FROZEN, Event.FOUND_STOPPED, _FREEZE, Observed.STOPPED, "nothing of it runs any more"),
    Transition(
        Status.FROZEN, Event.UNFREEZE, _STOP, Observed.STOPPED, "an administrator lifted it", settled=True
    ),
    Transition(Status.DELETING, Event.REMOVED, _DELETE, Observed.GONE, "nothing of it is left"),
    Transition(
        Status.DELETING, Event.REMOVE_FAILED, _DELETE, Observed.DELETE_FAILED, "its files would not go"
    ),
)

_BY_SOURCE = {(row.source, row.event): row for row in TRANSITIONS}

GROWS_IN = frozenset({Status.RUNNING, Status.STOPPED})
UNUSED = 72 * 3_600_000  # Milliseconds a free instance is kept without being used.
FAILED = frozenset({Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR})
# In which an instance has, or is to have, room on a machine.
TAKES_ROOM = frozenset({
    Status.INIT, Status.CREATING, Status.STARTING, Status.RUNNING, Status.STOPPING, Status.SNAPSHOTTING,
    Status.DELETING,
})  # fmt: skip


class IllegalTransition(Exception):
    """The event cannot happen in this status."""

    def __init__(self, status: Status, event: Event) -> None:
        super().__init__(f"{event} is not possible in {status}")
        self.status = status
        self.event = event


def status_of(notebook: Notebook) -> Status:
    """The published status of the pair (wanted, observed)."""
    return _PUBLISHED[notebook.wanted, notebook.observed]


def is_waiting(notebook: Notebook, *, claimed: bool) -> bool:
    """Whether its start waits for its turn and nobody has begun with it.

    A claim counts even when its time is over: its holder may have begun before it went away. Without one the
    progress tells, because a runtime names each step before it does anything about it.
    """
    untouched = notebook.progress in (None, Progress()) and notebook.handle is None
    return effect_for(notebook) is Effect.START and untouched and not claimed


def allows(status: Status, event: Event, *, waiting: bool = False, settled: bool = True) -> bool:
    row = _BY_SOURCE.get((status, event))
    return row is not None and (waiting or not row.waiting) and (settled or not row.settled)


def possible(status: Status, *, waiting: bool = False, settled: bool = True) -> frozenset[Event]:
    """Everything that can happen to a notebook of this status; what is not known is taken for unlikely."""
    return frozenset(one for one in Event if allows(status, one, waiting=waiting, settled=settled))


def apply(notebook: Notebook, event: Event, now: int, *, claimed: bool = True) -> Notebook:
    """The notebook after the event; raises IllegalTransition where the table has no such edge.

    `claimed` is whether somebody works on it, read under the lock under which the result is written; who does
    not know takes it for claimed.
    """
    status = status_of(notebook)
    waiting, settled = is_waiting(notebook, claimed=claimed), effect_for(notebook) is None
    if not allows(status, event, waiting=waiting, settled=settled):
        raise IllegalTransition(status, event)
    row = _BY_SOURCE[status, event]
    return replace(notebook, wanted=row.wanted, observed=row.observed, update_at=now)


_EFFECTS = {
    Status.CREATING: Effect.START,
    Status.STARTING: Effect.START,
    Status.STOPPING: Effect.STOP,
    Status.DELETING: Effect.REMOVE,
}
IN_MOTION = frozenset(_EFFECTS)


def effect_for(notebook: Notebook) -> Effect | None:
    """What has to be made true now; None where nothing is pending.

    The effect does not depend on what is seen: each one makes sure of its result from any starting point,
    so that the first try and the recovery after a crash are the same thing.
    """
    status = status_of(notebook)
    if status is Status.FROZEN and notebook.observed is Observed.RUNNING:
        return Effect.STOP
    if notebook.volume.growing_to is not None and status in GROWS_IN:
        return Effect.GROW
    return _EFFECTS.get(status)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What time alone does to a notebook, and when."""

    at: int
    event: Event


def alarm_of(notebook: Notebook) -> Alarm | None:
    """A running one stops when its lease runs out. A free one (feature DEFAULT) is removed when it was not
    started again within three days of that."""
    status, deadline = status_of(notebook), leases.deadline(notebook.lease)
    if deadline is None:
        return None
    if status is Status.RUNNING:
        return Alarm(deadline, Event.AUTO_STOP)
    if status is Status.STOPPED and notebook.feature == "DEFAULT":
        return Alarm(deadline + UNUSED, Event.EXPIRE)
    return None


def finding(status: Status, seen: Presence) -> Event | None:
    """What a look at an instance nobody is working on says about its notebook."""
    if status is Status.RUNNING and seen in (Presence.ABSENT, Presence.EXITED):
        return Event.DIED
    return None


def is_stray(notebook: Notebook, seen: Presence) -> bool:
    """Whether something runs although its notebook says that nothing does. What is in motion is left alone:
    the reconciler is at it, and makes sure itself."""
    settled = effect_for(notebook) in (None, Effect.GROW) and status_of(notebook) is not Status.RUNNING
    return settled and seen in (Presence.STARTING, Presence.READY)

"""What happened to a notebook, in words: its events, and the steps of its last start with their times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from nbfleet.console.texts import _, later
from nbfleet.domain.notebook import Step, StepStatus
from nbfleet.domain.tries import RETRIES, TELLING
from nbfleet.wire.extensions import NotebookEvent
from nbfleet.wire.notebooks import NotebookResp

STEP_WORDS: Mapping[str, str] = {
    Step.STORAGE.name: later("Prepare storage"),
    Step.COMPUTE.name: later("Get compute"),
    Step.NETWORK.name: later("Set up the network"),
    Step.INITIALISATION.name: later("Initialise the instance"),
}
STEP_STATES: Mapping[str, str] = {
    StepStatus.WAITING: later("waits"),
    StepStatus.PROCESSING: later("in hand"),
    StepStatus.COMPLETED: later("done"),
    StepStatus.FAILED: later("failed"),
}
EVENT_WORDS: Mapping[str, str] = {
    "create": later("Created"),
    "start": later("Asked to start"),
    "stop": later("Asked to stop"),
    "delete": later("Asked to delete"),
    "update": later("Changed"),
    "renew": later("Auto-stop set anew"),
    "tag": later("Tags set"),
    "untag": later("Tags removed"),
    "freeze": later("Frozen"),
    "unfreeze": later("Unfrozen"),
    "auto-stop": later("Its time was over"),
    "expire": later("Removed, as it was not used"),
    "ready": later("Runs"),
    "start failed": later("The start failed"),
    "died": later("It ended by itself"),
    "found stopped": later("Stopped"),
    "removed": later("Removed"),
    "remove failed": later("Could not be removed"),
    "grown": later("The volume has grown"),
    "grow failed": later("The volume could not grow"),
    "start retried": later("The start did not work yet and is tried again"),
    "stop retried": later("The stop did not work yet and is tried again"),
    "remove retried": later("The removal did not work yet and is tried again"),
    "grow retried": later("The volume has not grown yet, which is tried again"),
    "mount": later("Asked to attach storage"),
    "unmount": later("Asked to detach storage"),
    "mounted": later("Storage attached"),
    "mount failed": later("Storage could not be attached"),
    "unmounted": later("Storage detached"),
    "unmount failed": later("Storage could not be detached"),
}
MOUNT_WORDS: Mapping[str, str] = {
    "MOUNTING": later("is being attached"),
    "MOUNTED": later("attached"),
    "MOUNT_FAILED": later("could not be attached"),
    "UNMOUNTING": later("is being detached"),
    "UNMOUNT_FAILED": later("could not be detached"),
    "UNMOUNTED": later("detached"),
}
_BEGINS = ("create", "start")


@dataclass(frozen=True, slots=True)
class StepTold:
    """Times in milliseconds since 1970; None for what has not happened."""

    text: str
    status: str
    word: str
    began: int | None
    ended: int | None

    @property
    def seconds(self) -> str | None:
        """How long it took, None while it goes on."""
        if self.began is None or self.ended is None:
            return None
        return _("%(seconds)s s") % {"seconds": f"{(self.ended - self.began) / 1000:.1f}"}


def event_word(event: NotebookEvent) -> str:
    """What happened; a step is told by its name and what became of it."""
    if event.event != "step" or event.reason is UNSET:
        return _(EVENT_WORDS.get(event.event, event.event))
    name, _space, status = event.reason.partition(" ")
    return f"{_(STEP_WORDS.get(name, name))}: {_(STEP_STATES.get(status, status))}"


def mount_word(status: str) -> str:
    return _(MOUNT_WORDS.get(status, status))


def failed_try(events: Sequence[NotebookEvent]) -> NotebookEvent | None:
    """The last failed try of what is still pending, where one failed. `events` newest first."""
    newest = next((one for one in events if one.event in TELLING), None)
    return newest if newest is not None and newest.event in RETRIES else None


def steps(one: NotebookResp, events: Sequence[NotebookEvent]) -> list[StepTold]:
    """The steps of the last start, first to last; none where nothing is known of them. `events` as the
    operation answers them, newest first."""
    times = _times(_of_last_start(events))
    known = {} if one.action_progress is UNSET else {part.step: part.status for part in one.action_progress}
    if not known and not times:
        return []
    told: list[StepTold] = []
    for step in Step:
        began, ended, seen = times.get(step.name, (None, None, StepStatus.WAITING.value))
        status = str(known[step].value) if step in known else seen
        told.append(StepTold(_(STEP_WORDS[step.name]), status, _(STEP_STATES[status]), began, ended))
    return told


def _of_last_start(events: Sequence[NotebookEvent]) -> list[NotebookEvent]:
    """Since the notebook was asked to run, oldest first; nothing where that is not among them."""
    place = next((number for number, one in enumerate(events) if one.event in _BEGINS), None)
    return [] if place is None else list(reversed(events[: place + 1]))


def _times(events: Sequence[NotebookEvent]) -> dict[str, tuple[int | None, int | None, str]]:
    """When each step began and ended, and what it is; one that begins again has not ended."""
    found: dict[str, tuple[int | None, int | None, str]] = {}
    for event in events:
        if event.event == "step" and event.reason is not UNSET:
            name, _space, status = event.reason.partition(" ")
            if status == StepStatus.PROCESSING:
                found[name] = (event.at, None, status)
            else:
                began = found.get(name, (event.at, None, status))[0]
                found[name] = (began, event.at, status)
    return found

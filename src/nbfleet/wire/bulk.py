"""Actions on many notebooks, of our own: what is asked for, what it would do, and what became of each.

Types only: which notebooks an action would change is decided elsewhere. Undocumented fields are refused here:
a misspelled filter must not make an action one on everything.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import NotebookStatus
from nbfleet.wire.fields import Int64, LongCount, Millis, Uuid, about
from nbfleet.wire.leases import LeaseDurationMs
from nbfleet.wire.literals import ActionReason, ActionResult, BulkAction
from nbfleet.wire.pages import Page
from nbfleet.wire.tags import TmsTag, TmsTagResponse


class NotebookActionRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do with many instances: all that a query finds, those that are named, or with both, those
    of the named ones that the query finds."""

    action: Annotated[BulkAction, about("What to do; extend sets the lease anew.")]
    ids: Annotated[list[Uuid], Meta(min_length=1), about("Instance ids.")] | UnsetType = UNSET
    query: (
        Annotated[
            dict[str, str | int],
            about(
                "Parameters of ListAllNotebooks by their names, with the meaning and defaults that they have "
                "there; an empty object is all that it lists. Order and paging have no effect."
            ),
        ]
        | UnsetType
    ) = UNSET
    duration: (
        Annotated[
            LeaseDurationMs,
            about(
                "Period of the lease, counted from then on: needed to extend, and only for that and start."
            ),
        ]
        | UnsetType
    ) = UNSET
    tag: Annotated[TmsTag, about("The tag to set: needed to tag, and only for that.")] | UnsetType = UNSET


class BeginNotebookActionRequest(
    NotebookActionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """The action to begin."""

    shown: (
        Annotated[
            str,
            about(
                "As the preview answered it: nothing is begun if by now an instance would change that is not "
                "among those of the preview. Needed to delete; else, when absent, what is found now changes."
            ),
        ]
        | UnsetType
    ) = UNSET
    once: (
        Annotated[
            str,
            Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}\Z"),
            about(
                "A word of the caller's: of all requests of a user in a project with the same one, the first "
                "begins its action, and the others are answered that action."
            ),
        ]
        | UnsetType
    ) = UNSET


class JudgedNotebook(Struct, frozen=True, kw_only=True):
    """An instance that an action is about."""

    id: Annotated[str, about("Instance id.")]
    name: Annotated[str, about("Instance name; empty where it is not there for the caller.")]
    status: Annotated[NotebookStatus, about("Status; absent where it is not there.")] | UnsetType = UNSET


class KeptNotebooks(Struct, frozen=True, kw_only=True):
    """Instances that would stay as they are for the same reason, in the same status."""

    reason: Annotated[ActionReason, about("Why.")]
    status: (
        Annotated[NotebookStatus, about("Status; absent where they are not there for the caller.")]
        | UnsetType
    ) = UNSET
    count: Annotated[LongCount, about("How many.")]
    first: Annotated[list[JudgedNotebook], about("Some of them.")]


class WishedAction(Struct, frozen=True, kw_only=True):
    """What was asked for, with what was left open filled in."""

    action: Annotated[BulkAction, about("What to do.")]
    query: (
        Annotated[
            dict[str, str],
            about("Parameters of ListAllNotebooks; absent where instances were named and nothing else."),
        ]
        | UnsetType
    ) = UNSET
    duration: (
        Annotated[Int64, about("Period of the lease in milliseconds, -1 for no auto-stop.")] | UnsetType
    ) = UNSET
    tag: Annotated[TmsTagResponse, about("The tag to set.")] | UnsetType = UNSET


class NotebookActionPreview(WishedAction, frozen=True, kw_only=True):
    """What an action would do now. Nothing has changed."""

    total: Annotated[LongCount, about("How many instances it is about.")]
    changing: Annotated[LongCount, about("How many of them it would change.")]
    first: Annotated[list[JudgedNotebook], about("Some of those.")]
    kept: Annotated[list[KeptNotebooks], about("All others by reason and status, the most first.")]
    shown: Annotated[str, about("Which ones it would change, for BeginNotebookAction.")]


class ActionCounts(Struct, frozen=True, kw_only=True):
    """How many instances of an action have each result."""

    pending: Annotated[LongCount, about("Their turn has not come yet.")]
    done: Annotated[LongCount, about("What was asked for is recorded.")]
    skipped: Annotated[LongCount, about("They were not to be changed, or no longer.")]
    failed: Annotated[LongCount, about("They were tried and refused, or it did not work.")]
    cancelled: Annotated[LongCount, about("They were called off.")]


class NotebookAction(WishedAction, frozen=True, kw_only=True):
    """An action on many instances, and how far it has come."""

    id: Annotated[str, about("Id of the action, and request id of each change that it made.")]
    total: Annotated[LongCount, about("How many instances it is about.")]
    settled: Annotated[LongCount, about("How many of them are not pending.")]
    counts: Annotated[ActionCounts, about("How many have each result.")]
    create_at: Annotated[Millis, about("When it was begun.")]
    end_at: Annotated[Millis, about("When it ended; absent while any are pending.")] | UnsetType = UNSET
    cancel_at: Annotated[Millis, about("When the rest was called off.")] | UnsetType = UNSET
    now: (
        Annotated[
            dict[NotebookStatus, LongCount],
            about(
                "How those that are done and seen by the caller stand by now: by status, the most first. "
                "Empty where the action leaves the status as it is; absent in lists."
            ),
        ]
        | UnsetType
    ) = UNSET
    in_motion: (
        Annotated[LongCount, about("How many of those are on their way still; absent in lists.")] | UnsetType
    ) = UNSET


class ListNotebookActionsResponse(Page, frozen=True, kw_only=True):
    """One page of the caller's actions."""

    data: Annotated[list[NotebookAction], about("Records of this page, the newest first.")]


class NotebookActionResult(Struct, frozen=True, kw_only=True):
    """What became of one instance of an action."""

    notebook_id: Annotated[str, about("Instance id.")]
    name: Annotated[str, about("Its name when the action was begun; empty where it was not there.")]
    result: Annotated[ActionResult, about("What became of it.")]
    reason: Annotated[ActionReason, about("Why it was not changed.")] | UnsetType = UNSET
    detail: Annotated[str, about("Words of the refusal, where there is one.")] | UnsetType = UNSET
    at: Annotated[Millis, about("When that was settled; absent while it is pending.")] | UnsetType = UNSET
    status: (
        Annotated[
            NotebookStatus,
            about("Of one that is done: its status by now, where the action changes that."),
        ]
        | UnsetType
    ) = UNSET
    cause: (
        Annotated[str, about("Why it failed since then, or why the last try failed of what is on its way.")]
        | UnsetType
    ) = UNSET


class ListNotebookActionResultsResponse(Page, frozen=True, kw_only=True):
    """One page of what became of the instances of an action."""

    data: Annotated[list[NotebookActionResult], about("Records of this page, in the order of the action.")]

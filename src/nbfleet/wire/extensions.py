"""Operations of our own, beside those of the contract. No existing client knows or trips over them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.fields import Count, LongCount, Millis, about, int64
from nbfleet.wire.history import FleetHistory, ListStoppingNotebooksResponse, ShowCapacityResponse
from nbfleet.wire.notebooks import NotebookResp
from nbfleet.wire.operation import Action, Operation
from nbfleet.wire.pages import EmptyObject
from nbfleet.wire.parameters import FLEET_FILTERS, NOTEBOOK_ID, PROJECT_ID, SORT_DIR, query

GroupKey = Literal["status", "owner", "pool", "flavor", "image", "workspace", "tag"]
ExportFormat = Literal["ndjson", "csv"]
MOST_HOURS = 90 * 24  # As long as what happened is remembered.
MEDIA_TYPES: dict[str, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


class NotebookLog(Struct, frozen=True, kw_only=True):
    """What an instance wrote last."""

    log: Annotated[str, about("The last lines, oldest first; empty when it wrote none.")]


class NotebookUsage(Struct, frozen=True, kw_only=True):
    """What a running instance uses. The difference of two answers tells how busy it was in between."""

    cpu_seconds: Annotated[float, about("Time of processors used since it was started, in seconds.")]
    memory_bytes: Annotated[LongCount, about("Resident memory of all its processes together, in bytes.")]
    vcpus: Annotated[float, about("vCPUs of its flavor; absent if it is no longer offered.")] | UnsetType = (
        UNSET
    )
    memory_limit: (
        Annotated[LongCount, about("Memory of its flavor in bytes; absent if it is no longer offered.")]
        | UnsetType
    ) = UNSET
    at: Annotated[Millis, about("When it was measured.")]


class NotebookEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to an instance."""

    id: Annotated[str, about("Id of the event; those of later events are larger numbers.")]
    at: Annotated[Millis, about("When it happened.")]
    event: Annotated[str, about("What happened, for example create, step, ready, stop or stop retried.")]
    actor: Annotated[str, about("Id of the user who did it, or the name of the part of the service.")]
    actor_name: Annotated[str, about("Name of the user; absent where it was the service.")] | UnsetType = (
        UNSET
    )
    before: Annotated[str, about("Status before it; absent for the first event.")] | UnsetType = UNSET
    after: Annotated[str, about("Status after it.")]
    reason: Annotated[str, about("Why, or of what, where there is more to say.")] | UnsetType = UNSET
    request_id: Annotated[str, about("Id of the request that led to it.")] | UnsetType = UNSET


class ListNotebookEventsResponse(Struct, frozen=True, kw_only=True):
    """What happened to an instance, the newest first."""

    events: Annotated[list[NotebookEvent], about("Records of this page.")]
    next_marker: (
        Annotated[str, about("With the parameter marker, where the walk goes on; absent at its end.")]
        | UnsetType
    ) = UNSET


class NotebookGroup(Struct, frozen=True, kw_only=True):
    """The notebooks that have one value."""

    key: Annotated[str, about("The value; an id where it has one, empty for no pool, key|value of a tag.")]
    name: Annotated[str, about("What people call it, where that differs from the key.")] | UnsetType = UNSET
    count: Annotated[LongCount, about("How many match and have it.")]


class CountNotebooksResponse(Struct, frozen=True, kw_only=True):
    """Matching notebooks by the values of one field, all of the same moment."""

    by: Annotated[GroupKey, about("The field.")]
    total: Annotated[LongCount, about("Matching notebooks in all; a notebook with several tags counts once.")]
    groups: Annotated[list[NotebookGroup], about("The largest first, then by key; as many as limit says.")]
    group_total: Annotated[Count, about("How many groups there are in all.")]


EXTENSIONS: tuple[Operation, ...] = (
    Operation(
        id="CountNotebooks",
        method="GET",
        path="/v1/{project_id}/notebooks/count",
        tag="Notebooks",
        summary="Count notebook instances by the values of a field",
        parameters=(
            *FLEET_FILTERS,
            query("by", GroupKey, "The field.", default="status"),
            query("limit", Annotated[int, Meta(ge=1)], "How many groups.", default=100),
        ),
        answer=CountNotebooksResponse,
        permission=Action("modelarts:notebook:list"),
        extension=True,
    ),
    Operation(
        id="ExportNotebooks",
        method="GET",
        path="/v1/{project_id}/notebooks/export",
        tag="Notebooks",
        summary="Export notebook instances, without tokens and addresses, in the order of creation",
        parameters=(
            *FLEET_FILTERS,
            SORT_DIR,
            query("format", ExportFormat, "One JSON object a line, or a table.", default="ndjson"),
        ),
        streams=tuple(MEDIA_TYPES.values()),
        permission=Action("modelarts:notebook:list"),
        extension=True,
    ),
    Operation(
        id="FreezeNotebook",
        method="POST",
        path="/v1/{project_id}/notebooks/{id}/freeze",
        tag="Notebooks",
        summary="Keep an instance from running until it is unfrozen; a running one is stopped",
        parameters=(PROJECT_ID, NOTEBOOK_ID),
        body=EmptyObject,
        answer=NotebookResp,
        permission=Action("nbfleet:notebook:freeze"),
        extension=True,
    ),
    Operation(
        id="UnfreezeNotebook",
        method="POST",
        path="/v1/{project_id}/notebooks/{id}/unfreeze",
        tag="Notebooks",
        summary="Let a frozen instance be started again",
        parameters=(PROJECT_ID, NOTEBOOK_ID),
        body=EmptyObject,
        answer=NotebookResp,
        permission=Action("nbfleet:notebook:freeze"),
        extension=True,
    ),
    Operation(
        id="ShowNotebookLog",
        method="GET",
        path="/v1/{project_id}/notebooks/{id}/log",
        tag="Notebooks",
        summary="Show the last lines that an instance wrote",
        parameters=(
            PROJECT_ID,
            NOTEBOOK_ID,
            query("lines", Annotated[int, Meta(ge=1, le=10_000)], "How many lines.", default=200),
        ),
        answer=NotebookLog,
        permission=Action("modelarts:notebook:get"),
        extension=True,
    ),
    Operation(
        id="ShowNotebookUsage",
        method="GET",
        path="/v1/{project_id}/notebooks/{id}/usage",
        tag="Notebooks",
        summary="Show how much CPU time and memory a running instance uses",
        parameters=(PROJECT_ID, NOTEBOOK_ID),
        answer=NotebookUsage,
        permission=Action("modelarts:notebook:get"),
        extension=True,
    ),
    Operation(
        id="ShowFleetHistory",
        method="GET",
        path="/v1/{project_id}/notebooks/history",
        tag="Notebooks",
        summary="Show the notebook instances of a project over time, and what happened to them",
        parameters=(
            PROJECT_ID,
            query(
                "hours",
                Annotated[int, Meta(ge=1, le=MOST_HOURS)],
                "How many hours back from now.",
                default=24,
            ),
            query(
                "reasons",
                Annotated[int, Meta(ge=0, le=20)],
                "How many reasons of failures to tell, at most; finding them takes longest.",
                default=20,
            ),
        ),
        answer=FleetHistory,
        permission=Action("modelarts:notebook:listAllNotebooks"),
        extension=True,
    ),
    Operation(
        id="ListStoppingNotebooks",
        method="GET",
        path="/v1/{project_id}/notebooks/stopping",
        tag="Notebooks",
        summary="List the running notebook instances whose leases end next",
        parameters=(
            PROJECT_ID,
            query("limit", Annotated[int, Meta(ge=1, le=100)], "How many instances.", default=10),
        ),
        answer=ListStoppingNotebooksResponse,
        permission=Action("modelarts:notebook:list"),
        extension=True,
    ),
    Operation(
        id="ShowCapacity",
        method="GET",
        path="/v1/{project_id}/notebooks/capacity",
        tag="Notebooks",
        summary="Show how much room there is for notebook instances, and how much is taken",
        parameters=(PROJECT_ID,),
        answer=ShowCapacityResponse,
        permission=Action("modelarts:notebook:listAllNotebooks"),
        extension=True,
    ),
    Operation(
        id="ListNotebookEvents",
        method="GET",
        path="/v1/{project_id}/notebooks/{id}/events",
        tag="Notebooks",
        summary="List what happened to an instance: who changed what, what the service did, and why",
        parameters=(
            PROJECT_ID,
            NOTEBOOK_ID,
            query("limit", Annotated[int, Meta(ge=1, le=1000)], "How many events.", default=50),
            query(
                "marker",
                Annotated[int, int64(ge=0)],
                "Where the walk goes on: next_marker of the page before.",
            ),
        ),
        answer=ListNotebookEventsResponse,
        permission=Action("modelarts:notebook:get"),
        extension=True,
    ),
)

"""The rows of the table for actions on many notebooks, which are ours and not of the contract.

Who may ask for one is a member of the project who may do the same one by one; `services.bulk` asks for that,
because it hangs on the action.
"""

from typing import Annotated

from msgspec import Meta

from nbfleet.wire.bulk import (
    BeginNotebookActionRequest,
    ListNotebookActionResultsResponse,
    ListNotebookActionsResponse,
    NotebookAction,
    NotebookActionPreview,
    NotebookActionRequest,
)
from nbfleet.wire.enums import NotebookStatus
from nbfleet.wire.fields import Uuid
from nbfleet.wire.literals import ActionResult
from nbfleet.wire.operation import MEMBER, Operation
from nbfleet.wire.pages import EmptyObject
from nbfleet.wire.parameters import OFFSET, PROJECT_ID, path, query

ACTION_ID = path("action_id", Uuid, "Action id.")
LIMIT = query("limit", Annotated[int, Meta(ge=1)], "Page size.", default=100)
_AT = "/v1/{project_id}/notebooks/actions"
_TAG = "Actions on many notebooks"

BULK: tuple[Operation, ...] = (
    Operation(
        id="PreviewNotebookAction",
        method="POST",
        path=f"{_AT}/preview",
        tag=_TAG,
        summary="Show what an action on many notebook instances would do, and why not to the others; "
        "nothing is changed",
        parameters=(PROJECT_ID,),
        body=NotebookActionRequest,
        body_required=True,
        answer=NotebookActionPreview,
        permission=MEMBER,
        extension=True,
    ),
    Operation(
        id="BeginNotebookAction",
        method="POST",
        path=_AT,
        tag=_TAG,
        summary="Begin an action on many notebook instances; it goes on by itself",
        parameters=(PROJECT_ID,),
        body=BeginNotebookActionRequest,
        body_required=True,
        answer=NotebookAction,
        permission=MEMBER,
        extension=True,
    ),
    Operation(
        id="ListNotebookActions",
        method="GET",
        path=_AT,
        tag=_TAG,
        summary="List the caller's actions on many notebook instances, of the last 90 days",
        parameters=(PROJECT_ID, LIMIT, OFFSET),
        answer=ListNotebookActionsResponse,
        permission=MEMBER,
        extension=True,
    ),
    Operation(
        id="ShowNotebookAction",
        method="GET",
        path=f"{_AT}/{{action_id}}",
        tag=_TAG,
        summary="Show how far one of the caller's actions has come",
        parameters=(PROJECT_ID, ACTION_ID),
        answer=NotebookAction,
        permission=MEMBER,
        extension=True,
    ),
    Operation(
        id="ListNotebookActionResults",
        method="GET",
        path=f"{_AT}/{{action_id}}/results",
        tag=_TAG,
        summary="List what became of each notebook instance of one of the caller's actions",
        parameters=(
            PROJECT_ID,
            ACTION_ID,
            query("result", ActionResult, "Only those with this result."),
            query("status", NotebookStatus, "Only those that are done and have this status by now."),
            LIMIT,
            OFFSET,
        ),
        answer=ListNotebookActionResultsResponse,
        permission=MEMBER,
        extension=True,
    ),
    Operation(
        id="CancelNotebookAction",
        method="POST",
        path=f"{_AT}/{{action_id}}/cancel",
        tag=_TAG,
        summary="Call off what is not done yet of one of the caller's actions",
        parameters=(PROJECT_ID, ACTION_ID),
        body=EmptyObject,
        answer=NotebookAction,
        permission=MEMBER,
        extension=True,
    ),
)

"""Tags: setting and removing those of one notebook, and which are in use."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from nbfleet.domain import access, tags
from nbfleet.domain.access import Caller, Scope
from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import Query
from nbfleet.domain.tags import Tags
from nbfleet.services import lists, notebooks, requests
from nbfleet.services.context import Context
from nbfleet.services.notebooks import First, Request
from nbfleet.store import audit
from nbfleet.store import notebooks as rows
from nbfleet.store import tags as store
from nbfleet.store.database import Connection
from nbfleet.wire import errors
from nbfleet.wire.tags import CreateTmsTagsRequest, DeleteTmsTagsRequest

MOST_IN_USE = 10_000  # Pairs of an answer, which has no pages.


async def set_tags(
    context: Context,
    request: Request,
    notebook_id: str,
    workspace_id: str | None,
    body: CreateTmsTagsRequest,
    first: First | None = None,
) -> None:
    """`workspace_id`: only if the notebook is in this workspace."""
    wanted = dict(requests.checked_tags(body.tags))

    def change(now: Tags) -> Tags:
        return requests.joined_tags(now, wanted)

    await _change(context, request, notebook_id, workspace_id, "tag", change, first)


async def remove_tags(
    context: Context, request: Request, notebook_id: str, workspace_id: str | None, body: DeleteTmsTagsRequest
) -> None:
    keys = [tag.key for tag in body.tags]
    await _change(
        context, request, notebook_id, workspace_id, "untag", lambda now: tags.without_tags(now, keys)
    )


async def in_use(
    context: Context, caller: Caller, workspace_id: str | None
) -> Sequence[tuple[str, list[str]]]:
    """Each key with its values, of all notebooks that the caller sees; None for all workspaces."""
    query = access.narrow(Query(feature=None, workspace_id=workspace_id), caller, Scope.ALL)
    found = await lists.long_read(
        context, caller, store.in_use, context.directory, query, MOST_IN_USE + 1
    )  # fmt: skip
    if len(found) > MOST_IN_USE:
        raise errors.quota_exceeded(f"More than {MOST_IN_USE} tags are in use; narrow by workspace_id.")
    return tags.by_key(found)


async def _change(
    context: Context,
    request: Request,
    notebook_id: str,
    workspace_id: str | None,
    event: str,
    change: Callable[[Tags], Tags],
    first: First | None = None,
) -> None:
    def write(connection: Connection) -> None:
        found = notebooks.actionable(connection, request.caller, notebook_id, lock=True)
        notebook = found.notebook
        if workspace_id not in (None, notebook.workspace_id):
            raise errors.not_found("instance", notebook_id)
        if first is not None:
            first(connection, found)
        _check_status(notebook.id, status_of(notebook))
        after = change(notebook.tags)
        if after != notebook.tags:
            now = context.clock()
            changed = replace(notebook, tags=after, update_at=now)
            rows.save(connection, found, changed, due_at=now)
            audit.record(connection, now, request.actor, event, changed, notebook)

    await context.database.write(write)


def _check_status(notebook_id: str, status: Status) -> None:
    if status is Status.FROZEN:
        raise errors.frozen(notebook_id)
    if status is Status.DELETING:
        raise errors.conflicting_state(notebook_id, status.value, "change its tags")

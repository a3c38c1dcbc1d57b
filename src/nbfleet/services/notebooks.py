"""What callers do with one notebook: create, show, change, start, stop, renew, delete.

Each change is one transaction that checks the transition table, writes what is wanted and an audit row;
then the reconciler is told. The row is locked meanwhile, so nobody can claim it between the check and the
change. What a caller may see is decided by `domain.access`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from nbfleet.domain import access, lifecycle
from nbfleet.domain import lease as leases
from nbfleet.domain.access import Caller
from nbfleet.domain.capacity import Room
from nbfleet.domain.lifecycle import Event, IllegalTransition, Status, status_of
from nbfleet.domain.notebook import Notebook, Progress
from nbfleet.services import creation, images, pools, quotas, requests, storage, updates, workspaces
from nbfleet.services.catalogue import category_of, flavor_view, switchable
from nbfleet.services.context import Context
from nbfleet.store import audit, catalogue, idempotency, notebooks
from nbfleet.store import pools as pool_store
from nbfleet.store.audit import Actor
from nbfleet.store.database import Conflict, Connection
from nbfleet.store.identity import user
from nbfleet.store.notebooks import Stored, UnknownReference
from nbfleet.wire import errors
from nbfleet.wire.flavors import NotebookFlavor
from nbfleet.wire.images import Image
from nbfleet.wire.leases import LeaseReq
from nbfleet.wire.notebooks import NotebookCreateRequest, NotebookUpdateRequest

_TARGET = {
    Event.START: "start",
    Event.STOP: "stop",
    Event.DELETE: "be deleted",
    Event.FREEZE: "be frozen",
    Event.UNFREEZE: "be unfrozen",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One notebook with what an answer about it needs besides."""

    notebook: Notebook
    image: Image
    owner_name: str
    pool: pool_store.Named | None = None


# Sees the notebook under its lock before anything is changed, and may refuse that.
First = Callable[[Connection, Stored], None]


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, under which request id."""

    caller: Caller
    request_id: str

    @property
    def actor(self) -> Actor:
        return Actor(self.caller.user_id, self.request_id)


async def show(context: Context, caller: Caller, notebook_id: str) -> Shown:
    def read(connection: Connection) -> Shown:
        return _shown(connection, visible(connection, caller, notebook_id).notebook)

    return await context.database.read(read)


async def create(
    context: Context, request: Request, body: NotebookCreateRequest, idempotency_key: str | None = None
) -> Shown:
    """A new notebook, wanted running. The same key with the same body answers the first one again."""
    now = context.clock()
    offered = await storage.for_project(context, request.caller.project_id)
    notebook = creation.new_notebook(offered, request.caller, body, now)
    digest = hashlib.sha256(msgspec.json.encode(body)).digest()

    def write(connection: Connection) -> Shown:
        if idempotency_key is not None:
            earlier = _repeated(connection, request.caller, idempotency_key, digest)
            if earlier is not None:
                return earlier
        images.check_use(connection, context, request.caller, notebook, body.endpoints)
        _add(connection, context, request, notebook)
        if idempotency_key is not None:
            _remember(connection, context, request.caller, idempotency_key, digest, notebook)
        return _shown(connection, notebook)

    try:
        shown = await context.database.write(write)
    except Conflict:
        # Two requests with one key at the same moment: the other one was first, so its notebook is found now.
        shown = await context.database.write(write)
    context.hint()
    return shown


async def update(context: Context, request: Request, notebook_id: str, body: NotebookUpdateRequest) -> Shown:
    offered = await storage.for_project(context, request.caller.project_id)

    def change(found: Stored, now: int) -> Notebook:
        return updates.updated(offered, found.notebook, body, now)

    def may_be(connection: Connection, found: Stored, changed: Notebook) -> None:
        before = found.notebook
        if changed.image_id != before.image_id:
            images.check_use(connection, context, request.caller, changed, body.endpoints)
        elif changed.flavor != before.flavor:
            images.check_flavor(connection, context, changed)
        kept = storage.sources_of(before)
        new = [source for source in storage.sources_of(changed) if source not in kept]
        storage.check_access(connection, context, changed.project_id, new)
        quotas.admit_growth(connection, context, before, changed)

    return await _change(context, request, notebook_id, "update", change, may_be)


async def start(
    context: Context, request: Request, notebook_id: str, period: int, first: First | None = None
) -> Shown:
    """`period` is the auto-stop period from the request, checked."""

    def change(found: Stored, now: int) -> Notebook:
        _check_period(context, found.notebook, period)
        return replace(
            _applied(found, Event.START, now),
            lease=leases.renewed(found.notebook.lease, period, now),
            generation=found.notebook.generation + 1,
            progress=Progress(),
            fail_reason=None,
            handle=None,
            endpoint=None,
        )

    def has_room(connection: Connection, found: Stored, after: Notebook) -> None:
        quotas.admit_start(connection, context, after)
        pools.make_room(connection, context, after)
        storage.mount_again(connection, found.rid, after.update_at)

    return await _change(context, request, notebook_id, Event.START.value, change, has_room, first)


async def stop(context: Context, request: Request, notebook_id: str, first: First | None = None) -> Shown:
    return await _end(context, request, notebook_id, Event.STOP, first)


async def delete(context: Context, request: Request, notebook_id: str, first: First | None = None) -> Shown:
    return await _end(context, request, notebook_id, Event.DELETE, first)


async def freeze(context: Context, request: Request, notebook_id: str) -> Shown:
    """Keeps it from running until it is unfrozen; a running one is stopped."""
    return await _simply(context, request, notebook_id, Event.FREEZE)


async def unfreeze(context: Context, request: Request, notebook_id: str) -> Shown:
    return await _simply(context, request, notebook_id, Event.UNFREEZE)


async def show_lease(context: Context, caller: Caller, notebook_id: str) -> Notebook:
    def read(connection: Connection) -> Notebook:
        return running(visible(connection, caller, notebook_id).notebook)

    return await context.database.read(read)


async def renew_lease(
    context: Context,
    request: Request,
    notebook_id: str,
    duration: int | None,
    body: LeaseReq | None,
    first: First | None = None,
) -> Notebook:
    period = requests.requested_period(context.lease_range, duration, None, body)

    def change(found: Stored, now: int) -> Notebook:
        notebook = running(found.notebook)
        _check_period(context, notebook, period)
        return replace(notebook, lease=leases.renewed(notebook.lease, period, now))

    return (await _change(context, request, notebook_id, "renew", change, first=first)).notebook


async def switchable_flavors(context: Context, caller: Caller, notebook_id: str) -> list[NotebookFlavor]:
    def read(connection: Connection) -> tuple[Notebook, tuple[str, ...], Room | None]:
        notebook = visible(connection, caller, notebook_id).notebook
        room = pools.public_room(connection, context) if notebook.pool_id is None else None
        return notebook, images.families_of(connection, notebook), room

    notebook, families, room = await context.database.read(read)
    fitting = (one for one in switchable(context, notebook) if images.runs_on(families, category_of(one)))
    return [flavor_view(flavor, room) for flavor in fitting]


async def readable(context: Context, caller: Caller, notebook_id: str) -> Notebook:
    """The notebook for what only those who may act on it can read, such as its log."""

    def read(connection: Connection) -> Notebook:
        return actionable(connection, caller, notebook_id, lock=False).notebook

    return await context.database.read(read)


async def _end(
    context: Context, request: Request, notebook_id: str, event: Event, first: First | None
) -> Shown:
    """Stops or deletes. A start that is called off while it waits leaves no steps to be shown."""

    def change(found: Stored, now: int) -> Notebook:
        ended = _applied(found, event, now)
        waited = lifecycle.is_waiting(found.notebook, claimed=found.claimed)
        return replace(ended, progress=None) if waited else ended

    return await _change(context, request, notebook_id, event.value, change, first=first)


async def _simply(context: Context, request: Request, notebook_id: str, event: Event) -> Shown:
    """Whatever the table says of this event, and nothing else."""

    def change(found: Stored, now: int) -> Notebook:
        return _applied(found, event, now)

    return await _change(context, request, notebook_id, event.value, change)


async def _change(
    context: Context,
    request: Request,
    notebook_id: str,
    event: str,
    change: Callable[[Stored, int], Notebook],
    check: Callable[[Connection, Stored, Notebook], None] | None = None,
    first: First | None = None,
) -> Shown:
    """`check` sees the record before and after: it may refuse the change by what else there is in the store,
    and changes what goes with it. What `first` writes is kept only if the change is made."""

    def write(connection: Connection) -> Shown:
        now = context.clock()
        found = actionable(connection, request.caller, notebook_id, lock=True)
        if first is not None:
            first(connection, found)
        changed = change(found, now)
        if check is not None:
            check(connection, found, changed)
        notebooks.save(connection, found, changed, due_at=now)
        audit.record(connection, now, request.actor, event, changed, found.notebook)
        return _shown(connection, changed)

    shown = await context.database.write(write)
    context.hint()
    return shown


def visible(connection: Connection, caller: Caller, notebook_id: str, *, lock: bool = False) -> Stored:
    """The notebook if this caller may know of it; a deleted one is gone for everybody."""
    found = notebooks.find(connection, notebook_id.lower(), project_id=caller.project_id, lock=lock)
    if found is None or status_of(found.notebook) is Status.DELETED:
        raise errors.not_found("instance", notebook_id)
    if not access.sees(caller, found.notebook.owner_id, found.notebook.workspace_id):
        raise errors.not_found("instance", notebook_id)
    return found


def actionable(connection: Connection, caller: Caller, notebook_id: str, *, lock: bool) -> Stored:
    """The notebook if this caller may change it; `lock` keeps other writers off until the commit."""
    found = visible(connection, caller, notebook_id, lock=lock)
    if not access.acts_on(caller, found.notebook.owner_id):
        raise errors.forbidden(access.ACT_ON_ALL)
    return found


def _applied(found: Stored, event: Event, now: int) -> Notebook:
    try:
        return lifecycle.apply(found.notebook, event, now, claimed=found.claimed)
    except IllegalTransition as fault:
        raise _wrong_state(found.notebook.id, fault.status, event) from fault


def _wrong_state(notebook_id: str, status: Status, event: Event) -> errors.ApiError:
    if status is Status.FROZEN and event not in (Event.FREEZE, Event.UNFREEZE):
        return errors.frozen(notebook_id)
    if event is Event.STOP and status in lifecycle.FAILED:
        return errors.not_running(notebook_id, status.value)
    return errors.conflicting_state(notebook_id, status.value, _TARGET[event])


def running(notebook: Notebook) -> Notebook:
    status = status_of(notebook)
    if status is Status.FROZEN:
        raise errors.frozen(notebook.id)
    if status is not Status.RUNNING:
        raise errors.not_running(notebook.id, status.value)
    return notebook


def _check_period(context: Context, notebook: Notebook, period: int) -> None:
    if notebook.feature == "DEFAULT":
        requests.check_default_period(context.lease_range, "duration", period)


def _add(connection: Connection, context: Context, request: Request, notebook: Notebook) -> None:
    workspaces.hold(connection, context, request.caller, notebook.workspace_id)
    quotas.admit_new(connection, context, notebook)
    if notebook.feature == "DEFAULT" and notebooks.has_default(
        connection, context.directory, notebook.project_id, notebook.owner_id
    ):
        raise errors.one_default_instance()
    pools.admit(connection, context, notebook)
    storage.check_access(connection, context, notebook.project_id, storage.sources_of(notebook))
    try:
        notebooks.add(connection, context.directory, notebook, due_at=notebook.create_at)
    except UnknownReference as fault:
        # The project and the caller were just proved to exist: only the workspace can be unknown.
        raise errors.workspace_not_found(notebook.workspace_id) from fault
    audit.record(connection, notebook.create_at, request.actor, "create", notebook)


def _repeated(connection: Connection, caller: Caller, key: str, digest: bytes) -> Shown | None:
    earlier = idempotency.find(connection, caller.project_id, caller.user_id, key)
    if earlier is None:
        return None
    if earlier.digest != digest:
        raise errors.wrong_value("Idempotency-Key", key, "a key not yet used for another request")
    return _shown(connection, visible(connection, caller, earlier.notebook_id).notebook)


def _remember(
    connection: Connection, context: Context, caller: Caller, key: str, digest: bytes, notebook: Notebook
) -> None:
    entry = idempotency.Entry(digest, notebook.id)
    idempotency.add(
        connection, context.directory, caller.project_id, caller.user_id, key, entry, notebook.create_at
    )


def _shown(connection: Connection, notebook: Notebook) -> Shown:
    owner = user(connection, id=notebook.owner_id)
    name = "" if owner is None else owner.name
    image = catalogue.image(connection, notebook.image_id)
    if notebook.pool_id is None:
        return Shown(notebook, image, name)
    return Shown(notebook, image, name, pool_store.named(connection, notebook.project_id, notebook.pool_id))

"""What callers do with the mounts of a running notebook: attach, list, show, detach.

Each change is recorded and audited in one transaction, with the notebook locked; the reconciler mounts and
unmounts. What is asked for twice is answered twice: a second detach changes nothing.
"""

import uuid

from nbfleet.domain.access import Caller
from nbfleet.domain.notebook import Notebook
from nbfleet.domain.storage import MOST_MOUNTS, Mount, MountEvent, MountStatus, moved
from nbfleet.services import notebooks, storage
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.store import audit
from nbfleet.store import mounts as rows
from nbfleet.store.database import Connection
from nbfleet.store.notebooks import Stored
from nbfleet.wire import errors, errors_storage
from nbfleet.wire.volumes import DataVolumesReq


async def attach(context: Context, request: Request, notebook_id: str, body: DataVolumesReq) -> Mount:
    def write(connection: Connection) -> Mount:
        now, found = context.clock(), _changeable(connection, request, notebook_id)
        mounted = _present(connection, found)
        if len(mounted) >= MOST_MOUNTS:
            raise errors.quota_exceeded(f"The instance has {len(mounted)} mounts, as many as it may.")
        taken = [one.mount_path for one in mounted]
        offered = storage.offered(connection, context, found.notebook.project_id)
        category, source = storage.dynamic(offered, found.notebook, body, taken)
        storage.check_access(connection, context, found.notebook.project_id, [source])
        mount = Mount(
            id=str(uuid.uuid4()),
            notebook_id=found.notebook.id,
            category=category,
            mount_path=body.mount_path,
            source=source,
            status=MountStatus.MOUNTING,
            create_at=now,
            update_at=now,
        )
        rows.add(connection, found.rid, mount, due_at=now)
        _record(connection, request, now, "mount", found.notebook, mount)
        return mount

    mount = await context.database.write(write)
    context.hint()
    return mount


async def detach(context: Context, request: Request, notebook_id: str, mount_id: str) -> Mount:
    def write(connection: Connection) -> Mount:
        now, found = context.clock(), _changeable(connection, request, notebook_id)
        mount = _of(connection, found.notebook, mount_id)
        changed = moved(mount, MountEvent.DETACH, now)
        if changed is None:
            raise errors_storage.mount_in_motion(mount.id, mount.status.value)
        if changed != mount:
            rows.save(connection, mount, changed, due_at=now)
            _record(connection, request, now, MountEvent.DETACH.value, found.notebook, mount)
        return changed

    mount = await context.database.write(write)
    context.hint()
    return mount


async def present(context: Context, caller: Caller, notebook_id: str) -> list[Mount]:
    """Those that are mounted or to be, in order of their making."""

    def read(connection: Connection) -> list[Mount]:
        found = notebooks.visible(connection, caller, notebook_id)
        notebooks.running(found.notebook)
        return _present(connection, found)

    return await context.database.read(read)


async def show(context: Context, caller: Caller, notebook_id: str, mount_id: str) -> Mount:
    def read(connection: Connection) -> Mount:
        found = notebooks.visible(connection, caller, notebook_id)
        return _of(connection, notebooks.running(found.notebook), mount_id)

    return await context.database.read(read)


def _changeable(connection: Connection, request: Request, notebook_id: str) -> Stored:
    found = notebooks.actionable(connection, request.caller, notebook_id, lock=True)
    notebooks.running(found.notebook)
    return found


def _present(connection: Connection, found: Stored) -> list[Mount]:
    known = rows.of_notebook(connection, found.rid)
    return [mount for mount in known if mount.status is not MountStatus.UNMOUNTED]


def _of(connection: Connection, notebook: Notebook, mount_id: str) -> Mount:
    mount = rows.find(connection, mount_id.lower())
    if mount is None or mount.notebook_id != notebook.id:
        raise errors.not_found("mount", mount_id)
    return mount


def _record(
    connection: Connection, request: Request, now: int, event: str, notebook: Notebook, mount: Mount
) -> None:
    audit.record(connection, now, request.actor, event, notebook, notebook, reason=mount.mount_path)

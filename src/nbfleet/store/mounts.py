"""Mounts as rows: those of a notebook, and those that the reconciler must look at.

Their notebook is locked by whoever writes for a request; what the reconciler writes is conditional on what it
read. Nothing here decides what may become of a mount.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, insert, or_, select, update

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.domain.storage import IN_MOTION, Mount, MountStatus, Source
from nbfleet.store.codes import STATUS
from nbfleet.store.schema import instances, mounts, notebooks


@dataclass(frozen=True, slots=True)
class Due:
    """A mount in motion, and what its instance is found by."""

    mount: Mount
    generation: int
    handle: bytes | None


def of_notebook(connection: Connection, rid: int) -> list[Mount]:
    """All that are known, unmounted ones included, in order of their making."""
    rows = connection.execute(_records().where(mounts.c.rid == rid).order_by(mounts.c.no))
    return [_mount(row) for row in rows]


def find(connection: Connection, mount_id: str) -> Mount | None:
    row = connection.execute(_records().where(mounts.c.id == mount_id)).first()
    return None if row is None else _mount(row)


def add(connection: Connection, rid: int, mount: Mount, due_at: int) -> None:
    values = {
        "id": mount.id,
        "rid": rid,
        "category": mount.category,
        "mount_path": mount.mount_path,
        "uri": mount.source.uri,
        "file_system_id": mount.source.id,
        "read_only": mount.source.read_only,
        "create_at": mount.create_at,
    }
    connection.execute(insert(mounts).values(**values, **_state(mount, due_at)))


def save(connection: Connection, old: Mount, mount: Mount, due_at: int) -> bool:
    """False where it is no longer as it was read."""
    m = mounts.c
    as_read = (m.id == old.id, m.status == old.status.value, m.update_at == old.update_at)
    return connection.execute(update(mounts).where(*as_read).values(**_state(mount, due_at))).rowcount == 1


def put_off(connection: Connection, mount: Mount, due_at: int) -> None:
    """To be looked at again at that time, if it is still in motion."""
    m = mounts.c
    mine = (m.id == mount.id, m.status == mount.status.value, m.due_at.is_not(None))
    connection.execute(update(mounts).where(*mine).values(due_at=due_at))


def due(connection: Connection, now: int, limit: int, but: Sequence[str] = ()) -> list[Due]:
    """Mounts in motion of running notebooks, the longest due first, without those of the notebooks `but`."""
    i, n = instances.c, notebooks.c
    running = and_(i.wanted == Wanted.RUNNING.value, i.observed == Observed.RUNNING.value)
    query = (
        _records()
        .add_columns(n.generation, i.handle)
        .join(instances, i.rid == mounts.c.rid)
        .where(mounts.c.due_at <= now, running, n.id.not_in(but))
        .order_by(mounts.c.due_at, mounts.c.no)
        .limit(limit)
    )
    return [Due(_mount(row), row.generation, row.handle) for row in connection.execute(query)]


def forget(connection: Connection, before: int) -> None:
    """Drops mounts that were unmounted before then, and those of deleted notebooks."""
    m = mounts.c
    old = and_(m.status == MountStatus.UNMOUNTED.value, m.update_at < before)
    n = notebooks.c
    deleted = select(n.rid).where(n.rid == m.rid, n.status == STATUS[Status.DELETED]).correlate(mounts)
    connection.execute(delete(mounts).where(or_(old, deleted.exists())))


def _state(mount: Mount, due_at: int) -> dict[str, Any]:
    return {
        "status": mount.status.value,
        "failure_reason": mount.failure_reason,
        "update_at": mount.update_at,
        "due_at": due_at if mount.status in IN_MOTION else None,
    }


def _records() -> Select[Any]:
    m = mounts.c
    columns: list[Any] = [c for c in m if c.name not in ("no", "rid", "due_at")]
    query: Any = select(*columns, notebooks.c.id.label("notebook_id"))
    return query.select_from(mounts).join(notebooks, notebooks.c.rid == m.rid)


def _mount(row: Row[Any]) -> Mount:
    return Mount(
        id=row.id,
        notebook_id=row.notebook_id,
        category=row.category,
        mount_path=row.mount_path,
        source=Source(row.uri, row.file_system_id, bool(row.read_only)),
        status=MountStatus(row.status),
        create_at=row.create_at,
        update_at=row.update_at,
        failure_reason=row.failure_reason,
    )

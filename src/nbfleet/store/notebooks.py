"""One notebook at a time: reading its record, and writing its three rows together.

Lists are in `listing`, what the loops look for in `claims`. Nothing here decides anything about states.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, insert, select

from nbfleet.domain.lifecycle import Status, alarm_of, effect_for, status_of
from nbfleet.domain.listing import fold
from nbfleet.domain.notebook import (
    ORDINARY,
    Lease,
    LeaseType,
    Making,
    Notebook,
    Observed,
    Progress,
    StepStatus,
    Volume,
    Wanted,
)
from nbfleet.domain.storage import Source
from nbfleet.store import catalogue, compiled, documents
from nbfleet.store.codes import FEATURE, NO_POOL, STATUS
from nbfleet.store.compiled import Statement
from nbfleet.store.directory import Directory
from nbfleet.store.schema import (
    DELETED,
    count_by_owner,
    images,
    instances,
    notebook_tags,
    notebooks,
    pools,
    projects,
    users,
    workspaces,
)
from nbfleet.store.schema import documents as document_table
from nbfleet.wire.images import Image

_BATCH = 500
_DERIVED = ("due_at", "stop_at")  # What is stored of these can differ from what the old record would give.
_FEATURE_OF = {code: name for name, code in FEATURE.items()}


@dataclass(frozen=True, slots=True)
class Stored:
    """A notebook, the number of its rows, and whether somebody has claimed it, even if for too long."""

    rid: int
    notebook: Notebook
    claimed: bool = False


class UnknownReference(Exception):
    """A notebook names a project, user, workspace, pool or image that does not exist."""


def records() -> Select[Any]:
    """The query for whole records; callers add their conditions."""
    n, i = notebooks.c, instances.c
    return (
        select(
            n.rid, n.id, n.feature, n.name, n.flavor, n.ip, n.create_at, n.update_at, n.generation,
            *(c for c in i if c.name not in ("rid", "description_folded", "due_at", "stop_at",
                                             "claim_until")),
            projects.c.id.label("project_id"),
            users.c.id.label("owner_id"),
            workspaces.c.id.label("workspace_id"),
            pools.c.id.label("pool_id"),
            images.c.id.label("image_id"),
        )
        .select_from(notebooks)
        .join(instances, i.rid == n.rid)
        .join(projects, projects.c.no == n.project_no)
        .join(users, users.c.no == n.owner_no)
        .join(workspaces, workspaces.c.no == n.workspace_no)
        .join(images, images.c.no == n.image_no)
        .outerjoin(pools, pools.c.no == n.pool_no)
    )  # fmt: skip


def _all_stored(connection: Connection, query: Select[Any]) -> list[Stored]:
    rows = connection.execute(query).all()
    tags = _tags_of(connection, [row.rid for row in rows])
    return [_stored(row, tags.get(row.rid, ())) for row in rows]


def _tags_of(connection: Connection, rids: Sequence[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    t = notebook_tags.c
    query = select(t.rid, t.key, t.value).where(t.rid.in_(rids)).order_by(t.rid, t.key)
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for rid, key, value in connection.execute(query):
        found[rid] = (*found.get(rid, ()), (key, value))
    return found


def _stored(row: Row[Any], tags: tuple[tuple[str, str], ...]) -> Stored:
    """The record in a row of `records`."""
    return Stored(
        row.rid,
        Notebook(
            id=row.id,
            project_id=row.project_id,
            owner_id=row.owner_id,
            name=row.name,
            description=row.description,
            feature=_FEATURE_OF[row.feature],
            flavor=row.flavor,
            image_id=row.image_id,
            workspace_id=row.workspace_id,
            pool_id=row.pool_id,
            volume=Volume(
                row.volume_category,
                row.volume_ownership,
                row.volume_capacity,
                row.volume_mount_path,
                row.volume_growing_to,
                _source(row.volume_source),
            ),
            lease=_lease(row),
            wanted=Wanted(row.wanted),
            observed=Observed(row.observed),
            create_at=row.create_at,
            update_at=row.update_at,
            generation=row.generation,
            progress=_progress(row.progress),
            fail_reason=row.fail_reason,
            ip=row.ip,
            endpoint=row.endpoint,
            handle=row.handle,
            tags=tags,
            making=making_of(row.making),
        ),
        row.claim is not None,
    )


def find(
    connection: Connection, notebook_id: str, *, project_id: str | None = None, lock: bool = False
) -> Stored | None:
    """The notebook of this id, deleted ones included; `lock` keeps other writers off until the commit."""
    statement = _one(connection.dialect.name, of_project=project_id is not None, lock=lock)
    row = statement.execute(connection, {"notebook": notebook_id, "project": project_id}).first()
    if row is None:
        return None
    tags = _its_tags(connection.dialect.name).execute(connection, {"number": row.rid}).all()
    return _stored(row, tuple((tag.key, tag.value) for tag in tags))


@cache
def _one(dialect: str, *, of_project: bool, lock: bool) -> Statement:
    query = records().where(notebooks.c.id == bindparam("notebook"))
    if of_project:
        query = query.where(projects.c.id == bindparam("project"))
    return compiled.compiled(dialect, _locked(query) if lock else query)


@cache
def _its_tags(dialect: str) -> Statement:
    t = notebook_tags.c
    query = select(t.key, t.value).where(t.rid == bindparam("number")).order_by(t.key)
    return compiled.compiled(dialect, query)


def find_many(connection: Connection, rids: Sequence[int]) -> list[Stored]:
    return _all_stored(connection, records().where(notebooks.c.rid.in_(rids)).order_by(notebooks.c.rid))


def add(connection: Connection, directory: Directory, notebook: Notebook, due_at: int) -> int:
    """Writes a new notebook and returns the number of its rows."""
    values = narrow_values(notebook) | _references(connection, directory, notebook)
    rid: int = connection.execute(insert(notebooks).values(**values).returning(notebooks.c.rid)).scalar_one()
    connection.execute(insert(instances).values(rid=rid, **state_values(notebook, due_at)))
    connection.execute(insert(document_table).values(rid=rid, body=_document(connection, notebook)))
    _write_tags(connection, rid, notebook.tags)
    return rid


def save(connection: Connection, old: Stored, notebook: Notebook, due_at: int) -> None:
    """Writes what differs from `old`; `due_at` is when the reconciler looks at it if it is in motion.

    Of the references of a notebook only the image can change (UnknownImage); project, owner, workspace and
    pool stay as they are.
    """
    if notebook == old.notebook:
        return
    before = narrow_values(old.notebook)
    changed = {key: value for key, value in narrow_values(notebook).items() if before[key] != value}
    if notebook.image_id != old.notebook.image_id:
        changed["image_no"] = catalogue.image_number(connection, notebook.image_id)
    if changed:
        compiled.change(connection, notebooks, old.rid, changed)
    # An index is kept up for each column that is named, whether its value changes or not.
    told = state_values(old.notebook, due_at)
    state = {
        key: value
        for key, value in state_values(notebook, due_at).items()
        if key in _DERIVED or told[key] != value
    }
    # A claim is for one effect: whoever has it in hand finds out that it is no longer wanted.
    if effect_for(old.notebook) not in (None, effect_for(notebook)):
        state |= {"claim": None, "claim_until": None}
    compiled.change(connection, instances, old.rid, state)
    compiled.change(connection, document_table, old.rid, {"body": _document(connection, notebook)})
    if notebook.tags != old.notebook.tags:
        connection.execute(delete(notebook_tags).where(notebook_tags.c.rid == old.rid))
        _write_tags(connection, old.rid, notebook.tags)


def _write_tags(connection: Connection, rid: int, tags: tuple[tuple[str, str], ...]) -> None:
    if tags:
        rows = [{"rid": rid, "key": key, "value": value} for key, value in tags]
        connection.execute(insert(notebook_tags), rows)


def put_image(connection: Connection, published: Image, now: int) -> None:
    """Adds or replaces an image, and writes the documents anew in which it looks different now."""
    number = Directory().image(connection, str(published.id))
    before = None if number is None else documents.list_form(catalogue.image(connection, str(published.id)))
    catalogue.put_image(connection, published, now)
    if before is None or before == documents.list_form(published):
        return
    _write_documents_anew(connection, notebooks.c.image_no == number)


def show_pool_anew(connection: Connection, pool_no: int) -> None:
    """The pool has another name now."""
    _write_documents_anew(connection, notebooks.c.pool_no == pool_no)


def _write_documents_anew(connection: Connection, which: ColumnElement[bool]) -> None:
    last = 0
    # Locked, or a change that commits between the reading and the writing would be missing in its document.
    mine = _locked(records().where(which).order_by(notebooks.c.rid).limit(_BATCH))
    while found := _all_stored(connection, mine.where(notebooks.c.rid > last)):
        for one in found:
            compiled.change(
                connection, document_table, one.rid, {"body": _document(connection, one.notebook)}
            )
        last = found[-1].rid


def _document(connection: Connection, notebook: Notebook) -> bytes:
    image = catalogue.image(connection, notebook.image_id)
    return documents.encode(
        notebook, image, catalogue.pool(connection, notebook.project_id, notebook.pool_id)
    )


def _locked(query: Select[Any]) -> Select[Any]:
    """Rows of `records`, kept from other writers until the commit."""
    return query.with_for_update(of=[notebooks, instances])


def narrow_values(notebook: Notebook) -> dict[str, Any]:
    return {
        "id": notebook.id,
        "feature": FEATURE[notebook.feature],
        "status": STATUS[status_of(notebook)],
        "billing": documents.billing_bits(notebook),
        "name": notebook.name,
        "name_folded": fold(notebook.name),
        "flavor": notebook.flavor,
        "ip": notebook.ip,
        "create_at": notebook.create_at,
        "update_at": notebook.update_at,
        "generation": notebook.generation,
        "storage": 0 if status_of(notebook) is Status.DELETED else notebook.volume.grown().capacity,
    }


def has_default(connection: Connection, directory: Directory, project_id: str, owner_id: str) -> bool:
    """Whether the user has an instance with the feature DEFAULT; nobody else can make one for it until the
    commit."""
    user_no = directory.user(connection, owner_id)
    connection.execute(select(users.c.no).where(users.c.no == user_no).with_for_update())
    c = count_by_owner.c
    mine = (c.project_no == directory.project(connection, project_id), c.owner_no == user_no)
    theirs = select(c.total).where(*mine, c.feature == FEATURE["DEFAULT"], c.status != DELETED, c.total > 0)
    return connection.execute(theirs.limit(1)).first() is not None


def _references(connection: Connection, directory: Directory, notebook: Notebook) -> dict[str, int]:
    project_no = directory.project(connection, notebook.project_id)
    if project_no is None:
        raise UnknownReference(f"project {notebook.project_id}")
    found = {
        "owner_no": directory.user(connection, notebook.owner_id),
        "workspace_no": directory.workspace(connection, project_no, notebook.workspace_id),
        "pool_no": directory.pool(connection, project_no, notebook.pool_id),
        "image_no": directory.image(connection, notebook.image_id),
    }
    missing = [name for name, number in found.items() if number is None]
    if missing:
        raise UnknownReference(", ".join(missing))
    return {"project_no": project_no, **{name: number or NO_POOL for name, number in found.items()}}


def state_values(notebook: Notebook, due_at: int) -> dict[str, Any]:
    lease, volume, alarm = notebook.lease, notebook.volume, alarm_of(notebook)
    return {
        "wanted": notebook.wanted.value,
        "observed": notebook.observed.value,
        "description": notebook.description,
        "description_folded": fold(notebook.description),
        "volume_category": volume.category,
        "volume_ownership": volume.ownership,
        "volume_capacity": volume.capacity,
        "volume_mount_path": volume.mount_path,
        "volume_growing_to": volume.growing_to,
        "volume_source": None if volume.source is None else msgspec.json.encode(volume.source).decode(),
        "lease_create_at": lease.create_at,
        "lease_update_at": lease.update_at,
        "lease_duration": lease.duration,
        "lease_period": lease.period,
        "lease_enable": lease.enable,
        "lease_type": lease.type.value,
        "progress": _progress_text(notebook.progress),
        "fail_reason": notebook.fail_reason,
        "making": _making_text(notebook.making),
        "endpoint": notebook.endpoint,
        "handle": notebook.handle,
        "due_at": None if effect_for(notebook) is None else due_at,
        "stop_at": None if alarm is None else alarm.at,
    }


def _lease(row: Row[Any]) -> Lease:
    return Lease(
        row.lease_create_at, row.lease_update_at, row.lease_duration, row.lease_period,
        enable=bool(row.lease_enable), type=LeaseType(row.lease_type),
    )  # fmt: skip


def _source(text: str | None) -> Source | None:
    return None if text is None else msgspec.json.decode(text, type=Source)


def _progress_text(progress: Progress | None) -> str | None:
    return None if progress is None else ",".join(status.value for status in progress.steps)


def _progress(text: str | None) -> Progress | None:
    if text is None:
        return None
    first, second, third, fourth = map(StepStatus, text.split(","))
    return Progress((first, second, third, fourth))


def _making_text(making: Making) -> str | None:
    return None if making == ORDINARY else msgspec.json.encode(making).decode()


def making_of(text: str | None) -> Making:
    return ORDINARY if text is None else msgspec.json.decode(text, type=Making)

"""Images with what stands behind them: whose they are, their manifest, the trial that is due.

Lists and groups are narrowed, sorted, counted and cut here. Nothing here decides who may do what or which
state comes next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from nbfleet.domain.images import Holding, ImageQuery, ImageSort, State
from nbfleet.store import catalogue
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.schema import DELETED, images, notebooks, projects, users
from nbfleet.wire.enums import ImageVisibility
from nbfleet.wire.images import Image

_i = images.c
# Spelled out, or the partial indexes would not be taken.
_LIVES = _i.status != literal_column(f"'{State.DELETED}'")
_EXACT = ("namespace", "service_type", "type", "workspace_id", "show_name", "show_tag")
_SORTS: dict[ImageSort, ColumnElement[Any]] = {key: _i[key.value] for key in ImageSort}


@dataclass(frozen=True, slots=True)
class Stored:
    """An image and the number of its row. `trial` counts how often it was to be tried; `due_at` is None where
    there is nothing to do about it."""

    no: int
    image: Image
    state: State
    holding: Holding
    group_id: str | None
    read_me: str | None
    manifest: bytes | None
    trial: int
    due_at: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """All images of a name that the reader may see; `newest` was registered last."""

    id: str
    create_at: int
    update_at: int
    count: int
    newest: Image
    read_me: str | None


_COLUMNS = ("no", "body", "status", "workspace_id", "group_id", "read_me", "manifest", "trial", "due_at")


def _records() -> Select[Any]:
    return (
        select(
            *(_i[name] for name in _COLUMNS),
            projects.c.id.label("project_id"),
            users.c.id.label("owner_id"),
        )
        .select_from(images)
        .outerjoin(projects, projects.c.no == _i.project_no)
        .outerjoin(users, users.c.no == _i.owner_no)
    )


def _stored(row: Row[Any]) -> Stored:
    image = catalogue.decode(row.body)
    holding = Holding(
        row.project_id,
        row.owner_id,
        row.workspace_id or catalogue.DEFAULT_WORKSPACE,
        public=image.visibility is ImageVisibility.PUBLIC,
    )
    return Stored(
        row.no, image, State(row.status), holding, row.group_id, row.read_me, row.manifest, row.trial or 0,
        row.due_at,
    )  # fmt: skip


def find(connection: Connection, image_id: str) -> Stored | None:
    """The image of this id, deleted ones included."""
    return _found(connection, image_id, lock="")


def find_to_use(connection: Connection, image_id: str) -> Stored | None:
    """The same, kept from being deleted until the commit."""
    return _found(connection, image_id, lock="use")


def find_to_change(connection: Connection, image_id: str) -> Stored | None:
    """The same, kept from other writers, and from those who want to use it, until the commit."""
    return _found(connection, image_id, lock="change")


def _found(connection: Connection, image_id: str, *, lock: str) -> Stored | None:
    row = _one(connection.dialect.name, lock).execute(connection, {"image": image_id}).first()
    return None if row is None else _stored(row)


@cache
def _one(dialect: str, lock: str) -> Statement:
    query = _records().where(_i.id == bindparam("image"))
    if lock == "use":
        query = query.with_for_update(read=True, key_share=True, of=images)
    elif lock == "change":
        query = query.with_for_update(of=images)
    return compiled(dialect, query)


def page(connection: Connection, query: ImageQuery) -> tuple[int, list[Image]]:
    """How many images there are, and those of the page."""
    conditions = _conditions(connection, query)
    total = connection.execute(select(func.count()).select_from(images).where(*conditions)).scalar_one()
    wanted = (
        select(_i.body).where(*conditions).order_by(*_order(query)).offset(query.offset).limit(query.limit)
    )
    return total, [catalogue.decode(body) for body in connection.execute(wanted).scalars()]


def groups(connection: Connection, query: ImageQuery) -> tuple[int, list[Group]]:
    """How many groups there are, and those of the page, the newest first."""
    conditions = [*_conditions(connection, query), _i.group_id.is_not(None)]
    total = connection.execute(select(func.count(_i.group_id.distinct())).where(*conditions)).scalar_one()
    made = (
        select(
            _i.group_id,
            func.min(_i.create_at).label("create_at"),
            func.max(_i.update_at).label("update_at"),
            func.count().label("size"),
            func.max(_i.no).label("newest"),
        )
        .where(*conditions)
        .group_by(_i.group_id)
        .subquery()
    )
    wanted = (
        select(made, _i.body, _i.read_me)
        .join(images, _i.no == made.c.newest)
        .order_by(made.c.create_at.desc(), made.c.newest.desc())
        .offset(query.offset)
        .limit(query.limit)
    )
    return total, [
        Group(
            row.group_id, row.create_at, row.update_at, row.size, catalogue.decode(row.body), row.read_me
        )
        for row in connection.execute(wanted)
    ]  # fmt: skip


def of_group(connection: Connection, group_id: str) -> list[Stored]:
    """All images of a group in order of registration."""
    return [_stored(row) for row in connection.execute(_of_group(group_id))]


def of_group_to_change(connection: Connection, group_id: str) -> list[Stored]:
    """The same, kept from other writers, and from those who want to use them, until the commit."""
    query = _of_group(group_id).with_for_update(of=images)
    return [_stored(row) for row in connection.execute(query)]


def _of_group(group_id: str) -> Select[Any]:
    return _records().where(_i.group_id == group_id, _LIVES).order_by(_i.no)


def _conditions(connection: Connection, query: ImageQuery) -> list[ColumnElement[bool]]:
    conditions = [_LIVES, _readable(query)]
    if query.swr_instance_id:
        conditions.append(_i.no.is_(None))  # No image of this service comes from such a registry.
    if query.name:
        find = func.instr if connection.dialect.name == "sqlite" else func.strpos
        conditions.append(find(_i.name, query.name) > 0 if query.fuzzy else _i.name == query.name)
    asked = ((name, getattr(query, name)) for name in _EXACT)
    conditions.extend(_i[name] == wanted for name, wanted in asked if wanted is not None)
    return conditions


def _readable(query: ImageQuery) -> ColumnElement[bool]:
    of_project = select(projects.c.no).where(projects.c.id == query.project_id).scalar_subquery()
    own = [_i.project_no == of_project]
    if query.owner_id is not None:
        owner = select(users.c.no).where(users.c.id == query.owner_id).scalar_subquery()
        own.append(_i.owner_no == owner)
    if query.granted is not None:
        own.append(_i.workspace_id.in_(sorted(query.granted)))
    return or_(_i.project_no.is_(None), and_(*own))


def _order(query: ImageQuery) -> list[ColumnElement[Any]]:
    """Missing values last in ascending order, first in descending; ties in order of registration."""
    keys: list[ColumnElement[Any]] = []
    for key in query.sort:
        keys += [_SORTS[key].is_(None), _SORTS[key]]
    keys.append(_i.no)
    return [key.desc() if query.descending else key.asc() for key in keys]


def is_taken(connection: Connection, project_no: int, swr_path: str) -> bool:
    """Whether a living image of this project, or of the service, has this reference."""
    query = select(_i.no).where(
        _i.swr_path == swr_path, _LIVES, or_(_i.project_no == project_no, _i.project_no.is_(None))
    )
    return connection.execute(query.limit(1)).first() is not None


def is_registered(connection: Connection, swr_path: str, *, besides: int = 0) -> bool:
    """Whether any living image has this reference; the one with the number `besides` does not count."""
    query = select(_i.no).where(_i.swr_path == swr_path, _LIVES, _i.no != besides).limit(1)
    return connection.execute(query).first() is not None


def is_leaving(connection: Connection, swr_path: str) -> bool:
    """Whether the content of a deleted image with this reference is still to be removed."""
    query = select(_i.no).where(_i.swr_path == swr_path, ~_LIVES, _i.due_at.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def count_of_owner(connection: Connection, owner_no: int) -> int:
    """How many living images a user has; nobody adds another one for it until the commit."""
    connection.execute(select(users.c.no).where(users.c.no == owner_no).with_for_update(key_share=True))
    query = select(func.count()).select_from(images).where(_i.owner_no == owner_no, _LIVES)
    return connection.execute(query).scalar_one()


def count_in_workspace(connection: Connection, project_no: int, workspace_id: str) -> int:
    """How many living images there are in this workspace of the project."""
    mine = (_i.project_no == project_no, _i.workspace_id == workspace_id, _LIVES)
    return connection.execute(select(func.count()).select_from(images).where(*mine)).scalar_one()


def users_of(connection: Connection, no: int) -> int:
    """How many notebooks that are not deleted have this image."""
    n = notebooks.c
    # Spelled out, or the partial index would not be taken.
    query = select(func.count()).where(
        n.image_no == no, n.status != bindparam("s", DELETED, literal_execute=True)
    )
    return connection.execute(query).scalar_one()


def has_images(connection: Connection, *, user_no: int | None = None, project_no: int | None = None) -> bool:
    column, number = (_i.owner_no, user_no) if user_no is not None else (_i.project_no, project_no)
    return connection.execute(select(_i.no).where(column == number).limit(1)).first() is not None


def add(
    connection: Connection, project: tuple[int, str], owner_no: int, image: Image, read_me: str | None,
    manifest: bytes | None, now: int,
) -> None:  # fmt: skip
    """Writes a new image whose first trial is due; `project` is its number and its id."""
    project_no, project_id = project
    values = catalogue.columns(image, project_id) | {
        "id": image.id,
        "project_no": project_no,
        "owner_no": owner_no,
        "read_me": read_me,
        "manifest": manifest,
        "trial": 1,
        "due_at": now,
        "create_at": now,
        "update_at": now,
    }
    connection.execute(insert(images).values(**values))


def save(connection: Connection, old: Stored, image: Image, now: int, **more: Any) -> Image:
    """Writes what became of an image, and columns besides; when it was changed moves only if it was."""
    if image != old.image:
        image = msgspec.structs.replace(image, update_at=now)
        more |= catalogue.columns(image, old.holding.project_id or "") | {"update_at": now}
    if more:
        connection.execute(update(images).where(_i.no == old.no).values(**more))
    return image


def due(connection: Connection, now: int, limit: int) -> list[Stored]:
    """Images about which something is to be done, the longest due first."""
    query = _records().where(_i.due_at <= now).order_by(_i.due_at, _i.no).limit(limit)
    return [_stored(row) for row in connection.execute(query)]


def wanted(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[bool, int]]:
    """Of these images those about which something is to be done: whether they are deleted, and the trial."""
    query = select(_i.no, _i.status, _i.trial).where(_i.no.in_(numbers), _i.due_at.is_not(None))
    rows = connection.execute(query)
    return {row.no: (row.status == State.DELETED.value, row.trial) for row in rows}


def postpone(connection: Connection, no: int, due_at: int | None) -> None:
    """When something is to be done next; None when nothing is."""
    connection.execute(update(images).where(_i.no == no, _i.due_at.is_not(None)).values(due_at=due_at))

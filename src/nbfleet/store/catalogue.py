"""What notebooks are made from and grouped by: images as they are published, and default workspaces.

Whose an image is and what is to be done about it is in `images`.
"""

from functools import cache, lru_cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import UNSET
from sqlalchemy import Connection, bindparam, insert, select, update

from nbfleet.domain.listing import fold
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.schema import images, pools, projects, workspaces
from nbfleet.wire.images import Image
from nbfleet.wire.placement import Pool

DEFAULT_WORKSPACE = "0"
_SHOWN = (
    *("type", "name", "namespace", "tag", "size", "service_type", "workspace_id", "show_name", "show_tag"),
)
_encode = msgspec.json.Encoder().encode
# The same few images stand in all notebooks.
decode = lru_cache(256)(msgspec.json.Decoder(Image).decode)


class UnknownImage(Exception):
    """No image has this id."""


def image(connection: Connection, image_id: str) -> Image:
    body = _image(connection.dialect.name).execute(connection, {"image": image_id}).scalar()
    if body is None:
        raise UnknownImage(image_id)
    return decode(body)


def pool(connection: Connection, project_id: str, pool_id: str | None) -> Pool | None:
    """The pool as documents show it; None for no pool."""
    if pool_id is None:
        return None
    values = {"project": project_id, "pool": pool_id}
    name = _pool_name(connection.dialect.name).execute(connection, values).scalar()
    return None if name is None else Pool(id=pool_id, name=name)


@cache
def _pool_name(dialect: str) -> Statement:
    p = pools.c
    query = select(p.name).join(projects, projects.c.no == p.project_no)
    return compiled(dialect, query.where(projects.c.id == bindparam("project"), p.id == bindparam("pool")))


def image_number(connection: Connection, image_id: str) -> int:
    """What stands for the image in the tables."""
    number = connection.execute(select(images.c.no).where(images.c.id == image_id)).scalar()
    if number is None:
        raise UnknownImage(image_id)
    return number


@cache
def _image(dialect: str) -> Statement:
    return compiled(dialect, select(images.c.body).where(images.c.id == bindparam("image")))


def numbered_images(connection: Connection) -> dict[str, tuple[int, Image]]:
    """Every image by its id, with the number that stands for it in the tables."""
    rows = connection.execute(select(images.c.id, images.c.no, images.c.body))
    return {row.id: (row.no, decode(row.body)) for row in rows}


def put_image(connection: Connection, published: Image, now: int) -> None:
    """Adds an image of the service, or replaces what is published under its id; how old it is does not change
    by that, and where nothing else differs, neither does when it was changed.

    Documents show parts of it: `notebooks.put_image` writes those anew as well. The lock keeps off those who
    add a notebook of this image until then.
    """
    query = select(images.c.body, images.c.group_id).where(images.c.id == published.id).with_for_update()
    earlier = connection.execute(query).first()
    if earlier is None:
        values = columns(published) | {"id": published.id, "create_at": now, "update_at": now}
        connection.execute(insert(images).values(**values))
        return
    before = decode(earlier.body)
    published = msgspec.structs.replace(published, create_at=before.create_at)
    same = msgspec.structs.replace(published, update_at=before.update_at) == before
    values = columns(published)
    if not same or earlier.group_id != values["group_id"]:
        changed = {} if same else {"update_at": now}
        connection.execute(update(images).where(images.c.id == published.id).values(**values, **changed))


def columns(published: Image, project_id: str = "") -> dict[str, Any]:
    """What stands in the row of an image because it stands in its published form."""
    path = str(published.swr_path)
    shown = {name: _word(getattr(published, name)) for name in _SHOWN}
    return shown | {
        "swr_path": path,
        "swr_path_folded": fold(path),
        "status": _word(published.status) or "ACTIVE",
        "group_id": group_id(project_id, _word(published.namespace), _word(published.name)),
        "body": _encode(published),
    }


def group_id(project_id: str, namespace: Any, name: Any) -> str:
    """All versions of one image name in one organisation of a project; empty for those of the service."""
    return str(uuid5(NAMESPACE_URL, f"nbfleet:images:{project_id}/{namespace}/{name}"))


def _word(value: Any) -> Any:
    """As it stands in a column: absence is null, and words are plain text."""
    if value is UNSET:
        return None
    return value if isinstance(value, int) else str(value)


def add_default_workspace(connection: Connection, project_no: int, now: int) -> None:
    values = {"project_no": project_no, "id": DEFAULT_WORKSPACE, "name": "default"}
    connection.execute(insert(workspaces).values(**values, create_at=now, update_at=now))

"""What notebooks are made from and grouped by: images, and the default workspace of each project."""

from collections.abc import Sequence
from functools import cache, lru_cache

import msgspec
from sqlalchemy import Connection, bindparam, insert, select, update

from nbfleet.domain.listing import fold
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.schema import images, pools, projects, workspaces
from nbfleet.wire.images import Image
from nbfleet.wire.placement import Pool

DEFAULT_WORKSPACE = "0"
_encode = msgspec.json.Encoder().encode
# The same few images stand in all notebooks.
_decode = lru_cache(256)(msgspec.json.Decoder(Image).decode)


class UnknownImage(Exception):
    """No image has this id."""


def image(connection: Connection, image_id: str) -> Image:
    body = _image(connection.dialect.name).execute(connection, {"image": image_id}).scalar()
    if body is None:
        raise UnknownImage(image_id)
    return _decode(body)


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


def all_images(connection: Connection) -> Sequence[Image]:
    """Every image, in order of registration. There are few: the built-in ones and what users add."""
    return [
        _decode(body) for body in connection.execute(select(images.c.body).order_by(images.c.no)).scalars()
    ]


def numbered_images(connection: Connection) -> dict[str, tuple[int, Image]]:
    """Every image by its id, with the number that stands for it in the tables."""
    rows = connection.execute(select(images.c.id, images.c.no, images.c.body))
    return {row.id: (row.no, _decode(row.body)) for row in rows}


def put_image(connection: Connection, published: Image, now: int) -> None:
    """Adds the image, or replaces what is published under its id; how old it is does not change by that.

    Documents show parts of it: `notebooks.put_image` writes those anew as well. The lock keeps off those who
    add a notebook of this image until then.
    """
    query = select(images.c.body).where(images.c.id == published.id).with_for_update()
    earlier = connection.execute(query).scalar()
    if earlier is not None:
        published = msgspec.structs.replace(published, create_at=_decode(earlier).create_at)
    path = str(published.swr_path)
    values = {"swr_path": path, "swr_path_folded": fold(path), "update_at": now, "body": _encode(published)}
    if earlier is None:
        connection.execute(insert(images).values(id=published.id, create_at=now, **values))
    else:
        connection.execute(update(images).where(images.c.id == published.id).values(**values))


def add_default_workspace(connection: Connection, project_no: int, now: int) -> None:
    values = {"project_no": project_no, "id": DEFAULT_WORKSPACE, "name": "default"}
    connection.execute(insert(workspaces).values(**values, create_at=now, update_at=now))

"""Pools as rows: what the settings named at some start, and what takes room in them.

Rows stay when the settings no longer name them, because notebooks refer to them. Which are offered, and how
much room they have, is not in here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, literal_column, not_, select, text, update

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import fold
from nbfleet.domain.notebook import CUSTOM_FLAVOR, CustomSize
from nbfleet.store.codes import STATUS
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.notebooks import making_of, show_pool_anew
from nbfleet.store.schema import HAS_ROOM, has_room, instances, notebooks, pools, projects

_IN_A_POOL = text(f"notebooks.pool_no <> 0 AND {has_room('notebooks.status')}")
_STILL_RUNS = (
    select(instances.c.rid)
    .where(instances.c.rid == notebooks.c.rid, instances.c.observed == literal_column("'RUNNING'"))
    .correlate(notebooks)
    .exists()
)
# What is being deleted has its room as long as something of it runs.
_GONE = and_(notebooks.c.status == literal_column(str(STATUS[Status.DELETING])), not_(_STILL_RUNS))
_PUBLIC = 0x706F6F6C  # Any number of our own, another than the migration's.


@dataclass(frozen=True, slots=True)
class Named:
    """`create_at` is None where nobody knows it."""

    no: int
    id: str
    name: str
    create_at: int | None


def put(connection: Connection, project_no: int, pool_id: str, name: str, now: int) -> None:
    """Adds the pool, or gives the one with this id this name."""
    mine = (pools.c.project_no == project_no, pools.c.id == pool_id)
    known = connection.execute(select(pools.c.no, pools.c.name).where(*mine)).first()
    if known is None:
        values = {"project_no": project_no, "id": pool_id, "create_at": now}
        connection.execute(insert(pools).values(name=name, name_folded=fold(name), **values))
    elif known.name != name:
        connection.execute(update(pools).where(*mine).values(name=name, name_folded=fold(name)))
        show_pool_anew(connection, known.no)


def named(connection: Connection, project_id: str, pool_id: str) -> Named | None:
    statement = _named(connection.dialect.name)
    row = statement.execute(connection, {"project": project_id, "pool": pool_id}).first()
    return None if row is None else Named(*row)


@cache
def _named(dialect: str) -> Statement:
    p = pools.c
    query = select(p.no, p.id, p.name, p.create_at).join(projects, projects.c.no == p.project_no)
    return compiled(dialect, query.where(projects.c.id == bindparam("project"), p.id == bindparam("pool")))


def of_project(connection: Connection, project_id: str, ids: Sequence[str]) -> dict[str, Named]:
    """Those of these pools that have a row, by id."""
    p = pools.c
    query = select(p.no, p.id, p.name, p.create_at).join(projects, projects.c.no == p.project_no)
    rows = connection.execute(query.where(projects.c.id == project_id, p.id.in_(ids)))
    return {row.id: Named(*row) for row in rows}


def lock(connection: Connection, number: int) -> None:
    """Keeps off others who want room in this pool until the commit. SQLite has one writer anyway."""
    connection.execute(select(pools.c.no).where(pools.c.no == number).with_for_update()).scalar()


def lock_public(connection: Connection) -> None:
    """The same for all that is in no pool, which has no row to lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PUBLIC)))


def taken_publicly(connection: Connection) -> dict[str, int]:
    """How many notebooks of each flavor have room in no pool, by looking at those that take room anywhere."""
    found: Any = _flavors_outside(connection.dialect.name).execute(connection, {})
    return {flavor: int(count) for flavor, count in found}


@cache
def _flavors_outside(dialect: str) -> Statement:
    n = notebooks.c
    query = select(n.flavor, func.count()).where(HAS_ROOM, n.pool_no == literal_column("0"), not_(_GONE))
    # Without statistics SQLite would go through the whole table, of which next to nothing has room.
    hinted = query.with_hint(notebooks, "INDEXED BY notebooks_sizes", "sqlite")
    return compiled(dialect, hinted.group_by(n.flavor))


@dataclass(frozen=True, slots=True)
class Taken:
    """What has room in a pool: how many of each flavor, and those with a size of their own."""

    flavors: dict[str, int]
    custom: list[CustomSize]


def taken(connection: Connection, numbers: Sequence[int]) -> dict[int, Taken]:
    """What has room in each of these pools."""
    n, i = notebooks.c, instances.c
    mine = (n.pool_no.in_(numbers), _IN_A_POOL, not_(_GONE))
    counted = select(n.pool_no, n.flavor, func.count()).where(*mine)
    found = {number: Taken({}, []) for number in numbers}
    for number, flavor, count in connection.execute(counted.group_by(n.pool_no, n.flavor)):
        found[number].flavors[flavor] = count
    if sum(one.flavors.pop(CUSTOM_FLAVOR, 0) for one in found.values()):
        made = select(n.pool_no, i.making).join(instances, i.rid == n.rid)
        for number, text in connection.execute(made.where(*mine, n.flavor == CUSTOM_FLAVOR)):
            size = making_of(text).size
            if size is not None:
                found[number].custom.append(size)
    return found

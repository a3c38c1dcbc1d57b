"""Which tags are in use among the notebooks that a query finds.

The tags of few notebooks are read with them. Of many, the index of the tags is walked in steps, each behind
the last pair found: what thousands of notebooks share is looked at once a step and not once a notebook.
"""

from functools import lru_cache

from sqlalchemy import Connection, bindparam, literal_column, select, tuple_

from nbfleet.domain.listing import Query
from nbfleet.store import schema
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.directory import Directory
from nbfleet.store.listing import Look, look_at
from nbfleet.store.shapes import Shape
from nbfleet.store.statements import along, where

FEW = 20_000  # Notebooks: their tags are read in a fraction of a second.
_STEP = 50  # Pairs of one step.

Pair = tuple[str, str]


def in_use(
    connection: Connection, directory: Directory, query: Query, most: int, few: int = FEW
) -> list[Pair]:
    """Each key and value once, in order; no more than `most` of them. Up to `few` notebooks are looked at."""
    look = look_at(connection, directory, query)
    if look is None:
        return []
    path = look.narrowest()
    if path.cost <= few or "owner_no" in look.shape.equal:
        statement = _of_notebooks(look.dialect, look.shape, path.index)
        rows = statement.run(connection, look.values | {"most": most}).fetchall()
        return [(row[0], row[1]) for row in rows]
    return _walked(look, most)


def _walked(look: Look, most: int) -> list[Pair]:
    statement = _behind(look.dialect, look.shape)
    found: dict[Pair, None] = {}
    last: Pair = ("", "")  # In front of all: no key is empty.
    while len(found) < most:
        values = look.values | {"last_key": last[0], "last_value": last[1]}
        step = statement.run(look.connection, values).fetchall()
        if not step:
            break
        found.update(((row[0], row[1]), None) for row in step)
        last = (step[-1][0], step[-1][1])
    return list(found)[:most]


@lru_cache(maxsize=64)
def _of_notebooks(dialect: str, shape: Shape, index: str | None) -> Statement:
    n, t = schema.notebooks.c, schema.notebook_tags.c
    notebooks = along(select(n.rid).where(where(dialect, shape, index)), index).subquery("found")
    query = select(t.key, t.value).distinct().join_from(notebooks, t.rid.table, t.rid == notebooks.c.rid)
    return compiled(dialect, query.order_by(t.key, t.value).limit(bindparam("most")))


@lru_cache(maxsize=64)
def _behind(dialect: str, shape: Shape) -> Statement:
    """The next entries of the index behind a pair, of notebooks that match."""
    n, t = schema.notebooks.c, schema.notebook_tags.c
    matching = select(n.rid).where(n.rid == t.rid, where(dialect, shape)).correlate(schema.notebook_tags)
    last = tuple_(bindparam("last_key"), bindparam("last_value"))
    query = (
        select(t.key, t.value)
        .with_hint(schema.notebook_tags, "INDEXED BY notebook_tags_by_key", "sqlite")
        .where(tuple_(t.key, t.value) > last, matching.exists())
        .order_by(t.key, t.value)
        .limit(literal_column(str(_STEP)))
    )
    return compiled(dialect, query)

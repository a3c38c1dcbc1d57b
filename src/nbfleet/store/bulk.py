"""Writing many notebooks at once, in a few statements instead of a few each: for filling a store.

The counters and indexes keep up by themselves. Nothing here makes anything up or checks a transition.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from nbfleet.domain.listing import fold
from nbfleet.domain.notebook import Notebook
from nbfleet.store import documents, schema
from nbfleet.store.notebooks import narrow_values, state_values
from nbfleet.wire.images import Image
from nbfleet.wire.placement import Pool


@dataclass(frozen=True, slots=True)
class References:
    """The numbers of what the notebooks refer to by id; `images` and `shown_pools` as they are published."""

    project_no: int
    owners: Mapping[str, int]
    workspaces: Mapping[str, int]
    pools: Mapping[str | None, int]
    images: Mapping[str, tuple[int, Image]]
    shown_pools: Mapping[str | None, Pool]


def add_named(
    connection: Connection, table: Table, project_no: int, names: Mapping[str, str]
) -> dict[str, int]:
    """Adds workspaces or pools, given as id and name; answers their numbers."""
    found: dict[str, int] = {}
    for id_, name in names.items():
        values: dict[str, Any] = {"project_no": project_no, "id": id_, "name": name}
        if "name_folded" in table.c:
            values["name_folded"] = fold(name)
        found[id_] = connection.execute(insert(table).values(**values).returning(table.c.no)).scalar_one()
    return found


def add_notebooks(
    connection: Connection,
    references: References,
    made: Sequence[Notebook],
) -> None:
    """Writes notebooks in this order. They must not be in motion."""
    rows = list(zip(_free_numbers(connection, len(made)), made, strict=True))
    _put(connection, schema.notebooks, (_narrow(references, rid, one) for rid, one in rows))
    _put(connection, schema.instances, ({"rid": rid, **state_values(one, 0)} for rid, one in rows))
    _put(
        connection,
        schema.documents,
        (
            {
                "rid": rid,
                "body": documents.encode(
                    one, references.images[one.image_id][1], references.shown_pools.get(one.pool_id)
                ),
            }
            for rid, one in rows
        ),
    )
    tagged = ({"rid": rid, "key": key, "value": value} for rid, one in rows for key, value in one.tags)
    _put(connection, schema.notebook_tags, tagged)


def is_empty(connection: Connection) -> bool:
    """Whether there was never a notebook."""
    return connection.execute(select(schema.notebooks.c.rid).limit(1)).first() is None


def gather_statistics(connection: Connection) -> None:
    """Tells PostgreSQL's planner what came in; SQLite is told which index to take."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


def _narrow(references: References, rid: int, notebook: Notebook) -> dict[str, Any]:
    return {
        "rid": rid,
        "project_no": references.project_no,
        "owner_no": references.owners[notebook.owner_id],
        "workspace_no": references.workspaces[notebook.workspace_id],
        "pool_no": references.pools[notebook.pool_id],
        "image_no": references.images[notebook.image_id][0],
        **narrow_values(notebook),
    }


def _free_numbers(connection: Connection, count: int) -> Sequence[int]:
    if connection.dialect.name == "postgresql":
        sequence = func.nextval(func.pg_get_serial_sequence("notebooks", "rid"))
        return (
            connection.execute(select(sequence).select_from(func.generate_series(1, count))).scalars().all()
        )
    last = connection.execute(
        text("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'notebooks'")
    )
    start = last.scalar_one() + 1
    return range(start, start + count)


def _put(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Through the driver itself: building a statement for each row would cost more than writing it."""
    given = iter(rows)
    first = next(given, None)
    if first is None:
        return
    columns = list(first)
    cursor: Any = connection.connection.cursor()
    values = (tuple(row[column] for column in columns) for row in (first, *given))
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in values:
                copy.write_row(row)
    else:
        places = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({places})", values)  # noqa: S608

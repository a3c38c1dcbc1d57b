"""How many notebooks there are for each value of a field, and in all, out of one snapshot.

Counters answer where one knows the field and all conditions; else what matches is looked at. Who may see what
was already decided when the query was narrowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from nbfleet.domain.listing import Query
from nbfleet.store import paths, schema, statements
from nbfleet.store.codes import NO_POOL, STATUS_OF
from nbfleet.store.directory import Directory
from nbfleet.store.listing import Look, counter_for, look_at


class By(StrEnum):
    """The field whose values are counted."""

    STATUS = "status"
    OWNER = "owner"
    POOL = "pool"
    FLAVOR = "flavor"
    IMAGE = "image"
    WORKSPACE = "workspace"
    TAG = "tag"


_COLUMNS = {
    By.STATUS: "status",
    By.OWNER: "owner_no",
    By.POOL: "pool_no",
    By.FLAVOR: "flavor",
    By.IMAGE: "image_no",
    By.WORKSPACE: "workspace_no",
}
_INDEXED = frozenset({"status", "owner_no", "pool_no", "workspace_no"})
# Where the ids and names are that numbers stand for.
_NAMES = {
    By.OWNER: (schema.users, "name"),
    By.POOL: (schema.pools, "name"),
    By.IMAGE: (schema.images, "swr_path"),
    By.WORKSPACE: (schema.workspaces, "name"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """`key` is an id where there is one, `key|value` of a tag, empty for no pool; `name` where it has one."""

    key: str
    name: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """`total` counts notebooks, `groups` are the largest, `group_total` says how many there are."""

    total: int
    groups: Sequence[Group]
    group_total: int


def quick_count(
    connection: Connection, directory: Directory, query: Query, by: By, limit: int
) -> Counts | None:
    """The counts if counters know them; None where notebooks have to be looked at."""
    look = look_at(connection, directory, query)
    if look is not None and (by not in _COLUMNS or counter_for(look.shape, _COLUMNS[by]) is None):
        return None
    return _counted(look, by, limit)


def count(connection: Connection, directory: Directory, query: Query, by: By, limit: int) -> Counts:
    """The `limit` largest groups, then by key."""
    return _counted(look_at(connection, directory, query), by, limit)


def _counted(look: Look | None, by: By, limit: int) -> Counts:
    if look is None:
        return Counts(0, (), 0)
    groups = _by_tag(look) if by is By.TAG else _by_column(look, by)
    # A notebook has several tags, or none, and one of everything else.
    total = look.total() if by is By.TAG else sum(group.count for group in groups)
    groups.sort(key=lambda group: (-group.count, group.key))
    return Counts(total, groups[:limit], len(groups))


def _by_tag(look: Look) -> list[Group]:
    statement = statements.grouped_by_tag(look.dialect, look.shape, look.narrowest().index)
    rows = statement.run(look.connection, look.values).fetchall()
    return [Group(f"{key}|{value}", None, int(number)) for key, value, number in rows]


def _by_column(look: Look, by: By) -> list[Group]:
    column = _COLUMNS[by]
    counter = counter_for(look.shape, column)
    index = None if counter is not None else _index(look, column)
    statement = statements.grouped(look.dialect, counter, look.shape, column, index)
    rows = [(value, int(number)) for value, number in statement.run(look.connection, look.values).fetchall()]
    if by is By.STATUS:
        return [Group(STATUS_OF[value].value, None, number) for value, number in rows]
    if by is By.FLAVOR:
        return [Group(value, None, number) for value, number in rows]
    names = _names(look.connection, by)
    return [Group(*names[value], number) for value, number in rows]


def _index(look: Look, column: str) -> str | None:
    """What is in no index is read row by row, and all rows soonest in the order in which they lie."""
    index = look.narrowest().index
    reads_all_rows = index == "create_at" and column not in _INDEXED and not look.shape.windows
    return paths.BY_NUMBER if reads_all_rows else index


def _names(connection: Connection, by: By) -> dict[int, tuple[str, str | None]]:
    """All of them: the tables are small, and a list of numbers has a limit in every database."""
    table, name = _NAMES[by]
    found = connection.execute(select(table.c.no, table.c.id, table.c[name]))
    return {NO_POOL: ("", None), **{number: (id_, text) for number, id_, text in found}}

"""Which running notebooks time alone will stop next, for one reader.

There are two ways to them: the index of all moments, in their order, or what runs for the reader, which is
then sorted. The counters know which is shorter; who may see what was decided when the query was narrowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, text

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.store.codes import STATUS
from nbfleet.store.directory import Directory
from nbfleet.store.listing import look_at
from nbfleet.store.schema import DELETED, instances, notebooks, users

_FEW = 1000  # Running notebooks of one reader that are sooner sorted than looked for among all.
_LIVES = text(f"status <> {DELETED}")  # As it stands in the indexes of lists, which are found by it.


@dataclass(frozen=True, slots=True)
class Expiry:
    """A running notebook and the moment at which its lease ends."""

    id: str
    name: str
    owner_id: str
    owner_name: str
    stop_at: int


def next_of(connection: Connection, directory: Directory, query: Query, limit: int) -> Sequence[Expiry]:
    """The soonest first. Of `query` only counts whose notebooks the reader may see: `project_id`, `owner_id`
    and `granted`; its statuses are to be RUNNING alone."""
    look = look_at(connection, directory, query)
    running = 0 if look is None else look.total()
    project_no = directory.project(connection, query.project_id)
    if not running or project_no is None:
        return ()
    n, i, u = notebooks.c, instances.c, users.c
    seen = _seen(connection, directory, project_no, query)
    # No index serves a sum, so one of the two ways remains.
    if running <= _FEW:
        moment: ColumnElement[int] = i.stop_at + 0
        conditions = [_LIVES, *(column == value for column, value in seen)]
    else:
        moment = i.stop_at
        conditions = [column + 0 == value for column, value in seen]
    if query.granted is not None:
        conditions.append(n.workspace_no.in_(_workspaces(connection, directory, project_no, query.granted)))
    found = (
        select(n.id, n.name, u.id, u.name, i.stop_at)
        .join(instances, i.rid == n.rid)
        .join(users, u.no == n.owner_no)
        .where(moment.is_not(None), *conditions)
        .order_by(moment, n.id)
    )
    return [Expiry(*row) for row in connection.execute(found.limit(limit))]


def _seen(
    connection: Connection, directory: Directory, project_no: int, query: Query
) -> list[tuple[ColumnElement[int], int | None]]:
    n = notebooks.c
    seen: list[tuple[ColumnElement[int], int | None]] = [
        (n.project_no, project_no),
        (n.status, STATUS[Status.RUNNING]),
    ]
    if query.owner_id is not None:
        seen.append((n.owner_no, directory.user(connection, query.owner_id)))
    return seen


def _workspaces(
    connection: Connection, directory: Directory, project_no: int, granted: frozenset[str]
) -> list[int]:
    found = (directory.workspace(connection, project_no, one) for one in sorted(granted))
    return [number for number in found if number is not None]

"""From published ids to the numbers that stand for them in the tables, and back.

A number never changes and is never given to anything else, so what was read once is remembered. What can
change about a project, user or workspace (its name, whether it is enabled) is not in here.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, select

from nbfleet.store import schema
from nbfleet.store.codes import NO_POOL


@dataclass(slots=True)
class _Numbers:
    by_id: dict[str, int] = field(default_factory=dict[str, int])
    by_number: dict[int, str] = field(default_factory=dict[int, str])


class Directory:
    """None stands for "there is no such thing"; that answer is never remembered."""

    def __init__(self) -> None:
        self._projects = _Numbers()
        self._users = _Numbers()
        self._images = _Numbers()
        self._workspaces: dict[int, _Numbers] = {}
        self._pools: dict[int, _Numbers] = {}

    def project(self, connection: Connection, project_id: str) -> int | None:
        return _number(connection, schema.projects, self._projects, project_id)

    def user(self, connection: Connection, user_id: str) -> int | None:
        return _number(connection, schema.users, self._users, user_id)

    def user_id(self, connection: Connection, number: int) -> str:
        return _id(connection, schema.users, self._users, number)

    def image(self, connection: Connection, image_id: str) -> int | None:
        return _number(connection, schema.images, self._images, image_id)

    def workspace(self, connection: Connection, project_no: int, workspace_id: str) -> int | None:
        known = self._workspaces.setdefault(project_no, _Numbers())
        return _number(connection, schema.workspaces, known, workspace_id, project_no)

    def pool(self, connection: Connection, project_no: int, pool_id: str | None) -> int | None:
        if pool_id is None:
            return NO_POOL
        known = self._pools.setdefault(project_no, _Numbers())
        return _number(connection, schema.pools, known, pool_id, project_no)


def _number(
    connection: Connection, table: Table, known: _Numbers, wanted: str, project_no: int | None = None
) -> int | None:
    number = known.by_id.get(wanted)
    if number is None:
        query = select(table.c.no).where(table.c.id == wanted)
        if project_no is not None:
            query = query.where(table.c.project_no == project_no)
        number = connection.execute(query).scalar()
        if number is not None:
            known.by_id[wanted] = number
            known.by_number[number] = wanted
    return number


def _id(connection: Connection, table: Table, known: _Numbers, number: int) -> str:
    found = known.by_number.get(number)
    if found is None:
        found = connection.execute(select(table.c.id).where(table.c.no == number)).scalar_one()
        known.by_number[number] = found
        known.by_id[found] = number
    return found

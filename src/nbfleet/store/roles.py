"""Roles that administrators made, as rows; those that are built in have none.

Which actions there are, and what a role may be called, is not in here.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from nbfleet.domain.access import BUILT_IN, Role
from nbfleet.store.schema import memberships, projects, roles


def role_of(name: str, actions: str | None) -> Role | None:
    """From a name and what stands beside it; None where no role has the name."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    return None if actions is None else Role(name, frozenset(json.loads(actions)))


def find(connection: Connection, name: str) -> Role | None:
    stored = connection.execute(select(roles.c.actions).where(roles.c.name == name)).scalar()
    return role_of(name, stored)


def every(connection: Connection) -> Sequence[Role]:
    """The built-in ones first, the others by name."""
    query = select(roles.c.name, roles.c.actions).order_by(roles.c.name)
    made = [Role(row.name, frozenset(json.loads(row.actions))) for row in connection.execute(query)]
    return [*BUILT_IN.values(), *made]


def makers(connection: Connection) -> Mapping[str, str]:
    """The ids of the projects whose administrators made a role, by its name. Those of the command line have
    none."""
    query = select(roles.c.name, projects.c.id).join(projects, projects.c.no == roles.c.project_no)
    return {row.name: row.id for row in connection.execute(query)}


def hold(connection: Connection, name: str) -> None:
    """The role is there until the commit as it is now; to be called before it is looked at and given."""
    connection.execute(select(roles.c.name).where(roles.c.name == name).with_for_update(read=True)).scalar()


def lock(connection: Connection, name: str) -> None:
    """Nobody is given the role until the commit; to be called before its members are counted."""
    connection.execute(select(roles.c.name).where(roles.c.name == name).with_for_update()).scalar()


def put(connection: Connection, role: Role, project_no: int | None = None) -> None:
    """Adds the role, made by this project if by any, or changes what its members may do."""
    values = {"actions": json.dumps(sorted(role.actions))}
    if find(connection, role.name) is None:
        connection.execute(insert(roles).values(name=role.name, project_no=project_no, **values))
    else:
        connection.execute(update(roles).where(roles.c.name == role.name).values(**values))


def members(connection: Connection, name: str) -> int:
    """How many memberships are of this role."""
    query = select(func.count()).select_from(memberships).where(memberships.c.role == name)
    return connection.execute(query).scalar_one()


def remove(connection: Connection, name: str) -> None:
    connection.execute(delete(roles).where(roles.c.name == name))

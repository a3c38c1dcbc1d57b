"""Memberships as an administrator looks at them: who is in a project, where else they are, and which role is
used where. Whom an administrator reaches is decided elsewhere.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from nbfleet.domain.listing import fold
from nbfleet.store.schema import access_keys, memberships, projects, users

_m = memberships.c


@dataclass(frozen=True, slots=True)
class Member:
    """A user with the name of its role in one project."""

    no: int
    id: str
    name: str
    enabled: bool
    role: str


@dataclass(frozen=True, slots=True)
class KeyOf:
    """An access key without its secret."""

    id: str
    user_id: str
    user_name: str
    enabled: bool
    create_at: int


_MEMBER = (users.c.no, users.c.id, users.c.name, users.c.enabled, _m.role)


def of_project(
    connection: Connection, project_no: int, part: str, behind: str, limit: int
) -> Sequence[Member]:
    """Those whose name has this part in it, by name, from behind one on."""
    query = select(*_MEMBER).join(memberships, _m.user_no == users.c.no).where(_m.project_no == project_no)
    if part:
        query = query.where(users.c.name_folded.contains(fold(part), autoescape=True))
    if behind:
        query = query.where(users.c.name > behind)
    return [Member(*row) for row in connection.execute(query.order_by(users.c.name).limit(limit))]


def find(connection: Connection, project_no: int, user_id: str) -> Member | None:
    query = select(*_MEMBER).join(memberships, _m.user_no == users.c.no)
    row = connection.execute(query.where(_m.project_no == project_no, users.c.id == user_id)).one_or_none()
    return None if row is None else Member(*row)


def places(connection: Connection, user_numbers: Collection[int]) -> Mapping[int, frozenset[str]]:
    """The ids of all projects that each of these users is a member of, disabled ones too."""
    query = select(_m.user_no, projects.c.id).join(projects, projects.c.no == _m.project_no)
    found: dict[int, set[str]] = {number: set() for number in user_numbers}
    for number, project_id in connection.execute(query.where(_m.user_no.in_(user_numbers))):
        found[number].add(project_id)
    return {number: frozenset(ids) for number, ids in found.items()}


def of_roles(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """How many memberships of each role there are, by project id."""
    query = select(_m.role, projects.c.id, func.count()).join(projects, projects.c.no == _m.project_no)
    found: dict[str, dict[str, int]] = {}
    for role, project_id, count in connection.execute(query.group_by(_m.role, projects.c.id)):
        found.setdefault(role, {})[project_id] = count
    return found


def keys_in(connection: Connection, project_no: int, limit: int) -> Sequence[tuple[int, KeyOf]]:
    """The keys of all members of a project with the numbers of their users, by name."""
    query = _keys().join(memberships, _m.user_no == users.c.no).where(_m.project_no == project_no)
    ordered = query.order_by(users.c.name, access_keys.c.id).limit(limit)
    return [(row[0], KeyOf(*row[1:])) for row in connection.execute(ordered)]


def keys_of(connection: Connection, user_no: int) -> Sequence[KeyOf]:
    query = _keys().where(users.c.no == user_no).order_by(access_keys.c.id)
    return [KeyOf(*row[1:]) for row in connection.execute(query)]


def _keys():
    key = access_keys.c
    return select(users.c.no, key.id, users.c.id, users.c.name, key.enabled, key.create_at).join(
        users, users.c.no == key.user_no
    )

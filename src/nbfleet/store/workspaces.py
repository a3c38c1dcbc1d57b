"""Workspaces: their rows, who is named in their grants, and which of them a user may enter.

Who may enter what is decided by `domain.access.enters`; this module only knows where it is written. Rows that
notebooks refer to stay on record when their workspace is deleted, under the same rules for who sees them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from nbfleet.domain.access import Openness, Role, enters
from nbfleet.store.schema import DELETED as DELETED_CODE
from nbfleet.store.schema import (
    accounts,
    count_by_workspace,
    memberships,
    projects,
    quotas,
    users,
    workspace_grants,
    workspaces,
)

_w, _g = workspaces.c, workspace_grants.c


@dataclass(frozen=True, slots=True)
class Workspace:
    """`auth_type` is in the case in which it was given. `owner_name` is that of the account where nobody
    made it. `is_owner` and `is_granted` are about the user that was asked with. Times in milliseconds."""

    no: int
    id: str
    name: str
    description: str
    auth_type: str
    owner_name: str
    create_at: int
    update_at: int
    is_owner: bool
    is_granted: bool

    @property
    def openness(self) -> Openness:
        return Openness(self.auth_type.upper())


@dataclass(frozen=True, slots=True)
class Grantee:
    no: int
    id: str
    name: str


def lock_project(connection: Connection, project_no: int) -> None:
    """Until the commit nobody else changes workspaces or quotas of the project, and nobody who holds them
    (`hold_project`) goes on. SQLite has one writer anyway."""
    query = select(projects.c.no).where(projects.c.no == project_no)
    connection.execute(query.with_for_update()).scalar()


def hold_project(connection: Connection, project_no: int) -> None:
    """Workspaces and quotas of the project stay as they are until the commit; any number may hold them."""
    if connection.dialect.name == "postgresql":
        query = select(projects.c.no).where(projects.c.no == project_no)
        connection.execute(query.with_for_update(read=True, key_share=True)).scalar()


def find(connection: Connection, project_no: int, workspace_id: str, user_no: int) -> Workspace | None:
    """The workspace, as it is for this user; None where there is none, or none any more."""
    query = _rows(user_no).where(_w.project_no == project_no, _w.id == workspace_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Workspace(*row)


def of_project(connection: Connection, project_no: int, user_no: int) -> list[Workspace]:
    """Every workspace, in the order in which they were made; there are few."""
    query = _rows(user_no).where(_w.project_no == project_no).order_by(_w.no)
    return [Workspace(*row) for row in connection.execute(query)]


def _rows(user_no: int) -> Any:
    mine = and_(_g.workspace_no == _w.no, _g.user_no == user_no)
    return (
        select(
            _w.no, _w.id, _w.name, _w.description, _w.auth_type, func.coalesce(users.c.name, accounts.c.name),
            _w.create_at, _w.update_at, func.coalesce(_w.owner_no == user_no, False), _g.user_no.is_not(None),
        )
        .select_from(workspaces)
        .join(projects, projects.c.no == _w.project_no)
        .join(accounts, accounts.c.id == projects.c.account_id)
        .outerjoin(users, users.c.no == _w.owner_no)
        .outerjoin(workspace_grants, mine)
        .where(_w.delete_at.is_(None))
    )  # fmt: skip


def count(connection: Connection, project_no: int) -> int:
    query = select(func.count()).select_from(workspaces)
    return connection.execute(query.where(_w.project_no == project_no, _w.delete_at.is_(None))).scalar_one()


def add(connection: Connection, project_no: int, owner_no: int, values: Mapping[str, Any], now: int) -> int:
    """`values`: id, name, description and auth_type. Answers its number."""
    row = {**values, "project_no": project_no, "owner_no": owner_no, "create_at": now, "update_at": now}
    return connection.execute(insert(workspaces).values(**row).returning(_w.no)).scalar_one()


def change(connection: Connection, number: int, values: Mapping[str, Any], now: int) -> None:
    connection.execute(update(workspaces).where(_w.no == number).values(**values, update_at=now))


def set_grants(connection: Connection, number: int, user_numbers: Sequence[int]) -> None:
    """Exactly these users are named from now on."""
    connection.execute(delete(workspace_grants).where(_g.workspace_no == number))
    if user_numbers:
        rows = [{"workspace_no": number, "user_no": one} for one in user_numbers]
        connection.execute(insert(workspace_grants), rows)


def grants(connection: Connection, number: int) -> list[Grantee]:
    query = select(users.c.no, users.c.id, users.c.name).join(workspace_grants, _g.user_no == users.c.no)
    query = query.where(_g.workspace_no == number).order_by(users.c.name)
    return [Grantee(*row) for row in connection.execute(query)]


def members(connection: Connection, project_no: int, *, only_enabled: bool = False) -> list[Grantee]:
    """The users of the project, by name."""
    query = select(users.c.no, users.c.id, users.c.name)
    query = query.join(memberships, memberships.c.user_no == users.c.no)
    query = query.where(memberships.c.project_no == project_no)
    if only_enabled:
        query = query.where(users.c.enabled.is_(True))
    return [Grantee(*row) for row in connection.execute(query.order_by(users.c.name))]


def notebooks_in(connection: Connection, project_no: int, number: int) -> int:
    """How many there are, the deleted ones left out."""
    c = count_by_workspace.c
    mine = (c.project_no == project_no, c.workspace_no == number, c.status != DELETED_CODE)
    return int(connection.execute(select(func.coalesce(func.sum(c.total), 0)).where(*mine)).scalar_one())


def remove(connection: Connection, project_no: int, number: int, now: int) -> None:
    """The workspace is there no more. One that never had a notebook leaves nothing behind."""
    its_quotas = (quotas.c.project_no == project_no, quotas.c.holder_no == number)
    connection.execute(delete(quotas).where(*its_quotas, quotas.c.holder == "workspace"))
    c = count_by_workspace.c
    used = select(c.total).where(c.project_no == project_no, c.workspace_no == number, c.total > 0).limit(1)
    if connection.execute(used).first() is not None:
        connection.execute(update(workspaces).where(_w.no == number).values(delete_at=now))
        return
    set_grants(connection, number, ())
    connection.execute(delete(workspaces).where(_w.no == number))


def granted(connection: Connection, user_no: int, roles: Mapping[str, Role]) -> dict[str, frozenset[str]]:
    """For each of these projects in which some workspace is closed to the user: those that are not. The roles
    are those of the user, by project id. Where everything is open, as it mostly is, this is one look."""
    asked = [project for project, role in roles.items() if not role.may_everything]
    if not asked:
        return {}
    closed = {(row[0], row[1]) for row in _restricted(connection, user_no, asked) if not _enters(roles, row)}
    if not closed:
        return {}
    found = {project: set[str]() for project, _ in closed}
    query = select(projects.c.id, _w.id).join(projects, projects.c.no == _w.project_no)
    for project, workspace in connection.execute(query.where(projects.c.id.in_(list(found)))):
        if (project, workspace) not in closed:
            found[project].add(workspace)
    return {project: frozenset(ids) for project, ids in found.items()}


def _restricted(connection: Connection, user_no: int, project_ids: Sequence[str]) -> Sequence[Any]:
    """Those that are not open to everybody, deleted ones with them."""
    mine = and_(_g.workspace_no == _w.no, _g.user_no == user_no)
    query = (
        select(projects.c.id, _w.id, _w.auth_type, _w.owner_no == user_no, _g.user_no.is_not(None))
        .select_from(workspaces)
        .join(projects, projects.c.no == _w.project_no)
        .outerjoin(workspace_grants, mine)
        .where(projects.c.id.in_(project_ids), func.upper(_w.auth_type) != Openness.PUBLIC.value)
    )
    return connection.execute(query).all()


def _enters(roles: Mapping[str, Role], row: Any) -> bool:
    project, _, auth_type, is_owner, is_granted = row
    openness = Openness(auth_type.upper())
    return enters(roles[project], openness, is_owner=bool(is_owner), is_granted=bool(is_granted))

"""Accounts, projects, users, their roles, keys and tokens.

Secrets arrive here sealed or as digests; this module never sees one. What a credential proves is a
`Principal`: the user and the projects it reaches now.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from nbfleet.domain.access import Principal, Role
from nbfleet.domain.listing import fold
from nbfleet.store import catalogue
from nbfleet.store import workspaces as places
from nbfleet.store.roles import role_of
from nbfleet.store.schema import (
    access_keys,
    accounts,
    idempotency_keys,
    keypairs,
    login_links,
    memberships,
    notebooks,
    pools,
    projects,
    quotas,
    tokens,
    users,
    workspace_grants,
    workspaces,
)
from nbfleet.store.schema import (
    roles as roles_table,
)


@dataclass(frozen=True, slots=True)
class User:
    no: int
    id: str
    name: str
    account_id: str
    account_name: str
    password_hash: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Project:
    no: int
    id: str
    name: str
    account_id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Key:
    """An access key; the secret is sealed."""

    id: str
    user_no: int
    user_name: str
    secret: bytes
    enabled: bool


class Taken(Exception):
    """The name is in use already."""


def add_account(connection: Connection, account_id: str, name: str) -> None:
    connection.execute(insert(accounts).values(id=account_id, name=name))


def list_accounts(connection: Connection) -> list[tuple[str, str]]:
    """Ids and names."""
    query = select(accounts.c.id, accounts.c.name).order_by(accounts.c.name)
    return [(row.id, row.name) for row in connection.execute(query)]


def add_project(connection: Connection, project_id: str, name: str, account_id: str, now: int) -> int:
    if connection.execute(select(projects.c.no).where(projects.c.name == name)).scalar() is not None:
        raise Taken(name)
    values = {"id": project_id, "name": name, "account_id": account_id, "enabled": True, "create_at": now}
    number: int = connection.execute(insert(projects).values(**values).returning(projects.c.no)).scalar_one()
    catalogue.add_default_workspace(connection, number, now)
    return number


def list_projects(connection: Connection) -> Sequence[Project]:
    query = select(projects).order_by(projects.c.name)
    return [_project(row) for row in connection.execute(query)]


def project(connection: Connection, *, id: str | None = None, name: str | None = None) -> Project | None:
    wanted = projects.c.id == id if id is not None else projects.c.name == name
    row = connection.execute(select(projects).where(wanted)).one_or_none()
    return None if row is None else _project(row)


def _project(row: Any) -> Project:
    return Project(row.no, row.id, row.name, row.account_id, row.enabled)


def enable_project(connection: Connection, no: int, enabled: bool) -> None:
    connection.execute(update(projects).where(projects.c.no == no).values(enabled=enabled))


def add_user(
    connection: Connection, user_id: str, name: str, account_id: str, password_hash: str, now: int
) -> int:
    if connection.execute(select(users.c.no).where(users.c.name == name)).scalar() is not None:
        raise Taken(name)
    values = {"id": user_id, "name": name, "name_folded": fold(name), "account_id": account_id}
    values |= {"password_hash": password_hash, "enabled": True, "create_at": now}
    number: int = connection.execute(insert(users).values(**values).returning(users.c.no)).scalar_one()
    return number


def user(connection: Connection, *, id: str | None = None, name: str | None = None) -> User | None:
    return _one_user(connection, users.c.id == id if id is not None else users.c.name == name)


def _one_user(connection: Connection, wanted: ColumnElement[bool]) -> User | None:
    row = connection.execute(_users().where(wanted)).one_or_none()
    return None if row is None else _user(row)


def locked_user(connection: Connection, no: int) -> User | None:
    """The user, whose password and state stay as they are until the commit."""
    row = connection.execute(_users().where(users.c.no == no).with_for_update(of=users)).one_or_none()
    return None if row is None else _user(row)


def list_users(connection: Connection) -> Sequence[User]:
    return [_user(row) for row in connection.execute(_users().order_by(users.c.name))]


def _users() -> Any:
    account = accounts.c.name.label("account_name")
    return select(users, account).join(accounts, accounts.c.id == users.c.account_id)


def _user(row: Any) -> User:
    return User(row.no, row.id, row.name, row.account_id, row.account_name, row.password_hash, row.enabled)


def enable_user(connection: Connection, no: int, enabled: bool) -> None:
    """A disabled user's sessions end at once and do not come back with it."""
    connection.execute(update(users).where(users.c.no == no).values(enabled=enabled))
    if not enabled:
        end_sessions(connection, no)


def set_role(connection: Connection, user_no: int, project_no: int, role: Role | None) -> None:
    """Makes the user a member with this role; None ends the membership and what came with it."""
    mine = (memberships.c.user_no == user_no, memberships.c.project_no == project_no)
    connection.execute(delete(memberships).where(*mine))
    if role is not None:
        values = {"user_no": user_no, "project_no": project_no, "role": role.name}
        connection.execute(insert(memberships).values(**values))
        return
    theirs = select(workspaces.c.no).where(workspaces.c.project_no == project_no)
    granted = (workspace_grants.c.user_no == user_no, workspace_grants.c.workspace_no.in_(theirs))
    connection.execute(delete(workspace_grants).where(*granted))


def roles(connection: Connection, user_no: int) -> dict[str, Role]:
    """The role of the user in each enabled project, by project id. A name that no longer is a role's gives
    no right."""
    query = (
        select(projects.c.id, memberships.c.role, roles_table.c.actions)
        .join(projects, projects.c.no == memberships.c.project_no)
        .outerjoin(roles_table, roles_table.c.name == memberships.c.role)
        .where(memberships.c.user_no == user_no, projects.c.enabled.is_(True))
        .order_by(projects.c.name)
    )
    found = {row.id: role_of(row.role, row.actions) for row in connection.execute(query)}
    return {project: role for project, role in found.items() if role is not None}


def add_key(connection: Connection, key_id: str, user_no: int, secret: bytes, now: int) -> None:
    values = {"id": key_id, "user_no": user_no, "secret": secret, "enabled": True, "create_at": now}
    connection.execute(insert(access_keys).values(**values))


def list_keys(connection: Connection) -> Sequence[Key]:
    return [_key(row) for row in connection.execute(_keys().order_by(users.c.name, access_keys.c.id))]


def key(connection: Connection, key_id: str) -> Key | None:
    row = connection.execute(_keys().where(access_keys.c.id == key_id)).one_or_none()
    return None if row is None else _key(row)


def _keys() -> Any:
    name = users.c.name.label("user_name")
    return select(access_keys, name).join(users, users.c.no == access_keys.c.user_no)


def _key(row: Any) -> Key:
    return Key(row.id, row.user_no, row.user_name, row.secret, row.enabled)


def enable_key(connection: Connection, key_id: str, enabled: bool) -> None:
    connection.execute(update(access_keys).where(access_keys.c.id == key_id).values(enabled=enabled))


def reseal_keys(connection: Connection, reseal: Callable[[bytes], bytes]) -> int:
    """Changes the sealed secret of every key; answers how many there are."""
    found = list_keys(connection)
    for key in found:
        mine = access_keys.c.id == key.id
        connection.execute(update(access_keys).where(mine).values(secret=reseal(key.secret)))
    return len(found)


def delete_key(connection: Connection, key_id: str) -> None:
    connection.execute(delete(access_keys).where(access_keys.c.id == key_id))


def add_token(
    connection: Connection, digest: bytes, user_no: int, project_no: int | None, expires_at: int
) -> None:
    values = {"digest": digest, "user_no": user_no, "project_no": project_no, "expires_at": expires_at}
    connection.execute(insert(tokens).values(**values))


def delete_token(connection: Connection, digest: bytes) -> None:
    connection.execute(delete(tokens).where(tokens.c.digest == digest))


def end_sessions(connection: Connection, user_no: int) -> None:
    """Every token of the user ends, and every login link, which would only be the next one."""
    locked_user(connection, user_no)  # Whoever is on the way in is in by now, or finds that it is too late.
    for table in (tokens, login_links):
        connection.execute(delete(table).where(table.c.user_no == user_no))


def delete_expired(connection: Connection, now: int) -> None:
    connection.execute(delete(tokens).where(tokens.c.expires_at <= now))
    connection.execute(delete(login_links).where(login_links.c.expires_at <= now))


@dataclass(frozen=True, slots=True)
class Token:
    """What a token proves. `project_id` is None for a token without a project."""

    principal: Principal
    project_id: str | None
    expires_at: int


def token(connection: Connection, digest: bytes) -> Token | None:
    row = connection.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    if row is None:
        return None
    principal = principal_of(connection, row.user_no)
    if principal is None:
        return None
    query = select(projects.c.id).where(projects.c.no == row.project_no)
    return Token(principal, connection.execute(query).scalar(), row.expires_at)


def principal_of(connection: Connection, user_no: int) -> Principal | None:
    """The user as a principal; None when it is gone or disabled."""
    found = _one_user(connection, users.c.no == user_no)
    if found is None or not found.enabled:
        return None
    mine = roles(connection, user_no)
    granted = places.granted(connection, user_no, mine)
    return Principal(found.id, found.name, found.account_id, found.account_name, mine, granted)


def add_login_link(
    connection: Connection, digest: bytes, user_no: int, project_no: int, expires_at: int
) -> None:
    values = {"digest": digest, "user_no": user_no, "project_no": project_no, "expires_at": expires_at}
    connection.execute(insert(login_links).values(**values))


def take_login_link(connection: Connection, digest: bytes, now: int) -> tuple[int, int] | None:
    """Uses the link up: user and project number, or None when it is unknown, used or too old."""
    mine = login_links.c.digest == digest
    user_no = connection.execute(select(login_links.c.user_no).where(mine)).scalar()
    if user_no is None or locked_user(connection, user_no) is None:  # In the order of `end_sessions`.
        return None
    row = connection.execute(select(login_links).where(mine).with_for_update()).one_or_none()
    if row is None:
        return None
    connection.execute(delete(login_links).where(mine))
    return (row.user_no, row.project_no) if row.expires_at > now else None


def set_password(connection: Connection, no: int, password_hash: str) -> None:
    """Ends every session of the user: whoever knew the old password may hold one."""
    connection.execute(update(users).where(users.c.no == no).values(password_hash=password_hash))
    end_sessions(connection, no)


def has_notebooks(
    connection: Connection, *, user_no: int | None = None, project_no: int | None = None
) -> bool:
    """Deleted ones count too: their rows are kept for audit."""
    owned = notebooks.c.owner_no == user_no if user_no is not None else notebooks.c.project_no == project_no
    return connection.execute(select(notebooks.c.rid).where(owned).limit(1)).first() is not None


def delete_user(connection: Connection, no: int) -> None:
    for table in (
        memberships,
        access_keys,
        tokens,
        login_links,
        idempotency_keys,
        keypairs,
        workspace_grants,
    ):
        connection.execute(delete(table).where(table.c.user_no == no))
    connection.execute(delete(quotas).where(quotas.c.holder == "user", quotas.c.holder_no == no))
    connection.execute(update(workspaces).where(workspaces.c.owner_no == no).values(owner_no=None))
    connection.execute(delete(users).where(users.c.no == no))


def delete_project(connection: Connection, no: int) -> None:
    theirs = select(workspaces.c.no).where(workspaces.c.project_no == no)
    connection.execute(delete(workspace_grants).where(workspace_grants.c.workspace_no.in_(theirs)))
    connection.execute(update(roles_table).where(roles_table.c.project_no == no).values(project_no=None))
    for table in (memberships, tokens, login_links, idempotency_keys, quotas, workspaces, pools):
        connection.execute(delete(table).where(table.c.project_no == no))
    connection.execute(delete(projects).where(projects.c.no == no))

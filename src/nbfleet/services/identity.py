"""Who people are: first start, passwords and tokens, and what an administrator does about them.

Secrets leave this module once, to whoever they are made for; at rest they are digests or sealed.
"""

import asyncio
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nbfleet.domain.access import Principal, Role
from nbfleet.services.context import Context
from nbfleet.store import fleet, identity, images, keyring
from nbfleet.store.database import Connection
from nbfleet.store.identity import Key, Project, User
from nbfleet.store.keyring import Keyring
from nbfleet.wire import errors, errors_credentials

LOGIN_LINK_LIFETIME = 600_000
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class NewKey:
    """An access key as it is shown once."""

    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class FirstIdentity:
    """What the first start made."""

    project_id: str
    user_id: str
    user_name: str
    password: str
    access_key: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `project` is None where it is valid for no project."""

    token: str
    user: User
    project: Project | None
    role: Role | None
    issued_at: int
    expires_at: int


class Refused(Exception):
    """What an administrator asked for cannot be done; the text says why."""


def new_id() -> str:
    """32 lower-case letters and digits, the form of ids of users and projects."""
    return uuid.uuid4().hex


def new_identity(context: Context) -> FirstIdentity:
    """Ids and secrets for a first start; nothing is stored yet."""
    return FirstIdentity(
        project_id=new_id(),
        user_id=new_id(),
        user_name=context.settings.administrator,
        password=new_password(),
        access_key=_access_key_id(),
        secret_key=secrets.token_urlsafe(30),
    )


def is_first_start(connection: Connection) -> bool:
    return not identity.list_accounts(connection)


def store_first_identity(connection: Connection, context: Context, first: FirstIdentity) -> None:
    now, account_id = context.clock(), new_id()
    identity.add_account(connection, account_id, context.settings.account)
    project_no = identity.add_project(connection, first.project_id, context.settings.project, account_id, now)
    hashed = keyring.hash_password(first.password)
    user_no = identity.add_user(connection, first.user_id, first.user_name, account_id, hashed, now)
    identity.set_role(connection, user_no, project_no, Role.ADMINISTRATOR)
    identity.add_key(connection, first.access_key, user_no, context.keyring.seal(first.secret_key), now)


async def issue_token(
    context: Context,
    password: str,
    *,
    user_id: str | None,
    user_name: str | None,
    account: str | None,
    project_id: str | None,
    project_name: str | None,
    scope_account: str | None = None,
) -> IssuedToken:
    """A token for whoever knows the password. All reasons to refuse look the same from outside. Accounts by
    id or name; that of the scope is the one that the project, or the token without one, must be in."""
    user = await context.database.read(_user, user_id, user_name, account)
    hashed = _NOBODY if user is None else user.password_hash
    if not await _matches(password, hashed):
        raise errors_credentials.wrong_password()
    if user is None or not user.enabled:
        raise errors_credentials.wrong_password()
    if scope_account not in (None, user.account_id, user.account_name):
        raise errors_credentials.wrong_password()
    project, role = await context.database.read(_project_of, user, project_id, project_name)
    now = context.clock()
    expires_at = now + context.settings.token_lifetime * _MILLISECONDS
    token, project_no = _new_token(), None if project is None else project.no
    if not await context.database.write(_store_token, user, token, project_no, expires_at):
        raise errors_credentials.wrong_password()
    return IssuedToken(token, user, project, role, now, expires_at)


# Checking a password takes long on purpose. It has threads of its own, so that a flood of wrong ones holds
# up nothing else, and no more may wait for them than are answered in a moment.
_CHECKING = ThreadPoolExecutor(2, thread_name_prefix="nbfleet-password")
_WAITING = asyncio.Semaphore(32)
_BUSY_FOR = 2


async def _matches(password: str, hashed: str) -> bool:
    if _WAITING.locked():
        raise errors.overloaded(_BUSY_FOR)
    async with _WAITING:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_CHECKING, keyring.password_matches, password, hashed)


async def hashed(password: str) -> str:
    """The password as it is stored. Takes as long as checking one, and waits in the same line."""
    if _WAITING.locked():
        raise errors.overloaded(_BUSY_FOR)
    async with _WAITING:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_CHECKING, keyring.hash_password, password)


async def is_password_of(context: Context, user_id: str, password: str) -> bool:
    user = await context.database.read(the_user, user_id)
    return await _matches(password, user.password_hash)


async def change_own_password(context: Context, user_id: str, old: str, new: str) -> bool:
    """Ends every session and token of the user as well; False where `old` is not the password."""
    user = await context.database.read(the_user, user_id)
    if not await _matches(old, user.password_hash):
        return False
    made = await hashed(new)

    def write(connection: Connection) -> bool:
        if not _is_as_checked(connection, user):
            return False
        identity.set_password(connection, user.no, made)
        return True

    is_changed = await context.database.write(write)
    context.access.end()
    return is_changed


def _is_as_checked(connection: Connection, user: User) -> bool:
    """Whether the password that was checked is that of the user still, who is not disabled. Checking takes
    long, and nothing is locked meanwhile; from here on the user is."""
    found = identity.locked_user(connection, user.no)
    return found is not None and found.enabled and found.password_hash == user.password_hash


# Something to check a password against when there is no such user, so that it takes as long.
_NOBODY = keyring.hash_password(secrets.token_urlsafe())


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _store_token(
    connection: Connection, user: User, token: str, project_no: int | None, expires_at: int
) -> bool:
    if not _is_as_checked(connection, user):
        return False
    identity.add_token(connection, keyring.digest(token), user.no, project_no, expires_at)
    return True


def _user(
    connection: Connection, user_id: str | None, user_name: str | None, account: str | None
) -> User | None:
    found = identity.user(connection, id=user_id, name=user_name)
    if found is not None and account not in (None, found.account_id, found.account_name):
        return None
    return found


def _project_of(
    connection: Connection, user: User, project_id: str | None, project_name: str | None
) -> tuple[Project | None, Role | None]:
    if project_id is None and project_name is None:
        return None, None
    project = identity.project(connection, id=project_id, name=project_name)
    role = None if project is None else identity.roles(connection, user.no).get(project.id)
    if role is None:
        raise errors_credentials.wrong_password()
    return project, role


async def token(context: Context, text: str) -> identity.Token | None:
    """What the token proves; None for an unknown one. That it is in time is for the caller to check."""
    return await context.database.read(identity.token, keyring.digest(text))


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """The secret of a key, to check a signature with, and whom it stands for."""

    secret: str
    principal: Principal


async def access_key(context: Context, key_id: str) -> ProvenKey | None:
    def read(connection: Connection) -> ProvenKey | None:
        key = identity.key(connection, key_id)
        if key is None or not key.enabled:
            return None
        principal = identity.principal_of(connection, key.user_no)
        return None if principal is None else ProvenKey(context.keyring.open(key.secret), principal)

    return await context.database.read(read)


async def projects_of(context: Context, principal: Principal, name: str | None) -> list[Project]:
    found = await context.database.read(identity.list_projects)
    mine = [project for project in found if project.id in principal.roles]
    return [project for project in mine if name is None or project.name == name]


async def accounts(context: Context) -> list[tuple[str, str]]:
    return await context.database.read(identity.list_accounts)


def new_password() -> str:
    """One that nobody can guess."""
    return secrets.token_urlsafe(18)


def new_login_link(connection: Connection, context: Context, user_name: str) -> str:
    """The secret of a link that lets this user in once, in their first project."""
    user, project_no = _with_project(connection, user_name)
    ticket = secrets.token_urlsafe(24)
    expires_at = context.clock() + LOGIN_LINK_LIFETIME
    identity.add_login_link(connection, keyring.digest(ticket), user.no, project_no, expires_at)
    return ticket


def _with_project(connection: Connection, user_name: str) -> tuple[User, int]:
    user = identity.user(connection, name=user_name)
    if user is None:
        raise Refused(f"There is no user {user_name}.")
    if not user.enabled:
        raise Refused(f"The user {user_name} is disabled.")
    for project_id in identity.roles(connection, user.no):
        project = identity.project(connection, id=project_id)
        if project is not None:
            return user, project.no
    raise Refused(f"The user {user_name} is a member of no project.")


async def log_in(context: Context, ticket: str) -> str | None:
    """A session in exchange for a login link, which is used up by this; None when it is worth nothing."""
    now, token = context.clock(), _new_token()
    expires_at = now + context.settings.token_lifetime * _MILLISECONDS

    def write(connection: Connection) -> bool:
        taken = identity.take_login_link(connection, keyring.digest(ticket), now)
        if taken is None:
            return False
        identity.add_token(connection, keyring.digest(token), taken[0], None, expires_at)
        return True

    return token if await context.database.write(write) else None


async def end_session(context: Context, session: str) -> None:
    await context.database.write(identity.delete_token, keyring.digest(session))
    context.access.end()


async def end_sessions(context: Context, user_id: str) -> None:
    """Every token of the user ends with them: nobody can tell from outside which of them a browser holds. So
    does every login link that nobody used yet."""

    def write(connection: Connection) -> None:
        identity.end_sessions(connection, the_user(connection, user_id).no)

    await context.database.write(write)
    context.access.end()


def _access_key_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


def add_project(connection: Connection, context: Context, name: str) -> Project:
    account_id, _ = identity.list_accounts(connection)[0]
    try:
        identity.add_project(connection, new_id(), name, account_id, context.clock())
    except identity.Taken as fault:
        raise Refused(f"There is a project {name} already.") from fault
    return the_project(connection, name)


def add_user(
    connection: Connection, context: Context, name: str, project: Project, role: Role, password: str
) -> User:
    return add_hashed_user(connection, context, name, project, role, keyring.hash_password(password))


def add_hashed_user(
    connection: Connection, context: Context, name: str, project: Project, role: Role, hashed: str
) -> User:
    """The same for who must not spend the time of a change on the password."""
    account_id, _ = identity.list_accounts(connection)[0]
    try:
        user_no = identity.add_user(connection, new_id(), name, account_id, hashed, context.clock())
    except identity.Taken as fault:
        raise Refused(f"There is a user {name} already.") from fault
    identity.set_role(connection, user_no, project.no, role)
    return the_user(connection, name)


def add_key(connection: Connection, context: Context, user: User) -> NewKey:
    if not fleet.is_the_key(connection, context.keyring.fingerprint):
        raise Refused("The key file was replaced meanwhile; try again.")
    key = NewKey(_access_key_id(), secrets.token_urlsafe(30))
    sealed = context.keyring.seal(key.secret_key)
    identity.add_key(connection, key.access_key, user.no, sealed, context.clock())
    return key


def exchange_key(connection: Connection, old: Keyring, new: Keyring) -> int:
    """Seals every secret with the new key instead of the old one; answers how many there were. Running
    notebooks have secrets derived from the old one, and nobody could reach them afterwards."""
    if living := fleet.living(connection):
        raise Refused(f"{living} notebooks run or are on their way; stop them first.")
    fleet.change_key(connection, new.fingerprint)
    return identity.reseal_keys(connection, lambda sealed: new.seal(old.open(sealed)))


def the_project(connection: Connection, name_or_id: str) -> Project:
    found = identity.project(connection, name=name_or_id) or identity.project(connection, id=name_or_id)
    if found is None:
        raise Refused(f"There is no project {name_or_id}.")
    return found


def the_user(connection: Connection, name_or_id: str) -> User:
    found = identity.user(connection, name=name_or_id) or identity.user(connection, id=name_or_id)
    if found is None:
        raise Refused(f"There is no user {name_or_id}.")
    return found


def the_key(connection: Connection, key_id: str) -> Key:
    found = identity.key(connection, key_id)
    if found is None:
        raise Refused(f"There is no key {key_id}.")
    return found


def set_password(connection: Connection, name_or_id: str, password: str) -> None:
    user = the_user(connection, name_or_id)
    identity.set_password(connection, user.no, keyring.hash_password(password))


def delete_user(connection: Connection, name_or_id: str) -> None:
    user = the_user(connection, name_or_id)
    if identity.has_notebooks(connection, user_no=user.no):
        raise Refused(f"The user {user.name} has had notebooks, which stay on record; disable it instead.")
    if images.has_images(connection, user_no=user.no):
        raise Refused(f"The user {user.name} has had images, which stay on record; disable it instead.")
    identity.delete_user(connection, user.no)


def delete_project(connection: Connection, name_or_id: str) -> None:
    project = the_project(connection, name_or_id)
    if identity.has_notebooks(connection, project_no=project.no):
        raise Refused(
            f"The project {project.name} has had notebooks, which stay on record; disable it instead."
        )
    if images.has_images(connection, project_no=project.no):
        raise Refused(f"The project {project.name} has had images, which stay on record; disable it instead.")
    identity.delete_project(connection, project.no)

"""What an administrator of a project does about its people: users, access keys, roles.

Whom and what such an administrator reaches is decided by `domain.access`; it is asked in the transaction of
the change, with memberships as they are by then. Administration of the whole installation, at its store, is
the command line's. Each change is logged with who made it, and no secret ever is.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from nbfleet.domain import access
from nbfleet.domain.access import BUILT_IN, Caller, Reach, Role
from nbfleet.services import identity, roles
from nbfleet.services.context import Context
from nbfleet.services.identity import NewKey, Refused
from nbfleet.store import identity as people
from nbfleet.store import members
from nbfleet.store import roles as stored_roles
from nbfleet.store.database import Connection
from nbfleet.store.identity import Project
from nbfleet.store.members import KeyOf, Member
from nbfleet.wire import errors

T = TypeVar("T")
log = structlog.get_logger()

PAGE = 100  # Users.
KEYS = 1000  # Shown at most.
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Person:
    """A member as an administrator sees it. `keys` are there where the reach goes that far."""

    member: Member
    reach: Reach
    is_self: bool
    keys: Sequence[KeyOf] = ()


@dataclass(frozen=True, slots=True)
class RoleInUse:
    """`memberships` are those of the administrator's projects; `is_own`: made there, and nobody else's depend
    on it."""

    role: Role
    memberships: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Made:
    """A user as it is shown once."""

    id: str
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Office:
    """An administrator at work: who, where, and which projects it administers besides."""

    user: people.User
    project: Project
    role: Role
    administered: frozenset[str]

    def person(self, connection: Connection, user_id: str) -> Person:
        """A member of the project; anybody else is not there."""
        found = members.find(connection, self.project.no, user_id)
        if found is None:
            raise errors.not_found("user", user_id)
        return self.seen(found, members.places(connection, [found.no])[found.no])

    def seen(self, member: Member, places: Collection[str]) -> Person:
        reach = access.reach(self.administered, self.project.id, places)
        return Person(member, reach, member.no == self.user.no)

    def whole_person(self, connection: Connection, user_id: str) -> Person:
        found = self.person(connection, user_id)
        if found.reach < Reach.PERSON:
            raise errors.beyond_reach(found.member.name)
        return found

    def somebody_else(self, connection: Connection, user_id: str, reach: Reach) -> Person:
        found = self.person(connection, user_id)
        if found.is_self:
            raise Refused("Nobody can take their own rights here; ask another administrator.")
        if found.reach < reach:
            raise errors.beyond_reach(found.member.name)
        return found


def office_of(connection: Connection, caller: Caller) -> Office:
    """The caller as an administrator of its project, or a refusal. Read anew: what was remembered of the
    caller may be some seconds old."""
    user = people.user(connection, id=caller.user_id)
    mine = {} if user is None or not user.enabled else people.roles(connection, user.no)
    project = people.project(connection, id=caller.project_id)
    administered = access.administered(mine)
    if user is None or project is None or project.id not in administered:
        raise errors.forbidden(access.EVERY_ACTION)
    return Office(user, project, mine[project.id], administered)


async def _read(context: Context, caller: Caller, look: Callable[[Connection, Office], T]) -> T:
    return await context.database.read(lambda connection: look(connection, office_of(connection, caller)))


async def write(
    context: Context, caller: Caller, did: str, to: str, change: Callable[[Connection, Office], T]
) -> T:
    """The change, which counts at once. `did` and `to` say in the log what it was and whom it was about."""
    made = await context.database.write(lambda connection: change(connection, office_of(connection, caller)))
    context.access.end()
    log.info("administration", did=did, to=to, by=caller.user_name, project_id=caller.project_id)
    return made


# Users.


async def users(
    context: Context, caller: Caller, part: str = "", behind: str = ""
) -> tuple[Sequence[Person], bool]:
    """Members whose name has this part in it, by name, and whether more of them follow."""

    def look(connection: Connection, office: Office) -> tuple[Sequence[Person], bool]:
        found = members.of_project(connection, office.project.no, part, behind, PAGE + 1)
        places = members.places(connection, [one.no for one in found])
        return [office.seen(one, places[one.no]) for one in found[:PAGE]], len(found) > PAGE

    return await _read(context, caller, look)


async def user(context: Context, caller: Caller, user_id: str) -> Person:
    def look(connection: Connection, office: Office) -> Person:
        found = office.person(connection, user_id)
        keys = members.keys_of(connection, found.member.no) if found.reach is Reach.PERSON else ()
        return Person(found.member, found.reach, found.is_self, keys)

    return await _read(context, caller, look)


async def add_user(context: Context, caller: Caller, name: str, role: str) -> Made:
    """A new user who is a member of the caller's project, with a password that is made here."""
    _check_name(name)
    await _read(context, caller, lambda connection, office: _grantable(connection, office, role))
    password = identity.new_password()
    hashed = await identity.hashed(password)

    def change(connection: Connection, office: Office) -> Made:
        stored_roles.hold(connection, role)
        given = _grantable(connection, office, role)
        made = identity.add_hashed_user(connection, context, name, office.project, given, hashed)
        return Made(made.id, made.name, password)

    return await write(context, caller, "add user", name, change)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise Refused(
            f"The name is {errors.shown(name)}; allowed: 1 to {LONGEST_NAME} characters that can be printed,"
            " without spaces around them."
        )


async def set_role(context: Context, caller: Caller, user_id: str, role: str) -> None:
    """The role of somebody else in the project; `none` ends the membership."""

    def change(connection: Connection, office: Office) -> None:
        found = office.somebody_else(connection, user_id, Reach.MEMBERSHIP)
        stored_roles.hold(connection, role)
        given = None if role == roles.NOBODY else _grantable(connection, office, role)
        people.set_role(connection, found.member.no, office.project.no, given)

    await write(context, caller, f"set role {role}", user_id, change)


def _grantable(connection: Connection, office: Office, name: str) -> Role:
    found = next((one.role for one in _roles_seen(connection, office) if one.role.name == name), None)
    if found is None or not access.may_grant(office.role, found):
        raise Refused(f"There is no role {errors.shown(name)} that you can give.")
    return found


async def enable_user(context: Context, caller: Caller, user_id: str, *, enabled: bool) -> None:
    def change(connection: Connection, office: Office) -> None:
        found = office.somebody_else(connection, user_id, Reach.PERSON)
        people.enable_user(connection, found.member.no, enabled)

    await write(context, caller, "enable user" if enabled else "disable user", user_id, change)


async def reset_password(context: Context, caller: Caller, user_id: str) -> Made:
    """A new password, shown once; every session and token of the user ends. One's own is changed by whoever
    knows it, so that a session that somebody left open is no way to it."""

    def reached(connection: Connection, office: Office) -> Person:
        found = office.whole_person(connection, user_id)
        if found.is_self:
            raise Refused("Your own password changes where you give the present one: in your account.")
        return found

    password = identity.new_password()
    await _read(context, caller, reached)
    hashed = await identity.hashed(password)

    def change(connection: Connection, office: Office) -> Made:
        found = reached(connection, office).member
        people.set_password(connection, found.no, hashed)
        return Made(found.id, found.name, password)

    return await write(context, caller, "reset password", user_id, change)


async def login_link(context: Context, caller: Caller, user_id: str, password: str = "") -> str:
    """The secret of a link that lets the user in once. `password`: the caller's, for a link of their own."""
    await _prove(context, caller, user_id, password)

    def change(connection: Connection, office: Office) -> str:
        found = office.whole_person(connection, user_id)
        return identity.new_login_link(connection, context, found.member.name)

    return await write(context, caller, "make login link", user_id, change)


async def _prove(context: Context, caller: Caller, user_id: str, password: str) -> None:
    """What lets the caller in for longer than the session does is for who knows the password: whoever finds
    a session open must not stay."""
    if user_id == caller.user_id and not await identity.is_password_of(context, user_id, password):
        raise Refused("This is not your password.")


async def delete_user(context: Context, caller: Caller, user_id: str) -> None:
    def change(connection: Connection, office: Office) -> None:
        found = office.somebody_else(connection, user_id, Reach.PERSON)
        identity.delete_user(connection, found.member.id)

    await write(context, caller, "delete user", user_id, change)


# Access keys.


async def keys(context: Context, caller: Caller) -> Sequence[KeyOf]:
    """Of the members that are reached wholly; a key opens every project of its user."""

    def look(connection: Connection, office: Office) -> Sequence[KeyOf]:
        found = members.keys_in(connection, office.project.no, KEYS)
        places = members.places(connection, {number for number, _ in found})
        reached = {
            number
            for number, ids in places.items()
            if access.reach(office.administered, office.project.id, ids) is Reach.PERSON
        }
        return [key for number, key in found if number in reached]

    return await _read(context, caller, look)


async def add_key(context: Context, caller: Caller, user_id: str, password: str = "") -> NewKey:
    """`password`: the caller's, for a key of their own."""
    await _prove(context, caller, user_id, password)

    def change(connection: Connection, office: Office) -> NewKey:
        found = office.whole_person(connection, user_id)
        return identity.add_key(connection, context, identity.the_user(connection, found.member.id))

    return await write(context, caller, "add key", user_id, change)


async def enable_key(context: Context, caller: Caller, key_id: str, *, enabled: bool) -> None:
    def change(connection: Connection, office: Office) -> None:
        people.enable_key(connection, _key(connection, office, key_id), enabled)

    await write(context, caller, "enable key" if enabled else "disable key", key_id, change)


async def delete_key(context: Context, caller: Caller, key_id: str) -> None:
    def change(connection: Connection, office: Office) -> None:
        people.delete_key(connection, _key(connection, office, key_id))

    await write(context, caller, "delete key", key_id, change)


def _key(connection: Connection, office: Office, key_id: str) -> str:
    """The id of a key that is reached; any other one is not there."""
    key = people.key(connection, key_id)
    places = frozenset[str]() if key is None else members.places(connection, [key.user_no])[key.user_no]
    if access.reach(office.administered, office.project.id, places) is not Reach.PERSON:
        raise errors.not_found("key", key_id)
    return key_id


# Roles.


async def all_roles(context: Context, caller: Caller) -> Sequence[RoleInUse]:
    """Those that are any concern of the caller, the built-in ones first."""
    return await _read(context, caller, _roles_seen)


def _roles_seen(connection: Connection, office: Office) -> Sequence[RoleInUse]:
    used: Mapping[str, Mapping[str, int]] = members.of_roles(connection)
    makers = stored_roles.makers(connection)
    found: list[RoleInUse] = []
    for role in stored_roles.every(connection):
        places, made_in = used.get(role.name, {}), makers.get(role.name)
        mine = sum(count for place, count in places.items() if place in office.administered)
        is_built_in = role.name in BUILT_IN
        if is_built_in or access.sees_role(office.administered, made_in, places):
            is_own = not is_built_in and access.owns_role(office.administered, made_in, places)
            found.append(RoleInUse(role, mine, is_own))
    return found


async def add_role(context: Context, caller: Caller, name: str, actions: Collection[str]) -> Role:
    def change(connection: Connection, office: Office) -> Role:
        _check_members(connection, office, name)
        made = roles.add(connection, name, actions, office.project.no)
        if not access.may_grant(office.role, made):
            raise Refused("The role would have actions that your own does not have.")
        return made

    return await write(context, caller, "add role", name, change)


async def remove_role(context: Context, caller: Caller, name: str) -> None:
    def change(connection: Connection, office: Office) -> None:
        stored_roles.lock(connection, name)
        _check_members(connection, office, name)
        made_in = stored_roles.makers(connection).get(name)
        if name not in BUILT_IN and made_in not in office.administered:
            raise Refused(f"The role {errors.shown(name)} was not made in a project that you administer.")
        roles.remove(connection, name)

    await write(context, caller, "delete role", name, change)


def _check_members(connection: Connection, office: Office, name: str) -> None:
    """A membership of another project may hold the name: what it means there is not for the caller to say."""
    places = members.of_roles(connection).get(name, {})
    if name not in BUILT_IN and not set(places) <= office.administered:
        raise Refused(f"There is a role {errors.shown(name)} in projects that you do not administer.")

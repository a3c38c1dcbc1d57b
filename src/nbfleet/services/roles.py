"""Roles as administrators make them: which actions there are, and when a role may change or go.

Who may do what is decided elsewhere; a role is only a set of actions under a name.
"""

import difflib
import re
from collections.abc import Collection

from nbfleet.domain import access
from nbfleet.domain.access import BUILT_IN, Role
from nbfleet.services.identity import Refused
from nbfleet.store import roles
from nbfleet.store.database import Connection
from nbfleet.wire.operation import Action
from nbfleet.wire.operations import OPERATIONS

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
NOBODY = "none"  # In place of a role where a membership ends.


def operations_of_actions() -> dict[str, list[str]]:
    """Every action that a role can be made of, with the operations that ask for it."""
    found: dict[str, list[str]] = {access.ACT_ON_ALL: [], access.ACT_ON_ALL_IMAGES: []}
    for operation in OPERATIONS:
        if isinstance(operation.permission, Action):
            found.setdefault(operation.permission.name, []).append(operation.id)
    return dict(sorted(found.items()))


ACTIONS = frozenset(operations_of_actions())


def the_role(connection: Connection, name: str) -> Role:
    found = roles.find(connection, name)
    if found is None:
        names = ", ".join(role.name for role in roles.every(connection))
        raise Refused(f"There is no role {name}; there are {names}.")
    return found


def role_to_give(connection: Connection, name: str) -> Role:
    """The role, which is not deleted and made anew before the commit."""
    roles.hold(connection, name)
    return the_role(connection, name)


def add(connection: Connection, name: str, actions: Collection[str], project_no: int | None = None) -> Role:
    """A new role; every action must be known. `project_no`: whose administrators make it, None for the
    command line."""
    if _NAME.fullmatch(name) is None or name == NOBODY:
        raise Refused(f"{name} cannot be the name of a role: use lower-case letters, digits and hyphens.")
    if roles.find(connection, name) is not None:
        raise Refused(f"There is a role {name} already.")
    return _put(connection, name, frozenset(actions), project_no)


def change(connection: Connection, name: str, add: Collection[str], remove: Collection[str]) -> Role:
    """What its members may do from now on: with some actions more, and some less."""
    before = _own(connection, name)
    absent = sorted(set(remove) - before.actions)
    if absent:
        raise Refused(f"The role {name} has no action {absent[0]}.")
    return _put(connection, name, (before.actions | set(add)) - set(remove))


def remove(connection: Connection, name: str) -> None:
    """Deletes a role that nobody has."""
    roles.lock(connection, name)
    _own(connection, name)
    if number := roles.members(connection, name):
        raise Refused(f"{number} memberships are of the role {name}; give them another one first.")
    roles.remove(connection, name)


def _own(connection: Connection, name: str) -> Role:
    if name in BUILT_IN:
        raise Refused(f"The role {name} is built in; add one of your own.")
    return the_role(connection, name)


def _put(connection: Connection, name: str, actions: frozenset[str], project_no: int | None = None) -> Role:
    if not actions:
        raise Refused(f"The role {name} would have no action; give one at least.")
    for action in sorted(actions - ACTIONS - {access.EVERY_ACTION}):
        near = difflib.get_close_matches(action, ACTIONS, 1, 0)
        raise Refused(f"There is no action {action}; did you mean {near[0]}?")
    role = Role(name, actions)
    roles.put(connection, role, project_no)
    return role

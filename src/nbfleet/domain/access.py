"""Who may do what: roles made of actions, and the one function that narrows a list to its reader.

Deny by default. Credentials are checked elsewhere; what arrives here is a caller already known.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import ClassVar

from nbfleet.domain.images import Holding, ImageQuery
from nbfleet.domain.listing import Query

LIST_ALL = "modelarts:notebook:listAllNotebooks"
ACT_ON_ALL = "nbfleet:notebook:actOnAll"  # Ours: the contract has no name for it.
ACT_ON_ALL_IMAGES = "nbfleet:image:actOnAll"  # Ours as well.
EVERY_ACTION = "*"

MEMBER_ACTIONS = frozenset(
    f"modelarts:{name}"
    for name in (
        "notebook:create",
        "notebook:list",
        "notebook:get",
        "notebook:update",
        "notebook:delete",
        "notebook:start",
        "notebook:stop",
        "notebook:updateStopPolicy",
        "notebook:mountStorage",
        "notebook:listMountedStorages",
        "notebook:getMountedStorage",
        "notebook:umountStorage",
        "image:create",
        "image:register",
        "image:list",
        "image:get",
        "image:delete",
        "image:listGroup",
        "workspace:list",
        "workspace:get",
        "workspace:getQuotas",
    )
)


@dataclass(frozen=True, slots=True)
class Role:
    """What a member may do in a project, under a name. Two are built in; administrators make others."""

    name: str
    actions: frozenset[str]

    ADMINISTRATOR: ClassVar["Role"]
    MEMBER: ClassVar["Role"]

    @property
    def may_everything(self) -> bool:
        return EVERY_ACTION in self.actions


Role.ADMINISTRATOR = Role("administrator", frozenset({EVERY_ACTION}))
Role.MEMBER = Role("member", MEMBER_ACTIONS)
BUILT_IN = {role.name: role for role in (Role.ADMINISTRATOR, Role.MEMBER)}


class Openness(StrEnum):
    """Whom a workspace is open to."""

    PUBLIC = "PUBLIC"  # Everybody in its project.
    PRIVATE = "PRIVATE"  # Who made it.
    INTERNAL = "INTERNAL"  # Who made it, and those who are named.


@dataclass(frozen=True, slots=True)
class Principal:
    """A user as a credential proved it, with its role in each project it may enter. `granted` are the
    workspaces that are open to it, by project; a project where all of them are is not in there."""

    user_id: str
    user_name: str
    account_id: str
    account_name: str
    roles: Mapping[str, Role]
    granted: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


@dataclass(frozen=True, slots=True)
class Caller:
    """A user in one project, as proved by a token or a signature."""

    user_id: str
    user_name: str
    project_id: str
    role: Role
    account_id: str
    account_name: str
    granted: frozenset[str] | None = None  # The workspaces it may enter; None: every one of the project.


class Scope(StrEnum):
    """Which list is asked for: one's own notebooks or those of everybody."""

    OWN = "own"
    ALL = "all"


def enter(principal: Principal, project_id: str) -> Caller | None:
    """The principal as a caller in this project; None where it is no member."""
    role = principal.roles.get(project_id)
    if role is None:
        return None
    return Caller(
        principal.user_id,
        principal.user_name,
        project_id,
        role,
        principal.account_id,
        principal.account_name,
        principal.granted.get(project_id),
    )


def enters(role: Role, openness: Openness, *, is_owner: bool, is_granted: bool) -> bool:
    """Whether a member of the project may use the workspace. Who may do everything may use each one."""
    if role.may_everything or openness is Openness.PUBLIC or is_owner:
        return True
    return openness is Openness.INTERNAL and is_granted


def may(caller: Caller, action: str) -> bool:
    return action in caller.role.actions or caller.role.may_everything


def sees(caller: Caller, owner_id: str, workspace_id: str) -> bool:
    """Whether the caller may know of a notebook of this owner in this workspace at all."""
    if caller.granted is not None and workspace_id not in caller.granted:
        return False
    return caller.user_id == owner_id or may(caller, LIST_ALL)


def acts_on(caller: Caller, owner_id: str) -> bool:
    """Whether the caller's actions reach a notebook of this owner."""
    return caller.user_id == owner_id or may(caller, ACT_ON_ALL)


def narrow(query: Query, caller: Caller, scope: Scope) -> Query:
    """The query as this caller may ask it. No other place decides what a list may hold.

    `owner` has effect for those who may see everybody; for others it can not even narrow the list. Nobody
    sees a notebook in a workspace that is not granted, not even its owner.
    """
    everybody = may(caller, LIST_ALL)
    if (scope is Scope.ALL and everybody) or (everybody and query.owner_id is not None):
        owner = query.owner_id
    else:
        owner = caller.user_id
    return replace(query, project_id=caller.project_id, owner_id=owner, granted=caller.granted)


def sees_image(caller: Caller, image: Holding) -> bool:
    """Whether the caller may know of an image, and use it. What is public is so for all who know its id."""
    if image.project_id is None or image.public:
        return True
    return _reaches(caller, image)


def acts_on_image(caller: Caller, image: Holding) -> bool:
    """Whether the caller's actions change an image; nobody's reach one of the service."""
    return image.project_id is not None and _reaches(caller, image)


def _reaches(caller: Caller, image: Holding) -> bool:
    if image.project_id != caller.project_id:
        return False
    if caller.granted is not None and image.workspace_id not in caller.granted:
        return False
    return image.owner_id == caller.user_id or may(caller, ACT_ON_ALL_IMAGES)


def narrow_images(query: ImageQuery, caller: Caller) -> ImageQuery:
    """The query as this caller may ask it: images of the service, one's own, and for those who may act on
    all every one of the project. Public ones of others are known by their id only."""
    owner = None if may(caller, ACT_ON_ALL_IMAGES) else caller.user_id
    return replace(query, project_id=caller.project_id, owner_id=owner, granted=caller.granted)


# Administration. One administers a project or several; people and roles are of the whole installation.


class Reach(IntEnum):
    """How far an administrator of a project reaches a user; each step holds the one before."""

    NOTHING = 0  # There is no such user, as far as this project goes.
    MEMBERSHIP = 1  # The role in the project, and whether there is one.
    PERSON = 2  # Everything by which the user is let in: password, links, keys, being disabled or deleted.


def administered(roles: Mapping[str, Role]) -> frozenset[str]:
    """The projects in which the role may do everything."""
    return frozenset(project for project, role in roles.items() if role.may_everything)


def reach(administered: Collection[str], project_id: str, memberships: Collection[str]) -> Reach:
    """How far an administrator of the projects `administered` reaches, in one of them, a user who is a member
    of `memberships`, of disabled projects too. Who holds the password of a user is in every project of that
    user, so it is for those alone who administer all of them."""
    if project_id not in administered or project_id not in memberships:
        return Reach.NOTHING
    return Reach.PERSON if set(memberships) <= set(administered) else Reach.MEMBERSHIP


def may_grant(granter: Role, role: Role) -> bool:
    """Nobody gives away more than they have."""
    return granter.may_everything or role.actions <= granter.actions


def sees_role(administered: Collection[str], made_in: str | None, members_in: Collection[str]) -> bool:
    """Whether a role is any concern of an administrator: one that members of their projects have, or that was
    made there, or by the command line (None) and that nobody has yet. What another project made and may
    make anew is not to be given here."""
    if not members_in:
        return made_in is None or made_in in administered
    return not set(administered).isdisjoint(members_in)


def owns_role(administered: Collection[str], made_in: str | None, members_in: Collection[str]) -> bool:
    """Whether an administrator may unmake what members of these projects may do."""
    return made_in in administered and set(members_in) <= set(administered)

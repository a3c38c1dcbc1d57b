"""Workspaces: making, showing, changing and deleting them, and what their users may do there.

That a workspace exists is no secret within its project: lists name each one unless only those are asked for
that the caller may use. What is in it is for those whom it is open to. Each change holds the lock of the
project, so nobody makes a notebook or an image in a workspace that is being closed or deleted.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UnsetType

from nbfleet.domain import access
from nbfleet.domain.access import Caller, Openness
from nbfleet.services import roles
from nbfleet.services.context import Context
from nbfleet.services.requests import given
from nbfleet.store import images, workspaces
from nbfleet.store.catalogue import DEFAULT_WORKSPACE
from nbfleet.store.database import Connection
from nbfleet.store.workspaces import Grantee, Workspace
from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.enums import GrantUserType
from nbfleet.wire.permissions import AuthRequests
from nbfleet.wire.workspaces import CreateWorkspaceReq, UpdateWorkspaceReq, WorkspaceGrant

ENTERPRISE_PROJECT = "0"  # The only one there is.
MOST_CHECKS = 100  # Of one request.


@dataclass(frozen=True, slots=True)
class Shown:
    """`grants` are those named, where it is open to those who are."""

    workspace: Workspace
    grants: Sequence[Grantee]


@dataclass(frozen=True, slots=True)
class WorkspaceQuery:
    """`name` matches parts without regard to case."""

    name: str | None = None
    enterprise_project_id: str | None = None
    only_usable: bool = False
    sort_by: str = "name"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    asked: AuthRequests
    denied_by: str | None  # What is in the way; None where nothing is.


async def listed(context: Context, caller: Caller, query: WorkspaceQuery) -> list[Workspace]:
    """All that match, in order; equal ones in the order in which they were made, in the same direction."""
    found = await context.database.read(_all, context, caller)
    if query.enterprise_project_id not in (None, ENTERPRISE_PROJECT):
        return []
    part = (query.name or "").casefold()
    matching = [one for one in found if part in one.name.casefold()]
    if query.only_usable:
        matching = [one for one in matching if _may_enter(caller, one)]
    return sorted(matching, key=lambda one: _rank(query.sort_by, one), reverse=query.descending)


def _rank(sort_by: str, one: Workspace) -> tuple[str, int, int]:
    """All have the same status, so that says nothing."""
    name = one.name if sort_by == "name" else ""
    return name, one.update_at if sort_by == "update_time" else 0, one.no


def _all(connection: Connection, context: Context, caller: Caller) -> list[Workspace]:
    project_no, user_no = _place(connection, context, caller)
    return workspaces.of_project(connection, project_no, user_no)


async def show(context: Context, caller: Caller, workspace_id: str) -> Shown:
    def read(connection: Connection) -> Shown:
        return _shown(connection, usable(connection, context, caller, workspace_id))

    return await context.database.read(read)


async def create(context: Context, caller: Caller, body: CreateWorkspaceReq) -> Shown:
    enterprise_project = given(body.enterprise_project_id, "") or ENTERPRISE_PROJECT
    if enterprise_project != ENTERPRISE_PROJECT:
        raise errors.wrong_value("enterprise_project_id", enterprise_project, ENTERPRISE_PROJECT)
    auth_type: str = given(body.auth_type, Openness.PUBLIC.value)
    values = {
        "id": uuid.uuid4().hex,
        "name": body.name,
        "description": given(body.description, ""),
        "auth_type": str(auth_type),
    }

    def write(connection: Connection) -> Shown:
        project_no, user_no = _place(connection, context, caller)
        workspaces.lock_project(connection, project_no)
        if workspaces.count(connection, project_no) >= context.settings.workspaces:
            raise errors.too_many_workspaces(context.settings.workspaces)
        number = workspaces.add(connection, project_no, user_no, values, context.clock())
        grantees = _grantees(connection, project_no, body.grants, auth_type)
        workspaces.set_grants(connection, number, [one.no for one in grantees])
        return _shown(connection, usable(connection, context, caller, values["id"]))

    shown = await context.database.write(write)
    context.access.end()
    return shown


async def update(context: Context, caller: Caller, workspace_id: str, body: UpdateWorkspaceReq) -> None:
    """What is not given stays. Grants replace those there are, and go where it is not INTERNAL any more."""

    def write(connection: Connection) -> None:
        project_no, _ = _place(connection, context, caller)
        workspaces.lock_project(connection, project_no)
        found = usable(connection, context, caller, workspace_id)
        if found.id == DEFAULT_WORKSPACE and not isinstance(body.name, UnsetType):
            raise errors.workspace_cannot(found.id, "be renamed", "it is the default one")
        auth_type: str = given(body.auth_type, found.auth_type)
        values = {
            "name": given(body.name, found.name),
            "description": given(body.description, found.description),
            "auth_type": str(auth_type),
        }
        grantees = _grantees(connection, project_no, body.grants, auth_type)
        if not isinstance(body.grants, UnsetType) or _openness(auth_type) is not Openness.INTERNAL:
            workspaces.set_grants(connection, found.no, [one.no for one in grantees])
        workspaces.change(connection, found.no, values, context.clock())

    await context.database.write(write)
    context.access.end()


async def delete(context: Context, caller: Caller, workspace_id: str) -> None:
    """Only an empty one: nobody's notebooks end, and nobody's images are lost, because of something else."""

    def write(connection: Connection) -> None:
        project_no, _ = _place(connection, context, caller)
        workspaces.lock_project(connection, project_no)
        found = usable(connection, context, caller, workspace_id)
        if found.id == DEFAULT_WORKSPACE:
            raise errors.workspace_cannot(found.id, "be deleted", "it is the default one")
        for what, count in (
            ("instances", workspaces.notebooks_in(connection, project_no, found.no)),
            ("images", images.count_in_workspace(connection, project_no, found.id)),
        ):
            if count:
                reason = f"the number of {what} that are still in it is {count}"
                raise errors.workspace_cannot(found.id, "be deleted", reason)
        workspaces.remove(connection, project_no, found.no, context.clock())

    await context.database.write(write)
    context.access.end()


async def users(context: Context, caller: Caller) -> list[Grantee]:
    """The members of the project who are not disabled. Those who are may be named in grants as well, for
    when they are enabled again."""

    def read(connection: Connection) -> list[Grantee]:
        project_no, _ = _place(connection, context, caller)
        return workspaces.members(connection, project_no, only_enabled=True)

    return await context.database.read(read)


async def check(
    context: Context, caller: Caller, workspace_id: str, requests: Sequence[AuthRequests]
) -> list[Verdict]:
    """Whether the caller may do each of these things in the workspace. Our rules know no attributes of single
    objects, so these change no verdict."""
    if len(requests) > MOST_CHECKS:
        raise errors.wrong_value("requests", len(requests), f"at most {MOST_CHECKS} checks")
    for place, asked in enumerate(requests):
        if isinstance(asked.action, UnsetType):
            raise errors.missing(f"requests[{place}].action")

    def read(connection: Connection) -> Workspace:
        return _found(connection, context, caller, workspace_id)

    found = await context.database.read(read)
    return [Verdict(one, _obstacle(caller, found, str(one.action))) for one in requests]


def _obstacle(caller: Caller, workspace: Workspace, action: str) -> str | None:
    if not _may_enter(caller, workspace):
        return f"workspace {workspace.openness.value}"
    return None if action in roles.ACTIONS and access.may(caller, action) else f"role {caller.role.name}"


def usable(connection: Connection, context: Context, caller: Caller, workspace_id: str) -> Workspace:
    """The workspace if it is there and open to the caller now, whatever was known of it before."""
    found = _found(connection, context, caller, workspace_id)
    if not _may_enter(caller, found):
        raise errors.workspace_closed(workspace_id)
    return found


def hold(connection: Connection, context: Context, caller: Caller, workspace_id: str) -> None:
    """Refuses to work in a workspace that is not there or not open; it stays so until the commit."""
    workspaces.hold_project(connection, _place(connection, context, caller)[0])
    usable(connection, context, caller, workspace_id)


def _found(connection: Connection, context: Context, caller: Caller, workspace_id: str) -> Workspace:
    project_no, user_no = _place(connection, context, caller)
    found = workspaces.find(connection, project_no, workspace_id, user_no)
    if found is None:
        raise errors.workspace_not_found(workspace_id)
    return found


def _may_enter(caller: Caller, workspace: Workspace) -> bool:
    return access.enters(
        caller.role,
        workspace.openness,
        is_owner=workspace.is_owner,
        is_granted=workspace.is_granted,
    )


def _shown(connection: Connection, workspace: Workspace) -> Shown:
    if workspace.openness is not Openness.INTERNAL:
        return Shown(workspace, ())
    return Shown(workspace, workspaces.grants(connection, workspace.no))


def _place(connection: Connection, context: Context, caller: Caller) -> tuple[int, int]:
    """The numbers of the project and of the caller."""
    project_no = context.directory.project(connection, caller.project_id)
    user_no = context.directory.user(connection, caller.user_id)
    if project_no is None or user_no is None:
        raise errors_credentials.token_invalid()  # Deleted since it was proved.
    return project_no, user_no


def _openness(auth_type: str) -> Openness:
    return Openness(auth_type.upper())


def _grantees(
    connection: Connection, project_no: int, grants: list[WorkspaceGrant] | UnsetType, auth_type: str
) -> list[Grantee]:
    """Those who are named, each once. The id wins over the name."""
    wanted = given(grants, [])
    if wanted and _openness(auth_type) is not Openness.INTERNAL:
        raise errors.wrong_value("grants", f"{len(wanted)} users", f"none with auth_type {auth_type}")
    members = workspaces.members(connection, project_no) if wanted else []
    by: dict[str, dict[str, Grantee]] = {
        "user_id": {one.id: one for one in members},
        "user_name": {one.name: one for one in members},
    }
    found = (_grantee(by, f"grants[{place}]", grant) for place, grant in enumerate(wanted))
    return list({one.no: one for one in found}.values())


def _grantee(by: dict[str, dict[str, Grantee]], place: str, grant: WorkspaceGrant) -> Grantee:
    user_type: Any = given(grant.user_type, GrantUserType.IAM)
    if str(user_type) != GrantUserType.IAM.value:
        raise errors.wrong_value(f"{place}.user_type", user_type, GrantUserType.IAM.value)
    for name in ("user_id", "user_name"):
        wanted: str = given(getattr(grant, name), "")
        if wanted:
            if wanted not in by[name]:
                raise errors.wrong_value(f"{place}.{name}", wanted, "a user of the project")
            return by[name][wanted]
    raise errors.missing(f"{place}.user_id")

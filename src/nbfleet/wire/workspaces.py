"""Workspaces, their grants and their quotas.

Workspace lists have an envelope of their own instead of the usual page. Types only.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import GrantUserType, WorkspaceAuthType, WorkspaceStatus
from nbfleet.wire.fields import Int32, Millis, WorkspaceName, about, int32


class WorkspaceGrant(Struct, frozen=True, kw_only=True):
    """User allowed into an INTERNAL workspace. One of user_id and user_name is required; user_id wins."""

    user_id: Annotated[str, about("User id.")] | UnsetType = UNSET
    user_name: Annotated[str, about("User name.")] | UnsetType = UNSET
    user_type: Annotated[GrantUserType, about("Kind of grantee.", default="IAM")] | UnsetType = UNSET


class CreateWorkspaceReq(Struct, frozen=True, kw_only=True):
    """New workspace."""

    grants: (
        Annotated[
            list[WorkspaceGrant], Meta(max_length=500), about("Users; only with INTERNAL. At most 500.")
        ]
        | UnsetType
    ) = UNSET
    auth_type: Annotated[WorkspaceAuthType, about("Who may use it.", default="PUBLIC")] | UnsetType = UNSET
    enterprise_project_id: (
        Annotated[str, about("Enterprise project; 0 is the default one.", default="0")] | UnsetType
    ) = UNSET
    name: Annotated[WorkspaceName, about("Name; default is reserved.")]
    description: Annotated[str, Meta(max_length=256), about("Free text.")] | UnsetType = UNSET


class UpdateWorkspaceReq(Struct, frozen=True, kw_only=True):
    """Changes to a workspace. The default workspace cannot be renamed."""

    grants: (
        Annotated[list[WorkspaceGrant], Meta(max_length=500), about("Users; only with INTERNAL.")] | UnsetType
    ) = UNSET
    auth_type: Annotated[WorkspaceAuthType, about("Who may use it.")] | UnsetType = UNSET
    name: Annotated[WorkspaceName, about("Name; default is reserved.")] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=256), about("Free text.")] | UnsetType = UNSET


class WorkspaceResponse(Struct, frozen=True, kw_only=True):
    """Workspace as an entry of a list."""

    id: Annotated[str, about("Workspace id: 32 characters without hyphens, 0 for the default workspace.")]
    name: Annotated[str, about("Name.")]
    description: Annotated[str, Meta(max_length=256), about("Free text.")] | UnsetType = UNSET
    owner: Annotated[str, Meta(max_length=64), about("Name of the creator.")] | UnsetType = UNSET
    create_time: Annotated[Millis, about("Creation time.")] | UnsetType = UNSET
    update_time: Annotated[Millis, about("Time of the last change.")] | UnsetType = UNSET
    auth_type: Annotated[WorkspaceAuthType, about("Who may use it.")] | UnsetType = UNSET
    enterprise_project_id: Annotated[str, about("Enterprise project id.")] | UnsetType = UNSET
    enterprise_project_name: Annotated[str, about("Enterprise project name.")] | UnsetType = UNSET
    status: Annotated[WorkspaceStatus, about("State.")] | UnsetType = UNSET
    status_info: (
        Annotated[str, about("Detail of the state, for example why a deletion failed; empty by default.")]
        | UnsetType
    ) = UNSET


class ShowWorkspaceResponse(WorkspaceResponse, frozen=True, kw_only=True):
    """Workspace."""

    grants: Annotated[list[WorkspaceGrant], about("Users; only with INTERNAL.")] | UnsetType = UNSET


class CreateWorkspaceResponse(WorkspaceResponse, frozen=True, kw_only=True):
    """Workspace just created."""

    grants: Annotated[list[WorkspaceGrant], about("Users; only with INTERNAL.")] | UnsetType = UNSET


class ListWorkspaceResponse(Struct, frozen=True, kw_only=True):
    """Workspaces; this list does not use the envelope of the others."""

    total_count: Annotated[Int32, about("Matching workspaces.")]
    count: Annotated[Int32, about("Workspaces in this answer.")]
    workspaces: Annotated[list[WorkspaceResponse], about("Workspaces.")]


class WorkspaceIdResponse(Struct, frozen=True, kw_only=True):
    """Id of the changed or deleted workspace."""

    workspace_id: Annotated[str, about("Workspace id.")]


class WorkspaceQuotasUpdateResponse(Struct, frozen=True, kw_only=True):
    """One quota after a change."""

    max_quota: Annotated[Int32, about("Highest value that can be set.")] | UnsetType = UNSET
    update_time: (
        Annotated[
            Millis, about("Time of the last change; the creation time of the workspace if never changed.")
        ]
        | UnsetType
    ) = UNSET
    resource: Annotated[str, about("Resource key, for example exemlProject.gpu_duration.")]
    quota: Annotated[int, int32(ge=-1), about("Value in force; -1 means unlimited.")]
    min_quota: Annotated[Int32, about("Lowest value that can be set.")] | UnsetType = UNSET
    name_cn: Annotated[str, about("Chinese name.")] | UnsetType = UNSET
    unit_cn: Annotated[str, about("Chinese unit.")] | UnsetType = UNSET
    name_en: Annotated[str, about("English name.")] | UnsetType = UNSET
    unit_en: Annotated[str, about("English unit.")] | UnsetType = UNSET


class WorkspaceQuotasResponse(WorkspaceQuotasUpdateResponse, frozen=True, kw_only=True):
    """One quota."""

    used_quota: Annotated[Int32 | None, about("Used part; null when the quota is -1.")] | UnsetType = UNSET


class ShowWorkspaceQuotasResponse(Struct, frozen=True, kw_only=True):
    """Quotas of a workspace."""

    quotas: Annotated[list[WorkspaceQuotasResponse], about("Quotas.")]


class UpdateWorkspaceQuotasReqQuotas(Struct, frozen=True, kw_only=True):
    """One quota to set."""

    resource: Annotated[str, about("Resource key.")]
    quota: Annotated[
        int, int32(ge=-1), about("New value: positive, or -1 for unlimited, within min_quota and max_quota.")
    ]


class UpdateWorkspaceQuotasReq(Struct, frozen=True, kw_only=True):
    """Quotas to set."""

    quotas: Annotated[list[UpdateWorkspaceQuotasReqQuotas], Meta(min_length=1), about("Quotas.")]


class UpdateWorkspaceQuotasResponse(Struct, frozen=True, kw_only=True):
    """Quotas after the change."""

    quotas: Annotated[list[WorkspaceQuotasUpdateResponse], about("Quotas.")]

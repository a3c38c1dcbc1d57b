"""The calls about workspaces: themselves, their quotas, and what their users may do."""

import math
from typing import Any

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.domain import quotas as rules
from nbfleet.domain.quotas import Quota, Resource
from nbfleet.services import quotas, workspaces
from nbfleet.services.quotas import Standing
from nbfleet.services.requests import given
from nbfleet.services.workspaces import Shown, Verdict, WorkspaceQuery
from nbfleet.store.workspaces import Workspace
from nbfleet.wire.enums import AuthVerdict, WorkspaceAuthType, WorkspaceStatus
from nbfleet.wire.identity import ListUsersResponse, UserInfo
from nbfleet.wire.permissions import Cause, ValidateAuthorizationResponse, ValidateAuthResults
from nbfleet.wire.workspaces import (
    CreateWorkspaceResponse,
    ListWorkspaceResponse,
    ShowWorkspaceQuotasResponse,
    ShowWorkspaceResponse,
    UpdateWorkspaceQuotasResponse,
    WorkspaceGrant,
    WorkspaceIdResponse,
    WorkspaceQuotasResponse,
    WorkspaceQuotasUpdateResponse,
    WorkspaceResponse,
)

_LIMIT = 1000
# Name and unit in English and in Chinese.
_WORDS = {
    Resource.INSTANCES: ("Notebook instances", "", "Notebook实例", "个"),
    Resource.VCPUS: ("vCPUs of running notebooks", "vCPU", "运行中Notebook的vCPU", "核"),
    Resource.MEMORY: ("Memory of running notebooks", "MiB", "运行中Notebook的内存", "MiB"),
    Resource.STORAGE: ("Work volumes of notebooks", "GB", "Notebook工作卷", "GB"),
}


async def list_workspace(tools: Tools, call: Call) -> Answer:
    given_ = call.query
    query = WorkspaceQuery(
        name=given_.get("name"),
        enterprise_project_id=given_.get("enterprise_project_id"),
        only_usable=given_.get("filter_accessible", False),
        sort_by=str(given_.get("sort_by", "name")),
        descending=given_.get("order", "desc") == "desc",
    )
    found = await workspaces.listed(tools.context, call.caller, query)
    offset = given_.get("offset", 0)
    entries = [
        WorkspaceResponse(**_members(one)) for one in found[offset : offset + given_.get("limit", _LIMIT)]
    ]
    return Answer(ListWorkspaceResponse(total_count=len(found), count=len(entries), workspaces=entries))


async def create_workspace(tools: Tools, call: Call) -> Answer:
    shown = await workspaces.create(tools.context, call.caller, call.body)
    return Answer(CreateWorkspaceResponse(**_members(shown.workspace), grants=_grants(shown)))


async def show_workspace(tools: Tools, call: Call) -> Answer:
    shown = await workspaces.show(tools.context, call.caller, call.path["workspace_id"])
    return Answer(ShowWorkspaceResponse(**_members(shown.workspace), grants=_grants(shown)))


async def update_workspace(tools: Tools, call: Call) -> Answer:
    workspace_id = call.path["workspace_id"]
    await workspaces.update(tools.context, call.caller, workspace_id, call.body)
    return Answer(WorkspaceIdResponse(workspace_id=workspace_id))


async def delete_workspace(tools: Tools, call: Call) -> Answer:
    workspace_id = call.path["workspace_id"]
    await workspaces.delete(tools.context, call.caller, workspace_id)
    return Answer(WorkspaceIdResponse(workspace_id=workspace_id))


async def list_users(tools: Tools, call: Call) -> Answer:
    found = await workspaces.users(tools.context, call.caller)
    return Answer(ListUsersResponse(users=[UserInfo(user_name=one.name) for one in found]))


async def show_workspace_quotas(tools: Tools, call: Call) -> Answer:
    found = await quotas.of_workspace(tools.context, call.caller, call.path["workspace_id"])
    views = [WorkspaceQuotasResponse(**_quota(one.quota), used_quota=_used(one)) for one in found]
    return Answer(ShowWorkspaceQuotasResponse(quotas=views))


async def update_workspace_quotas(tools: Tools, call: Call) -> Answer:
    workspace_id, wanted = call.path["workspace_id"], call.body.quotas
    made = await quotas.set_of_workspace(tools.context, call.caller, workspace_id, wanted)
    views = [WorkspaceQuotasUpdateResponse(**_quota(one)) for one in made]
    return Answer(UpdateWorkspaceQuotasResponse(quotas=views))


async def validate_authorization(tools: Tools, call: Call) -> Answer:
    asked = given(call.body.requests, [])
    found = await workspaces.check(tools.context, call.caller, call.path["workspace_id"], asked)
    return Answer(ValidateAuthorizationResponse(results=[_result(one) for one in found]))


def _members(one: Workspace) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "description": one.description,
        "owner": one.owner_name,
        "create_time": one.create_at,
        "update_time": one.update_at,
        "auth_type": WorkspaceAuthType(one.auth_type),
        "enterprise_project_id": workspaces.ENTERPRISE_PROJECT,
        "enterprise_project_name": "default",
        "status": WorkspaceStatus.NORMAL,
        "status_info": "",
    }


def _grants(shown: Shown) -> list[WorkspaceGrant]:
    return [WorkspaceGrant(user_id=one.id, user_name=one.name) for one in shown.grants]


def _quota(one: Quota) -> dict[str, Any]:
    name_en, unit_en, name_cn, unit_cn = _WORDS[one.resource]
    return {
        "resource": one.resource.value,
        "quota": one.value,
        "min_quota": rules.UNLIMITED,
        "max_quota": rules.MOST,
        "update_time": one.update_at,
        "name_en": name_en,
        "unit_en": unit_en,
        "name_cn": name_cn,
        "unit_cn": unit_cn,
    }


def _used(one: Standing) -> int | None:
    """Begun pieces count as whole ones."""
    return None if one.used is None else min(math.ceil(one.used), rules.MOST)


def _result(verdict: Verdict) -> ValidateAuthResults:
    asked, policy = verdict.asked, verdict.denied_by
    return ValidateAuthResults(
        action=asked.action,
        verdict=AuthVerdict.ALLOW if policy is None else AuthVerdict.DENY,
        action_id=asked.action_id,
        resource=asked.resource,
        cause=[] if policy is None else [Cause(policy_name=policy, condition=[])],
    )


HANDLERS: dict[str, Handler] = {
    "ListWorkspace": list_workspace,
    "CreateWorkspace": create_workspace,
    "ListUsers": list_users,
    "ShowWorkspace": show_workspace,
    "UpdateWorkspace": update_workspace,
    "DeleteWorkspace": delete_workspace,
    "ShowWorkspaceQuotas": show_workspace_quotas,
    "UpdateWorkspaceQuotas": update_workspace_quotas,
    "ValidateAuthorization": validate_authorization,
}

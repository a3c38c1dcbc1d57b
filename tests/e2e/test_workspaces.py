"""A team gets a workspace of its own, with the official SDK: made, opened, used up, closed and deleted."""

import subprocess
import sys
from typing import Any

import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkmodelarts.v1 import (
    AuthRequests,
    CreateWorkspaceReq,
    CreateWorkspaceReqGrants,
    CreateWorkspaceRequest,
    DeleteNotebookRequest,
    DeleteWorkspaceRequest,
    ListAllNotebooksRequest,
    ListNotebooksRequest,
    ListUsersRequest,
    ListWorkspaceRequest,
    ModelArtsClient,
    ShowWorkspaceQuotasRequest,
    ShowWorkspaceRequest,
    UpdateWorkspaceQuotasReq,
    UpdateWorkspaceQuotasReqQuotas,
    UpdateWorkspaceQuotasRequest,
    UpdateWorkspaceReq,
    UpdateWorkspaceRequest,
    ValidateAuthorizationRequest,
    ValidateAuthorizationRequestBody,
)

from support import sdk
from support.service import Service


def run(service: Service, *words: str) -> str:
    words = (*words, "--data-dir", str(service.data_dir))
    done = subprocess.run(
        [sys.executable, "-m", "nbfleet", *words], capture_output=True, text=True, check=True
    )
    return done.stdout


def member(service: Service, name: str) -> ModelArtsClient:
    run(service, "user", "add", name)
    words = run(service, "key", "add", name).split()
    access = next(word for word in words if len(word) == 20 and word.isalnum() and word.isupper())
    secret = next(word for word in words if len(word) == 40)
    return sdk.connect(service, access, secret)


def refused(act: Any) -> tuple[int, str]:
    with pytest.raises(ClientRequestException) as fault:
        act()
    return fault.value.status_code, fault.value.error_code


def mine(client: ModelArtsClient, workspace_id: str) -> list[str]:
    return [one.id for one in client.list_notebooks(ListNotebooksRequest(workspace_id=workspace_id)).data]


def test_a_team_and_its_workspace(service: Service) -> None:
    admin, alice, bob = sdk.connect(service), member(service, "alice"), member(service, "bob")
    assert [one.user_name for one in admin.list_users(ListUsersRequest()).users] == ["admin", "alice", "bob"]

    grants = [CreateWorkspaceReqGrants(user_name="alice")]
    body = CreateWorkspaceReq(name="vision", auth_type="internal", grants=grants, description="cameras")
    made = admin.create_workspace(CreateWorkspaceRequest(body=body))
    assert (made.name, made.auth_type, made.owner, made.status) == ("vision", "internal", "admin", "NORMAL")
    request = ShowWorkspaceRequest(workspace_id=made.id)
    assert [one.user_name for one in alice.show_workspace(request).grants] == ["alice"]
    assert refused(lambda: bob.show_workspace(request)) == (403, "ModelArts.0112")
    usable = [
        [one.id for one in client.list_workspace(ListWorkspaceRequest(filter_accessible=True)).workspaces]
        for client in (admin, alice, bob)
    ]
    assert usable == [[made.id, "0"], [made.id, "0"], ["0"]]

    quota = UpdateWorkspaceQuotasReqQuotas(resource="notebook.count", quota=1)
    changed = admin.update_workspace_quotas(
        UpdateWorkspaceQuotasRequest(workspace_id=made.id, body=UpdateWorkspaceQuotasReq(quotas=[quota]))
    )
    assert [(one.resource, one.quota) for one in changed.quotas] == [("notebook.count", 1)]

    assert refused(lambda: sdk.create(bob, workspace_id=made.id)) == (403, "ModelArts.0112")
    own = sdk.create(alice, name="first", workspace_id=made.id)
    assert own.workspace_id == made.id
    assert refused(lambda: sdk.create(alice, workspace_id=made.id)) == (400, "ModelArts.0113")
    sdk.wait_until(alice, own.id, "RUNNING")
    found = alice.show_workspace_quotas(ShowWorkspaceQuotasRequest(workspace_id=made.id)).quotas
    assert [(one.resource, one.quota, one.used_quota) for one in found] == [
        ("notebook.count", 1, 1), ("notebook.vcpu", -1, None), ("notebook.memory", -1, None),
        ("notebook.storage", -1, None),
    ]  # fmt: skip
    assert (mine(alice, made.id), mine(bob, made.id), mine(alice, "0")) == ([own.id], [], [])

    checks = [AuthRequests(action_id="1", action="modelarts:notebook:create", resource="*")]
    verdicts = admin.validate_authorization(
        ValidateAuthorizationRequest(
            workspace_id=made.id, body=ValidateAuthorizationRequestBody(requests=checks)
        )
    )
    assert [(one.action_id, one.verdict) for one in verdicts.results] == [("1", "allow")]

    private = UpdateWorkspaceReq(auth_type="private")
    update = UpdateWorkspaceRequest(workspace_id=made.id, body=private)
    assert admin.update_workspace(update).workspace_id == made.id
    assert refused(lambda: sdk.show(alice, own.id)) == (404, "ModelArts.6404")
    assert mine(alice, made.id) == []
    everything = admin.list_all_notebooks(ListAllNotebooksRequest(workspace_id=made.id))
    assert [one.id for one in everything.data] == [own.id]

    gone = DeleteWorkspaceRequest(workspace_id=made.id)
    assert refused(lambda: admin.delete_workspace(gone)) == (400, "ModelArts.7004")
    admin.delete_notebook(DeleteNotebookRequest(id=own.id))
    sdk.wait_until_gone(admin, own.id)
    assert admin.delete_workspace(gone).workspace_id == made.id
    assert refused(lambda: admin.show_workspace(request)) == (400, "ModelArts.7005")
    assert [one.id for one in admin.list_workspace(ListWorkspaceRequest()).workspaces] == ["0"]

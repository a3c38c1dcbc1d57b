"""What each available operation does with a call. An operation without a row here is "not available".

Handlers translate: between decoded values and service functions, between records and answers. They
decide nothing.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from nbfleet.api import lists
from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import paged, unpaged
from nbfleet.services import catalogue, identity, notebooks
from nbfleet.services.catalogue import FlavorQuery, ImageQuery
from nbfleet.services.requests import given, requested_period
from nbfleet.store.documents import lease_view
from nbfleet.wire import errors
from nbfleet.wire.extensions import NotebookLog
from nbfleet.wire.flavors import ListFlavorsResponse
from nbfleet.wire.identity import (
    AuthDomain,
    Domain,
    DomainList,
    Project,
    ProjectList,
    Token,
    TokenDetail,
    TokenProject,
    TokenRequest,
    TokenRole,
    TokenUser,
)
from nbfleet.wire.images import ListImageResponse

_FLAVOR_KEYS = ("id", "name", "category", "vcpus", "memory")
_IMAGE_KEYS = ("name", "tag", "namespace", "create_at", "update_at", "size")
_IMAGE_SPELLINGS = {"createTime": "create_at", "updateTime": "update_at"}
_IMAGE_LIMIT = 200
_LOG_LINES = 200
_MILLISECONDS = 1000


async def create_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.create(tools.context, call.request, call.body, call.idempotency_key)
    return Answer(tools.presenter.single(call.caller, shown))


async def show_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.show(tools.context, call.caller, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown, tools.context.clock()))


async def update_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.update(tools.context, call.request, call.path["id"], call.body)
    return Answer(tools.presenter.single(call.caller, shown))


async def start_notebook(tools: Tools, call: Call) -> Answer:
    query = call.query
    period = requested_period(tools.context.lease_range, query.get("duration"), query.get("type"), None)
    shown = await notebooks.start(tools.context, call.request, call.path["id"], period)
    return Answer(tools.presenter.single(call.caller, shown))


async def stop_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.stop(tools.context, call.request, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown))


async def delete_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.delete(tools.context, call.request, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown))


async def show_lease(tools: Tools, call: Call) -> Answer:
    notebook = await notebooks.show_lease(tools.context, call.caller, call.path["id"])
    return Answer(lease_view(notebook.lease))


async def renew_lease(tools: Tools, call: Call) -> Answer:
    duration = call.query.get("duration")
    notebook = await notebooks.renew_lease(tools.context, call.request, call.path["id"], duration, call.body)
    return Answer(lease_view(notebook.lease))


async def show_notebook_log(tools: Tools, call: Call) -> Answer:
    notebook = await notebooks.readable(tools.context, call.caller, call.path["id"])
    lines = call.query.get("lines", _LOG_LINES)
    return Answer(NotebookLog(log=await tools.log_tail(notebook.id, notebook.generation, lines)))


def _names(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name]


async def list_flavors(tools: Tools, call: Call) -> Answer:
    query = call.query
    wanted = FlavorQuery(
        category=query.get("category"),
        feature=query.get("feature", "NOTEBOOK"),
        cluster_type=query.get("type"),
        flavor_type=query.get("flavor_type"),
    )
    found = catalogue.flavors(tools.context, wanted)
    keys = _names(query.get("sort_key"))
    found = catalogue.ordered(found, keys, _FLAVOR_KEYS, query.get("sort_dir", "DESC") == "DESC")
    offset = query.get("offset", 0)
    if "limit" in query:
        fields = paged(found, query["limit"], offset)
    else:
        fields = unpaged(found, offset)
    return Answer(ListFlavorsResponse(**fields, flavors=fields["data"]))


async def list_images(tools: Tools, call: Call) -> Answer:
    query = call.query
    wanted = ImageQuery(
        name=query.get("name"),
        fuzzy=query.get("name_fuzzy_match", True),
        namespace=query.get("namespace"),
        service_type=query.get("service_type"),
        type=query.get("type", "BUILD_IN"),
        workspace_id=query.get("workspace_id", "0"),
        show_name=query.get("show_name"),
        show_tag=query.get("show_tag"),
    )
    found = await catalogue.images(tools.context, wanted)
    keys = [_IMAGE_SPELLINGS.get(key, key) for key in _names(query.get("sort_key"))]
    found = catalogue.ordered(found, keys, _IMAGE_KEYS, query.get("sort_dir", "DESC") == "DESC")
    limit = query.get("limit", _IMAGE_LIMIT)
    return Answer(ListImageResponse(**paged(found, limit, query.get("offset", 0))))


async def show_image(tools: Tools, call: Call) -> Answer:
    return Answer(await catalogue.image(tools.context, call.path["id"]))


async def create_token(tools: Tools, call: Call) -> Answer:
    request: TokenRequest = call.body
    login, scope = request.auth.identity, request.auth.scope
    if "password" not in login.methods or login.password is UNSET:
        raise errors.wrong_value("auth.identity.methods", login.methods, "password")
    user = login.password.user
    if user.id is UNSET and user.name is UNSET:
        raise errors.missing("auth.identity.password.user.name")
    project = UNSET if scope is UNSET else scope.project
    account = UNSET if user.domain is UNSET else given(user.domain.id, given(user.domain.name, None))
    issued = await identity.issue_token(
        tools.context,
        user.password,
        user_id=given(user.id, None),
        user_name=given(user.name, None),
        account=given(account, None),
        project_id=None if project is UNSET else given(project.id, None),
        project_name=None if project is UNSET else given(project.name, None),
    )
    return Answer(_token_view(issued), {"X-Subject-Token": issued.token})


def _token_view(issued: identity.IssuedToken) -> Token:
    account = Domain(id=issued.user.account_id, name=issued.user.account_name)
    project, role = issued.project, issued.role
    return Token(
        token=TokenDetail(
            expires_at=_timestamp(issued.expires_at),
            issued_at=_timestamp(issued.issued_at),
            methods=["password"],
            catalog=[],
            user=TokenUser(id=issued.user.id, name=issued.user.name, domain=account),
            project=UNSET if project is None else TokenProject(
                id=project.id, name=project.name, domain=account
            ),
            roles=[] if role is None else [TokenRole(id=role.value, name=role.value)],
        )
    )  # fmt: skip


def _timestamp(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / _MILLISECONDS, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


async def list_projects(tools: Tools, call: Call) -> Answer:
    principal = call.principal
    if principal is None:
        raise errors.token_missing()
    found = await identity.projects_of(tools.context, principal, call.query.get("name"))
    projects = [
        Project(id=one.id, name=one.name, domain_id=one.account_id, enabled=one.enabled) for one in found
    ]
    return Answer(ProjectList(projects=projects))


async def list_auth_domains(tools: Tools, _call: Call) -> Answer:
    found = await identity.accounts(tools.context)
    return Answer(DomainList(domains=[AuthDomain(id=id_, name=name, enabled=True) for id_, name in found]))


HANDLERS: dict[str, Handler] = {
    **lists.HANDLERS,
    "CreateNotebook": create_notebook,
    "ShowNotebook": show_notebook,
    "UpdateNotebook": update_notebook,
    "DeleteNotebook": delete_notebook,
    "StartNotebook": start_notebook,
    "StopNotebook": stop_notebook,
    "ShowLease": show_lease,
    "RenewLease": renew_lease,
    "ShowNotebookLog": show_notebook_log,
    "ListFlavors": list_flavors,
    "ListImage": list_images,
    "ShowImage": show_image,
    "KeystoneCreateUserTokenByPassword": create_token,
    "KeystoneListProjects": list_projects,
    "KeystoneListAuthDomains": list_auth_domains,
}


def encode(body: Any) -> bytes:
    """The bytes of an answer; ready ones are taken as they are."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else msgspec.json.encode(body)

"""What each available operation does with a call. An operation without a row here is "not available".

Handlers translate: between decoded values and service functions, between records and answers. They
decide nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import paged, unpaged
from nbfleet.domain.access import Scope
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import SORT_SPELLINGS, Billing, Query, Tag, UnknownSortKey, parse_sort, parse_tags
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

_ANY = "*"
_EXACT = ("id", "image_id", "pool_id", "ip")
_FUZZY = ("name", "flavor", "description", "swr_path", "pool_name", "username")
_FLAVOR_KEYS = ("id", "name", "category", "vcpus", "memory")
_IMAGE_KEYS = ("name", "tag", "namespace", "create_at", "update_at", "size")
_IMAGE_SPELLINGS = {"createTime": "create_at", "updateTime": "update_at"}
_IMAGE_LIMIT = 200
_LIST_LIMIT = 10
_LOG_LINES = 200
_TAGS = 20
_MILLISECONDS = 1000


def fleet_query(values: Mapping[str, Any]) -> Query:
    """The list asked for. Of the two spellings of the workspace the older one wins."""
    workspace = values.get("workspaceId", values.get("workspace_id", "0"))
    feature = values.get("feature", "NOTEBOOK")
    sort, status, billing = values.get("sort_key"), values.get("status"), values.get("billing")
    return Query(
        owner_id=values.get("owner"),
        feature=None if feature == _ANY else str(feature),
        workspace_id=None if workspace == _ANY else workspace,
        statuses=() if status is None else (Status(status.value),),
        billing=None if billing is None else Billing(billing.value),
        tags=_tags(values.get("tags")),
        sort=_sort(sort) if sort else Query().sort,
        descending=values.get("sort_dir", "DESC") == "DESC",
        offset=values.get("offset", 0),
        limit=values.get("limit", _LIST_LIMIT),
        **_texts(values),
    )


def _tags(text: str | None) -> tuple[Tag, ...]:
    tags = parse_tags(text) if text else ()
    if len(tags) > _TAGS:
        raise errors.invalid_query("tags", f"{len(tags)} tags", f"at most {_TAGS}, as an instance can have")
    return tags


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in (*_EXACT, *_FUZZY)}


def _sort(text: str) -> Any:
    try:
        return parse_sort(text)
    except UnknownSortKey as fault:
        raise errors.unknown_sort_key(fault.given, SORT_SPELLINGS) from fault


async def _list(tools: Tools, call: Call, scope: Scope) -> Answer:
    key, version = (call.caller, scope, call.raw_query), tools.answers.version()
    body = tools.answers.get(key, version)
    if body is None:
        query = fleet_query(call.query)
        page = await notebooks.list_page(tools.context, call.caller, query, scope)
        body = tools.presenter.page(call.caller, page, query.limit, query.offset)
        tools.answers.keep(key, version, body)
    return Answer(body)


async def list_all_notebooks(tools: Tools, call: Call) -> Answer:
    return await _list(tools, call, Scope.ALL)


async def list_notebooks(tools: Tools, call: Call) -> Answer:
    return await _list(tools, call, Scope.OWN)


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
    "ListAllNotebooks": list_all_notebooks,
    "ListNotebooks": list_notebooks,
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

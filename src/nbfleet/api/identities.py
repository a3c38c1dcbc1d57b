"""The identity calls that clients make first: a token, the projects it reaches, the accounts."""

from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.services import identity
from nbfleet.services.requests import given
from nbfleet.wire import errors, errors_credentials
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
    TokenScope,
    TokenUser,
)

_MILLISECONDS = 1000


async def create_token(tools: Tools, call: Call) -> Answer:
    request: TokenRequest = call.body
    login, scope = request.auth.identity, request.auth.scope
    if set(login.methods) != {"password"}:
        raise errors.wrong_value("auth.identity.methods", login.methods, "password")
    if login.password is UNSET:
        raise errors.missing("auth.identity.password")
    user = login.password.user
    if user.id is UNSET and user.name is UNSET:
        raise errors.missing("auth.identity.password.user.name")
    project = UNSET if scope is UNSET else scope.project
    issued = await identity.issue_token(
        tools.context,
        user.password,
        user_id=given(user.id, None),
        user_name=given(user.name, None),
        account=_account(user.domain),
        project_id=None if project is UNSET else given(project.id, None),
        project_name=None if project is UNSET else given(project.name, None),
        scope_account=_scope_account(scope),
    )
    return Answer(_token_view(issued), {"X-Subject-Token": issued.token})


def _account(domain: Domain | UnsetType) -> str | None:
    """Its id, else its name."""
    return None if domain is UNSET else given(domain.id, given(domain.name, None))


def _scope_account(scope: TokenScope | UnsetType) -> str | None:
    if scope is UNSET:
        return None
    of_project = None if scope.project is UNSET else _account(scope.project.domain)
    return _account(scope.domain) if of_project is None else of_project


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
            roles=[] if role is None else [TokenRole(id=role.name, name=role.name)],
        )
    )  # fmt: skip


def _timestamp(milliseconds: int) -> str:
    moment = datetime.fromtimestamp(milliseconds / _MILLISECONDS, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


async def list_projects(tools: Tools, call: Call) -> Answer:
    principal = call.principal
    if principal is None:
        raise errors_credentials.token_missing()
    found = await identity.projects_of(tools.context, principal, call.query.get("name"))
    projects = [
        Project(id=one.id, name=one.name, domain_id=one.account_id, enabled=one.enabled) for one in found
    ]
    return Answer(ProjectList(projects=projects))


async def list_auth_domains(tools: Tools, _call: Call) -> Answer:
    found = await identity.accounts(tools.context)
    return Answer(DomainList(domains=[AuthDomain(id=id_, name=name, enabled=True) for id_, name in found]))


HANDLERS: dict[str, Handler] = {
    "KeystoneCreateUserTokenByPassword": create_token,
    "KeystoneListProjects": list_projects,
    "KeystoneListAuthDomains": list_auth_domains,
}

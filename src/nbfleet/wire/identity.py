"""Users, accounts, projects and tokens: the identity calls that clients make first.

The token itself is never in a body: it travels in the X-Subject-Token header.
"""

from typing import Annotated, Any

from msgspec import UNSET, Struct, UnsetType

from nbfleet.wire.fields import Timestamp, about


class Domain(Struct, frozen=True, kw_only=True):
    """Account."""

    id: Annotated[str, about("Account id.")] | UnsetType = UNSET
    name: Annotated[str, about("Account name.")] | UnsetType = UNSET


class UserResponse(Struct, frozen=True, kw_only=True):
    """Owner of an instance."""

    domain: Annotated[Domain, about("Account of the user.")] | UnsetType = UNSET
    id: Annotated[str, about("User id, 32 lower-case letters and digits.")] | UnsetType = UNSET
    name: Annotated[str, about("User name.")] | UnsetType = UNSET


class UserInfo(Struct, frozen=True, kw_only=True, rename="camel"):
    """User that can be granted access."""

    user_name: Annotated[str, about("User name (camel case on the wire).")] | UnsetType = UNSET


class ListUsersResponse(Struct, frozen=True, kw_only=True):
    """Users of the account."""

    users: Annotated[list[UserInfo], about("Users.")] | UnsetType = UNSET


class PasswordUser(Struct, frozen=True, kw_only=True):
    """User: id, or name with domain, and the password."""

    id: Annotated[str, about("User id.")] | UnsetType = UNSET
    name: Annotated[str, about("User name.")] | UnsetType = UNSET
    password: Annotated[str, about("Password.")]
    domain: Annotated[Domain, about("Account of the user.")] | UnsetType = UNSET

    def __repr__(self) -> str:
        """Keep the password out of logs and tracebacks."""
        return f"PasswordUser(id={self.id!r}, name={self.name!r}, domain={self.domain!r})"


class PasswordMethod(Struct, frozen=True, kw_only=True):
    """Password proof."""

    user: Annotated[PasswordUser, about("User: id, or name with domain.")]


class TokenIdentity(Struct, frozen=True, kw_only=True):
    """Proof of identity."""

    methods: Annotated[list[str], about("Methods; password here.")]
    password: Annotated[PasswordMethod, about("Password method.")] | UnsetType = UNSET


class ScopeProject(Struct, frozen=True, kw_only=True):
    """Project: id, or name (with domain where several accounts exist)."""

    id: Annotated[str, about("Project id.")] | UnsetType = UNSET
    name: Annotated[str, about("Project name, on the public cloud the region name.")] | UnsetType = UNSET
    domain: Annotated[Domain, about("Account of the project.")] | UnsetType = UNSET


class TokenScope(Struct, frozen=True, kw_only=True):
    """Where the token is valid; this service needs a project scope."""

    project: (
        Annotated[ScopeProject, about("Project: id, or name (with domain where several accounts exist).")]
        | UnsetType
    ) = UNSET
    domain: Annotated[Domain, about("Account scope.")] | UnsetType = UNSET


class TokenAuth(Struct, frozen=True, kw_only=True):
    """Who asks for a token, and for which project."""

    identity: Annotated[TokenIdentity, about("Who.")]
    scope: (
        Annotated[TokenScope, about("Where the token is valid; a project scope is needed.")] | UnsetType
    ) = UNSET


class TokenRequest(Struct, frozen=True, kw_only=True):
    """Keystone v3 password authentication."""

    auth: Annotated[TokenAuth, about("Authentication.")]


class TokenUser(Struct, frozen=True, kw_only=True):
    """User of the token."""

    id: Annotated[str, about("User id.")] | UnsetType = UNSET
    name: Annotated[str, about("User name.")] | UnsetType = UNSET
    domain: Annotated[Domain, about("Account.")] | UnsetType = UNSET


class TokenProject(Struct, frozen=True, kw_only=True):
    """Project scope of the token."""

    id: Annotated[str, about("Project id.")] | UnsetType = UNSET
    name: Annotated[str, about("Project name.")] | UnsetType = UNSET
    domain: Annotated[Domain, about("Account.")] | UnsetType = UNSET


class TokenRole(Struct, frozen=True, kw_only=True):
    """One role of the user."""

    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class TokenDetail(Struct, frozen=True, kw_only=True):
    """What the token stands for."""

    expires_at: Annotated[Timestamp, about("End of validity; 24 hours after issue.")]
    issued_at: Annotated[Timestamp, about("Time of issue.")] | UnsetType = UNSET
    methods: Annotated[list[str], about("Methods used.")]
    catalog: Annotated[list[dict[str, Any]], about("Service catalogue.")] | UnsetType = UNSET
    user: Annotated[TokenUser, about("User.")] | UnsetType = UNSET
    project: Annotated[TokenProject, about("Project scope.")] | UnsetType = UNSET
    roles: Annotated[list[TokenRole], about("Roles.")] | UnsetType = UNSET


class Token(Struct, frozen=True, kw_only=True):
    """Keystone v3 token description. The token itself is in the X-Subject-Token header."""

    token: Annotated[TokenDetail, about("Token.")]


class Project(Struct, frozen=True, kw_only=True):
    """One project of the caller."""

    id: Annotated[str, about("Project id.")]
    name: Annotated[str, about("Project name.")] | UnsetType = UNSET
    domain_id: Annotated[str, about("Account id.")] | UnsetType = UNSET
    enabled: Annotated[bool, about("Usable.")] | UnsetType = UNSET


class ProjectList(Struct, frozen=True, kw_only=True):
    """Projects of the caller."""

    projects: Annotated[list[Project], about("Projects; clients that ask by name expect exactly one.")]


class AuthDomain(Struct, frozen=True, kw_only=True):
    """Account of the caller."""

    id: Annotated[str, about("Account id.")]
    name: Annotated[str, about("Account name.")]
    enabled: Annotated[bool, about("Usable.")]


class DomainList(Struct, frozen=True, kw_only=True):
    """Accounts of the caller."""

    domains: Annotated[list[AuthDomain], about("Accounts.")]

"""What one row of the table of operations says.

A row tells the router and the document everything that is the same for every installation. Who holds
which action, and what an operation does, is decided elsewhere.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, TypeAlias

from nbfleet.wire.parameters import Parameter

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Action:
    """The caller must hold this action in the project."""

    name: str


class Standing(Enum):
    """What a caller must be where no action is asked for."""

    PUBLIC = "anybody, even without credentials"
    AUTHENTICATED = "anybody with valid credentials, whatever the project"
    MEMBER = "any member of the project in the path"


Permission: TypeAlias = Action | Standing
PUBLIC = Standing.PUBLIC
AUTHENTICATED = Standing.AUTHENTICATED
MEMBER = Standing.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. `body` and `answer` are record types, None where there is no body. `streams`: media
    types of an answer that comes in pieces, in place of a record."""

    id: str
    method: Method
    path: str
    tag: str
    summary: str
    permission: Permission
    parameters: tuple[Parameter, ...] = ()
    body: type[Any] | None = None
    body_required: bool = False
    answer: type[Any] | None = None
    streams: tuple[str, ...] = ()
    status: int = 200
    extension: bool = False  # Ours, and not of the contract.

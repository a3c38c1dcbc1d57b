"""Checks of permissions in a workspace.

The shapes of question and verdict; the rules themselves live elsewhere.
"""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from nbfleet.wire.enums import AuthVerdict
from nbfleet.wire.fields import about


class AuthRequests(Struct, frozen=True, kw_only=True):
    """One permission to check."""

    action_id: Annotated[str, about("Caller-chosen id that comes back in the result.")] | UnsetType = UNSET
    action: Annotated[str, about("Permission, for example modelarts:notebook:create.")] | UnsetType = UNSET
    resource: Annotated[str, about("Resource.")] | UnsetType = UNSET
    service_attributes: Annotated[dict[str, str], about("Attributes of the object.")] | UnsetType = UNSET


class ValidateAuthorizationRequestBody(Struct, frozen=True, kw_only=True):
    """Permissions to check."""

    requests: Annotated[list[AuthRequests], about("Checks.")] | UnsetType = UNSET


class Conditions(Struct, frozen=True, kw_only=True):
    """Condition of a policy."""

    key: Annotated[str, about("Attribute.")] | UnsetType = UNSET
    operator: Annotated[str, about("Operator.")] | UnsetType = UNSET
    value: Annotated[list[str], about("Values.")] | UnsetType = UNSET


class Cause(Struct, frozen=True, kw_only=True):
    """Policy that denied."""

    policy_name: Annotated[str, about("Policy name.")] | UnsetType = UNSET
    condition: Annotated[list[Conditions], about("Conditions.")] | UnsetType = UNSET


class ValidateAuthResults(Struct, frozen=True, kw_only=True):
    """Result of one check."""

    action: Annotated[str, about("Permission.")] | UnsetType = UNSET
    verdict: Annotated[AuthVerdict, about("Outcome.")] | UnsetType = UNSET
    action_id: Annotated[str, about("Id from the request.")] | UnsetType = UNSET
    resource: Annotated[str, about("Resource.")] | UnsetType = UNSET
    cause: Annotated[list[Cause], about("Why it was denied.")] | UnsetType = UNSET


class ValidateAuthorizationResponse(Struct, frozen=True, kw_only=True):
    """Results."""

    results: Annotated[list[ValidateAuthResults], about("One for each check.")] | UnsetType = UNSET

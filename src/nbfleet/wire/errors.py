"""Errors as clients see them: codes, the envelope, and one constructor for each usual failure.

A room that refuses something raises `ApiError`; the server turns it into an answer. Codes and statuses
are part of the contract, because clients act on the pair; the sentences are ours. Nothing is logged here.
Refusals that only one part of the service knows have modules of their own, `errors_credentials` and
`errors_storage`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from nbfleet.wire.error_codes import ErrorCode
from nbfleet.wire.fields import about

__all__ = ["ApiError", "ErrorCode", "ErrorResponse", "shown"]

_LONGEST_QUOTE = 128
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class ErrorResponse(Struct, frozen=True, kw_only=True):
    """Envelope of every failed call. Clients need both error_code and error_msg."""

    error_code: Annotated[str, about("Machine-readable code, ModelArts.NNNN or APIGW.NNNN.")]
    error_msg: Annotated[str, about("Human-readable text.")]
    request_id: Annotated[str, about("Request id, as in the header X-Request-Id.")] | UnsetType = UNSET
    encoded_authorization_message: Annotated[str, about("Opaque detail of a policy denial.")] | UnsetType = (
        UNSET
    )


class ApiError(Exception):
    """A refusal with the status and code that the caller gets."""

    def __init__(
        self, status: int, code: ErrorCode, message: str, headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def body(self, request_id: str | UnsetType = UNSET) -> ErrorResponse:
        return ErrorResponse(error_code=self.code, error_msg=self.message, request_id=request_id)


def shown(given: object) -> str:
    """Quote what a caller sent: cut short and without control characters, wherever it ends up."""
    text = str(given)
    cut = text[:_LONGEST_QUOTE] + ("…" if len(text) > _LONGEST_QUOTE else "")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def _list(allowed: str | Iterable[object]) -> str:
    return allowed if isinstance(allowed, str) else ", ".join(str(value) for value in allowed) or "none"


# Not there, or not for this caller.


def not_found(what: str, id_: object) -> ApiError:
    return ApiError(404, ErrorCode.NOT_FOUND, f"The {what} {shown(id_)} does not exist.")


def workspace_not_found(id_: object) -> ApiError:
    return ApiError(400, ErrorCode.WORKSPACE_NOT_FOUND, f"The workspace {shown(id_)} does not exist.")


def workspace_closed(id_: object) -> ApiError:
    message = f"The workspace {shown(id_)} is not open to the caller."
    return ApiError(403, ErrorCode.FORBIDDEN_BY_POLICY, message)


def workspace_cannot(id_: object, wanted: str, reason: str) -> ApiError:
    message = f"The workspace {shown(id_)} cannot {wanted}: {reason}."
    return ApiError(400, ErrorCode.WORKSPACE_STATE, message)


def too_many_workspaces(most: int) -> ApiError:
    message = f"The project has {most} workspaces already, as many as it may have."
    return ApiError(400, ErrorCode.TOO_MANY_WORKSPACES, message)


def image_not_found(id_: object) -> ApiError:
    """For requests that name an image to use; showing an unknown image is `not_found`."""
    return ApiError(400, ErrorCode.IMAGE_NOT_FOUND, f"The image {shown(id_)} does not exist.")


def image_unusable(path: object, reason: str) -> ApiError:
    """What `path` names is there, but it is no image, or none that can run here."""
    message = f"The field swr_path is {shown(path)}, which cannot be used: {_whole(reason)}."
    return ApiError(400, ErrorCode.WRONG_VALUE, message)


def image_missing(path: object, reason: str) -> ApiError:
    message = f"The field swr_path is {shown(path)}, which does not exist: {_whole(reason)}."
    return ApiError(400, ErrorCode.IMAGE_NOT_FOUND, message)


def image_exists(path: object) -> ApiError:
    message = f"The image {shown(path)} is registered already."
    return ApiError(400, ErrorCode.IMAGE_TAG_EXISTS, message)


def image_leaving(path: object) -> ApiError:
    message = f"What stood at {shown(path)} is still being removed."
    return ApiError(400, ErrorCode.CONFLICTING_STATE, message)


def image_in_use(id_: object, users: int) -> ApiError:
    message = f"The image {shown(id_)} cannot be deleted: instances that use it: {users}."
    return ApiError(400, ErrorCode.CONFLICTING_STATE, message)


def image_needs_ssh(id_: object) -> ApiError:
    message = f"The image {shown(id_)} works over SSH only: endpoints must have one with the service SSH."
    return ApiError(400, ErrorCode.IMAGE_NEEDS_SSH, message)


def _whole(reason: str) -> str:
    """A sentence of ours, which may quote what somebody wrote."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in reason)


def forbidden(action: str) -> ApiError:
    return ApiError(403, ErrorCode.FORBIDDEN, f"The caller does not have the permission {action}.")


def beyond_reach(user: object) -> ApiError:
    """For what would let an administrator of one project into another."""
    message = f"{shown(user)} is a member of projects that you do not administer as well."
    return ApiError(403, ErrorCode.FORBIDDEN, message)


def foreign_project(project_id: object) -> ApiError:
    message = f"The credentials are not valid for the project {shown(project_id)}."
    return ApiError(403, ErrorCode.PROJECT, message)


def not_from_here() -> ApiError:
    """For changes that a page of another site, or one of another session, seems to have asked for."""
    message = "The request does not come from a page of this session; load the page again."
    return ApiError(403, ErrorCode.FORBIDDEN, message)


def invalid_project_id(given: object) -> ApiError:
    return ApiError(400, ErrorCode.PROJECT, f"{shown(given)} is not a project id.")


def not_available(what: str) -> ApiError:
    return ApiError(501, ErrorCode.NOT_AVAILABLE, f"{what} is not available on this service.")


# Input that cannot be used.


def invalid_query(name: str, given: object, allowed: str | Iterable[object]) -> ApiError:
    message = f"The parameter {name} is {shown(given)}; allowed: {_list(allowed)}."
    return ApiError(400, ErrorCode.INVALID_QUERY, message)


def unknown_sort_key(given: object, allowed: Iterable[object]) -> ApiError:
    message = f"Cannot sort by {shown(given)}; allowed: {_list(allowed)}."
    return ApiError(400, ErrorCode.UNKNOWN_SORT_KEY, message)


def missing(field: str) -> ApiError:
    return ApiError(400, ErrorCode.MISSING, f"The field {field} is missing.")


def wrong_type(field: str, given: object, expected: str) -> ApiError:
    message = f"The field {field} is {shown(given)}; expected: {expected}."
    return ApiError(400, ErrorCode.WRONG_TYPE, message)


def wrong_value(field: str, given: object, allowed: str | Iterable[object]) -> ApiError:
    message = f"The field {field} is {shown(given)}; allowed: {_list(allowed)}."
    return ApiError(400, ErrorCode.WRONG_VALUE, message)


def cannot_honour(field: str, reason: str) -> ApiError:
    """The field is documented, but not what this installation can do."""
    return ApiError(400, ErrorCode.WRONG_VALUE, f"The field {field} cannot be honoured: {reason}.")


def bad_characters(field: str, given: object, allowed: str) -> ApiError:
    message = f"The field {field} is {shown(given)}; allowed characters: {allowed}."
    return ApiError(400, ErrorCode.BAD_CHARACTERS, message)


def bad_duration(field: str, given: object, allowed: str) -> ApiError:
    message = f"The duration {field} is {shown(given)}; allowed: {allowed}."
    return ApiError(400, ErrorCode.BAD_DURATION, message)


def invalid_body(reason: object) -> ApiError:
    return ApiError(400, ErrorCode.INVALID_BODY, f"The request body cannot be read: {shown(reason)}.")


def body_too_large(limit: int) -> ApiError:
    return ApiError(413, ErrorCode.INVALID_BODY, f"The request body is larger than {limit} bytes.")


def flavor_not_supported(flavor: object) -> ApiError:
    message = f"The flavor {shown(flavor)} is not supported."
    return ApiError(400, ErrorCode.FLAVOR_NOT_SUPPORTED, message)


def flavor_of_other_feature(flavor: object, feature: str, allowed: Iterable[object]) -> ApiError:
    message = f"The flavor {shown(flavor)} is not for the feature {feature}; allowed: {_list(allowed)}."
    return ApiError(400, ErrorCode.FLAVOR_UNFIT_FOR_FEATURE, message)


def cannot_switch_flavor(flavor: object, allowed: Iterable[object]) -> ApiError:
    message = f"The instance cannot switch to the flavor {shown(flavor)}; allowed: {_list(allowed)}."
    return ApiError(400, ErrorCode.FLAVOR_NOT_SWITCHABLE, message)


def one_default_instance() -> ApiError:
    message = "The caller has an instance with the feature DEFAULT already; one for each user is allowed."
    return ApiError(400, ErrorCode.TOO_MANY_INSTANCES, message)


def quota_exceeded(what: str) -> ApiError:
    """`what` is a sentence: how much was asked for, and how much there may be."""
    return ApiError(400, ErrorCode.QUOTA_EXCEEDED, what)


def over_quota(resource: str, whose: str, limit: str, used: str, asked: str, *, is_count: bool) -> ApiError:
    """What is counted one by one has a code of its own. Amounts come with their units."""
    code = ErrorCode.QUOTA_EXHAUSTED if is_count else ErrorCode.QUOTA_EXCEEDED
    message = f"The quota {resource} of {whose} is {limit}: {used} used, {asked} more asked for."
    return ApiError(400, code, message)


def flavor_sold_out(flavor: object, pool: object, free: str) -> ApiError:
    message = f"The pool {shown(pool)} has no room for the flavor {shown(flavor)} now; free: {free}."
    return ApiError(400, ErrorCode.FLAVOR_SOLD_OUT, message)


def start_without_resources(flavor: object, pool: object, free: str) -> ApiError:
    message = f"The pool {shown(pool)} has no room for the flavor {shown(flavor)} now; free: {free}."
    return ApiError(400, ErrorCode.START_WITHOUT_RESOURCES, message)


def flavor_not_in_pool(flavor: object, pool: object, allowed: str | Iterable[object]) -> ApiError:
    message = (
        f"The flavor {shown(flavor)} is not offered in the pool {shown(pool)}; allowed: {_list(allowed)}."
    )
    return ApiError(400, ErrorCode.FLAVOR_NOT_SUPPORTED, message)


# A state that does not allow it.


def conflicting_state(id_: object, status: str, wanted: str) -> ApiError:
    """Another operation runs, or the target state is reached already."""
    message = f"The instance {shown(id_)} is {status} and cannot {wanted} now."
    return ApiError(400, ErrorCode.CONFLICTING_STATE, message)


def not_running(id_: object, status: str) -> ApiError:
    message = f"The instance {shown(id_)} is {status}; it must be RUNNING."
    return ApiError(400, ErrorCode.NOT_RUNNING, message)


def update_not_allowed(field: str, status: str, needed: str) -> ApiError:
    message = f"The field {field} cannot be changed while the instance is {status}; it must be {needed}."
    return ApiError(400, ErrorCode.UPDATE_NOT_ALLOWED, message)


def frozen(id_: object) -> ApiError:
    message = f"The instance {shown(id_)} is frozen; an administrator can lift that."
    return ApiError(400, ErrorCode.FROZEN, message)


# Load, and faults of ours.


def overloaded(retry_after: int) -> ApiError:
    message = f"The service is busy; try again in {retry_after} seconds."
    return ApiError(503, ErrorCode.BUSY, message, {"Retry-After": str(retry_after)})


def too_slow(seconds: int, retry_after: int) -> ApiError:
    message = f"The answer was not ready within {seconds} s; narrow the list, or try again."
    return ApiError(503, ErrorCode.BUSY, message, {"Retry-After": str(retry_after)})


def too_many_at_once(what: str, most: int, retry_after: int) -> ApiError:
    """Of one caller: others are not held up by it."""
    message = f"{most} {what} of yours run already, as many as may; try again in {retry_after} seconds."
    return ApiError(503, ErrorCode.BUSY, message, {"Retry-After": str(retry_after)})


def too_often(began: int, seconds: int) -> ApiError:
    """Of one caller: what is asked for has no work left to wait for, and could be asked for without end."""
    message = (
        f"You began {began} actions within {seconds} seconds; one that changes nothing has to wait. "
        f"Try again in {seconds} seconds."
    )
    return ApiError(503, ErrorCode.BUSY, message, {"Retry-After": str(seconds)})


def internal() -> ApiError:
    """The cause stays in the log: it may tell what the caller must not know."""
    return ApiError(500, ErrorCode.INTERNAL, "Internal error.")


# What the table of operations does not hold.


def no_such_path(path: object) -> ApiError:
    return ApiError(404, ErrorCode.NOT_FOUND, f"There is no operation at {shown(path)}.")


def no_such_page(path: object) -> ApiError:
    return ApiError(404, ErrorCode.NOT_FOUND, f"There is no page at {shown(path)}.")


def no_such_method(method: object, allowed: Iterable[str]) -> ApiError:
    names = ", ".join(allowed)
    message = f"The method {shown(method)} is not possible here; allowed: {names}."
    return ApiError(405, ErrorCode.INVALID_ARGUMENT, message, {"Allow": names})


def no_http() -> ApiError:
    return ApiError(400, ErrorCode.INVALID_ARGUMENT, "This is not an HTTP request.")

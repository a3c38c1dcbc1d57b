"""From a request body to what may be stored: the rules a schema cannot say.

Whatever the contract documents and this release cannot honour is refused by name and never ignored.
Empty values ask for nothing and pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from nbfleet.domain import lease as leases
from nbfleet.domain import tags
from nbfleet.domain.lease import Range
from nbfleet.domain.notebook import Lease, LeaseType
from nbfleet.domain.tags import Tags
from nbfleet.wire import errors
from nbfleet.wire.endpoints import EndpointsReq
from nbfleet.wire.image_groups import UpdateImageGroupRequestBodyTags
from nbfleet.wire.leases import LeaseReq
from nbfleet.wire.notebooks import NotebookCreateRequest
from nbfleet.wire.tags import TmsTag

T = TypeVar("T")

LARGEST_VOLUME = 4096  # GB.


def requested_period(
    allowed: Range, query_duration: int | None, query_type: str | None, body: LeaseReq | None
) -> int:
    """The auto-stop period asked for; the query wins over the body, and silence means one hour."""
    kind = query_type if query_type is not None else _body_type(body, query_duration)
    if LeaseType(kind.upper()) is LeaseType.IDLE:
        raise errors.not_available("lease type IDLE")
    asked = None if body is None else _body_period(allowed, "duration", body)
    if query_duration is not None:
        return checked_period(allowed, "duration", query_duration)
    return allowed.default if asked is None else asked


def _body_period(allowed: Range, field: str, body: LeaseReq) -> int | None:
    """The period in the body, None where it has none; one out of range is refused even where another place
    overrides it."""
    if isinstance(body.duration, UnsetType):
        return None
    is_idle = given(body.type, "TIMING").upper() == LeaseType.IDLE
    wide = replace(allowed, minimum=min(leases.SHORTEST_IDLE, allowed.minimum)) if is_idle else allowed
    return checked_period(wide, field, body.duration)


def checked_period(allowed: Range, field: str, period: int) -> int:
    if not allowed.holds(period):
        raise errors.bad_duration(field, period, f"-1 or {allowed.minimum} to {allowed.maximum} milliseconds")
    return period


def checked_tags(wanted: Sequence[TmsTag | UpdateImageGroupRequestBodyTags]) -> dict[str, str]:
    """Tags to set, by key; a key named twice would have two meanings."""
    found: dict[str, str] = {}
    for place, tag in enumerate(wanted):
        key, value = given(tag.key, ""), given(tag.value, "")
        check_tag(f"tags[{place}]", key, value)
        if key in found:
            raise errors.wrong_value(f"tags[{place}].key", key, "each key once")
        found[key] = value
    return found


def check_tag(field: str, key: str, value: str) -> None:
    if not key:
        raise errors.missing(f"{field}.key")
    if not tags.is_key(key):
        raise errors.wrong_value(f"{field}.key", key, tags.KEY_RULE)
    if not tags.is_value(value):
        raise errors.wrong_value(f"{field}.value", value, tags.VALUE_RULE)


def joined_tags(now: Tags, wanted: Mapping[str, str]) -> Tags:
    try:
        return tags.with_tags(now, wanted)
    except tags.TooMany as fault:
        message = f"The instance would have {fault.count} tags; it may have at most {tags.MOST}."
        raise errors.quota_exceeded(message) from fault


def given(value: T | UnsetType, default: T) -> T:
    return default if isinstance(value, UnsetType) else value


def _body_type(body: LeaseReq | None, query_duration: int | None) -> str:
    if body is None or query_duration is not None or isinstance(body.type, UnsetType):
        return LeaseType.TIMING.value
    return body.type


def refuse_unavailable(body: Any, fields: tuple[str, ...]) -> None:
    for field in fields:
        if asks(getattr(body, field)):
            raise errors.not_available(f"The field {field}")


def asks(value: Any) -> bool:
    """Whether a field asks for anything: an empty text or list, or a record of absent fields, does not."""
    if value is UNSET:
        return False
    if isinstance(value, list | str):
        return bool(value)  # pyright: ignore[reportUnknownArgumentType]
    fields = getattr(value, "__struct_fields__", None)
    return True if fields is None else any(asks(getattr(value, name)) for name in fields)


def check_endpoints(endpoints: list[EndpointsReq] | UnsetType) -> None:
    """The browser way is always open; SSH is not there yet, and its rules apply to nothing else."""
    for place, endpoint in enumerate(given(endpoints, [])):
        # Two names of one thing: nobody is given the other way than the one either of them says.
        if "SSH" in (endpoint.service, endpoint.dev_service):
            raise errors.not_available(f"The service SSH in endpoints[{place}]")
        for field in ("key_pair_names", "ssh_keys", "allowed_access_ips"):
            if asks(getattr(endpoint, field)):
                raise errors.wrong_value(f"endpoints[{place}].{field}", "given", "nothing: SSH only")


def check_default_period(allowed: Range, field: str, period: int) -> None:
    """An instance with the feature DEFAULT is free: it runs for an hour at most, and never without an end."""
    if period == leases.OFF or period > allowed.default:
        allowed_text = f"{allowed.minimum} to {allowed.default} milliseconds with the feature DEFAULT"
        raise errors.bad_duration(field, period, allowed_text)


def first_lease(allowed: Range, body: NotebookCreateRequest, now: int) -> Lease:
    """The lease of a new notebook; a top-level duration overrides `lease` and means TIMING."""
    lease = given(body.lease, LeaseReq())
    asked = _body_period(allowed, "lease.duration", lease)
    if not isinstance(body.duration, UnsetType):
        return leases.opened(checked_period(allowed, "duration", body.duration), now)
    if LeaseType(given(lease.type, "TIMING").upper()) is LeaseType.IDLE:
        raise errors.not_available("lease.type IDLE")
    return leases.opened(allowed.default if asked is None else asked, now)

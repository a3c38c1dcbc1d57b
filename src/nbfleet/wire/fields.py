"""Value types that several families share, and how a field tells what it means.

Ranges and patterns live here once, so that two records cannot disagree about the same thing. Rules that
depend on stored state or on settings are not types and are not here.

Patterns end in `\\Z` because Python's `$` also matches before a final newline, which the published
patterns do not allow; the served document shows `$`.
"""

from typing import Annotated

from msgspec import UNSET, Meta

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def about(description: str, *, default: object = UNSET) -> Meta:
    """Describe a field; `default` is what the service assumes when the field is absent."""
    if default is UNSET:
        return Meta(description=description)
    return Meta(description=description, extra_json_schema={"default": default})


def int32(*, ge: int = INT32_MIN, le: int = INT32_MAX) -> Meta:
    """Bound an integer, by default to what 32 bits hold: clients are typed and fail on more."""
    return Meta(ge=ge, le=le, extra_json_schema={"format": "int32"})


def int64(*, ge: int = INT64_MIN) -> Meta:
    return Meta(ge=ge, le=INT64_MAX, extra_json_schema={"format": "int64"})


Int32 = Annotated[int, int32()]
Count = Annotated[int, int32(ge=0)]
Int64 = Annotated[int, int64()]
LongCount = Annotated[int, int64(ge=0)]
# Milliseconds since 1970-01-01T00:00:00Z.
Millis = Annotated[int, int64(ge=0)]

# Text and not a UUID object: an id comes back in the case in which it was given.
Uuid = Annotated[
    str,
    Meta(
        pattern=r"^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z",
        extra_json_schema={"format": "uuid"},
    ),
]
# Text as well: answers must carry exactly the form that clients parse.
Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
IPv4 = Annotated[
    str,
    Meta(
        pattern=r"^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!\Z)|\Z)){4}\Z",
        extra_json_schema={"format": "ipv4"},
    ),
]

ProjectId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z-]{1,64}\Z")]
WorkspaceId = Annotated[str, Meta(pattern=r"^(0|[0-9a-z]{32})\Z")]
WorkspaceName = Annotated[
    str, Meta(min_length=4, max_length=64, pattern=r"^(?!default\Z)[A-Za-z0-9_\-\u4e00-\u9fff]{4,64}\Z")
]
InstanceName = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_\-\u4e00-\u9fff]{1,128}\Z")
]
InstanceDescription = Annotated[str, Meta(max_length=512, pattern="^[^&<>\"'/]*\\Z")]
SecretName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]

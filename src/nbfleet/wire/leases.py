"""The auto-stop clock of an instance.

Types only: when a lease is due, and how a renewal moves it, is decided by the service.
`duration` counts from `create_at`, so the time left is `create_at + duration - now`.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import LeaseType, LeaseTypeInput
from nbfleet.wire.fields import Int64, Millis, about

# The service checks the range itself, because a setting may lower the minimum and IDLE has another one;
# here the range is only told to readers of the schema.
LeaseDurationMs = Annotated[
    int,
    Meta(
        extra_json_schema={
            "format": "int64",
            "anyOf": [{"const": -1}, {"minimum": 3600000, "maximum": 259200000}],
            "default": 3600000,
        },
    ),
]


class Lease(Struct, frozen=True, kw_only=True):
    """Auto-stop clock of an instance. The instance stops when create_at + duration is reached."""

    create_at: (
        Annotated[Millis, about("Creation time of the lease, which is that of the instance.")] | UnsetType
    ) = UNSET
    duration: (
        Annotated[
            Int64,
            about(
                "Time from create_at to the planned stop, not the time left. After every start or "
                "renewal it is (update_at - create_at) + requested duration."
            ),
        ]
        | UnsetType
    ) = UNSET
    enable: (
        Annotated[bool, about("Whether auto-stop is on. false when the duration was requested as -1.")]
        | UnsetType
    ) = UNSET
    type: Annotated[LeaseType, about("Kind of auto-stop.")] | UnsetType = UNSET
    update_at: (
        Annotated[
            Millis,
            about(
                "Time of the last lease change: creation, reaching RUNNING, renewal, start. "
                "Keep-alive heartbeats do not count."
            ),
        ]
        | UnsetType
    ) = UNSET


class LeaseReq(Struct, frozen=True, kw_only=True):
    """Auto-stop request."""

    duration: Annotated[LeaseDurationMs, about("Period counted from now.")] | UnsetType = UNSET
    type: Annotated[LeaseTypeInput, about("Kind, TIMING by default.", default="TIMING")] | UnsetType = UNSET

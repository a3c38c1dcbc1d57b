"""What the gateway asks of the rest of the product: one question, one answer.

Only types live here. The answer comes from whoever owns the truth about notebooks; the gateway
neither looks anything up nor compares secrets.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True)
class Credentials:
    """What the caller showed. At most one of the two is set: a token outranks the cookie."""

    token: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Upstream:
    """A running instance the caller may use."""

    endpoint: str  # "unix:/path/to/socket" or "http://host:port"
    secret: str = field(repr=False)  # What the instance itself asks for; never leaves towards a caller.
    cookie: str = field(repr=False)  # What the caller's browser shows from now on.
    notebook_id: str


class Refused(Enum):
    NOT_FOUND = "not_found"
    UNAUTHORIZED = "unauthorized"
    NOT_RUNNING = "not_running"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Refusal:
    """Why the caller does not get through.

    NOT_FOUND without `verified` is answered exactly like UNAUTHORIZED, so that ids cannot be probed.
    NOT_RUNNING tells a caller that the notebook exists: return it only for right credentials.
    """

    reason: Refused
    status: str = ""  # The status word of a notebook that is not running.
    verified: bool = False  # The credentials were right, yet the notebook is gone.


# Arguments: host (as in the Host header), raw path, credentials.
# It is asked again from time to time while a WebSocket stays open, so a call is not user activity.
Resolve = Callable[[str, str, Credentials], Awaitable[Upstream | Refusal]]

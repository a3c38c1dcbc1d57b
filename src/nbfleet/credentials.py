"""The file that the service leaves in its data directory: who its first user is, and where it can be reached.

Read by commands that run beside the service, so nothing of the service is imported here. It is written by
`first_start`.
"""

from contextlib import suppress
from pathlib import Path

import msgspec

from nbfleet.settings import Settings, api_url

CREDENTIALS = "credentials.json"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The content of credentials.json."""

    endpoint: str
    project_id: str
    user_id: str
    user_name: str
    password: str
    access_key: str
    secret_key: str


class _Place(msgspec.Struct, frozen=True):
    endpoint: str


def endpoint_of(settings: Settings) -> str:
    """Where clients reach the API: the `public_url` of the settings, else where the service was at its last
    start, which may have been given another port than the settings have, else their host and port."""
    if not settings.public_url:
        with suppress(OSError, msgspec.MsgspecError):  # Never started here, or not for us to read.
            written = (Path(settings.data_dir) / CREDENTIALS).read_bytes()
            return msgspec.json.decode(written, type=_Place).endpoint
    return api_url(settings, settings.port)

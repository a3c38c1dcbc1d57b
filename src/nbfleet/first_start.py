"""What a start makes sure of before it serves: an identity for the fleet, one for its administrator.

The credentials file is written before they are stored, under another name, and renamed after: whatever
moment the process dies at, either nothing was made or the file is there.
"""

import os
from pathlib import Path

import msgspec

from nbfleet.services import identity
from nbfleet.services.catalogue import built_in_image
from nbfleet.services.context import Context
from nbfleet.store import catalogue
from nbfleet.store.identity import key

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


async def prepare(context: Context, endpoint: str) -> str:
    """Makes the first identity if there is none; answers the secret of a new login link."""
    directory = Path(context.settings.data_dir)
    pending = directory / f"{CREDENTIALS}.new"
    if await context.database.read(identity.is_first_start):
        first = identity.new_identity(context)
        _write(pending, endpoint, first)
        await context.database.write(identity.store_first_identity, context, first)
    if pending.exists() and await _is_stored(context, pending):
        pending.rename(directory / CREDENTIALS)
    now = context.clock()
    await context.database.write(catalogue.put_image, built_in_image(now), now)
    return await context.database.write(identity.new_login_link, context, context.settings.administrator)


def _write(path: Path, endpoint: str, first: identity.FirstIdentity) -> None:
    credentials = Credentials(
        endpoint=endpoint,
        project_id=first.project_id,
        user_id=first.user_id,
        user_name=first.user_name,
        password=first.password,
        access_key=first.access_key,
        secret_key=first.secret_key,
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(credentials), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())


async def _is_stored(context: Context, path: Path) -> bool:
    """Whether the key in the file is known: the process may have died before it was stored."""
    pending = msgspec.json.decode(path.read_bytes(), type=Credentials)
    return await context.database.read(key, pending.access_key) is not None

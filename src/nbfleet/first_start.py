"""What a start makes sure of before it serves: an identity for the fleet, one for its administrator.

The credentials file is written before they are stored, under another name, and renamed after: whatever
moment the process dies at, either nothing was made or the file is there.
"""

import os
from pathlib import Path

import msgspec

from nbfleet.credentials import CREDENTIALS, Credentials
from nbfleet.services import identity, pools
from nbfleet.services.catalogue import built_in_image
from nbfleet.services.context import Context
from nbfleet.store import notebooks
from nbfleet.store.database import Connection
from nbfleet.store.identity import key


async def prepare(context: Context, endpoint: str) -> str | None:
    """Makes the first identity if there is none; answers the secret of a new login link, or None if the
    administrator of the settings can have none: it was disabled, or is another one by now."""
    directory = Path(context.settings.data_dir)
    pending = directory / f"{CREDENTIALS}.new"
    if await context.database.read(identity.is_first_start):
        first = identity.new_identity(context)
        _write(pending, endpoint, first)
        await context.database.write(identity.store_first_identity, context, first)
    await context.database.read(_keep_if_stored, pending, directory / CREDENTIALS)
    await context.database.read(_name_endpoint, directory / CREDENTIALS, endpoint)
    now = context.clock()
    await context.database.write(notebooks.put_image, built_in_image(now), now)
    await context.database.write(pools.put_all, context)
    try:
        return await context.database.write(identity.new_login_link, context, context.settings.administrator)
    except identity.Refused:
        return None


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
    _write_file(path, credentials)


def _write_file(path: Path, credentials: Credentials) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(credentials), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _name_endpoint(_connection: Connection, path: Path, endpoint: str) -> None:
    """The file leads to the service where it is now; ports and addresses change between starts."""
    if path.exists():
        known = msgspec.json.decode(path.read_bytes(), type=Credentials)
        if known.endpoint != endpoint:
            pending = path.with_name(f"{CREDENTIALS}.moved")
            _write_file(pending, msgspec.structs.replace(known, endpoint=endpoint))
            pending.rename(path)


def _keep_if_stored(connection: Connection, pending: Path, final: Path) -> None:
    """Puts a written file in its place if its key is known: the process may have died before that."""
    if pending.exists():
        credentials = msgspec.json.decode(pending.read_bytes(), type=Credentials)
        if key(connection, credentials.access_key) is not None:
            pending.rename(final)

"""SSH key pairs of users. Everybody has to do with their own only; those of others are not there.

A private key is told to the request that made it and kept nowhere.
"""

from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from nbfleet.domain.access import Caller
from nbfleet.services import ssh_keys
from nbfleet.services.context import Context
from nbfleet.services.requests import given
from nbfleet.store import keypairs
from nbfleet.store.database import Connection
from nbfleet.store.keypairs import Keypair, Page
from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.keypairs import CreateKeypairAction


@dataclass(frozen=True, slots=True)
class Created:
    """`private_key` is None after an import."""

    keypair: Keypair
    private_key: str | None = field(repr=False)


async def create(context: Context, caller: Caller, wanted: CreateKeypairAction) -> Created:
    """Makes a key pair, or imports the public key that is given."""
    _refuse_unavailable(caller, wanted)
    public, private = _keys(wanted)
    now = context.clock()
    made = Keypair(wanted.name, public, ssh_keys.fingerprint(public), "", now, now)
    most = context.settings.keypairs

    def write(connection: Connection) -> None:
        user_no = _owner(connection, context, caller)
        count = keypairs.count(connection, user_no)
        if keypairs.find(connection, user_no, made.name) is not None:
            raise errors.wrong_value("keypair.name", made.name, "a name that none of your key pairs has")
        if count >= most:
            raise errors.quota_exceeded(f"You have {count} key pairs; you may have at most {most}.")
        keypairs.add(connection, user_no, made)

    await context.database.write(write)
    return Created(made, private)


async def page(context: Context, caller: Caller, behind: str, limit: int) -> Page:
    def read(connection: Connection) -> Page:
        return keypairs.page(connection, _owner(connection, context, caller), behind, limit)

    return await context.database.read(read)


async def show(context: Context, caller: Caller, name: str) -> Keypair:
    return await context.database.read(_found, context, caller, name)


async def describe(context: Context, caller: Caller, name: str, description: str) -> Keypair:
    def write(connection: Connection) -> Keypair:
        user_no = _owner(connection, context, caller)
        keypairs.describe(connection, user_no, name, description, context.clock())
        return _found(connection, context, caller, name)

    return await context.database.write(write)


async def delete(context: Context, caller: Caller, name: str) -> None:
    def write(connection: Connection) -> None:
        if not keypairs.remove(connection, _owner(connection, context, caller), name):
            raise errors.not_found("key pair", name)

    await context.database.write(write)


def _found(connection: Connection, context: Context, caller: Caller, name: str) -> Keypair:
    found = keypairs.find(connection, _owner(connection, context, caller), name)
    if found is None:
        raise errors.not_found("key pair", name)
    return found


def _owner(connection: Connection, context: Context, caller: Caller) -> int:
    number = context.directory.user(connection, caller.user_id)
    if number is None:
        raise errors_credentials.token_invalid()  # Deleted since it was proved.
    return number


def _keys(wanted: CreateKeypairAction) -> tuple[str, str | None]:
    if isinstance(wanted.public_key, UnsetType) or not wanted.public_key:
        made = ssh_keys.make(wanted.name)
        return made.public_key, made.private_key
    try:
        return ssh_keys.checked(wanted.public_key), None
    except ssh_keys.BadKey as fault:
        raise errors.wrong_value("keypair.public_key", fault, ssh_keys.RULE) from fault


def _refuse_unavailable(caller: Caller, wanted: CreateKeypairAction) -> None:
    if wanted.type == "x509":
        raise errors.wrong_value("keypair.type", wanted.type, "ssh")
    if wanted.scope == "domain":
        raise errors.wrong_value("keypair.scope", wanted.scope, "user")
    if given(wanted.user_id, "") not in ("", caller.user_id):
        raise errors.wrong_value("keypair.user_id", wanted.user_id, "the caller's own id")
    if wanted.key_protection is not UNSET:
        raise errors.not_available("The field keypair.key_protection")

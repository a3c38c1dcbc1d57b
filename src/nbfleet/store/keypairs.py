"""Public keys of users, by name. A private key never gets here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from nbfleet.store.schema import keypairs, users


@dataclass(frozen=True, slots=True)
class Keypair:
    """`public_key` is one line in the form of OpenSSH. Times in milliseconds since 1970."""

    name: str
    public_key: str
    fingerprint: str
    description: str
    create_at: int
    update_at: int


_COLUMNS = (
    keypairs.c.name, keypairs.c.public_key, keypairs.c.fingerprint, keypairs.c.description,
    keypairs.c.create_at, keypairs.c.update_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """`before` is the marker of the page in front, "" for the first one; None where there is none."""

    keypairs: Sequence[Keypair]
    goes_on: bool
    before: str | None


def add(connection: Connection, user_no: int, made: Keypair) -> None:
    values = {
        "name": made.name,
        "public_key": made.public_key,
        "fingerprint": made.fingerprint,
        "description": made.description,
        "create_at": made.create_at,
        "update_at": made.update_at,
    }
    connection.execute(insert(keypairs).values(user_no=user_no, **values))


def count(connection: Connection, user_no: int) -> int:
    """How many the user has, which stays so until the commit: others who add one wait."""
    # Not so strong that it holds off those who only refer to the user.
    mine = select(users.c.no).where(users.c.no == user_no).with_for_update(key_share=True)
    connection.execute(mine).scalar()
    query = select(func.count()).select_from(keypairs).where(keypairs.c.user_no == user_no)
    return connection.execute(query).scalar_one()


def find(connection: Connection, user_no: int, name: str) -> Keypair | None:
    row = connection.execute(select(*_COLUMNS).where(*_this(user_no, name))).first()
    return None if row is None else Keypair(*row)


def page(connection: Connection, user_no: int, behind: str, limit: int) -> Page:
    """Those whose names come behind this one, in order of the names."""
    k = keypairs.c
    query = select(*_COLUMNS).where(k.user_no == user_no, k.name > behind).order_by(k.name).limit(limit + 1)
    found = [Keypair(*row) for row in connection.execute(query)]
    return Page(found[:limit], len(found) > limit, _before(connection, user_no, behind, limit))


def _before(connection: Connection, user_no: int, behind: str, limit: int) -> str | None:
    k = keypairs.c
    mine = select(k.name).where(k.user_no == user_no, k.name <= behind)
    names = connection.execute(mine.order_by(k.name.desc()).limit(limit + 1)).scalars().all()
    if not names:
        return None
    return names[limit] if len(names) > limit else ""


def describe(connection: Connection, user_no: int, name: str, description: str, now: int) -> bool:
    """False where there is none of this name."""
    values = {"description": description, "update_at": now}
    return connection.execute(update(keypairs).where(*_this(user_no, name)).values(**values)).rowcount == 1


def remove(connection: Connection, user_no: int, name: str) -> bool:
    return connection.execute(delete(keypairs).where(*_this(user_no, name))).rowcount == 1


def _this(user_no: int, name: str) -> tuple[Any, Any]:
    return keypairs.c.user_no == user_no, keypairs.c.name == name

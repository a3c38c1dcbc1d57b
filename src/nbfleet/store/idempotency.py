"""Which create requests were already carried out: a repeated one has no second effect."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from nbfleet.store.directory import Directory
from nbfleet.store.schema import idempotency_keys, projects, users


@dataclass(frozen=True, slots=True)
class Entry:
    """The SHA-256 of the body a key was first sent with, and what came of it."""

    digest: bytes
    notebook_id: str


def find(connection: Connection, project_id: str, user_id: str, key: str) -> Entry | None:
    k = idempotency_keys.c
    query = (
        select(k.digest, k.notebook_id)
        .join(projects, projects.c.no == k.project_no)
        .join(users, users.c.no == k.user_no)
        .where(projects.c.id == project_id, users.c.id == user_id, k.key == key)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Entry(row.digest, row.notebook_id)


def add(
    connection: Connection,
    directory: Directory,
    project_id: str,
    user_id: str,
    key: str,
    entry: Entry,
    now: int,
) -> None:
    values = {
        "project_no": directory.project(connection, project_id),
        "user_no": directory.user(connection, user_id),
        "key": key,
        "digest": entry.digest,
        "notebook_id": entry.notebook_id,
        "create_at": now,
    }
    connection.execute(insert(idempotency_keys).values(**values))


def forget(connection: Connection, before: int) -> None:
    """Drops the keys of requests older than `before`; nobody repeats a request for days."""
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.create_at < before))

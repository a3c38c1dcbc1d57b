"""The record of who changed what. Rows are added in the transaction of the change and never altered."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from nbfleet.domain.lifecycle import status_of
from nbfleet.domain.notebook import Notebook
from nbfleet.store import compiled
from nbfleet.store.schema import audit
from nbfleet.store.schema_identity import users


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user with the id of the request, or a named part of the service."""

    name: str
    request_id: str | None = None


def record(
    connection: Connection,
    at: int,
    actor: Actor,
    event: str,
    after: Notebook,
    before: Notebook | None = None,
    reason: str | None = None,
) -> None:
    values = {
        "at": at,
        "project_id": after.project_id,
        "notebook_id": after.id,
        "actor": actor.name,
        "event": event,
        "before": None if before is None else status_of(before).value,
        "after": status_of(after).value,
        "reason": reason,
        "request_id": actor.request_id,
    }
    compiled.add(connection, audit, values)


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the record. `no` only grows, but rows written side by side may become visible out of order."""

    no: int
    at: int
    project_id: str
    notebook_id: str
    actor: str
    event: str
    before: str | None
    after: str
    reason: str | None
    request_id: str | None


def newest(connection: Connection) -> int:
    """The number of the newest row, 0 where there is none."""
    return connection.execute(select(func.max(audit.c.no))).scalar() or 0


def since(connection: Connection, no: int, limit: int) -> Sequence[Change]:
    """The rows after this number, oldest first, at most `limit`."""
    query = select(audit).where(audit.c.no > no).order_by(audit.c.no).limit(limit)
    return [Change(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Told:
    """A row of the record; `user_name` is None where a part of the service acted, or a user who is gone."""

    change: Change
    user_name: str | None


def of_notebook(connection: Connection, notebook_id: str, before: int | None, limit: int) -> Sequence[Told]:
    """The rows of one notebook, newest first, at most `limit`; those before the row of this number."""
    query = (
        select(audit, users.c.name)
        .outerjoin(users, users.c.id == audit.c.actor)
        .where(audit.c.notebook_id == notebook_id)
        .order_by(audit.c.no.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(audit.c.no < before)
    return [Told(Change(*row[:-1]), row[-1]) for row in connection.execute(query)]

"""The record of who changed what. Rows are added in the transaction of the change and never altered."""

from dataclasses import dataclass

from sqlalchemy import Connection

from nbfleet.domain.lifecycle import status_of
from nbfleet.domain.notebook import Notebook
from nbfleet.store import compiled
from nbfleet.store.schema import audit


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

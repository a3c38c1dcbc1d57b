"""What is remembered about the fleet as a whole."""

import uuid

from sqlalchemy import Connection, insert, select

from nbfleet.store.schema import settings

_FLEET = "fleet_id"


def fleet_id(connection: Connection) -> str:
    """What marks the instances of this store, made on first use."""
    found = connection.execute(select(settings.c.value).where(settings.c.key == _FLEET)).scalar()
    if found is None:
        found = uuid.uuid4().hex
        connection.execute(insert(settings).values(key=_FLEET, value=found))
    return found

"""What is remembered about the fleet as a whole."""

import uuid

from sqlalchemy import Connection, func, insert, or_, select, update

from nbfleet.domain.notebook import Observed
from nbfleet.store.schema import instances, settings

_FLEET = "fleet_id"
_KEY = "key_fingerprint"


def is_the_key(connection: Connection, fingerprint: str) -> bool:
    """Whether this is the key that secrets here are sealed with; the first one asked about becomes it."""
    found = connection.execute(select(settings.c.value).where(settings.c.key == _KEY)).scalar()
    if found is None:
        connection.execute(insert(settings).values(key=_KEY, value=fingerprint))
    return found in (None, fingerprint)


def change_key(connection: Connection, fingerprint: str) -> None:
    """From now on secrets here are sealed with another key."""
    connection.execute(update(settings).where(settings.c.key == _KEY).values(value=fingerprint))


def living(connection: Connection) -> int:
    """How many notebooks run, or have something to be done about them."""
    is_living = or_(instances.c.observed == Observed.RUNNING.value, instances.c.due_at.is_not(None))
    return connection.execute(select(func.count()).select_from(instances).where(is_living)).scalar_one()


def fleet_id(connection: Connection) -> str:
    """What marks the instances of this store, made on first use."""
    found = connection.execute(select(settings.c.value).where(settings.c.key == _FLEET)).scalar()
    if found is None:
        found = uuid.uuid4().hex
        connection.execute(insert(settings).values(key=_FLEET, value=found))
    return found

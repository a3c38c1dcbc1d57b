"""Leases that run out, and records that have served their time.

A stop is never early, because it is decided under the lock from the lease as it is then; and hardly late,
because the loop sleeps until the next expiry, or for a second at most.
"""

from collections.abc import Callable

import structlog

from nbfleet.domain import lifecycle
from nbfleet.domain.lifecycle import Event
from nbfleet.reconciler.works import Works, steadily
from nbfleet.store import audit, bulk_actions, claims, idempotency, identity, mounts, notebooks
from nbfleet.store.audit import Actor
from nbfleet.store.database import Connection

log = structlog.get_logger()

LONGEST_NAP = 1000  # Milliseconds.
TIDY = 600.0  # Seconds between clearings of old records.
REMEMBER_KEYS = 86_400_000  # Milliseconds an Idempotency-Key is kept.
REMEMBER_BULK = 90 * 86_400_000  # Milliseconds an action on many notebooks can still be looked at.
REMEMBER_MOUNTS = 3_600_000  # Milliseconds one that was unmounted can still be asked for.
_BATCH = 200
_LEASE = Actor("lease")


async def stop_expired(works: Works, hint: Callable[[], None]) -> None:
    """Until cancelled: running notebooks whose lease ran out are wanted stopped, and free ones that nobody
    uses are wanted deleted."""

    async def step() -> float:
        if await stop_once(works, hint) >= _BATCH:
            return 0.0
        return await _nap(works)

    await steadily(works, "leases", step)


async def stop_once(works: Works, hint: Callable[[], None]) -> int:
    """Looks once; answers how many there were."""
    expired = await works.database.read(claims.expired, works.clock(), _BATCH)
    for notebook_id in expired:
        event = await works.database.write(_apply_if_due, works, notebook_id)
        if event is Event.AUTO_STOP:
            works.metrics.count_auto_stop()
        if event is not None:
            log.info("lease ran out", notebook=notebook_id, then=event.value)
            hint()
    return len(expired)


async def _nap(works: Works) -> float:
    expiry = await works.database.read(claims.next_expiry)
    nap = LONGEST_NAP if expiry is None else min(max(expiry - works.clock(), 0), LONGEST_NAP)
    return nap / 1000


def _apply_if_due(connection: Connection, works: Works, notebook_id: str) -> Event | None:
    """What time did to the notebook, if it is due under the lock as well."""
    found, now = notebooks.find(connection, notebook_id, lock=True), works.clock()
    alarm = None if found is None else lifecycle.alarm_of(found.notebook)
    if found is None or alarm is None or now < alarm.at:
        return None
    changed = lifecycle.apply(found.notebook, alarm.event, now)
    notebooks.save(connection, found, changed, due_at=now)
    audit.record(connection, now, _LEASE, alarm.event.value, changed, found.notebook)
    return alarm.event


async def tidy(works: Works) -> None:
    """Until cancelled: expired tokens, old request keys and old actions on many notebooks are dropped."""

    async def step() -> float:
        now = works.clock()
        await works.database.write(identity.delete_expired, now)
        await works.database.write(idempotency.forget, now - REMEMBER_KEYS)
        await works.database.write(mounts.forget, now - REMEMBER_MOUNTS)
        while await works.database.write(bulk_actions.forget, now - REMEMBER_BULK):
            pass  # In many small writes, between which others have theirs.
        return TIDY

    await steadily(works, "tidy", step)

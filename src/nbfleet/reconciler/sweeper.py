"""Leases that run out, and records that have served their time.

A stop is never early, because it is decided under the lock from the lease as it is then; and hardly late,
because the loop sleeps until the next expiry, or for a second at most.
"""

from collections.abc import Callable

import structlog

from nbfleet.domain import lease as leases
from nbfleet.domain import lifecycle
from nbfleet.domain.lifecycle import Event, Status, status_of
from nbfleet.reconciler.works import Works, steadily
from nbfleet.store import audit, claims, idempotency, identity, notebooks
from nbfleet.store.audit import Actor
from nbfleet.store.database import Connection

log = structlog.get_logger()

LONGEST_NAP = 1000  # Milliseconds.
TIDY = 600.0  # Seconds between clearings of old records.
REMEMBER_KEYS = 86_400_000  # Milliseconds an Idempotency-Key is kept.
_BATCH = 200
_LEASE = Actor("lease")


async def stop_expired(works: Works, hint: Callable[[], None]) -> None:
    """Until cancelled: running notebooks whose lease ran out are wanted stopped."""

    async def step() -> float:
        if await stop_once(works, hint) >= _BATCH:
            return 0.0
        return await _nap(works)

    await steadily(works, "leases", step)


async def stop_once(works: Works, hint: Callable[[], None]) -> int:
    """Looks once; answers how many there were."""
    expired = await works.database.read(claims.expired, works.clock(), _BATCH)
    for notebook_id in expired:
        if await works.database.write(_stop_if_expired, works, notebook_id):
            works.metrics.count_auto_stop()
            log.info("lease ran out", notebook=notebook_id)
            hint()
    return len(expired)


async def _nap(works: Works) -> float:
    expiry = await works.database.read(claims.next_expiry)
    nap = LONGEST_NAP if expiry is None else min(max(expiry - works.clock(), 0), LONGEST_NAP)
    return nap / 1000


def _stop_if_expired(connection: Connection, works: Works, notebook_id: str) -> bool:
    found = notebooks.find(connection, notebook_id, lock=True)
    if found is None or status_of(found.notebook) is not Status.RUNNING:
        return False
    now = works.clock()
    deadline = leases.deadline(found.notebook.lease)
    if deadline is None or now < deadline:
        return False
    changed = lifecycle.apply(found.notebook, Event.AUTO_STOP, now)
    notebooks.save(connection, found, changed, due_at=now)
    audit.record(connection, now, _LEASE, Event.AUTO_STOP.value, changed, found.notebook)
    return True


async def tidy(works: Works) -> None:
    """Until cancelled: expired tokens and old request keys are dropped."""

    async def step() -> float:
        now = works.clock()
        await works.database.write(identity.delete_expired, now)
        await works.database.write(idempotency.forget, now - REMEMBER_KEYS)
        return TIDY

    await steadily(works, "tidy", step)

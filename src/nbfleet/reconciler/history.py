"""Writes down what the fleet is like, once a minute, so that it can be shown over time.

A round reads counters and the newest entries of the record, never the fleet. What a stopped service missed is
not made up: there are no samples of that time, and what happened is counted when it is there again.
"""

from nbfleet.domain.history import MINUTE
from nbfleet.reconciler.works import Works, steadily
from nbfleet.store import history

_CATCHING_UP = 0.2  # Seconds between rounds while there is much to count.


async def remember(works: Works) -> None:
    """Until cancelled."""

    async def step() -> float:
        if await remember_once(works) >= history.BATCH:
            return _CATCHING_UP
        return (MINUTE - works.clock() % MINUTE) / 1000

    await steadily(works, "history", step)


async def remember_once(works: Works) -> int:
    """One round at the moment of the clock; answers how many entries of the record it counted."""
    now = works.clock()
    await works.database.write(history.sample, now)
    await works.database.write(history.thin, now)
    return await works.database.write(history.count_activity, now)

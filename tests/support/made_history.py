"""A fleet with a past: four notebooks, and a month of samples and happenings written as the loop would."""

import math
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from nbfleet.domain.history import DAY, HOUR, KEPT, MINUTE
from nbfleet.domain.lifecycle import Status
from nbfleet.store import history
from nbfleet.store.codes import STATUS
from nbfleet.store.database import Connection
from nbfleet.store.schema import activity_hours, projects, status_samples
from support.client import Caller
from support.hosted import FAILS, Hosted

_REASONS = {"no room": ("create failed", 5), "It was not ready within 300 seconds.": ("start failed", 3)}


@dataclass
class Made:
    """What the page is to say of it; `stopping` are names, the soonest first. `hour` began before it was
    made: starts came to be ready in each of the hours before, and failed in the third and fourth."""

    hour: int
    ready: int
    failed: int
    stopping: list[str]


def make_history(hosted: Hosted, owner: Caller) -> Made:
    """The real notebooks are made first: what happened to them is counted later than the page is asked."""
    for name, hours in (("second", 2), ("first", 1)):
        owner.running(name=name, lease={"duration": hours * HOUR, "type": "TIMING"})
    stopped = owner.running(name="idle")
    owner.post(f"/{stopped['id']}/stop")
    owner.until(stopped["id"], "STOPPED")
    failed = owner.post("", owner.body(name="failing", flavor=FAILS)).json
    owner.until(failed["id"], "CREATE_FAILED")
    now = hosted.clock()
    ready = hosted.database.write_now(_write, owner.project_id, now)
    return Made(now - now % HOUR, ready, sum(count for _, count in _REASONS.values()), ["first", "second"])


def _write(connection: Connection, project_id: str, now: int) -> int:
    number = connection.execute(select(projects.c.no).where(projects.c.id == project_id)).scalar_one()
    # What happened until now is counted, so that the loop adds nothing to what is made up.
    history.count_activity(connection, now + HOUR)
    for table in (status_samples, activity_hours):
        connection.execute(delete(table).where(table.c.project_no == number))
    samples = [
        {"project_no": number, "span": span, "at": at, "status": STATUS[status], "total": total}
        for span, since in ((MINUTE, now - DAY), (HOUR, now - min(30 * DAY, KEPT[HOUR])))
        for at in range(since - since % span + span, now - now % span, span)
        for status, total in _fleet_at(at).items()
    ]
    connection.execute(insert(status_samples), samples)
    hour = now - now % HOUR
    ready = {hour - n * HOUR: 4 + n * 7 % 11 for n in range(1, 24)}
    rows = [(at, "ready", "", count) for at, count in ready.items()]
    rows += [(at, "started", "", count + 1) for at, count in ready.items()]
    rows += [
        (hour - n * HOUR, event, reason, count)
        for n, (reason, (event, count)) in enumerate(_REASONS.items(), 3)
    ]
    columns = ("project_no", "hour", "event", "reason", "total")
    connection.execute(
        insert(activity_hours), [dict(zip(columns, (number, *row), strict=True)) for row in rows]
    )
    return sum(ready.values())


def _fleet_at(at: int) -> dict[Status, int]:
    """Busy by day and empty by night, and a little more each day."""
    of_day = (1 + math.sin(at % DAY / DAY * 2 * math.pi)) / 2
    grown = 20 + at % (40 * DAY) // DAY
    return {
        Status.RUNNING: round(grown * (0.3 + of_day)),
        Status.STARTING: round(3 * of_day),
        Status.CREATE_FAILED: 2 + at // (6 * HOUR) % 3,
        Status.STOPPED: round(grown * (2 - of_day)),
    }

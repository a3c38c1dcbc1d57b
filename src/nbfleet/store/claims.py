"""Who is working on which notebook: rows in motion are claimed for a while before anything is done.

A claim is a word of its holder's with an end. Whoever holds it may apply a result; a holder that was gone
too long finds its word replaced and changes nothing. Also the queries of the other loops, which need no
claim because what they write is conditional on what they read.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select, update

from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.store import notebooks
from nbfleet.store.notebooks import Stored
from nbfleet.store.schema import instances


def is_due(connection: Connection, now: int, starts: int, others: int) -> bool:
    """Whether `claim_due` would find anything; asked first because a claim is a write."""
    i = instances.c
    wanted = [_waits(now, starts=kind) for kind, limit in ((True, starts), (False, others)) if limit > 0]
    due = select(i.rid).where(or_(False, *wanted)).limit(1)
    return bool(wanted) and connection.execute(due).first() is not None


def claim_due(
    connection: Connection, claim: str, now: int, until: int, starts: int, others: int
) -> list[Stored]:
    """Claims notebooks in motion that are due and that nobody works on, the longest due first.

    At most so many that are to start, and so many others: a crowd of starts must not hold up a stop.
    """
    i = instances.c
    rids: list[int] = []
    for kind, limit in ((True, starts), (False, others)):
        if limit > 0:
            due = select(i.rid).where(_waits(now, starts=kind)).order_by(i.due_at, i.rid).limit(limit)
            rids.extend(connection.execute(due.with_for_update(skip_locked=True)).scalars())
    if not rids:
        return []
    connection.execute(update(instances).where(i.rid.in_(rids)).values(claim=claim, claim_until=until))
    return notebooks.find_many(connection, rids)


def _waits(now: int, *, starts: bool) -> ColumnElement[bool]:
    i = instances.c
    start = and_(i.wanted == Wanted.RUNNING.value, i.observed != Observed.RUNNING.value)
    kind = start if starts else not_(start)
    return and_(i.due_at <= now, or_(i.claim_until.is_(None), i.claim_until <= now), kind)


def take(connection: Connection, claim: str, notebook_id: str, now: int, until: int) -> Stored | None:
    """Claims this one notebook, due or not; None when it is gone or somebody works on it.

    Requests still change it, but nothing is done about them until the claim ends.
    """
    i = instances.c
    found = notebooks.find(connection, notebook_id, lock=True)
    if found is None:
        return None
    free = or_(i.claim_until.is_(None), i.claim_until <= now)
    values = {"claim": claim, "claim_until": until}
    taken = connection.execute(update(instances).where(i.rid == found.rid, free).values(**values))
    return found if taken.rowcount == 1 else None


def drop(connection: Connection, claim: str, rid: int) -> None:
    """Gives up a claim and leaves everything else as it is."""
    i = instances.c
    values = {"claim": None, "claim_until": None}
    connection.execute(update(instances).where(i.rid == rid, i.claim == claim).values(**values))


def renew(connection: Connection, claim: str, rid: int, until: int) -> bool:
    """Keeps a claim for longer; False when it was lost."""
    i = instances.c
    held = update(instances).where(i.rid == rid, i.claim == claim).values(claim_until=until)
    return connection.execute(held).rowcount == 1


def release(connection: Connection, claim: str, rid: int, due_at: int) -> None:
    """Gives the notebook back unfinished, to be looked at again at `due_at`."""
    i = instances.c
    values = {"claim": None, "claim_until": None, "due_at": due_at}
    connection.execute(update(instances).where(i.rid == rid, i.claim == claim).values(**values))


def held(connection: Connection, claim: str, notebook_id: str) -> Stored | None:
    """The notebook as it is now, locked, if the claim still holds."""
    found = notebooks.find(connection, notebook_id, lock=True)
    if found is None:
        return None
    holder = connection.execute(select(instances.c.claim).where(instances.c.rid == found.rid)).scalar()
    return found if holder == claim else None


@dataclass(frozen=True, slots=True)
class Running:
    """What is needed to look at the instance of a notebook that should be running."""

    rid: int
    notebook_id: str
    generation: int
    handle: bytes | None


def running(connection: Connection, after: int, limit: int) -> list[Running]:
    """Notebooks that should be running, in order of creation, from behind row `after` on."""
    i, n = instances.c, notebooks.notebooks.c
    query = (
        select(i.rid, n.id, n.generation, i.handle)
        .join(notebooks.notebooks, n.rid == i.rid)
        .where(i.wanted == Wanted.RUNNING.value, i.observed == Observed.RUNNING.value, i.rid > after)
        .order_by(i.rid)
        .limit(limit)
    )
    return [Running(*row) for row in connection.execute(query)]


def expired(connection: Connection, now: int, limit: int) -> Sequence[str]:
    """Ids of notebooks for which the moment has come that `lifecycle.alarm_of` names."""
    i, n = instances.c, notebooks.notebooks.c
    query = (
        select(n.id).join(instances, i.rid == n.rid).where(i.stop_at <= now).order_by(i.stop_at).limit(limit)
    )
    return list(connection.execute(query).scalars())


def next_expiry(connection: Connection) -> int | None:
    i = instances.c
    query = select(i.stop_at).where(i.stop_at.is_not(None)).order_by(i.stop_at).limit(1)
    return connection.execute(query).scalar()


def release_all(connection: Connection) -> None:
    """Forgets every claim. Only for a service that knows itself to be the only one."""
    connection.execute(
        update(instances).where(instances.c.claim.is_not(None)).values(claim=None, claim_until=None)
    )

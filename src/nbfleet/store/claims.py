"""Who is working on which notebook: rows in motion are claimed for a while before anything is done.

A claim is a word of its holder's with an end. Whoever holds it may apply a result; a holder that was gone
too long finds its word replaced and changes nothing. Also the queries of the other loops, which need no
claim because what they write is conditional on what they read.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select, update

from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.store import notebooks
from nbfleet.store.notebooks import Stored
from nbfleet.store.schema import instances


def is_due(connection: Connection, now: int) -> bool:
    """Whether `claim_due` would find anything; asked first because a claim is a write."""
    i = instances.c
    due = select(i.rid).where(i.due_at <= now, or_(i.claim_until.is_(None), i.claim_until <= now)).limit(1)
    return connection.execute(due).first() is not None


def claim_due(connection: Connection, claim: str, now: int, until: int, limit: int) -> list[Stored]:
    """Claims notebooks in motion that are due and that nobody works on, the longest due first."""
    i = instances.c
    due = (
        select(i.rid)
        .where(i.due_at <= now, or_(i.claim_until.is_(None), i.claim_until <= now))
        .order_by(i.due_at, i.rid)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rids = list(connection.execute(due).scalars())
    if not rids:
        return []
    connection.execute(update(instances).where(i.rid.in_(rids)).values(claim=claim, claim_until=until))
    return notebooks.find_many(connection, rids)


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


def running(connection: Connection, after: int, limit: int) -> list[Stored]:
    """Notebooks that should be running, in order of creation, from behind row `after` on."""
    i = instances.c
    query = (
        notebooks.records()
        .where(i.wanted == Wanted.RUNNING.value, i.observed == Observed.RUNNING.value, i.rid > after)
        .order_by(i.rid)
        .limit(limit)
    )
    return [notebooks.stored(row) for row in connection.execute(query)]


def expired(connection: Connection, now: int, limit: int) -> Sequence[str]:
    """Ids of running notebooks whose lease has run out."""
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

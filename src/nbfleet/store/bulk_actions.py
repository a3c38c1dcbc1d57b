"""Actions on many notebooks as they are kept: which notebooks, and what became of each of them.

A row leaves "pending" once, whoever settles it; so an action that was cut goes on without doing anything
twice. What may be done to a notebook is decided elsewhere.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from nbfleet.domain.bulk import Action, Reason, Result
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.store import schema
from nbfleet.store.codes import FEATURE, STATUS_OF
from nbfleet.store.compiled import Statement, compiled
from nbfleet.store.directory import Directory
from nbfleet.store.listing import look_at
from nbfleet.store.shapes import Shape
from nbfleet.store.statements import along, where

_BATCH = 500
_FEATURE_OF = {code: name for name, code in FEATURE.items()}
_PENDING = Result.PENDING.value
_a, _r, _n = schema.bulk_actions.c, schema.bulk_rows.c, schema.notebooks.c


@dataclass(frozen=True, slots=True)
class Found:
    """What an action needs to know of a notebook before it is begun."""

    rid: int
    id: str
    name: str
    status: Status
    feature: str
    owner_id: str
    workspace_id: str


@dataclass(frozen=True, slots=True)
class Matching:
    """All that a query finds. `rows` is empty where `total` is more than was allowed."""

    total: int
    rows: Sequence[Found] = ()


def matching(connection: Connection, directory: Directory, query: Query, most: int) -> Matching:
    """Everything the query finds, newest first; only counted where it is more than `most`."""
    look = look_at(connection, directory, query)
    if look is None:
        return Matching(0)
    total = look.total()
    if total > most:
        return Matching(total)
    statement = _all(look.dialect, look.shape, look.narrowest().index)
    return Matching(total, [_found(row) for row in statement.run(connection, look.values).fetchall()])


def matches(connection: Connection, directory: Directory, query: Query, notebook_id: str) -> bool:
    """Whether the query finds this notebook as it is now."""
    if query.id is not None and query.id.lower() != notebook_id.lower():
        return False
    look = look_at(connection, directory, replace(query, id=notebook_id))
    if look is None:
        return False
    return _still(look.dialect, look.shape).execute(connection, look.values).first() is not None


def chosen(
    connection: Connection, directory: Directory, project_id: str, ids: Sequence[str]
) -> dict[str, Found]:
    """Those with these ids that are there, by id."""
    project_no = directory.project(connection, project_id)
    mine = _shown().where(_n.project_no == project_no, _n.status != schema.DELETED)
    found = (
        _found(row) for batch in _batches(ids) for row in connection.execute(mine.where(_n.id.in_(batch)))
    )
    return {one.id: one for one in found}


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def _shown() -> Any:
    columns = (_n.rid, _n.id, _n.name, _n.status, _n.feature)
    owner, workspace = schema.users.c, schema.workspaces.c
    joined = schema.notebooks.join(schema.users, owner.no == _n.owner_no)
    joined = joined.join(schema.workspaces, workspace.no == _n.workspace_no)
    return select(*columns, owner.id.label("owner"), workspace.id.label("workspace")).select_from(joined)


def _found(row: Any) -> Found:
    rid, id_, name, status, feature, owner_id, workspace_id = row
    return Found(rid, id_, name, STATUS_OF[status], _FEATURE_OF[feature], owner_id, workspace_id)


@lru_cache(maxsize=64)
def _all(dialect: str, shape: Shape, index: str | None) -> Statement:
    found = along(select(_n.rid).where(where(dialect, shape, index)), index).subquery("found")
    query = _shown().join(found, found.c.rid == _n.rid)
    return compiled(dialect, query.order_by(_n.create_at.desc(), _n.rid.desc()))


@lru_cache(maxsize=64)
def _still(dialect: str, shape: Shape) -> Statement:
    return compiled(dialect, select(_n.rid).where(where(dialect, shape, each=True)))


@dataclass(frozen=True, slots=True)
class Bulk:
    """One action. `wish` is JSON of what was asked for; times are in milliseconds since 1970. `counts` is how
    many rows have each result, None while some are pending."""

    no: int
    id: str
    project_id: str
    user_id: str
    action: Action
    wish: str
    total: int
    create_at: int
    end_at: int | None
    cancel_at: int | None
    counts: Mapping[Result, int] | None


@dataclass(frozen=True, slots=True)
class New:
    """An action to be written, under the request that asked for it. There is one of a user with the same
    `once`."""

    id: str
    project_id: str
    user_id: str
    action: Action
    wish: str
    request_id: str
    once: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A notebook of an action; `reason`: it is not to be changed, and why."""

    notebook_id: str
    name: str
    reason: Reason | None = None


def add(connection: Connection, new: New, targets: Sequence[Target], now: int) -> int:
    """Writes the action and all its notebooks; answers its number."""
    values = {
        "id": new.id,
        "project_id": new.project_id,
        "user_id": new.user_id,
        "action": new.action.value,
        "wish": new.wish,
        "request_id": new.request_id,
        "once": new.once,
        "total": len(targets),
        "create_at": now,
    }
    number: int = connection.execute(
        insert(schema.bulk_actions).values(**values).returning(_a.no)
    ).scalar_one()
    rows = [_row(number, place, one, now) for place, one in enumerate(targets)]
    if rows:
        connection.execute(insert(schema.bulk_rows), rows)
    end_if_done(connection, number, now)
    return number


def _row(action_no: int, place: int, target: Target, now: int) -> dict[str, Any]:
    is_kept = target.reason is not None
    return {
        "action_no": action_no,
        "place": place,
        "notebook_id": target.notebook_id,
        "name": target.name,
        "result": (Result.SKIPPED if is_kept else Result.PENDING).value,
        "reason": None if target.reason is None else target.reason.value,
        "at": now if is_kept else None,
    }


def begun_as(connection: Connection, user_id: str, once: str) -> Bulk | None:
    """The action that this user began with this key."""
    row = connection.execute(_actions().where(_a.user_id == user_id, _a.once == once)).one_or_none()
    return None if row is None else _bulk(row)


def begun_since(connection: Connection, project_id: str, user_id: str, since: int) -> int:
    """How many the user has begun in the project from this moment on."""
    mine = (_a.project_id == project_id, _a.user_id == user_id, _a.create_at >= since)
    return connection.execute(select(func.count()).where(*mine)).scalar_one()


def ids_of(connection: Connection, no: int) -> set[str]:
    """Of all notebooks of an action."""
    return set(connection.execute(select(_r.notebook_id).where(_r.action_no == no)).scalars())


def find(connection: Connection, bulk_id: str) -> Bulk | None:
    row = connection.execute(_actions().where(_a.id == bulk_id)).one_or_none()
    return None if row is None else _bulk(row)


def unfinished(connection: Connection, after: int, limit: int) -> list[Bulk]:
    """Those with work left and a higher number than `after`, oldest first."""
    query = _actions().where(_a.end_at.is_(None), _a.no > after).order_by(_a.no).limit(limit)
    return [_bulk(row) for row in connection.execute(query)]


def unfinished_of(connection: Connection, user_id: str) -> int:
    """How many of this user have work left."""
    mine = (_a.end_at.is_(None), _a.user_id == user_id)
    return connection.execute(select(func.count()).select_from(schema.bulk_actions).where(*mine)).scalar_one()


def recent(connection: Connection, project_id: str, user_id: str, offset: int, limit: int) -> list[Bulk]:
    """A page of those of this user in this project, newest first."""
    query = _actions().where(_a.project_id == project_id, _a.user_id == user_id)
    return [
        _bulk(row) for row in connection.execute(query.order_by(_a.no.desc()).offset(offset).limit(limit))
    ]


def begun_by(connection: Connection, project_id: str, user_id: str) -> int:
    """How many this user has in this project."""
    mine = (_a.project_id == project_id, _a.user_id == user_id)
    return connection.execute(select(func.count()).select_from(schema.bulk_actions).where(*mine)).scalar_one()


def _actions() -> Any:
    return select(
        _a.no, _a.id, _a.project_id, _a.user_id, _a.action, _a.wish, _a.total, _a.create_at, _a.end_at,
        _a.cancel_at, _a.counts,
    )  # fmt: skip


def _bulk(row: Any) -> Bulk:
    number, id_, project_id, user_id, action, *rest, counts = row
    told = None if counts is None else {Result(name): count for name, count in json.loads(counts).items()}
    return Bulk(number, id_, project_id, user_id, Action(action), *rest, counts=told)


def pending(connection: Connection, action_no: int, limit: int) -> list[tuple[int, str]]:
    """The next rows to be worked on, as place and notebook."""
    query = select(_r.place, _r.notebook_id).where(_r.action_no == action_no, _r.result == _PENDING)
    return [(row.place, row.notebook_id) for row in connection.execute(query.order_by(_r.place).limit(limit))]


@dataclass(frozen=True, slots=True)
class Outcome:
    result: Result
    reason: Reason | None = None
    detail: str | None = None

    def values(self, now: int) -> dict[str, Any]:
        reason = None if self.reason is None else self.reason.value
        return {"result": self.result.value, "reason": reason, "detail": self.detail, "at": now}


def settle(connection: Connection, action_no: int, place: int, outcome: Outcome, now: int) -> bool:
    """Writes what became of a row; False where that is written already."""
    mine = (_r.action_no == action_no, _r.place == place, _r.result == _PENDING)
    changed = update(schema.bulk_rows).where(*mine).values(**outcome.values(now))
    return connection.execute(changed).rowcount == 1


def settle_rest(connection: Connection, action_no: int, outcome: Outcome, now: int) -> None:
    """The same for every row that is left, and the end of the action."""
    left = (_r.action_no == action_no, _r.result == _PENDING)
    connection.execute(update(schema.bulk_rows).where(*left).values(**outcome.values(now)))
    end_if_done(connection, action_no, now)


def cancelled(connection: Connection, action_no: int, now: int) -> None:
    """Calls off what is left."""
    mine = (_a.no == action_no, _a.end_at.is_(None))
    if connection.execute(update(schema.bulk_actions).where(*mine).values(cancel_at=now)).rowcount:
        settle_rest(connection, action_no, Outcome(Result.CANCELLED), now)


def end_if_done(connection: Connection, action_no: int, now: int) -> None:
    """Ends the action where no row is pending, and writes down its results by number: no row changes then."""
    left = select(_r.place).where(_r.action_no == action_no, _r.result == _PENDING).exists()
    mine = (_a.no == action_no, _a.end_at.is_(None), ~left)
    if connection.execute(update(schema.bulk_actions).where(*mine).values(end_at=now)).rowcount:
        text = json.dumps(_counted(connection, [action_no])[action_no])
        connection.execute(update(schema.bulk_actions).where(_a.no == action_no).values(counts=text))


def counts(connection: Connection, actions: Sequence[Bulk]) -> Mapping[int, Mapping[Result, int]]:
    """How many rows there are with each result, by the number of the action. Counts only where that is not
    written down."""
    found = _counted(connection, [one.no for one in actions if one.counts is None])
    return found | {one.no: one.counts for one in actions if one.counts is not None}


def _counted(connection: Connection, action_nos: Sequence[int]) -> dict[int, Mapping[Result, int]]:
    if not action_nos:
        return {}
    query = select(_r.action_no, _r.result, func.count()).where(_r.action_no.in_(action_nos))
    found: dict[int, dict[Result, int]] = {number: {} for number in action_nos}
    for number, result, count in connection.execute(query.group_by(_r.action_no, _r.result)):
        found[number][Result(result)] = count
    return {**found}


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one notebook. `name` is that of the beginning.

    `status` and `cause` are not kept with the action: how a changed one stands by now and, if it failed or is
    still on its way after a failed try, why. None where that is not told.
    """

    notebook_id: str
    name: str
    result: Result
    reason: Reason | None
    detail: str | None
    at: int | None
    status: Status | None = None
    cause: str | None = None


def rows(
    connection: Connection, action_no: int, result: Result | None, offset: int, limit: int
) -> Sequence[Row]:
    """A page of the rows in the order of the action, of one result or of all."""
    query = _rows().where(_r.action_no == action_no)
    if result is not None:
        query = query.where(_r.result == result.value)
    return [
        _shown_row(*row) for row in connection.execute(query.order_by(_r.place).offset(offset).limit(limit))
    ]


def rows_at(connection: Connection, action_no: int, places: Sequence[int]) -> Sequence[Row]:
    """The rows at these places, in the order of the action."""
    query = _rows().where(_r.action_no == action_no, _r.place.in_(places))
    return [_shown_row(*row) for row in connection.execute(query.order_by(_r.place))]


def _rows() -> Any:
    return select(_r.notebook_id, _r.name, _r.result, _r.reason, _r.detail, _r.at)


def _shown_row(
    notebook_id: str, name: str, result: str, reason: str | None, detail: str | None, at: int | None
) -> Row:
    why = None if reason is None else Reason(reason)
    return Row(notebook_id, name, Result(result), why, detail, at)


def forget(connection: Connection, before: int, limit: int = _BATCH) -> bool:
    """Drops up to `limit` rows of one action that ended before this moment, and the action with the last of
    them; answers whether there may be more to drop. What was changed stays in the audit trail."""
    oldest = select(_a.no).where(_a.end_at < before).order_by(_a.no).limit(1)
    number = connection.execute(oldest).scalar_one_or_none()
    if number is None:
        return False
    first = select(_r.place).where(_r.action_no == number).order_by(_r.place).limit(limit)
    dropped = delete(schema.bulk_rows).where(_r.action_no == number, _r.place.in_(first))
    if connection.execute(dropped).rowcount < limit:
        connection.execute(delete(schema.bulk_actions).where(_a.no == number))
    return True

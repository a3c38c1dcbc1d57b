"""How the notebooks of an action on many stand by now, as far as the action changed them.

Every question is bounded by the rows of one action and answered by the ids in them, however many notebooks
there are. Who may know of a notebook is decided elsewhere: each answer comes with owner and workspace.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select

from nbfleet.domain.bulk import Result
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.tries import RETRIES, TELLING
from nbfleet.store import schema
from nbfleet.store.codes import STATUS, STATUS_OF

T = TypeVar("T")
_BATCH = 500
_r, _n, _t = schema.bulk_rows.c, schema.notebooks.c, schema.audit.c


@dataclass(frozen=True, slots=True)
class Group:
    """So many notebooks of one owner in one workspace that have this status by now."""

    status: Status
    owner_id: str
    workspace_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one notebook stands by now."""

    id: str
    rid: int
    status: Status
    owner_id: str
    workspace_id: str


def groups(connection: Connection, action_no: int) -> Sequence[Group]:
    """Of all that the action changed; the same group may come more than once."""
    owner, workspace = schema.users.c.id, schema.workspaces.c.id
    query = _joined(_n.status, owner, workspace, func.count()).group_by(_n.status, owner, workspace)
    return [
        _group(row)
        for batch in _batches(list(_changed(connection, action_no)))
        for row in connection.execute(query.where(_n.id.in_(batch)))
    ]


def with_status(connection: Connection, action_no: int, status: Status) -> Sequence[tuple[int, Standing]]:
    """Those that the action changed and that have this status by now, each with its place in the action."""
    places = _changed(connection, action_no)
    query = _standings().where(_n.status == STATUS[status])
    found = [(places[one.id], one) for one in _found(connection, query, list(places))]
    return sorted(found, key=lambda one: one[0])


def standings(connection: Connection, ids: Sequence[str]) -> Sequence[Standing]:
    """Of the notebooks with these ids, deleted ones too; in no order."""
    return list(_found(connection, _standings(), ids))


def failed_tries(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """By id, why the last try of what is still pending failed, where one did. A notebook in motion has begun
    with that lately, so little of its record is looked at."""
    newest = (
        select(_t.no)
        .where(_t.notebook_id == _n.id, _t.event.in_(sorted(TELLING)))
        .order_by(_t.no.desc())
        .limit(1)
        .correlate(schema.notebooks)
        .scalar_subquery()
    )
    told = select(_t.notebook_id, _t.reason).where(_t.event.in_(sorted(RETRIES)))
    return {
        id_: reason or ""
        for batch in _batches(ids)
        for id_, reason in connection.execute(
            told.where(_t.no.in_(select(newest.label("no")).where(_n.id.in_(batch))))
        )
    }


def fail_reasons(connection: Connection, rids: Sequence[int]) -> dict[int, str]:
    """By number, why the notebook failed, where that is known."""
    i = schema.instances.c
    query = select(i.rid, i.fail_reason).where(i.fail_reason.is_not(None))
    return {
        rid: reason
        for batch in _batches(rids)
        for rid, reason in connection.execute(query.where(i.rid.in_(batch)))
    }


def _changed(connection: Connection, action_no: int) -> dict[str, int]:
    """The place of each notebook that the action changed, by its id."""
    query = select(_r.notebook_id, _r.place).where(_r.action_no == action_no, _r.result == Result.DONE.value)
    return {row.notebook_id: row.place for row in connection.execute(query)}


def _joined(*columns: Any) -> Any:
    joined = schema.notebooks.join(schema.users, schema.users.c.no == _n.owner_no)
    joined = joined.join(schema.workspaces, schema.workspaces.c.no == _n.workspace_no)
    return select(*columns).select_from(joined)


def _standings() -> Any:
    return _joined(_n.id, _n.rid, _n.status, schema.users.c.id, schema.workspaces.c.id)


def _found(connection: Connection, query: Any, ids: Sequence[str]) -> Iterator[Standing]:
    for batch in _batches(ids):
        for row in connection.execute(query.where(_n.id.in_(batch))):
            yield _standing(row)


def _group(row: Any) -> Group:
    status, owner_id, workspace_id, count = row
    return Group(STATUS_OF[status], owner_id, workspace_id, count)


def _standing(row: Any) -> Standing:
    id_, rid, status, owner_id, workspace_id = row
    return Standing(id_, rid, STATUS_OF[status], owner_id, workspace_id)


def _batches(those: Sequence[T]) -> Iterator[Sequence[T]]:
    return (those[start : start + _BATCH] for start in range(0, len(those), _BATCH))

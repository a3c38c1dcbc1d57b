"""Quotas, and how much of each is used, counted where it is limited: in the transaction that takes more.

Which notebooks count is said here once. Every one that is not deleted counts as an instance and with its
storage; vCPUs and memory are taken by those that have, or are to have, room, exactly as in pools.
"""

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
)

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.notebook import CUSTOM_FLAVOR, Observed
from nbfleet.domain.quotas import Holder, Quota, Resource, Subject
from nbfleet.store.codes import STATUS
from nbfleet.store.notebooks import making_of
from nbfleet.store.pools import Taken
from nbfleet.store.schema import (
    DELETED,
    HAS_ROOM,
    count_by_owner,
    count_by_status,
    count_by_workspace,
    instances,
    notebooks,
    quotas,
    storage_used,
)

_COLUMN = {Holder.WORKSPACE: "workspace_no", Holder.USER: "owner_no"}
_COUNTER = {
    Holder.PROJECT: count_by_status,
    Holder.WORKSPACE: count_by_workspace,
    Holder.USER: count_by_owner,
}


def of(connection: Connection, project_no: int, *subjects: Subject, lock: bool = False) -> list[Quota]:
    """The quotas of these subjects. `lock`: nobody else who asks so gets one of them until the commit."""
    q = quotas.c
    wanted = [and_(q.holder == one.holder.value, q.holder_no == one.number) for one in subjects]
    query = select(q.holder, q.holder_no, q.resource, q.value, q.update_at).where(
        q.project_no == project_no, or_(*wanted)
    )
    query = query.order_by(q.holder, q.holder_no, q.resource)
    rows = connection.execute(query.with_for_update() if lock else query)
    return [
        Quota(Subject(Holder(holder), number), Resource(resource), value, at)
        for holder, number, resource, value, at in rows
    ]


def put(connection: Connection, project_no: int, quota: Quota) -> None:
    q, subject = quotas.c, quota.subject
    row = {
        "project_no": project_no,
        "holder": subject.holder.value,
        "holder_no": subject.number,
        "resource": quota.resource.value,
    }
    connection.execute(delete(quotas).where(*(q[name] == value for name, value in row.items())))
    connection.execute(insert(quotas).values(**row, value=quota.value, update_at=quota.update_at))


def remove(connection: Connection, project_no: int, subject: Subject, resource: Resource) -> bool:
    """False where there is none."""
    q = quotas.c
    mine = (q.project_no == project_no, q.holder == subject.holder.value, q.holder_no == subject.number)
    return connection.execute(delete(quotas).where(*mine, q.resource == resource.value)).rowcount == 1


def instances_of(connection: Connection, project_no: int, subject: Subject) -> int:
    counter = _COUNTER[subject.holder]
    total = select(func.coalesce(func.sum(counter.c.total), 0)).where(counter.c.status != DELETED)
    total = total.where(*_mine(counter, project_no, subject))
    return int(connection.execute(total).scalar_one())


def storage_of(connection: Connection, project_no: int, subject: Subject) -> int:
    """In GB."""
    total = select(func.coalesce(func.sum(storage_used.c.total), 0))
    return int(connection.execute(total.where(*_mine(storage_used, project_no, subject))).scalar_one())


def taken_by(connection: Connection, project_no: int, subject: Subject) -> Taken:
    """What has room. What is being deleted has it as long as something of it runs."""
    n, i = notebooks.c, instances.c
    runs = select(i.rid).where(i.rid == n.rid, i.observed == Observed.RUNNING.value)
    still_runs = runs.correlate(notebooks).exists()
    gone = and_(n.status == STATUS[Status.DELETING], not_(still_runs))
    mine = (*_mine(notebooks, project_no, subject), HAS_ROOM, not_(gone))
    counted = select(n.flavor, func.count()).where(*mine).group_by(n.flavor)
    flavors = {flavor: int(number) for flavor, number in connection.execute(counted)}
    if not flavors.pop(CUSTOM_FLAVOR, 0):
        return Taken(flavors, [])
    made = select(i.making).join(notebooks, i.rid == n.rid).where(*mine, n.flavor == CUSTOM_FLAVOR)
    sizes = (making_of(text).size for text in connection.execute(made).scalars())
    return Taken(flavors, [size for size in sizes if size is not None])


def _mine(table: Table, project_no: int, subject: Subject) -> list[ColumnElement[bool]]:
    column = _COLUMN.get(subject.holder)
    mine = [table.c.project_no == project_no]
    return mine if column is None else [*mine, table.c[column] == subject.number]

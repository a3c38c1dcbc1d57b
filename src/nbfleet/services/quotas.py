"""Quotas: how much the notebooks of a user, a workspace or a project may be and have, and that it stays so.

What takes more is checked in the transaction that takes it, with the quotas concerned locked: of two requests
that ask for the last piece at once, one gets it. Lowering a quota stops nothing that is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nbfleet.domain import quotas as rules
from nbfleet.domain.access import Caller
from nbfleet.domain.notebook import Notebook
from nbfleet.domain.quotas import EVERY_USER, THE_PROJECT, Amounts, Holder, Quota, Resource, Subject
from nbfleet.services import pools, workspaces
from nbfleet.services.context import Context
from nbfleet.store import quotas
from nbfleet.store import workspaces as places
from nbfleet.store.database import Connection
from nbfleet.store.workspaces import Workspace
from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.workspaces import UpdateWorkspaceQuotasReqQuotas


@dataclass(frozen=True, slots=True)
class Standing:
    """A quota with what is used of it; None where it is unlimited or was not asked for."""

    quota: Quota
    used: float | None = None


# What notebooks take.


def admit_new(connection: Connection, context: Context, notebook: Notebook) -> None:
    size = pools.notebook_size(context, notebook)
    asked = {Resource.INSTANCES: 1, Resource.STORAGE: notebook.volume.capacity}
    _admit(connection, context, notebook, asked | {Resource.VCPUS: size.vcpus, Resource.MEMORY: size.memory})


def admit_start(connection: Connection, context: Context, notebook: Notebook) -> None:
    size = pools.notebook_size(context, notebook)
    _admit(connection, context, notebook, {Resource.VCPUS: size.vcpus, Resource.MEMORY: size.memory})


def admit_growth(connection: Connection, context: Context, before: Notebook, after: Notebook) -> None:
    more = after.volume.grown().capacity - before.volume.grown().capacity
    if more > 0:
        _admit(connection, context, after, {Resource.STORAGE: more})


def _admit(connection: Connection, context: Context, notebook: Notebook, asked: Amounts) -> None:
    """Refuses what would be more than some quota allows."""
    project_no = _known(context.directory.project(connection, notebook.project_id))
    workspace_no = context.directory.workspace(connection, project_no, notebook.workspace_id)
    user_no = _known(context.directory.user(connection, notebook.owner_id))
    if workspace_no is None:
        raise errors.workspace_not_found(notebook.workspace_id)
    user, workspace = Subject(Holder.USER, user_no), Subject(Holder.WORKSPACE, workspace_no)
    places.hold_project(connection, project_no)
    found = quotas.of(connection, project_no, user, EVERY_USER, workspace, THE_PROJECT, lock=True)
    usage = _Usage(connection, context, project_no)
    for quota in rules.in_force(found):
        more = asked.get(quota.resource, 0)
        subject = user if quota.subject == EVERY_USER else quota.subject
        used = usage.of(subject, quota.resource) if more else 0
        if more and rules.exceeds(quota, used, more):
            raise _refusal(quota, notebook, used, more)


def _known(number: int | None) -> int:
    if number is None:
        raise errors_credentials.token_invalid()  # Deleted since it was proved.
    return number


def _refusal(quota: Quota, notebook: Notebook, used: float, asked: float) -> errors.ApiError:
    whose = {
        Holder.USER: "the user",
        Holder.WORKSPACE: f"the workspace {notebook.workspace_id}",
        Holder.PROJECT: "the project",
    }
    unit = rules.UNITS[quota.resource]
    limit, taken, more = (f"{amount:.15g} {unit}".rstrip() for amount in (quota.value, used, asked))
    is_count = quota.resource is Resource.INSTANCES
    return errors.over_quota(
        quota.resource.value, whose[quota.subject.holder], limit, taken, more, is_count=is_count
    )


class _Usage:
    """What is used, looked up once for each subject as far as it is asked for."""

    def __init__(self, connection: Connection, context: Context, project_no: int) -> None:
        self._connection = connection
        self._context = context
        self._project_no = project_no
        self._running: dict[Subject, Mapping[Resource, float]] = {}

    def of(self, subject: Subject, resource: Resource) -> float:
        if resource is Resource.INSTANCES:
            return quotas.instances_of(self._connection, self._project_no, subject)
        if resource is Resource.STORAGE:
            return quotas.storage_of(self._connection, self._project_no, subject)
        if subject not in self._running:
            taken = quotas.taken_by(self._connection, self._project_no, subject)
            size = pools.total_size(self._context, taken)
            self._running[subject] = {Resource.VCPUS: size.vcpus, Resource.MEMORY: size.memory}
        return self._running[subject][resource]


# Those of a workspace, which its users see and administrators set.


async def of_workspace(context: Context, caller: Caller, workspace_id: str) -> list[Standing]:
    """One for each resource."""

    def read(connection: Connection) -> list[Standing]:
        found = workspaces.usable(connection, context, caller, workspace_id)
        project_no = _known(context.directory.project(connection, caller.project_id))
        subject = Subject(Holder.WORKSPACE, found.no)
        return standings(connection, context, project_no, subject, found.create_at)

    return await context.database.read(read)


async def set_of_workspace(
    context: Context, caller: Caller, workspace_id: str, wanted: Sequence[UpdateWorkspaceQuotasReqQuotas]
) -> list[Quota]:
    """Those that were set, in the order in which they were named."""
    checked = _checked(wanted)

    def write(connection: Connection) -> list[Quota]:
        project_no = _known(context.directory.project(connection, caller.project_id))
        places.lock_project(connection, project_no)
        found: Workspace = workspaces.usable(connection, context, caller, workspace_id)
        now, subject = context.clock(), Subject(Holder.WORKSPACE, found.no)
        made = [Quota(subject, resource, value, now) for resource, value in checked.items()]
        for quota in made:
            quotas.put(connection, project_no, quota)
        return made

    return await context.database.write(write)


def _checked(wanted: Iterable[UpdateWorkspaceQuotasReqQuotas]) -> dict[Resource, int]:
    found: dict[Resource, int] = {}
    for place, one in enumerate(wanted):
        if one.resource not in set(Resource):
            raise errors.wrong_value(f"quotas[{place}].resource", one.resource, list(Resource))
        if one.resource in found:
            raise errors.wrong_value(f"quotas[{place}].resource", one.resource, "each resource once")
        if not rules.is_value(one.quota):
            raise errors.wrong_value(f"quotas[{place}].quota", one.quota, f"-1, or 1 to {rules.MOST}")
        found[Resource(one.resource)] = one.quota
    return found


async def instances_of(context: Context, caller: Caller) -> int:
    """How many notebooks the caller may have in the project; -1 where nothing is said of it."""

    def read(connection: Connection) -> int:
        project_no = _known(context.directory.project(connection, caller.project_id))
        user_no = _known(context.directory.user(connection, caller.user_id))
        found = quotas.of(connection, project_no, Subject(Holder.USER, user_no), EVERY_USER)
        limits = [one.value for one in rules.in_force(found) if one.resource is Resource.INSTANCES]
        return limits[0] if limits else rules.UNLIMITED

    return await context.database.read(read)


# For administrators at the store.


def standings(
    connection: Connection, context: Context, project_no: int, subject: Subject, since: int = 0
) -> list[Standing]:
    """One for each resource; `since` is when those begin that were never set."""
    own = {one.resource: one for one in quotas.of(connection, project_no, subject)}
    usage = _Usage(connection, context, project_no)
    found = [own.get(one) or Quota(subject, one, rules.UNLIMITED, since) for one in Resource]
    return [
        Standing(one, None if one.value == rules.UNLIMITED else usage.of(subject, one.resource))
        for one in found
    ]


def set_quota(connection: Connection, project_no: int, quota: Quota) -> None:
    places.lock_project(connection, project_no)
    quotas.put(connection, project_no, quota)


def remove_quota(connection: Connection, project_no: int, subject: Subject, resource: Resource) -> bool:
    """False where there is none."""
    places.lock_project(connection, project_no)
    return quotas.remove(connection, project_no, subject, resource)

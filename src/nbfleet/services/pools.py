"""Pools: what the settings set aside for a project, who may use it, and whether there is room.

The settings say which pools there are and how large; the store knows what runs in them. Room is counted under
the lock of the pool, in the transaction that takes it. Nothing here puts an instance on a machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nbfleet.domain import access, capacity
from nbfleet.domain.access import Caller, Scope
from nbfleet.domain.capacity import Room, Size, size_of
from nbfleet.domain.listing import Query
from nbfleet.domain.notebook import CUSTOM_FLAVOR, Notebook
from nbfleet.services.context import Context
from nbfleet.settings import BadSettings, FlavorSettings, PoolSettings
from nbfleet.store import identity, pools
from nbfleet.store.database import Connection
from nbfleet.store.listing import look_at
from nbfleet.store.pools import Named, Taken
from nbfleet.wire import errors

PUBLIC = "public"  # What is called so in answers: the machine, for all that are in no pool of the settings.


@dataclass(frozen=True, slots=True)
class Offered:
    """A pool of the settings as it is now, with the flavors that it takes at all."""

    settings: PoolSettings
    named: Named
    room: Room
    flavors: Sequence[FlavorSettings]


def put_all(connection: Connection, context: Context) -> None:
    """At a start: every pool of the settings has its row."""
    for pool in context.settings.pools:
        name = pool.project or context.settings.project
        project = identity.project(connection, name=name)
        if project is None:
            raise BadSettings(f"The pool {pool.id} is for the project {name}, which does not exist.")
        pools.put(connection, project.no, pool.id, pool.name, context.clock())


async def listed(context: Context, caller: Caller, workspace_id: str | None) -> list[Offered]:
    """The pools of the project, in the order of the settings; None for those of any workspace."""
    if not context.settings.pools:
        return []
    found = await context.database.read(_offered, context, caller.project_id)
    return [one for one in found if _is_shown(one.settings, caller, workspace_id)]


async def shown(context: Context, caller: Caller, pool_id: str) -> Offered:
    found = await listed(context, caller, None)
    one = next((one for one in found if one.settings.id == pool_id), None)
    if one is None:
        raise errors.not_found("pool", pool_id)
    return one


async def notebooks_of(context: Context, caller: Caller) -> int:
    """How many notebooks the caller has in the project, in all workspaces."""
    query = access.narrow(Query(workspace_id=None, owner_id=caller.user_id), caller, Scope.OWN)
    return await context.database.read(_count, context, query)


def _count(connection: Connection, context: Context, query: Query) -> int:
    look = look_at(connection, context.directory, query)
    return 0 if look is None else look.total()


def admit(connection: Connection, context: Context, notebook: Notebook) -> None:
    """Refuses a new notebook that its pool does not take, or has no room for."""
    if notebook.pool_id is None:
        free = _lacking_publicly(connection, context, notebook)
        if free is not None:
            raise errors.flavor_sold_out(notebook.flavor, PUBLIC, free)
        return
    project = identity.project(connection, id=notebook.project_id)
    offered = [] if project is None else _of_project(context, project.name)
    wanted = next((one for one in offered if one.id == notebook.pool_id), None)
    if wanted is None:
        raise errors.wrong_value("pool_id", notebook.pool_id, [one.id for one in offered] or "none")
    if wanted.workspaces and notebook.workspace_id not in wanted.workspaces:
        allowed = f"a pool that is open to the workspace {notebook.workspace_id}"
        raise errors.wrong_value("pool_id", notebook.pool_id, allowed)
    _check_fit(context, wanted, notebook)
    free = _lacking(connection, context, wanted, notebook)
    if free is not None:
        raise errors.flavor_sold_out(notebook.flavor, wanted.id, free)


def check_change(context: Context, notebook: Notebook) -> None:
    """Refuses a flavor or size that the pool of a stopped notebook does not take; room is looked for when it
    starts."""
    pool = next((one for one in context.settings.pools if one.id == notebook.pool_id), None)
    if pool is not None:
        _check_fit(context, pool, notebook)


def _check_fit(context: Context, pool: PoolSettings, notebook: Notebook) -> None:
    """Whether the pool takes the flavor, or the size, at all."""
    custom = notebook.making.size
    fitting = [flavor.id for flavor in _fitting(context, pool)]
    if custom is None and notebook.flavor in fitting:
        return
    if custom is None or (pool.flavors and CUSTOM_FLAVOR not in pool.flavors):
        raise errors.flavor_not_in_pool(notebook.flavor, pool.id, fitting or "none")
    size = Size(custom.vcpus, custom.memory)
    machines = [node for node in pool.nodes if custom.resource_flavor in (None, node.name)]
    if not machines:
        names = dict.fromkeys(node.name for node in pool.nodes)
        raise errors.wrong_value("custom_spec.resource_flavor", custom.resource_flavor, names)
    if not any(size_of(node).holds(size) for node in machines):
        largest = max(machines, key=lambda node: (node.vcpus, node.memory))
        allowed = f"at most {largest.vcpus} vCPUs and {largest.memory} MiB, the largest machine of {pool.id}"
        given = f"{custom.vcpus:g} vCPUs and {custom.memory} MiB"
        raise errors.wrong_value("custom_spec", given, allowed)


def make_room(connection: Connection, context: Context, notebook: Notebook) -> None:
    """Refuses to start a notebook that its pool has no room for. One that the settings no longer name says
    nothing about its room, and what is in it may go on."""
    if notebook.pool_id is None:
        free = _lacking_publicly(connection, context, notebook)
        if free is not None:
            raise errors.start_without_resources(notebook.flavor, PUBLIC, free)
        return
    project = identity.project(connection, id=notebook.project_id)
    offered = [] if project is None else _of_project(context, project.name)
    pool = next((one for one in offered if one.id == notebook.pool_id), None)
    free = None if pool is None else _lacking(connection, context, pool, notebook)
    if free is not None:
        raise errors.start_without_resources(notebook.flavor, notebook.pool_id, free)


def _lacking(connection: Connection, context: Context, pool: PoolSettings, notebook: Notebook) -> str | None:
    """What is free, in words, where that is not enough."""
    named = pools.named(connection, notebook.project_id, pool.id)
    if named is None:
        return "nothing until the next start of the service"
    pools.lock(connection, named.no)
    room = _room(context, pool, pools.taken(connection, [named.no])[named.no])
    return None if room.free.holds(notebook_size(context, notebook)) else room.words()


def public_room(connection: Connection, context: Context) -> Room | None:
    """What the public pool has and has given away; None where nothing bounds it."""
    if context.machine is None:
        return None
    taken = pools.taken_publicly(connection)
    return Room(context.machine, capacity.total(_size_of(context, f).times(n) for f, n in taken.items()))


def _lacking_publicly(connection: Connection, context: Context, notebook: Notebook) -> str | None:
    if context.machine is not None:
        pools.lock_public(connection)
    room = public_room(connection, context)
    if room is None or room.free.holds(_size_of(context, notebook.flavor)):
        return None
    return room.words()


def _offered(connection: Connection, context: Context, project_id: str) -> list[Offered]:
    project = identity.project(connection, id=project_id)
    mine = [] if project is None else _of_project(context, project.name)
    named = pools.of_project(connection, project_id, [one.id for one in mine])
    taken = pools.taken(connection, [one.no for one in named.values()])
    return [
        Offered(one, named[one.id], _room(context, one, taken[named[one.id].no]), _fitting(context, one))
        for one in mine
        if one.id in named
    ]


def _of_project(context: Context, project_name: str) -> list[PoolSettings]:
    first = context.settings.project
    return [one for one in context.settings.pools if (one.project or first) == project_name]


def _is_shown(pool: PoolSettings, caller: Caller, workspace_id: str | None) -> bool:
    """Whether it is open to the workspace asked for, or to any that the caller may enter."""
    asked = None if workspace_id is None else {workspace_id}
    wanted = caller.granted if asked is None else asked if caller.granted is None else asked & caller.granted
    return wanted is None or bool(wanted & set(pool.workspaces) if pool.workspaces else wanted)


def _fitting(context: Context, pool: PoolSettings) -> list[FlavorSettings]:
    """The flavors that the pool takes and that one of its machines can hold."""
    machines = [size_of(node) for node in pool.nodes]
    return [
        flavor
        for flavor in context.settings.flavors
        if (not pool.flavors or flavor.id in pool.flavors)
        and any(machine.holds(size_of(flavor)) for machine in machines)
    ]


def _room(context: Context, pool: PoolSettings, taken: Taken) -> Room:
    everything = capacity.total(size_of(node).times(node.count) for node in pool.nodes)
    return Room(everything, total_size(context, taken))


def total_size(context: Context, taken: Taken) -> Size:
    of_flavors = (_size_of(context, flavor).times(count) for flavor, count in taken.flavors.items())
    of_their_own = (Size(one.vcpus, one.memory) for one in taken.custom)
    return capacity.total((*of_flavors, *of_their_own))


def notebook_size(context: Context, notebook: Notebook) -> Size:
    """What the notebook takes where it runs."""
    custom = notebook.making.size
    return _size_of(context, notebook.flavor) if custom is None else Size(custom.vcpus, custom.memory)


def told_size(context: Context, notebook: Notebook) -> Size | None:
    """The same, but None where the flavor is no longer offered and nothing tells."""
    offered = any(flavor.id == notebook.flavor for flavor in context.settings.flavors)
    return notebook_size(context, notebook) if offered or notebook.making.size is not None else None


def _size_of(context: Context, flavor_id: str) -> Size:
    """What is no longer offered may still run, and is taken for the largest, to be on the safe side."""
    sizes = {flavor.id: size_of(flavor) for flavor in context.settings.flavors}
    return sizes.get(flavor_id) or Size(
        max(one.vcpus for one in sizes.values()), max(one.memory for one in sizes.values())
    )

"""Volumes that grow, instances that are frozen, and free ones that nobody uses any more."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from nbfleet.domain.access import Role
from nbfleet.domain.lifecycle import UNUSED, Status
from nbfleet.domain.notebook import Volume
from nbfleet.reconciler import sweeper
from nbfleet.reconciler.loop import GIVE_UP
from nbfleet.services import notebooks as services
from nbfleet.store.schema import audit as audit_table
from nbfleet.wire.errors import ApiError
from nbfleet.wire.notebooks import NotebookUpdateRequest
from support import fleet
from support.rig import REQUEST, Behaviour, Machine, Rig, restarted, run, service, until

ADMINISTRATOR = replace(REQUEST, caller=replace(REQUEST.caller, role=Role.ADMINISTRATOR))
GREEDY = Behaviour(grow_fail_reason="the disk has 9 GB in all")


async def grow(rig: Rig, notebook_id: str, size: int) -> Volume:
    """The volume as the request leaves it: what grows it may be done by the next look."""
    body = NotebookUpdateRequest(storage_new_size=size)
    return (await services.update(rig.context, REQUEST, notebook_id, body)).notebook.volume


async def trail(machine: Machine) -> list[tuple[str, str | None]]:
    """Event and reason, first to last, without the steps of starts."""

    def read(connection: Connection) -> list[tuple[str, str | None]]:
        a = audit_table.c
        rows = connection.execute(select(a.event, a.reason).where(a.event != "step").order_by(a.no))
        return [(row.event, row.reason) for row in rows]

    return await machine.user.read(read)


async def at_work(rig: Rig) -> None:
    """Waits until one effect is in hand and no other: it sleeps, and so does what keeps its claim."""

    async def sleeps() -> bool:
        return (rig.in_hand, rig.machine.clock.sleepers) == (1, 2)

    await until(sleeps)


def test_a_volume_grows_whether_its_notebook_runs_or_not(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            before = await rig.ends(notebook_id, Status.RUNNING)
            assert await grow(rig, notebook_id, 20) == replace(before.volume, growing_to=20)
            grown = await rig.ends(notebook_id, Status.RUNNING)
            assert grown.volume == replace(before.volume, capacity=20)
            await rig.stop(notebook_id)
            await rig.ends(notebook_id, Status.STOPPED)
            await grow(rig, notebook_id, 30)
            assert (await rig.ends(notebook_id, Status.STOPPED)).volume.capacity == 30
            assert machine.world.capacities == {notebook_id: 30}
        events = [event for event, _ in await trail(machine)]
        assert events == ["create", "ready", "update", "grown", "stop", "found stopped", "update", "grown"]

    run(store_url, test)


def test_a_volume_that_cannot_grow_stays_as_it_is(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, lambda _: GREEDY) as rig:
            notebook_id = await rig.create()
            before = await rig.ends(notebook_id, Status.RUNNING)
            await grow(rig, notebook_id, 20)
            assert (await rig.ends(notebook_id, Status.RUNNING)).volume == before.volume
            assert (await trail(machine))[-1] == ("grow failed", "the disk has 9 GB in all")

    run(store_url, test)


def test_growing_is_tried_again_and_given_up_in_the_end(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            before = await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].lost_answers = 1
            await grow(rig, notebook_id, 20)
            assert (await rig.settled(notebook_id, 1000)).volume.capacity == 20
            machine.world.instances[notebook_id].lost_answers = GIVE_UP
            await grow(rig, notebook_id, 30)
            given_up = await rig.settled(notebook_id, 1000)
            assert given_up.volume == replace(before.volume, capacity=20)
            event, reason = (await trail(machine))[-1]
            assert event == "grow failed"
            assert reason == "It failed 5 times; the last cause: simulated: the answer was lost"

    run(store_url, test)


def test_a_service_that_dies_while_a_volume_grows_goes_on_later(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        slow = Behaviour(step_seconds=5)
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].behaviour = slow
            await grow(rig, notebook_id, 20)
            await at_work(rig)
        machine.world.instances[notebook_id].behaviour = Behaviour()
        await restarted(machine)
        async with service(machine) as rig:
            assert (await rig.ends(notebook_id, Status.RUNNING)).volume.capacity == 20

    run(store_url, test)


def test_while_a_volume_grows_another_size_is_refused(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            before = await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].behaviour = Behaviour(step_seconds=5)
            growing = await grow(rig, notebook_id, 20)
            await at_work(rig)
            for size in (before.volume.capacity, 20):
                assert await grow(rig, notebook_id, size) == growing
            with pytest.raises(ApiError) as refused:
                await grow(rig, notebook_id, 30)
            assert refused.value.message == (
                f"The instance {notebook_id} is growing its volume and cannot grow it again now."
            )
            machine.world.instances[notebook_id].behaviour = Behaviour()
        await restarted(machine)
        async with service(machine) as rig:
            assert (await rig.ends(notebook_id, Status.RUNNING)).volume.capacity == 20

    run(store_url, test)


def test_a_stop_does_not_wait_for_a_volume_that_grows(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].behaviour = Behaviour(step_seconds=50)
            await grow(rig, notebook_id, 20)
            await at_work(rig)
            machine.world.instances[notebook_id].behaviour = Behaviour()  # Of what comes next.
            await rig.stop(notebook_id)
            stopped = await rig.ends(notebook_id, Status.STOPPED)
            assert (stopped.volume.capacity, stopped.volume.growing_to) == (20, None)
        events = [event for event, _ in await trail(machine)]
        assert events == ["create", "ready", "update", "stop", "found stopped", "grown"]

    run(store_url, test)


def test_what_is_frozen_is_stopped_and_stays_so(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            await services.freeze(rig.context, ADMINISTRATOR, notebook_id)
            frozen = await rig.ends(notebook_id, Status.FROZEN)
            assert (machine.alive(), frozen.handle, frozen.ip) == ([], None, None)
            await services.unfreeze(rig.context, ADMINISTRATOR, notebook_id)
            assert await machine.status(notebook_id) is Status.STOPPED
            await rig.start(notebook_id)
            await rig.ends(notebook_id, Status.RUNNING)
        events = [event for event, _ in await trail(machine)]
        assert events == ["create", "ready", "freeze", "found stopped", "unfreeze", "start", "ready"]

    run(store_url, test)


def test_a_service_that_dies_while_it_freezes_stops_the_instance_later(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].behaviour = Behaviour(stop_seconds=5)
            await services.freeze(rig.context, ADMINISTRATOR, notebook_id)
            await at_work(rig)
        assert len(machine.alive()) == 1
        machine.world.instances[notebook_id].behaviour = Behaviour()
        await restarted(machine)
        async with service(machine) as rig:
            await rig.ends(notebook_id, Status.FROZEN)
            assert machine.alive() == []

    run(store_url, test)


def test_a_free_instance_that_nobody_uses_is_removed_after_three_days(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            free = await rig.create(feature="DEFAULT")
            ordinary = await rig.create()
            for one in (free, ordinary):
                await rig.ends(one, Status.RUNNING)
            machine.clock.advance(fleet.HOUR)
            assert await sweeper.stop_once(rig.works, rig.reconciler.hint) == 2
            for one in (free, ordinary):
                await rig.ends(one, Status.STOPPED)
            machine.clock.advance(UNUSED - 1)
            assert await sweeper.stop_once(rig.works, rig.reconciler.hint) == 0
            machine.clock.advance(1)
            assert await sweeper.stop_once(rig.works, rig.reconciler.hint) == 1
            await rig.ends(free, Status.DELETED)
            assert await machine.status(ordinary) is Status.STOPPED
            # There is room for another one now.
            await rig.ends(await rig.create(feature="DEFAULT"), Status.RUNNING)

    run(store_url, test)

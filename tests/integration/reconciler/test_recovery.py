"""The service dies at any moment, or is replaced by another: what was begun ends where it was going."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError

from nbfleet.domain.lifecycle import Status, effect_for, status_of
from nbfleet.domain.notebook import Step
from nbfleet.reconciler.loop import HEARTBEAT
from nbfleet.reconciler.works import CLAIM
from nbfleet.store import claims
from nbfleet.store.database import Database
from nbfleet.store.schema import instances
from support.rig import Behaviour, CutDatabase, Machine, Rig, restarted, run, service, until

Wish = Callable[[Rig, str], Awaitable[None]]
# Wishes, where each leads, and the starts that then live.
LIFE: list[tuple[Wish, Status, list[int]]] = [
    (lambda rig, notebook_id: rig.stop(notebook_id), Status.STOPPED, []),
    (lambda rig, notebook_id: rig.start(notebook_id), Status.RUNNING, [2]),
    (lambda rig, notebook_id: rig.delete(notebook_id), Status.DELETED, []),
]


async def one_life(machine: Machine, database: CutDatabase) -> None:
    """Create, stop, start, delete, with a service that dies at one write and another in its place."""
    async with AsyncExitStack() as stack:
        rig = await stack.enter_async_context(service(machine, database=database))
        database.cut = rig.task.cancel

        async def reach(notebook_id: str, status: Status, alive: list[int]) -> None:
            nonlocal rig
            while effect_for(await machine.find(notebook_id)) is not None:
                if rig.task.done():
                    await restarted(machine)
                    rig = await stack.enter_async_context(service(machine))
                await asyncio.sleep(0.001)
            found = await machine.find(notebook_id)
            assert (status_of(found), found.fail_reason, found.progress) == (status, None, None)
            assert machine.alive() == [(notebook_id, generation) for generation in alive]

        notebook_id = await rig.create()
        await reach(notebook_id, Status.RUNNING, [1])
        for wish, status, alive in LIFE:
            await wish(rig, notebook_id)
            await reach(notebook_id, status, alive)
        assert machine.world.starts == {(notebook_id, 1): 1, (notebook_id, 2): 1}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_service_that_dies_at_any_write_is_replaced(store_url: str, after: bool) -> None:
    async def test(machine: Machine) -> None:
        for at in range(1, 100):
            database = CutDatabase(store_url, at, after)
            machine.world.instances.clear()
            machine.world.starts.clear()
            await one_life(machine, database)
            was_cut = database.was_cut
            database.close()
            if not was_cut:
                break
        # Two starts with a claim, eight steps and a result each, a stop and a removal.
        assert at == 2 * (1 + 8 + 1) + 2 + 2 + 1

    run(store_url, test)


@pytest.mark.parametrize("step", Step)
def test_another_takes_over_once_the_claim_has_ended(store_url: str, step: Step) -> None:
    hanging = {"now": Behaviour(hang_at=step)}

    async def test(machine: Machine) -> None:
        async with service(machine, lambda _: hanging["now"]) as first:
            notebook_id = await first.create()
            await machine.knows(notebook_id)
        # The first one is gone and has released nothing; the machine no longer hangs.
        for instance in machine.world.instances.values():
            instance.behaviour = Behaviour()
        async with service(machine) as second:
            machine.clock.advance(CLAIM - 1)
            assert await machine.user.read(claims.is_due, machine.clock(), 1, 1) is False
            assert status_of(await machine.find(notebook_id)) is Status.CREATING
            machine.clock.advance(1)
            assert await machine.user.read(claims.is_due, machine.clock(), 1, 1) is True
            second.reconciler.hint()
            await second.ends(notebook_id, Status.RUNNING)
        assert set(machine.world.starts.items()) == {((notebook_id, 1), 1)}

    run(store_url, test)


class Faulty(Database):
    """Each second renewal of a claim, from the first on, fails as no driver should."""

    renewals = 0

    async def write(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        if fn is claims.renew:
            self.renewals += 1
            if self.renewals % 2 == 1:
                raise InterfaceError("UPDATE instances", {}, Exception("the connection is odd"))
        return await super().write(fn, *args, **kwargs)


@pytest.mark.parametrize("store", [Database, Faulty], ids=["sound", "faulty"])
def test_a_claim_lives_as_long_as_its_holder(store_url: str, store: type[Database]) -> None:
    """A slow start is not taken away from a service that is alive, whatever its store does meanwhile."""
    query = select(instances.c.claim_until)

    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(step_seconds=40), database=database) as first:
            notebook_id = await first.create()
            await machine.knows(notebook_id)

            async def creating() -> bool:
                return await machine.status(notebook_id) is Status.CREATING

            async def sleeping() -> bool:
                """Whether time may pass: the step and the heartbeat wait for it, or the start has ended."""
                return machine.clock.sleepers == 2 or not await creating()

            async with service(machine) as second:
                await until(sleeping)
                while await creating():
                    ends = await machine.user.read(lambda connection: connection.execute(query).scalar())
                    assert ends >= machine.clock() + CLAIM - 2 * HEARTBEAT * 1000
                    machine.clock.advance(1000)
                    second.reconciler.hint()
                    await until(sleeping)
                counted = second.works.metrics.registry.get_sample_value
                effects = ("nbfleet_effects_total", {"effect": "start", "result": "done"})
                assert counted(*effects) is None
        assert status_of(await machine.find(notebook_id)) is Status.RUNNING
        assert machine.world.starts == {(notebook_id, 1): 1}

    with closing(store(store_url)) as database:
        run(store_url, test)


def test_who_lost_its_claim_changes_nothing_more(store_url: str) -> None:
    """It was away for longer than its claim: the other one's result stands."""

    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(step_seconds=3600)) as first:
            notebook_id = await first.create()
            await machine.knows(notebook_id)
            await restarted(machine)
            async with service(machine) as second:
                machine.world.instances[notebook_id].behaviour = Behaviour()
                second.reconciler.hint()
                running = await second.ends(notebook_id, Status.RUNNING)
                await second.stop(notebook_id)
                stopped = await second.ends(notebook_id, Status.STOPPED)
                lost = ("nbfleet_effects_total", {"effect": "start", "result": "lost"})
                while first.works.metrics.registry.get_sample_value(*lost) is None:
                    machine.clock.advance(60_000)
                    await asyncio.sleep(0.002)
                assert await machine.find(notebook_id) == stopped
                assert running.generation == stopped.generation
        assert machine.alive() == []
        assert machine.world.starts == {(notebook_id, 1): 1}

    run(store_url, test)

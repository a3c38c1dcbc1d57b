"""Why something is not done yet is told while it is tried again: once, and then ever more seldom."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from nbfleet.domain.lifecycle import Status
from nbfleet.services import notebooks as services
from nbfleet.store.database import Unavailable
from nbfleet.store.schema import audit, instances
from nbfleet.wire.notebooks import NotebookUpdateRequest
from support.rig import REQUEST, Behaviour, Machine, Rig, run, service, until

CAUSE = "processes that cannot be killed: 7"
STUCK = Behaviour(stop_fail_reason=CAUSE)
LOST = "simulated: the answer was lost"


async def told(machine: Machine) -> list[tuple[str, str, str | None]]:
    """Event, status after it and reason of all that the service did by itself, without steps."""
    a = audit.c
    query = select(a.event, a.after, a.reason).where(a.actor == "reconciler", a.event != "step")
    return await machine.user.read(
        lambda connection: [tuple(row) for row in connection.execute(query.order_by(a.no))]
    )


async def failed(rig: Rig, effect: str, times: int, result: str = "retried") -> None:
    """Waits until so many tries of the effect have ended so in all, and nobody is at the next one."""

    async def counted() -> bool:
        labels = {"effect": effect, "result": result}
        tried = rig.works.metrics.registry.get_sample_value("nbfleet_effects_total", labels)
        return (tried, rig.in_hand) == (times, 0)

    await until(counted)


def pass_time(rig: Rig, milliseconds: int) -> None:
    rig.machine.clock.advance(milliseconds)
    rig.reconciler.hint()


async def grow(rig: Rig, notebook_id: str) -> None:
    await services.update(rig.context, REQUEST, notebook_id, NotebookUpdateRequest(storage_new_size=20))


def test_a_stop_that_does_not_work_says_why_until_it_works(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.scripted[notebook_id] = STUCK
            await rig.stop(notebook_id)
            first = [("ready", "RUNNING", None), ("stop retried", "STOPPING", CAUSE)]
            for number in range(1, 10):
                await failed(rig, "stop", number)
                assert await told(machine) == first
                pass_time(rig, min(1000 * 2 ** (number - 1), 30_000))
            await failed(rig, "stop", 10)
            tenth = ("stop retried", "STOPPING", f"It failed 10 times; the last cause: {CAUSE}")
            assert await told(machine) == [*first, tenth]
            assert machine.alive() == [(notebook_id, 1)]
            assert await machine.status(notebook_id) is Status.STOPPING

            machine.world.scripted.clear()
            pass_time(rig, 30_000)
            stopped = await rig.ends(notebook_id, Status.STOPPED)
            assert (stopped.fail_reason, machine.alive()) == (None, [])
            assert await told(machine) == [*first, tenth, ("found stopped", "STOPPED", None)]

            # The next stop is another one.
            await rig.start(notebook_id)
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.scripted[notebook_id] = STUCK
            await rig.stop(notebook_id)
            await failed(rig, "stop", 11)
            assert (await told(machine))[-2:] == first

    run(store_url, test)


def test_each_effect_that_is_tried_again_is_told_once(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(lost_answers=2)) as rig:
            notebook_id = await rig.create()
            await failed(rig, "start", 1)
            pass_time(rig, 1000)
            await failed(rig, "start", 2)
            pass_time(rig, 2000)
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].lost_answers = 1
            await grow(rig, notebook_id)
            await failed(rig, "grow", 1)
            pass_time(rig, 1000)
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].lost_answers = 1
            await rig.delete(notebook_id)
            await failed(rig, "remove", 1)
            pass_time(rig, 1000)
            await rig.ends(notebook_id, Status.DELETED)
            assert await told(machine) == [
                ("start retried", "CREATING", LOST),
                ("ready", "RUNNING", None),
                ("grow retried", "RUNNING", LOST),
                ("grown", "RUNNING", None),
                ("remove retried", "DELETING", LOST),
                ("removed", "DELETED", None),
            ]

    run(store_url, test)


def test_a_database_that_is_away_is_told_without_its_place(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("connection to db.internal, port 5432 refused")

    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            with monkeypatch.context() as patched:
                patched.setattr(rig.runtime, "stop", away)
                await rig.stop(notebook_id)
                await failed(rig, "stop", 1)
            cause = "The database of the service cannot be used now."
            assert (await told(machine))[-1] == ("stop retried", "STOPPING", cause)
            pass_time(rig, 1000)
            await rig.ends(notebook_id, Status.STOPPED)

    run(store_url, test)


def test_failures_of_one_effect_are_not_those_of_the_next(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.instances[notebook_id].lost_answers = 3
            await grow(rig, notebook_id)
            for number in (1, 2):
                await failed(rig, "grow", number)
                pass_time(rig, 1000 * number)
            await failed(rig, "grow", 3)
            machine.world.scripted[notebook_id] = STUCK
            await rig.stop(notebook_id)
            await failed(rig, "stop", 1)
            assert await told(machine) == [
                ("ready", "RUNNING", None),
                ("grow retried", "RUNNING", LOST),
                ("stop retried", "STOPPING", CAUSE),
            ]

    run(store_url, test)


def test_nothing_is_told_by_one_whose_claim_was_lost(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            machine.world.scripted[notebook_id] = replace(STUCK, stop_seconds=3)
            await rig.stop(notebook_id)

            async def stops() -> bool:
                """The stop sleeps, and what keeps its claim."""
                return (rig.in_hand, machine.clock.sleepers) == (1, 2)

            await until(stops)
            taken = {"claim": "of another", "claim_until": machine.clock() + 60_000}
            await machine.user.write(lambda connection: connection.execute(update(instances).values(**taken)))
            pass_time(rig, 3000)
            await failed(rig, "stop", 1, "lost")
            assert await told(machine) == [("ready", "RUNNING", None)]
            held = select(instances.c.claim, instances.c.due_at)
            row = await machine.user.read(lambda connection: connection.execute(held).one())
            assert tuple(row) == ("of another", machine.clock() - 3000)

    run(store_url, test)

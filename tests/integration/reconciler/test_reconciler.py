"""Notebooks end where they are going, whatever the machine does meanwhile."""

import pytest
from sqlalchemy import select

from nbfleet.domain import lease as leases
from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.notebook import Progress, Step, StepStatus
from nbfleet.store.schema import audit as audit_table
from support import fleet
from support.rig import Behaviour, Machine, WatchedDatabase, run, service, until

W, P, F, C = StepStatus.WAITING, StepStatus.PROCESSING, StepStatus.FAILED, StepStatus.COMPLETED


def test_from_create_to_delete(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        database = WatchedDatabase(store_url, machine.world)
        async with service(machine, database=database) as rig:
            machine.clock.advance(5)
            notebook_id = await rig.create()
            running = await rig.ends(notebook_id, Status.RUNNING)
            assert (running.ip, running.handle, running.progress) == ("127.0.0.1", b"simulated:1", None)
            assert running.lease == leases.opened(fleet.HOUR, fleet.NOW + 5)
            assert machine.alive() == [(notebook_id, 1)]

            machine.clock.advance(5)
            await rig.stop(notebook_id)
            stopped = await rig.ends(notebook_id, Status.STOPPED)
            assert (stopped.ip, stopped.handle, stopped.endpoint) == (None, None, None)
            assert machine.alive() == []

            machine.clock.advance(5)
            await rig.start(notebook_id)
            again = await rig.ends(notebook_id, Status.RUNNING)
            assert again.lease == leases.renewed(running.lease, fleet.HOUR, fleet.NOW + 15)
            assert machine.alive() == [(notebook_id, 2)]

            await rig.delete(notebook_id)
            deleted = await rig.ends(notebook_id, Status.DELETED)
            assert (deleted.fail_reason, deleted.handle) == (None, None)
        assert machine.alive() == []
        assert machine.world.starts == {(notebook_id, 1): 1, (notebook_id, 2): 1}
        assert database.lies == []
        once = [
            (W, W, W, W), (P, W, W, W), (C, W, W, W), (C, P, W, W), (C, C, W, W), (C, C, P, W), (C, C, C, W),
            (C, C, C, P), (C, C, C, C),
        ]  # fmt: skip
        # The first state of all is the request's; the second start begins with it too.
        assert [steps for steps in database.saved if steps != (W, W, W, W)] == once[1:] * 2
        database.close()

        def trail(connection: object) -> list[tuple[str, str, str | None, str | None]]:
            a = audit_table.c
            rows = connection.execute(
                select(a.actor, a.event, a.before, a.after).where(a.event != "step").order_by(a.no)
            )  # type: ignore
            return [tuple(row) for row in rows]

        assert await machine.user.read(trail) == [
            (fleet.OWNER, "create", None, "CREATING"),
            ("reconciler", "ready", "CREATING", "RUNNING"),
            (fleet.OWNER, "stop", "RUNNING", "STOPPING"),
            ("reconciler", "found stopped", "STOPPING", "STOPPED"),
            (fleet.OWNER, "start", "STOPPED", "STARTING"),
            ("reconciler", "ready", "STARTING", "RUNNING"),
            (fleet.OWNER, "delete", "RUNNING", "DELETING"),
            ("reconciler", "removed", "DELETING", "DELETED"),
        ]

    run(store_url, test)


def test_many_at_once(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, concurrent_starts=3) as rig:
            ids = [await rig.create() for _ in range(80)]
            for notebook_id in ids:
                await rig.ends(notebook_id, Status.RUNNING)
            assert machine.alive() == sorted((notebook_id, 1) for notebook_id in ids)
            assert set(machine.world.starts.values()) == {1}

    run(store_url, test)


@pytest.mark.parametrize("step", Step)
def test_a_start_that_fails_says_where_and_why(store_url: str, step: Step) -> None:
    behaviour = {"now": Behaviour(fail_at=step, fail_reason=f"no {step.name}")}
    failed_steps = tuple(C if s < step else F if s == step else W for s in Step)

    async def test(machine: Machine) -> None:
        async with service(machine, lambda _: behaviour["now"]) as rig:
            created = await rig.create()
            first = await rig.ends(created, Status.CREATE_FAILED)
            assert (first.fail_reason, first.progress) == (f"no {step.name}", Progress(failed_steps))

            behaviour["now"] = Behaviour()
            started = await rig.create()
            await rig.ends(started, Status.RUNNING)
            await rig.stop(started)
            await rig.ends(started, Status.STOPPED)
            behaviour["now"] = Behaviour(fail_at=step, fail_reason=f"no {step.name}")
            await rig.start(started)
            second = await rig.ends(started, Status.START_FAILED)
            assert (second.fail_reason, second.progress) == (f"no {step.name}", Progress(failed_steps))
            assert machine.alive() == []

            behaviour["now"] = Behaviour()
            await rig.start(started)
            third = await rig.ends(started, Status.RUNNING)
            assert (third.fail_reason, third.progress) == (None, None)
            await rig.delete(created)
            await rig.ends(created, Status.DELETED)

    run(store_url, test)


@pytest.mark.parametrize("step", [Step.STORAGE, Step.INITIALISATION])
def test_a_start_that_hangs_ends_failed(store_url: str, step: Step) -> None:
    behaviour = {"now": Behaviour()}

    async def test(machine: Machine) -> None:
        async with service(machine, lambda _: behaviour["now"], start_timeout=3) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            await rig.stop(notebook_id)
            await rig.ends(notebook_id, Status.STOPPED)
            behaviour["now"] = Behaviour(hang_at=step)
            await rig.start(notebook_id)
            failed = await rig.ends(notebook_id, Status.START_FAILED)
            assert failed.fail_reason == "It was not ready within 3 seconds."
            assert failed.progress == Progress(tuple(C if s < step else F if s == step else W for s in Step))
            assert machine.alive() == []

    run(store_url, test)


@pytest.mark.parametrize("lost", [1, 3])
def test_lost_answers_are_asked_for_again(store_url: str, lost: int) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(lost_answers=lost)) as rig:
            notebook_id = await rig.create()
            running = await rig.ends(notebook_id, Status.RUNNING, step=500)
            assert running.fail_reason is None
            machine.world.instances[notebook_id].lost_answers = lost
            await rig.stop(notebook_id)
            await rig.ends(notebook_id, Status.STOPPED, step=500)
            machine.world.instances[notebook_id].lost_answers = lost
            await rig.delete(notebook_id)
            await rig.ends(notebook_id, Status.DELETED, step=500)
            assert machine.world.starts == {(notebook_id, 1): 1}
            assert machine.alive() == []

    run(store_url, test)


def test_a_runtime_that_cannot_tell_is_asked_again(store_url: str) -> None:
    """Nothing may be concluded from UNKNOWN: the start is not failed by it."""

    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(slow_to_notice=3)) as rig:
            notebook_id = await rig.create()
            while status_of(await machine.find(notebook_id)) is Status.CREATING:
                machine.clock.advance(100)
            running = await rig.ends(notebook_id, Status.RUNNING)
            assert running.fail_reason is None
            assert machine.world.starts == {(notebook_id, 1): 1}

    run(store_url, test)


def test_ghosts_change_nothing(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(ghosts=5)) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            await rig.stop(notebook_id)
            await rig.ends(notebook_id, Status.STOPPED)
            await rig.start(notebook_id)
            await rig.ends(notebook_id, Status.RUNNING)
            await rig.delete(notebook_id)
            await rig.ends(notebook_id, Status.DELETED)
            assert machine.world.starts == {(notebook_id, 1): 1, (notebook_id, 2): 1}

    run(store_url, test)


def test_a_start_that_keeps_failing_is_given_up_after_five_tries(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(lost_answers=1000)) as rig:
            notebook_id = await rig.create()
            failed = await rig.ends(notebook_id, Status.CREATE_FAILED, step=500)
            assert failed.fail_reason == "It failed 5 times; the last cause: simulated: the answer was lost"
            assert failed.progress == Progress((C, F, W, W))
            sample = rig.works.metrics.registry.get_sample_value

            async def counted() -> bool:
                """The count follows the state: both are of the same task, and the state is written first."""
                results = ("retried", "given up", "done")
                labels = [{"effect": "start", "result": result} for result in results]
                return [sample("nbfleet_effects_total", one) for one in labels] == [4, 1, None]

            await until(counted)
            assert machine.world.starts == {(notebook_id, 1): 1}

    run(store_url, test)


def test_a_removal_that_keeps_failing_is_given_up_and_a_stop_never(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            removed, stopping = await rig.create(), await rig.create()
            for notebook_id in (removed, stopping):
                await rig.ends(notebook_id, Status.RUNNING)
                machine.world.instances[notebook_id].lost_answers = 1000
            await rig.delete(removed)
            failed = await rig.ends(removed, Status.DELETE_FAILED, step=500)
            assert failed.fail_reason == "It failed 5 times; the last cause: simulated: the answer was lost"
            await rig.stop(stopping)
            effects = rig.works.metrics.registry.get_sample_value
            tried = ("nbfleet_effects_total", {"effect": "stop", "result": "retried"})
            while (effects(*tried) or 0) < 12:
                assert status_of(await machine.find(stopping)) is Status.STOPPING
                if rig.in_hand == 0:
                    machine.clock.advance(30_000)
                    rig.reconciler.hint()
            machine.world.instances[stopping].lost_answers = 0
            await rig.ends(stopping, Status.STOPPED, step=500)
            machine.world.instances[removed].lost_answers = 0
            await rig.delete(removed)
            await rig.ends(removed, Status.DELETED)

    run(store_url, test)


def test_a_removal_that_is_refused_says_why(store_url: str) -> None:
    behaviour = Behaviour(delete_fail_reason="the disk is read-only")

    async def test(machine: Machine) -> None:
        async with service(machine, behaviour) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            await rig.delete(notebook_id)
            failed = await rig.ends(notebook_id, Status.DELETE_FAILED)
            assert failed.fail_reason == "the disk is read-only"
            assert machine.alive() == []

    run(store_url, test)


def test_a_flavor_that_is_gone_fails_the_start(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        await machine.user.write(fleet.add, fleet.notebook(flavor="gone", generation=1))
        async with service(machine) as rig:
            failed = await rig.ends(fleet.notebook().id, Status.CREATE_FAILED)
            assert failed.fail_reason == "The flavor gone is no longer offered."

    run(store_url, test)

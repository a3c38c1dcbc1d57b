"""What is settled is looked after: the dead, the strays, and leases that run out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import select, text

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.reconciler import sweeper, watch
from nbfleet.runtimes.base import InstanceRef, InstanceSpec
from nbfleet.runtimes.simulated import SimulatedRuntime
from nbfleet.services import notebooks as services
from nbfleet.store import idempotency, identity, schema
from nbfleet.store.database import Connection
from nbfleet.store.directory import Directory
from support import fleet
from support.rig import REQUEST, Behaviour, Machine, Rig, run, service, until

READY = [Status.RUNNING]


@asynccontextmanager
async def looping(loop: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(loop)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def runs(rig: Rig, **fields: Any) -> str:
    notebook_id = await rig.create(**fields)
    await rig.ends(notebook_id, Status.RUNNING)
    return notebook_id


def test_what_ends_by_itself_becomes_an_error_with_its_reason(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, Behaviour(dies_after=60)) as rig:
            dying, other = await runs(rig), await runs(rig)
            machine.clock.advance(59_999)
            await watch.look_once(rig.works)
            assert [await machine.status(one) for one in (dying, other)] == READY * 2
            machine.world.instances[other].dies_at = None
            machine.clock.advance(1)
            await watch.look_once(rig.works)
            dead = await machine.find(dying)
            assert (status_of(dead), dead.fail_reason) == (Status.ERROR, "simulated: exited with status 1")
            assert (dead.ip, dead.handle, dead.endpoint, dead.update_at) == (
                None,
                None,
                None,
                machine.clock(),
            )
            assert await machine.status(other) is Status.RUNNING

            machine.world.instances[dying].behaviour = Behaviour()
            await rig.start(dying)
            again = await rig.ends(dying, Status.RUNNING)
            assert (again.fail_reason, again.generation) == (None, 2)

    run(store_url, test)


def test_what_is_gone_without_a_word_is_an_error_too_and_the_unknown_is_not(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            gone, unknown = await runs(rig), await runs(rig)
            del machine.world.instances[gone]
            machine.world.instances[unknown].slow_to_notice = 1
            await watch.look_once(rig.works)
            dead = await machine.find(gone)
            assert (status_of(dead), dead.fail_reason) == (
                Status.ERROR,
                "Its process is gone; nothing says why.",
            )
            assert await machine.status(unknown) is Status.RUNNING

    run(store_url, test)


def test_a_fault_while_mourning_one_keeps_nobody_from_the_others(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            first, second = await runs(rig), await runs(rig)
            for one in (first, second):
                rig.runtime.kill(one, "out of memory")
            machine.world.instances[first].lost_answers = 1
            await watch.look_once(rig.works)
            assert [await machine.status(one) for one in (first, second)] == [Status.RUNNING, Status.ERROR]
            rig.runtime.kill(first, "out of memory")
            await watch.look_once(rig.works)
            dead = await machine.find(first)
            assert (status_of(dead), dead.fail_reason) == (Status.ERROR, "out of memory")

    run(store_url, test)


class Interrupted(SimulatedRuntime):
    """Something happens just before an instance is stopped, once."""

    before_stop: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def stop(self, instance: InstanceRef) -> None:
        meanwhile, self.before_stop = self.before_stop, None
        if meanwhile is not None:
            await meanwhile()
        await super().stop(instance)


def test_mourning_a_start_does_not_stop_the_next(store_url: str) -> None:
    """Between the look and the stop its owner stops it; a start must not slip in before the late stop."""

    async def test(machine: Machine) -> None:
        async with service(machine, runtime=Interrupted) as rig:
            notebook_id = await runs(rig)
            rig.runtime.kill(notebook_id, "out of memory")

            async def stop_and_start() -> None:
                await rig.stop(notebook_id)
                for _ in range(20):
                    rig.reconciler.hint()
                    await asyncio.sleep(0.005)
                assert await machine.status(notebook_id) is Status.STOPPING

            rig.runtime.before_stop = stop_and_start  # type: ignore[attr-defined]
            await watch.look_once(rig.works)
            rig.reconciler.hint()
            await rig.ends(notebook_id, Status.STOPPED)
            await rig.start(notebook_id)
            await rig.ends(notebook_id, Status.RUNNING)
            assert machine.alive() == [(notebook_id, 2)]

    run(store_url, test)


def test_sweeping_a_stray_does_not_stop_a_start(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, runtime=Interrupted) as rig:
            notebook_id = await runs(rig)
            await rig.stop(notebook_id)
            await rig.ends(notebook_id, Status.STOPPED)
            await come_alive(rig, notebook_id, 1)

            async def start() -> None:
                await rig.start(notebook_id)
                for _ in range(20):
                    rig.reconciler.hint()
                    await asyncio.sleep(0.005)
                assert await machine.status(notebook_id) is Status.STARTING

            rig.runtime.before_stop = start  # type: ignore[attr-defined]
            await watch.sweep_once(rig.works)
            rig.reconciler.hint()
            await rig.ends(notebook_id, Status.RUNNING)
            assert machine.alive() == [(notebook_id, 2)]

    run(store_url, test)


async def come_alive(rig: Rig, notebook_id: str, generation: int) -> None:
    """Something runs in the name of this notebook that nobody asked for."""

    reference = InstanceRef(notebook_id, generation)
    spec = InstanceSpec(reference, fleet.IMAGE, "f", 1, 1, f"/{notebook_id}/", "secret")
    async for _ in rig.runtime.start(spec):
        pass


def test_strays_are_stopped_and_what_is_wanted_or_moves_is_not(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        behaviours = {"now": Behaviour()}
        async with service(machine, lambda _: behaviours["now"]) as rig:
            running, stopped, deleted, failed = [await runs(rig) for _ in range(4)]
            await rig.stop(stopped)
            await rig.ends(stopped, Status.STOPPED)
            await rig.delete(deleted)
            await rig.ends(deleted, Status.DELETED)
            rig.runtime.kill(failed, "x")
            await watch.look_once(rig.works)
            behaviours["now"] = Behaviour(step_seconds=60)
            moving = await rig.create()
            await machine.knows(moving)
            behaviours["now"] = Behaviour()
            for stray in (stopped, deleted, failed, "unknown to the store"):
                await come_alive(rig, stray, 1)
            machine.clock.advance(60_000)
            while (moving, 1) not in machine.alive():
                machine.clock.advance(1000)
                await asyncio.sleep(0.002)
            assert await machine.status(moving) is Status.CREATING
            assert len(machine.alive()) == 6
            await watch.sweep_once(rig.works)
            assert machine.alive() == sorted([(running, 1), (moving, 1)])
            assert [await machine.status(one) for one in (running, stopped, deleted, failed)] == [
                Status.RUNNING, Status.STOPPED, Status.DELETED, Status.ERROR,
            ]  # fmt: skip

    run(store_url, test)


@pytest.mark.parametrize("ahead", [0, 1, 999, 1000, 3_599_999])
def test_auto_stop_is_never_early_and_comes_at_the_deadline(store_url: str, ahead: int) -> None:
    """The clock is stepped to a moment before the deadline, to just before it, and to it."""

    async def test(machine: Machine) -> None:
        async with service(machine) as rig, looping(sweeper.stop_expired(rig.works, rig.reconciler.hint)):
            notebook_id, endless = await runs(rig), await runs(rig, duration=-1)
            deadline = fleet.NOW + fleet.HOUR
            machine.clock.advance(deadline - machine.clock() - ahead - 1)
            await machine.asleep()
            assert await machine.status(notebook_id) is Status.RUNNING
            machine.clock.advance(deadline - 1 - machine.clock())
            await machine.asleep()
            assert await machine.status(notebook_id) is Status.RUNNING
            machine.clock.advance(1)
            await machine.becomes(notebook_id, Status.STOPPED)
            stopped = await rig.ends(notebook_id, Status.STOPPED)
            assert stopped.update_at == deadline
            assert await machine.status(endless) is Status.RUNNING
            assert machine.alive() == [(endless, 1)]

    run(store_url, test)


def test_a_renewal_at_the_last_moment_counts(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            notebook_id = await runs(rig)
            machine.clock.advance(fleet.HOUR - 1)
            await services.renew_lease(rig.context, REQUEST, notebook_id, fleet.HOUR, None)
            machine.clock.advance(1)
            async with looping(sweeper.stop_expired(rig.works, rig.reconciler.hint)):
                await machine.asleep()
                assert await machine.status(notebook_id) is Status.RUNNING
                machine.clock.advance(fleet.HOUR - 2)
                await machine.asleep()
                assert await machine.status(notebook_id) is Status.RUNNING
                machine.clock.advance(1)
                await machine.becomes(notebook_id, Status.STOPPED)

    run(store_url, test)


def test_more_leases_than_one_batch_run_out_at_once(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        def fill(connection: Connection) -> None:
            for number in range(210):
                fleet.add(connection, fleet.running(number))

        await machine.user.write(fill)
        async with service(machine) as rig, looping(sweeper.stop_expired(rig.works, rig.reconciler.hint)):
            machine.clock.advance(fleet.HOUR)
            left = select(schema.instances.c.rid).where(schema.instances.c.stop_at.is_not(None))

            async def all_stopped() -> bool:
                return await machine.user.read(lambda c: c.execute(left.limit(1)).first()) is None

            await until(all_stopped)
            total = await machine.user.read(
                lambda c: c.execute(text("SELECT count(*) FROM audit WHERE event = 'auto-stop'")).scalar()
            )
            assert total == 210

    run(store_url, test)


class Faulty(SimulatedRuntime):
    """Every call fails for a while."""

    failing = 0

    def _maybe_fail(self) -> None:
        if self.failing > 0:
            self.failing -= 1
            raise ConnectionError("the runtime does not answer")

    async def observe(self, instances: Any) -> Any:
        self._maybe_fail()
        return await super().observe(instances)

    async def inventory(self) -> Any:
        self._maybe_fail()
        return await super().inventory()


@pytest.mark.parametrize("loop", [watch.watch_running, watch.sweep_strays], ids=["watch", "sweep"])
def test_a_runtime_that_does_not_answer_ends_no_loop(store_url: str, loop: Any) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, runtime=Faulty) as rig:
            notebook_id = await runs(rig)
            rig.runtime.failing = 3  # type: ignore[attr-defined]
            rig.runtime.kill(notebook_id, "x")
            await come_alive(rig, "unknown to the store", 1)
            async with looping(loop(rig.works)) as task:
                while (
                    machine.alive() if loop is watch.sweep_strays else await machine.status(notebook_id)
                ) not in ([], Status.ERROR):
                    assert not task.done()
                    machine.clock.advance(1000)
                    await asyncio.sleep(0.005)
                assert rig.runtime.failing == 0  # type: ignore[attr-defined]

    run(store_url, test)


def test_a_store_that_fails_for_a_moment_ends_no_loop(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        rename = "ALTER TABLE {} RENAME TO {}"
        async with service(machine) as rig:
            notebook_id = await runs(rig)
            for table in ("tokens", "instances"):
                await machine.user.write(lambda c, t=table: c.execute(text(rename.format(t, f"{t}_away"))))
            loops = [
                watch.watch_running(rig.works),
                watch.sweep_strays(rig.works),
                sweeper.stop_expired(rig.works, rig.reconciler.hint),
                sweeper.tidy(rig.works),
            ]
            tasks = [rig.task, *(asyncio.create_task(loop) for loop in loops)]
            rig.reconciler.hint()
            await asyncio.sleep(0.1)
            for table in ("tokens", "instances"):
                await machine.user.write(lambda c, t=table: c.execute(text(rename.format(f"{t}_away", t))))
            assert [task.done() for task in tasks] == [False] * 5
            machine.clock.advance(fleet.HOUR)
            rig.reconciler.hint()
            while await machine.status(notebook_id) is not Status.STOPPED:
                machine.clock.advance(1000)
                rig.reconciler.hint()
                await asyncio.sleep(0.005)
            for task in tasks[1:]:
                task.cancel()
            await asyncio.gather(*tasks[1:], return_exceptions=True)

    run(store_url, test)


def test_old_records_are_dropped_in_their_time(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        def write(connection: Connection) -> None:
            identity.add_token(connection, b"early", 1, None, fleet.NOW + 1000)
            identity.add_token(connection, b"late", 1, None, fleet.NOW + 10**9)
            identity.add_login_link(connection, b"link", 1, 1, fleet.NOW + 1000)
            entry = idempotency.Entry(b"d", "n")
            idempotency.add(connection, Directory(), fleet.PROJECTS[0], fleet.OWNER, "k", entry, fleet.NOW)

        def left(connection: Connection) -> tuple[list[bytes], int, int]:
            tokens = select(schema.tokens.c.digest).order_by(schema.tokens.c.expires_at)
            links, keys = select(schema.login_links), select(schema.idempotency_keys)
            return (
                [bytes(digest) for digest in connection.execute(tokens).scalars()],
                len(connection.execute(links).all()),
                len(connection.execute(keys).all()),
            )

        await machine.user.write(write)
        async with service(machine) as rig, looping(sweeper.tidy(rig.works)):
            await machine.asleep()
            assert await machine.user.read(left) == ([b"early", b"late"], 1, 1)
            machine.clock.advance(600_000)
            await machine.asleep()
            assert await machine.user.read(left) == ([b"late"], 0, 1)
            machine.clock.advance(sweeper.REMEMBER_KEYS - 600_000)
            await machine.asleep()
            assert await machine.user.read(left) == ([b"late"], 0, 1), "a day old and not older"
            machine.clock.advance(600_000)
            await machine.asleep()
            assert await machine.user.read(left) == ([b"late"], 0, 0)

    run(store_url, test)

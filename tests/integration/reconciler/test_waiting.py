"""A start that waits for its turn can be called off; one that somebody has begun cannot."""

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.notebook import Notebook, Progress, Step, StepStatus
from nbfleet.reconciler.works import CLAIM
from nbfleet.services import notebooks as services
from nbfleet.services.context import Context
from nbfleet.settings import Settings
from nbfleet.store import claims, notebooks, schema
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.wire.errors import ApiError, ErrorCode
from support import fleet
from support.rig import REQUEST, Behaviour, Machine, Rig, restarted, run, service, until

HANGS = Behaviour(hang_at=Step.COMPUTE)
ROUNDS = 40


def hanging_first() -> Callable[[Any], Behaviour]:
    """The first start never ends; all others do."""
    first: list[str] = []

    def script(spec: Any) -> Behaviour:
        first.append(spec.ref.notebook_id)
        return HANGS if spec.ref.notebook_id == first[0] else Behaviour()

    return script


async def is_refused(call: Any) -> bool:
    """Whether it answers that the state forbids it; nothing else may go wrong."""
    try:
        await call
    except ApiError as fault:
        if (fault.status, fault.code) == (400, ErrorCode.CONFLICTING_STATE):
            return True
        raise
    return False


async def occupied(machine: Machine, rig: Rig) -> Notebook:
    """The only room is taken by a start that has begun and hangs."""
    first = await rig.create()

    async def hangs() -> bool:
        progress = (await machine.find(first)).progress
        return progress is not None and progress.steps[Step.COMPUTE - 1] is StepStatus.PROCESSING

    await until(hangs)
    return await machine.find(first)


def test_a_create_that_waits_can_be_stopped_and_started_later(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, hanging_first(), concurrent_starts=1) as rig:
            first = await occupied(machine, rig)
            waiting = await rig.create()
            created = await machine.find(waiting)
            machine.clock.advance(5)
            await rig.stop(waiting)
            stopped = await machine.find(waiting)
            assert (status_of(created), status_of(stopped)) == (Status.CREATING, Status.STOPPED)
            assert stopped == replace(
                created, wanted=stopped.wanted, observed=stopped.observed, update_at=machine.clock(),
                progress=None,
            )  # fmt: skip
            await rig.start(waiting)
            assert await machine.status(waiting) is Status.STARTING
            assert await machine.find(first.id) == first
            machine.world.instances.clear()
        await restarted(machine)
        async with service(machine) as rig:
            again = await rig.ends(waiting, Status.RUNNING)
            assert again.generation == 2
            await rig.delete(waiting)
            await rig.ends(waiting, Status.DELETED)
        assert [key for key in machine.world.starts if key[0] == waiting] == [(waiting, 2)]

    run(store_url, test)


def test_a_start_that_waits_can_be_stopped_again_and_again(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            waiting = await rig.create()
            await rig.ends(waiting, Status.RUNNING)
            await rig.stop(waiting)
            await rig.ends(waiting, Status.STOPPED)
        async with service(machine, HANGS, concurrent_starts=1) as rig:
            first = await occupied(machine, rig)
            for _ in range(2):
                await rig.start(waiting)
                started = await machine.find(waiting)
                await rig.stop(waiting)
                stopped = await machine.find(waiting)
                assert (status_of(started), status_of(stopped)) == (Status.STARTING, Status.STOPPED)
                assert (started.progress, stopped.progress) == (Progress(), None)
            assert await machine.find(first.id) == first
        assert machine.world.starts == {(waiting, 1): 1}
        assert machine.alive() == []

    run(store_url, test)


@pytest.mark.parametrize("created", [True, False], ids=["creating", "starting"])
def test_what_waits_can_be_deleted(store_url: str, created: bool) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, hanging_first(), concurrent_starts=1) as rig:
            first = await occupied(machine, rig)
            waiting = await rig.create()
            if not created:
                await rig.stop(waiting)
                await rig.start(waiting)
            await rig.delete(waiting)
            deleted = await rig.ends(waiting, Status.DELETED)
            assert (deleted.fail_reason, deleted.progress) == (None, None)
            assert await machine.find(first.id) == first
        assert machine.world.starts == {}

    run(store_url, test)


def test_what_has_begun_cannot_be_called_off(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine, HANGS, concurrent_starts=1) as rig:
            first = await occupied(machine, rig)
            assert await is_refused(rig.stop(first.id))
            assert await is_refused(rig.delete(first.id))
        # Its service is gone: first the claim tells that it had begun, then the progress.
        assert await is_refused(rig.stop(first.id))
        machine.clock.advance(10 * CLAIM)
        assert await is_refused(rig.delete(first.id))
        await restarted(machine)
        assert await is_refused(rig.stop(first.id))
        assert await machine.find(first.id) == first

    run(store_url, test)


class Slow(Database):
    """Whose next write has done everything but commit when it waits to be told to go on."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.reached, self.go_on = threading.Event(), threading.Event()

    async def write(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        def paused(connection: Connection) -> Any:
            result = fn(connection, *args, **kwargs)
            self.reached.set()
            assert self.go_on.wait(20)
            return result

        return await super().write(paused)


async def claim(machine: Machine, database: Database) -> list[str]:
    """What a reconciler does before it begins with anything; the ids of what it may begin with."""
    now = machine.clock()
    taken = await database.write(claims.claim_due, "word", now, now + CLAIM, 9, 9)
    return [stored.notebook.id for stored in taken]


async def is_stop_refused(machine: Machine, database: Database, notebook_id: str) -> bool:
    context = Context(database, Directory(), fleet.KEYRING, Settings(), machine.clock, lambda: None)
    return await is_refused(services.stop(context, REQUEST, notebook_id))


async def outcome(machine: Machine, notebook_id: str) -> tuple[Status, bool]:
    """The status, and whether it is claimed."""
    found = await machine.user.read(notebooks.find, notebook_id)
    assert found is not None
    return status_of(found.notebook), found.claimed


def events(connection: Connection, notebook_id: str) -> list[str]:
    a = schema.audit.c
    query = select(a.event).where(a.notebook_id == notebook_id, a.event != "step").order_by(a.no)
    return list(connection.execute(query).scalars())


def new(number: int) -> Notebook:
    return fleet.notebook(number, progress=Progress())


@pytest.mark.parametrize("claim_first", [True, False], ids=["claim", "stop"])
def test_who_came_first_is_heard_even_before_it_commits(store_url: str, claim_first: bool) -> None:
    async def test(machine: Machine) -> None:
        made = new(1)
        await machine.user.write(fleet.add, made, machine.clock())
        with closing(Slow(store_url)) as slow:
            claiming = claim(machine, slow if claim_first else machine.user)
            stopping = is_stop_refused(machine, machine.user if claim_first else slow, made.id)
            first, second = (claiming, stopping) if claim_first else (stopping, claiming)
            one = asyncio.create_task(first)
            await asyncio.to_thread(slow.reached.wait, 20)
            other = asyncio.create_task(second)
            await asyncio.sleep(0.1)
            slow.go_on.set()
            results = [await one, await other]
        if claim_first:
            assert results == [[made.id], True]
            assert await outcome(machine, made.id) == (Status.CREATING, True)
        else:
            assert results == [False, []]
            assert await outcome(machine, made.id) == (Status.STOPPED, False)
            assert await claim(machine, machine.user) == []

    run(store_url, test)


def test_a_claim_and_a_stop_at_once_end_in_exactly_one_of_the_two(store_url: str) -> None:
    """As two processes would, each with its own way to the store, in any order."""

    async def test(machine: Machine) -> None:
        chance = random.Random(7)
        with fleet.opened(store_url) as other:
            for number in range(1, ROUNDS + 1):
                made = new(number)
                await machine.user.write(fleet.add, made, machine.clock())

                async def later(call: Any, seconds: float = chance.choice([0, 0, 0.001, 0.003])) -> Any:
                    await asyncio.sleep(seconds)
                    return await call

                calls = [later(claim(machine, other)), is_stop_refused(machine, machine.user, made.id)]
                taken, refused = await asyncio.gather(*calls)
                if refused:
                    assert (taken, await outcome(machine, made.id)) == ([made.id], (Status.CREATING, True))
                else:
                    assert (taken, await outcome(machine, made.id)) == ([], (Status.STOPPED, False))

    run(store_url, test)


def test_a_stop_just_after_a_create_lets_it_run_or_keeps_it_from_ever_starting(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        chance = random.Random(11)
        lives: list[tuple[str, int]] = []
        async with service(machine) as rig:
            for _ in range(ROUNDS):
                notebook_id = await rig.create()
                await asyncio.sleep(chance.choice([0, 0.001, 0.002, 0.004]))
                if await is_refused(rig.stop(notebook_id)):
                    await rig.ends(notebook_id, Status.RUNNING)
                    lives.append((notebook_id, 1))
                else:
                    await rig.ends(notebook_id, Status.STOPPED)
                    trail = await machine.user.read(events, notebook_id)
                    # Stopped while it waited, or late enough to have run.
                    never_began = trail == ["create", "stop"]
                    assert never_began or trail == ["create", "ready", "stop", "found stopped"]
                    assert (notebook_id in machine.world.instances) is not never_began
            assert machine.alive() == sorted(lives)

    run(store_url, test)

"""What the loop writes down, at the moments of a clock that the test moves."""

import asyncio
from contextlib import suppress

from nbfleet.domain.history import HOUR, MINUTE, Activity
from nbfleet.domain.lifecycle import Status
from nbfleet.reconciler import watch
from nbfleet.reconciler.history import remember, remember_once
from nbfleet.store import history
from nbfleet.store.history import Happened, Reason, Sample
from support import fleet
from support.rig import Behaviour, Machine, Rig, run, service, until

# Far enough from the end of an hour that no test leaves it.
FIRST = fleet.NOW - fleet.NOW % HOUR


async def told(rig: Rig) -> tuple[list[Sample], list[Happened], list[Reason]]:
    user, directory = rig.machine.user, rig.context.directory
    number = await user.read(directory.project, fleet.PROJECTS[0])
    assert number is not None
    return (
        await user.read(history.samples, number, FIRST, MINUTE),
        await user.read(history.happened, number, FIRST, HOUR),
        await user.read(history.reasons, number, FIRST, 9),
    )


def test_what_happened_is_in_the_history_a_round_later(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        machine.clock.now = FIRST
        async with service(machine, Behaviour(dies_after=30)) as rig:
            dying = await rig.create()
            await rig.ends(dying, Status.RUNNING)
            assert await remember_once(rig.works) == 0
            running = Sample(FIRST, {Status.CREATING: 0, Status.RUNNING: 1})
            assert await told(rig) == ([running], [], [])
            machine.clock.advance(MINUTE)
            await watch.look_once(rig.works)
            # Created, its four steps begun and ended, ready; steps are looked at and not counted.
            assert await remember_once(rig.works) == 10
            dead = {Status.CREATING: 0, Status.ERROR: 1, Status.RUNNING: 0}
            samples = [running, Sample(FIRST + MINUTE, dead)]
            happened = [Happened(FIRST, Activity.CREATED, 1), Happened(FIRST, Activity.READY, 1)]
            assert await told(rig) == (samples, happened, [])
            machine.clock.advance(MINUTE)
            assert await remember_once(rig.works) == 1
            assert await told(rig) == (
                [*samples, Sample(FIRST + 2 * MINUTE, dead)],
                [happened[0], Happened(FIRST, Activity.DIED, 1), happened[1]],
                [Reason(Activity.DIED, "simulated: exited with status 1", 1)],
            )

    run(store_url, test)


def test_the_loop_writes_at_the_beginning_of_each_minute(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        machine.clock.now = FIRST + 20_000
        async with service(machine) as rig:
            await rig.ends(await rig.create(), Status.RUNNING)
            task = asyncio.create_task(remember(rig.works))

            async def reached(moments: list[int]) -> None:
                async def written() -> bool:
                    return [one.at for one in (await told(rig))[0]] == moments

                await until(written)

            await reached([FIRST])
            # The loop waits for the end of the minute, and the reconciler for what may be due.
            for number in (1, 2):
                await until(lambda: _sleeps(machine, 2))
                machine.clock.now = FIRST + number * MINUTE
                machine.clock.advance(0)
                await reached([FIRST + n * MINUTE for n in range(number + 1)])
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    run(store_url, test)


async def _sleeps(machine: Machine, most: int) -> bool:
    return 0 < machine.clock.sleepers <= most

"""The simulated runtime keeps the contract, breaks it only on request, and survives a service restart."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from nbfleet.domain.notebook import Step, StepStatus
from nbfleet.domain.usage import Usage
from nbfleet.runtimes.base import (
    DeleteFailed,
    InstanceRef,
    InstanceSpec,
    Observation,
    Presence,
    StartFailed,
    StartProgress,
)
from nbfleet.runtimes.simulated import Behaviour, SimulatedRuntime, World

NOTEBOOK = "7d9069fb-6058-4e69-b76d-457480428406"
READY = Observation(Presence.READY, ip="127.0.0.1")
ABSENT = Observation(Presence.ABSENT)


def ref(generation: int = 1) -> InstanceRef:
    return InstanceRef(NOTEBOOK, generation)


def spec(generation: int = 1, flavor: str = "small") -> InstanceSpec:
    return InstanceSpec(ref(generation), "image", flavor, 2, 4096, f"/{NOTEBOOK}/", "secret")


async def started(
    runtime: SimulatedRuntime, generation: int = 1, flavor: str = "small"
) -> list[StartProgress]:
    return [progress async for progress in runtime.start(spec(generation, flavor))]


async def seen(runtime: SimulatedRuntime, generation: int = 1) -> Observation:
    [observation] = await runtime.observe([ref(generation)])
    return observation


def strict(behaviour: Behaviour | Callable[[InstanceSpec], Behaviour] | None = None) -> SimulatedRuntime:
    return SimulatedRuntime(behaviour, world=World(strict=True))


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def test_a_start_yields_each_step_twice_and_the_handle_with_the_effect() -> None:
    progress = asyncio.run(started(strict()))
    expected = [
        StartProgress(step, status, b"simulated:1" if (step, status) == (2, StepStatus.COMPLETED) else None)
        for step in Step
        for status in (StepStatus.PROCESSING, StepStatus.COMPLETED)
    ]
    assert progress == expected


def test_life_of_one_instance() -> None:
    async def test() -> None:
        runtime = strict()
        observations = [await seen(runtime)]
        await started(runtime)
        observations.append(await seen(runtime))
        alive = list(await runtime.inventory())
        await runtime.stop(ref())
        observations.append(await seen(runtime))
        await started(runtime, 2)
        observations += [await seen(runtime, 1), await seen(runtime, 2)]
        await runtime.stop(ref(2))
        await runtime.stop(ref(2))
        await runtime.delete(ref(2))
        await runtime.delete(ref(2))
        observations.append(await seen(runtime, 2))
        assert observations == [ABSENT, READY, ABSENT, ABSENT, READY, ABSENT]
        assert alive == [InstanceRef(NOTEBOOK, 1, b"simulated:1")]
        assert await runtime.inventory() == []

    run(test)


def test_repeating_a_start_makes_nothing_new_and_another_start_takes_the_place() -> None:
    async def test() -> None:
        runtime = strict()
        first = await started(runtime)
        assert await started(runtime) == first
        await started(runtime, 2)
        assert runtime.world.starts == {(NOTEBOOK, 1): 1, (NOTEBOOK, 2): 1}
        assert runtime.world.live() == [InstanceRef(NOTEBOOK, 2, b"simulated:2")]

    run(test)


@pytest.mark.parametrize("step", list(Step))
def test_a_start_fails_at_the_step_it_is_told_to(step: Step) -> None:
    async def test() -> None:
        runtime = strict(Behaviour(fail_at=step, fail_reason="no room"))
        with pytest.raises(StartFailed) as failed:
            await started(runtime)
        assert (failed.value.step, failed.value.reason) == (step, "no room")
        assert (await seen(runtime), runtime.world.live()) == (ABSENT, [])

    run(test)


def test_a_script_chooses_by_the_specification() -> None:
    async def test() -> None:
        runtime = strict(lambda wanted: Behaviour(fail_at=Step.COMPUTE if wanted.flavor == "huge" else None))
        with pytest.raises(StartFailed):
            await started(runtime, flavor="huge")
        await started(runtime, 2)
        assert await seen(runtime, 2) == READY

    run(test)


def test_a_hanging_start_can_be_given_up_and_is_found_again() -> None:
    async def test() -> None:
        runtime = strict(Behaviour(hang_at=Step.NETWORK))
        start = runtime.start(spec())
        statuses = [await anext(start) for _ in range(5)]
        waiting = asyncio.ensure_future(anext(start))
        await asyncio.sleep(0)
        assert (statuses[-1], waiting.done()) == (StartProgress(Step.NETWORK, StepStatus.PROCESSING), False)
        assert await seen(runtime) == Observation(Presence.STARTING)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await runtime.stop(ref())
        assert await seen(runtime) == ABSENT

    run(test)


def test_a_stop_in_the_middle_fails_the_start() -> None:
    async def test() -> None:
        runtime = strict()
        start = runtime.start(spec())
        for _ in range(4):
            await anext(start)
        await runtime.stop(ref())
        with pytest.raises(StartFailed) as failed:
            [progress async for progress in start]
        assert (failed.value.step, failed.value.reason) == (Step.NETWORK, "it was stopped while it started")

    run(test)


def test_it_dies_when_its_time_has_come_and_when_it_is_killed() -> None:
    async def test() -> None:
        now = 0.0
        world = World(strict=True, clock=lambda: now)
        runtime = SimulatedRuntime(Behaviour(dies_after=10), world=world)
        await started(runtime)
        now = 9.0
        before = await seen(runtime)
        now = 10.0
        after = await seen(runtime)
        await started(runtime, 2)
        runtime.kill(NOTEBOOK, "out of memory")
        killed = await seen(runtime, 2)
        assert [before, after, killed] == [
            READY,
            Observation(Presence.EXITED, reason="simulated: exited with status 1"),
            Observation(Presence.EXITED, reason="out of memory"),
        ]

    run(test)


def test_lost_answers_have_had_their_effect() -> None:
    async def test() -> None:
        runtime = strict(Behaviour(lost_answers=2))
        with pytest.raises(TimeoutError):
            await started(runtime)
        assert runtime.world.live() == [InstanceRef(NOTEBOOK, 1, b"simulated:1")]
        with pytest.raises(TimeoutError):
            await runtime.stop(ref())
        assert runtime.world.live() == []
        await runtime.stop(ref())

    run(test)


def test_lies_come_to_an_end() -> None:
    async def test() -> None:
        runtime = strict(Behaviour(slow_to_notice=1, ghosts=1))
        await started(runtime)
        told = [await seen(runtime), await seen(runtime)]
        await runtime.stop(ref())
        await runtime.delete(ref())
        told += [await seen(runtime), await seen(runtime)]
        assert told == [Observation(Presence.UNKNOWN), READY, READY, ABSENT]

    run(test)


def test_a_running_or_stubborn_one_is_not_deleted() -> None:
    async def test() -> None:
        runtime = strict(Behaviour(delete_fail_reason="volume is busy"))
        await started(runtime)
        reasons: list[str] = []
        for _ in range(2):
            with pytest.raises(DeleteFailed) as failed:
                await runtime.delete(ref())
            reasons.append(failed.value.reason)
            await runtime.stop(ref())
        assert reasons == ["it is still running", "volume is busy"]

    run(test)


def test_a_stop_fails_for_as_long_as_it_is_told_to() -> None:
    async def test() -> None:
        runtime = strict(Behaviour(stop_fail_reason="processes that cannot be killed: 7"))
        await started(runtime)
        for _ in range(2):
            with pytest.raises(TimeoutError, match=r"^processes that cannot be killed: 7$"):
                await runtime.stop(ref())
            with pytest.raises(DeleteFailed, match=r"^it is still running$"):
                await runtime.delete(ref())
        assert (await seen(runtime), len(runtime.world.live())) == (READY, 1)
        runtime.world.scripted[NOTEBOOK] = Behaviour()
        await runtime.stop(ref())
        assert (await seen(runtime), runtime.world.live()) == (ABSENT, [])
        runtime.world.scripted.clear()
        await runtime.stop(ref())  # Nothing runs that could stay.
        assert await seen(runtime) == ABSENT

    run(test)


def test_a_notebook_that_the_world_never_heard_of_is_scripted_by_its_id() -> None:
    async def test() -> None:
        runtime, other = SimulatedRuntime(), InstanceRef("other", 1)
        runtime.world.scripted[NOTEBOOK] = Behaviour(stop_fail_reason="busy")
        with pytest.raises(TimeoutError, match=r"^busy$"):
            await runtime.stop(ref())
        await runtime.stop(other)
        assert await runtime.observe([ref(), other]) == [READY, ABSENT]
        runtime.world.scripted[NOTEBOOK] = Behaviour(fail_at=Step.COMPUTE, fail_reason="no room")
        with pytest.raises(StartFailed, match="no room"):
            await started(runtime, 2)
        assert await seen(runtime, 2) == ABSENT
        del runtime.world.scripted[NOTEBOOK]
        await started(runtime, 3)
        assert await seen(runtime, 3) == READY

    run(test)


def test_a_second_service_on_the_same_world_finds_everything() -> None:
    async def test() -> None:
        world = World(strict=True)
        await started(SimulatedRuntime(world=world))
        again = SimulatedRuntime(world=world)
        await started(again)
        assert (await seen(again), world.starts) == (READY, {(NOTEBOOK, 1): 1})

    run(test)


def test_after_a_restart_with_an_empty_world_running_notebooks_stay_calm() -> None:
    async def test() -> None:
        refs = [InstanceRef(NOTEBOOK, 3, b"simulated:3"), InstanceRef(NOTEBOOK, 3), InstanceRef("seeded", 1)]
        runtime = SimulatedRuntime()
        assert await runtime.observe(refs) == [READY] * 3
        await runtime.stop(refs[0])
        assert await runtime.observe(refs) == [ABSENT, ABSENT, READY]
        runtime.kill("seeded", "gone")
        assert await runtime.observe(refs[2:]) == [Observation(Presence.EXITED, reason="gone")]

    run(test)


def test_a_known_notebook_gets_no_benefit_of_the_doubt_for_another_start() -> None:
    async def test() -> None:
        runtime = SimulatedRuntime(Behaviour(fail_at=Step.STORAGE))
        with pytest.raises(StartFailed):
            await started(runtime)
        assert [await seen(runtime, 1), await seen(runtime, 2)] == [ABSENT, ABSENT]

    run(test)


def test_log_tail_tells_the_last_steps() -> None:
    async def test() -> None:
        runtime = strict()
        nothing = await runtime.log_tail(ref(), 5)
        await started(runtime)
        told = [await runtime.log_tail(ref(), count) for count in (0, 2)]
        assert [nothing, *told] == ["", "", "network complete\ninitialisation complete"]

    run(test)


def test_usage_follows_the_clock_while_it_runs() -> None:
    async def test() -> None:
        now = [0.0]
        runtime = SimulatedRuntime(world=World(strict=True, clock=lambda: now[0]))
        told = [await runtime.usage(ref())]
        await started(runtime)
        for now[0] in (0.0, 15.0, 30.0, 30.0):
            told.append(await runtime.usage(ref()))
        told.append(await runtime.usage(ref(2)))
        await runtime.stop(ref())
        told.append(await runtime.usage(ref()))
        figures = [Usage(0.08, 292552704), Usage(10.53, 416284672), *[Usage(22.56, 335544320)] * 2]
        assert told == [None, *figures, None, None]

    run(test)


def test_a_notebook_that_a_world_never_heard_of_uses_something_unless_it_is_strict() -> None:
    async def test() -> None:
        told = [
            await SimulatedRuntime(world=World(strict=strict, clock=lambda: 0.0)).usage(ref())
            for strict in (False, True)
        ]
        assert told == [Usage(0.08, 292552704), None]

    run(test)

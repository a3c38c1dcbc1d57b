"""Images are tried whatever happens: a service that dies, a sweep, a fault, somebody who deletes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from nbfleet.domain.images import State
from nbfleet.domain.notebook import Step
from nbfleet.reconciler import trials, watch
from nbfleet.runtimes.base import InstanceRef, InstanceSpec
from nbfleet.runtimes.simulated import SimulatedRuntime
from nbfleet.services import images as services
from nbfleet.services import registration
from nbfleet.settings import Settings
from nbfleet.store import images, schema
from nbfleet.wire.enums import ImageStatus
from nbfleet.wire.errors import ApiError, ErrorCode
from nbfleet.wire.image_groups import UpdateImageGroupRequestBody
from nbfleet.wire.images import ImageRegRequest
from nbfleet.wire.tags import TmsTagResponse
from support import fleet
from support.rig import REQUEST, Behaviour, Machine, Rig, run, service, until
from support.shelves import put

CALLER = REQUEST.caller
STRANGER = InstanceSpec(InstanceRef("unknown to the store", 1), fleet.IMAGE, "f", 1, 1, "/x/", "secret")


class Short(SimulatedRuntime):
    """The machine is short of something whenever it is told to start."""

    def start(self, spec: InstanceSpec) -> Any:
        raise OSError(12, "Cannot allocate memory")


def hanging_if_tried(spec: InstanceSpec) -> Behaviour:
    return Behaviour(hang_at=Step.INITIALISATION if spec.image_path else None)


class Noting(SimulatedRuntime):
    """Notes whose files were removed."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.deleted: list[str] = []

    async def delete(self, instance: InstanceRef) -> None:
        await super().delete(instance)
        self.deleted.append(instance.notebook_id)


@asynccontextmanager
async def trying(
    machine: Machine, script: Any = None, made_by: Any = SimulatedRuntime, **settings: Any
) -> AsyncIterator[Rig]:
    """A service of which only this loop runs; it ends with the block, whatever is in hand."""
    async with service(machine, script, runtime=made_by) as whole:
        whole.task.cancel()
        rig = configured(whole, **{"runtime": "simulated"} | settings)
        task = asyncio.create_task(trials.try_images(rig.works))
        try:
            yield rig
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def configured(rig: Rig, **settings: Any) -> Rig:
    return replace(rig, works=replace(rig.works, settings=Settings(**settings)))


async def registered(rig: Rig, name: str = "torch", host: str = "registry.example") -> str:
    body = ImageRegRequest(swr_path=f"{host}/team-a/{name}:1")
    return str((await registration.register(rig.context, CALLER, body)).id)


async def find(machine: Machine, image_id: str) -> images.Stored:
    stored = await machine.user.read(images.find, image_id)
    assert stored is not None
    return stored


async def becomes(machine: Machine, image_id: str, state: State, *, due: bool = False) -> images.Stored:
    """The image once it is in this state and nothing is due any more. Time passes when the loop sleeps."""

    async def reached() -> bool:
        stored = await find(machine, image_id)
        done = stored.state is state and (stored.due_at is not None) is due
        if not done and machine.clock.sleepers:
            machine.clock.advance(500)
        return done

    await until(reached)
    return await find(machine, image_id)


def due_again(connection: Connection, number: int) -> None:
    connection.execute(update(schema.images).where(schema.images.c.no == number).values(due_at=1))


def test_a_service_that_dies_in_a_trial_goes_on_with_it(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with trying(machine, Behaviour(hang_at=Step.INITIALISATION)) as rig:
            image_id = await registered(rig)
            await becomes(machine, image_id, State.CREATING, due=True)
            await machine.knows(image_id)
        assert (await find(machine, image_id)).due_at is not None
        async with trying(machine):
            await becomes(machine, image_id, State.ACTIVE)
        assert machine.alive() == []

    run(store_url, test)


def test_a_trial_leaves_what_was_changed_since_it_was_read(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as whole:
            whole.task.cancel()
            rig = configured(whole, runtime="simulated")
            image_id = await registered(rig)
            read = await find(machine, image_id)
            body = UpdateImageGroupRequestBody(tags=[TmsTagResponse(key="team", value="vision")])
            await services.update_group(rig.context, CALLER, str(read.group_id), body)
            await trials.Trials(rig.works)._try(read)
        tried = (await find(machine, image_id)).image
        assert (tried.status, tried.tags) == (ImageStatus.ACTIVE, body.tags)

    run(store_url, test)


def test_a_sweep_spares_what_is_tried_and_nothing_else(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with trying(machine, hanging_if_tried, made_by=Noting) as rig:
            image_id = await registered(rig)
            await becomes(machine, image_id, State.CREATING, due=True)

            async def lives() -> bool:
                return machine.alive() == [(image_id, 1)]

            await until(lives)
            async for _ in rig.runtime.start(STRANGER):
                pass
            await watch.sweep_once(rig.works)
            assert machine.alive() == [(image_id, 1)]
            await machine.user.write(images.postpone, (await find(machine, image_id)).no, None)
            await watch.sweep_once(rig.works)
            assert machine.alive() == []
            assert isinstance(rig.runtime, Noting)
            assert rig.runtime.deleted == [image_id]

    run(store_url, test)


def test_a_fault_of_the_moment_is_tried_again_and_taken_for_lasting_at_last(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with trying(machine, made_by=Short) as rig:
            image_id = await registered(rig)
            failed = await becomes(machine, image_id, State.CREATE_FAILED)
            message = "It failed 5 times; the last cause: [Errno 12] Cannot allocate memory"
            assert (failed.image.status_message, failed.trial) == (message, 1)

    run(store_url, test)


def test_one_that_is_too_slow_fails(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with trying(machine, Behaviour(hang_at=Step.NETWORK), start_timeout=1) as rig:
            image_id = await registered(rig)
            failed = await becomes(machine, image_id, State.CREATE_FAILED)
            first, *rest = str(failed.image.status_message).splitlines()
            assert (first, rest) == (
                "It was not ready within 1 seconds.", ["storage complete", "compute complete"]
            )  # fmt: skip
        assert machine.alive() == []

    run(store_url, test)


def test_a_trial_that_is_not_wanted_any_more_is_called_off(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with trying(machine, Behaviour(hang_at=Step.INITIALISATION)) as rig:
            hanging = [await registered(rig, f"image-{number}") for number in range(trials.AT_ONCE)]
            for image_id in hanging:
                await becomes(machine, image_id, State.CREATING, due=True)
                await machine.knows(image_id)
            waiting = await registered(rig, "waiting")
            for image_id in hanging:
                await services.delete(rig.context, CALLER, image_id, force=False)
            await becomes(machine, waiting, State.CREATING, due=True)
            assert [(await find(machine, one)).state for one in hanging] == [State.DELETED] * trials.AT_ONCE

    run(store_url, test)


def test_a_trial_is_tidied_up_once_and_to_its_end(store_url: str) -> None:
    """Ending it takes longer than the pause between looks, and is not to be broken off by the next look."""

    async def test(machine: Machine) -> None:
        script = Behaviour(hang_at=Step.INITIALISATION, stop_seconds=5)
        async with trying(machine, script) as rig:
            image_id = await registered(rig)
            await becomes(machine, image_id, State.CREATING, due=True)
            await machine.knows(image_id)
            await services.delete(rig.context, CALLER, image_id, force=False)

            async def ended() -> bool:
                machine.clock.advance(500)
                return machine.alive() == []

            await until(ended)

    run(store_url, test)


def test_a_user_has_a_number_of_images_and_no_more(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with trying(machine, images=2) as rig:
            first, _ = await registered(rig, "first"), await registered(rig, "second")
            with pytest.raises(ApiError) as caught:
                await registered(rig, "third")
            assert (caught.value.status, caught.value.code) == (400, ErrorCode.QUOTA_EXCEEDED)
            assert caught.value.message == "You have 2 images; you may have at most 2."
            await services.delete(rig.context, CALLER, first, force=False)
            await registered(rig, "third")

    run(store_url, test)


def test_content_that_is_being_removed_is_not_registered(store_url: str, tmp_path: Path) -> None:
    async def test(machine: Machine) -> None:
        directory = put(tmp_path / "images", "localhost/team-a/torch:1")
        where = {"runtime": "local", "data_dir": str(tmp_path)}
        async with service(machine) as whole:
            rig = configured(whole, **where)
            first = await registered(rig, host="localhost")
            await services.delete(rig.context, CALLER, first, force=True)
            with pytest.raises(ApiError) as caught:
                await registered(rig, host="localhost")
            assert (caught.value.status, caught.value.code) == (400, ErrorCode.CONFLICTING_STATE)
            told = "What stood at localhost/team-a/torch:1 is still being removed."
            assert caught.value.message == told
        async with trying(machine, **where):
            await becomes(machine, first, State.DELETED)
        assert not directory.exists()

    run(store_url, test)


def test_content_that_is_registered_all_the_same_stays(store_url: str, tmp_path: Path) -> None:
    """As when another project registers it in the moment in which it is deleted."""

    async def test(machine: Machine) -> None:
        directory = put(tmp_path / "images", "localhost/team-a/torch:1")
        where = {"runtime": "local", "data_dir": str(tmp_path)}
        async with service(machine) as whole:
            rig = configured(whole, **where)
            first = await registered(rig, host="localhost")
            await services.delete(rig.context, CALLER, first, force=False)
            second = await registered(rig, host="localhost")
            number = (await find(machine, first)).no
            await machine.user.write(due_again, number)
        async with trying(machine, **where):
            await becomes(machine, first, State.DELETED)
            await becomes(machine, second, State.ACTIVE)
        assert directory.exists()

    run(store_url, test)

"""Mounts of running instances: made true, tried again, given up, and found again by the next service."""

import asyncio
from typing import Any

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.storage import MountStatus
from nbfleet.reconciler.mounts import GIVE_UP
from nbfleet.services import mounts as services
from nbfleet.wire import enums
from nbfleet.wire.enums import DynamicStorageCategory
from nbfleet.wire.volumes import DataVolumesReq, VolumeMountRequest
from support.rig import PATIENCE, REQUEST, Behaviour, CutDatabase, Machine, Rig, run, service, until

URI = "obs://team-bucket/dir1/"


async def attach(rig: Rig, notebook_id: str, path: str = "/data/dir1/") -> str:
    body = DataVolumesReq(category=DynamicStorageCategory("OBS"), mount_path=path, uri=URI)
    return (await services.attach(rig.context, REQUEST, notebook_id, body)).id


async def detach(rig: Rig, notebook_id: str, mount_id: str) -> None:
    await services.detach(rig.context, REQUEST, notebook_id, mount_id)


async def look(rig: Rig) -> None:
    """One round of the loop, to the end of what it began."""
    async with asyncio.timeout(PATIENCE):
        await rig.mounts.take()
        await rig.mounts.settled()


async def state(rig: Rig, notebook_id: str, mount_id: str) -> tuple[str, str | None]:
    found = await services.show(rig.context, REQUEST.caller, notebook_id, mount_id)
    return found.status.value, found.failure_reason


def attached(machine: Machine, notebook_id: str) -> list[str]:
    """What the machine really has attached, by mount path."""
    return [one.mount_path for one in machine.world.attached.get(notebook_id, {}).values()]


async def running(rig: Rig, **fields: Any) -> str:
    notebook_id = await rig.create(**fields)
    await rig.ends(notebook_id, Status.RUNNING)
    return notebook_id


def test_storage_is_mounted_and_unmounted_while_the_instance_runs(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one, two = await running(rig), await running(rig)
            first, second = await attach(rig, one), await attach(rig, one, "/data/dir2/")
            other = await attach(rig, two)
            assert await state(rig, one, first) == ("MOUNTING", None)
            await look(rig)
            assert [await state(rig, one, first), await state(rig, one, second)] == [("MOUNTED", None)] * 2
            assert await state(rig, two, other) == ("MOUNTED", None)
            assert (attached(machine, one), attached(machine, two)) == (
                ["/data/dir1/", "/data/dir2/"], ["/data/dir1/"],
            )  # fmt: skip
            await detach(rig, one, first)
            assert await state(rig, one, first) == ("UNMOUNTING", None)
            await detach(rig, one, first)
            await look(rig)
            assert await state(rig, one, first) == ("UNMOUNTED", None)
            await detach(rig, one, first)
            await look(rig)
            assert await state(rig, one, first) == ("UNMOUNTED", None)
            assert attached(machine, one) == ["/data/dir2/"]
            listed = await services.present(rig.context, REQUEST.caller, one)
            assert [mount.id for mount in listed] == [second]

    run(store_url, test)


def test_what_cannot_be_mounted_or_unmounted_says_why(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            machine.world.instances[one].behaviour = Behaviour(attach_fail_reason="no such bucket")
            mount_id = await attach(rig, one)
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNT_FAILED", "no such bucket")
            machine.world.instances[one].behaviour = Behaviour(detach_fail_reason="busy")
            await detach(rig, one, mount_id)
            await look(rig)
            assert await state(rig, one, mount_id) == ("UNMOUNT_FAILED", "busy")
            machine.world.instances[one].behaviour = Behaviour()
            await detach(rig, one, mount_id)
            await look(rig)
            assert await state(rig, one, mount_id) == ("UNMOUNTED", None)

    run(store_url, test)


def test_a_fault_of_the_moment_is_tried_again_and_given_up_in_the_end(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            machine.world.instances[one].lost_answers = 1
            mount_id = await attach(rig, one)
            await look(rig)
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNTING", None)
            machine.clock.advance(1000)
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNTED", None)
            machine.world.instances[one].lost_answers = 2 * GIVE_UP
            await detach(rig, one, mount_id)
            for _ in range(GIVE_UP):
                await look(rig)
                machine.clock.advance(60_000)
            reason = "It failed 5 times; the last cause: simulated: the answer was lost"
            assert await state(rig, one, mount_id) == ("UNMOUNT_FAILED", reason)

    run(store_url, test)


def test_faults_of_an_earlier_start_do_not_count_and_are_forgotten(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            machine.world.instances[one].lost_answers = GIVE_UP - 1
            mount_id = await attach(rig, one)
            for _ in range(GIVE_UP - 1):
                await look(rig)
                machine.clock.advance(60_000)
            assert await state(rig, one, mount_id) == ("MOUNTING", None)
            await rig.stop(one)
            await rig.ends(one, Status.STOPPED)
            await look(rig)
            assert rig.mounts._failures == {}  # What is kept shows nowhere else.
            await rig.start(one)
            await rig.ends(one, Status.RUNNING)
            machine.world.instances[one].lost_answers = 1
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNTING", None)
            machine.clock.advance(1000)
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNTED", None)

    run(store_url, test)


def test_mounts_come_back_with_the_next_start_and_what_was_to_go_is_gone(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            kept, going = await attach(rig, one), await attach(rig, one, "/data/dir2/")
            await look(rig)
            await detach(rig, one, going)
            await rig.stop(one)
            await rig.ends(one, Status.STOPPED)
            assert attached(machine, one) == []
            await look(rig)
            assert attached(machine, one) == []
            await rig.start(one)
            await rig.ends(one, Status.RUNNING)
            assert await state(rig, one, kept) == ("MOUNTING", None)
            assert await state(rig, one, going) == ("UNMOUNTED", None)
            await look(rig)
            assert await state(rig, one, kept) == ("MOUNTED", None)
            assert attached(machine, one) == ["/data/dir1/"]

    run(store_url, test)


def test_a_stop_does_not_wait_for_a_mount_and_ends_it(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            machine.world.instances[one].behaviour = Behaviour(attach_seconds=50)
            mount_id = await attach(rig, one)
            await rig.mounts.take()
            await sleeping(machine)
            await rig.stop(one)
            await rig.ends(one, Status.STOPPED)
            machine.world.instances[one].behaviour = Behaviour()
            await rig.start(one)
            await rig.ends(one, Status.RUNNING)
            machine.clock.advance(50_000)
            await rig.mounts.settled()
            # What was done for the earlier start says nothing about this one.
            assert await state(rig, one, mount_id) == ("MOUNTING", None)
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNTED", None)

    run(store_url, test)


def test_a_slow_mount_holds_up_no_other_notebook(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            slow, quick = await running(rig), await running(rig)
            machine.world.instances[slow].behaviour = Behaviour(attach_seconds=50)
            first = await attach(rig, slow)
            await rig.mounts.take()
            await sleeping(machine)
            second = await attach(rig, quick)
            await rig.mounts.take()

            async def mounted() -> bool:
                return await state(rig, quick, second) == ("MOUNTED", None)

            await until(mounted)
            assert await state(rig, slow, first) == ("MOUNTING", None)

    run(store_url, test)


def test_a_service_that_dies_between_record_and_effect_mounts_later(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            mount_id = await attach(rig, one)
        assert attached(machine, one) == []
        async with service(machine) as rig:
            await look(rig)
            assert await state(rig, one, mount_id) == ("MOUNTED", None)
            assert attached(machine, one) == ["/data/dir1/"]

    run(store_url, test)


def test_a_service_that_dies_between_effect_and_result_finds_it_done(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        async with service(machine) as rig:
            one = await running(rig)
            mount_id = await attach(rig, one)
        for before, wanted, after in (
            ("MOUNTING", ["/data/dir1/"], "MOUNTED"), ("UNMOUNTING", [], "UNMOUNTED"),
        ):  # fmt: skip
            cut = CutDatabase(store_url, at=1, after=False)
            async with service(machine, database=cut) as rig:
                await rig.mounts.take()

                async def done(cut: CutDatabase = cut) -> bool:
                    return cut.was_cut

                await until(done)
                assert attached(machine, one) == wanted
                assert await state(rig, one, mount_id) == (before, None)
            cut.close()
            async with service(machine) as rig:
                await look(rig)
                assert await state(rig, one, mount_id) == (after, None)
                assert attached(machine, one) == wanted
                if after == "MOUNTED":
                    await detach(rig, one, mount_id)

    run(store_url, test)


def test_volumes_are_there_from_the_start_and_a_start_fails_without_them(store_url: str) -> None:
    async def test(machine: Machine) -> None:
        extra = VolumeMountRequest(
            category=enums.VolumeCategoryInput.OBSFS, ownership=enums.VolumeOwnershipInput.DEDICATED, uri=URI,
            mount_path="/data/set/",
        )  # fmt: skip
        async with service(machine) as rig:
            one = await running(rig, data_volumes=[extra])
            assert attached(machine, one) == ["/data/set/"]
        async with service(machine, lambda _: Behaviour(attach_fail_reason="no such bucket")) as rig:
            two = await rig.create(data_volumes=[extra])
            failed = await rig.ends(two, Status.CREATE_FAILED)
            assert (failed.fail_reason, attached(machine, two)) == ("no such bucket", [])

    run(store_url, test)


async def sleeping(machine: Machine) -> None:
    async def sleeps() -> bool:
        return machine.clock.sleepers > 0

    await until(sleeps)


def test_every_status_is_one_of_the_contract() -> None:
    assert {one.value for one in MountStatus} == {one.value for one in enums.DynamicStorageStatus}

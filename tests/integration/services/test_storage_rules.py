"""Storage that an installation does not have, or its runtime cannot attach, is refused by name."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.notebook import Ability
from nbfleet.runtimes.simulated import SimulatedRuntime
from nbfleet.services import mounts, notebooks
from nbfleet.settings import ObjectStorageSettings, SecretSettings, ShareSettings, made_share_id, share_id
from nbfleet.wire.enums import DynamicStorageCategory, VolumeCategoryInput, VolumeOwnershipInput
from nbfleet.wire.errors import ApiError
from nbfleet.wire.notebooks import NotebookUpdateRequest
from nbfleet.wire.volumes import DataVolumesReq, VolumeMountRequest
from support import fleet
from support.rig import REQUEST, Machine, Rig, run, service

BUCKET = "obs://team-bucket/dir1/"
SHARES = (
    ShareSettings(name="sets", root="/sets", without_pool=True),
    ShareSettings(name="fixed", root="/fixed", read_only=True, without_pool=True),
    ShareSettings(name="pooled", root="/pooled"),
    ShareSettings(name="theirs", root="/theirs", projects=["q"], without_pool=True),
    ShareSettings(name="ours", root="/ours", projects=["q", "p"], without_pool=True),
)
OBJECTS = ObjectStorageSettings(
    endpoint="http://store:9000", access_key_file="/keys", secrets={"mine": "/mine"}
)
NO_DEFAULT = ObjectStorageSettings(endpoint="http://store:9000", secrets={"mine": "/mine"})
EVERYTHING = frozenset({Ability.OBJECT_STORAGE, Ability.READ_ONLY})
NO_FUSE = "this machine has no way to mount object storage; `nbfleet doctor` says what is missing"
NO_READ_ONLY = "the service may not mount here, so nothing keeps an instance from writing"


def having(abilities: frozenset[Ability]) -> type[SimulatedRuntime]:
    """A runtime that can do so much and no more."""

    class Limited(SimulatedRuntime):
        pass

    Limited.abilities = abilities
    return Limited


def share(name: str, **fields: Any) -> DataVolumesReq:
    made = {"category": DynamicStorageCategory.EFS, "mount_path": "/data/x/", "uri": f"{name}:/a"}
    return DataVolumesReq(**made | {"efs_id": made_share_id(name)} | fields)


def bucket() -> DataVolumesReq:
    return DataVolumesReq(category=DynamicStorageCategory.OBSFS, mount_path="/data/x/", uri=BUCKET)


def work(category: VolumeCategoryInput, **fields: Any) -> VolumeMountRequest:
    made = {"category": category, "ownership": VolumeOwnershipInput.DEDICATED, "uri": BUCKET}
    return VolumeMountRequest(**made | fields)


async def refusal(work: Awaitable[Any]) -> tuple[int, str, str]:
    with pytest.raises(ApiError) as refused:
        await work
    return refused.value.status, refused.value.code.value, refused.value.message


def not_had(uri: str, reason: str, field: str = "uri") -> tuple[int, str, str]:
    return 400, "ModelArts.6324", f"The field {field} is {uri}, which cannot be had: {reason}."


def on(
    url: str, abilities: frozenset[Ability], test: Callable[[Rig, str], Awaitable[None]], **settings: Any
) -> None:
    async def inside(machine: Machine) -> None:
        async with service(machine, runtime=having(abilities), **settings) as rig:
            notebook_id = await rig.create()
            await rig.ends(notebook_id, Status.RUNNING)
            await test(rig, notebook_id)

    run(url, inside)


def test_shares_are_those_of_the_settings_and_for_the_projects_they_name(store_url: str) -> None:
    async def test(rig: Rig, one: str) -> None:
        async def attach(body: DataVolumesReq) -> str:
            return (await mounts.attach(rig.context, REQUEST, one, body)).mount_path

        for name in ("unknown", "theirs"):
            expected = not_had(f"{name}:/a", f"there is no share called {name}")
            for asked in (share(name), share(name, efs_id=fleet.IMAGE)):
                assert await refusal(attach(asked)) == expected
        expected = (
            400, "ModelArts.6336", f"The field efs_id is {fleet.IMAGE}; allowed: the id of the share sets.",
        )  # fmt: skip
        assert await refusal(attach(share("sets", efs_id=fleet.IMAGE))) == expected
        reason = "EFS is mounted into running instances of a dedicated pool only"
        assert await refusal(attach(share("pooled"))) == not_had("EFS", reason, "category")
        assert await refusal(attach(share("fixed"))) == not_had("fixed:/a", NO_READ_ONLY)
        assert await attach(share("sets", mount_path="/data/s/")) == "/data/s/"
        assert await attach(share("ours", mount_path="/data/o/")) == "/data/o/"

    on(store_url, frozenset(), test, shares=SHARES)


def test_a_read_only_share_is_mounted_read_only_where_that_can_be(store_url: str) -> None:
    async def test(rig: Rig, one: str) -> None:
        mount = await mounts.attach(rig.context, REQUEST, one, share("fixed"))
        await rig.mounts.take()
        await rig.mounts.settled()
        (attached,) = rig.machine.world.attached[one].values()
        assert (attached.source.read_only, attached.source.id) == (True, share_id(SHARES[1]))
        shown = await mounts.show(rig.context, REQUEST.caller, one, mount.id)
        assert (shown.status.value, shown.source) == ("MOUNTED", attached.source)

    on(store_url, frozenset({Ability.READ_ONLY}), test, shares=SHARES)


@pytest.mark.parametrize(
    ("abilities", "settings", "expected"),
    [
        (EVERYTHING, ObjectStorageSettings(), not_had(BUCKET, "the service knows no object storage")),
        (frozenset[Ability](), OBJECTS, not_had(BUCKET, NO_FUSE)),
        (
            EVERYTHING,
            NO_DEFAULT,
            (
                400,
                "ModelArts.6782",
                "The field dew_secret_name is missing: object storage is opened with access keys that are "
                "stored under a name.",
            ),
        ),
    ],
)
def test_buckets_need_an_endpoint_keys_and_a_machine_that_mounts(
    store_url: str,
    abilities: frozenset[Ability],
    settings: ObjectStorageSettings,
    expected: tuple[int, str, str],
) -> None:
    async def test(rig: Rig, one: str) -> None:
        assert await refusal(mounts.attach(rig.context, REQUEST, one, bucket())) == expected
        assert await mounts.present(rig.context, REQUEST.caller, one) == []

    on(store_url, abilities, test, object_storage=settings)


def test_access_keys_of_other_projects_are_not_there(store_url: str) -> None:
    objects = ObjectStorageSettings(
        endpoint="http://store:9000",
        secrets={
            "ours": SecretSettings(file="/ours", projects=["q", "p"]),
            "theirs": SecretSettings(file="/theirs", projects=["q"]),
        },
    )

    async def test(rig: Rig, _one: str) -> None:
        def asked(name: str) -> VolumeMountRequest:
            return work(VolumeCategoryInput.OBS, dew_secret_name=name)

        def unknown(field: str, name: str) -> tuple[int, str, str]:
            message = f"The field {field} is {name}; no access keys are stored under that name."
            return 400, "ModelArts.6319", message

        mine = await rig.create(volume=asked("ours"))
        await rig.ends(mine, Status.RUNNING)
        await notebooks.stop(rig.context, REQUEST, mine)
        await rig.ends(mine, Status.STOPPED)
        for name in ("theirs", "unknown"):
            expected = unknown("volume.dew_secret_name", name)
            assert await refusal(rig.create(volume=asked(name))) == expected
            change = notebooks.update(rig.context, REQUEST, mine, NotebookUpdateRequest(dew_secret_name=name))
            assert await refusal(change) == unknown("dew_secret_name", name)

    on(store_url, EVERYTHING, test, object_storage=objects)


def test_even_where_any_storage_is_taken_what_is_for_others_is_not(store_url: str) -> None:
    objects = ObjectStorageSettings(secrets={"theirs": SecretSettings(file="/theirs", projects=["q"])})

    async def test(rig: Rig, _one: str) -> None:
        theirs = work(VolumeCategoryInput.EFS, uri="theirs:/", id=made_share_id("theirs"))
        assert await refusal(rig.create(volume=theirs)) == not_had(
            "theirs:/", "there is no share called theirs"
        )
        keys = work(VolumeCategoryInput.OBS, dew_secret_name="theirs")
        message = "The field dew_secret_name is theirs; no access keys are stored under that name."
        assert await refusal(rig.create(volume=keys)) == (400, "ModelArts.6319", message)

    on(store_url, frozenset({Ability.ANY_STORAGE}), test, object_storage=objects, shares=SHARES)


def test_work_volumes_and_their_keys(store_url: str) -> None:
    async def test(rig: Rig, _one: str) -> None:
        async def create(volume: VolumeMountRequest, **fields: Any) -> str:
            return await rig.create(volume=volume, **fields)

        obs = VolumeCategoryInput.OBS
        expected = (
            400, "ModelArts.6319",
            "The field volume.dew_secret_name is yours; no access keys are stored under that name.",
        )  # fmt: skip
        assert await refusal(create(work(obs, dew_secret_name="yours"))) == expected
        await rig.ends(await create(work(obs, dew_secret_name="mine")), Status.RUNNING)
        await rig.ends(await create(work(VolumeCategoryInput.OBSFS)), Status.RUNNING)
        for name, id_ in itertools.product(("unknown", "theirs"), (made_share_id("theirs"), fleet.IMAGE)):
            theirs = work(VolumeCategoryInput.EFS, uri=f"{name}:/", id=id_)
            reason = f"there is no share called {name}"
            assert await refusal(create(theirs)) == not_had(f"{name}:/", reason, "volume.uri")
        extra = work(VolumeCategoryInput.OBSFS, mount_path="/data/x/")
        expected = (
            400, "ModelArts.6336",
            "The field data_volumes cannot be honoured: the work volume is not the instance's own, so others "
            "would see what is attached in it.",
        )  # fmt: skip
        assert await refusal(create(work(VolumeCategoryInput.OBSFS), data_volumes=[extra])) == expected

    on(store_url, EVERYTHING, test, object_storage=OBJECTS, shares=SHARES)

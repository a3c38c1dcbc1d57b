"""The calls about storage that is mounted into a running notebook."""

from msgspec import UNSET

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import unpaged
from nbfleet.domain.storage import Mount, MountStatus
from nbfleet.services import mounts
from nbfleet.wire import enums
from nbfleet.wire.volumes import DataVolumesRes, ListDynamicStoragesResponse


def view(mount: Mount) -> DataVolumesRes:
    failed = mount.status in (MountStatus.MOUNT_FAILED, MountStatus.UNMOUNT_FAILED)
    reason = mount.failure_reason if failed else None
    return DataVolumesRes(
        id=mount.id,
        category=enums.DynamicStorageCategory(mount.category),
        mount_path=mount.mount_path,
        uri=mount.source.uri,
        efs_id=UNSET if mount.source.id is None else mount.source.id,
        status=enums.DynamicStorageStatus(mount.status.value),
        failure_reason=UNSET if reason is None else reason,
        mount_type=enums.MountType.DYNAMIC,
    )


async def list_dynamic_storages(tools: Tools, call: Call) -> Answer:
    found = await mounts.present(tools.context, call.caller, call.path["instance_id"])
    return Answer(ListDynamicStoragesResponse(**unpaged([view(one) for one in found], 0)))


async def attach_dynamic_storage(tools: Tools, call: Call) -> Answer:
    return Answer(view(await mounts.attach(tools.context, call.request, call.path["instance_id"], call.body)))


async def show_dynamic_storage(tools: Tools, call: Call) -> Answer:
    place = (call.path["instance_id"], call.path["storage_id"])
    return Answer(view(await mounts.show(tools.context, call.caller, *place)))


async def detach_dynamic_storage(tools: Tools, call: Call) -> Answer:
    place = (call.path["instance_id"], call.path["storage_id"])
    return Answer(view(await mounts.detach(tools.context, call.request, *place)))


HANDLERS: dict[str, Handler] = {
    "ListDynamicStorages": list_dynamic_storages,
    "AttachDynamicStorage": attach_dynamic_storage,
    "ShowDynamicStorage": show_dynamic_storage,
    "DetachDynamicStorage": detach_dynamic_storage,
}

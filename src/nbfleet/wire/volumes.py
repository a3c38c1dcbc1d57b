"""Storage of instances: the work volume, extra volumes and dynamic mounts.

Types only. Which kind of storage may be combined with which ownership depends on what the
installation offers, so no type refuses a combination.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import (
    DynamicStorageCategory,
    DynamicStorageStatus,
    MountType,
    VolumeCategory,
    VolumeCategoryInput,
    VolumeOwnership,
    VolumeOwnershipInput,
    VolumeStatus,
)
from nbfleet.wire.fields import SecretName, Uuid, about, int32
from nbfleet.wire.pages import Page


class VolumeRes(Struct, frozen=True, kw_only=True):
    """Work volume of an instance."""

    capacity: (
        Annotated[int, int32(ge=0, le=4096), about("Size in GB; by default 5 for EVS and 50 for EFS.")]
        | UnsetType
    ) = UNSET
    category: Annotated[VolumeCategory, about("Storage kind.")] | UnsetType = UNSET
    mount_path: (
        Annotated[str, about("Mount point, always below /home/ma-user/work/.", default="/home/ma-user/work/")]
        | UnsetType
    ) = UNSET
    ownership: Annotated[VolumeOwnership, about("Who owns the storage.")] | UnsetType = UNSET
    status: Annotated[VolumeStatus, about("State, in particular RESIZING.")] | UnsetType = UNSET
    id: Annotated[str, about("Id of the EFS file system or OBS mount.")] | UnsetType = UNSET
    read_only: Annotated[bool, about("Mounted read-only.")] | UnsetType = UNSET
    dew_secret_name: (
        Annotated[str, about("Name of the stored secret with the access keys for OBS.")] | UnsetType
    ) = UNSET
    evs_sku_code: Annotated[str, about("Product code of the EVS disk.")] | UnsetType = UNSET
    uri: Annotated[str, about("Source path; EFS, OBS and OBSFS only.")] | UnsetType = UNSET
    mount_type: Annotated[MountType, about("How it is mounted.")] | UnsetType = UNSET


class VolumeResponse(Struct, frozen=True, kw_only=True):
    """Extra volume of an instance."""

    category: Annotated[VolumeCategory, about("Storage kind: OBS, OBSFS or EFS.")] | UnsetType = UNSET
    mount_path: Annotated[str, about("Mount point.")] | UnsetType = UNSET
    url: Annotated[str, about("Source path of OBS and OBSFS; called uri elsewhere.")] | UnsetType = UNSET
    status: Annotated[DynamicStorageStatus, about("State; absent for STATIC mounts.")] | UnsetType = UNSET
    mount_type: Annotated[MountType, about("How it is mounted.")] | UnsetType = UNSET


class VolumeMountRequest(Struct, frozen=True, kw_only=True):
    """Storage to mount."""

    category: Annotated[VolumeCategoryInput, about("Storage kind.")]
    ownership: Annotated[VolumeOwnershipInput, about("Who owns the storage.")]
    uri: (
        Annotated[
            str,
            Meta(max_length=1024),
            about(
                "Source: EFS share path, or obs://BUCKET/PATH/. Required for EFS, OBS and OBSFS with "
                "DEDICATED."
            ),
        ]
        | UnsetType
    ) = UNSET
    id: Annotated[Uuid, about("EFS file-system id. Required for EFS with DEDICATED.")] | UnsetType = UNSET
    mount_path: (
        Annotated[str, Meta(max_length=256), about("Mount point; for the work volume /home/ma-user/work/.")]
        | UnsetType
    ) = UNSET
    read_only: Annotated[bool, about("Mount read-only.", default=False)] | UnsetType = UNSET
    dew_secret_name: (
        Annotated[SecretName, about("Stored secret with the access keys. Required for OBS.")] | UnsetType
    ) = UNSET
    capacity: (
        Annotated[int, int32(ge=5, le=4096), about("Size of an EVS disk in GB.", default=5)] | UnsetType
    ) = UNSET


class DataVolumesReq(Struct, frozen=True, kw_only=True):
    """Storage to mount into a running instance."""

    category: Annotated[
        DynamicStorageCategory, about("Storage kind. OBS with a parallel file system is answered as OBSFS.")
    ]
    mount_path: Annotated[
        str,
        Meta(max_length=256, pattern=r"^/data/[A-Za-z0-9_\-/]*\Z"),
        about("Mount point, a directory below /data/."),
    ]
    uri: Annotated[str, Meta(max_length=256), about("Source: obs://BUCKET/PATH/ or FILE-SYSTEM-HOST:/PATH.")]
    efs_id: Annotated[Uuid, about("SFS Turbo file-system id. Required for EFS.")] | UnsetType = UNSET


class DataVolumesRes(Struct, frozen=True, kw_only=True):
    """A dynamic mount."""

    category: Annotated[DynamicStorageCategory, about("Storage kind.")]
    id: Annotated[Uuid, about("Mount id.")]
    mount_path: Annotated[str, about("Mount point.")]
    status: Annotated[DynamicStorageStatus, about("State.")]
    uri: Annotated[str, about("Source.")] | UnsetType = UNSET
    failure_reason: Annotated[str, about("Why it failed; with MOUNT_FAILED.")] | UnsetType = UNSET
    efs_id: Annotated[str, about("SFS Turbo id.")] | UnsetType = UNSET
    mount_type: Annotated[MountType, about("How it is mounted.")] | UnsetType = UNSET


class ListDynamicStoragesResponse(Page, frozen=True, kw_only=True):
    """Dynamic mounts of an instance; unpaged."""

    data: Annotated[list[DataVolumesRes], about("Records of this page.")]

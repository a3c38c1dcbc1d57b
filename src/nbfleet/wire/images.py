"""Images: what instances are made from and saved to.

Types only; registry access lives elsewhere.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import (
    AcceleratorType,
    ImageArch,
    ImageDevService,
    ImageOrigin,
    ImageServiceType,
    ImageStatus,
    ImageType,
    ImageVisibility,
    ResourceCategory,
)
from nbfleet.wire.fields import LongCount, Millis, Uuid, WorkspaceId, about
from nbfleet.wire.pages import Page
from nbfleet.wire.tags import TmsTagResponse


class ImageResponse(Struct, frozen=True, kw_only=True):
    """Image as an entry of a list."""

    arch: Annotated[ImageArch, about("Architecture the image runs on.")] | UnsetType = UNSET
    create_at: Annotated[Millis, about("Creation time.")] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=512), about("Free text.")] | UnsetType = UNSET
    dev_services: Annotated[list[ImageDevService], about("Services the image supports.")] | UnsetType = UNSET
    id: Annotated[Uuid, about("Image id, a UUID.")] | UnsetType = UNSET
    name: (
        Annotated[
            str,
            Meta(max_length=512),
            about("Image name: lower-case letters, digits, hyphen, underscore, period."),
        ]
        | UnsetType
    ) = UNSET
    namespace: Annotated[str, about("Registry organisation that holds the image.")] | UnsetType = UNSET
    origin: (
        Annotated[ImageOrigin, about("Where the image came from; CUSTOMIZE unless stated.")] | UnsetType
    ) = UNSET
    resource_categories: (
        Annotated[list[ResourceCategory], about("Flavor families the image runs on.")] | UnsetType
    ) = UNSET
    service_type: Annotated[ImageServiceType, about("Purpose.")] | UnsetType = UNSET
    size: Annotated[LongCount, about("Size in KB.")] | UnsetType = UNSET
    status: Annotated[ImageStatus, about("State.")] | UnsetType = UNSET
    status_message: (
        Annotated[str, about("Build log or message while an image is being saved.")] | UnsetType
    ) = UNSET
    swr_path: (
        Annotated[
            str, Meta(max_length=2048), about("Full registry reference HOST[:PORT]/NAMESPACE/NAME:TAG.")
        ]
        | UnsetType
    ) = UNSET
    tag: Annotated[str, about("Image tag.")] | UnsetType = UNSET
    type: Annotated[ImageType, about("Built in or user-owned.")] | UnsetType = UNSET
    update_at: Annotated[Millis, about("Time of the last change.")] | UnsetType = UNSET
    visibility: Annotated[ImageVisibility, about("Who may use it.")] | UnsetType = UNSET
    workspace_id: Annotated[str, about("Workspace id, 0 for the default workspace.")] | UnsetType = UNSET
    flavor_type: (
        Annotated[AcceleratorType, about("Ascend chip the image is built for; absent otherwise.")] | UnsetType
    ) = UNSET
    swr_instance_id: (
        Annotated[str | None, about("Id of the enterprise registry instance; null when none is used.")]
        | UnsetType
    ) = UNSET
    show_name: Annotated[str, about("Display name; built-in images only.")] | UnsetType = UNSET
    show_tag: Annotated[str, about("Display version; built-in images only.")] | UnsetType = UNSET
    tags: Annotated[list[TmsTagResponse], about("Tags of the image; may be empty.")] | UnsetType = UNSET


class Image(ImageResponse, frozen=True, kw_only=True):
    """Image on its own; as part of a listed instance it carries only id, name, swr_path and type."""

    support_res_categories: (
        Annotated[list[ResourceCategory], about("Same as resource_categories; not part of list entries.")]
        | UnsetType
    ) = UNSET


class ListImageResponse(Page, frozen=True, kw_only=True):
    """One page of images."""

    data: Annotated[list[ImageResponse], about("Records of this page.")]


class ImageCreateReq(Struct, frozen=True, kw_only=True):
    """Image to save from a running instance."""

    description: Annotated[str, Meta(max_length=512), about("Free text.")] | UnsetType = UNSET
    name: Annotated[
        str,
        Meta(min_length=1, max_length=128, pattern=r"^[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?\Z"),
        about("Image name; starts and ends with a letter or digit."),
    ]
    namespace: Annotated[
        str,
        Meta(min_length=1, max_length=64, pattern=r"^[a-z][A-Za-z0-9._-]{0,63}\Z"),
        about("Registry organisation; starts with a lower-case letter."),
    ]
    tag: (
        Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9._-]{1,64}\Z"), about("Image tag.")]
        | UnsetType
    ) = UNSET
    workspace_id: Annotated[str, about("Workspace.", default="0")] | UnsetType = UNSET
    swr_instance_id: Annotated[str, about("Enterprise registry id.")] | UnsetType = UNSET
    swr_instance_domain: Annotated[str, about("Enterprise registry host.")] | UnsetType = UNSET


class ImageRegRequest(Struct, frozen=True, kw_only=True):
    """Image to register."""

    arch: Annotated[ImageArch, about("Architecture.", default="X86_64")] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=512), about("Free text.")] | UnsetType = UNSET
    origin: Annotated[ImageOrigin, about("Where it came from.", default="CUSTOMIZE")] | UnsetType = UNSET
    resource_category: (
        Annotated[
            list[ResourceCategory],
            about("Flavor families; called resource_categories in answers.", default=["CPU", "GPU"]),
        ]
        | UnsetType
    ) = UNSET
    service_type: Annotated[ImageServiceType, about("Purpose.", default="UNKNOWN")] | UnsetType = UNSET
    services: (
        Annotated[
            list[ImageDevService],
            about("Services; called dev_services in answers.", default=["NOTEBOOK", "SSH"]),
        ]
        | UnsetType
    ) = UNSET
    swr_path: Annotated[
        str, Meta(min_length=16, max_length=2048), about("Registry reference HOST[:PORT]/NAMESPACE/NAME:TAG.")
    ]
    visibility: Annotated[ImageVisibility, about("Who may use it.", default="PRIVATE")] | UnsetType = UNSET
    workspace_id: Annotated[WorkspaceId, about("Workspace.", default="0")] | UnsetType = UNSET
    flavor_type: Annotated[AcceleratorType, about("Ascend chip.")] | UnsetType = UNSET
    tags: (
        Annotated[list[str], Meta(max_length=20), about("Tags of the image group, plain text here.")]
        | UnsetType
    ) = UNSET
    swr_instance_id: Annotated[str, about("Enterprise registry id.")] | UnsetType = UNSET
    read_me: Annotated[str, Meta(max_length=3000), about("Guide text.")] | UnsetType = UNSET


class DeleteImageRequestBody(Struct, frozen=True, kw_only=True):
    """Options of image deletion."""

    is_force: (
        Annotated[bool, about("Also delete the content in the registry; private images only.", default=False)]
        | UnsetType
    ) = UNSET

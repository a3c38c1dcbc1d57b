"""Image groups: all versions of one image name.

Types only; grouping is done by the service.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.fields import Int32, Millis, about
from nbfleet.wire.pages import Page


class ImageGroup(Struct, frozen=True, kw_only=True):
    """All versions (tags) of one image name in one organisation."""

    name: Annotated[str, about("Image name.")] | UnsetType = UNSET
    create_at: Annotated[Millis, about("Creation time.")] | UnsetType = UNSET
    namespace: Annotated[str, about("Registry organisation.")] | UnsetType = UNSET
    update_at: Annotated[Millis, about("Time of the last change.")] | UnsetType = UNSET
    version_count: Annotated[Int32, about("Number of versions.")] | UnsetType = UNSET
    description: Annotated[str, about("Free text.")] | UnsetType = UNSET
    read_me: Annotated[str, about("Guide text.")] | UnsetType = UNSET
    icon_name: Annotated[str, about("Icon.")] | UnsetType = UNSET
    id: Annotated[str, about("Group id.")] | UnsetType = UNSET
    swr_instance_name: Annotated[str, about("Enterprise registry name.")] | UnsetType = UNSET
    swr_instance_id: Annotated[str | None, about("Enterprise registry id.")] | UnsetType = UNSET


class ListImageGroupResponse(Page, frozen=True, kw_only=True):
    """Image groups."""

    data: Annotated[list[ImageGroup], about("Records of this page.")]
    is_swr_enterprise: (
        Annotated[bool, about("Whether the account has enterprise-registry images.", default=False)]
        | UnsetType
    ) = UNSET
    groups: (
        Annotated[list[ImageGroup], about("Same list as data, for clients that read it here.")] | UnsetType
    ) = UNSET


class UpdateImageGroupRequestBodyTags(Struct, frozen=True, kw_only=True):
    """Tag of an image group."""

    key: Annotated[str, Meta(max_length=128), about("Tag key.")] | UnsetType = UNSET
    value: Annotated[str, Meta(max_length=255), about("Tag value.")] | UnsetType = UNSET


class UpdateImageGroupRequestBody(Struct, frozen=True, kw_only=True):
    """Changes to an image group."""

    read_me: Annotated[str, Meta(max_length=30000), about("Guide text.")] | UnsetType = UNSET
    tags: (
        Annotated[list[UpdateImageGroupRequestBodyTags], Meta(max_length=20), about("New tags, at most 20.")]
        | UnsetType
    ) = UNSET


class DeleteImageGroupRequestBody(Struct, frozen=True, kw_only=True):
    """Options of group deletion."""

    is_force: (
        Annotated[bool, about("Also delete the content in the registry.", default=False)] | UnsetType
    ) = UNSET

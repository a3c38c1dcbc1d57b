"""Flavors and images: what a notebook can be made of.

Both lists are short and known whole, so they are filtered here; the fleet list never is.
"""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from msgspec import UNSET

from nbfleet.domain.capacity import Room, size_of
from nbfleet.domain.notebook import Notebook
from nbfleet.services.context import Context
from nbfleet.settings import FlavorSettings
from nbfleet.store import catalogue
from nbfleet.wire import enums, errors
from nbfleet.wire.flavors import AscendInfo, BillingInfo, GPUInfo, NotebookFlavor
from nbfleet.wire.images import Image, ImageResponse

T = TypeVar("T")

ARCH = platform.machine().lower()
BUILT_IN_ID = str(uuid5(NAMESPACE_URL, "nbfleet:image:jupyterlab"))
_KIB = 1024


@dataclass(frozen=True, slots=True)
class FlavorQuery:
    category: str | None = None
    feature: str = "NOTEBOOK"
    cluster_type: str | None = None
    flavor_type: str | None = None


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """`name` matches parts unless `fuzzy` is off."""

    name: str | None = None
    fuzzy: bool = True
    namespace: str | None = None
    service_type: str | None = None
    type: str = "BUILD_IN"
    workspace_id: str = "0"
    show_name: str | None = None
    show_tag: str | None = None


def built_in_image(now: int) -> Image:
    """The Python environment of the service itself, as an image."""
    tag = version("jupyterlab")
    return Image(
        id=BUILT_IN_ID,
        name="jupyterlab",
        namespace="nbfleet",
        tag=tag,
        swr_path=f"localhost/nbfleet/jupyterlab:{tag}",
        description="JupyterLab with the Python of the service",
        arch=enums.ImageArch(ARCH) if ARCH in set(enums.ImageArch) else UNSET,
        type=enums.ImageType.BUILD_IN,
        status=enums.ImageStatus.ACTIVE,
        visibility=enums.ImageVisibility.PUBLIC,
        origin=enums.ImageOrigin.CUSTOMIZE,
        service_type=enums.ImageServiceType.DEV,
        dev_services=[enums.ImageDevService.NOTEBOOK],
        resource_categories=[enums.ResourceCategory.CPU],
        support_res_categories=[enums.ResourceCategory.CPU],
        workspace_id=catalogue.DEFAULT_WORKSPACE,
        create_at=now,
        update_at=now,
        tags=[],
    )


def flavor_view(flavor: FlavorSettings, room: Room | None = None) -> NotebookFlavor:
    """`room` is what is free for it, None for no end of it."""
    category = category_of(flavor)
    title = flavor.name or f"{category.value}: {flavor.vcpus}vCPUs {flavor.memory // _KIB}GB"
    return NotebookFlavor(
        id=flavor.id,
        name=title,
        description=flavor.description,
        arch=enums.ImageArch(ARCH) if ARCH in set(enums.ImageArch) else UNSET,
        category=category,
        gpu=GPUInfo(gpu=flavor.gpus, type=flavor.accelerator) if flavor.gpus else UNSET,
        ascend=AscendInfo(npu=flavor.npus, type=flavor.accelerator) if flavor.npus else UNSET,
        feature=enums.Feature.NOTEBOOK,
        vcpus=flavor.vcpus,
        memory=flavor.memory * _KIB,
        free=True,
        sold_out=room is not None and not room.free.holds(size_of(flavor)),
        storages=[enums.FlavorStorage.EVS, enums.FlavorStorage.EFS],
        billing=BillingInfo(code=f"local.{category.value.lower()}", unit_num=1),
    )


def category_of(flavor: FlavorSettings) -> enums.ResourceCategory:
    if flavor.npus:
        return enums.ResourceCategory.ASCEND
    return enums.ResourceCategory.GPU if flavor.gpus else enums.ResourceCategory.CPU


def flavors(context: Context, query: FlavorQuery, room: Room | None) -> list[NotebookFlavor]:
    """Flavors in the order of the settings. Every one is for the public pool too, of which `room` is free."""
    if query.cluster_type not in (None, "MANAGED", "DEDICATED"):
        return []
    offered = [one for one in context.settings.flavors if query.feature in one.features]
    if query.category is not None:
        offered = [one for one in offered if category_of(one).value == query.category]
    if query.flavor_type is not None:
        offered = [one for one in offered if one.accelerator.upper() == query.flavor_type.upper()]
    if query.cluster_type == "DEDICATED":
        # What is free in a pool is told with the pool.
        return [flavor_view(one) for one in offered if _is_in_a_pool(context, one)]
    return [flavor_view(one, room) for one in offered]


def flavor(context: Context, flavor_id: str, feature: str) -> FlavorSettings:
    """The flavor, for an instance with this feature."""
    found = next((one for one in context.settings.flavors if one.id == flavor_id), None)
    if found is None:
        raise errors.flavor_not_supported(flavor_id)
    if feature not in found.features:
        allowed = [one.id for one in context.settings.flavors if feature in one.features]
        raise errors.flavor_of_other_feature(flavor_id, feature, allowed)
    return found


def switchable(context: Context, notebook: Notebook) -> list[FlavorSettings]:
    """What the notebook can switch to: every other flavor for its feature."""
    offered = context.settings.flavors
    return [one for one in offered if notebook.feature in one.features and one.id != notebook.flavor]


def check_switch(context: Context, notebook: Notebook, flavor_id: str) -> None:
    if flavor_id not in {one.id for one in context.settings.flavors}:
        raise errors.flavor_not_supported(flavor_id)
    allowed = [one.id for one in switchable(context, notebook)]
    if flavor_id not in allowed:
        raise errors.cannot_switch_flavor(flavor_id, allowed)


def _is_in_a_pool(context: Context, flavor: FlavorSettings) -> bool:
    return any(not pool.flavors or flavor.id in pool.flavors for pool in context.settings.pools)


async def images(context: Context, query: ImageQuery) -> list[ImageResponse]:
    found = await context.database.read(catalogue.all_images)
    return [_entry(image) for image in found if _matches(image, query)]


async def image(context: Context, image_id: str) -> Image:
    try:
        return await context.database.read(catalogue.image, image_id.lower())
    except catalogue.UnknownImage as fault:
        raise errors.not_found("image", image_id) from fault


def ordered(items: Iterable[T], keys: Sequence[str], allowed: Sequence[str], descending: bool) -> list[T]:
    """Sorted by these attributes, absent ones last when ascending; equal items keep their order."""
    for key in keys:
        if key not in allowed:
            raise errors.unknown_sort_key(key, allowed)

    def rank(item: T) -> list[tuple[bool, object]]:
        values = (getattr(item, key) for key in keys)
        return [(value is UNSET, 0 if value is UNSET else value) for value in values]

    return sorted(items, key=rank, reverse=descending) if keys else list(items)


def _entry(image: Image) -> ImageResponse:
    return ImageResponse(**{name: getattr(image, name) for name in ImageResponse.__struct_fields__})


def _matches(image: Image, query: ImageQuery) -> bool:
    if query.name is not None:
        wanted, name = query.name.casefold(), str(image.name).casefold()
        if not (wanted in name if query.fuzzy else wanted == name):
            return False
    exact = ("namespace", "service_type", "type", "workspace_id", "show_name", "show_tag")
    asked = ((getattr(query, field), getattr(image, field)) for field in exact)
    return all(wanted is None or wanted == found for wanted, found in asked)

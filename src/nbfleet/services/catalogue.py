"""Flavors, and the image that is always there: the Python of the service.

Flavors are few and known whole, so they are filtered here; no other list is.
"""

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from msgspec import UNSET

from nbfleet.services.context import Context
from nbfleet.settings import FlavorSettings
from nbfleet.store import catalogue
from nbfleet.wire import enums, errors
from nbfleet.wire.flavors import BillingInfo, NotebookFlavor
from nbfleet.wire.images import Image

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


def flavor_view(flavor: FlavorSettings) -> NotebookFlavor:
    title = flavor.name or f"CPU: {flavor.vcpus}vCPUs {flavor.memory // _KIB}GB"
    return NotebookFlavor(
        id=flavor.id,
        name=title,
        description=flavor.description,
        arch=enums.ImageArch(ARCH) if ARCH in set(enums.ImageArch) else UNSET,
        category=enums.ResourceCategory.CPU,
        feature=enums.Feature.NOTEBOOK,
        vcpus=flavor.vcpus,
        memory=flavor.memory * _KIB,
        free=True,
        sold_out=False,
        storages=[enums.FlavorStorage.EVS, enums.FlavorStorage.EFS],
        billing=BillingInfo(code="local.cpu", unit_num=1),
    )


def flavors(context: Context, query: FlavorQuery) -> list[NotebookFlavor]:
    """Flavors in the order of the settings. All are CPU sizes of the public pool."""
    if query.category not in (None, "CPU") or query.flavor_type is not None:
        return []
    if query.cluster_type not in (None, "MANAGED") or query.feature != "NOTEBOOK":
        return []
    return [flavor_view(flavor) for flavor in context.settings.flavors]


def ordered(items: Iterable[T], keys: Sequence[str], allowed: Sequence[str], descending: bool) -> list[T]:
    """Sorted by these attributes, absent ones last when ascending; equal items keep their order."""
    for key in keys:
        if key not in allowed:
            raise errors.unknown_sort_key(key, allowed)

    def rank(item: T) -> list[tuple[bool, object]]:
        values = (getattr(item, key) for key in keys)
        return [(value is UNSET, 0 if value is UNSET else value) for value in values]

    return sorted(items, key=rank, reverse=descending) if keys else list(items)

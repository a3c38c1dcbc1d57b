"""Sizes of instances, published and custom.

Types only; which sizes exist is configuration.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.enums import Feature, FlavorStorage, ImageArch, ResourceCategory, SiteSupport
from nbfleet.wire.fields import Int32, Int64, about
from nbfleet.wire.literals import SizeClass
from nbfleet.wire.pages import Page


class BillingInfo(Struct, frozen=True, kw_only=True):
    """Billing data of a flavor."""

    code: Annotated[str, about("Billing code.")] | UnsetType = UNSET
    unit_num: Annotated[Int32, about("Billing units.")] | UnsetType = UNSET


class GPUInfo(Struct, frozen=True, kw_only=True):
    """GPUs of a flavor."""

    gpu: Annotated[Int32, about("Number of GPUs.")] | UnsetType = UNSET
    gpu_memory: Annotated[str, about("Memory of one GPU, as text.")] | UnsetType = UNSET
    type: Annotated[str, about("GPU model.")] | UnsetType = UNSET


class AscendInfo(Struct, frozen=True, kw_only=True):
    """Ascend processors of a flavor."""

    npu: Annotated[Int32, about("Number of NPUs.")] | UnsetType = UNSET
    npu_memory: Annotated[str, about("Memory of one NPU, as text.")] | UnsetType = UNSET
    type: Annotated[str, about("NPU model.")] | UnsetType = UNSET
    chip: Annotated[Int32, about("Number of NPU devices.")] | UnsetType = UNSET


class NotebookFlavor(Struct, frozen=True, kw_only=True):
    """Size an instance can have."""

    arch: Annotated[ImageArch, about("Architecture.")] | UnsetType = UNSET
    ascend: Annotated[AscendInfo, about("NPUs.")] | UnsetType = UNSET
    billing: Annotated[BillingInfo, about("Billing data.")] | UnsetType = UNSET
    category: Annotated[ResourceCategory, about("Processor family.")] | UnsetType = UNSET
    description: Annotated[str, about("Free text.")] | UnsetType = UNSET
    feature: Annotated[Feature, about("Kind of instance the flavor is for.")] | UnsetType = UNSET
    free: Annotated[bool, about("Free of charge.")] | UnsetType = UNSET
    gpu: Annotated[GPUInfo, about("GPUs.")] | UnsetType = UNSET
    id: Annotated[str, about("Flavor id, for example modelarts.vm.cpu.2u.")]
    memory: Annotated[Int64, about("Memory in KiB: 8388608 stands for 8 GB.")] | UnsetType = UNSET
    name: Annotated[str, about("Display name, for example CPU: 2vCPUs 8GB.")] | UnsetType = UNSET
    sold_out: Annotated[bool, about("true: no capacity; some clients hide such flavors.")] | UnsetType = UNSET
    storages: Annotated[list[FlavorStorage], about("Storage kinds offered.")] | UnsetType = UNSET
    vcpus: Annotated[Int32, about("vCPUs.")] | UnsetType = UNSET
    evs_max_size: Annotated[str, about("Largest EVS disk in GB, as text.")] | UnsetType = UNSET
    evs_sku_code: Annotated[str, about("EVS product code.")] | UnsetType = UNSET
    grow_support_type: Annotated[SiteSupport, about("Sites where it is offered.")] | UnsetType = UNSET


class ListFlavorsResponse(Page, frozen=True, kw_only=True):
    """Flavors. data and flavors carry the same list, because clients read either."""

    data: Annotated[list[NotebookFlavor], about("Records of this page.")]
    flavors: Annotated[list[NotebookFlavor], about("Same list as data.")]


class ShowSwitchableFlavorsResponse(Page, frozen=True, kw_only=True):
    """Flavors the instance can switch to; data and flavors carry the same list."""

    data: Annotated[list[NotebookFlavor], about("Records of this page.")]
    flavors: Annotated[list[NotebookFlavor], about("Same list as data.")]


class NotebookCustomSpecRep(Struct, frozen=True, kw_only=True):
    """Custom size of an instance in a dedicated pool."""

    gpu: Annotated[float, about("GPUs.")] | UnsetType = UNSET
    gpu_type: Annotated[str, about("GPU model.")] | UnsetType = UNSET
    cpu: Annotated[float, Meta(ge=0.4), about("vCPUs; at most two decimals.")]
    memory: Annotated[float, Meta(ge=513), about("Memory, a whole number, taken as MiB.")]
    arch: Annotated[ImageArch, about("Architecture.")]
    category: Annotated[SizeClass, about("Size class.")]
    resource_flavor: Annotated[str, about("Node flavor of the pool to run on.")] | UnsetType = UNSET


class NotebookCustomSpec(Struct, frozen=True, kw_only=True):
    """Custom size; dedicated pools only."""

    gpu: Annotated[float, about("GPUs; required for GPU pools.")] | UnsetType = UNSET
    cpu: Annotated[float, Meta(ge=0.4), about("vCPUs; at most two decimals.")]
    memory: Annotated[float, Meta(ge=513, multiple_of=1), about("Memory, a whole number, taken as MiB.")]
    gpu_type: Annotated[str, about("GPU model; required for GPU pools.")] | UnsetType = UNSET
    arch: Annotated[ImageArch, about("Architecture.")] | UnsetType = UNSET
    category: Annotated[SizeClass, about("Size class.")] | UnsetType = UNSET
    resource_flavor: Annotated[str, about("Node flavor of the pool.")] | UnsetType = UNSET

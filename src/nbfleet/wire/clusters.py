"""Pools as notebooks see them, and the switch of the notebook feature.

Times and memory are text in this family, unlike everywhere else; the types keep it that way
because the official clients parse text here.
"""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from nbfleet.wire.enums import (
    AuthoringClusterStatus,
    ClusterType,
    Feature,
    FlavorStorage,
    ImageArch,
    ResourceCategory,
    SiteSupport,
)
from nbfleet.wire.fields import Int32, Millis, about
from nbfleet.wire.flavors import AscendInfo, BillingInfo
from nbfleet.wire.literals import NotebookFeature
from nbfleet.wire.pages import Page


class GPUsInfo(Struct, frozen=True, kw_only=True):
    """GPUs of a cluster flavor."""

    type: Annotated[str, about("GPU model.")] | UnsetType = UNSET
    gpu: Annotated[float, about("Number of GPUs.")] | UnsetType = UNSET
    gpu_memory: Annotated[str, about("Memory of one GPU.")] | UnsetType = UNSET


class Flavor(Struct, frozen=True, kw_only=True):
    """Size offered by a notebook cluster."""

    arch: Annotated[ImageArch, about("Architecture.")] | UnsetType = UNSET
    billing: Annotated[BillingInfo, about("Billing data.")] | UnsetType = UNSET
    category: Annotated[ResourceCategory, about("Processor family.")] | UnsetType = UNSET
    description: Annotated[str, about("Free text.")] | UnsetType = UNSET
    evs_max_size: Annotated[str, about("Largest EVS disk in GB, as text.")] | UnsetType = UNSET
    evs_sku_code: Annotated[str, about("EVS product code.")] | UnsetType = UNSET
    feature: Annotated[Feature, about("Kind of instance.")] | UnsetType = UNSET
    free: Annotated[bool, about("Free of charge.")] | UnsetType = UNSET
    grow_support_type: Annotated[SiteSupport, about("Sites where it is offered.")] | UnsetType = UNSET
    id: Annotated[str, about("Flavor id.")] | UnsetType = UNSET
    memory: Annotated[str, about("Memory, text here.")] | UnsetType = UNSET
    name: Annotated[str, about("Display name.")] | UnsetType = UNSET
    sold_out: Annotated[bool, about("No capacity.")] | UnsetType = UNSET
    storages: Annotated[list[FlavorStorage], about("Storage kinds.")] | UnsetType = UNSET
    vcpus: Annotated[Int32, about("vCPUs.")] | UnsetType = UNSET
    gpu: Annotated[GPUsInfo, about("GPUs.")] | UnsetType = UNSET
    ascend: Annotated[AscendInfo, about("NPUs.")] | UnsetType = UNSET
    support_eni: Annotated[bool, about("Network-card mounting supported.")] | UnsetType = UNSET


class ClusterResponse(Struct, frozen=True, kw_only=True):
    """Notebook view of a resource pool."""

    logic_cluster_id: Annotated[str, about("Logical cluster id.")] | UnsetType = UNSET
    status: Annotated[AuthoringClusterStatus, about("State.")] | UnsetType = UNSET
    pool_id: Annotated[str, about("Pool id.")] | UnsetType = UNSET
    type: Annotated[ClusterType, about("Public or dedicated.")] | UnsetType = UNSET
    resource_categories: (
        Annotated[ResourceCategory, about("Processor family (one value, not a list).")] | UnsetType
    ) = UNSET
    workspace_id: Annotated[str, about("Workspace.")] | UnsetType = UNSET
    create_at: Annotated[str, about("Creation time in milliseconds, as text.")] | UnsetType = UNSET
    update_at: Annotated[str, about("Time of the last change in milliseconds, as text.")] | UnsetType = UNSET
    project_id: Annotated[str, about("Project id.")] | UnsetType = UNSET
    domain_id: Annotated[str, about("Account id.")] | UnsetType = UNSET
    flavors: Annotated[list[Flavor], about("Sizes.")] | UnsetType = UNSET
    is_allow_root: Annotated[bool, about("Instances may run as root.")] | UnsetType = UNSET


class ListAuthoringClustersResponse(Page, frozen=True, kw_only=True):
    """Notebook clusters."""

    data: Annotated[list[ClusterResponse], about("Records of this page.")]


class ListFeaturesResponse(Struct, frozen=True, kw_only=True):
    """Switch and quota of one feature for the caller."""

    create_at: Annotated[Millis, about("Creation time.")] | UnsetType = UNSET
    enabled: Annotated[bool, about("Feature switched on.")] | UnsetType = UNSET
    id: Annotated[str, about("Feature id.")] | UnsetType = UNSET
    name: Annotated[NotebookFeature, about("Feature name.")] | UnsetType = UNSET
    quota: Annotated[Int32, about("Quota.")] | UnsetType = UNSET
    used: Annotated[Int32, about("Used part of the quota.")] | UnsetType = UNSET
    update_at: Annotated[Millis, about("Time of the last change.")] | UnsetType = UNSET
    user_id: Annotated[str, about("User id.")] | UnsetType = UNSET

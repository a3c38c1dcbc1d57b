"""Resource pools, in the form of Kubernetes objects.

Only the part of a pool that notebooks need. Labels and annotations beyond the named ones are
dropped on decode.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType, field

from nbfleet.wire.enums import PoolPhase, PoolScope
from nbfleet.wire.fields import Int32, Timestamp, about
from nbfleet.wire.literals import DriverState, DriverUpdateStrategy, PoolBillingMode, PoolScopeState, PoolType


class PoolNodeAz(Struct, frozen=True, kw_only=True):
    """Nodes in one zone."""

    az: Annotated[str, about("Zone.")] | UnsetType = UNSET
    count: Annotated[Int32, about("Nodes.")] | UnsetType = UNSET


class PoolResourceFlavorCount(Struct, frozen=True, kw_only=True, rename="camel"):
    """Nodes of one flavor."""

    flavor: Annotated[str, about("Node flavor.")] | UnsetType = UNSET
    count: Annotated[Int32, about("Nodes.")] | UnsetType = UNSET
    max_count: Annotated[Int32, about("Elastic maximum.")] | UnsetType = UNSET
    azs: Annotated[list[PoolNodeAz], about("Per zone.")] | UnsetType = UNSET
    node_pool: Annotated[str, about("Node pool.")] | UnsetType = UNSET


class PoolMetaLabels(Struct, frozen=True, kw_only=True):
    """Labels; keys contain slashes and dots."""

    name: Annotated[str, about("Display name.")] | UnsetType = field(name="os.modelarts/name", default=UNSET)
    workspace_id: Annotated[str, about("Workspace.", default="0")] | UnsetType = field(
        name="os.modelarts/workspace.id", default=UNSET
    )
    resource_id: Annotated[str, about("Billing resource.")] | UnsetType = field(
        name="os.modelarts/resource.id", default=UNSET
    )
    domain_id: Annotated[str, about("Account.")] | UnsetType = field(
        name="os.modelarts/tenant.domain.id", default=UNSET
    )
    project_id: Annotated[str, about("Project.")] | UnsetType = field(
        name="os.modelarts/tenant.project.id", default=UNSET
    )
    create_from: Annotated[str, about("Creator tool.")] | UnsetType = field(
        name="os.modelarts/create-from", default=UNSET
    )
    business: Annotated[str, about("public or private.")] | UnsetType = field(
        name="os.modelarts.pool/biz", default=UNSET
    )


class PoolMetaAnnotations(Struct, frozen=True, kw_only=True):
    """Annotations; keys contain slashes and dots."""

    description: Annotated[str, about("Free text.")] | UnsetType = field(
        name="os.modelarts/description", default=UNSET
    )
    billing_mode: Annotated[PoolBillingMode, about("0: pay per use, 1: subscription.")] | UnsetType = field(
        name="os.modelarts/billing.mode", default=UNSET
    )
    tags: Annotated[str, about("Tags.")] | UnsetType = field(name="os.modelarts/tms.tags", default=UNSET)


class PoolMetadata(Struct, frozen=True, kw_only=True, rename="camel"):
    """Identity of a pool."""

    name: Annotated[str, about("Pool id.")]
    creation_timestamp: Annotated[Timestamp, about("Creation time, RFC 3339 text.")] | UnsetType = UNSET
    labels: Annotated[PoolMetaLabels, about("Labels.")] | UnsetType = UNSET
    annotations: Annotated[PoolMetaAnnotations, about("Annotations.")] | UnsetType = UNSET


class PoolSpecModelResources(Struct, frozen=True, kw_only=True, rename="camel"):
    """Wanted nodes of one flavor."""

    flavor: Annotated[str, about("Node flavor.")] | UnsetType = UNSET
    count: Annotated[Int32, about("Nodes.")] | UnsetType = UNSET
    max_count: Annotated[Int32, about("Elastic maximum.")] | UnsetType = UNSET
    azs: Annotated[list[PoolNodeAz], about("Per zone.")] | UnsetType = UNSET


class PoolDriver(Struct, frozen=True, kw_only=True, rename="camel"):
    """Wanted drivers."""

    gpu_version: Annotated[str, about("GPU driver.")] | UnsetType = UNSET
    npu_version: Annotated[str, about("NPU driver.")] | UnsetType = UNSET
    update_strategy: (
        Annotated[DriverUpdateStrategy, about("force: at once, idle: when a node is free.")] | UnsetType
    ) = UNSET


class PoolNetwork(Struct, frozen=True, kw_only=True):
    """Network of a pool."""

    name: Annotated[str, about("Network id.")] | UnsetType = UNSET


class PoolSpecModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """Wanted state of a pool."""

    type: (
        Annotated[PoolType, about("Dedicate: own nodes and network. Logical: part of another pool.")]
        | UnsetType
    ) = UNSET
    scope: Annotated[list[PoolScope], about("Job kinds; notebooks need Notebook.")] | UnsetType = UNSET
    resources: Annotated[list[PoolSpecModelResources], about("Nodes.")] | UnsetType = UNSET
    network: Annotated[PoolNetwork, about("Network of the pool.")] | UnsetType = UNSET
    job_flavors: Annotated[list[str], about("Flavors jobs may use.")] | UnsetType = UNSET
    driver: Annotated[PoolDriver, about("Drivers.")] | UnsetType = UNSET
    control_mode: (
        Annotated[
            Int32,
            about(
                "Bit mask of restrictions: 0 none, 1 billing change, 2 resize, 4 service, 8 frozen, "
                "16 frozen by authority."
            ),
        ]
        | UnsetType
    ) = UNSET


class PoolStatusScope(Struct, frozen=True, kw_only=True, rename="camel"):
    """State of one job kind."""

    scope_type: Annotated[PoolScope, about("Job kind.")] | UnsetType = UNSET
    state: Annotated[PoolScopeState, about("State.")] | UnsetType = UNSET
    message: Annotated[str, about("Failure detail.")] | UnsetType = UNSET


class PoolStatusResources(Struct, frozen=True, kw_only=True):
    """Nodes by state."""

    creating: Annotated[list[PoolResourceFlavorCount], about("Being created.")] | UnsetType = UNSET
    available: Annotated[list[PoolResourceFlavorCount], about("Usable.")] | UnsetType = UNSET
    abnormal: Annotated[list[PoolResourceFlavorCount], about("Faulty.")] | UnsetType = UNSET
    deleting: Annotated[list[PoolResourceFlavorCount], about("Being removed.")] | UnsetType = UNSET


class PoolDriverStatus(Struct, frozen=True, kw_only=True):
    """Driver state."""

    version: Annotated[str, about("Version.")] | UnsetType = UNSET
    state: Annotated[DriverState, about("State.")] | UnsetType = UNSET


class PoolDrivers(Struct, frozen=True, kw_only=True):
    """Driver state by processor family."""

    gpu: Annotated[PoolDriverStatus, about("GPU.")] | UnsetType = UNSET
    npu: Annotated[PoolDriverStatus, about("NPU.")] | UnsetType = UNSET


class PoolStatus(Struct, frozen=True, kw_only=True):
    """Observed state of a pool."""

    phase: Annotated[PoolPhase, about("State.")] | UnsetType = UNSET
    message: Annotated[str, about("Detail.")] | UnsetType = UNSET
    resources: Annotated[PoolStatusResources, about("Nodes.")] | UnsetType = UNSET
    scope: Annotated[list[PoolStatusScope], about("Job kinds.")] | UnsetType = UNSET
    driver: Annotated[PoolDrivers, about("Drivers.")] | UnsetType = UNSET
    parent: Annotated[str, about("Parent pool; empty for a physical pool.")] | UnsetType = UNSET
    root: Annotated[str, about("Root pool.")] | UnsetType = UNSET


class PoolModel(Struct, frozen=True, kw_only=True, rename="camel"):
    """Resource pool, in the form of a Kubernetes object."""

    api_version: Annotated[Literal["v2"], about("Always v2.")]
    kind: Annotated[Literal["Pool"], about("Always Pool.")]
    metadata: Annotated[PoolMetadata, about("Identity.")]
    spec: Annotated[PoolSpecModel, about("Wanted state.")]
    status: Annotated[PoolStatus, about("Observed state.")] | UnsetType = UNSET


class ListPoolsResponse(Struct, frozen=True, kw_only=True, rename="camel"):
    """Resource pools."""

    api_version: Annotated[Literal["v2"], about("Always v2.")]
    kind: Annotated[Literal["PoolList"], about("Always PoolList.")]
    items: Annotated[list[PoolModel], about("Pools.")]

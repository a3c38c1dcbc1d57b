"""The calls about pools, in both of their forms, and about the notebook feature itself."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, UnsetType

from nbfleet.api import selectors
from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import paged
from nbfleet.domain.access import Caller
from nbfleet.domain.capacity import size_of
from nbfleet.services import pools, quotas
from nbfleet.services.catalogue import flavor_view
from nbfleet.services.pools import Offered
from nbfleet.settings import FlavorSettings
from nbfleet.wire import enums, errors
from nbfleet.wire.clusters import (
    ClusterResponse,
    Flavor,
    ListAuthoringClustersResponse,
    ListFeaturesResponse,
)
from nbfleet.wire.pools import (
    ListPoolsResponse,
    PoolMetaAnnotations,
    PoolMetadata,
    PoolMetaLabels,
    PoolModel,
    PoolNodeAz,
    PoolResourceFlavorCount,
    PoolSpecModel,
    PoolSpecModelResources,
    PoolStatus,
    PoolStatusResources,
    PoolStatusScope,
)

PUBLIC = "public"  # The cluster of everything that is in no pool.
_ZONE = "local"
_NO_WORKSPACE = "0"
_LIMIT = 1000


async def list_pools(tools: Tools, call: Call) -> Answer:
    """All pools are made and none has a parent: asked for others there are none."""
    query = call.query
    matches = selectors.parsed("labelSelector", query.get("labelSelector", ""))
    found = await pools.listed(tools.context, call.caller, _workspace(query, "workspaceId"))
    if query.get("status", "created") != "created" or query.get("parent"):
        found = []
    models = [_model(call.caller, one) for one in found]
    items = [one for one in models if matches(_labels(one))]
    return Answer(ListPoolsResponse(api_version="v2", kind="PoolList", items=items))


async def show_pool(tools: Tools, call: Call) -> Answer:
    """The same for everybody who may see it, on whose behalf it is asked for or not."""
    return Answer(_model(call.caller, await pools.shown(tools.context, call.caller, call.path["pool_name"])))


async def list_authoring_clusters(tools: Tools, call: Call) -> Answer:
    query = call.query
    limit, offset = query.get("limit", _LIMIT), query.get("offset", 0)
    if limit == 0:
        raise errors.invalid_query("limit", limit, "1 or more")
    if query.get("scope", "NOTEBOOK") != "NOTEBOOK":
        clusters: list[ClusterResponse] = []
    elif query["type"] == "MANAGED":
        clusters = [_public(tools, call.caller)]
    else:
        found = await pools.listed(tools.context, call.caller, _workspace(query, "workspace_id"))
        clusters = [_cluster(call.caller, one) for one in found]
    return Answer(ListAuthoringClustersResponse(**paged(clusters, limit, offset)))


async def show_cluster(tools: Tools, call: Call) -> Answer:
    wanted = call.path["cluster_id"]
    if wanted == PUBLIC:
        return Answer(_public(tools, call.caller))
    return Answer(_cluster(call.caller, await pools.shown(tools.context, call.caller, wanted)))


async def list_features(tools: Tools, call: Call) -> Answer:
    used = await pools.notebooks_of(tools.context, call.caller)
    quota = await quotas.instances_of(tools.context, call.caller)
    return Answer(
        ListFeaturesResponse(
            id="notebook", name="NOTEBOOK", enabled=True, quota=quota, used=used,
            user_id=call.caller.user_id,
        )
    )  # fmt: skip


def _workspace(query: Mapping[str, Any], name: str) -> str | None:
    """None for any."""
    given = query.get(name, _NO_WORKSPACE)
    return None if given == "*" else given


def _model(caller: Caller, pool: Offered) -> PoolModel:
    own = pool.settings
    return PoolModel(
        api_version="v2",
        kind="Pool",
        metadata=_metadata(caller, pool),
        spec=PoolSpecModel(
            type="Dedicate",
            scope=[enums.PoolScope.NOTEBOOK],
            resources=[PoolSpecModelResources(flavor=node.name, count=node.count) for node in own.nodes],
            job_flavors=[flavor.id for flavor in pool.flavors],
        ),
        status=PoolStatus(
            phase=enums.PoolPhase.RUNNING,
            message=f"Free: {pool.room.words()}.",
            root=own.id,
            scope=[PoolStatusScope(scope_type=enums.PoolScope.NOTEBOOK, state="Enabled")],
            resources=PoolStatusResources(
                creating=[], abnormal=[], deleting=[],
                available=[
                    PoolResourceFlavorCount(
                        flavor=node.name, count=node.count, azs=[PoolNodeAz(az=_ZONE, count=node.count)]
                    )
                    for node in own.nodes
                ],
            ),
        ),
    )  # fmt: skip


def _metadata(caller: Caller, pool: Offered) -> PoolMetadata:
    own, created = pool.settings, pool.named.create_at
    return PoolMetadata(
        name=own.id,
        creation_timestamp=UNSET if created is None else _timestamp(created),
        labels=PoolMetaLabels(
            name=own.name,
            workspace_id=own.workspaces[0] if own.workspaces else _NO_WORKSPACE,
            project_id=caller.project_id,
            domain_id=caller.account_id,
        ),
        annotations=PoolMetaAnnotations(description=own.description, billing_mode="0"),
    )


def _labels(model: PoolModel) -> dict[str, str]:
    """As they are on the wire."""
    labels = model.metadata.labels
    if isinstance(labels, UnsetType):
        return {}
    given = zip(labels.__struct_encode_fields__, labels.__struct_fields__, strict=True)
    return {wire: getattr(labels, name) for wire, name in given if getattr(labels, name) is not UNSET}


def _cluster(caller: Caller, pool: Offered) -> ClusterResponse:
    own, created = pool.settings, pool.named.create_at
    return ClusterResponse(
        logic_cluster_id=own.id,
        pool_id=own.id,
        status=enums.AuthoringClusterStatus.ACTIVE,
        type=enums.ClusterType.DEDICATED,
        resource_categories=enums.ResourceCategory.GPU
        if any(node.gpus for node in own.nodes)
        else enums.ResourceCategory.CPU,
        workspace_id=own.workspaces[0] if own.workspaces else _NO_WORKSPACE,
        create_at=UNSET if created is None else str(created),
        project_id=caller.project_id,
        domain_id=caller.account_id,
        flavors=[_flavor(one, sold_out=not pool.room.free.holds(size_of(one))) for one in pool.flavors],
        is_allow_root=False,
    )


def _public(tools: Tools, caller: Caller) -> ClusterResponse:
    return ClusterResponse(
        logic_cluster_id=PUBLIC,
        status=enums.AuthoringClusterStatus.ACTIVE,
        type=enums.ClusterType.MANAGED,
        resource_categories=enums.ResourceCategory.CPU,
        workspace_id=_NO_WORKSPACE,
        project_id=caller.project_id,
        domain_id=caller.account_id,
        flavors=[_flavor(one, sold_out=False) for one in tools.context.settings.flavors],
        is_allow_root=False,
    )


def _flavor(flavor: FlavorSettings, *, sold_out: bool) -> Flavor:
    """What other calls say of the flavor; its memory is text here."""
    view = flavor_view(flavor)
    same = {
        name: getattr(view, name)
        for name in set(Flavor.__struct_fields__)
        & set(view.__struct_fields__) - {"memory", "sold_out", "gpu"}
    }
    return Flavor(**same, memory=UNSET if view.memory is UNSET else str(view.memory), sold_out=sold_out)


def _timestamp(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


HANDLERS: dict[str, Handler] = {
    "ListPools": list_pools,
    "ShowPool": show_pool,
    "ListAuthoringClusters": list_authoring_clusters,
    "ShowCluster": show_cluster,
    "ListFeatures": list_features,
}

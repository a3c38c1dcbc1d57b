"""Rows of the table: pools, clusters and features to read, and the identity calls.

No published list names actions for reading pools, clusters and features, and they hold nothing of other
users: every member of the project may read them.
"""

from nbfleet.wire.clusters import ClusterResponse, ListAuthoringClustersResponse, ListFeaturesResponse
from nbfleet.wire.identity import DomainList, ProjectList, Token, TokenRequest
from nbfleet.wire.operation import AUTHENTICATED, MEMBER, PUBLIC, Operation
from nbfleet.wire.parameters import (
    CLUSTER_ID,
    CLUSTER_KIND,
    CLUSTER_LIMIT,
    CLUSTER_SCOPE,
    FEATURE_NAME,
    LABEL_SELECTOR,
    OFFSET,
    ON_BEHALF_OF,
    POOL_NAME,
    POOL_PARENT_FILTER,
    POOL_STATUS_FILTER,
    POOL_WORKSPACE,
    PROJECT_ID,
    PROJECT_NAME_FILTER,
    WORKSPACE_FILTER,
)
from nbfleet.wire.pools import ListPoolsResponse, PoolModel

PLATFORM: tuple[Operation, ...] = (
    Operation(
        id="ListAuthoringClusters",
        method="GET",
        path="/v1/{project_id}/authoring/clusters",
        tag="Pools",
        summary="List pools as seen by notebooks",
        parameters=(PROJECT_ID, CLUSTER_KIND, WORKSPACE_FILTER, CLUSTER_LIMIT, OFFSET, CLUSTER_SCOPE),
        answer=ListAuthoringClustersResponse,
        permission=MEMBER,
    ),
    Operation(
        id="ShowCluster",
        method="GET",
        path="/v1/{project_id}/authoring/clusters/{cluster_id}",
        tag="Pools",
        summary="Show one pool as seen by notebooks",
        parameters=(PROJECT_ID, CLUSTER_ID),
        answer=ClusterResponse,
        permission=MEMBER,
    ),
    Operation(
        id="ListFeatures",
        method="GET",
        path="/v1/{project_id}/authoring/features/{feature}",
        tag="Pools",
        summary="Show switch and quota of a feature for the caller",
        parameters=(PROJECT_ID, FEATURE_NAME),
        answer=ListFeaturesResponse,
        permission=MEMBER,
    ),
    Operation(
        id="ListPools",
        method="GET",
        path="/v2/{project_id}/pools",
        tag="Pools",
        summary="List resource pools",
        parameters=(PROJECT_ID, POOL_WORKSPACE, LABEL_SELECTOR, POOL_STATUS_FILTER, POOL_PARENT_FILTER),
        answer=ListPoolsResponse,
        permission=MEMBER,
    ),
    Operation(
        id="ShowPool",
        method="GET",
        path="/v2/{project_id}/pools/{pool_name}",
        tag="Pools",
        summary="Show one resource pool",
        parameters=(PROJECT_ID, POOL_NAME, ON_BEHALF_OF),
        answer=PoolModel,
        permission=MEMBER,
    ),
    Operation(
        id="KeystoneCreateUserTokenByPassword",
        method="POST",
        path="/v3/auth/tokens",
        tag="IAM subset",
        summary="Get a token for a user name and password",
        body=TokenRequest,
        body_required=True,
        answer=Token,
        status=201,
        permission=PUBLIC,
    ),
    Operation(
        id="KeystoneListProjects",
        method="GET",
        path="/v3/projects",
        tag="IAM subset",
        summary="Find the project id by name",
        parameters=(PROJECT_NAME_FILTER,),
        answer=ProjectList,
        permission=AUTHENTICATED,
    ),
    Operation(
        id="KeystoneListAuthDomains",
        method="GET",
        path="/v3/auth/domains",
        tag="IAM subset",
        summary="List the accounts of the caller",
        answer=DomainList,
        permission=AUTHENTICATED,
    ),
)

"""Parameters of the operations: where each one travels, what it decodes to, what it means.

A parameter is text on the wire; `msgspec.convert(text, parameter.type, strict=False)` decodes it. Which
of them an operation takes is in the table of operations. Upper bounds of page sizes are settings, so they
are not here.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta

from nbfleet.wire.enums import (
    AcceleratorType,
    BillingKind,
    ClusterType,
    FeatureFilter,
    ImageServiceType,
    ImageType,
    LeaseTypeInputQuery,
    NotebookStatus,
    ResourceCategory,
    SortDirection,
)
from nbfleet.wire.fields import Count, IPv4, Millis, ProjectId, Uuid, WorkspaceId, int32
from nbfleet.wire.leases import LeaseDurationMs
from nbfleet.wire.literals import (
    ClusterScope,
    NotebookFeature,
    PoolCreationState,
    PoolKind,
    WorkspaceOrder,
    WorkspaceSortKey,
)

Location: TypeAlias = Literal["path", "query", "header"]
Default: TypeAlias = str | int | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """One input outside the body, equal to nothing but itself.

    `default` is the value meant by absence, None where absence has a meaning of its own. It is told to
    readers and not filled in by decoding: of two spellings of one parameter both have a default. `several`:
    values of the type may stand side by side, separated by commas, and decode to a tuple; that and whatever
    is an `extension` is ours, and not of the contract.
    """

    name: str
    location: Location
    type: Any
    description: str
    required: bool = False
    default: Default = None
    several: bool = False
    extension: bool = False


def path(name: str, type_: Any, description: str) -> Parameter:
    return Parameter(name, "path", type_, description, required=True)


def query(
    name: str, type_: Any, description: str, *, required: bool = False, default: Default = None
) -> Parameter:
    return Parameter(name, "query", type_, description, required=required, default=default)


def header(name: str, type_: Any, description: str) -> Parameter:
    return Parameter(name, "header", type_, description)


PROJECT_ID = path("project_id", ProjectId, "Project; must be that of the token or key.")
NOTEBOOK_ID = path("id", Uuid, "Instance id.")
INSTANCE_ID = path("instance_id", Uuid, "Instance id.")
RESOURCE_ID = path("resource_id", Uuid, "Instance id.")
STORAGE_ID = path("storage_id", Uuid, "Mount id.")
IMAGE_ID = path("id", Uuid, "Image id.")
SYNC_IMAGE_ID = path("image_id", Uuid, "Image id.")
IMAGE_GROUP_ID = path("id", Uuid, "Image group id.")
WORKSPACE_ID = path("workspace_id", WorkspaceId, "Workspace id: 0 or 32 characters.")
POOL_NAME = path(
    "pool_name",
    Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")],
    "Pool id (metadata.name), 36 to 63 characters.",
)
CLUSTER_ID = path("cluster_id", str, "Cluster id.")
FEATURE_NAME = path("feature", NotebookFeature, "Feature name.")

FEATURE_FILTER = query(
    "feature", FeatureFilter, "Kind of instance; * means any.", default=FeatureFilter.NOTEBOOK
)
LIMIT_TEN = query("limit", Annotated[int, int32(ge=1)], "Page size.", default=10)
NAME_FILTER = query(
    "name",
    Annotated[str, Meta(max_length=128, pattern=r"^[A-Za-z0-9_\-\u4e00-\u9fff]{0,128}\Z")],
    "Part of the name (fuzzy match).",
)
POOL_FILTER = query(
    "pool_id",
    Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9-]{2,62}[a-z0-9]\Z")],
    "Dedicated pool.",
)
OFFSET = query("offset", Count, "Number of records to skip.", default=0)
OWNER_FILTER = query(
    "owner",
    Annotated[str, Meta(pattern=r"^[a-z0-9]{32}\Z")],
    "Owner id. Has effect only for the account owner and administrators.",
)
SORT_DIR = query("sort_dir", SortDirection, "Direction of the whole sort.", default=SortDirection.DESC)
SORT_KEY = query(
    "sort_key",
    Annotated[str, Meta(max_length=128, pattern=r"^[A-Za-z0-9_\-,]{0,128}\Z")],
    "Field names, separated by commas, most significant first.",
)
STATUS_FILTER = replace(
    query("status", NotebookStatus, "One status; here also several, separated by commas."), several=True
)
WORKSPACE_FILTER_CAMEL = query(
    "workspaceId", str, "Workspace, older spelling; it wins over workspace_id. * means any.", default="0"
)
WORKSPACE_FILTER = query("workspace_id", str, "Workspace.", default="0")
FLAVOR_FILTER = query(
    "flavor",
    Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9._-]{1,256}\Z")],
    "Part of the flavor id (fuzzy match). Does not find custom sizes.",
)
IMAGE_FILTER = query("image_id", Uuid, "Image.")
INSTANCE_FILTER = query("id", Uuid, "Instance.")
BILLING_FILTER = query("billing", BillingKind, "What is charged.")
TAGS_FILTER = query(
    "tags",
    Annotated[str, Meta(pattern=r"^(?![,|])(?!.*\|\|)(?!.*,,).*(?<!,)\Z")],
    "Tags as key|value, separated by commas; all must match.",
)
SWR_PATH_FILTER = query(
    "swr_path",
    Annotated[str, Meta(max_length=2048, pattern=r"^[A-Za-z0-9_.:/-]{0,2048}\Z")],
    "Part of the image reference (fuzzy match).",
)
POOL_NAME_FILTER = query(
    "pool_name",
    Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]{1,64}\Z")],
    "Part of the pool name (fuzzy match).",
)
DESCRIPTION_FILTER = query(
    "description",
    Annotated[str, Meta(max_length=512, pattern=r"^[^<>]*\Z")],
    "Part of the description (fuzzy match).",
)
IP_FILTER = query("ip", IPv4, "Node address, IPv4 only.")
USERNAME_FILTER = query(
    "username",
    Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9._-]{1,256}\Z")],
    "Part of the owner name (fuzzy match).",
)
LEASE_DURATION = query("duration", LeaseDurationMs, "Auto-stop period; default one hour.")
LEASE_TYPE = query("type", LeaseTypeInputQuery, "Auto-stop kind.", default=LeaseTypeInputQuery.TIMING)
LIMIT_OPTIONAL = query("limit", Annotated[int, int32(ge=1)], "Page size; no paging when absent.")
LIMIT_TWO_HUNDRED = query("limit", Annotated[int, int32(ge=1)], "Page size.", default=200)
CATEGORY_FILTER = query("category", ResourceCategory, "Processor family.")
CLUSTER_TYPE_FILTER = query("type", ClusterType, "Cluster kind.")
FLAVOR_TYPE_FILTER = query("flavor_type", AcceleratorType, "Ascend chip.")
FLAVOR_FEATURE = query("feature", NotebookFeature, "Kind of instance.", default="NOTEBOOK")
IMAGE_NAME_FILTER = query(
    "name", Annotated[str, Meta(max_length=512, pattern=r"^[a-z0-9._-]{0,512}\Z")], "Image name."
)
NAME_FUZZY_MATCH = query("name_fuzzy_match", bool, "Whether name matches parts.", default=True)
NAMESPACE_FILTER = query(
    "namespace",
    Annotated[str, Meta(max_length=64, pattern=r"^[a-z][A-Za-z0-9._-]{0,63}\Z")],
    "Registry organisation.",
)
SERVICE_TYPE_FILTER = query("service_type", ImageServiceType, "Purpose; absent means any.")
IMAGE_TYPE_FILTER = query("type", ImageType, "Image kind.", default=ImageType.BUILD_IN)
GROUP_TYPE_FILTER = query("type", ImageType, "Image kind.")
SHOW_NAME = query("show_name", str, "Display name.")
SHOW_TAG = query("show_tag", str, "Display version.")
SWR_INSTANCE_ID = query("swr_instance_id", str, "Enterprise registry id.")
FORCE = query(
    "force", bool, "Also delete the content in the registry; older form of is_force.", default=False
)
# The published default is workspace 0, but its text says that all are searched; the text is followed.
TAGS_WORKSPACE = query("workspace_id", str, "Workspace; absent means all.")
WORKSPACE_OFFSET = query("offset", Count, "Number of records to skip.", default=0)
WORKSPACE_LIMIT = query("limit", Annotated[int, int32(ge=1)], "Page size.", default=1000)
WORKSPACE_SORT_BY = query("sort_by", WorkspaceSortKey, "Sort field.", default="name")
WORKSPACE_ORDER = query("order", WorkspaceOrder, "Direction, lower case here.", default="desc")
ENTERPRISE_PROJECT_FILTER = query("enterprise_project_id", str, "Enterprise project.")
WORKSPACE_NAME_FILTER = query("name", str, "Part of the name (fuzzy match).")
ACCESSIBLE_ONLY = query(
    "filter_accessible", bool, "Leave out workspaces the caller cannot use.", default=False
)
CLUSTER_KIND = query("type", PoolKind, "Pool kind.", required=True)
CLUSTER_LIMIT = query("limit", Count, "Page size.", default=1000)
CLUSTER_SCOPE = query("scope", ClusterScope, "Job kind.", default="NOTEBOOK")
POOL_WORKSPACE = query("workspaceId", str, "Workspace.", default="0")
LABEL_SELECTOR = query("labelSelector", str, "Kubernetes label selector.")
POOL_STATUS_FILTER = query("status", PoolCreationState, "Creation state.")
POOL_PARENT_FILTER = query("parent", str, "Parent pool.")
PROJECT_NAME_FILTER = query("name", str, "Project name.")

ON_BEHALF_OF = header("X-ModelArts-User-ID", str, "User on whose behalf the pool is shown.")


def _beyond(name: str, type_: Any, description: str) -> Parameter:
    return Parameter(name, "query", type_, description, extension=True)


CREATED_SINCE = _beyond("created_since", Millis, "Created at this time or later.")
CREATED_UNTIL = _beyond("created_until", Millis, "Created before this time.")
UPDATED_SINCE = _beyond("updated_since", Millis, "Last changed at this time or later.")
UPDATED_UNTIL = _beyond("updated_until", Millis, "Last changed before this time.")
MARKER = _beyond(
    "marker",
    Annotated[str, Meta(max_length=256)],
    "Walks the list in the order of creation: empty at first, then the next_marker of the answer before.",
)

_PAGING = (LIMIT_TEN, OFFSET, SORT_DIR, SORT_KEY)
_WINDOWS = (CREATED_SINCE, CREATED_UNTIL, UPDATED_SINCE, UPDATED_UNTIL)
# What both fleet lists, of the caller and of everybody, take by the contract, and what they take besides.
FLEET = (
    PROJECT_ID,
    FEATURE_FILTER,
    LIMIT_TEN,
    NAME_FILTER,
    POOL_FILTER,
    OFFSET,
    OWNER_FILTER,
    SORT_DIR,
    SORT_KEY,
    STATUS_FILTER,
    WORKSPACE_FILTER_CAMEL,
    WORKSPACE_FILTER,
    FLAVOR_FILTER,
    IMAGE_FILTER,
    INSTANCE_FILTER,
    BILLING_FILTER,
    TAGS_FILTER,
    SWR_PATH_FILTER,
    POOL_NAME_FILTER,
    DESCRIPTION_FILTER,
    IP_FILTER,
    USERNAME_FILTER,
)
LISTING = (*FLEET, *_WINDOWS, MARKER)


def _anywhere(parameter: Parameter) -> Parameter:
    """The same filter for operations of ours, which look at every kind and workspace unless told not to."""
    is_narrowing = parameter in (FEATURE_FILTER, WORKSPACE_FILTER, WORKSPACE_FILTER_CAMEL)
    return replace(parameter, default="*") if is_narrowing else parameter


# The filters of the lists without their paging.
FLEET_FILTERS = tuple(_anywhere(one) for one in (*FLEET, *_WINDOWS) if one not in _PAGING)

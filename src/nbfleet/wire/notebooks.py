"""Notebook instances: the requests that make and change them, and the answers that show them.

Types only. Life-cycle rules, quotas and visibility are decided by the service.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from nbfleet.wire.endpoints import EndpointsReq, EndpointsRes
from nbfleet.wire.enums import BillingKind, Feature, JobProgressStatus, NotebookStatus
from nbfleet.wire.fields import (
    InstanceDescription,
    InstanceName,
    Millis,
    SecretName,
    Uuid,
    WorkspaceId,
    about,
    int32,
)
from nbfleet.wire.flavors import NotebookCustomSpec, NotebookCustomSpecRep
from nbfleet.wire.hooks import CustomHooks
from nbfleet.wire.identity import UserResponse
from nbfleet.wire.images import Image
from nbfleet.wire.leases import Lease, LeaseDurationMs, LeaseReq
from nbfleet.wire.literals import StepNumber
from nbfleet.wire.pages import Page
from nbfleet.wire.placement import (
    AffinityType,
    Pool,
    PublicNetworkConfig,
    RunUserInfo,
    RunUserRequest,
    UserVpcRequest,
    UserVpcResponse,
)
from nbfleet.wire.tags import TmsTag, TmsTagResponse
from nbfleet.wire.volumes import VolumeMountRequest, VolumeRes, VolumeResponse


class JobProgress(Struct, frozen=True, kw_only=True):
    """One step of the start of an instance; listed from step 4 down to step 1."""

    notebook_id: Annotated[Uuid, about("Instance id.")] | UnsetType = UNSET
    status: Annotated[JobProgressStatus, about("State of the step.")]
    step: Annotated[
        StepNumber,
        Meta(extra_json_schema={"format": "int32"}),
        about("Step number. 1: storage, 2: compute, 3: network, 4: instance initialisation."),
    ]
    step_description: Annotated[str, about("Text for the step.")] | UnsetType = UNSET
    description: Annotated[str, about("Same text as step_description, under another name.")] | UnsetType = (
        UNSET
    )


class NotebookResp(Struct, frozen=True, kw_only=True):
    """A notebook instance. Fields without a value are left out rather than sent as null."""

    action_progress: Annotated[list[JobProgress], about("Start-up progress.")] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=512), about("Free text.")] | UnsetType = UNSET
    endpoints: (
        Annotated[list[EndpointsRes], about("Ways to reach the instance; empty until it runs.")] | UnsetType
    ) = UNSET
    fail_reason: Annotated[str, about("Why the instance failed; only in failed states.")] | UnsetType = UNSET
    flavor: (
        Annotated[str, about("Flavor id; the literal custom.flavor.spec.code when custom_spec is used.")]
        | UnsetType
    ) = UNSET
    custom_spec: Annotated[NotebookCustomSpecRep, about("Custom size, if any.")] | UnsetType = UNSET
    id: Annotated[Uuid, about("Instance id.")]
    image: (
        Annotated[Image, about("Image the instance runs. Becomes the saved image after create-image.")]
        | UnsetType
    ) = UNSET
    lease: Annotated[Lease, about("Auto-stop clock.")] | UnsetType = UNSET
    name: Annotated[str, about("Instance name; need not be unique.")]
    pool: Annotated[Pool, about("Dedicated pool, if any.")] | UnsetType = UNSET
    status: Annotated[NotebookStatus, about("Status.")]
    token: (
        Annotated[str, about("Token that opens the notebook; a UUID, renewed at every start.")] | UnsetType
    ) = UNSET
    url: (
        Annotated[str, about("Browser address, ending in /{id}/lab. Absent until it is known.")] | UnsetType
    ) = UNSET
    volume: Annotated[VolumeRes, about("Work volume.")] | UnsetType = UNSET
    workspace_id: (
        Annotated[str, about("Workspace id, 0 for the default workspace.", default="0")] | UnsetType
    ) = UNSET
    feature: Annotated[Feature, about("Kind of instance.")] | UnsetType = UNSET
    billing_items: (
        Annotated[list[BillingKind], about("What is charged now; empty when nothing is.")] | UnsetType
    ) = UNSET
    user: Annotated[UserResponse, about("Owner.")] | UnsetType = UNSET
    affinity: Annotated[AffinityType, about("Placement rules.")] | UnsetType = UNSET
    run_user: Annotated[RunUserInfo, about("User that runs the container.")] | UnsetType = UNSET
    data_volumes: Annotated[list[VolumeResponse], about("Extra volumes.")] | UnsetType = UNSET
    ip: Annotated[str, about("Address of the node.")] | UnsetType = UNSET
    user_vpc: Annotated[UserVpcResponse, about("User network card.")] | UnsetType = UNSET
    user_id: Annotated[str, about("Owner id.")] | UnsetType = UNSET
    is_need_credentials: (
        Annotated[bool, about("Whether a default user secret is created.", default=True)] | UnsetType
    ) = UNSET
    jupyter_version: Annotated[str, about("Jupyter version.")] | UnsetType = UNSET
    tags: Annotated[list[TmsTagResponse], about("Tags of the instance.")] | UnsetType = UNSET
    create_at: (
        Annotated[Millis, about("Creation time of the instance; clients print 1970 without it.")] | UnsetType
    ) = UNSET
    update_at: Annotated[Millis, about("Time of the last change of the instance.")] | UnsetType = UNSET
    current_time: Annotated[Millis, about("Server time when the answer was made.")] | UnsetType = UNSET


class ListAllNotebooksResponse(Page, frozen=True, kw_only=True):
    """One page of instances."""

    data: Annotated[list[NotebookResp], about("Records of this page.")]
    next_marker: (
        Annotated[str, about("Ours: with the parameter marker, where the walk goes on; absent at its end.")]
        | UnsetType
    ) = UNSET


class ListNotebooksResponse(Page, frozen=True, kw_only=True):
    """One page of instances."""

    data: Annotated[list[NotebookResp], about("Records of this page.")]
    next_marker: (
        Annotated[str, about("Ours: with the parameter marker, where the walk goes on; absent at its end.")]
        | UnsetType
    ) = UNSET


class NotebookCreateRequest(Struct, frozen=True, kw_only=True):
    """New instance; either flavor or custom_spec is needed."""

    description: Annotated[InstanceDescription, about("Free text, empty by default.")] | UnsetType = UNSET
    endpoints: Annotated[list[EndpointsReq], about("SSH access to set up.")] | UnsetType = UNSET
    feature: Annotated[Feature, about("Kind of instance.", default="NOTEBOOK")] | UnsetType = UNSET
    flavor: (
        Annotated[
            str,
            Meta(min_length=1, max_length=256),
            about("Flavor id; needed unless custom_spec replaces it."),
        ]
        | UnsetType
    ) = UNSET
    custom_spec: Annotated[NotebookCustomSpec, about("Custom size instead of a flavor.")] | UnsetType = UNSET
    image_id: Annotated[Uuid, about("Image id.")]
    name: Annotated[
        InstanceName,
        about("Name, need not be unique: letters, digits, hyphen, underscore and Chinese characters."),
    ]
    pool_id: Annotated[str, about("Dedicated pool; required to run in one.")] | UnsetType = UNSET
    volume: Annotated[VolumeMountRequest, about("Work volume.")]
    workspace_id: (
        Annotated[WorkspaceId, about("Workspace: 0 or 32 characters of 0-9 a-z.", default="0")] | UnsetType
    ) = UNSET
    hooks: Annotated[CustomHooks, about("Start-up hooks.")] | UnsetType = UNSET
    lease: Annotated[LeaseReq, about("Auto-stop.")] | UnsetType = UNSET
    affinity: Annotated[AffinityType, about("Placement rules.")] | UnsetType = UNSET
    run_user: Annotated[RunUserRequest, about("Container user.")] | UnsetType = UNSET
    data_volumes: Annotated[list[VolumeMountRequest], about("Extra volumes.")] | UnsetType = UNSET
    user_vpc: Annotated[UserVpcRequest, about("User network card.")] | UnsetType = UNSET
    duration: (
        Annotated[
            LeaseDurationMs,
            about("Older way to set the lease. When present, lease is ignored and the kind is TIMING."),
        ]
        | UnsetType
    ) = UNSET
    public_network_config: Annotated[PublicNetworkConfig, about("Public network.")] | UnsetType = UNSET
    tags: (
        Annotated[list[TmsTag], Meta(max_length=20), about("Ours: tags to begin with, at most 20.")]
        | UnsetType
    ) = UNSET


class NotebookUpdateRequest(Struct, frozen=True, kw_only=True):
    """Changes to an instance; only the given fields change."""

    description: Annotated[InstanceDescription, about("Free text.")] | UnsetType = UNSET
    endpoints: Annotated[list[EndpointsReq], about("New SSH access.")] | UnsetType = UNSET
    flavor: Annotated[str, about("New flavor, one of the switchable ones.")] | UnsetType = UNSET
    custom_spec: Annotated[NotebookCustomSpec, about("New custom size.")] | UnsetType = UNSET
    image_id: Annotated[Uuid, about("New image.")] | UnsetType = UNSET
    name: Annotated[InstanceName, about("New name.")] | UnsetType = UNSET
    storage_new_size: (
        Annotated[
            int, int32(ge=5, le=4096), about("New size of the EVS work volume in GB; it never shrinks.")
        ]
        | UnsetType
    ) = UNSET
    hooks: Annotated[CustomHooks, about("New hooks.")] | UnsetType = UNSET
    affinity: Annotated[AffinityType, about("New placement rules.")] | UnsetType = UNSET
    dew_secret_name: Annotated[SecretName, about("New stored secret for OBS.")] | UnsetType = UNSET
    data_volumes: Annotated[list[VolumeMountRequest], about("New extra volumes.")] | UnsetType = UNSET
    public_network_config: Annotated[PublicNetworkConfig, about("New public network.")] | UnsetType = UNSET

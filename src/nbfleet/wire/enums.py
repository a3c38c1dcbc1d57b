"""Every enumeration of the contract, under its published name.

Named enumerations are string enumerations, so that they become named schemas and the values compare
as plain text. Requests may spell their words in either case; where the published schema lists both, both are
members, and telling them apart ends with `.upper()`. Sets without a published name are in `literals`.
"""

from enum import StrEnum

from nbfleet.wire.any_case import AnyCase


class Feature(AnyCase):
    """Kind of instance. DEFAULT: free instance, at most one for a user. NOTEBOOK: ordinary."""

    DEFAULT = "DEFAULT"
    NOTEBOOK = "NOTEBOOK"


class FeatureFilter(AnyCase):
    """Kind of instance to look for; the asterisk is an extension of this service."""

    DEFAULT = "DEFAULT"
    NOTEBOOK = "NOTEBOOK"
    ANY = "*"


class NotebookStatus(AnyCase):
    """Status of an instance; SNAPSHOTTING: an image is being saved from it."""

    INIT = "INIT"
    CREATING = "CREATING"
    STARTING = "STARTING"
    STOPPING = "STOPPING"
    DELETING = "DELETING"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    SNAPSHOTTING = "SNAPSHOTTING"
    CREATE_FAILED = "CREATE_FAILED"
    START_FAILED = "START_FAILED"
    DELETE_FAILED = "DELETE_FAILED"
    ERROR = "ERROR"
    DELETED = "DELETED"
    FROZEN = "FROZEN"


class SortDirection(AnyCase):
    """One direction for the whole sort."""

    ASC = "ASC"
    DESC = "DESC"


class BillingKind(AnyCase):
    """Which resource of the instance is charged: computing, disk, or both."""

    COMPUTE = "COMPUTE"
    STORAGE = "STORAGE"
    ALL = "ALL"


class JobProgressStatus(StrEnum):
    """State of one start-up step."""

    WAITING = "WAITING"
    PROCESSING = "PROCESSING"
    FAILED = "FAILED"
    COMPLETED = "COMPLETED"


class DevService(AnyCase):
    """Way to reach an instance. NOTEBOOK: browser over HTTPS. SSH: remote login or IDE over SSH."""

    NOTEBOOK = "NOTEBOOK"
    SSH = "SSH"


class LeaseType(StrEnum):
    """Kind of auto-stop. TIMING: at a fixed time. IDLE: after a period without use."""

    TIMING = "TIMING"
    IDLE = "IDLE"


class LeaseTypeInput(AnyCase):
    """Auto-stop kind in requests; compared without regard to case."""

    TIMING = "TIMING"
    IDLE = "IDLE"
    timing = "timing"
    idle = "idle"


class LeaseTypeInputQuery(AnyCase):
    """Auto-stop kind in a query string; compared without regard to case."""

    TIMING = "TIMING"
    IDLE = "IDLE"
    timing = "timing"
    idle = "idle"


class VolumeCategory(StrEnum):
    """Kind of storage. EVS: disk. EFS, formerly SFS: shared files. OBS, OBSFS: object storage."""

    EVS = "EVS"
    EFS = "EFS"
    OBS = "OBS"
    OBSFS = "OBSFS"
    SFS = "SFS"


class VolumeCategoryInput(AnyCase):
    """Kind of storage in requests; compared without regard to case."""

    EVS = "EVS"
    EFS = "EFS"
    OBS = "OBS"
    OBSFS = "OBSFS"
    SFS = "SFS"
    evs = "evs"
    efs = "efs"
    obs = "obs"
    obsfs = "obsfs"
    sfs = "sfs"


class VolumeOwnership(StrEnum):
    """MANAGED: of the service, deleted with the instance. DEDICATED: of the user."""

    MANAGED = "MANAGED"
    DEDICATED = "DEDICATED"


class VolumeOwnershipInput(AnyCase):
    """Ownership in requests; compared without regard to case."""

    MANAGED = "MANAGED"
    DEDICATED = "DEDICATED"
    managed = "managed"
    dedicated = "dedicated"


class VolumeStatus(StrEnum):
    """State of a volume. RESIZING means an EVS disk is growing; the instance stays usable."""

    INITIALIZING = "INITIALIZING"
    RESIZING = "RESIZING"
    IN_USE = "IN_USE"
    DELETING = "DELETING"
    DELETED = "DELETED"
    DELETE_FAILED = "DELETE_FAILED"
    MOUNTING = "MOUNTING"
    MOUNTED = "MOUNTED"
    MOUNT_FAILED = "MOUNT_FAILED"
    UNMOUNTING = "UNMOUNTING"
    UNMOUNTED = "UNMOUNTED"
    UNMOUNT_FAILED = "UNMOUNT_FAILED"


class MountType(StrEnum):
    """STATIC: with the instance only. DYNAMIC: while it runs. MAIN: the work volume."""

    STATIC = "STATIC"
    DYNAMIC = "DYNAMIC"
    MAIN = "MAIN"


class DynamicStorageCategory(AnyCase):
    """Storage kinds that can be mounted while an instance runs."""

    OBS = "OBS"
    OBSFS = "OBSFS"
    EFS = "EFS"


class DynamicStorageStatus(StrEnum):
    """State of a dynamic mount."""

    MOUNTING = "MOUNTING"
    MOUNT_FAILED = "MOUNT_FAILED"
    MOUNTED = "MOUNTED"
    UNMOUNTING = "UNMOUNTING"
    UNMOUNT_FAILED = "UNMOUNT_FAILED"
    UNMOUNTED = "UNMOUNTED"


class ImageArch(StrEnum):
    """Processor architecture; answers carry lower case, requests either."""

    X86_64 = "X86_64"
    AARCH64 = "AARCH64"
    x86_64 = "x86_64"
    aarch64 = "aarch64"


class ImageOrigin(AnyCase):
    """CUSTOMIZE: built by a user. IMAGE_SAVE: saved from an instance."""

    CUSTOMIZE = "CUSTOMIZE"
    IMAGE_SAVE = "IMAGE_SAVE"


class ResourceCategory(AnyCase):
    """Processor family of flavors and images."""

    CPU = "CPU"
    GPU = "GPU"
    ASCEND = "ASCEND"


class ImageServiceType(AnyCase):
    """Purpose of an image: general, inference, training, development, or not stated."""

    COMMON = "COMMON"
    INFERENCE = "INFERENCE"
    TRAIN = "TRAIN"
    DEV = "DEV"
    UNKNOWN = "UNKNOWN"


class ImageStatus(StrEnum):
    """State of an image; it can be used once it is ACTIVE."""

    INIT = "INIT"
    CREATING = "CREATING"
    CREATE_FAILED = "CREATE_FAILED"
    ERROR = "ERROR"
    DELETED = "DELETED"
    ACTIVE = "ACTIVE"


class ImageType(AnyCase):
    """BUILD_IN (spelled so on the wire): of the platform. DEDICATED: registered or saved by a user."""

    BUILD_IN = "BUILD_IN"
    DEDICATED = "DEDICATED"


class ImageVisibility(AnyCase):
    """PRIVATE: owner only. PUBLIC: anyone may use it read-only by its id."""

    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"
    HIDDEN = "HIDDEN"


class ImageDevService(AnyCase):
    """Service an image can run."""

    NOTEBOOK = "NOTEBOOK"
    SSH = "SSH"
    AI_FLOW = "AI_FLOW"
    MA_STUDIO = "MA_STUDIO"
    TENSOR_BOARD = "TENSOR_BOARD"
    WEB_IDE = "WEB_IDE"


class AcceleratorType(AnyCase):
    """Ascend chip generation."""

    ASCEND_SNT9 = "ASCEND_SNT9"
    ASCEND_SNT9B = "ASCEND_SNT9B"
    ASCEND_SNT3 = "ASCEND_SNT3"


class ClusterType(AnyCase):
    """MANAGED: public pool. DEDICATED: dedicated pool."""

    MANAGED = "MANAGED"
    DEDICATED = "DEDICATED"
    MANAGED_ROMA = "MANAGED_ROMA"
    DEDICATED_ROMA = "DEDICATED_ROMA"


class AuthoringClusterStatus(StrEnum):
    """State of a notebook cluster."""

    PENDING = "PENDING"
    INITIALIZING = "INITIALIZING"
    INITIALIZE_FAILED = "INITIALIZE_FAILED"
    ACTIVE = "ACTIVE"
    DELETING = "DELETING"
    DELETED = "DELETED"
    DELETE_FAILED = "DELETE_FAILED"
    MIGRATING = "MIGRATING"


class FlavorStorage(StrEnum):
    """Storage kind a flavor supports."""

    EVS = "EVS"
    EFS = "EFS"
    EFS_DEDICATED = "EFS_DEDICATED"
    OBS = "OBS"
    OBSFS = "OBSFS"


class SiteSupport(StrEnum):
    """Sites where a flavor is offered."""

    COMMON = "COMMON"
    NATIONAL = "NATIONAL"
    INTERNATIONAL = "INTERNATIONAL"
    NONE = "NONE"


class HookScriptType(AnyCase):
    """COMMAND: Base64 text of the commands. SCRIPT: an absolute path."""

    COMMAND = "COMMAND"
    SCRIPT = "SCRIPT"


class HookMode(AnyCase):
    """BLOCK: wait for the script. ASYNC: do not wait."""

    BLOCK = "BLOCK"
    ASYNC = "ASYNC"


class AffinityOperator(StrEnum):
    """Kubernetes label-selector operator; Gt and Lt compare as strings."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class PublicNetworkType(AnyCase):
    """SHARED: common egress. EXCLUSIVE: own egress. FORBIDDEN: no public network."""

    SHARED = "SHARED"
    EXCLUSIVE = "EXCLUSIVE"
    FORBIDDEN = "FORBIDDEN"


class WorkspaceAuthType(StrEnum):
    """Who may use a workspace; kept and answered in the case in which it was given."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"
    INTERNAL = "INTERNAL"
    public = "public"
    private = "private"
    internal = "internal"


class WorkspaceStatus(StrEnum):
    """State of a workspace."""

    NORMAL = "NORMAL"
    CREATE_FAILED = "CREATE_FAILED"
    DELETING = "DELETING"
    DELETE_FAILED = "DELETE_FAILED"


class GrantUserType(AnyCase):
    """Kind of grantee; needed for federated and agency users."""

    IAM = "IAM"
    FEDERATE = "FEDERATE"
    AGENCY = "AGENCY"


class PoolScope(StrEnum):
    """Job kinds a pool serves."""

    TRAIN = "Train"
    INFER = "Infer"
    NOTEBOOK = "Notebook"


class PoolPhase(StrEnum):
    """State of a resource pool."""

    CREATING = "Creating"
    RUNNING = "Running"
    ABNORMAL = "Abnormal"
    DELETING = "Deleting"
    ERROR = "Error"
    CREATION_FAILED = "CreationFailed"
    SCALING_FAILED = "ScalingFailed"
    WAITING = "Waiting"


class AuthVerdict(StrEnum):
    """Outcome of one permission check."""

    ALLOW = "allow"
    DENY = "deny"

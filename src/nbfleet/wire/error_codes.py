"""The error codes of the contract that this service uses or may come to use.

Which status goes with a code is said where the error is made: several codes have more than one.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Machine-readable reason of a refusal."""

    # Service and load.
    INTERNAL = "ModelArts.0010"
    TIMEOUT = "ModelArts.6100"
    BUSY = "ModelArts.6101"
    SERVER_ERROR = "ModelArts.6102"
    NO_RESOURCES = "ModelArts.6200"
    NOT_AVAILABLE = "ModelArts.6361"

    # Who calls, and what for.
    SIGNATURE = "APIGW.0301"
    FORBIDDEN = "ModelArts.0108"
    FORBIDDEN_BY_POLICY = "ModelArts.0112"
    TOKEN_MISSING = "ModelArts.0201"  # noqa: S105 - codes, not secrets.
    TOKEN_EXPIRED = "ModelArts.0202"  # noqa: S105
    TOKEN_INVALID = "ModelArts.0203"  # noqa: S105
    TOKEN_UNREADABLE = "ModelArts.0204"  # noqa: S105
    AUTHORIZATION_MISSING = "ModelArts.0205"
    AUTHORIZATION_MALFORMED = "ModelArts.0206"
    AUTHORIZATION_UNCHECKED = "ModelArts.0208"
    PROJECT = "ModelArts.0210"
    TOKEN_WITHOUT_PROJECT = "ModelArts.0212"  # noqa: S105
    KEY_PAIR_FORBIDDEN = "ModelArts.6789"

    # Input.
    INVALID_ARGUMENT = "ModelArts.0101"
    INVALID_PARAMETER = "ModelArts.0104"
    INVALID_QUERY = "ModelArts.0107"
    UNKNOWN_SORT_KEY = "ModelArts.6303"
    WRONG_TYPE = "ModelArts.6332"
    BAD_CHARACTERS = "ModelArts.6334"
    MISSING = "ModelArts.6335"
    WRONG_VALUE = "ModelArts.6336"
    STOP_TIME_PAST = "ModelArts.6346"
    DURATION_MISSING = "ModelArts.6348"
    BAD_DURATION = "ModelArts.6349"
    INVALID_BODY = "ModelArts.6400"
    CHECK_FAILED = "ModelArts.6600"

    # Instances.
    QUOTA_EXHAUSTED = "ModelArts.0113"
    QUOTA_EXCEEDED = "ModelArts.0118"
    TOO_MANY_INSTANCES = "ModelArts.6302"
    STOP_FIRST = "ModelArts.6304"
    FROZEN = "ModelArts.6326"
    NOT_RUNNING = "ModelArts.6327"
    RECOVERING = "ModelArts.6333"
    UPDATE_NOT_ALLOWED = "ModelArts.6347"
    CONFLICTING_STATE = "ModelArts.6357"
    START_WITHOUT_RESOURCES = "ModelArts.6360"
    NOT_FOUND = "ModelArts.6404"

    # Flavors and pools.
    FLAVOR_NOT_SUPPORTED = "ModelArts.6323"
    FLAVOR_FORBIDDEN = "ModelArts.6328"
    FLAVOR_SOLD_OUT = "ModelArts.6329"
    POOL_INITIALIZING = "ModelArts.6355"
    FLAVOR_NOT_SWITCHABLE = "ModelArts.6792"
    FLAVOR_UNFIT_FOR_FEATURE = "ModelArts.6870"

    # Storage.
    OBJECT_STORAGE_FAILED = "ModelArts.1002"
    OBJECT_STORAGE_FORBIDDEN = "ModelArts.1003"
    STORAGE_KEYS_MISSING = "ModelArts.6319"
    OBJECT_STORAGE_UNREACHABLE = "ModelArts.6320"
    STORAGE_NOT_SUPPORTED = "ModelArts.6324"
    DISK_SIZE = "ModelArts.6331"
    OBJECT_STORAGE_DENIED = "ModelArts.6350"
    STORAGE_KEYS_WRONG = "ModelArts.6353"
    OBJECT_PATH = "ModelArts.6358"
    STORAGE_CLASS = "ModelArts.6371"
    NO_DISK_CAPACITY = "ModelArts.6528"
    STORAGE_OWNERSHIP = "ModelArts.6702"
    BUCKET_UNUSABLE = "ModelArts.6772"
    MOUNT_NEEDS_KEYS = "ModelArts.6782"
    MOUNT_PATH = "ModelArts.6927"
    SECRET_NAME_EMPTY = "ModelArts.6967"  # noqa: S105

    # Images.
    IMAGE_TAG_EXISTS = "ModelArts.6737"
    IMAGE_NEEDS_SSH = "ModelArts.6768"
    IMAGE_TOO_LARGE = "ModelArts.6771"
    IMAGE_NOT_FOUND = "ModelArts.6797"

    # Workspaces.
    WORKSPACE_FAULT = "ModelArts.7001"
    WORKSPACE_USER_NOT_ADMITTED = "ModelArts.7002"
    WORKSPACE_USERS_FORBIDDEN = "ModelArts.7003"
    WORKSPACE_STATE = "ModelArts.7004"
    WORKSPACE_NOT_FOUND = "ModelArts.7005"
    TOO_MANY_WORKSPACES = "ModelArts.7006"

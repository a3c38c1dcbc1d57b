"""Refusals about storage: volumes, mounts, and the secrets that they are reached with.

Only what knows storage raises them; what goes for any field of a request is in `errors`.
"""

from nbfleet.wire.errors import ApiError, ErrorCode, shown


def storage_not_supported(field: str, category: str, allowed: str) -> ApiError:
    message = f"The field {field} is not for storage of the kind {category}; allowed: {allowed}."
    return ApiError(400, ErrorCode.STORAGE_NOT_SUPPORTED, message)


def storage_mismatch(category: str, ownership: str, field: str = "volume") -> ApiError:
    message = f"{field}.category {category} does not go together with {field}.ownership {ownership}."
    return ApiError(400, ErrorCode.STORAGE_OWNERSHIP, message)


def storage_refused(field: str, given: object, reason: str) -> ApiError:
    """The kind of storage exists, but cannot be had like this."""
    message = f"The field {field} is {shown(given)}, which cannot be had: {reason}."
    return ApiError(400, ErrorCode.STORAGE_NOT_SUPPORTED, message)


def bad_size(field: str, given: object, allowed: str) -> ApiError:
    message = f"The size {field} is {shown(given)}; allowed: {allowed}."
    return ApiError(400, ErrorCode.DISK_SIZE, message)


def bad_mount_path(field: str, given: object, allowed: str) -> ApiError:
    message = f"The mount path {field} is {shown(given)}; allowed: {allowed}."
    return ApiError(400, ErrorCode.MOUNT_PATH, message)


def missing_mount_path(field: str) -> ApiError:
    return ApiError(400, ErrorCode.MOUNT_PATH, f"The mount path {field} is missing.")


def bad_object_path(field: str, given: object, allowed: str) -> ApiError:
    message = f"The field {field} is {shown(given)}; allowed: {allowed}."
    return ApiError(400, ErrorCode.OBJECT_PATH, message)


def unknown_secret(field: str, given: object) -> ApiError:
    message = f"The field {field} is {shown(given)}; no access keys are stored under that name."
    return ApiError(400, ErrorCode.STORAGE_KEYS_MISSING, message)


def secret_needed(field: str) -> ApiError:
    reason = "object storage is opened with access keys that are stored under a name"
    return ApiError(400, ErrorCode.MOUNT_NEEDS_KEYS, f"The field {field} is missing: {reason}.")


def mount_in_motion(id_: object, status: str) -> ApiError:
    message = f"The mount {shown(id_)} is {status} and cannot be unmounted now."
    return ApiError(400, ErrorCode.CONFLICTING_STATE, message)

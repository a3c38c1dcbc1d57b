"""Storage that is not the service's own: how it is named, and the life of a mount into a running instance.

Shared directories are named `SHARE:/PATH`, object storage `obs://BUCKET/PATH/`. Whether such a share or
bucket exists, and who may use it, is not decided here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

SHARED = frozenset({"EFS", "SFS"})  # SFS is the older name.
OBJECTS = frozenset({"OBS", "OBSFS"})
MOST_MOUNTS = 10  # Of one instance, in each of the two kinds.

SHARE_RULE = "SHARE:/PATH, without . and .. in the path"
OBJECT_RULE = "obs://BUCKET/PATH/, a directory and not the root of a bucket"
PLACE_RULE = "/data/NAME/, or a directory below it"

_SHARE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,127}):/(|.*[^/])/?")
_OBJECT = re.compile(r"obs://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)/")
_PLACE = re.compile(r"/data/((?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+)/?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where storage comes from; `id` is that of a shared file system, `secret` names stored access keys."""

    uri: str
    id: str | None = None
    read_only: bool = False
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class ExtraVolume:
    """Storage that is there whenever the instance runs, beside its work volume."""

    category: str
    mount_path: str
    source: Source


@dataclass(frozen=True, slots=True)
class Place:
    """A directory of a share, or of a bucket: `path` has its parts, and none for the root."""

    host: str
    path: tuple[str, ...]


def share_place(uri: str) -> Place | None:
    """None where the uri does not name a directory of a share."""
    found = _SHARE.fullmatch(uri)
    if found is None or not uri.isprintable():
        return None
    parts = _parts(found[2])
    return None if parts is None else Place(found[1], parts)


def object_place(uri: str) -> Place | None:
    """None where the uri does not name a directory of a bucket."""
    found = _OBJECT.fullmatch(uri)
    if found is None or not uri.isprintable():
        return None
    parts = _parts(found[2])
    return None if not parts else Place(found[1], parts)


def _parts(path: str) -> tuple[str, ...] | None:
    parts = tuple(path.split("/")) if path else ()
    return None if any(part in ("", ".", "..") for part in parts) else parts


def inside(mount_path: str) -> tuple[str, ...] | None:
    """The parts of a mount path below /data; None where it is not a directory there."""
    found = _PLACE.fullmatch(mount_path)
    return None if found is None else tuple(found[1].split("/"))


def clash(mount_path: str, taken: Iterable[str]) -> str | None:
    """The taken path that is the same, or inside it, or around it."""
    wanted = inside(mount_path)
    for other in taken:
        parts = inside(other)
        if wanted is not None and parts is not None:
            common = min(len(wanted), len(parts))
            if wanted[:common] == parts[:common]:
                return other
    return None


class MountStatus(StrEnum):
    MOUNTING = "MOUNTING"
    MOUNTED = "MOUNTED"
    MOUNT_FAILED = "MOUNT_FAILED"
    UNMOUNTING = "UNMOUNTING"
    UNMOUNT_FAILED = "UNMOUNT_FAILED"
    UNMOUNTED = "UNMOUNTED"


class MountEvent(StrEnum):
    """One wish, then four findings, then a new start of the instance."""

    DETACH = "unmount"
    MOUNTED = "mounted"
    MOUNT_FAILED = "mount failed"
    UNMOUNTED = "unmounted"
    UNMOUNT_FAILED = "unmount failed"
    RESTART = "restart"


_S, _E = MountStatus, MountEvent
# A new start finds nothing mounted: what was wanted is mounted again, what was to go is gone.
MOUNT_TRANSITIONS: dict[tuple[MountStatus, MountEvent], MountStatus] = {
    (_S.MOUNTING, _E.MOUNTED): _S.MOUNTED,
    (_S.MOUNTING, _E.MOUNT_FAILED): _S.MOUNT_FAILED,
    (_S.MOUNTED, _E.DETACH): _S.UNMOUNTING,
    (_S.MOUNT_FAILED, _E.DETACH): _S.UNMOUNTING,
    (_S.UNMOUNT_FAILED, _E.DETACH): _S.UNMOUNTING,
    (_S.UNMOUNTING, _E.DETACH): _S.UNMOUNTING,
    (_S.UNMOUNTED, _E.DETACH): _S.UNMOUNTED,
    (_S.UNMOUNTING, _E.UNMOUNTED): _S.UNMOUNTED,
    (_S.UNMOUNTING, _E.UNMOUNT_FAILED): _S.UNMOUNT_FAILED,
    (_S.MOUNTING, _E.RESTART): _S.MOUNTING,
    (_S.MOUNTED, _E.RESTART): _S.MOUNTING,
    (_S.MOUNT_FAILED, _E.RESTART): _S.MOUNTING,
    (_S.UNMOUNTING, _E.RESTART): _S.UNMOUNTED,
    (_S.UNMOUNT_FAILED, _E.RESTART): _S.UNMOUNTED,
    (_S.UNMOUNTED, _E.RESTART): _S.UNMOUNTED,
}
IN_MOTION = frozenset({MountStatus.MOUNTING, MountStatus.UNMOUNTING})


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount into one notebook. Times in milliseconds since 1970."""

    id: str
    notebook_id: str
    category: str
    mount_path: str
    source: Source
    status: MountStatus
    create_at: int
    update_at: int
    failure_reason: str | None = None


def moved(mount: Mount, event: MountEvent, now: int, reason: str | None = None) -> Mount | None:
    """The mount after the event; None where it cannot happen to it now."""
    status = MOUNT_TRANSITIONS.get((mount.status, event))
    if status is None:
        return None
    if status is mount.status:
        return mount
    return replace(mount, status=status, update_at=now, failure_reason=reason)

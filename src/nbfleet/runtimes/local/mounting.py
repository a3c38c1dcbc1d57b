"""What this machine can mount, and the mounting itself: directories read-only, object storage by s3fs.

Mounts outlive the service, like instances. Nothing here knows notebooks or decides what is mounted where.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from nbfleet.domain.notebook import Ability
from nbfleet.runtimes.base import AttachFailed

S3FS = "s3fs"
_FUSE = Path("/dev/fuse")
_CAP_SYS_ADMIN = 21
_PATIENCE = 30.0  # Seconds until a mount has answered.
_LONGEST_REASON = 300
_COMPLAINT = re.compile(r"\[(?:CRT|ERR)\] (?:[\w.]+:\w+\(\d+\): )?(.*)|^s3fs: (.*)")
_OCTAL = re.compile(r"\\([0-7]{3})")


def obstacle_to_mounting() -> str | None:
    """Why the service may not mount directories; None where it may."""
    if shutil.which("mount") is None or shutil.which("umount") is None:
        return "mount is not installed"
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    if found is None or not int(found[1], 16) >> _CAP_SYS_ADMIN & 1:
        return "the service has no CAP_SYS_ADMIN"
    return None


def obstacle_to_objects() -> str | None:
    """Why object storage cannot be mounted; None where it can."""
    if shutil.which(S3FS) is None:
        return "s3fs is not installed"
    if not os.access(_FUSE, os.R_OK | os.W_OK):
        return f"{_FUSE} cannot be opened" if _FUSE.exists() else f"there is no {_FUSE}"
    if obstacle_to_mounting() is not None and _fusermount() is None:
        return "fusermount is not installed"
    return None


def abilities() -> frozenset[Ability]:
    """What this machine adds to what the runtime can do everywhere."""
    found = {
        Ability.READ_ONLY: obstacle_to_mounting(),
        Ability.OBJECT_STORAGE: obstacle_to_objects(),
    }
    return frozenset(ability for ability, obstacle in found.items() if obstacle is None)


def points_below(base: Path) -> dict[Path, frozenset[str]]:
    """Each mount point below a directory, with its options."""
    found: dict[Path, frozenset[str]] = {}
    for line in (
        Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    ):
        fields = line.split()
        point = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), fields[4]))
        if base in point.parents:
            found[point] = frozenset(fields[5].split(","))
    return found


def mount_read_only(directory: int, point: Path) -> None:
    """Mounts the directory behind this descriptor, so that nothing can be put in its place meanwhile."""
    source = f"/proc/self/fd/{directory}"
    _run(["mount", "-o", "bind,ro,nosuid,nodev", source, str(point)], (directory,))
    if "ro" not in points_below(point.parent).get(point, frozenset()):
        unmount(point)
        raise AttachFailed("it could not be mounted read-only")


def mount_objects(
    bucket: str, path: str, point: Path, endpoint: str, keys: str, log: Path, *, read_only: bool
) -> None:
    """Mounts a directory of a bucket, and waits until it answers. `keys` is a file with access keys."""
    options = (
        f"url={endpoint},use_path_request_style,passwd_file={keys},umask=0077,connect_timeout=5,"
        f"readwrite_timeout=20,retries=2,logfile={log}"
    )
    log.unlink(missing_ok=True)
    try:
        _run([S3FS, f"{bucket}:/{path}", str(point), "-o", options + (",ro" if read_only else "")])
        _run(["ls", "-A", str(point)])
    except AttachFailed as failure:
        cause = _complaint(log) or failure.reason
        unmount(point, lazily=True)
        raise AttachFailed(f"object storage could not be mounted: {cause}") from failure


def answers(point: Path) -> bool:
    """Whether what is mounted there can be listed."""
    try:
        _run(["ls", "-A", str(point)])
    except AttachFailed:
        return False
    return True


def unmount(point: Path, *, lazily: bool = False) -> None:
    """`lazily` also where something still uses it: it goes once nothing does."""
    program = ["umount"] if obstacle_to_mounting() is None else [_fusermount() or "fusermount", "-u"]
    lazy = ["-l" if program[0] == "umount" else "-z"] if lazily else []
    try:
        _run([*program, *lazy, str(point)])
    except AttachFailed as failure:
        if point not in points_below(point.parent):
            return  # It went by itself meanwhile.
        if "busy" in failure.reason:
            raise AttachFailed("something of the instance still uses it") from failure
        raise


def _fusermount() -> str | None:
    return shutil.which("fusermount3") or shutil.which("fusermount")


def _run(command: list[str], descriptors: tuple[int, ...] = ()) -> None:
    """Without our environment: s3fs would look for keys in it."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PATIENCE,
            pass_fds=descriptors,
            check=False,
        )
    except subprocess.TimeoutExpired as fault:
        raise AttachFailed(f"it did not answer within {_PATIENCE:g} seconds") from fault
    except FileNotFoundError as fault:
        raise AttachFailed(f"{command[0]} is not installed") from fault
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise AttachFailed(said[-1][:_LONGEST_REASON] if said else f"{command[0]} failed")


def _complaint(log: Path) -> str | None:
    """The last line of the log of s3fs that tells of a fault."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = [match for match in map(_COMPLAINT.search, lines) if match is not None]
    return (found[-1][1] or found[-1][2])[:_LONGEST_REASON] if found else None

"""What this machine offers for running instances. Detected, never assumed; nothing is changed by looking."""

import importlib.metadata
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nbfleet.runtimes.local import mounting

_CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("memory", "cpu", "pids")


@dataclass(frozen=True, slots=True)
class Capability:
    """`needed` ones must be there for the local runtime to work; the others make it better."""

    name: str
    available: bool
    detail: str
    purpose: str
    needed: bool = False


def detect(python: str = sys.executable) -> list[Capability]:
    return [
        _jupyterlab(),
        _pidfd(),
        _user_switching(),
        _interpreter(python),
        *(_namespace(kind, flag) for kind, flag in _NAMESPACES.items()),
        _cgroups(),
        _mounts("read-only shares", mounting.obstacle_to_mounting(), "shares that nobody writes to"),
        _mounts("object storage", mounting.obstacle_to_objects(), "buckets in instances, by s3fs"),
        _program("bubblewrap", "bwrap", "isolating an instance that is not forked from a warm one"),
        _program("sshd", "sshd", "SSH into an instance"),
    ]


def _jupyterlab() -> Capability:
    try:
        version = importlib.metadata.version("jupyterlab")
    except importlib.metadata.PackageNotFoundError:
        return Capability("jupyterlab", False, "not installed", "what an instance runs", needed=True)
    return Capability("jupyterlab", True, version, "what an instance runs", needed=True)


def _pidfd() -> Capability:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as fault:
        return Capability("pidfd", False, str(fault), "signalling no process but ours", needed=True)
    return Capability(
        "pidfd", True, f"Linux {os.uname().release}", "signalling no process but ours", needed=True
    )


def _user_switching() -> Capability:
    root = os.geteuid() == 0
    detail = "runs as root" if root else f"runs as uid {os.geteuid()}"
    return Capability("user switching", root, detail, "a user of its own for each instance")


def _interpreter(python: str) -> Capability:
    """Whether any user may execute the interpreter: a home of mode 0700 above it is enough to prevent it."""
    closed = _closed_to_others(Path(python).resolve())
    detail = python if closed is None else f"others may not enter {closed}"
    return Capability("interpreter for others", closed is None, detail, "a user of its own for each instance")


def _closed_to_others(path: Path) -> Path | None:
    for place in (path, *path.parents):
        if not place.stat().st_mode & stat.S_IXOTH:
            return place
    return None


_NAMESPACES = {"user": "--user", "mount": "--mount", "pid": "--pid", "network": "--net"}


def _namespace(kind: str, flag: str) -> Capability:
    """Tried in a child, which ends at once."""
    name, purpose = f"{kind} namespaces", "keeping instances apart"
    program = shutil.which("unshare")
    if program is None:
        return Capability(name, False, "unshare is not installed", purpose)
    done = subprocess.run(
        [program, flag, "--fork", "true"], capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode == 0:
        return Capability(name, True, "work", purpose)
    return Capability(name, False, done.stderr.strip().removeprefix("unshare: "), purpose)


def _cgroups() -> Capability:
    version, places = _cgroup_layout()
    writable = [name for name, place in places.items() if os.access(place, os.W_OK)]
    purpose = "limits of memory, CPU and processes"
    if not writable:
        return Capability(
            "cgroups", False, f"version {version}, none may be made" if version else "none", purpose
        )
    return Capability("cgroups", True, f"version {version}: {', '.join(writable)}", purpose)


def _cgroup_layout() -> tuple[int, dict[str, Path]]:
    """The version, and where a group with each controller could be made."""
    controllers = _CGROUPS / "cgroup.controllers"
    if controllers.exists():
        return 2, {name: _CGROUPS for name in controllers.read_text().split() if name in _CONTROLLERS}
    found = {name: _CGROUPS / name for name in _CONTROLLERS if (_CGROUPS / name).is_dir()}
    return (1, found) if found else (0, {})


def _mounts(name: str, obstacle: str | None, purpose: str) -> Capability:
    return Capability(name, obstacle is None, obstacle or "can be mounted", purpose)


def _program(name: str, program: str, purpose: str) -> Capability:
    # Daemons live where the path of an ordinary user does not lead.
    path = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    return Capability(name, path is not None, path or "not installed", purpose)

"""The scripts that an owner has run around a start.

A hook runs as the instance does and carries its marker, so whatever ends the instance ends it too. How it
ended is written down by the shell that ran it: a service that was restarted meanwhile finds either the
hook, still running, or its exit status, and runs none twice.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from nbfleet.domain.notebook import Hook
from nbfleet.runtimes.local import processes
from nbfleet.runtimes.local.processes import Process

PRE_START, POST_START = "pre_start", "post_start"
_INSIDE = Path("/home/ma-user/work")  # Where an owner believes the work volume to be.
# The status is moved into place, so that it is never read half written.
_WRAPPER = '"$@"; code=$?; echo "$code" > "$0.new" && mv "$0.new" "$0"; exit "$code"'


class MissingScript(Exception):
    """The file that a hook names is not there."""


def status_file(directory: Path, name: str, generation: int) -> Path:
    return directory / f"{name}.{generation}.status"


def forget(directory: Path) -> None:
    """How the hooks of earlier starts ended."""
    for name in (PRE_START, POST_START):
        for path in directory.glob(f"{name}.*"):
            path.unlink(missing_ok=True)


def status(path: Path) -> int | None:
    """The exit status that was written down; None while there is none."""
    try:
        return int(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def command(hook: Hook, directory: Path, name: str, work: Path, path: Path) -> list[str]:
    """What runs the hook and writes its exit status to `path`. Its text goes into a file, not into the
    arguments, which everybody on the machine can read."""
    return ["/bin/sh", "-c", _WRAPPER, str(path), *_program(hook, directory / f"{name}.sh", work)]


def _program(hook: Hook, script: Path, work: Path) -> list[str]:
    if not hook.is_file:
        descriptor = os.open(
            script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(hook.script)
        return ["/bin/sh", str(script)]
    named = Path(hook.script)
    real = work / named.relative_to(_INSIDE) if named.is_relative_to(_INSIDE) else named
    if not real.is_file():
        raise MissingScript(f"there is no file {hook.script}")
    return [str(real)] if os.access(real, os.X_OK) else ["/bin/sh", str(real)]


def running(found: Sequence[Process], path: Path) -> Process | None:
    """The process, among these, that runs the hook whose status goes to `path`."""
    return next((one for one in found if str(path) in processes.arguments_of(one.pid)), None)

"""Throw-away virtual environments for the programs that the fleet list is compared with.

The peers are no dependencies of the project, so each lives in an environment of its own, made when it is
first asked for and kept for the next run. Only its own version is pinned, not those of what it needs.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

VERSIONS = {"jupyterhub": "6.1.1", "moto": "5.2.5", "mlflow": "3.17.2"}
_EXTRAS = {"moto": "[server]"}


def programs(environments: Path, peer: str) -> Path:
    """The folder of the peer's programs, its own `python` among them."""
    environments.mkdir(mode=0o700, parents=True, exist_ok=True)
    if environments.stat().st_uid != os.getuid():
        raise SystemExit(f"{environments} belongs to somebody else; give another folder with --environments")
    folder = environments / f"{peer}-{VERSIONS[peer]}"
    done = folder / "installed"
    if not done.exists():
        _install(folder, f"{peer}{_EXTRAS.get(peer, '')}=={VERSIONS[peer]}")
        done.touch()
    return folder / "bin"


def _install(folder: Path, requirement: str) -> None:
    print(f"installing {requirement}", file=sys.stderr)
    venv.create(folder, with_pip=True, clear=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", requirement]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SystemExit(f"{requirement} could not be installed")

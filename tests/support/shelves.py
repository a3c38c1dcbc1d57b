"""Images on this machine: manifests, and environments that are real ones."""

import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import msgspec

PROGRAM = "/bin/sh"  # Where no test starts it.
ARCH = platform.machine().lower()


def put(root: Path, reference: str, /, *, text: str | None = None, **fields: Any) -> Path:
    """The directory of an image with a complete manifest, unless `fields` say otherwise; None leaves out."""
    path, _, tag = reference.rpartition(":")
    namespace, name = path.split("/")[-2:]
    directory = root / namespace / name / tag
    directory.mkdir(parents=True, exist_ok=True)
    for place in (directory, directory.parent, directory.parent.parent):
        place.chmod(0o755)
    known = {"name": name, "namespace": namespace, "tag": tag, "arch": ARCH, "python": PROGRAM}
    lines = [f"{k} = {msgspec.json.encode(v).decode()}" for k, v in (known | fields).items() if v is not None]
    manifest = directory / "image.toml"
    manifest.write_text("\n".join(lines) if text is None else text)
    manifest.chmod(0o644)
    return directory


def environment(directory: Path) -> Path:
    """A second environment at this place, which finds JupyterLab where we do; answers its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    also = directory / "lib" / version / "site-packages" / "also.pth"
    also.write_text(sysconfig.get_path("purelib") + "\n")
    return directory / "bin" / "python"

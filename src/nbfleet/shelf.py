"""Where the images of this machine stand: manifests, and the paths that lead to them.

    <root>/<namespace>/<name>/<tag>/image.toml

A reference `localhost/<namespace>/<name>:<tag>` leads to the first root that has it. Every step is opened
beneath the one before and no link is followed, so that no reference leads anywhere else; what everybody may
write is not believed, because the service runs what stands in it. This module starts nothing and knows no
database.
"""

import os
import platform
import re
import shutil
import stat
import tomllib
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from nbfleet.settings import Settings

MANIFEST = "image.toml"
HOST = "localhost"
FORM = f"{HOST}/NAMESPACE/NAME:TAG"
_REFERENCE = re.compile(
    r"(?P<host>[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)/(?P<namespace>[a-z][A-Za-z0-9._-]{0,63})/"
    r"(?P<name>[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?):(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,63})"
)
_LARGEST_MANIFEST = 64 * 1024
_ENTRIES_COUNTED = 2_000_000
_BLOCK = 512  # Of `st_blocks`, whatever the file system's own blocks are.
_KB = 1024
_Category = Literal["CPU", "GPU", "ASCEND"]
_Service = Literal["NOTEBOOK", "SSH"]
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What tells that a directory is a whole Python environment and not a part of the system.
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")


class Unusable(ValueError):
    """There is no image there, or none that can be used; the text says why, without where roots are."""


class Missing(Unusable):
    """There is no image there."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The parts of `HOST[:PORT]/NAMESPACE/NAME:TAG`, none of which can be a step upwards."""

    host: str
    namespace: str
    name: str
    tag: str

    def __str__(self) -> str:
        return f"{self.host}/{self.namespace}/{self.name}:{self.tag}"


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of image.toml. Exactly one of `python` and `root` says what runs.

    `python`: the interpreter of an environment that has JupyterLab, absolute or relative to the manifest.
    `root`: a root directory, likewise.
    """

    name: str
    namespace: str
    tag: str
    arch: Literal["x86_64", "aarch64"]
    description: Annotated[str, Meta(max_length=512)] = ""
    resource_categories: Annotated[tuple[_Category, ...], Meta(min_length=1, max_length=3)] = ("CPU",)
    dev_services: Annotated[tuple[_Service, ...], Meta(min_length=1, max_length=2)] = ("NOTEBOOK",)
    python: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """An image that is there: its directory, its manifest and the interpreter to run (None for a root)."""

    directory: Path
    manifest: Manifest
    interpreter: Path | None


def parse(text: str) -> Reference:
    """The reference in this text; raises Unusable for anything that is none."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise Unusable(f"{text!r} is not of the form HOST[:PORT]/NAMESPACE/NAME:TAG")
    return Reference(match["host"], match["namespace"], match["name"], match["tag"])


class Shelf:
    """`own` is the service's own root, whose content it may remove; `roots` are only read."""

    def __init__(self, own: Path, roots: Iterable[Path] = ()) -> None:
        self.own = own
        self._roots = (own, *roots)

    def find(self, text: str) -> Standing:
        """The image that a reference leads to, complete; raises Unusable."""
        reference = parse(text)
        if reference.host != HOST:
            raise Unusable(f"{text} is not on this machine; images here are {FORM}")
        for root in self._roots:
            try:
                with _opened(root, reference) as directory:
                    raw = _read(directory, MANIFEST)
            except FileNotFoundError:
                continue
            except OSError as fault:
                raise Unusable(f"{_shown(reference)} cannot be read: {fault.strerror}") from fault
            return _complete(root, reference, raw)
        raise Missing(f"there is no {_shown(reference)} below any image directory")

    def interpreter(self, text: str) -> Path:
        """What to run of the image, if this machine can; raises Unusable."""
        standing, here = self.find(text), platform.machine().lower()
        if standing.manifest.arch != here:
            raise Unusable(f"{text} is for {standing.manifest.arch}, and this machine is {here}")
        if standing.interpreter is None:
            raise Unusable(f"{text} is a root directory; here only an interpreter runs")
        return standing.interpreter

    def is_own(self, standing: Standing) -> bool:
        return standing.directory.is_relative_to(self.own)

    def remove(self, text: str) -> None:
        """Removes the image from the service's own root, and nothing that a link in it points to; what is
        not there is removed already."""
        reference = parse(text)
        leaving = f".deleting-{reference.tag}"
        try:
            with _opened(self.own, replace(reference, tag="")) as parent:
                _remove_tree(leaving, parent)
                # Renamed first: a directory that is only half there is never taken for an image.
                os.rename(reference.tag, leaving, src_dir_fd=parent, dst_dir_fd=parent)
                _remove_tree(leaving, parent)
        except FileNotFoundError:
            return


def size(standing: Standing) -> int:
    """Room on the disk in KB: of the image's directory, and of its environment where that stands apart."""
    places = {standing.directory}
    if standing.interpreter is not None:
        environment = standing.interpreter.parent.parent
        apart = not environment.is_relative_to(standing.directory)
        if apart and any((environment / mark).exists() for mark in _ENVIRONMENT_MARKS):
            places.add(environment)
    return sum(_blocks(place) for place in places) * _BLOCK // _KB


def of(settings: Settings) -> Shelf | None:
    """The shelf of an installation; None where nothing really runs, so that every reference is an image."""
    if settings.runtime == "simulated":
        return None
    return Shelf(Path(settings.data_dir) / "images", map(Path, settings.image_dirs))


def _shown(reference: Reference) -> str:
    return f"{reference.namespace}/{reference.name}/{reference.tag}/{MANIFEST}"


@contextmanager
def _opened(root: Path, reference: Reference) -> Generator[int]:
    """A descriptor of the directory of this reference; without a tag, of that above. No link is followed."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for step in (reference.namespace, reference.name, reference.tag):
            if not step:
                break
            below = os.open(step, _DIRECTORY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
            _check_trust(os.fstat(descriptor), step)
        yield descriptor
    finally:
        os.close(descriptor)


def _check_trust(status: os.stat_result, what: str) -> None:
    if status.st_mode & stat.S_IWOTH:
        raise Unusable(f"{what} may be written by everybody")
    if status.st_uid not in (0, os.geteuid()):
        raise Unusable(f"{what} belongs to another user")


def _read(directory: int, name: str) -> bytes:
    descriptor = os.open(name, _FILE, dir_fd=directory)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable(f"{name} is not a file")
        _check_trust(status, name)
        raw = file.read(_LARGEST_MANIFEST + 1)
    if len(raw) > _LARGEST_MANIFEST:
        raise Unusable(f"{name} is larger than {_LARGEST_MANIFEST} bytes")
    return raw


def _complete(root: Path, reference: Reference, raw: bytes) -> Standing:
    """The manifest, held against where it stands and what it names."""
    where = _shown(reference)
    manifest = _decoded(where, raw)
    for field in ("namespace", "name", "tag"):
        said, meant = getattr(manifest, field), getattr(reference, field)
        if said != meant:
            raise Unusable(f"{where}: {field} is {said!r}; where it stands it must be {meant!r}")
    if bool(manifest.python) == bool(manifest.root):
        raise Unusable(f"{where}: exactly one of python and root must be there")
    directory = root / reference.namespace / reference.name / reference.tag
    interpreter = _interpreter(where, directory, manifest.python) if manifest.python else None
    return Standing(directory, manifest, interpreter)


def _decoded(where: str, raw: bytes) -> Manifest:
    try:
        return msgspec.convert(tomllib.loads(raw.decode("utf-8")), Manifest)
    except RecursionError as fault:
        raise Unusable(f"{where} is nested too deeply") from fault
    except msgspec.ValidationError as fault:
        raise Unusable(f"{where} is incomplete or wrong: {fault}") from fault
    except ValueError as fault:  # Of the decoder, or of a number with more digits than Python takes.
        raise Unusable(f"{where} is not TOML: {fault}") from fault


def _interpreter(where: str, directory: Path, python: str) -> Path:
    """Not resolved to its end: an environment is known by the link that its interpreter usually is."""
    path = directory / python
    if "\0" in python or ".." in path.parts:
        raise Unusable(f"{where}: python is {python!r}, which may hold no step upwards")
    inside = Path(os.path.realpath(path.parent))
    if not Path(python).is_absolute() and not inside.is_relative_to(os.path.realpath(directory)):
        raise Unusable(f"{where}: python is {python!r}, which leads out of the image")
    if not path.is_file() or not os.access(path, os.X_OK):
        raise Unusable(f"{where}: python is {python!r}, which is no program that can be run")
    for place, what in ((path, "its python"), (inside, "the directory of its python")):
        _check_trust(place.stat(), f"{where}: {what}")
    return path


def _blocks(place: Path) -> int:
    """Of everything below, links not followed; a file with several names there counts once."""
    counted: set[tuple[int, int]] = set()
    blocks = entries = 0
    for parent, directories, files in os.walk(place):
        for name in (*directories, *files):
            entries += 1
            if entries > _ENTRIES_COUNTED:
                raise Unusable(f"{place} has more than {_ENTRIES_COUNTED} entries")
            try:
                status = os.lstat(os.path.join(parent, name))
            except FileNotFoundError:
                continue
            if (status.st_dev, status.st_ino) not in counted:
                counted.add((status.st_dev, status.st_ino))
                blocks += status.st_blocks
    return blocks


def _remove_tree(name: str, parent: int) -> None:
    if not shutil.rmtree.avoids_symlink_attacks:
        raise OSError("this platform cannot remove a directory safely")
    with suppress(FileNotFoundError):
        shutil.rmtree(name, dir_fd=parent)

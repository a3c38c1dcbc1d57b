"""Storage that is not the runtime's own, made visible in an instance: where it is put and how it is found.

    root/.mounts/<notebook id>/<name>       a link to a directory of a share, or a mount point
    root/.mounts/<notebook id>/<name>.at    below which part of the work volume a link to it stands
    root/.mounts/<notebook id>/<name>.log   what s3fs says

An instance sees `/data/NAME/` as the link `data/NAME` in its work volume: its file system is that of the
machine. All of it goes with a stop, so that nothing is seen that is no longer allowed. What is mounted stands
outside the files of the notebook, and is never removed as a tree: what is stored in it is not ours.
"""

import errno
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from nbfleet.domain.notebook import Step
from nbfleet.domain.storage import OBJECTS, inside, object_place, share_place
from nbfleet.runtimes.base import AttachFailed, Attachment, DeleteFailed, InstanceSpec, StartFailed
from nbfleet.runtimes.local import mounting
from nbfleet.settings import ObjectStorageSettings, ShareSettings, key_file

WORK = "work"  # The name of the attachment that is the work volume.
_DATA = "data"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Storage:
    """`work` answers the work volume of the instance's own, by notebook id."""

    def __init__(
        self,
        root: Path,
        work: Callable[[str], Path],
        shares: Sequence[ShareSettings] = (),
        objects: ObjectStorageSettings | None = None,
    ) -> None:
        self._root = root / ".mounts"
        self._own = work
        self._shares = {share.name: share for share in shares}
        self._objects = objects or ObjectStorageSettings()

    def place(self, notebook_id: str, name: str) -> Path:
        return self._root / notebook_id / name

    def work(self, spec: InstanceSpec) -> Path:
        """Where the work volume is: the instance's own directory, unless it comes from elsewhere."""
        notebook_id = spec.ref.notebook_id
        return self._own(notebook_id) if spec.work is None else self.place(notebook_id, WORK)

    def concerns(self, spec: InstanceSpec) -> bool:
        """Whether there is anything to attach, or left of what was."""
        return spec.work is not None or bool(spec.volumes) or (self._root / spec.ref.notebook_id).exists()

    def attach_all(self, spec: InstanceSpec) -> None:
        """What is there from the start on. Raises StartFailed."""
        for wanted in (*([] if spec.work is None else [spec.work]), *spec.volumes):
            try:
                self.attach(spec.ref.notebook_id, wanted)
            except AttachFailed as failure:
                raise StartFailed(Step.STORAGE, f"{wanted.mount_path}: {failure.reason}") from failure

    def attach(self, notebook_id: str, wanted: Attachment) -> None:
        place = self.place(notebook_id, wanted.name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if wanted.category in OBJECTS:
            self._mount_bucket(wanted, place)
        else:
            self._provide_share(wanted, place)
        if wanted.name != WORK:
            parts = inside(wanted.mount_path)
            if parts is None:
                raise AttachFailed(f"{wanted.mount_path} is not a directory below /data")
            _note(place).write_text(wanted.mount_path, encoding="ascii")
            _link(self._own(notebook_id), parts, place)

    def detach(self, notebook_id: str, name: str) -> None:
        place = self.place(notebook_id, name)
        _withdraw(place, lazily=False)
        _forget(self._own(notebook_id), place)

    def clear(self, notebook_id: str) -> None:
        """Takes everything away of an instance of which nothing runs."""
        base = self._root / notebook_id
        for name in _names(base):
            place = base / name
            _withdraw(place, lazily=True)
            _forget(self._own(notebook_id), place)
        with suppress(FileNotFoundError):
            base.rmdir()

    def remove(self, notebook_id: str) -> None:
        """As `clear`. Raises DeleteFailed."""
        try:
            self.clear(notebook_id)
        except (AttachFailed, OSError) as fault:
            raise DeleteFailed(f"what is mounted would not go: {fault}") from fault

    def _provide_share(self, wanted: Attachment, place: Path) -> None:
        with self._opened(wanted.source.uri) as directory:
            if not wanted.source.read_only:
                _point(place, os.readlink(f"/proc/self/fd/{directory}"))
            elif place not in mounting.points_below(place.parent):
                _mount_point(place)
                mounting.mount_read_only(directory, place)

    @contextmanager
    def _opened(self, uri: str) -> Generator[int]:
        """The directory of a share, opened part by part: no link in it leads anywhere else."""
        named = share_place(uri)
        share = None if named is None else self._shares.get(named.host)
        if named is None or share is None:
            raise AttachFailed(f"the service knows no share for {uri}")
        try:
            descriptor = os.open(share.root, _DIRECTORY)
        except OSError as fault:
            raise AttachFailed(f"the share {share.name} is not there: {fault.strerror}") from fault
        try:
            for part in named.path:
                inner = _enter(descriptor, part, share.name)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _mount_bucket(self, wanted: Attachment, place: Path) -> None:
        named, source = object_place(wanted.source.uri), wanted.source
        keys = key_file(self._objects, source.secret)
        if named is None or not self._objects.endpoint or not keys:
            raise AttachFailed("the service has no endpoint or no access keys for it")
        obstacle = mounting.obstacle_to_objects()
        if obstacle is not None:
            raise AttachFailed(f"object storage cannot be mounted: {obstacle}")
        if place in mounting.points_below(place.parent):
            if mounting.answers(place):
                return
            mounting.unmount(place, lazily=True)  # Its s3fs is gone.
        _mount_point(place)
        mounting.mount_objects(
            named.host, "/".join(named.path), place, self._objects.endpoint, keys,
            place.with_name(f"{place.name}.log"), read_only=source.read_only,
        )  # fmt: skip


def _enter(directory: int, part: str, share: str) -> int:
    try:
        return os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
    except OSError as fault:
        link = fault.errno in (errno.ELOOP, errno.ENOTDIR)
        cause = "is a link or no directory" if link else os.strerror(fault.errno or 0).lower()
        raise AttachFailed(f"{part} in the share {share}: {cause}") from fault


def _mount_point(place: Path) -> None:
    if place.is_symlink():
        place.unlink()
    place.mkdir(mode=0o700, exist_ok=True)


def _point(place: Path, target: str) -> None:
    """Makes the place a link, in one step where there is another one."""
    if place.is_symlink() and os.readlink(place) == target:
        return
    if not place.is_symlink():
        with suppress(FileNotFoundError):
            place.rmdir()
    new = place.with_name(f"{place.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(place)


def _withdraw(place: Path, *, lazily: bool) -> None:
    if place in mounting.points_below(place.parent):
        mounting.unmount(place, lazily=lazily)
    if place.is_symlink():
        place.unlink()
    else:
        with suppress(FileNotFoundError):
            place.rmdir()


def _note(place: Path) -> Path:
    return place.with_name(f"{place.name}.at")


def _names(base: Path) -> list[str]:
    """What was attached, whole or in part."""
    try:
        found = os.listdir(base)
    except FileNotFoundError:
        return []
    return sorted({name.removesuffix(".at").removesuffix(".log").removesuffix(".new") for name in found})


def _forget(work: Path, place: Path) -> None:
    """Takes the link to the place out of the work volume, and what is noted about it."""
    note = _note(place)
    with suppress(FileNotFoundError):
        _unlink(work, inside(note.read_text(encoding="ascii")) or (), place)
    for left in (note, place.with_name(f"{place.name}.log"), place.with_name(f"{place.name}.new")):
        left.unlink(missing_ok=True)


def _link(work: Path, parts: tuple[str, ...], place: Path) -> None:
    """A link in the work volume, which belongs to its owner: nothing in it is followed or replaced."""
    shown = "/".join((_DATA, *parts))
    with _parent(work, parts, make=True) as directory:
        if directory is None:
            raise AttachFailed(f"{shown} cannot be made in the work volume: something else is in its way")
        if _target(directory, parts[-1]) == str(place):
            return
        with suppress(OSError):
            os.rmdir(parts[-1], dir_fd=directory)  # An empty directory is only where it should appear.
        try:
            os.symlink(place, parts[-1], dir_fd=directory)
        except FileExistsError as fault:
            raise AttachFailed(f"{shown} in the work volume is something else already") from fault


def _unlink(work: Path, parts: tuple[str, ...], place: Path) -> None:
    if parts:
        with _parent(work, parts, make=False) as directory:
            if directory is not None and _target(directory, parts[-1]) == str(place):
                os.unlink(parts[-1], dir_fd=directory)


def _target(directory: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return None


@contextmanager
def _parent(work: Path, parts: tuple[str, ...], *, make: bool) -> Generator[int | None]:
    """The directory in the work volume that a link stands in; None where there is none."""
    descriptor = os.open(work, _DIRECTORY)
    try:
        for part in (_DATA, *parts[:-1]):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=descriptor)
            try:
                inner = os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            except OSError:
                yield None
                return
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)

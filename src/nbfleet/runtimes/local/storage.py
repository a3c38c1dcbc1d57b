"""Storage that is not the runtime's own, made visible in an instance: where it is put and how it is found.

    root/.mounts/<notebook id>/<name>       a link to a directory of a share, or a mount point
    root/.mounts/<notebook id>/<name>.at    below which part of the work volume a link to it stands
    root/.mounts/<notebook id>/<name>.log   what s3fs says
    root/.mounts/.left/<notebook id>.<name>.<any>   what was written where nothing was mounted any more

An instance sees `/data/NAME/` as the link `data/NAME` in its work volume: its file system is that of the
machine. All of it goes with a stop, so that nothing is seen that is no longer allowed. What is mounted stands
outside the files of the notebook, and is never removed as a tree: what is stored in it is not ours.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from nbfleet.domain.notebook import Step
from nbfleet.domain.storage import OBJECTS, inside, object_place, share_place
from nbfleet.runtimes.base import AttachFailed, Attachment, DeleteFailed, InstanceSpec, StartFailed
from nbfleet.runtimes.local import mounting
from nbfleet.settings import ObjectStorageSettings, ShareSettings, key_file

log = structlog.get_logger()

WORK = "work"  # The name of the attachment that is the work volume.
_DATA = "data"
_LEFT = ".left"  # Below the root; no notebook has such an id.
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
        # The kernel tells mount points without links, and they are compared with what it tells.
        self._root = Path(os.path.realpath(root / ".mounts"))
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
        """Whole or not at all."""
        place = self.place(notebook_id, wanted.name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._attach(notebook_id, wanted, place)
        except (AttachFailed, OSError):
            self._try_to_take_away(notebook_id, place)
            raise

    def _attach(self, notebook_id: str, wanted: Attachment, place: Path) -> None:
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
        self._take_away(notebook_id, self.place(notebook_id, name), lazily=False)

    def clear(self, notebook_id: str) -> None:
        """Takes everything away of an instance of which nothing runs.

        Raises AttachFailed where something is still mounted. Anything else that will not go is logged and
        left to the next start: it must not keep a stop from its end.
        """
        base = self._root / notebook_id
        faults = [self._try_to_take_away(notebook_id, base / name) for name in _names(base)]
        if still := mounting.points_below(base):
            names = ", ".join(sorted(point.name for point in still))
            raise AttachFailed(f"{names}: still mounted: {next(filter(None, faults), None)}")
        with suppress(OSError):
            base.rmdir()

    def remove(self, notebook_id: str) -> None:
        """As `clear`. Raises DeleteFailed."""
        try:
            self.clear(notebook_id)
        except (AttachFailed, OSError) as fault:
            raise DeleteFailed(f"what is mounted would not go: {fault}") from fault

    def _try_to_take_away(self, notebook_id: str, place: Path) -> Exception | None:
        """Answers why it will not go."""
        try:
            self._take_away(notebook_id, place, lazily=True)
        except (AttachFailed, OSError) as fault:
            log.warning("storage not taken away", notebook=notebook_id, name=place.name, cause=str(fault))
            return fault
        return None

    def _take_away(self, notebook_id: str, place: Path, *, lazily: bool) -> None:
        if place in mounting.points_below(place.parent):
            mounting.unmount(place, lazily=lazily)
        self._make_way(place)
        _forget(self._own(notebook_id), place)

    def _make_way(self, place: Path) -> None:
        """So that nothing is there. What somebody wrote where nothing was mounted any more is kept."""
        try:
            place.unlink() if place.is_symlink() else place.rmdir()
        except FileNotFoundError:
            return
        except OSError as fault:
            if fault.errno != errno.ENOTEMPTY:
                raise
            self._keep(place)

    def _keep(self, place: Path) -> None:
        left = self._root / _LEFT
        left.mkdir(mode=0o700, exist_ok=True)
        place.chmod(0o700)  # Nobody moves a directory that he may not write to.
        kept = place.replace(tempfile.mkdtemp(prefix=f"{place.parent.name}.{place.name}.", dir=left))
        log.warning("kept what was written where nothing was mounted any more", place=str(kept))

    @contextmanager
    def _mount_point(self, place: Path) -> Generator[None]:
        """An empty directory to mount upon. Where the mount ends by itself, nobody but root writes to it."""
        self._make_way(place)
        place.mkdir(mode=0o700)  # Whoever mounts by fusermount must be able to write to it.
        descriptor = os.open(place, _DIRECTORY)
        try:
            yield
        finally:
            os.fchmod(descriptor, 0o500)
            os.close(descriptor)

    def _provide_share(self, wanted: Attachment, place: Path) -> None:
        with self._opened(wanted.source.uri) as directory:
            if not wanted.source.read_only:
                self._point(place, os.readlink(f"/proc/self/fd/{directory}"))
            elif place not in mounting.points_below(place.parent):
                with self._mount_point(place):
                    mounting.mount_read_only(directory, place)

    def _point(self, place: Path, target: str) -> None:
        """Makes the place a link, in one step where there is another one."""
        if not place.is_symlink():
            self._make_way(place)
        elif os.readlink(place) == target:
            return
        new = place.with_name(f"{place.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(place)

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
        with self._mount_point(place):
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

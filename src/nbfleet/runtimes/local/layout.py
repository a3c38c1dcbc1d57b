"""Where the files of an instance are, who may read them, and how they go.

    root/<notebook id>/work   what the owner sees; survives stop and start
    root/<notebook id>/home   HOME, with all of Jupyter's own directories: never served
    root/<notebook id>/run    the socket
    root/<notebook id>/log    what the instance wrote, of this start and of the one before

Directories are for us alone (0700). Ids are checked against their grammar before they become part of a
path. This module knows nothing of processes.
"""

import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from nbfleet.runtimes.base import DeleteFailed, GrowFailed
from nbfleet.runtimes.local import hooks

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST_SOCKET = 100  # The kernel takes 107 bytes; some tools fewer.
_LONGEST_GENERATION = 19
_SHORT_NAME = "nbfleet-"
_SHORT_DIGITS = 20
_GB = 1024**3
_LOG_KEPT = 4 * 1024 * 1024
_LOG_READ = 256 * 1024


def is_notebook_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


class Layout:
    def __init__(self, root: Path, fleet_id: str) -> None:
        if not root.is_absolute():
            raise ValueError(f"the instance directory must be an absolute path: {root}")
        self._root = root
        self._fleet_id = fleet_id
        self._short_base = _short_base() if _too_long(root) else None

    def notebook(self, notebook_id: str) -> Path:
        if not is_notebook_id(notebook_id):
            raise ValueError(f"not a notebook id: {notebook_id!r}")
        return self._root / notebook_id

    def work(self, notebook_id: str) -> Path:
        return self.notebook(notebook_id) / "work"

    def home(self, notebook_id: str) -> Path:
        return self.notebook(notebook_id) / "home"

    def log(self, notebook_id: str) -> Path:
        return self.notebook(notebook_id) / "log" / "jupyter.log"

    def run(self, notebook_id: str) -> Path:
        return self.notebook(notebook_id) / "run"

    def socket(self, notebook_id: str, generation: int) -> Path:
        """A name of its own for each start: a late clean-up of the one before cannot take it away."""
        return self._sockets(notebook_id) / f"{generation}.sock"

    def _sockets(self, notebook_id: str) -> Path:
        """Below the notebook, or where that is too deep for a socket, below the temporary directory."""
        notebook = self.notebook(notebook_id)
        if self._short_base is None:
            return self.run(notebook_id)
        named = hashlib.sha256(f"{self._fleet_id}\0{notebook}".encode()).hexdigest()
        return self._short_base / f"{_SHORT_NAME}{named[:_SHORT_DIGITS]}"

    def prepare(self, notebook_id: str) -> None:
        """Make sure all directories exist, are real ones and are ours alone."""
        notebook = self.notebook(notebook_id)
        _own_directory(self._root)
        _own_directory(notebook)
        for name in ("work", "home", "run", "log"):
            _own_directory(notebook / name)

    def make_room_for_socket(self, notebook_id: str) -> None:
        """Only with the notebook held: else a stop at the same time takes the directory away again."""
        self.remove_sockets(notebook_id)
        if self._short_base is not None:
            _private_directory(self._sockets(notebook_id))

    def remove_sockets(self, notebook_id: str) -> None:
        """Only for a notebook of which nothing runs."""
        sockets = self._sockets(notebook_id)
        if sockets.is_symlink():
            return
        for path in sockets.glob("*.sock"):
            path.unlink(missing_ok=True)
        if self._short_base is not None:
            # Others may have put something there or own it; it is refused when it is needed again.
            with suppress(OSError):
                sockets.rmdir()

    def begin(self, notebook_id: str) -> None:
        """Makes room for a new start, of which nothing runs yet. The log before is kept, its end at least."""
        self.make_room_for_socket(notebook_id)
        hooks.forget(self.run(notebook_id))
        log = self.log(notebook_id)
        if log.exists():
            os.replace(log, log.with_suffix(".log.1"))
            _keep_end(log.with_suffix(".log.1"), _LOG_KEPT)

    def append_log(self, notebook_id: str) -> int:
        """A descriptor that writes to the end of the log."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self.log(notebook_id), flags, 0o600)

    def note(self, notebook_id: str, line: str) -> None:
        """A line of ours in the log of the instance."""
        log = self.append_log(notebook_id)
        try:
            os.write(log, f"{line}\n".encode())
        finally:
            os.close(log)

    def read_log(self, notebook_id: str) -> list[str]:
        """The lines at its end, as many as a bounded read gives."""
        try:
            data = _read_end(self.log(notebook_id), _LOG_READ)
        except OSError:
            # Missing, or replaced by something that is not a log: then there is nothing to tell from it.
            return []
        return data.decode("utf-8", "replace").splitlines()

    def lock(self, notebook_id: str) -> int | None:
        """A descriptor that holds the notebook for whoever works on its processes; None when it is held.

        A child carries it until its program is running: whoever gets the lock after a crash between the
        two finds the child by its marker.
        """
        descriptor = os.open(self.notebook(notebook_id), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return descriptor

    def check_room(self, notebook_id: str, capacity: int) -> None:
        """Whether a volume of `capacity` GB fits the disk at all: directories share it, none has a part."""
        place = self.work(notebook_id)
        while not place.exists():  # It was never started.
            place = place.parent
        total = shutil.disk_usage(place).total // _GB
        if capacity > total:
            raise GrowFailed(f"the disk of the service has {total} GB in all")

    @contextmanager
    def held_devices(self) -> Generator[None]:
        """Nobody else, in this process or another one, gives devices away meanwhile."""
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def remove(self, notebook_id: str) -> None:
        """Remove everything of the notebook, and nothing that a link in it points to."""
        try:
            notebook = self.notebook(notebook_id)
        except ValueError as error:
            raise DeleteFailed(str(error)) from None
        # Renamed first: a directory that is only half there is never taken for a notebook's.
        leaving = self._root / f".deleting-{notebook_id}"
        try:
            self.remove_sockets(notebook_id)
            _remove_tree(leaving)
            if _is_directory(notebook):
                os.rename(notebook, leaving)
                _remove_tree(leaving)
        except OSError as error:
            raise DeleteFailed(f"its files would not go: {error}") from error


def _too_long(root: Path) -> bool:
    longest = root / ("0" * 36) / "run" / ("9" * _LONGEST_GENERATION + ".sock")
    return len(os.fsencode(longest)) > _LONGEST_SOCKET


def _short_base() -> Path:
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - what is put there is verified
        longest = base / (_SHORT_NAME + "0" * _SHORT_DIGITS) / ("9" * _LONGEST_GENERATION + ".sock")
        if len(os.fsencode(longest)) <= _LONGEST_SOCKET:
            return base
    raise ValueError("no directory short enough for a unix socket")


def _own_directory(path: Path) -> None:
    """Made if missing; one that others may enter is closed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(f"{path} is not a directory of its own") from None
        if stat.S_IMODE(status.st_mode) & 0o077:
            path.chmod(0o700)


def _private_directory(path: Path) -> None:
    """Below a directory where anybody may make names: somebody else's, or an open one, is refused."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        status = path.lstat()
        sound = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        if not sound or stat.S_IMODE(status.st_mode) & 0o077:
            raise PermissionError(f"{path} is not a private directory of ours; remove it") from None


def _is_directory(path: Path) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"{path} is not a directory of its own")
    return True


def _remove_tree(path: Path) -> None:
    if not shutil.rmtree.avoids_symlink_attacks:
        raise OSError("this platform cannot remove a directory safely")
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except PermissionError:
        # Package caches make directories read-only on purpose; their owner may still open them.
        _make_writable(path)
        shutil.rmtree(path)


def _make_writable(path: Path) -> None:
    for _, _, _, descriptor in os.fwalk(path):
        os.fchmod(descriptor, 0o700)


def _read_end(path: Path, size: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        file.seek(max(0, os.fstat(descriptor).st_size - size))
        return file.read(size)


def _keep_end(path: Path, size: int) -> None:
    if path.lstat().st_size > size:
        end = _read_end(path, size)
        path.write_bytes(end)

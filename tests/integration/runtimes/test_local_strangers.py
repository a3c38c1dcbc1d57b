"""What is not ours is neither adopted, nor signalled, nor removed."""

import asyncio
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbfleet.runtimes.base import DeleteFailed, InstanceRef, Observation, Presence
from nbfleet.runtimes.local import LocalRuntime, processes
from nbfleet.runtimes.local.handle import Handle
from nbfleet.runtimes.local.layout import Layout
from nbfleet.runtimes.local.processes import Marker, Process
from support.local_instances import new_fleet, new_spec, observe, pid_of, runs, start, with_notes

SOME = "21caceca-0000-4000-8000-000000000121"


@pytest.fixture
def stranger() -> Iterator[int]:
    with subprocess.Popen(["sleep", "600"]) as child:
        yield child.pid
        child.kill()


def test_notes_whose_pid_belongs_to_a_stranger_now(tmp_path: Path, stranger: int) -> None:
    fleet = new_fleet()
    runtime = LocalRuntime(tmp_path, fleet)
    marker = Marker(fleet, str(uuid.uuid4()), 1)
    began = processes.began(stranger)
    assert began is not None
    handle = Handle.of(Process(stranger, began, marker), str(tmp_path / "1.sock"))
    ref = InstanceRef(marker.notebook_id, 1, handle.encode())
    # Even the moment it began agrees: the marker alone tells that it is another one.
    assert observe(runtime, ref) == [Observation(Presence.EXITED, reason="ended, exit status unknown")]
    asyncio.run(runtime.stop(ref))
    assert runs(stranger)
    _, real = start(runtime, new_spec(ref.notebook_id, 1, ref.handle))
    wrong_moment = with_notes(real, began=began - 1, pid=stranger)
    assert pid_of(real) != stranger
    assert observe(runtime, wrong_moment)[0].presence is Presence.READY  # Found by its marker instead.
    asyncio.run(runtime.stop(wrong_moment))
    assert (runs(stranger), runs(pid_of(real))) == (True, False)
    observe(runtime, real)


def test_notes_about_another_notebook_are_not_believed(tmp_path: Path) -> None:
    mine, other = Marker("fleet", str(uuid.uuid4()), 1), Marker("fleet", str(uuid.uuid4()), 1)
    notes = Handle.of(Process(os.getpid(), 1, other), "/nowhere").encode()
    assert (Handle.decode(notes, mine), Handle.decode(notes, other) is not None) == (None, True)


def test_two_fleets_on_one_machine_do_not_see_each_other(tmp_path: Path) -> None:
    notebook_id = str(uuid.uuid4())
    fleet = new_fleet()
    # The name of one begins with the name of the other.
    one, two = LocalRuntime(tmp_path / "one", fleet), LocalRuntime(tmp_path / "two", f"{fleet}2")
    _, ours = start(one, new_spec(notebook_id))
    _, theirs = start(two, new_spec(notebook_id))
    assert [asyncio.run(runtime.inventory()) for runtime in (one, two)] == [[ours], [theirs]]
    assert (
        observe(one, theirs)[0].endpoint == observe(one, ours)[0].endpoint
    )  # Their notes mean nothing here.
    asyncio.run(one.stop(theirs))
    assert (runs(pid_of(ours)), runs(pid_of(theirs))) == (False, True)
    with pytest.raises(DeleteFailed, match="still running"):
        asyncio.run(two.delete(theirs))
    asyncio.run(two.stop(theirs))
    asyncio.run(two.delete(theirs))
    assert [path.exists() for path in (tmp_path / "one" / notebook_id, tmp_path / "two" / notebook_id)] == [
        True,
        False,
    ]


def test_delete_takes_its_own_directory_and_nothing_a_link_points_to(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    layout, runtime = Layout(root, "fleet"), LocalRuntime(root, "fleet")
    mine, other = str(uuid.uuid4()), str(uuid.uuid4())
    layout.prepare(mine)
    layout.prepare(other)
    outside.mkdir()
    (outside / "precious").write_text("kept")
    (layout.work(mine) / "link").symlink_to(outside)
    (layout.work(mine) / "closed").mkdir(mode=0o500)
    (root / f".deleting-{mine}").mkdir()  # Left by a delete that was cut off.
    asyncio.run(runtime.delete(InstanceRef(mine, 1)))
    asyncio.run(runtime.delete(InstanceRef(mine, 1)))
    assert [path.name for path in root.iterdir()] == [other]
    assert (outside / "precious").read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_delete_opens_what_its_owner_had_closed() -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        os.chown(name, nobody, nobody)
        notebook_id = str(uuid.uuid4())
        os.seteuid(nobody)
        try:
            layout = Layout(Path(name), "fleet")
            layout.prepare(notebook_id)
            cache = layout.work(notebook_id) / "cache"
            cache.mkdir()
            (cache / "module").write_text("")
            cache.chmod(0o500)
            layout.remove(notebook_id)
            assert list(Path(name).iterdir()) == []
        finally:
            os.seteuid(0)


@pytest.mark.parametrize("notebook_id", ["", "..", "../outside", "x" * 36, f"{SOME}/work", f"{SOME}\n"])
def test_delete_refuses_what_is_not_an_id(tmp_path: Path, notebook_id: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(DeleteFailed, match="not a notebook id"):
        asyncio.run(LocalRuntime(tmp_path / "root", "fleet").delete(InstanceRef(notebook_id, 1)))
    assert outside.exists()


def test_delete_does_not_follow_a_notebook_that_is_a_link(tmp_path: Path) -> None:
    notebook_id = str(uuid.uuid4())
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / notebook_id).symlink_to(outside)
    with pytest.raises(DeleteFailed):
        asyncio.run(LocalRuntime(root, "fleet").delete(InstanceRef(notebook_id, 1)))
    assert outside.exists()


def test_a_socket_directory_that_is_a_link_or_open_is_refused(tmp_path: Path) -> None:
    layout = Layout(tmp_path / ("long" * 25), "fleet")
    notebook_id = str(uuid.uuid4())
    victim = tmp_path / "9.sock"
    victim.write_text("kept")
    directory = layout.socket(notebook_id, 1).parent
    directory.symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        layout.make_room_for_socket(notebook_id)
    directory.unlink()
    directory.mkdir(mode=0o755)
    (directory / "foreign").write_text("")
    with pytest.raises(PermissionError):
        layout.make_room_for_socket(notebook_id)
    (directory / "foreign").unlink()
    layout.make_room_for_socket(notebook_id)
    assert (directory.stat().st_mode & 0o777, victim.read_text()) == (0o700, "kept")
    layout.remove_sockets(notebook_id)
    assert not directory.exists()


@pytest.mark.parametrize("fleet_id", ["", "a:b", "a b", "x" * 65])
def test_a_fleet_id_that_could_pass_for_another(tmp_path: Path, fleet_id: str) -> None:
    with pytest.raises(ValueError, match="fleet id"):
        LocalRuntime(tmp_path, fleet_id)

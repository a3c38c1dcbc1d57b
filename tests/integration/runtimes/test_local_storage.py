"""Where storage of one's own is put in an instance, how it goes again, and what is never touched."""

import os
from pathlib import Path

import pytest

from nbfleet.domain.storage import Source
from nbfleet.runtimes.base import AttachFailed, Attachment
from nbfleet.runtimes.local import mounting
from nbfleet.runtimes.local.storage import Storage
from nbfleet.settings import ShareSettings

NOTEBOOK = "7d9069fb-6058-4e69-b76d-000000000001"
may_mount = pytest.mark.skipif(
    mounting.obstacle_to_mounting() is not None, reason="the tests may not mount here"
)


class Yard:
    """A share with a file in it, and the work volume of one instance."""

    def __init__(self, directory: Path) -> None:
        self.root, self.share = directory / "instances", directory / "share"
        self.work = self.root / NOTEBOOK / "work"
        self.work.mkdir(parents=True)
        (self.share / "a" / "b").mkdir(parents=True)
        (self.share / "a" / "cat.txt").write_text("a cat")
        self.base = self.root / ".mounts" / NOTEBOOK
        self.storage = self.with_shares(ShareSettings(name="sets", root=str(self.share)))

    def with_shares(self, *shares: ShareSettings) -> Storage:
        return Storage(self.root, lambda _: self.work, shares)

    def attach(self, uri: str = "sets:/a", path: str = "/data/x/", name: str = "one", **source: bool) -> None:
        self.storage.attach(NOTEBOOK, Attachment(name, "EFS", path, Source(uri, **source)))

    def refusal(self, uri: str = "sets:/a", path: str = "/data/x/") -> str:
        with pytest.raises(AttachFailed) as failed:
            self.attach(uri, path)
        return failed.value.reason

    def seen(self, path: str = "x") -> list[str]:
        return sorted(os.listdir(self.work / "data" / path))

    def left(self) -> list[str]:
        """What is still there of what was attached."""
        return sorted(os.listdir(self.base)) if self.base.exists() else []


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def test_a_share_is_seen_and_goes_again_however_often_that_is_asked_for(yard: Yard) -> None:
    for _ in range(2):
        yard.attach()
        assert yard.seen() == ["b", "cat.txt"]
    yard.attach("sets:/", "/data/y/z/", "two")
    assert yard.seen("y/z") == ["a"]
    for _ in range(2):
        yard.storage.detach(NOTEBOOK, "one")
        assert yard.seen(".") == ["y"]
    for _ in range(2):
        yard.storage.clear(NOTEBOOK)
        assert (yard.seen("y"), yard.left()) == ([], [])
    assert (yard.share / "a" / "cat.txt").read_text() == "a cat"


@pytest.mark.parametrize("half", ["place", "note", "link", "new"])
def test_what_a_service_left_half_done_is_finished_or_cleared(yard: Yard, half: str) -> None:
    yard.base.mkdir(parents=True)
    if half == "new":
        (yard.base / "one.new").symlink_to("/nowhere")
    if half in ("place", "link"):
        (yard.base / "one").symlink_to(yard.share / "a")
    if half in ("note", "link"):
        (yard.base / "one.at").write_text("/data/x/")
    if half == "link":
        (yard.work / "data").mkdir()
        (yard.work / "data" / "x").symlink_to(yard.base / "one")
    yard.attach()
    assert yard.seen() == ["b", "cat.txt"]
    yard.storage.clear(NOTEBOOK)
    assert (yard.left(), yard.seen(".")) == ([], [])


def test_an_empty_directory_makes_room_and_anything_else_stays(yard: Yard) -> None:
    data = yard.work / "data"
    (data / "empty").mkdir(parents=True)
    (data / "full").mkdir()
    (data / "full" / "mine.txt").write_text("mine")
    (data / "file").write_text("mine")
    (data / "link").symlink_to(yard.share)
    yard.attach(path="/data/empty/")
    assert yard.seen("empty") == ["b", "cat.txt"]
    for name in ("full", "file", "link"):
        told = f"data/{name} in the work volume is something else already"
        assert yard.refusal(path=f"/data/{name}/") == told
        yard.storage.detach(NOTEBOOK, "one")
    for name in ("file", "link"):
        told = f"data/{name}/x cannot be made in the work volume: something else is in its way"
        assert yard.refusal(path=f"/data/{name}/x/") == told
    yard.storage.clear(NOTEBOOK)
    assert (data / "full" / "mine.txt").read_text() == "mine"
    assert (data / "file").read_text() == "mine"
    assert os.readlink(data / "link") == str(yard.share)
    assert sorted(os.listdir(yard.share)) == ["a"]


def test_what_the_owner_put_in_place_of_a_link_is_left_alone(yard: Yard) -> None:
    yard.attach()
    link = yard.work / "data" / "x"
    link.unlink()
    link.write_text("mine")
    yard.storage.detach(NOTEBOOK, "one")
    assert (link.read_text(), yard.left()) == ("mine", [])


def test_no_part_of_a_path_in_a_share_may_be_a_link(yard: Yard, tmp_path: Path) -> None:
    (yard.share / "out").symlink_to(tmp_path)
    (yard.share / "in").symlink_to(yard.share / "a")
    (yard.share / "a" / "up").symlink_to("..")
    for uri, part in (
        ("sets:/out", "out"),
        ("sets:/in/b", "in"),
        ("sets:/a/up/a", "up"),
        ("sets:/a/cat.txt", "cat.txt"),
    ):
        assert yard.refusal(uri) == f"{part} in the share sets: is a link or no directory"
    assert yard.refusal("sets:/a/no") == "no in the share sets: no such file or directory"
    assert yard.refusal("other:/a") == "the service knows no share for other:/a"
    yard.storage = yard.with_shares(ShareSettings(name="sets", root=str(tmp_path / "gone")))
    assert yard.refusal() == "the share sets is not there: No such file or directory"
    assert not (yard.work / "data").exists()


def test_a_share_that_is_elsewhere_now_is_seen_there(yard: Yard, tmp_path: Path) -> None:
    yard.attach()
    (tmp_path / "moved" / "a" / "new").mkdir(parents=True)
    yard.storage = yard.with_shares(ShareSettings(name="sets", root=str(tmp_path / "moved")))
    yard.attach()
    assert yard.seen() == ["new"]


@may_mount
def test_a_read_only_share_cannot_be_written_to(yard: Yard) -> None:
    for _ in range(2):
        yard.attach(read_only=True)
    assert mounting.points_below(yard.root).keys() == {yard.base / "one"}
    with pytest.raises(OSError, match="Read-only file system"):
        (yard.work / "data" / "x" / "new.txt").write_text("x")
    with (yard.work / "data" / "x" / "cat.txt").open():
        with pytest.raises(AttachFailed, match="something of the instance still uses it"):
            yard.storage.detach(NOTEBOOK, "one")
        assert yard.seen() == ["b", "cat.txt"]
    yard.storage.detach(NOTEBOOK, "one")
    assert (mounting.points_below(yard.root), yard.left(), yard.seen(".")) == ({}, [], [])
    assert (yard.share / "a" / "cat.txt").read_text() == "a cat"


@may_mount
def test_a_stop_ends_what_is_still_in_use(yard: Yard) -> None:
    yard.attach(read_only=True)
    with (yard.work / "data" / "x" / "cat.txt").open() as file:
        yard.storage.clear(NOTEBOOK)
        assert (mounting.points_below(yard.root), yard.left()) == ({}, [])
        assert file.read() == "a cat"


@may_mount
def test_the_way_to_the_instances_may_lead_over_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to("disk")
    yard = Yard(tmp_path / "data")
    for _ in range(2):
        yard.attach(read_only=True)
        yard.attach(path="/data/y/", name="two")
    assert (yard.seen(), yard.seen("y")) == (["b", "cat.txt"], ["b", "cat.txt"])
    at = tmp_path / "disk" / "instances" / ".mounts" / NOTEBOOK
    assert mounting.points_below(tmp_path).keys() == {at / "one"}
    yard.storage.detach(NOTEBOOK, "one")
    assert (mounting.points_below(tmp_path), yard.left()) == ({}, ["two", "two.at"])
    yard.attach(read_only=True)
    yard.storage.clear(NOTEBOOK)
    assert (mounting.points_below(tmp_path), yard.left(), yard.seen(".")) == ({}, [], [])


@may_mount
@pytest.mark.parametrize("way", ["detach", "clear", "attach read-only", "attach"])
def test_what_is_written_where_a_mount_has_ended_is_kept_and_in_nobodys_way(yard: Yard, way: str) -> None:
    yard.attach(read_only=True)
    yard.attach(path="/data/y/", name="two")
    mounting.unmount(yard.base / "one")  # As where its s3fs ends.
    assert (yard.base / "one").stat().st_mode & 0o777 == 0o500
    (yard.work / "data" / "x" / "mine.txt").write_text("mine")
    if way == "detach":
        yard.storage.detach(NOTEBOOK, "one")
        assert yard.left() == ["two", "two.at"]
    elif way == "clear":
        yard.storage.clear(NOTEBOOK)
        assert (yard.left(), yard.seen(".")) == ([], [])
    else:
        yard.attach(read_only=way == "attach read-only")
        assert yard.seen() == ["b", "cat.txt"]
    (kept,) = (yard.root / ".mounts" / ".left").iterdir()
    assert kept.name.startswith(f"{NOTEBOOK}.one.")
    assert {path.name: path.read_text() for path in kept.iterdir()} == {"mine.txt": "mine"}
    yard.storage.remove(NOTEBOOK)
    assert (mounting.points_below(yard.root), yard.left(), kept.exists()) == ({}, [], True)


def test_what_will_not_go_keeps_nothing_else_and_no_stop(yard: Yard) -> None:
    for name in ("one", "two"):
        yard.attach(path=f"/data/{name}/", name=name)
    (yard.base / "one").unlink()
    (yard.base / "one").write_text("no directory and no link")
    yard.storage.clear(NOTEBOOK)
    assert (yard.left(), yard.seen(".")) == (["one", "one.at"], ["one"])
    (yard.base / "one").unlink()
    yard.storage.clear(NOTEBOOK)
    assert (yard.left(), yard.seen(".")) == ([], [])


@may_mount
def test_what_cannot_be_shown_is_not_mounted(yard: Yard) -> None:
    (yard.work / "data").mkdir()
    (yard.work / "data" / "x").write_text("mine")
    with pytest.raises(AttachFailed) as failed:
        yard.attach(read_only=True)
    assert failed.value.reason == "data/x in the work volume is something else already"
    assert (mounting.points_below(yard.root), yard.left()) == ({}, [])
    assert (yard.work / "data" / "x").read_text() == "mine"

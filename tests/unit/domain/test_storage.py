"""How storage is named, which mount paths stand in each other's way, and the life of a mount."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.domain import storage
from nbfleet.domain.storage import Mount, MountEvent, MountStatus, Place, Source, moved

MOUNT = Mount("id", "notebook", "EFS", "/data/a/", Source("share:/"), MountStatus.MOUNTING, 1, 1)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("data:/", Place("data", ())),
        ("data.example:/a/b/", Place("data.example", ("a", "b"))),
        ("data:/a b/ü", Place("data", ("a b", "ü"))),
        *(
            (uri, None)
            for uri in (
                "",
                "data",
                "data:",
                "data:a",
                ":/a",
                "data:/a/../b",
                "data:/a/./b",
                "data:/a//b",
                "da/ta:/a",
                "data:/a\n",
                "data:/a\0b",
                "-data:/a",
                "obs://bucket/a/",
            )
        ),
    ],
)
def test_a_directory_of_a_share(uri: str, place: Place | None) -> None:
    assert storage.share_place(uri) == place


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("obs://team-bucket/a/", Place("team-bucket", ("a",))),
        ("obs://b.1/a/b c/", Place("b.1", ("a", "b c"))),
        *(
            (uri, None)
            for uri in (
                "",
                "obs://",
                "obs://bucket",
                "obs://bucket/",
                "obs://bucket/a",
                "obs://bucket//",
                "obs://bucket/a//",
                "obs://bucket/../a/",
                "obs://Bucket/a/",
                "obs://b/a/",
                "s3://bucket/a/",
                "obs://bucket/a/\n",
                "obs://-bb/a/",
                "obs://bucket/a/./",
            )
        ),
    ],
)
def test_a_directory_of_a_bucket(uri: str, place: Place | None) -> None:
    assert storage.object_place(uri) == place


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/data/a/", ("a",)),
        ("/data/a", ("a",)),
        ("/data/a/b-c/D_1/", ("a", "b-c", "D_1")),
        *(
            (path, None)
            for path in (
                "",
                "/data",
                "/data/",
                "/data//",
                "/data//a",
                "/data/a//",
                "/data/../a",
                "/cache/",
                "data/a",
                "/data/a\n",
                "/data/ü",
                "/database/a",
            )
        ),
    ],
)
def test_a_mount_path(path: str, parts: tuple[str, ...] | None) -> None:
    assert storage.inside(path) == parts


_PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(lambda parts: "/data/" + "/".join(parts))


@given(wanted=_PATHS, other=_PATHS)
def test_paths_clash_where_one_is_in_the_other(wanted: str, other: str) -> None:
    longer, shorter = f"{wanted}/", f"{other}/"
    clashes = longer.startswith(shorter) or shorter.startswith(longer)
    assert storage.clash(wanted, [other]) == (other if clashes else None)


def test_the_life_of_a_mount() -> None:
    table = {
        (status, event): changed.status
        for status, event in itertools.product(MountStatus, MountEvent)
        if (changed := moved(_in(status), event, 2, "why")) is not None
    }
    assert table == storage.MOUNT_TRANSITIONS
    refused = [status for status in MountStatus if moved(_in(status), MountEvent.DETACH, 2) is None]
    assert refused == [MountStatus.MOUNTING]


def test_what_changes_tells_when_and_why_and_what_does_not_stays() -> None:
    failed = moved(MOUNT, MountEvent.MOUNT_FAILED, 5, "gone")
    assert failed is not None
    assert (failed.update_at, failed.failure_reason) == (5, "gone")
    again = moved(failed, MountEvent.RESTART, 6)
    assert again is not None
    assert (again.status, again.update_at, again.failure_reason) == (MountStatus.MOUNTING, 6, None)
    assert moved(MOUNT, MountEvent.RESTART, 9) == MOUNT


def _in(status: MountStatus) -> Mount:
    return Mount("id", "notebook", "EFS", "/data/a/", Source("share:/"), status, 1, 1)

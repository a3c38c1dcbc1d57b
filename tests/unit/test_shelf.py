"""Which images are found, and that no reference, link or manifest leads anywhere else."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet import shelf
from nbfleet.settings import Settings
from nbfleet.shelf import Manifest, Missing, Reference, Shelf, Unusable
from support.shelves import ARCH, PROGRAM, put

PATH = "localhost/team-a/torch:2.1"
WHERE = "team-a/torch/2.1/image.toml"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (PATH, ("localhost", "team-a", "torch", "2.1")),
        ("registry.example:5000/t/a.b-c_d:V1_x", ("registry.example:5000", "t", "a.b-c_d", "V1_x")),
    ],
)
def test_references(text: str, parts: tuple[str, str, str, str]) -> None:
    assert shelf.parse(text) == Reference(*parts)
    assert str(shelf.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost", "localhost/a", "localhost/a/b", "a/b:1", "localhost/a/b:", "localhost/a/:1",
        "localhost//b:1", "localhost/a/b/c:1", "localhost/../b:1", "localhost/a/..:1", "localhost/a/b:..",
        "localhost/a/b:.", "localhost/a/.b:1", "localhost/a/b:.1", "localhost/a/b:-1", "localhost/A/b:1",
        "localhost/a/B:1", "localhost/a/b:1/../../x", "localhost/a/b:1\n", "\nlocalhost/a/b:1",
        "localhost/a/b:1\0", "localhost/a/b:1 ", "/localhost/a/b:1", "localhost/a%2f/b:1", "localhost/ä/b:1",
        "http://localhost/a/b:1", "localhost:x/a/b:1", "localhost/a/b:" + "1" * 65, "localhost/a/b@sha256:1",
        "localhost/" + "a" * 65 + "/b:1", "localhost/a/" + "b" * 129 + ":1", "localhost/a/b-:1",
    ],
)  # fmt: skip
def test_what_is_no_reference(text: str, tmp_path: Path) -> None:
    with pytest.raises(Unusable):
        Shelf(tmp_path).find(text)


@given(st.text(alphabet="abA1._-/:\0\\ é", max_size=40))
def test_no_reference_has_a_step_upwards(text: str) -> None:
    try:
        found = shelf.parse(text)
    except Unusable:
        return
    assert not {found.namespace, found.name, found.tag} & {"", ".", ".."}
    assert not any(sign in part for part in (found.namespace, found.name, found.tag) for sign in "/\0")


def test_an_image_is_found_in_the_first_root_that_has_it(tmp_path: Path) -> None:
    own, first, second = (tmp_path / name for name in ("own", "first", "second"))
    put(first, PATH, description="first")
    put(second, PATH, description="second")
    place = Shelf(own, [first, second])
    found = place.find(PATH)
    assert found.manifest == Manifest(
        name="torch", namespace="team-a", tag="2.1", arch=ARCH, description="first", python=PROGRAM
    )
    assert (found.directory, found.interpreter) == (first / "team-a/torch/2.1", Path(PROGRAM))
    assert not place.is_own(found)
    put(own, PATH)
    assert place.is_own(place.find(PATH))


def test_what_a_manifest_may_say_besides(tmp_path: Path) -> None:
    fields = {
        "resource_categories": ["GPU", "CPU"],
        "dev_services": ["SSH"],
        "python": None,
        "root": "rootfs",
    }
    put(tmp_path, PATH, **fields)
    found = Shelf(tmp_path).find(PATH)
    assert (found.manifest.resource_categories, found.manifest.dev_services) == (("GPU", "CPU"), ("SSH",))
    assert (found.manifest.root, found.interpreter) == ("rootfs", None)


def test_what_is_not_there_is_missing(tmp_path: Path) -> None:
    for place in (Shelf(tmp_path / "none"), Shelf(tmp_path)):
        with pytest.raises(Missing) as caught:
            place.find(PATH)
        assert str(caught.value) == f"there is no {WHERE} below any image directory"
    (tmp_path / "team-a/torch/2.1").mkdir(parents=True)
    with pytest.raises(Missing):
        Shelf(tmp_path).find(PATH)
    put(tmp_path, PATH)
    with pytest.raises(Unusable) as other:
        Shelf(tmp_path).find("registry.example/team-a/torch:2.1")
    reason = "is not on this machine; images here are localhost/NAMESPACE/NAME:TAG"
    assert str(other.value) == f"registry.example/team-a/torch:2.1 {reason}"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": None}, "is incomplete or wrong: Object missing required field `name`"),
        ({"arch": None}, "is incomplete or wrong: Object missing required field `arch`"),
        ({"arch": "sparc"}, "is incomplete or wrong: Invalid enum value 'sparc' - at `$.arch`"),
        ({"tag": "2.2"}, ": tag is '2.2'; where it stands it must be '2.1'"),
        ({"namespace": "team-b"}, ": namespace is 'team-b'; where it stands it must be 'team-a'"),
        ({"python": None}, ": exactly one of python and root must be there"),
        ({"root": "/r"}, ": exactly one of python and root must be there"),
        ({"size": 1}, "is incomplete or wrong: Object contains unknown field `size`"),
        ({"dev_services": ["WEB_IDE"]}, "Invalid enum value 'WEB_IDE'"),
        ({"resource_categories": []}, "Expected `array` of length"),
        ({"description": "x" * 513}, "Expected `str` of length <= 512"),
        ({"python": "env/bin/python"}, "which is no program that can be run"),
        ({"python": "../../../../bin/sh"}, "which may hold no step upwards"),
        ({"python": "/usr/../bin/sh"}, "which may hold no step upwards"),
        ({"python": __file__}, "which is no program that can be run"),
        ({"python": "/usr"}, "which is no program that can be run"),
        ({"text": "name = "}, "is not TOML"),
        ({"text": "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")}, "is not TOML"),
        ({"text": "#" * 70_000}, "is larger than 65536 bytes"),
        ({"text": "a = " + "[" * 60_000}, "is nested too deeply"),
        ({"text": "a = " + "{a=" * 20_000}, "is nested too deeply"),
        ({"text": "a = " + "1" * 60_000}, "is not TOML: Exceeds the limit"),
        ({"text": "a = 2026-99-99"}, "is not TOML"),
    ],
)
def test_incomplete_manifests(fields: dict[str, object], reason: str, tmp_path: Path) -> None:
    put(tmp_path, PATH, **fields)
    with pytest.raises(Unusable) as caught:
        Shelf(tmp_path).find(PATH)
    assert reason in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_relative_interpreter_stays_inside_but_may_be_a_link_itself(tmp_path: Path) -> None:
    directory = put(tmp_path, PATH, python="env/bin/python")
    (directory / "env/bin").mkdir(parents=True)
    (directory / "env/bin/python").symlink_to(sys.executable)
    assert Shelf(tmp_path).find(PATH).interpreter == directory / "env/bin/python"
    (directory / "env").rename(tmp_path / "elsewhere")
    (directory / "env").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unusable, match="leads out of the image"):
        Shelf(tmp_path).find(PATH)


@pytest.mark.parametrize("step", ["team-a", "team-a/torch", "team-a/torch/2.1", WHERE])
def test_no_link_is_followed_below_a_root(step: str, tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    put(root, PATH)
    os.rename(root / step, elsewhere)
    (root / step).symlink_to(elsewhere)
    with pytest.raises(Unusable, match="cannot be read") as caught:
        Shelf(root).find(PATH)
    assert not isinstance(caught.value, Missing)


@pytest.mark.parametrize("step", ["team-a", "team-a/torch", "team-a/torch/2.1", WHERE])
def test_what_everybody_may_write_is_not_believed(step: str, tmp_path: Path) -> None:
    put(tmp_path, PATH)
    (tmp_path / step).chmod(0o777)
    with pytest.raises(Unusable, match="may be written by everybody"):
        Shelf(tmp_path).find(PATH)


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away needs root")
def test_what_belongs_to_somebody_else_is_not_believed(tmp_path: Path) -> None:
    os.chown(put(tmp_path, PATH), 65534, 65534)
    with pytest.raises(Unusable, match=r"2\.1 belongs to another user"):
        Shelf(tmp_path).find(PATH)


@pytest.mark.parametrize(
    ("step", "what"), [("env/bin/python", "its python"), ("env/bin", "the directory of its python")]
)
def test_an_interpreter_that_others_may_change_is_not_run(step: str, what: str, tmp_path: Path) -> None:
    directory = put(tmp_path, PATH, python="env/bin/python")
    program = directory / "env/bin/python"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert Shelf(tmp_path).find(PATH).interpreter == program
    (directory / step).chmod(0o777)
    with pytest.raises(Unusable) as caught:
        Shelf(tmp_path).find(PATH)
    assert str(caught.value) == f"{WHERE}: {what} may be written by everybody"
    (directory / step).chmod(0o755)
    if os.geteuid() == 0:
        os.chown(directory / step, 65534, 65534)
        with pytest.raises(Unusable, match=f"{what} belongs to another user"):
            Shelf(tmp_path).find(PATH)


def test_a_manifest_that_is_no_file(tmp_path: Path) -> None:
    manifest = put(tmp_path, PATH) / "image.toml"
    manifest.unlink()
    os.mkfifo(manifest, 0o644)
    with pytest.raises(Unusable, match="is not a file"):
        Shelf(tmp_path).find(PATH)


def test_removal_takes_the_image_and_nothing_that_a_link_in_it_points_to(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    directory = put(own, PATH)
    (other / "kept").mkdir(parents=True)
    (directory / "link").symlink_to(other)
    put(own, "localhost/team-a/torch:2.2")
    put(other, PATH)
    place = Shelf(own, [other])
    for _ in range(2):  # What is gone already is no fault.
        place.remove(PATH)
        assert sorted(path.name for path in (own / "team-a/torch").iterdir()) == ["2.2"]
    assert (other / "kept").is_dir()
    assert place.find(PATH).directory == other / "team-a/torch/2.1"


def test_a_removal_that_was_broken_off_is_finished(tmp_path: Path) -> None:
    directory = put(tmp_path, PATH)
    directory.rename(directory.with_name(".deleting-2.1"))
    put(tmp_path, PATH)
    Shelf(tmp_path).remove(PATH)
    assert list((tmp_path / "team-a/torch").iterdir()) == []


def test_size_counts_the_image_and_the_environment_it_names(tmp_path: Path) -> None:
    apart = tmp_path / "apart"
    (apart / "bin").mkdir(parents=True)
    (apart / "bin/python").symlink_to(sys.executable)
    (apart / "big").write_bytes(b"x" * 1_000_000)
    os.link(apart / "big", apart / "same")
    directory = put(tmp_path / "root", PATH, python=str(apart / "bin/python"))
    (directory / "data").write_bytes(b"x" * 500_000)
    standing = Shelf(tmp_path / "root").find(PATH)
    assert 488 <= shelf.size(standing) <= 520  # KB; blocks are counted, not bytes.
    (apart / "pyvenv.cfg").touch()
    assert 1464 <= shelf.size(standing) <= 1520


def test_the_shelf_of_an_installation(tmp_path: Path) -> None:
    more = tmp_path / "more"
    put(more, PATH)
    settings = Settings(data_dir=str(tmp_path), image_dirs=[str(more)])
    made = shelf.of(settings)
    assert made is not None
    assert (made.own, made.find(PATH).directory) == (tmp_path / "images", more / "team-a/torch/2.1")
    assert shelf.of(Settings(data_dir=str(tmp_path), runtime="simulated")) is None

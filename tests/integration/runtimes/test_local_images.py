"""What the local runtime makes of a reference: the interpreter that stands there now, or a reason."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from nbfleet.domain.notebook import Step
from nbfleet.runtimes.base import StartFailed
from nbfleet.runtimes.local import LocalRuntime
from nbfleet.shelf import Shelf
from support.local_instances import execute, new_fleet, new_spec, start
from support.shelves import ARCH, environment, put

PATH = "localhost/team-a/torch:1"
OTHER_ARCH = "aarch64" if ARCH == "x86_64" else "x86_64"


def fails(runtime: LocalRuntime, path: str) -> tuple[Step, str]:
    with pytest.raises(StartFailed) as caught:
        start(runtime, replace(new_spec(), image_path=path))
    return caught.value.step, caught.value.reason


def test_what_cannot_run_is_a_reason_and_no_process(tmp_path: Path) -> None:
    shelf, root = tmp_path / "images", tmp_path / "instances"
    runtime = LocalRuntime(root, new_fleet(), images=Shelf(shelf))
    cannot = "its process cannot be started: "
    missing = f"{cannot}there is no team-a/torch/1/image.toml below any image directory"
    assert fails(runtime, PATH) == (Step.COMPUTE, missing)
    put(shelf, PATH, arch=OTHER_ARCH)
    other = f"{cannot}{PATH} is for {OTHER_ARCH}, and this machine is {ARCH}"
    assert fails(runtime, PATH) == (Step.COMPUTE, other)
    put(shelf, PATH, python=None, root="rootfs")
    rooted = f"{cannot}{PATH} is a root directory; here only an interpreter runs"
    assert fails(runtime, PATH) == (Step.COMPUTE, rooted)
    nowhere = LocalRuntime(root, new_fleet())
    assert fails(nowhere, PATH) == (
        Step.COMPUTE, f"{cannot}there is no place for images, so {PATH} cannot be found",
    )  # fmt: skip


def test_what_the_manifest_says_when_it_starts_is_what_runs(tmp_path: Path) -> None:
    shelf = tmp_path / "images"
    runtime = LocalRuntime(tmp_path / "instances", new_fleet(), images=Shelf(shelf))
    directory = put(shelf, PATH, python="env/bin/python")
    environment(directory / "env")
    spec = replace(new_spec(), image_path=PATH)
    _, ref = start(runtime, spec)
    try:
        told = tmp_path / "told"
        execute(ref, spec, f"import sys; open({str(told)!r}, 'w').write(sys.prefix)")
        assert told.read_text() == str(directory / "env")
    finally:
        asyncio.run(runtime.stop(ref))

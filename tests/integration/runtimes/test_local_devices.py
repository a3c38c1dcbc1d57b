"""Devices that one instance has to itself: given once, told to whoever has them, free again afterwards."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbfleet.domain.notebook import Step
from nbfleet.runtimes.base import InstanceSpec, StartFailed
from nbfleet.runtimes.local import LocalRuntime, machine
from support.local_instances import execute, new_fleet, new_spec, start

NAMES = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "ASCEND_RT_VISIBLE_DEVICES", "NBFLEET_DEVICES")
TELL = f"import os; open('told', 'w').write(str([os.environ.get(name) for name in {NAMES}]))"


@pytest.fixture
def device_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "dev"
    directory.mkdir()
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "davinci0", "null"):
        (directory / name).touch()
    return directory


class Yard:
    def __init__(self, root: Path, found: machine.Devices) -> None:
        self.root = root
        self.runtime = LocalRuntime(root, new_fleet(), devices=found)
        self.specs: list[InstanceSpec] = []

    def run(self, gpus: int = 0, npus: int = 0) -> InstanceSpec:
        spec = replace(new_spec(), gpus=gpus, npus=npus)
        self.specs.append(spec)
        _, ref = start(self.runtime, spec)
        return replace(spec, ref=ref)

    def told(self, spec: InstanceSpec) -> str:
        """What a kernel of the instance finds in its environment."""
        execute(spec.ref, spec, f"import os; os.chdir({str(self.root / spec.ref.notebook_id)!r}); {TELL}")
        return (self.root / spec.ref.notebook_id / "told").read_text()

    def stop(self, spec: InstanceSpec) -> None:
        asyncio.run(self.runtime.stop(spec.ref))


@pytest.fixture
def yard(tmp_path: Path, device_dir: Path) -> Iterator[Yard]:
    made = Yard(tmp_path / "instances", machine.devices(device_dir))
    yield made
    for spec in made.specs:
        made.stop(spec)


def test_devices_are_found_by_their_files(device_dir: Path) -> None:
    assert machine.devices(device_dir) == machine.Devices(gpu=(0, 1, 10), npu=(0,))
    assert machine.devices(device_dir / "nothing") == machine.Devices()


def test_a_device_is_given_once_and_shown_to_nobody_else(yard: Yard) -> None:
    first, second, none = yard.run(gpus=2), yard.run(gpus=1, npus=1), yard.run()
    assert yard.told(first) == "['0,1', '0,1', '', 'gpu:0,gpu:1']"
    assert yard.told(second) == "['10', '10', '0', 'gpu:10,npu:0']"
    assert yard.told(none) == "['', '', '', None]"
    with pytest.raises(StartFailed) as failed:
        yard.run(gpus=1)
    assert (failed.value.step, failed.value.reason) == (Step.COMPUTE, "0 of 3 GPUs are free, 1 are needed")
    yard.stop(first)
    assert yard.told(yard.run(gpus=1)) == "['0', '0', '', 'gpu:0']"


def test_two_that_start_at_once_never_get_the_same(yard: Yard) -> None:
    specs = [replace(new_spec(), gpus=1) for _ in range(3)]

    async def one(spec: InstanceSpec) -> InstanceSpec:
        handles = [progress.handle async for progress in yard.runtime.start(spec) if progress.handle]
        return replace(spec, ref=replace(spec.ref, handle=handles[0]))

    async def all_of_them() -> list[InstanceSpec]:
        return list(await asyncio.gather(*map(one, specs)))

    started = asyncio.run(all_of_them())
    yard.specs += started
    told = sorted(yard.told(spec) for spec in started)
    assert told == [f"['{n}', '{n}', '', 'gpu:{n}']" for n in (0, 1, 10)]


def test_a_machine_without_devices_says_nothing(tmp_path: Path) -> None:
    yard = Yard(tmp_path / "instances", machine.Devices())
    spec = yard.run()
    try:
        assert yard.told(spec) == "[None, None, None, None]"
    finally:
        yard.stop(spec)


def test_the_size_of_this_machine_is_plausible() -> None:
    size = machine.size(machine.Devices(gpu=(0,), npu=(1, 2)))
    assert size.vcpus >= 1
    assert size.memory > 100
    assert (size.gpus, size.npus) == (1, 2)

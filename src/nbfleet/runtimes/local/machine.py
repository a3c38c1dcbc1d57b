"""What this machine has for instances: cores, memory, and devices that one of them has to itself.

Devices are found by their files. Which of them are given is read from the environments of the processes that
live, so that nothing has to be remembered; an instance is told by the variables that CUDA and CANN read. That
keeps instances of good will apart: they share a user, and the device files are open to it.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbfleet.domain.capacity import Size

VARIABLE = "NBFLEET_DEVICES"
_VISIBLE = {
    "gpu": ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"),
    "npu": ("ASCEND_RT_VISIBLE_DEVICES", "ASCEND_VISIBLE_DEVICES"),
}
_FILES = {"gpu": re.compile(r"nvidia(\d+)"), "npu": re.compile(r"davinci(\d+)")}
_KIB_IN_MIB = 1024
_CGROUP = Path("/sys/fs/cgroup")
_MEMORY_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


class NoneFree(Exception):
    """Others have the devices."""


@dataclass(frozen=True, slots=True)
class Devices:
    """Numbers of the devices of each kind, as their files have them."""

    gpu: tuple[int, ...] = ()
    npu: tuple[int, ...] = ()


def devices(directory: Path = Path("/dev")) -> Devices:
    names = os.listdir(directory) if directory.is_dir() else []
    found = {
        kind: tuple(sorted(int(match[1]) for name in names if (match := pattern.fullmatch(name))))
        for kind, pattern in _FILES.items()
    }
    return Devices(**found)


def size(found: Devices) -> Size:
    """Of the machine, or of the part of it that this process may use."""
    return Size(len(os.sched_getaffinity(0)), _memory(), len(found.gpu), len(found.npu))


def _memory() -> int:
    """MiB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    limits = [int(lines["MemTotal"].split()[0]) // _KIB_IN_MIB]
    for name in _MEMORY_LIMITS:
        path = _CGROUP / name
        text = path.read_text().strip() if path.exists() else "max"
        if text.isdigit():
            limits.append(int(text) // _KIB_IN_MIB // _KIB_IN_MIB)
    return min(limits)


def chosen(found: Devices, given: Iterable[str], gpus: int, npus: int) -> list[str]:
    """The first free devices, named like `gpu:0`; `given` are those of the instances that live. Raises
    NoneFree."""
    taken = set(given)
    result: list[str] = []
    for kind, wanted in (("gpu", gpus), ("npu", npus)):
        numbers: tuple[int, ...] = getattr(found, kind)
        free = [f"{kind}:{number}" for number in numbers if f"{kind}:{number}" not in taken]
        if len(free) < wanted:
            raise NoneFree(f"{len(free)} of {len(numbers)} {kind.upper()}s are free, {wanted} are needed")
        result += free[:wanted]
    return result


def environment(found: Devices, mine: Iterable[str]) -> Mapping[str, str]:
    """What tells an instance its devices, and that it has no others. Nothing where there are none at all."""
    own = [name.split(":", 1) for name in mine]
    variables = {VARIABLE: ",".join(":".join(one) for one in own)} if own else {}
    for kind, names in _VISIBLE.items():
        if getattr(found, kind):
            numbers = ",".join(number for its_kind, number in own if its_kind == kind)
            variables |= dict.fromkeys(names, numbers)
    return variables

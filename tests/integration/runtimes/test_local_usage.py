"""What real instances use: a busy kernel is seen, a stopped instance and a stranger are not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from nbfleet.domain.usage import Usage
from nbfleet.runtimes.base import InstanceRef
from nbfleet.runtimes.local import LocalRuntime, processes
from nbfleet.runtimes.local.metering import LOOK_KEPT, Meter
from nbfleet.runtimes.local.processes import Marker, Process
from support.local_instances import execute, new_fleet, new_spec, start, wait_until

MIB = 1024 * 1024
HELD = 200 * MIB
BUSY = f"""
import threading
held = bytearray(b"x" * {HELD})
def work():
    while True:
        pass
threading.Thread(target=work, daemon=True).start()
"""
# Tells when a child of it has worked for half a second, and waits to be let go.
WORKS = """
import subprocess, sys
work = "import time\\nwhile time.process_time() < 0.5: pass"
subprocess.run([sys.executable, "-c", work], check=True)
print("done", flush=True)
sys.stdin.read()
"""
NOTEBOOK = "7d9069fb-6058-4e69-b76d-457480428406"


@contextmanager
def worked(marker: Marker) -> Iterator[Process]:
    """A process that carries the marker and, once it is here, does nothing more."""
    environment = {**os.environ, processes.MARKER_VARIABLE: str(marker)}
    command = [sys.executable, "-c", WORKS]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"done\n"
        moment = processes.began(child.pid)
        assert moment is not None
        yield Process(child.pid, moment, marker)
        child.communicate()


def used(runtime: LocalRuntime, ref: InstanceRef) -> Usage:
    told = asyncio.run(runtime.usage(ref))
    assert told is not None
    return told


def test_a_busy_kernel_is_counted_and_a_stopped_instance_uses_nothing(tmp_path: Path) -> None:
    runtime = LocalRuntime(tmp_path, new_fleet())
    spec = new_spec()
    assert asyncio.run(runtime.usage(spec.ref)) is None
    _, ref = start(runtime, spec)
    bare = InstanceRef(ref.notebook_id, ref.generation)  # As requests name it.
    idle = used(runtime, bare)
    assert 0 < idle.cpu_seconds < 60
    assert 20 * MIB < idle.memory_bytes < 1024 * MIB
    execute(ref, spec, BUSY)
    wait_until(lambda: used(runtime, bare).memory_bytes > idle.memory_bytes + HELD)
    busy = used(runtime, bare).cpu_seconds
    wait_until(lambda: used(runtime, bare).cpu_seconds > busy + 1)
    # Another start of it is something else, and so is the same notebook of another fleet.
    assert asyncio.run(runtime.usage(InstanceRef(ref.notebook_id, ref.generation + 1))) is None
    assert asyncio.run(LocalRuntime(tmp_path, new_fleet()).usage(bare)) is None
    asyncio.run(runtime.stop(ref))
    assert asyncio.run(runtime.usage(bare)) is None


def sums(*found: Process) -> Usage:
    read = [one for one in map(processes.consumed, found) if one is not None]
    assert len(read) == len(found)
    ticks = sum(one.ticks for one in read)
    return Usage(round(ticks / processes.TICKS, 2), sum(one.resident for one in read))


def test_a_look_serves_all_who_ask_for_a_while_and_the_figures_are_of_now() -> None:
    marker = Marker(new_fleet(), NOTEBOOK, 1)
    now = [100.0]
    meter = Meter(marker.fleet_id, lambda: now[0])
    assert meter.usage(marker) is None
    with worked(marker) as first:
        assert meter.usage(marker) == sums(first)
        with worked(marker) as second:
            told = [meter.usage(marker)]
            now[0] += LOOK_KEPT
            told.append(meter.usage(marker))
            assert told == [sums(first), sums(first, second)]
        # Gone since the look: no error, and not counted.
        assert meter.usage(marker) == sums(first)
    assert meter.usage(marker) is None


def test_ended_children_count_and_a_pid_that_passed_to_another_process_does_not() -> None:
    with worked(Marker(new_fleet(), NOTEBOOK, 1)) as process:
        read = processes.consumed(process)
        assert read is not None
        assert 0.5 <= read.ticks / processes.TICKS < 10
        assert MIB < read.resident < 200 * MIB
        assert processes.consumed(replace(process, began=process.began + 1)) is None
    assert processes.consumed(process) is None

"""Scripts around a start, on real instances: when they run, what they see, what comes of their failing."""

import asyncio
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbfleet.domain.notebook import Hook, Making, Step
from nbfleet.runtimes.base import InstanceSpec, StartFailed
from nbfleet.runtimes.local import LocalRuntime, processes
from nbfleet.runtimes.local.layout import Layout
from support.local_instances import new_fleet, new_spec, runs, start, status, wait_until


class Yard:
    """A runtime with an instance that is not started yet."""

    def __init__(self, root: Path) -> None:
        self.root, self.fleet = root, new_fleet()
        self.runtime = LocalRuntime(root, self.fleet)
        self.spec: InstanceSpec = new_spec()
        self.directory = root / self.spec.ref.notebook_id
        self.work = self.directory / "work"

    def with_hooks(self, **hooks: Hook) -> InstanceSpec:
        self.spec = replace(self.spec, making=Making(**hooks))
        return self.spec

    def log(self) -> str:
        return (self.directory / "log" / "jupyter.log").read_text()

    def processes(self) -> list[int]:
        return [one.pid for one in processes.scan(self.fleet)]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = Yard(tmp_path / "instances")
    yield made
    asyncio.run(made.runtime.stop(made.spec.ref))


def commands(text: str, *, blocks: bool = True) -> Hook:
    return Hook(text, is_file=False, blocks=blocks)


def file(path: str, *, blocks: bool = True) -> Hook:
    return Hook(path, is_file=True, blocks=blocks)


def test_one_runs_before_the_server_and_one_after_it_answers(yard: Yard) -> None:
    socket = Layout(yard.root, yard.fleet).socket(yard.spec.ref.notebook_id, 1)
    seen = f'if [ -S "{socket}" ]; then echo "$0 after" >> order; else echo "$0 before" >> order; fi'
    secret = "password=hunter2"
    _, ref = start(
        yard.runtime,
        yard.with_hooks(
            pre_start=commands(f'{seen}; echo "{secret}"; echo "$HOME" > home; sleep 0.2'),
            post_start=commands(seen),
        ),
    )
    run = yard.directory / "run"
    assert (yard.work / "order").read_text() == f"{run}/pre_start.sh before\n{run}/post_start.sh after\n"
    assert (yard.work / "home").read_text() == f"{yard.directory}/home\n"
    assert yard.log().startswith(f"{secret}\n")
    assert stat.S_IMODE((run / "pre_start.sh").stat().st_mode) == 0o600
    assert status(ref, yard.spec, yard.spec.secret) == 200


def test_an_instance_is_started_once_with_its_hooks(yard: Yard) -> None:
    spec = yard.with_hooks(pre_start=commands("echo pre >> runs"), post_start=commands("echo post >> runs"))
    _, first = start(yard.runtime, spec)
    again = LocalRuntime(yard.root, yard.fleet)  # The service was restarted meanwhile.
    _, second = start(again, spec)
    assert (yard.work / "runs").read_text() == "pre\npost\n"
    assert first == second
    asyncio.run(yard.runtime.stop(first))
    start(again, replace(spec, ref=replace(spec.ref, generation=2)))
    assert (yard.work / "runs").read_text() == "pre\npost\npre\npost\n"


def test_the_arguments_tell_nothing_of_a_hook(yard: Yard) -> None:
    spec = yard.with_hooks(post_start=commands("echo secret-word; sleep 60", blocks=False))
    start(yard.runtime, spec)
    words = [word for pid in yard.processes() for word in processes.arguments_of(pid)]
    assert [word for word in words if "secret-word" in word] == []
    assert f"{yard.directory}/run/post_start.sh" in words


@pytest.mark.parametrize(("name", "step"), [("pre_start", Step.COMPUTE), ("post_start", Step.INITIALISATION)])
def test_a_start_fails_with_a_hook_it_waits_for(yard: Yard, name: str, step: Step) -> None:
    spec = yard.with_hooks(**{name: commands("echo no such bucket >&2; exit 3")})
    with pytest.raises(StartFailed) as failed:
        start(yard.runtime, spec)
    assert failed.value.step is step
    assert failed.value.reason.startswith(f"its {name} hook exited with status 3: ")
    assert "no such bucket" in yard.log()
    wait_until(lambda: yard.processes() == [])


@pytest.mark.parametrize("name", ["pre_start", "post_start"])
def test_a_start_does_not_fail_with_a_hook_it_does_not_wait_for(yard: Yard, name: str) -> None:
    spec = yard.with_hooks(**{name: commands("echo did run > ran; exit 3", blocks=False)})
    _, ref = start(yard.runtime, spec)
    assert status(ref, spec, spec.secret) == 200
    wait_until((yard.work / "ran").exists)


def test_a_hook_may_be_a_file_of_the_work_volume(yard: Yard) -> None:
    _, ref = start(yard.runtime, yard.spec)
    asyncio.run(yard.runtime.stop(ref))
    (yard.work / "plain.sh").write_text("echo plain >> ran\n")
    program = yard.work / "program"
    program.write_text("#!/usr/bin/env python3\nprint('program', file=open('ran', 'a'))\n")
    program.chmod(0o700)
    again = replace(yard.spec, ref=replace(yard.spec.ref, generation=2))
    making = Making(
        pre_start=file("/home/ma-user/work/plain.sh"), post_start=file("/home/ma-user/work/program")
    )
    start(yard.runtime, replace(again, making=making))
    assert (yard.work / "ran").read_text() == "plain\nprogram\n"


def test_a_missing_file_fails_what_waits_for_it_and_is_noted_otherwise(yard: Yard) -> None:
    missing = "/home/ma-user/work/gone.sh"
    with pytest.raises(StartFailed) as failed:
        start(yard.runtime, yard.with_hooks(pre_start=file(missing)))
    assert failed.value.reason == f"its pre_start hook cannot run: there is no file {missing}"
    start(yard.runtime, yard.with_hooks(pre_start=file(missing, blocks=False)))
    assert yard.log().startswith(f"pre_start: there is no file {missing}\n")


def test_a_hook_ends_with_its_instance(yard: Yard) -> None:
    spec = yard.with_hooks(pre_start=commands("echo $$ > pid; trap '' TERM; sleep 600", blocks=False))
    _, ref = start(yard.runtime, spec)
    wait_until((yard.work / "pid").exists)
    pid = int((yard.work / "pid").read_text())
    assert runs(pid)
    asyncio.run(yard.runtime.stop(ref))
    wait_until(lambda: not runs(pid))


def test_a_hook_cannot_hold_up_a_start_for_ever(yard: Yard) -> None:
    yard.runtime = LocalRuntime(yard.root, yard.fleet, start_timeout=0.5)
    with pytest.raises(StartFailed) as failed:
        start(yard.runtime, yard.with_hooks(pre_start=commands("sleep 600")))
    assert failed.value.reason == "its pre_start hook did not end within the 0.5 seconds of a start"
    wait_until(lambda: yard.processes() == [])


def test_a_service_that_is_restarted_waits_for_the_hook_that_runs(yard: Yard) -> None:
    spec = yard.with_hooks(pre_start=commands("echo run >> runs; while [ ! -e go ]; do sleep 0.05; done"))

    async def begin() -> None:
        task = asyncio.ensure_future(_all(yard.runtime, spec))
        await asyncio.to_thread(wait_until, (yard.work / "runs").exists)
        begun = time.monotonic()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert time.monotonic() - begun < 5  # It does not wait for the hook.

    asyncio.run(begin())
    again = LocalRuntime(yard.root, yard.fleet)

    async def go_on() -> None:
        task = asyncio.ensure_future(_all(again, spec))
        await asyncio.sleep(0.5)
        (yard.work / "go").touch()
        await task

    asyncio.run(go_on())
    assert (yard.work / "runs").read_text() == "run\n"
    files = [name for name in os.listdir(yard.directory / "run") if not name.endswith(".sock")]
    assert sorted(files) == ["pre_start.1.status", "pre_start.sh"]


async def _all(runtime: LocalRuntime, spec: InstanceSpec) -> None:
    async for _ in runtime.start(spec):
        pass

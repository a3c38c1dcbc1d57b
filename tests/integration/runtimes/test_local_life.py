"""Real JupyterLab processes from start to stop, seen by the service that started them and by the next."""

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from nbfleet.domain.notebook import Step, StepStatus
from nbfleet.runtimes.base import InstanceRef, InstanceSpec, Observation, Presence, StartProgress
from nbfleet.runtimes.local import LocalRuntime
from support.local_instances import (
    execute,
    new_fleet,
    new_spec,
    observe,
    pid_of,
    runs,
    socket_of,
    start,
    status,
    wait_until,
)

DAEMON = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.fork() == 0:
        with open("daemon.new", "w") as file:
            file.write(str(os.getpid()))
        os.rename("daemon.new", "daemon.pid")
        time.sleep(600)
    os._exit(0)
"""


class Served:
    """One instance that several tests look at, and what its start said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fleet = new_fleet()
        self.runtime = LocalRuntime(root, self.fleet)
        self.spec: InstanceSpec = new_spec()
        self.progress, self.ref = start(self.runtime, self.spec)
        self.directory = root / self.spec.ref.notebook_id

    def observation(self) -> Observation:
        return Observation(Presence.READY, f"unix:{socket_of(self.ref)}", "127.0.0.1")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("instances"))
    yield served
    asyncio.run(served.runtime.stop(served.ref))


def test_the_four_steps_come_in_order_and_the_handle_with_the_process(served: Served) -> None:
    assert served.progress == [
        StartProgress(step, now, served.ref.handle if (step, now) == (2, StepStatus.COMPLETED) else None)
        for step in Step
        for now in (StepStatus.PROCESSING, StepStatus.COMPLETED)
    ]


def test_only_who_knows_the_secret_is_let_in(served: Served) -> None:
    answers = [status(served.ref, served.spec, secret) for secret in (served.spec.secret, None, "guess")]
    assert answers == [200, 403, 403]


def test_it_is_ready_with_notes_and_without_but_not_as_another_start(served: Served) -> None:
    bare = InstanceRef(served.ref.notebook_id, 1)
    other = InstanceRef(served.ref.notebook_id, 2)
    seen = observe(served.runtime, served.ref, bare, other, InstanceRef("no id", 1))
    absent = Observation(Presence.ABSENT)
    assert seen == [served.observation(), served.observation(), absent, absent]


def test_everything_is_for_us_alone(served: Served) -> None:
    parts = [
        served.root,
        served.directory,
        *(served.directory / name for name in ("work", "home", "run", "log")),
    ]
    assert {stat.S_IMODE(part.stat().st_mode) for part in parts} == {0o700}
    assert stat.S_IMODE(socket_of(served.ref).stat().st_mode) == 0o600
    wider = [
        path
        for path in served.directory.rglob("*")
        if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert wider == []


def test_the_secret_is_neither_in_arguments_nor_in_the_log(served: Served) -> None:
    arguments = Path(f"/proc/{pid_of(served.ref)}/cmdline").read_bytes()
    log = (served.directory / "log/jupyter.log").read_bytes()
    secret = served.spec.secret.encode()
    assert (secret in arguments, secret in log, log != b"") == (False, False, True)


def test_the_environment_of_the_service_stays_out(served: Served) -> None:
    entries = Path(f"/proc/{pid_of(served.ref)}/environ").read_bytes().decode().split("\0")
    names = {entry.partition("=")[0] for entry in entries if entry}
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert {"PYTEST_CURRENT_TEST", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"} & names == set()
    assert {"NBFLEET_INSTANCE", "JUPYTER_TOKEN", "HOME", "PATH"} <= names


def test_it_is_a_session_of_its_own(served: Served) -> None:
    pid = pid_of(served.ref)
    assert (os.getsid(pid), os.getpgid(pid)) == (pid, pid)


def test_the_next_service_adopts_it_with_and_without_the_notes(served: Served) -> None:
    bare = new_spec(served.ref.notebook_id)
    bare = InstanceSpec(bare.ref, "image", "flavor", 2, 4096, bare.base_path, served.spec.secret)
    noted = InstanceSpec(served.ref, "image", "flavor", 2, 4096, bare.base_path, served.spec.secret)
    successor = LocalRuntime(served.root, served.fleet)
    found = [start(successor, bare)[1], start(successor, noted)[1]]
    assert found == [served.ref, served.ref]
    assert asyncio.run(successor.inventory()) == [served.ref]


def test_the_log_tail_ends_with_what_was_written_last(served: Served) -> None:
    written = (served.directory / "log/jupyter.log").read_text().splitlines()
    tail = asyncio.run(served.runtime.log_tail(served.ref, 2))
    assert tail.splitlines() == written[-2:]
    assert asyncio.run(served.runtime.log_tail(served.ref, 0)) == ""


def test_stop_ends_all_and_the_next_start_has_the_files_and_another_secret(tmp_path: Path) -> None:
    runtime = LocalRuntime(tmp_path, new_fleet())
    first = new_spec()
    _, ref = start(runtime, first)
    work = tmp_path / ref.notebook_id / "work"
    (work / "random.py").write_text("raise SystemExit('shadowed')\n")  # Must not keep Jupyter from starting.
    execute(ref, first, DAEMON)
    wait_until((work / "daemon.pid").exists)
    daemon = int((work / "daemon.pid").read_text())
    assert (runs(pid_of(ref)), runs(daemon)) == (True, True)
    asyncio.run(runtime.stop(ref))
    asyncio.run(runtime.stop(ref))
    assert (runs(pid_of(ref)), runs(daemon), socket_of(ref).exists()) == (False, False, False)
    assert asyncio.run(runtime.inventory()) == []

    second = new_spec(ref.notebook_id, 2, ref.handle)  # The row still holds the notes of the start before.
    _, again = start(runtime, second)
    assert sorted(path.name for path in work.iterdir()) == ["daemon.pid", "random.py"]
    assert [status(again, second, secret) for secret in (second.secret, first.secret)] == [200, 403]
    assert (tmp_path / ref.notebook_id / "log/jupyter.log.1").exists()

    third = new_spec(ref.notebook_id, 3)  # Whatever still runs of an earlier start makes way.
    _, newest = start(runtime, third)
    assert (runs(pid_of(again)), runs(pid_of(newest))) == (False, True)
    assert asyncio.run(runtime.inventory()) == [newest]
    asyncio.run(runtime.stop(newest))


def test_a_long_root_gets_a_short_private_socket(tmp_path: Path) -> None:
    root = tmp_path / ("long" * 20)
    runtime = LocalRuntime(root, new_fleet())
    spec = new_spec()
    _, ref = start(runtime, spec)
    socket = socket_of(ref)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (socket, socket.parent)]
    assert (len(str(socket)) <= 100, root in socket.parents, modes) == (True, False, [0o600, 0o700])
    assert status(ref, spec, spec.secret) == 200
    asyncio.run(runtime.stop(ref))
    assert not socket.parent.exists()


def test_two_services_that_start_it_at_once_make_one_process(tmp_path: Path) -> None:
    fleet = new_fleet()
    services = [LocalRuntime(tmp_path, fleet) for _ in range(3)]
    spec = new_spec()

    async def begin(runtime: LocalRuntime) -> bytes | None:
        return [progress.handle async for progress in runtime.start(spec)][3]

    async def at_once() -> list[bytes | None]:
        return await asyncio.gather(*(begin(runtime) for runtime in services))

    handles = uvloop.run(at_once())  # The loop that the service runs on.
    found = asyncio.run(services[0].inventory())
    assert {InstanceRef(spec.ref.notebook_id, 1, handle) for handle in handles} == set(found)
    assert len(found) == 1
    asyncio.run(services[0].stop(spec.ref))

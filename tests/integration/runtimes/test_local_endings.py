"""Why an instance is not there: starts that cannot work and processes that end by themselves."""

import asyncio
import os
import re
import signal
import sys
import uuid
from pathlib import Path

import pytest

from nbfleet.domain.notebook import Step
from nbfleet.runtimes.base import InstanceRef, Observation, Presence, StartFailed
from nbfleet.runtimes.local import LocalRuntime, jupyter
from support.local_instances import (
    new_fleet,
    new_spec,
    observe,
    pid_of,
    runs,
    script,
    start,
    wait_for_end,
    with_notes,
)


def failure(runtime: LocalRuntime, notebook_id: str | None = None) -> tuple[Step, str]:
    with pytest.raises(StartFailed) as failed:
        start(runtime, new_spec(notebook_id))
    assert asyncio.run(runtime.inventory()) == []
    return failed.value.step, failed.value.reason


def test_killed_from_outside_as_its_parent_and_as_its_adopter_see_it(tmp_path: Path) -> None:
    fleet = new_fleet()
    parent, adopter = LocalRuntime(tmp_path, fleet), LocalRuntime(tmp_path, fleet)
    _, ref = start(parent, new_spec())
    pid = pid_of(ref)
    rebooted = with_notes(ref, boot_id=str(uuid.uuid4()))
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    adopted = observe(adopter, ref, InstanceRef(ref.notebook_id, 1), rebooted)
    own = observe(parent, ref)
    assert [item.presence for item in (*adopted, *own)] == ["exited", "absent", "exited", "exited"]
    reasons = [(item.reason or "").partition(": ")[0] for item in (*adopted, *own)]
    assert reasons == [
        "ended, exit status unknown",
        "",
        "ended when the machine was restarted",
        "killed by SIGKILL (the kernel does this when memory runs out)",
    ]
    assert not Path(f"/proc/{pid}").exists()  # Its parent has reaped it.
    _, again = start(adopter, new_spec(ref.notebook_id, 1, ref.handle))
    assert (runs(pid_of(again)), pid_of(again) != pid) == (True, True)
    asyncio.run(adopter.stop(again))
    assert observe(adopter, again)[0].presence is Presence.EXITED


def test_the_last_line_of_a_program_that_ends_at_once_is_the_reason(tmp_path: Path) -> None:
    python = script(
        tmp_path / "python", "#!/bin/sh\necho starting\necho 'no licence for this host' >&2\nexit 3\n"
    )
    reason = failure(LocalRuntime(tmp_path / "root", new_fleet(), python=python))
    assert reason == (Step.NETWORK, "exited with status 3: no licence for this host")


def test_a_program_that_kills_itself_is_told_by_its_signal(tmp_path: Path) -> None:
    python = script(tmp_path / "python", "#!/bin/sh\nkill -SEGV $$\n")
    reason = failure(LocalRuntime(tmp_path / "root", new_fleet(), python=python))
    assert reason == (Step.NETWORK, "killed by SIGSEGV")


def test_an_interpreter_that_is_missing(tmp_path: Path) -> None:
    python = str(tmp_path / "nowhere/python")
    reason = failure(LocalRuntime(tmp_path / "root", new_fleet(), python=python))
    assert reason == (
        Step.COMPUTE,
        f"its process cannot be started: [Errno 2] No such file or directory: '{python}'",
    )


def test_one_that_never_listens_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    python = script(tmp_path / "python", "#!/bin/sh\necho waiting for the licence server\nexec sleep 600\n")
    runtime = LocalRuntime(tmp_path / "root", new_fleet(), python=python, start_timeout=0.5)
    assert failure(runtime) == (
        Step.NETWORK,
        "not ready within 0.5 seconds: nothing listens on its socket: waiting for the licence server",
    )


def test_a_file_where_the_directory_should_be(tmp_path: Path) -> None:
    runtime = LocalRuntime(tmp_path, new_fleet())
    notebook_id = str(uuid.uuid4())
    (tmp_path / notebook_id).write_text("")
    assert failure(runtime, notebook_id) == (
        Step.STORAGE,
        f"its directories cannot be made: {tmp_path / notebook_id} is not a directory of its own",
    )


def configured(root: Path, text: str) -> str:
    notebook_id = str(uuid.uuid4())
    settings = root / notebook_id / "home/.jupyter"
    settings.mkdir(parents=True)
    (settings / "jupyter_server_config.py").write_text(text)
    return notebook_id


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    notebook_id = configured(tmp_path, "c.ServerApp.identity_provider_class = 'a_missing_module.Provider'\n")
    step, reason = failure(LocalRuntime(tmp_path, new_fleet()), notebook_id)
    varies = r"\d{4}-\S+ \S+ | at 0x[0-9a-f]+"
    assert (step, re.sub(varies, "", reason)) == (
        Step.NETWORK,
        "exited with status 1: [C ServerApp] Bad config encountered during initialization: "
        "The 'identity_provider_class' trait of <jupyter_server.serverapp.ServerApp object> instance "
        "must be a type, but 'a_missing_module.Provider' could not be imported",
    )


def test_a_server_without_a_lock_is_not_taken_into_service(tmp_path: Path) -> None:
    notebook_id = configured(tmp_path, "c.IdentityProvider.token = ''\n")
    reason = failure(LocalRuntime(tmp_path, new_fleet()), notebook_id)
    assert reason == (Step.INITIALISATION, "its server lets in those who do not know its secret")


def test_a_program_that_replaces_itself_stays_the_same_instance(tmp_path: Path) -> None:
    python = script(tmp_path / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    fleet = new_fleet()
    runtime = LocalRuntime(tmp_path / "root", fleet, python=python)
    _, ref = start(runtime, new_spec())
    successor = LocalRuntime(tmp_path / "root", fleet)
    assert observe(successor, ref) == observe(runtime, ref)
    assert observe(successor, ref)[0].presence is Presence.READY
    asyncio.run(successor.stop(ref))
    ended = observe(runtime, ref)
    assert [item.presence for item in ended] == [Presence.EXITED]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], None),
        (["[I 10:00 ServerApp] Kernel started", ""], None),
        (["Traceback (most recent call last):", "  x = 1", "MemoryError"], "MemoryError"),
        (["ValueError: bad", "[I 10:00 ServerApp] later"], "ValueError: bad"),
        (["\x1b[31m[C 10:00 LabApp] Bad config\x1b[m"], "[C 10:00 LabApp] Bad config"),
        (["went to http://x/?token=abc&y"], "went to http://x/?token=...&y"),
    ],
)
def test_last_words(lines: list[str], words: str | None) -> None:
    assert jupyter.last_words(lines) == words


def test_nothing_known_is_absent(tmp_path: Path) -> None:
    unreadable = InstanceRef(str(uuid.uuid4()), 1, b"{")
    assert observe(LocalRuntime(tmp_path, new_fleet()), unreadable) == [Observation(Presence.ABSENT)]

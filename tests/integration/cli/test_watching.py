"""What is looked at while it changes, in a real terminal, and what shells complete."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from support.service import Service
from support.shell import Shell

LEFT_THE_SCREEN = b"\x1b[?1049l"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("watching") / "data", runtime="simulated").start()
    made = Shell(service)
    made.run("create", "first")
    yield made
    service.clear_away()


class Terminal:
    """A command on a terminal of its own, and all that it has written there."""

    def __init__(self, process: "subprocess.Popen[bytes]", master: int) -> None:
        self.process = process
        self._master = master
        self.seen = b""

    def read(self, seconds: float) -> None:
        if select.select([self._master], [], [], seconds)[0]:
            try:
                self.seen += os.read(self._master, 65536)
            except OSError:
                time.sleep(seconds)  # Nobody has it open any more.

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen.decode(errors="replace"))

    def wait_for(self, pattern: str) -> None:
        deadline = time.monotonic() + 30
        while re.search(pattern, self.text) is None:
            assert time.monotonic() < deadline, self.text
            self.read(0.1)

    def key(self, key: bytes) -> None:
        os.write(self._master, key)

    def code(self) -> int:
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        self.read(0.1)
        return self.process.wait(1)


@contextmanager
def terminal(shell: Shell, *words: str) -> Generator[Terminal, None, None]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nbfleet", *words], stdin=slave, stdout=slave, stderr=slave,
        env=shell.environment(TERM="xterm", COLUMNS="110", LINES="40"),
    )  # fmt: skip
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_top_follows_the_fleet_until_q(shell: Shell) -> None:
    with terminal(shell, "top", "--every", "0.5") as shown:
        shown.wait_for(r"nbfleet  1 notebooks")
        shown.wait_for(r"Running +1 ")
        shell.run("create", "second")
        shown.wait_for(r"nbfleet  2 notebooks")
        shown.wait_for(r"ago +second +Running +admin")
        shown.key(b"q")
        assert shown.code() == 0
        assert LEFT_THE_SCREEN in shown.seen
    shell.run("delete", "second", "-y")


def test_top_ends_with_an_interrupt(shell: Shell) -> None:
    with terminal(shell, "top") as shown:
        shown.wait_for("q ends")
        shown.process.send_signal(signal.SIGINT)
        assert shown.code() == 130
        assert LEFT_THE_SCREEN in shown.seen


def test_top_is_printed_once_where_there_is_no_terminal(shell: Shell) -> None:
    flavor = shell.json("show", "first")["flavor"]
    for words in (("top", "--once"), ("top",)):
        text = shell.run(*words)[0]
        assert re.sub(r"\d\d:\d\d:\d\d", "TIME", text.splitlines()[0]) == "nbfleet  1 notebooks  TIME  q ends"
        rows = [line.split() for line in text.splitlines()]
        assert ["Running", "1", "█" * 24] in rows
        assert [flavor, "1", "admin", "1"] in rows


def test_a_watched_list_marks_what_changed(shell: Shell) -> None:
    with terminal(shell, "list", "--watch") as shown:
        shown.wait_for(r"first +RUNNING +admin")
        assert "▸" not in shown.text
        shell.run("stop", "first")
        shown.wait_for(r"▸ +first +STOPPED +admin")
        shown.key(b"q")
        assert shown.code() == 0
        assert LEFT_THE_SCREEN in shown.seen
    shell.run("start", "first")
    assert "--output json" in shell.run("list", "--watch", "--output", "json", code=2)[1]


def test_usage_is_drawn_until_q_and_printed_once_without_a_terminal(shell: Shell) -> None:
    answer = shell.json("usage", "first")
    assert sorted(answer) == ["at", "cpu_seconds", "memory_bytes", "memory_limit", "vcpus"]
    name, _, head, _, cpu, memory = shell.run("usage", "first")[0].splitlines()[:6]
    assert re.fullmatch(r"first  \d\d:\d\d:\d\d  q ends", name)
    assert head.split() == ["USES", "NOW", "OF"]
    used = re.fullmatch(r" ?CPU +(\d\.\d\d) +1 vCPU +(█*)░*", cpu)
    assert used is not None
    # The bar is of the figure before it was rounded to two places.
    assert len(used[2]) == pytest.approx(24 * min(float(used[1]), 1), abs=0.5 + 24 * 0.005)
    assert re.fullmatch(r" ?Memory +[2-4]\d\d MiB +[124]\.0 GiB +█+░+", memory)
    with terminal(shell, "usage", "first", "--every", "0.5") as shown:
        shown.wait_for(r"CPU +0\.\d\d +1 vCPU")
        shown.wait_for(r"CPU  up to 1 vCPU[\s▁-█]+─{60}\s+MEMORY  up to [124]\.0 GiB[\s▁-█]+─{60}")
        shown.key(b"q")
        assert shown.code() == 0
        assert LEFT_THE_SCREEN in shown.seen
    shell.run("stop", "first")
    said = shell.run("usage", "first", code=1)[1]
    assert said.startswith("Error: ")
    assert "STOPPED" in said
    shell.run("start", "first")


def completed(shell: Shell, *words: str) -> list[str]:
    line = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    text = shell.run(**line, _NBFLEET_COMPLETE="bash_complete")[0]
    return [one.removeprefix("plain,") for one in text.splitlines() if one]


def test_names_ids_states_and_commands_are_completed(shell: Shell) -> None:
    notebook = shell.json("show", "first")["id"]
    assert completed(shell, "nbfleet", "show", "fi") == ["first"]
    assert completed(shell, "nbfleet", "stop", notebook[:8]) == [notebook]
    assert completed(shell, "nbfleet", "usage", "fi") == ["first"]
    assert completed(shell, "nbfleet", "show", "nothing-of-the-kind") == []
    assert completed(shell, "nbfleet", "list", "--status", "RUNNING,sto") == [
        "RUNNING,STOPPING", "RUNNING,STOPPED",
    ]  # fmt: skip
    assert completed(shell, "nbfleet", "co") == ["count", "completion"]
    nowhere = {"NBFLEET_ENDPOINT": "http://127.0.0.1:9"}
    line = {"COMP_WORDS": "nbfleet show fi", "COMP_CWORD": "2", "_NBFLEET_COMPLETE": "bash_complete"}
    assert shell.run(**line, **nowhere) == ("\n", "")


def test_bash_takes_the_script(shell: Shell) -> None:
    script = shell.run("completion", "bash")[0]
    asked = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p nbfleet"], capture_output=True, text=True, check=True
    )
    assert asked.stdout == "complete -o nosort -F _nbfleet_completion nbfleet\n"
    assert shell.run("completion", "zsh")[0].startswith("#compdef nbfleet")
    assert shell.run("completion", "fish")[0].startswith("function _nbfleet_completion;")
    assert "'tcsh' is not one of" in shell.run("completion", "tcsh", code=2)[1]

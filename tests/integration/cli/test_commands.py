"""The command `nbfleet`, run as people run it, against a real service without processes behind it."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbfleet.store.migrate import HEAD
from support.service import Service
from support.shell import Shell

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("cli") / "data", runtime="simulated").start()
    yield Shell(service)
    service.clear_away()


def test_a_notebook_goes_through_its_life(shell: Shell) -> None:
    created = shell.json(
        "create", "life", "--volume", "efs", "--size", "50", "--description", "demo", "--hours", "2"
    )
    assert (created["name"], created["status"], created["description"]) == ("life", "RUNNING", "demo")
    assert (created["volume"]["category"], created["volume"]["capacity"]) == ("EFS", 50)
    assert (
        created["lease"]["duration"]
        == created["lease"]["update_at"] - created["lease"]["create_at"] + 7_200_000
    )

    shown = shell.json("show", "life")
    del shown["current_time"], created["current_time"]
    assert shown == created
    assert shell.json("list", "--name", "life")["data"][0]["id"] == created["id"]
    assert shell.run("renew", "life", "--no-auto-stop") == ("Runs until it is stopped.\n", "")
    assert shell.run("renew", "life", "--hours", "3")[0].startswith("Stops in 2h 59m")
    assert shell.json("stop", "life")["status"] == "STOPPED"
    assert shell.json("start", "life", "--no-auto-stop")["lease"]["enable"] is False
    assert shell.run("logs", "life", "-n", "5")[1] == ""
    address, note = shell.run("open", "life", "--print")
    assert (
        address
        == f"{shell.service.gateway}/{created['id']}/lab?token={shell.json('show', 'life')['token']}\n"
    )
    assert note == "This address is a secret until the notebook is started again.\n"
    assert shell.run("delete", "life", "--yes") == ("life is gone.\n", "")
    assert shell.run("show", created["id"], code=5)[0] == ""


def test_progress_is_told_line_by_line_where_nobody_looks(shell: Shell) -> None:
    out, _ = shell.run("create", "lines")
    lines = out.splitlines()
    assert lines[0] == "CREATING"
    assert "RUNNING" in lines
    assert [line.split()[0] for line in lines if line.startswith(("name", "status"))] == ["name", "status"]
    shell.run("delete", "lines", "-y")


def test_progress_is_drawn_on_a_terminal(shell: Shell) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nbfleet", "create", "drawn"], stdin=slave, stdout=slave, stderr=slave,
        env=shell.environment(TERM="xterm", COLUMNS="80"),
    )  # fmt: skip
    os.close(slave)
    seen = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if select.select([master], [], [], 0.1)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
    assert process.wait(10) == 0
    os.close(master)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode(errors="replace"))
    assert "drawn" in text
    assert "CREATING" in text
    assert re.search(r"\d\.\d s", text)
    shell.run("delete", "drawn", "-y")


def test_tables_fit_the_terminal(shell: Shell) -> None:
    shell.run("create", "a-rather-long-name-that-goes-on-" + "x" * 60, "--no-wait")
    for width in (60, 80, 100, 160):
        out, _ = shell.run("list", COLUMNS=str(width))
        lines = out.splitlines()
        assert max(map(len, lines)) <= width
        # Even the narrowest shows the whole id, which is what the next command needs.
        assert ID.search(out)
        assert re.fullmatch(r"\d+ of \d+", lines[-1])
    shell.run("delete", shell.json("list", "--name", "rather-long")["data"][0]["id"], "-y")


def test_lists_are_filtered_sorted_and_paged(shell: Shell) -> None:
    for name in ("page-c", "page-a", "page-b"):
        shell.run("create", name)
    found = shell.json(
        "list", "--name", "PAGE", "--sort", "name", "--asc", "--limit", "2", "--status", "running"
    )
    assert ([one["name"] for one in found["data"]], found["total"]) == (["page-a", "page-b"], 3)
    found = shell.json("list", "--name", "page", "--sort", "name", "--asc", "--offset", "2", "--all")
    assert [one["name"] for one in found["data"]] == ["page-c"]
    assert shell.json("list", "--mine", "--flavor", "nope")["total"] == 0
    for name in ("page-c", "page-a", "page-b"):
        shell.run("delete", name, "-y")


def test_a_name_that_two_have_is_not_guessed_at(shell: Shell) -> None:
    ids = sorted(shell.json("create", "twin")["id"] for _ in range(2))
    _, complaint = shell.run("stop", "twin", code=1)
    assert complaint.splitlines()[0] == "Error: 2 notebooks are called twin."
    assert sorted(ID.findall(complaint)) == ids
    for one in ids:
        shell.run("delete", one, "-y")


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["show", "nobody"], 5, "Error: There is no notebook called nobody.\nHint: `nbfleet list` "),
        (["create", "bad name"], 1, "Error: The field name is bad name; allowed characters: letters"),
        (["list", "--limit", "5000"], 1, "Error: The parameter limit is 5000; allowed: 1 to 1000."),
        (["list", "--sort", "colour"], 1, "Error: Cannot sort by colour; allowed: name, status"),
        (["renew", "x", "--hours", "1", "--no-auto-stop"], 2, "Usage: nbfleet renew"),
        (["nonsense"], 2, "Usage: nbfleet"),
        (["list", "--endpoint", "http://127.0.0.1:1"], 3,
         "Error: http://127.0.0.1:1 cannot be reached: connection refused.\nHint: Is it running?"),
        (["list", "--credentials", "/nowhere.json"], 4, "Error: Cannot read the credentials file /nowhere"),
        (["project", "add", "local"], 1, "Error: There is a project local already."),
        (["user", "add", "x", "--project", "none"], 1, "Error: There is no project none."),
        (["user", "delete", "admin"], 1, "Error: The user admin has had notebooks"),
        (["project", "delete", "local"], 1, "Error: The project local has had notebooks"),
        (["key", "delete", "none"], 1, "Error: There is no key none."),
        (["serve", "--port", "70000"], 1, "Error: Bad setting: Expected `int` <= 65535"),
        (["serve", "--tls-key", "x"], 1, "Error: tls_certificate and tls_key are only useful together."),
        (["serve", "--config", "/nowhere.toml"], 1, "Error: Cannot read the configuration file /nowhere"),
        (["serve", "--port", "0", "--gateway-port", "0"], 1, "Error: A service runs already on "),
    ],
)  # fmt: skip
def test_failures_are_one_sentence(shell: Shell, words: list[str], code: int, complaint: str) -> None:
    out, err = shell.run(*words, code=code)
    assert out == ""
    assert err.startswith(complaint)


def test_users_projects_and_keys(shell: Shell, tmp_path: Path) -> None:
    service = shell.service
    assert shell.run("project", "add", "second")[0].startswith("Project second has the id ")
    out, _ = shell.run("user", "add", "carol", "--project", "second", "--role", "administrator")
    assert re.fullmatch(r"User carol has the id [0-9a-f]{32}\.\nPassword: \S{24}  \(shown only now\)\n", out)
    shell.run("user", "add", "dave", "--password-stdin", stdin="from a pipe\n")
    users = {one["name"]: one["roles"] for one in shell.json("user", "list")}
    assert users["carol"] == {"second": "administrator"}
    assert users["dave"] == {"local": "member"}

    file = tmp_path / "carol.json"
    elsewhere = {"NBFLEET_PORT": "1"}  # The service was started with a port of its own.
    shell.run("key", "add", "carol", "--project", "second", "--write", str(file), **elsewhere)
    assert file.stat().st_mode & 0o777 == 0o600
    mine = ["--credentials", str(file)]
    assert json.loads(shell.run("list", *mine, "-o", "json")[0])["total"] == 0
    key = json.loads(file.read_text())["access_key"]
    shell.run("key", "disable", key)
    time.sleep(3.5)
    assert shell.run("list", *mine, code=4)[1].startswith("Error: Incorrect authentication information")
    shell.run("key", "enable", key)
    assert {one["access_key"]: one["enabled"] for one in shell.json("key", "list")}[key] is True
    shell.run("user", "role", "carol", "second", "none")
    shell.run("user", "disable", "carol")
    shell.run("user", "enable", "carol")
    shell.run("user", "password", "carol", "--password-stdin", stdin="new\n")
    assert shell.run("user", "login", "dave", **elsewhere)[0].startswith(f"{service.endpoint}/login?ticket=")
    shell.run("key", "delete", key)
    shell.run("user", "delete", "carol")
    shell.run("project", "disable", "second")
    shell.run("project", "enable", "second")
    shell.run("project", "delete", "second")
    assert [one["name"] for one in shell.json("project", "list")] == ["local"]
    assert [one["name"] for one in shell.json("user", "list")] == ["admin", "dave"]


def test_interrupting_is_quiet(shell: Shell) -> None:
    shell.run("create", "watched")
    process = subprocess.Popen(
        [sys.executable, "-m", "nbfleet", "logs", "watched", "--follow"],
        env=shell.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    # The line that the terminal's ^C stands on is ended, and that is all.
    assert (process.returncode, err) == (130, b"\n")
    shell.run("delete", "watched", "-y")


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:{port}"])
def test_doctor_is_not_put_off_by_what_is_no_service(shell: Shell, tmp_path: Path, endpoint: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            with contextlib.suppress(OSError):
                accepted, _ = other.accept()
                with accepted:
                    accepted.sendall(b"SSH-2.0-another\r\n")
                    accepted.recv(1000)

        threading.Thread(target=greet, daemon=True).start()
        address = endpoint.format(port=other.getsockname()[1])
        file = tmp_path / "credentials.json"
        file.write_text(json.dumps({"endpoint": address}), encoding="utf-8")
        file.chmod(0o600)
        out, _ = shell.run("doctor", "--output", "json", NBFLEET_DATA_DIR=str(tmp_path))
    found = {one["name"]: one for one in json.loads(out)}
    assert (found["service"]["available"], found["service"]["detail"]) == (
        False, f"nothing answers at {address}/healthz",
    )  # fmt: skip


def test_doctor_looks_at_the_machine(shell: Shell) -> None:
    found = {one["name"]: one for one in shell.json("doctor")}
    needed = {name for name, one in found.items() if one["needed"]}
    assert needed == {
        "python", "data directory", "secret.key", "credentials.json", "nbfleet.db", "disk space", "database",
        "jupyterlab", "pidfd",
    }  # fmt: skip
    assert all(found[name]["available"] for name in needed)
    assert found["service"]["detail"] == f"{shell.service.endpoint}/healthz answers"
    assert found["database"]["detail"] == f"SQLite in the data directory, schema {HEAD}"
    table, _ = shell.run("doctor")
    assert table.splitlines()[-1] == "Everything needed is here."


def test_a_store_is_seeded_once(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "nbfleet", "seed", "--count", "30", "--data-dir", str(tmp_path / "data")]
    first = subprocess.run(words, capture_output=True, text=True, check=True)
    done, hint = first.stdout.splitlines()
    assert re.fullmatch(r"30 notebooks in project [0-9a-f]{32}, in \d+ s\.", done)
    assert hint == "Serve them with `nbfleet serve --runtime simulated`."
    assert first.stderr == "Notebooks: 30 of 30\n"
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == (
        "Error: The store has notebooks already.\nHint: Name another with --data-dir or --database-url.\n"
    )


def test_help_is_quick_and_complete() -> None:
    code = (
        "import sys; from nbfleet.cli.main import cli;"
        "cli.main(['--help'], prog_name='nbfleet', standalone_mode=False);"
        "print([m for m in ('sqlalchemy', 'rich', 'aiohttp', 'starlette') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for command in re.findall(r"^  ([a-z]+)  ", done.stdout, re.MULTILINE):
        words = [sys.executable, "-m", "nbfleet", command, "--help"]
        shown = subprocess.run(words, capture_output=True, text=True, check=True)
        assert shown.stdout.startswith(f"Usage: nbfleet {command}")


def test_opening_a_browser_shows_the_address_to_nobody_else(shell: Shell, tmp_path: Path) -> None:
    """The browser gets a private page, because arguments of a process are public."""
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    browser.chmod(0o700)
    one = shell.json("create", "opened")
    shell.run("open", "opened", BROWSER=f"{browser} %s", XDG_CACHE_HOME=str(tmp_path))
    page = tmp_path / "nbfleet" / "open.html"
    assert seen.read_text() == page.as_uri()
    assert page.stat().st_mode & 0o777 == 0o600
    assert f"{one['url']}?token={one['token']}" in page.read_text()
    shell.run("delete", "opened", "-y")

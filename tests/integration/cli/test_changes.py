"""`nbfleet update`, `freeze` and `unfreeze`, run as people run them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.test_commands import Shell

from support.service import Service, wait_for


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("cli") / "data", runtime="simulated").start()
    yield Shell(service)
    service.clear_away()


def test_a_notebook_is_changed_frozen_and_let_go(shell: Shell, tmp_path: Path) -> None:
    made = shell.json("create", "one")
    changed = shell.json("update", "one", "--name", "two", "--description", "demo", "--size", "9")
    assert (changed["name"], changed["description"], changed["status"]) == ("two", "demo", "RUNNING")
    grown = made["volume"] | {"capacity": 9}
    wait_for("its volume", lambda: shell.json("show", "two")["volume"] == grown, 10)
    frozen = shell.json("freeze", "two")
    assert (frozen["status"], frozen["endpoints"]) == ("FROZEN", [])
    assert "ip" not in shell.json("show", "two")
    assert shell.json("unfreeze", "two")["status"] == "STOPPED"
    script = tmp_path / "hook.sh"
    script.write_text("echo hello\n")
    hooked = shell.json(
        "update", "two", "--flavor", "modelarts.vm.cpu.2u", "--pre-start", str(script), "--wait-for-scripts"
    )
    assert hooked["flavor"] == "modelarts.vm.cpu.2u"
    out, _ = shell.run("update", "two", "--description", "shown")
    assert "shown" in out
    shell.run("delete", "two", "--yes")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["update", "one"], 2, "Nothing to change was named"),
        (["update", "one", "--pre-start", "/no/such/file"], 2, "does not exist"),
        (["update", "nobody", "--name", "x"], 5, "There is no notebook called nobody."),
        (["freeze", "nobody"], 5, "There is no notebook called nobody."),
        (["unfreeze", "nobody"], 5, "There is no notebook called nobody."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(shell: Shell, words: list[str], code: int, hint: str) -> None:
    out, err = shell.run(*words, code=code)
    assert out == ""
    assert hint in err

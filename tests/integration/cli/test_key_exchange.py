"""The key file is replaced as an administrator would do it, with a real service before and after."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.test_commands import Shell

from support.people import DATABASES
from support.service import Service


@pytest.fixture(params=DATABASES)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    service = Service(tmp_path / "data", runtime="simulated", database_url=url).start()
    yield Shell(service)
    service.clear_away()


def exchange(shell: Shell, code: int = 0) -> str:
    url = shell.service.database_url
    out, err = shell.run("key", "exchange-file", code=code, **({"NBFLEET_DATABASE_URL": url} if url else {}))
    return out + err


def test_access_keys_outlive_the_key_file(shell: Shell) -> None:
    service, file = shell.service, shell.service.data_dir / "secret.key"
    before = file.read_bytes()
    shell.run("create", "kept")
    assert exchange(shell, 1).startswith(
        f"Error: A service runs already on {service.data_dir}; stop it first."
    )
    assert service.stop() == 0
    assert exchange(shell, 1).startswith("Error: 1 notebooks run or are on their way; stop them first.")
    assert file.read_bytes() == before
    service.start()
    shell.run("stop", "kept")
    assert service.stop() == 0

    assert exchange(shell) == "The key file is replaced, and 1 access keys are sealed with the new one.\n"
    after = file.read_bytes()
    assert (after != before, file.stat().st_mode & 0o777) == (True, 0o600)
    assert sorted(one.name for one in service.data_dir.glob("secret.key*")) == ["secret.key"]
    service.start()
    shell.run("start", "kept")
    assert [(one["name"], one["status"]) for one in shell.json("list")["data"]] == [("kept", "RUNNING")]


def test_an_interrupted_exchange_is_finished_or_forgotten(shell: Shell) -> None:
    service, file = shell.service, shell.service.data_dir / "secret.key"
    waiting = file.with_name("secret.key.new")
    assert service.stop() == 0
    old = file.read_bytes()
    exchange(shell)
    new = file.read_bytes()
    # As it is when the power fails after the commit.
    shutil.move(file, waiting)
    file.write_bytes(old)
    service.start()
    assert (file.read_bytes(), waiting.exists()) == (new, False)
    assert shell.json("list")["total"] == 0
    assert service.stop() == 0
    # And before it.
    waiting.write_bytes(old)
    service.start()
    assert file.read_bytes() == new
    assert service.stop() == 0
    exchange(shell)
    assert (file.read_bytes() in (old, new), waiting.exists()) == (False, False)

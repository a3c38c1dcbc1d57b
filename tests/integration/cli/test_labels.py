"""`nbfleet pool` and `nbfleet keypair`, run as people run them."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

from support.service import Service

POOL = """
[[pools]]
id = "pool-a"
name = "Fast"
description = "[two]"
nodes = [{vcpus = 2, memory = 4096, count = 2}]
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("labels")
    config = directory / "nbfleet.toml"
    config.write_text(POOL, encoding="utf-8")
    made = Service(directory / "data", runtime="simulated", arguments=["--config", str(config)]).start()
    yield made
    made.clear_away()


def run(service: Service, cwd: Path, *words: str, code: int = 0) -> tuple[str, str]:
    environment = os.environ | {"NBFLEET_DATA_DIR": str(service.data_dir), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "nbfleet", *words], capture_output=True, text=True, cwd=cwd,
        env=environment, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout, done.stderr


def test_pools_are_listed_and_shown(service: Service, tmp_path: Path) -> None:
    table = run(service, tmp_path, "pool", "list")[0].split("\n")
    assert table[0].split() == ["NAME", "NODES", "FREE", "ID"]
    assert " ".join(table[2].split()) == "Fast 2 4 of 4 vCPUs, 8192 of 8192 MiB pool-a"
    shown = dict(
        line.split(None, 1) for line in run(service, tmp_path, "pool", "show", "pool-a")[0].splitlines()
    )
    assert shown == {
        "name": "Fast", "id": "pool-a", "free": "4 of 4 vCPUs, 8192 of 8192 MiB", "description": "[two]",
        "flavors": "modelarts.vm.cpu.1u", "nodes": "2 × node",
    }  # fmt: skip
    whole = json.loads(run(service, tmp_path, "pool", "list", "-o", "json")[0])
    one = json.loads(run(service, tmp_path, "pool", "show", "pool-a", "-o", "json")[0])
    assert whole["items"] == [one]
    assert "does not exist" in run(service, tmp_path, "pool", "show", "pool-b", code=5)[1]


def test_a_private_key_goes_to_a_file_for_its_owner_alone(service: Service, tmp_path: Path) -> None:
    out, err = run(service, tmp_path, "keypair", "add", "laptop")
    assert (out, err) == ("The private key of laptop is in laptop.pem. The service does not keep it.\n", "")
    file = tmp_path / "laptop.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    load_ssh_private_key(file.read_bytes(), None)
    before = file.read_bytes()
    _, refused = run(service, tmp_path, "keypair", "add", "laptop", code=1)
    assert refused.splitlines()[0] == "Error: Cannot write laptop.pem: File exists."
    assert file.read_bytes() == before
    _, taken = run(service, tmp_path, "keypair", "add", "laptop", "--write", "other.pem", code=1)
    assert "keypair.name is laptop" in taken
    assert list(tmp_path.iterdir()) == [file]
    assert run(service, tmp_path, "keypair", "delete", "laptop") == ("laptop is gone.\n", "")
    run(service, tmp_path, "keypair", "delete", "laptop", code=5)


def test_a_private_key_is_printed_where_that_is_asked_for(service: Service, tmp_path: Path) -> None:
    out, _ = run(service, tmp_path, "keypair", "add", "printed", "--print")
    load_ssh_private_key(out.encode(), None)
    assert list(tmp_path.iterdir()) == []


def test_a_public_key_is_imported_listed_and_shown(service: Service, tmp_path: Path) -> None:
    run(service, tmp_path, "keypair", "add", "first")
    shown = json.loads(run(service, tmp_path, "keypair", "show", "first", "-o", "json")[0])["keypair"]
    public = tmp_path / "key.pub"
    public.write_text(shown["public_key"] + "\n", encoding="utf-8")
    out, _ = run(service, tmp_path, "keypair", "add", "second", "--public-key", str(public))
    assert out == f"The public key of {public} is known as second.\n"
    table = run(service, tmp_path, "keypair", "list", "--marker", "e")[0].splitlines()
    assert table[0].split() == ["NAME", "TYPE", "FINGERPRINT"]
    rows = [line.split() for line in table[2:]]
    assert [row for row in rows if row[0] in ("first", "second")] == [
        ["first", "ssh-ed25519", shown["fingerprint"]], ["second", "ssh-ed25519", shown["fingerprint"]],
    ]  # fmt: skip
    told = run(service, tmp_path, "keypair", "show", "second")[0].splitlines()
    assert told[0].split() == ["name", "second"]
    assert (
        run(service, tmp_path, "keypair", "list", "--limit", "1")[0].splitlines()[-1].startswith("Go on with")
    )
    run(service, tmp_path, "keypair", "add", "x", "--print", "--write", "y", code=2)
    run(service, tmp_path, "keypair", "add", "x", "--print", "--public-key", str(public), code=2)


def test_tags_are_set_removed_and_shown(service: Service, tmp_path: Path) -> None:
    words = ("create", "tagged", "--pool", "pool-a", "--tag", "team=vision", "--tag", "keep", "-o", "json")
    made = json.loads(run(service, tmp_path, *words)[0])
    assert made["pool"] == {"id": "pool-a", "name": "Fast"}
    assert made["tags"] == [{"key": "keep", "value": ""}, {"key": "team", "value": "vision"}]
    assert run(service, tmp_path, "tag", "tagged", "team=speech", "stage=dev") == ("", "")
    assert run(service, tmp_path, "untag", "tagged", "keep", "never") == ("", "")
    shown = dict(line.split(None, 1) for line in run(service, tmp_path, "show", "tagged")[0].splitlines())
    assert (shown["pool"], shown["tags"]) == ("Fast", "stage=dev, team=speech")
    table = run(service, tmp_path, "tags")[0].splitlines()
    assert [line.split() for line in table[:1] + table[2:]] == [
        ["KEY", "VALUES"], ["stage", "dev"], ["team", "speech"],
    ]  # fmt: skip
    assert "tags[0].key is _sys_a" in run(service, tmp_path, "tag", "tagged", "_sys_a=1", code=1)[1]

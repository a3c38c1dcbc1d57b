"""`nbfleet mount`, run as people run it."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest

from support.service import Service

SHARE = '[[shares]]\nname = "sets"\nroot = "/nowhere"\nwithout_pool = true\n'


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory = tmp_path_factory.mktemp("mounts")
    config = directory / "nbfleet.toml"
    config.write_text(SHARE, encoding="utf-8")
    made = Service(directory / "data", runtime="simulated", arguments=["--config", str(config)]).start()
    run(made, "create", "mine")
    yield made
    made.clear_away()


def run(service: Service, *words: str, code: int = 0) -> tuple[str, str]:
    environment = os.environ | {"NBFLEET_DATA_DIR": str(service.data_dir), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "nbfleet", *words], capture_output=True, text=True, env=environment,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout, done.stderr


def listed(service: Service) -> list[tuple[str, str, str]]:
    found = json.loads(run(service, "mount", "list", "mine", "-o", "json")[0])
    return [(one["mount_path"], one["uri"], one["status"]) for one in found["data"]]


def test_buckets_and_shares_come_and_go(service: Service) -> None:
    table = run(service, "mount", "add", "mine", "obs://team-bucket/a/dir1/")[0].split("\n")
    assert table[0].split() == ["PATH", "SOURCE", "STATUS", "ID"]
    assert table[2].split()[:3] == ["/data/dir1/", "obs://team-bucket/a/dir1/", "MOUNTED"]
    added = json.loads(run(service, "mount", "add", "mine", "sets:/", "-o", "json")[0])
    assert (added["category"], added["mount_path"], added["status"]) == ("EFS", "/data/sets/", "MOUNTED")
    assert added["efs_id"] == str(uuid.uuid5(uuid.NAMESPACE_DNS, "sets"))
    waiting = run(service, "mount", "add", "mine", "obs://b-1/x/", "/data/own/", "--no-wait")[0]
    assert waiting.split("\n")[2].split()[:3] == ["/data/own/", "obs://b-1/x/", "MOUNTING"]
    assert [path for path, _, _ in listed(service)] == ["/data/dir1/", "/data/sets/", "/data/own/"]

    gone = json.loads(run(service, "mount", "remove", "mine", added["id"], "-o", "json")[0])
    assert gone == added | {"status": "UNMOUNTED"}
    run(service, "mount", "remove", "mine", "/data/dir1")
    table = run(service, "mount", "list", "mine")[0].split("\n")
    assert [line.split()[0] for line in table[2:] if line.strip()] == ["/data/own/"]


def test_what_is_refused_says_why(service: Service) -> None:
    for words, code, reason in (
        (("add", "mine", "sets:/", "/etc/"), 1, "mount_path"),
        (("add", "mine", "sets:/", "--efs-id", str(uuid.UUID(int=1))), 1, "the id of the share sets"),
        (("add", "mine", "obs://b-1/", "/data/x/"), 1, "not the root of a bucket"),
        (("add", "nobody", "sets:/"), 5, "There is no notebook called nobody."),
        (("remove", "mine", "/data/nothing/"), 5, "Nothing is mounted on /data/nothing/."),
        (("remove", "mine", str(uuid.UUID(int=1))), 5, "does not exist"),
    ):
        assert reason in run(service, "mount", *words, code=code)[1]

"""`nbfleet workspace` and `nbfleet quota`, run as people run them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("workspaces") / "data", runtime="simulated").start()
    for name in ("alice", "bob"):
        run(made, "user", "add", name, "--data-dir", str(made.data_dir))
    yield made
    made.clear_away()


def run(service: Service, *words: str, code: int = 0) -> tuple[str, str]:
    environment = os.environ | {"NBFLEET_DATA_DIR": str(service.data_dir), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "nbfleet", *words], capture_output=True, text=True, env=environment,
        timeout=60, check=False, cwd=Path(service.data_dir),
    )  # fmt: skip
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout, done.stderr


def added(service: Service, *words: str) -> str:
    told = run(service, "workspace", "add", *words)[0]
    found = re.fullmatch(rf"Workspace {words[0]} has the id ([0-9a-f]{{32}})\.\n", told)
    assert found is not None
    return found[1]


def shown(service: Service, name: str) -> dict[str, str]:
    lines = run(service, "workspace", "show", name)[0].splitlines()
    return {
        key.strip(): value for key, _, value in (re.sub(r"  +", "\t", one).partition("\t") for one in lines)
    }


def test_the_life_of_a_workspace(service: Service) -> None:
    own = added(service, "research", "--open-to", "internal", "--grant", "bob", "--description", "[x]")
    table = run(service, "workspace", "list")[0].splitlines()
    assert [" ".join(line.split()) for line in table if "research" in line or "default" in line] == [
        "default PUBLIC nbfleet 0", f"research INTERNAL admin {own}",
    ]  # fmt: skip
    assert table[-1] == "2 of 2"
    assert shown(service, "research") == {
        "name": "research", "id": own, "open to": "INTERNAL", "owner": "admin", "description": "[x]",
        "granted": "bob",
    }  # fmt: skip
    assert run(service, "workspace", "grant", "research", "alice")[0] == "research is open to alice.\n"
    assert shown(service, own)["granted"] == "alice, bob"
    assert run(service, "workspace", "revoke", "research", "bob")[0] == "research is not open to bob.\n"
    whole = json.loads(run(service, "workspace", "show", "research", "-o", "json")[0])
    assert [one["user_name"] for one in whole["grants"]] == ["alice"]
    run(service, "workspace", "set", "research", "--name", "vision", "--open-to", "PUBLIC")
    assert shown(service, "vision")["open to"] == "PUBLIC"
    refused = run(service, "workspace", "grant", "vision", "bob", code=1)[1]
    assert refused.splitlines()[0] == "Error: Grants do not count where a workspace is PUBLIC."
    assert run(service, "workspace", "users")[0] == "admin\nalice\nbob\n"
    assert run(service, "workspace", "delete", "vision")[0] == "vision is gone.\n"
    assert "There is no workspace called vision." in run(service, "workspace", "show", "vision", code=5)[1]


def test_what_cannot_be_done_is_said(service: Service) -> None:
    assert "Nothing to change" in run(service, "workspace", "set", "0", code=2)[1]
    assert "cannot be renamed" in run(service, "workspace", "set", "0", "--name", "other", code=1)[1]
    assert "cannot be deleted" in run(service, "workspace", "delete", "default", code=1)[1]
    twins = sorted(added(service, "twins") for _ in range(2))
    told = run(service, "workspace", "delete", "twins", code=1)[1]
    assert told.startswith("Error: 2 workspaces are called twins.")
    assert sorted(re.findall(r"[0-9a-f]{32}", told)) == twins
    assert "grants[0].user_name is nobody" in run(
        service, "workspace", "add", "with-nobody", "--open-to", "INTERNAL", "--grant", "nobody", code=1
    )[1]  # fmt: skip


def limits(service: Service, *words: str) -> list[list[str]]:
    table = run(service, "quota", "list", *words)[0].splitlines()
    return [line.split() for line in table if re.match(r"\s*(count|vcpu|memory|storage)\b", line)]


def test_quotas_are_set_shown_and_removed(service: Service) -> None:
    place = added(service, "limited")
    told = run(service, "quota", "set", "count", "1", "--everyone")[0]
    assert told == "From now on: at most 1 notebooks for each user.\n"
    assert run(service, "quota", "set", "vcpu", "4", "--user", "alice")[0] == (
        "From now on: at most 4 vCPUs for the user alice.\n"
    )
    assert run(service, "quota", "set", "storage", "50", "--workspace", place)[0] == (
        "From now on: at most 50 GB for the workspace limited.\n"
    )
    assert run(service, "quota", "set", "memory", "none")[0] == (
        "From now on: no limit for the project local.\n"
    )
    run(service, "create", "first", "--workspace", place)
    refused = run(service, "create", "second", code=1)[1]
    assert "The quota notebook.count of the user is 1: 1 used, 1 more asked for." in refused
    assert limits(service, "--everyone") == [["count", "1", "notebooks"], ["vcpu", "none"],
                                             ["memory", "none"], ["storage", "none"]]  # fmt: skip
    assert limits(service, "--workspace", place)[3] == ["storage", "50", "GB", "5"]
    assert shown(service, "limited")["notebook.storage"] == "5 of 50 GB"
    assert limits(service, "--user", "alice")[1] == ["vcpu", "4", "vCPUs", "0"]
    whole = json.loads(run(service, "quota", "list", "--user", "alice", "-o", "json")[0])
    assert whole[1] == {"resource": "notebook.vcpu", "quota": 4, "used": 0}
    assert run(service, "quota", "remove", "count", "--everyone")[0] == (
        "The quota of count is removed for each user.\n"
    )
    run(service, "create", "second", "--no-wait")
    refused = run(service, "quota", "remove", "count", "--everyone", code=1)[1]
    assert refused.splitlines()[0] == "Error: No quota of count is set for each user."


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("set", "count", "0"), 2, "VALUE is 0; allowed: none, or 1 to 2147483647."),
        (("set", "gpus", "1"), 2, "'gpus' is not one of"),
        (("set", "count", "1", "--everyone", "--user", "bob"), 2, "exclude each other"),
        (("set", "count", "1", "--user", "nobody"), 1, "There is no user nobody."),
        (("set", "count", "1", "--workspace", "f" * 32), 1, f"There is no workspace {'f' * 32}."),
        (("list", "--project", "none"), 1, "There is no project none."),
    ],
)
def test_what_cannot_be_limited(service: Service, words: tuple[str, ...], code: int, told: str) -> None:
    assert told in run(service, "quota", *words, code=code)[1]

"""Roles and flavors on the command line."""

import json
from collections.abc import Iterator

import pytest

from support.service import Service
from support.shell import Shell

STOP = "modelarts:notebook:stop"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("roles") / "data", runtime="simulated").start()
    yield Shell(service)
    service.clear_away()


def test_a_role_is_made_given_changed_and_deleted(shell: Shell) -> None:
    reach = "nbfleet:notebook:actOnAll"
    added = shell.run("role", "add", "stopper", "--like", "member", "--action", reach)
    assert added == ("The role stopper has 22 actions.\n", "")
    shell.run("user", "add", "dana", "--role", "stopper", "--password-stdin", stdin="word\n")
    users = {one["name"]: one["roles"] for one in shell.json("user", "list")}
    assert users["dana"] == {"local": "stopper"}
    listed = {one["name"]: one for one in shell.json("role", "list")}
    assert list(listed) == ["administrator", "member", "stopper"]
    assert (listed["administrator"]["actions"], listed["stopper"]["memberships"]) == (["*"], 1)
    assert shell.run("role", "change", "stopper", "--remove", STOP)[0] == "The role stopper has 21 actions.\n"
    shown = shell.run("role", "show", "stopper")[0].split()
    assert (len(shown), STOP in shown, reach in shown) == (21, False, True)
    refused = shell.run("role", "delete", "stopper", code=1)[1]
    assert refused.startswith("Error: 1 memberships are of the role stopper; give them another one first.\n")
    shell.run("user", "role", "dana", "local", "member")
    assert shell.run("role", "delete", "stopper")[0] == "The role stopper is deleted.\n"
    refused = shell.run("user", "role", "dana", "local", "stopper", code=1)[1]
    assert refused.startswith("Error: There is no role stopper; there are administrator, member.\n")


def test_the_actions_are_told_with_their_operations(shell: Shell) -> None:
    lines = [line.split() for line in shell.run("role", "actions")[0].splitlines()]
    assert [STOP, "StopNotebook"] in lines


def test_flavors_are_listed(shell: Shell) -> None:
    lines = [line.split() for line in shell.run("flavor", "list")[0].splitlines()]
    assert lines[0] == ["ID", "VCPUS", "GIB", "DEVICES", "FREE", "NAME"]
    assert lines[2] == ["modelarts.vm.cpu.1u", "1", "2", "yes", "CPU:", "1vCPUs", "2GB"]
    assert [one["sold_out"] for one in json.loads(shell.run("flavor", "list", "-o", "json")[0])["data"]] == (
        [False] * 3
    )
    assert len(shell.run("flavor", "list", "--category", "gpu")[0].splitlines()) == 2

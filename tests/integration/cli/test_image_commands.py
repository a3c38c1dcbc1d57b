"""`nbfleet image`, run as people run it: against a service without processes, and one that really tries."""

import re
from collections.abc import Iterator

import pytest

from support.service import Service
from support.shell import Shell
from support.shelves import put

PATH = "registry.example/team-a/torch:2.9"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("cli") / "data", runtime="simulated").start()
    yield Shell(service)
    service.clear_away()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("cli") / "data").start()
    yield Shell(service)
    service.clear_away()


def test_an_image_goes_through_its_life(shell: Shell) -> None:
    made = shell.json("image", "register", PATH, "--description", "demo", "--tag", "x", "--public")
    assert (made["status"], made["swr_path"], made["description"], made["visibility"]) == (
        "ACTIVE", PATH, "demo", "PUBLIC",
    )  # fmt: skip
    for name in (made["id"], "torch:2.9", "team-a/torch:2.9", PATH):
        assert shell.json("image", "show", name) == made
    del made["support_res_categories"]
    everything = shell.json("image", "list")
    assert [one["type"] for one in everything] == ["BUILD_IN", "DEDICATED"]
    assert everything[1] == made
    assert shell.json("image", "list", "--type", "dedicated", "--name", "none") == []
    table, note = shell.run("image", "list", "--sort", "name", "--asc")
    assert [line.split()[:2] for line in table.splitlines() if "/" in line][1] == [
        "team-a/torch:2.9",
        "ACTIVE",
    ]
    assert (table.splitlines()[-1], note) == ("2 images", "")

    assert shell.json("create", "of-it", "--image", "torch:2.9")["image"]["id"] == made["id"]
    refused = shell.run("image", "delete", "torch:2.9", "--yes", code=1)[1]
    assert "cannot be deleted: instances that use it: 1. (ModelArts.6357" in refused
    shell.run("delete", "of-it", "--yes")
    assert shell.json("image", "sync", "torch:2.9")["status"] == "ACTIVE"
    assert shell.run("image", "delete", "torch:2.9", stdin="n\n", code=130)[0].startswith(
        "Delete team-a/torch:2.9? [y/N]: "
    )
    assert shell.run("image", "delete", "torch:2.9", "--yes") == ("team-a/torch:2.9 is deleted.\n", "")
    missing = shell.run("image", "show", "torch:2.9", code=5)[1]
    assert missing == "Error: There is no image torch:2.9.\nHint: `nbfleet image list` shows them.\n"


def test_groups(shell: Shell) -> None:
    for tag in ("1", "2"):
        shell.run("image", "register", f"localhost/team-b/group:{tag}")
    (group,) = (one for one in shell.json("image", "group", "list") if one["namespace"] == "team-b")
    assert (group["name"], group["version_count"]) == ("group", 2)
    assert re.search(r"^team-b/group +2 ", shell.run("image", "group", "list")[0], re.MULTILINE)
    shell.run("image", "group", "update", "group", code=2)
    done = shell.run("image", "group", "update", "group", "--read-me", "Guide.", "--tag", "a=b", "--tag", "c")
    assert done == ("team-b/group is changed.\n", "")
    assert shell.json("image", "show", "group:2")["tags"] == [{"key": "a", "value": "b"}, {"key": "c"}]
    twice = shell.run("image", "group", "delete", "team-b/group", "--yes")
    assert twice == ("team-b/group is deleted.\n", "")
    assert shell.run("image", "group", "delete", "group", "--yes", code=5)[1].startswith("Error: There is no")


def test_what_is_refused_and_what_fails(real: Shell) -> None:
    missing = real.run("image", "register", "localhost/team-a/none:1", code=1)[1]
    assert missing.startswith("Error: The field swr_path is localhost/team-a/none:1, which does not exist: ")
    put(real.service.data_dir / "images", "localhost/team-a/shell:1")
    output, fault = real.run("image", "register", "localhost/team-a/shell:1", code=1)
    assert output.splitlines() == ["INIT", "CREATING"] or output.splitlines() == ["INIT"]
    assert fault.startswith("Error: team-a/shell:1 is CREATE_FAILED: exited with status 2")
    shown = real.run("image", "show", "shell:1")[0]
    assert re.search(r"^status +.*CREATE_FAILED", shown, re.MULTILINE)

"""`nbfleet list`, `count` and `export` over a seeded fleet, against each other."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.service import Service

ROWS = 1200


class Shell:
    def __init__(self, service: Service) -> None:
        self.environment = os.environ | {"COLUMNS": "120", "NBFLEET_DATA_DIR": str(service.data_dir)}

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "nbfleet", *words], capture_output=True, text=True,
            env=self.environment, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--output", "json")[0])


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    data_dir = tmp_path_factory.mktemp("fleet") / "data"
    seeding = [sys.executable, "-m", "nbfleet", "seed", "--count", str(ROWS), "--data-dir", str(data_dir)]
    subprocess.run(seeding, check=True, capture_output=True, timeout=60)
    service = Service(data_dir, runtime="simulated").start()
    yield Shell(service)
    service.clear_away()


@pytest.fixture(scope="module")
def everything(shell: Shell) -> list[dict[str, Any]]:
    """The documents of all notebooks, the newest first."""
    return [json.loads(line) for line in shell.run("export")[0].splitlines()]


def test_an_export_has_every_notebook_once(shell: Shell, everything: list[dict[str, Any]]) -> None:
    total = shell.json("list", "--limit", "1")["total"]
    assert len({one["id"] for one in everything}) == len(everything) == total
    assert 1000 < total < ROWS  # Some are deleted.
    moments = [one["create_at"] for one in everything]
    assert moments == sorted(moments, reverse=True)


def test_filters_are_those_of_the_list(shell: Shell, everything: list[dict[str, Any]]) -> None:
    some, middle = everything[0], everything[len(everything) // 2]["create_at"]
    changed = sorted(one["update_at"] for one in everything)[len(everything) // 2]
    tag = next(one["tags"][0] for one in everything if one["tags"])
    for words, matches in (
        (["--status", "running,error"], lambda one: one["status"] in ("RUNNING", "ERROR")),
        (["--created-since", str(middle)], lambda one: one["create_at"] >= middle),
        (["--created-until", str(middle)], lambda one: one["create_at"] < middle),
        (["--updated-since", str(changed)], lambda one: one["update_at"] >= changed),
        (["--created-since", "3650d"], lambda one: True),
        (["--updated-until", "2020-01-31T08:00"], lambda one: False),
        (["--tag", f"{tag['key']}={tag['value']}"], lambda one: tag in one["tags"]),
        (["--tag", tag["key"]], lambda one: tag["key"] in [other["key"] for other in one["tags"]]),
        (["--image", some["image"]["id"]], lambda one: one["image"]["id"] == some["image"]["id"]),
        (["--image-path", "PYTORCH"], lambda one: "pytorch" in one["image"]["swr_path"]),
        (["--id", some["id"]], lambda one: one["id"] == some["id"]),
        (["--username", some["user"]["name"]], lambda one: some["user"]["name"] in one["user"]["name"]),
        (["--owner", some["user"]["id"]], lambda one: one["user"]["id"] == some["user"]["id"]),
        (["--workspace", "0"], lambda one: one["workspace_id"] == "0"),
        (["--billing", "compute"], lambda one: one["status"] == "RUNNING"),
        (["--name", "train", "--flavor", "1U"], lambda one: "train" in one["name"].lower()
         and "1u" in one["flavor"]),
        (["--ip", "192.0.2.1"], lambda one: one.get("ip") == "192.0.2.1"),
        (["--pool", "no-such-pool"], lambda one: False),
        (["--pool-name", "nowhere"], lambda one: False),
        (["--description", "nowhere"], lambda one: False),
        (["--feature", "default"], lambda one: one["feature"] == "DEFAULT"),
    ):  # fmt: skip
        expected = [one["id"] for one in everything if matches(one)]
        listed = shell.json("list", *words, "--limit", "1000")
        assert (listed["total"], [one["id"] for one in listed["data"]]) == (len(expected), expected[:1000])
        assert shell.json("count", *words)["total"] == len(expected)


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("status", lambda one: [one["status"]]),
        ("flavor", lambda one: [one["flavor"]]),
        ("owner", lambda one: [one["user"]["id"]]),
        ("image", lambda one: [one["image"]["id"]]),
        ("workspace", lambda one: [one["workspace_id"]]),
        ("tag", lambda one: [f"{tag['key']}|{tag['value']}" for tag in one["tags"]]),
    ],
)
def test_counts_are_those_of_the_export(
    shell: Shell, everything: list[dict[str, Any]], by: str, key: Any
) -> None:
    numbers = Counter(value for one in everything for value in key(one))
    largest = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    counted = shell.json("count", "--by", by, "--limit", "7")
    assert [(group["key"], group["count"]) for group in counted["groups"]] == largest[:7]
    assert (counted["total"], counted["group_total"]) == (len(everything), len(numbers))


def test_a_count_is_drawn(shell: Shell, everything: list[dict[str, Any]]) -> None:
    out, err = shell.run("count", "--limit", "2")
    lines = out.splitlines()
    numbers = Counter(one["status"] for one in everything).most_common(2)
    assert [line.split()[:2] for line in lines[2:4]] == [[name, str(number)] for name, number in numbers]
    assert lines[2].split()[2] == "█" * 30
    assert lines[4].startswith(f"{len(everything)} in all, ")
    assert err == ""


def test_a_walk_by_hand(shell: Shell, everything: list[dict[str, Any]]) -> None:
    out, _ = shell.run("list", "--limit", "3", "--marker", "")
    marker = out.splitlines()[-1].removeprefix("Go on with --marker ")
    following = shell.json("list", "--limit", "3", "--marker", marker)
    assert [one["id"] for one in following["data"]] == [one["id"] for one in everything[3:6]]


def test_a_table_is_written_whole_or_not_at_all(
    shell: Shell, everything: list[dict[str, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "fleet.csv"
    out, err = shell.run("export", str(file), "--asc")
    assert out == f"{len(everything)} notebooks in {file}.\n"
    assert err.splitlines()[-1] == f"Notebooks: {len(everything)} of {len(everything)}"
    with file.open(encoding="utf-8", newline="") as lines:
        assert [row["id"] for row in csv.DictReader(lines)] == [one["id"] for one in reversed(everything)]
    assert [one.name for one in tmp_path.iterdir()] == ["fleet.csv"]
    _, err = shell.run("export", str(tmp_path / "no" / "fleet.csv"), code=1)
    assert err.startswith(f"Error: Cannot write {tmp_path}/no/fleet.csv: No such file or directory.")
    _, err = shell.run("export", str(tmp_path / "other.json"), "--name", "a b", code=1)
    assert err.startswith("Error: The parameter name is a b; allowed: text of")
    assert [one.name for one in tmp_path.iterdir()] == ["fleet.csv"]


def test_a_moment_that_is_none_is_refused(shell: Shell) -> None:
    _, err = shell.run("count", "--created-since", "soon", code=2)
    assert "soon is no time: give 3d, 12h, 30m, 2026-11-25," in err

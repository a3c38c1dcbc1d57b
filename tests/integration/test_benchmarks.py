"""The benchmarks in their smallest form: they run, and the product agrees with the naive schema."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.postgres import Postgres

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
KINDS = 19


def run(name: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *words], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kinds_of_list(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    rows, urls = ["300", "600"], list[str]()
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        urls = ["--url", *(postgres.new_database() for _ in rows)]
    plot = tmp_path / "kinds.svg"
    out = run("kinds.py", "--rows", *rows, *urls, "--repeat", "1", "--plot", str(plot))
    assert out.count(f"{KINDS} kinds agree with the naive schema.") == len(rows)
    assert len(re.findall(r"^geometric mean ", out, re.MULTILINE)) == len(rows)
    assert plot.read_text("utf-8").count("<polyline") == KINDS + 2


def test_state_changes() -> None:
    out = run("writes.py", "--rows", "300", "--count", "3")
    assert re.findall(r"^sqlite +300 ", out, re.MULTILINE) == ["sqlite            300 "]


def test_many_stopped_at_once() -> None:
    lines = run("bulk.py", "--rows", "300", "--count", "20", "--seconds", "0.5").splitlines()
    assert [re.findall(r"^(?:quiet|while 20 stop) ", line) for line in lines[-6:-2]] == [
        ["quiet "], [], ["while 20 stop "], [],
    ]  # fmt: skip
    assert lines[-2:] == ["20 done", "19 STOPPED, 1 STOPPING"]


def test_the_whole_fleet_once() -> None:
    lines = run("walk.py", "--rows", "1200").splitlines()
    met = int(re.findall(r"1200 notebooks: (\d+) met", lines[-3])[0])
    assert 1000 < met < 1200
    assert [re.findall(r"(\w+): (\d+) lines", line) for line in lines[-2:]] == [
        [("ndjson", str(met))],
        [("csv", str(met + 1))],
    ]


def test_everything_at_once() -> None:
    out = run("mixed.py", "--rows", "300", "--seconds", "0.5")
    names = ["first page, quiet", "first page, busy", "worst search, busy", "health, crowded"]
    answers = {name: int(re.findall(rf"^{name} +(\d+)", out, re.MULTILINE)[0]) for name in names}
    assert min(answers.values()) > 0


def test_the_first_page_against_its_floors() -> None:
    out = run("list_page.py", "--rows", "300", "--requests", "50", "--rounds", "1", "--signed")
    found = re.findall(r"^(bare|static|product|in turn|cached) ", out, re.MULTILINE)
    assert found == ["bare", "static", "product", "in turn", "cached"]

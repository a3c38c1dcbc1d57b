"""`nbfleet bulk` against a running service: what it shows, asks, does and tells."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from support.service import Service
from support.shell import Shell

BEGUN = re.compile(r"The action (\S+) has begun\.")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    service = Service(tmp_path_factory.mktemp("bulk") / "data", runtime="simulated").start()
    try:
        made = Shell(service)
        for name, tag in (("alpha", "course=ml"), ("beta", "course=ml"), ("gamma", "course=ai")):
            made.run("create", name, "--tag", tag)
        yield made
    finally:
        service.clear_away()


def ids(shell: Shell) -> dict[str, str]:
    return {one["name"]: one["id"] for one in shell.json("list")["data"]}


def states(shell: Shell) -> dict[str, str]:
    return {one["name"]: one["status"] for one in shell.json("list")["data"]}


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if "─" not in line]


def listed(action: dict[str, Any]) -> dict[str, Any]:
    """Without how notebooks stand by now, which is another thing soon."""
    return {name: value for name, value in action.items() if name not in ("now", "in_motion")}


def begun(text: str) -> str:
    found = BEGUN.search(text)
    assert found is not None, text
    return found[1]


def test_an_action_from_its_preview_to_its_end(shell: Shell) -> None:
    known = ids(shell)
    words = ("bulk", "stop", "--tag", "course=ml")
    preview = [
        ["To", "stop:", "2", "of", "2", "notebooks."],
        ["NAME", "STATUS", "ID"],
        ["beta", "RUNNING", known["beta"]],
        ["alpha", "RUNNING", known["alpha"]],
    ]
    out, err = shell.run(*words, stdin="n\n", code=130)
    assert (lines(out), err) == (preview, "Stop 2 notebooks? [y/N]: ")
    assert states(shell) == dict.fromkeys(known, "RUNNING")
    assert lines(shell.run("bulk", "list")[0])[-1] == ["0", "of", "0"]

    out, err = shell.run(*words, stdin="y\n")
    assert lines(out) == [*preview, ["Ended:", "2", "done."]]
    action_id = begun(err)
    assert "Notebooks: 2 of 2" in err
    shell.run("stop", "gamma")  # Waits until it is stopped, and the others were before it.
    assert states(shell) == dict.fromkeys(known, "STOPPED")

    listed = lines(shell.run("bulk", "list")[0])
    assert (listed[0], listed[1][:4], listed[1][5:], listed[2:]) == (
        ["ACTION", "STATE", "RESULTS", "AGE", "ID"],
        ["stop", "Ended", "2", "done"],
        [action_id],
        [["1", "of", "1"]],
    )
    shown = [
        ["Stop,", "ended:", "2", "done."],
        ["By", "now:", "2", "STOPPED."],
        ["NAME", "RESULT", "NOW", "WHY", "ID"],
    ]
    rows = [[name, "done", "STOPPED", known[name]] for name in ("beta", "alpha")]
    assert lines(shell.run("bulk", "show", action_id)[0]) == [*shown, *rows, ["2", "of", "2"]]
    failed = lines(shell.run("bulk", "show", action_id, "--result", "failed")[0])
    assert failed == [*shown, ["0", "of", "0"]]
    assert shell.run("bulk", "cancel", action_id)[0] == "Ended: 2 done.\n"


def test_what_was_not_done_is_told_and_a_failure_is_one(shell: Shell) -> None:
    known = ids(shell)
    shell.run("tag", "gamma", *(f"key-{number}" for number in range(19)))
    out, err = shell.run("bulk", "tag", "team=a", "--every", "--yes", code=1)
    told = lines(out)
    assert told[0] == ["To", "tag:", "3", "of", "3", "notebooks."]
    assert told[5:] == [
        ["Ended:", "2", "done,", "1", "failed."],
        ["NAME", "RESULT", "NOW", "WHY", "ID"],
        [
            "gamma",
            "failed",
            *["The", "instance", "would", "have", "21", "tags;", "it", "may", "have", "at", "most", "20."],
            known["gamma"],
        ],
        ["1", "of", "1"],
    ]
    assert err.splitlines()[-2:] == [
        "Error: 1 notebook failed.",
        f"Hint: `nbfleet bulk show {begun(err)} --result failed` tells why.",
    ]
    shell.run("start", "alpha")
    out, _ = shell.run("bulk", "extend", "--hours", "5", "--workspace", "0", "--yes")
    assert lines(out)[0] == ["To", "extend:", "1", "of", "3", "notebooks."]
    assert out.splitlines()[4:6] == [
        "2 will stay as they are: their status does not allow it (STOPPED).",
        "Ended: 1 done, 2 skipped.",
    ]


def test_for_programs_and_jobs_that_are_repeated(shell: Shell) -> None:
    words = ("bulk", "start", "--name", "beta", "--hours", "2", "--yes", "--once", "nightly")
    first = listed(shell.json(*words))
    counts = {"pending": 0, "done": 1, "skipped": 0, "failed": 0, "cancelled": 0}
    assert first == {
        "action": "start",
        "query": {"feature": "*", "workspace_id": "*", "name": "beta"},
        "duration": 7_200_000,
        "id": first["id"],
        "total": 1,
        "settled": 1,
        "counts": counts,
        "create_at": first["create_at"],
        "end_at": first["end_at"],
    }
    # It runs by now, so there is nothing to do again.
    assert {name: shell.json(*words)[name] for name in ("total", "changing")} == {"total": 1, "changing": 0}
    assert shell.json("bulk", "list", "--limit", "1")["data"] == [first]
    assert listed(shell.json("bulk", "show", first["id"])) == first
    (result,) = shell.json("bulk", "show", first["id"], "--result", "done")["data"]
    assert {name: result[name] for name in ("notebook_id", "name", "result")} == {
        "notebook_id": ids(shell)["beta"],
        "name": "beta",
        "result": "done",
    }
    out, err = shell.run("bulk", "delete", "--name", "beta", "--no-wait", stdin="y\n")
    action_id = begun(err)
    assert lines(out)[0] == ["To", "delete:", "1", "of", "1", "notebook."]
    assert action_id in shell.run("bulk", "list")[0]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["stop"], 2, "Error: No filter was given; --every says that every notebook is meant."),
        (["stop", "--workspace", "*"], 2, "Error: No filter was given; --every says"),
        (["extend", "--every"], 2, "Error: Say for how long: --hours, or --no-auto-stop."),
        (
            ["extend", "--every", "--hours", "0.1"],
            1,
            "Error: The duration duration is 360000; allowed: -1 or",
        ),
        (["tag", "a;b", "--every"], 1, "Error: The field tag.key is a;b; allowed: letters and digits"),
        (["stop", "--status", "LOST"], 1, "Error: The parameter status is LOST; allowed:"),
        (["show", "00000000-0000-4000-8000-000000000000"], 5, "Error: The action 00000000-0000-4000-8000"),
    ],
)
def test_what_cannot_be_done_is_said(shell: Shell, words: list[str], code: int, message: str) -> None:
    _, err = shell.run("bulk", *words, code=code)
    assert message in err

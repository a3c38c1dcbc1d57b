"""Each documented field of a request does what the table of fields says: nothing is silently ignored.

Three sites: the simulated runtime, what the runtime local can do on a machine that mounts, and on one that
does not. The instances of all three are simulated; what really happens is shown by the tests that rows name.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from nbfleet.domain.notebook import Ability
from nbfleet.runtimes.simulated import SimulatedRuntime
from nbfleet.store import notebooks, schema
from nbfleet.store.database import Connection
from nbfleet.wire.images import Image
from support import field_walk
from support.client import Answer, Caller
from support.field_rows import ABSENT, IMAGE, SITE, WORKSPACE, Kind, Probe, Refused, Row, Shown
from support.fields import CREATE, ROWS, UPDATE
from support.hosted import Hosted
from support.people import DATABASES
from support.service import wait_for

TESTS = Path(__file__).parents[2]
ABILITIES = {
    "simulated": SimulatedRuntime.abilities,
    "local": frozenset({Ability.HOOKS, Ability.READ_ONLY, Ability.OBJECT_STORAGE}),
    "bare": frozenset({Ability.HOOKS}),
}
_STEP = re.compile(r"(\w+)|\[(\d+)\]")
CASES = [(one, probe) for one in ROWS for probe in one.probes]
# What a runtime can do is asked before the store is: the databases differ in what is kept only.
SITES = [*(("simulated", database) for database in DATABASES), ("local", "sqlite"), ("bare", "sqlite")]
SENT = [
    pytest.param(site, row, probe, id="-".join((*site, row.operation, row.field, probe.about)))
    for site in SITES
    for row, probe in CASES
    if site[0] != "bare" or probe.bare is not None
]


class Site:
    def __init__(self, hosted: Hosted, name: str) -> None:
        self.hosted, self.name = hosted, name
        self.alice = hosted.user("alice", "local")
        hosted.database.write_now(self._furnish)

    def _furnish(self, connection: Connection) -> None:
        image = Image(id=IMAGE, name="other", swr_path="localhost/test/other:1", tag="1")
        notebooks.put_image(connection, image, self.hosted.clock.now)
        p = schema.projects.c
        number = connection.execute(select(p.no).where(p.id == self.alice.project_id)).scalar_one()
        connection.execute(insert(schema.workspaces).values(project_no=number, id=WORKSPACE, name="lab-1"))


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name, database = request.param
    directory = tmp_path_factory.mktemp(name)
    url = f"sqlite:///{directory}/test.db"
    if database == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    runtime = "simulated" if name == "simulated" else "local"
    options = SITE | {"runtime": runtime}
    hosted = Hosted(directory, url, options, abilities=ABILITIES[name]).start()
    yield Site(hosted, name)
    hosted.stop()


def laid_over(ordinary: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (ordinary | more).items() if value is not ABSENT}


def create(site: Site, probe: Probe) -> tuple[Answer, str]:
    """The answer, and the id of what was made."""
    answer = site.alice.post("", laid_over(site.alice.body(), probe.body))
    return answer, answer.json["id"] if answer.status == 200 else ""


def update(site: Site, probe: Probe) -> tuple[Answer, str]:
    # What cannot be had here cannot be changed either: an ordinary notebook is asked for the same.
    made = probe.made if probe.on(site.name) == probe.outcome else {"pool_id": probe.made.get("pool_id", "")}
    one = site.alice.stopped(**made)
    return site.alice.put(f"/{one['id']}", probe.body), one["id"]


SEND = {CREATE: create, UPDATE: update}


def at(value: Any, path: str) -> Any:
    """What stands there in an answer or a record; ABSENT where nothing does."""
    for name, index in _STEP.findall(path):
        if name:
            value = value.get(name, ABSENT) if isinstance(value, dict) else getattr(value, name)
        elif value is not ABSENT:
            value = value[int(index)] if int(index) < len(value) else ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def read(site: Site, notebook_id: str, place: str) -> Any:
    """As a running instance shows it, or as the runtime was told when it was started."""
    alice: Caller = site.alice
    if alice.get(f"/{notebook_id}").json["status"] == "STOPPED":
        assert alice.post(f"/{notebook_id}/start").status == 200
    shown = alice.until(notebook_id, "RUNNING")
    if place.startswith("runtime:"):
        return at(site.hosted.given[notebook_id], place.removeprefix("runtime:"))
    return at(shown, place)


@pytest.mark.parametrize(("site", "row", "probe"), SENT, indirect=["site"])
def test_a_request_does_with_a_field_what_the_table_says(site: Site, row: Row, probe: Probe) -> None:
    expected = probe.on(site.name)
    answer, made = SEND[row.operation](site, probe)
    if isinstance(expected, Refused):
        told = Refused(answer.status, answer.json.get("error_code"), answer.json.get("error_msg"))
        assert told == expected
        return
    assert answer.status == 200, answer.raw

    def found() -> Shown:
        return replace(expected, value=read(site, made, expected.place))

    if expected.place == "volume.capacity":  # Grows in its time.
        wait_for("it to grow", lambda: found() == expected, 10, 0.01)
    assert found() == expected
    assert site.alice.delete(f"/{made}").status == 200


@pytest.mark.parametrize("operation", sorted(SEND))
def test_every_field_has_a_row_and_every_row_a_field(operation: str) -> None:
    rows = [one.field for one in ROWS if one.operation == operation]
    assert sorted(rows) == sorted(field_walk.fields(operation))


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def test_what_works_names_a_test_that_is_there() -> None:
    unproven = [(one.operation, one.field) for one in ROWS if one.kind is Kind.WORKS and not one.proof]
    proofs = {one.proof for one in ROWS if one.proof}
    split = [(proof, *proof.split("::")) for proof in proofs]
    gone = [proof for proof, file, test in split if test not in names_in(file)]
    assert (unproven, gone) == ([], [])


def test_each_row_gives_the_field_a_value() -> None:
    """A probe for a field that does not hold the field would show nothing."""

    def holds(body: Any, steps: list[str]) -> bool:
        if not steps:
            return True
        if steps[0] == "[]":
            return isinstance(body, list) and any(holds(one, steps[1:]) for one in body)
        return isinstance(body, dict) and steps[0] in body and holds(body[steps[0]], steps[1:])

    def steps(field: str) -> list[str]:
        return re.findall(r"\w+|\[\]", field)

    assert [(one.field, p.about) for one, p in CASES if not holds(p.body, steps(one.field))] == []

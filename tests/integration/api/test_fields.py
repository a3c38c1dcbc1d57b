"""Each documented field of a request does what the table of fields says: nothing is silently ignored.

Three sites: the simulated runtime, what the runtime local can do on a machine that mounts, and on one that
does not. The instances of all three are simulated; what really happens is shown by the tests that rows name.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from nbfleet.domain.notebook import Ability
from nbfleet.runtimes.simulated import SimulatedRuntime
from support import field_walk, fields, fields_elsewhere
from support.field_rows import SITE, Kind, Probe, Refused, Row
from support.field_site import SEND, Site, at
from support.hosted import Hosted
from support.people import DATABASES

TESTS = Path(__file__).parents[2]
ABILITIES = {
    "simulated": SimulatedRuntime.abilities,
    "local": frozenset({Ability.HOOKS, Ability.READ_ONLY, Ability.OBJECT_STORAGE}),
    "bare": frozenset({Ability.HOOKS}),
}
ROWS = (*fields.ROWS, *fields_elsewhere.ROWS)
CASES = [(one, probe) for one in ROWS for probe in one.probes]
# What a runtime can do is asked before the store is: the databases differ in what is kept only.
SITES = [*(("simulated", database) for database in DATABASES), ("local", "sqlite"), ("bare", "sqlite")]
SENT = [
    pytest.param(site, row, probe, id="-".join((*site, row.operation, row.field, probe.about)))
    for site in SITES
    for row, probe in CASES
    if site[0] != "bare" or probe.bare is not None
]


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


# Without the scope each request would get a site of its own.
@pytest.mark.parametrize(("site", "row", "probe"), SENT, indirect=["site"], scope="module")
def test_a_request_does_with_a_field_what_the_table_says(site: Site, row: Row, probe: Probe) -> None:
    expected = probe.on(site.name)
    answer, shown = site.send(row.operation, probe)
    if isinstance(expected, Refused):
        told = (answer.status, answer.json.get("error_code"), answer.json.get("error_msg"))
        assert told == (expected.status, expected.code, site.filled(expected.message))
        return
    assert answer.status in (200, 201, 204), answer.raw
    assert at(shown(), expected.place) == site.filled(expected.value)


@pytest.mark.parametrize("operation", sorted(SEND))
def test_every_field_has_a_row_and_every_row_a_field(operation: str) -> None:
    rows = [one.field for one in ROWS if one.operation == operation]
    assert sorted(rows) == sorted(field_walk.fields(operation))


def test_every_operation_with_fields_is_in_the_table() -> None:
    assert sorted(field_walk.operations_with_fields()) == sorted(SEND)


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

    def given(field: str, probe: Probe) -> bool:
        return field[1:] in probe.query if field[0] == "?" else holds(probe.body, steps(field))

    assert [(one.field, probe.about) for one, probe in CASES if not given(one.field, probe)] == []

"""Walks through the lives of notebooks, made by schemathesis: what a create answers is what later calls name.

The served document is narrowed to notebooks, and told which answers lead to which operations. No step may be
a fault of ours or break the document. scripts/soak walks further.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from nbfleet.domain.access import Role
from nbfleet.services.catalogue import BUILT_IN_ID
from nbfleet.settings import DEFAULT_FLAVORS
from nbfleet.wire.operations import OPERATIONS
from support import stage
from support.client import Caller, document

load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
CONFIG = """
[generation]
mode = "positive"
allow-extra-parameters = false
with-security-parameters = false
"""
SHORT, LONG, AT_ONCE = 24, 2_000, 50  # Walks.
STEPS = 12
OURS = {501, 503}
WORDS = ("id", "instance_id", "resource_id")
NEW: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "flavor", "image_id", "volume"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]{1,12}$"},
        "flavor": {"enum": [one.id for one in DEFAULT_FLAVORS]},
        "image_id": {"enum": [BUILT_IN_ID]},
        "volume": {"enum": [{"category": "EVS", "ownership": "MANAGED"}]},
    },
}


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    directory = tmp_path_factory.mktemp("walks")
    with stage.set_up(directory, f"sqlite:///{directory}/test.db") as made:
        yield made.logged_in(made.member("walker", role=Role.ADMINISTRATOR))


def of_notebooks(served: dict[str, Any], project_id: str) -> dict[str, Any]:
    """The document with the operations on notebooks only, and links from the create to each of them."""
    links = {
        one.id: {"operationId": one.id, "parameters": {word: "$response.body#/id"}}
        for one in OPERATIONS
        for word in WORDS
        if f"/notebooks/{{{word}}}" in one.path
    }
    kept = {one.id for one in OPERATIONS if one.id in links or one.id in ("CreateNotebook", "ListNotebooks")}
    paths: dict[str, Any] = {}
    for path, item in served["paths"].items():
        for method, described in item.items():
            if described["operationId"] in kept:
                paths.setdefault(path, {})[method] = {**described, "parameters": known(described, project_id)}
    create = paths["/v1/{project_id}/notebooks"]["post"]
    create["responses"] = {
        **create["responses"],
        "200": {**create["responses"]["200"], "links": links},
    }
    schemas = {**served["components"]["schemas"], "NotebookCreateRequest": NEW}
    return {**served, "paths": paths, "components": {**served["components"], "schemas": schemas}}


def known(described: dict[str, Any], project_id: str) -> list[dict[str, Any]]:
    return [
        {**one, "schema": {"enum": [project_id]}} if one["name"] == "project_id" else one
        for one in described["parameters"]
    ]


@pytest.mark.soak
def test_no_walk_brings_it_out_of_step(caller: Caller, pytestconfig: pytest.Config) -> None:
    served = of_notebooks(document(caller.port), caller.project_id)
    loaded = schemathesis.openapi.from_dict(served, config=SchemathesisConfig.from_str(CONFIG))
    is_long = bool(pytestconfig.getoption("--soak"))
    steps: Counter[tuple[str, int]] = Counter()
    walked = 0
    session = requests.Session()

    class Walk(loaded.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            headers = {"X-Auth-Token": caller.token}
            return {"base_url": f"http://127.0.0.1:{caller.port}", "session": session, "headers": headers}

        def teardown(self) -> None:
            nonlocal walked
            walked += 1

        def validate_response(self, response: Any, case: Any, *_more: Any, **_named: Any) -> None:
            steps[case.operation.definition.raw["operationId"], response.status_code] += 1
            assert response.status_code < 500 or response.status_code in OURS, response.text
            case.validate_response(response, checks=CHECKED)

    chosen = settings(
        max_examples=AT_ONCE if is_long else SHORT,
        derandomize=not is_long,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    wanted = LONG if is_long else SHORT
    with session:
        for _ in range(3 * wanted // chosen.max_examples):
            # What can be asked next depends on what was answered, which is never quite the same; where
            # Hypothesis notices, it begins anew.
            with suppress(FlakyStrategyDefinition):
                Walk.run(settings=chosen)
            if walked >= wanted:
                break
    print(f"{walked} walks")
    for (name, status), count in sorted(steps.items()):
        print(f"{name} {status}: {count}")
    assert walked >= wanted
    assert steps["CreateNotebook", 200] > 0

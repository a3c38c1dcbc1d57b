"""Requests made from the served document by schemathesis, such as it allows and such as it forbids.

Ids in the document are narrowed to things that exist, so that requests get past the lookup; what a request
used up is made anew. No answer may be a fault of ours, break the document, or accept what it forbids.
scripts/soak runs thousands for each operation.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, reject, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from nbfleet.domain.access import Role
from nbfleet.domain.quotas import Resource
from nbfleet.services.catalogue import BUILT_IN_ID
from nbfleet.settings import DEFAULT_FLAVORS
from nbfleet.wire.operation import Operation
from nbfleet.wire.operations import OPERATIONS
from support import stage
from support.client import Caller, document
from support.stage import Stage

load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
REJECTED = CHECKS.get_by_names(["negative_data_rejection"])
# Undocumented parameters are ignored by design; credentials are ours.
CONFIG = "[generation]\nallow-extra-parameters = false\nwith-security-parameters = false\n"
SHORT, LONG = 3, 2_500  # Examples of one operation, of either kind.
NAMED = {"image_id": [BUILT_IN_ID], "flavor": [one.id for one in DEFAULT_FLAVORS], "workspace_id": ["0"]}
IN_BODIES = {
    "NotebookCreateRequest": NAMED,
    "NotebookUpdateRequest": NAMED,
    "TokenIdentity": {"methods": [["password"]]},
    "PasswordUser": {"name": ["alice"], "password": [stage.PUBLISHED_PASSWORD]},
    "Domain": {"name": [stage.ACCOUNT]},
    "ScopeProject": {"name": [stage.PROJECT]},
    "UpdateWorkspaceQuotasReqQuotas": {"resource": [one.value for one in Resource]},
    "DataVolumesReq": {
        "category": ["OBS", "OBSFS"],
        "uri": ["obs://team-bucket/dir1/"],
        "mount_path": [f"/data/dir{number}/" for number in range(100)],
    },
}
# Fields that the document lets be left out, and without which nothing else is looked at.
NEEDED = {"TokenIdentity": ["password"], "PasswordUser": ["name"]}
# Refused after once, until it is moved back or there is another.
USED_UP = {"StartNotebook", "StopNotebook", "RegisterImage", "FreezeNotebook", "UnfreezeNotebook"}
OURS = {501, 503}  # Not available, too busy: said on purpose.


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("stage")
    with stage.set_up(directory, f"sqlite:///{directory}/test.db") as made:
        yield made


@pytest.fixture(scope="module")
def caller(published: Stage) -> Caller:
    """An administrator with a token, so that requests need no signature."""
    return published.logged_in(published.member("fuzzer", role=Role.ADMINISTRATOR))


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


class Things:
    """The words in the path and in the body of an operation, and what they stand for now."""

    def __init__(self, published: Stage, caller: Caller, operation: Operation) -> None:
        self._published, self._caller, self._operation = published, caller, operation
        self.first = self._made()
        self._now = self.first
        self._used = 0

    def _made(self) -> dict[str, str]:
        prepared = self._published.prepare(self._operation.id, self._caller)
        image = {"swr_path": prepared.body["swr_path"]} if self._operation.id == "RegisterImage" else {}
        return prepared.words | image

    def stand_for(self, words: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._now[name] if name in self.first and value == self.first[name] else value
            for name, value in words.items()
        }

    def use(self, operation: Operation, status: int) -> None:
        """After a change that succeeded, the next one finds things as they were at first."""
        if operation.method != "GET" and status < 300 and self.first:
            self._used += 1
            if operation.method == "DELETE" or operation.id in USED_UP or self._used % 5 == 0:
                self._now = self._made()


def narrowed(served: dict[str, Any], operation: Operation, project_id: str, words: dict[str, str]) -> Any:
    """The document with the operation alone, its ids being those of things that exist."""
    known = {"project_id": project_id, **words}
    described = dict(served["paths"][operation.path][operation.method.lower()])
    described["parameters"] = [
        {**one, "schema": {"enum": [known[one["name"]]]}} if one["name"] in known else one
        for one in described["parameters"]
    ]
    schemas = dict(served["components"]["schemas"])
    in_bodies = {
        **IN_BODIES,
        "ImageRegRequest": {name: [known[name]] for name in words if name == "swr_path"},
    }
    for name, known_values in in_bodies.items():
        fields = schemas[name]["properties"]
        some = {field: {"enum": values} for field, values in known_values.items() if field in fields}
        schemas[name] = {**schemas[name], "properties": {**fields, **some}}
    for name, fields in NEEDED.items():
        schemas[name] = {**schemas[name], "required": [*schemas[name]["required"], *fields]}
    paths = {operation.path: {operation.method.lower(): described}}
    return {**served, "paths": paths, "components": {**served["components"], "schemas": schemas}}


def typed(operation: Operation) -> bool:
    return any(one.type is not str for one in operation.parameters)


def runs() -> list[Any]:
    """Nothing can be wrong with the request of an operation that takes nothing but plain text."""
    return [
        pytest.param(operation, mode, id=f"{operation.id}-{mode.value}")
        for operation in OPERATIONS
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or operation.body or typed(operation)
    ]


@pytest.mark.soak
@pytest.mark.parametrize(("operation", "mode"), runs())
def test_no_request_brings_it_out_of_step(
    published: Stage,
    caller: Caller,
    session: requests.Session,
    operation: Operation,
    mode: GenerationMode,
    request: pytest.FixtureRequest,
) -> None:
    things = Things(published, caller, operation)
    served = narrowed(document(caller.port), operation, caller.project_id, things.first)
    loaded = schemathesis.openapi.from_dict(served, config=SchemathesisConfig.from_str(CONFIG))
    strategy = loaded[operation.path][operation.method.lower()].as_strategy(generation_mode=mode)
    base, headers = f"http://127.0.0.1:{caller.port}", {"X-Auth-Token": caller.token or ""}
    statuses: Counter[int] = Counter()
    is_wrong = mode is GenerationMode.NEGATIVE

    @settings(
        max_examples=LONG if request.config.getoption("--soak") else SHORT,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def run(case: Case) -> None:
        if not is_wrong:
            case.path_parameters = things.stand_for(dict(case.path_parameters or {}))
            case.body = things.stand_for(case.body) if isinstance(case.body, dict) else case.body
        try:
            answer = case.call(base_url=base, session=session, headers=headers)
        except (requests.exceptions.InvalidHeader, UnicodeEncodeError):
            reject()  # Nothing was sent.
        statuses[answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code in OURS, answer.text
        case.validate_response(answer, checks=[*CHECKED, *(REJECTED if is_wrong else [])])
        if not is_wrong:
            things.use(operation, answer.status_code)

    run()
    print(f"{operation.id} {mode.value}: {dict(sorted(statuses.items()))}")
    assert sum(statuses.values()) > 0

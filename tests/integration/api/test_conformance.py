"""All operations of the contract, replayed on a running service: by plain HTTP and with the official SDK.

What is expected follows from the published examples and from the table of operations; an operation without a
handler must say that it is not available. docs/compatibility.md tells the outcome; the last tests compare.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from huaweicloudsdkcore.exceptions import exceptions

from nbfleet.api.handlers import HANDLERS
from nbfleet.wire.openapi import document
from nbfleet.wire.operations import OPERATIONS, by_id
from support import contract, sdk_replay, stage
from support.client import Answer
from support.contract import EXAMPLES, OPERATION_IDS, examples
from support.people import DATABASES
from support.stage import NEEDS, Stage

SERVED: dict[str, Any] = document("http://notebooks.example.test", "1")
NOT_AVAILABLE = (501, "ModelArts.6361")
# Fields of published answers that ours lack.
LACKING = {
    # Lists have the short form of the image (reference page); the published example has the long one.
    "ListNotebooks": {".data[].image.tag", ".data[].image.description"},
    # There is an address only while something runs behind it.
    "UpdateNotebook": {".url"},
    "DeleteNotebook": {".url"},
    "StartNotebook": {".url"},
    "StopNotebook": {".url"},
    # Features are fixed: nobody made or changed them.
    "ListFeatures": {".create_at", ".update_at"},
}
# The SDK has one object where the service sends the published list of objects, and drops the list.
DROPPED_BY_THE_SDK = ("ListPools", "ShowPool")


@pytest.fixture(scope="module", params=DATABASES)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("stage")
    if request.param == "sqlite":
        url = f"sqlite:///{directory}/test.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    with stage.set_up(directory, url) as made:
        yield made


# Each operation with each of its published bodies, or once where none is published.
REQUESTS = [(one, name) for one in OPERATION_IDS for name in examples(one, "body") or [None]]


def expected(operation_id: str, name: str | None) -> tuple[int, str | None]:
    if operation_id not in HANDLERS:
        return NOT_AVAILABLE
    return contract.REFUSED.get((operation_id, name or ""), (by_id(operation_id).status, None))


def outcome(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.json["error_code"] if answer.status >= 400 else None


def echoed(sent: Any, got: Any) -> dict[str, tuple[Any, Any]]:
    """Plain values of the request that the answer has as well, but with another value."""
    if not isinstance(sent, dict) or not isinstance(got, dict):
        return {}
    both = [key for key, value in sent.items() if key in got and isinstance(value, str | int)]
    return {key: (sent[key], got[key]) for key in both if str(sent[key]).lower() != str(got[key]).lower()}


# A renewal counts from the creation; storage asked for as OBS is answered as OBSFS: the contract says so.
CHANGED = {"RenewLease": {"duration"}, "AttachDynamicStorage": {"category"}}


@pytest.mark.parametrize(("operation_id", "name"), REQUESTS)
def test_a_published_request_is_answered_as_published(
    published: Stage, operation_id: str, name: str | None
) -> None:
    body = examples(operation_id, "body").get(name) if name else None
    prepared = published.prepare(operation_id, published.chief, body)
    answer = prepared.send(published.chief)
    assert outcome(answer) == expected(operation_id, name), answer.raw
    if answer.status < 300 and answer.raw:
        got = msgspec.json.decode(answer.raw, type=by_id(operation_id).answer)
        assert json.loads(msgspec.json.encode(got)) == answer.json
        assert echoed(prepared.body, answer.json).keys() <= CHANGED.get(operation_id, set())


@pytest.mark.parametrize("operation_id", [one for one in OPERATION_IDS if one in HANDLERS])
def test_an_answer_has_the_fields_of_the_published_one(published: Stage, operation_id: str) -> None:
    answers = examples(operation_id, "answer")
    if not answers:
        assert operation_id in WITHOUT_ANSWER
        return
    got = published.prepare(operation_id, published.chief).send(published.chief).json
    lacking = {path for value in answers.values() for path in missing(value, got)}
    assert lacking == LACKING.get(operation_id, set())


def missing(published_value: Any, got: Any, path: str = "") -> Iterator[str]:
    """Paths of fields that are in the published value only; the first item stands for a whole list."""
    if isinstance(published_value, dict) and isinstance(got, dict):
        for key, value in published_value.items():
            if key in got:
                yield from missing(value, got[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(published_value, list) and isinstance(got, list) and published_value and got:
        yield from missing(published_value[0], got[0], f"{path}[]")


# Answered without a body, or no answer is published.
WITHOUT_ANSWER = {
    "CreateNotebookTags", "DeleteNotebookTags", "UpdateImageGroup", "DeleteImageGroup",
    "UpdateWorkspaceQuotas", "ListAuthoringClusters", "ShowCluster",
}  # fmt: skip


ANSWERS = [
    pytest.param(operation_id, value, id=f"{operation_id}-{name}")
    for operation_id in OPERATION_IDS
    for name, value in examples(operation_id, "answer").items()
]


@pytest.mark.parametrize(("operation_id", "value"), ANSWERS)
def test_a_published_answer_fits_the_served_document(operation_id: str, value: Any) -> None:
    operation = by_id(operation_id)
    told = SERVED["paths"][operation.path][operation.method.lower()]["responses"][str(operation.status)]
    validate(value, told["content"]["application/json"]["schema"]["$ref"])


@pytest.mark.parametrize("value", EXAMPLES["errors"].values(), ids=EXAMPLES["errors"])
def test_a_published_refusal_fits_the_served_document(value: Any) -> None:
    validate(value, "#/components/schemas/ErrorResponse")


def validate(value: Any, reference: str) -> None:
    schema = {"$ref": reference, "components": SERVED["components"]}
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("operation_id", sdk_replay.METHODS)
def test_the_official_sdk_calls_it(published: Stage, operation_id: str) -> None:
    prepared = published.prepare(operation_id, published.chief)
    if operation_id not in HANDLERS:
        with pytest.raises(exceptions.ServerResponseException) as refused:
            sdk_replay.call(published.chief, prepared)
        assert (refused.value.status_code, refused.value.error_code) == NOT_AVAILABLE
        return
    answer = sdk_replay.call(published.chief, prepared)
    assert answer.status_code == prepared.operation.status
    differences = understood(answer, json.loads(answer.raw_content or b"null"))
    if operation_id in DROPPED_BY_THE_SDK:
        differences = [line for line in differences if not re.fullmatch(r".*\.resources\.\w+: a list", line)]
    assert differences == []


def understood(read: Any, sent: Any, path: str = "") -> list[str]:
    """Where the SDK reads something else than was sent, in the fields that it knows."""
    if isinstance(sent, list) and isinstance(read, list):
        pairs = zip(read, sent, strict=True)
        return [line for number, (a, b) in enumerate(pairs) for line in understood(a, b, f"{path}[{number}]")]
    if isinstance(sent, dict) and hasattr(read, "attribute_map"):
        known = {wire: name for name, wire in read.attribute_map.items()}
        return [
            line
            for wire, value in sent.items()
            if wire in known
            for line in understood(getattr(read, known[wire]), value, f"{path}.{wire}")
        ]
    if isinstance(sent, list) and not isinstance(read, list):
        return [f"{path}: a list"]
    return [] if read == sent or sent is None else [f"{path}: {read!r} is not {sent!r}"]


def test_the_sdk_looks_up_the_project(published: Stage) -> None:
    page = sdk_replay.list_by_region(published.member())
    assert (page.status_code, page.total, page.data) == (200, 0, [])


def test_keystone_gets_a_token(published: Stage) -> None:
    prepared = published.prepare("KeystoneCreateUserTokenByPassword", published.chief)
    user = prepared.body["auth"]["identity"]["password"]["user"]["name"]
    token, project = sdk_replay.keystone_token(published.chief, user)
    assert project == published.chief.project_id
    listed = published.chief.with_token(token or "").get()
    assert (listed.status, listed.json["total"]) == (200, 0)


def test_the_tables_are_complete() -> None:
    assert set(NEEDS) == {operation.id for operation in OPERATIONS}
    assert set(sdk_replay.METHODS) | set(sdk_replay.IDENTITY) == set(OPERATION_IDS)
    assert len(OPERATION_IDS) == 44


PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"


def test_the_page_claims_what_the_tests_above_show() -> None:
    """Each cell of docs/compatibility.md against the arguments that the tests really run with."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if re.match(r"\| \w+ \| `", line)]
    rows = {name: rest for name, _, *rest in (line.strip("| ").split(" | ") for line in lines)}
    assert rows == {one: [*claims(one)] for one in OPERATION_IDS}
    assert list(rows) == list(OPERATION_IDS)


def claims(operation_id: str) -> Iterator[str]:
    """The cells that the tests bear out."""
    if operation_id not in HANDLERS:
        yield from ("no", "no", sdk_replay.IDENTITY.get(operation_id, "no"))
        return
    sent = [name for one, name in arguments(test_a_published_request_is_answered_as_published)
            if one == operation_id and name is not None]  # fmt: skip
    refused = [name for name in sent if expected(operation_id, name)[1] is not None]
    held = [param for param in ANSWERS if param.values[0] == operation_id]
    parts = [number(len(sent), "request") + (f" ({len(refused)} refused by name)" if refused else "")] * bool(
        sent
    )
    parts += [number(len(held), "answer")] * bool(held)
    method = sdk_replay.METHODS.get(operation_id)
    called = method is not None and operation_id in arguments(test_the_official_sdk_calls_it)
    yield "yes"
    yield ", ".join(parts) or "none published; a request of ours"
    yield f"`{method}`" if called else sdk_replay.IDENTITY[operation_id]


def number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def arguments(test: Any) -> list[Any]:
    """What a test is parametrised with."""
    return list(next(mark.args[1] for mark in test.pytestmark if mark.name == "parametrize"))


def test_every_published_request_fits_its_operation() -> None:
    """Path, query and body decode; the ids are those of the stage."""
    for operation_id in OPERATION_IDS:
        operation, need = by_id(operation_id), NEEDS[operation_id]
        bodies = [*examples(operation_id, "body").values(), need.body]
        for body in bodies:
            told = body({"swr_path": "localhost/team/name:1"}) if callable(body) else body
            if told is not None:
                assert operation.body is not None
                msgspec.convert(told, operation.body)
        assert set(need.query) <= {p.name for p in operation.parameters if p.location == "query"}
        required = {p.name for p in operation.parameters if p.required and p.location == "query"}
        assert required <= set(need.query)

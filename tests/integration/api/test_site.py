"""What is beside the operations: unknown paths, health, metrics, the document and its pages."""

import re

import pytest

from nbfleet.api.handlers import HANDLERS
from nbfleet.wire.operations import OPERATIONS
from support.client import Caller, conforms, document, exchange

REQUEST_ID = re.compile(r"[0-9a-f]{32}")
NOT_AVAILABLE = [operation for operation in OPERATIONS if operation.id not in HANDLERS]


def plain(fleet, method: str, target: str, body: bytes | None = None):
    return exchange(fleet.alice.port, method, target, [("Host", "x")], body)


@pytest.mark.parametrize("operation", NOT_AVAILABLE, ids=lambda operation: operation.id)
def test_what_is_not_available_says_so(fleet, operation) -> None:
    path = operation.path.replace("{project_id}", fleet.admin.project_id)
    path = re.sub(r"\{[a-z_]+\}", "00000000-0000-0000-0000-000000000000", path)
    answer = fleet.admin.request(operation.method, path)
    assert answer.refusal == (501, "ModelArts.6361")
    assert answer.message == f"The operation {operation.id} is not available on this service."
    anonymous = Caller(fleet.admin.port, fleet.admin.project_id, fleet.hosted.clock)
    assert anonymous.request(operation.method, path).refusal == (401, "ModelArts.0201")


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/nothing", "/v1/p/notebooks/", "//v1/p/notebooks", "/v2/p/notebooks", "/V1/p/notebooks",
     "/docs/", "/static/x", "/v1/p/notebooks/../..", "/%00", "/%ff", "/v1//notebooks"],
)  # fmt: skip
def test_an_unknown_path_is_told_in_the_envelope(fleet, path: str) -> None:
    answer = plain(fleet, "GET", path)
    conforms(fleet.alice.port, "GET", path, answer)
    assert answer.refusal == (404, "ModelArts.6404")
    assert answer.message.startswith("There is no operation at /")
    assert REQUEST_ID.fullmatch(answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/p/notebooks", "GET, POST"),
        ("POST", "/v1/p/notebooks/all", "GET"),
        ("OPTIONS", "/v1/p/notebooks", "GET, POST"),
        ("HEAD", "/v1/p/notebooks", "GET, POST"),
        ("TRACE", "/v1/p/notebooks/x", "DELETE, GET, PUT"),
        ("GET", "/v3/auth/tokens", "POST"),
    ],
)
def test_an_unknown_method_is_told_in_the_envelope(fleet, method: str, path: str, allowed: str) -> None:
    answer = plain(fleet, method, path)
    conforms(fleet.alice.port, method, path, answer)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)
    if method != "HEAD":
        assert answer.json == {
            "error_code": "ModelArts.0101",
            "error_msg": f"The method {method} is not possible here; allowed: {allowed}.",
        }


def test_every_answer_has_an_id_of_its_own(fleet) -> None:
    answers = [
        plain(fleet, "GET", path)
        for path in (
            "/healthz",
            "/metrics",
            "/docs",
            "/login",
            "/openapi.json",
            "/",
            "/nothing",
            "/v3/projects",
        )
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(REQUEST_ID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", ["/docs", "/healthz", "/metrics", "/openapi.json", "/"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS"])
def test_pages_have_no_other_methods(fleet, path: str, method: str) -> None:
    answer = plain(fleet, method, path, b"")
    conforms(fleet.alice.port, method, path, answer)
    assert answer.status in (404, 405)


def test_health(fleet) -> None:
    answer = plain(fleet, "GET", "/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_the_document_names_every_operation_and_where_it_is_served(fleet) -> None:
    served = document(fleet.alice.port)
    named = {
        (method.upper(), path, operation["operationId"])
        for path, item in served["paths"].items()
        for method, operation in item.items()
    }
    assert named == {(one.method, one.path, one.id) for one in OPERATIONS}
    assert served["servers"] == [{"url": f"http://127.0.0.1:{fleet.alice.port}"}]


def test_the_front_leads_to_the_pages(fleet) -> None:
    front = plain(fleet, "GET", "/")
    assert (front.status, front.headers["location"]) == (303, "/console/")
    page = plain(fleet, "GET", "/docs")
    assert page.status == 200
    for operation in OPERATIONS:
        assert operation.path.encode() in page.raw
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_metrics_count_and_hold_no_ids(fleet) -> None:
    one = fleet.alice.running(name="metered")
    fleet.alice.get("", {"name": "metered"})
    plain(fleet, "GET", "/unknown-path-of-somebody")
    page = plain(fleet, "GET", "/metrics")
    text = page.raw.decode()
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert {name for name in names if not name.endswith("_created")} == {
        "nbfleet_request_seconds",
        "nbfleet_gateway_requests_total",
        "nbfleet_effects_total",
        "nbfleet_start_seconds",
        "nbfleet_auto_stops_total",
        "nbfleet_reconciling",
    }
    assert re.search(r'nbfleet_request_seconds_count\{operation="CreateNotebook",status="200"\} [1-9]', text)
    assert re.search(r'nbfleet_request_seconds_count\{operation="none",status="404"\} [1-9]', text)
    assert re.search(r'nbfleet_effects_total\{effect="start",result="done"\} [1-9]', text)
    for secret in (one["id"], one["token"], fleet.alice.user_id, fleet.alice.project_id, "metered",
                   fleet.alice.access_key, "unknown-path"):  # fmt: skip
        assert secret not in text

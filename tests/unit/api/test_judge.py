"""Answers held against the served document: what passes, what does not, and what is told about it."""

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from nbfleet.api.judge import Judge, Told, judged
from nbfleet.wire.openapi import document
from support.contract import examples

DOCUMENT = document("http://127.0.0.1", "1")
PROJECT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
NOTEBOOK = "11111111-2222-4333-8444-555555555555"
LEASE_PATH = f"/v1/{PROJECT}/notebooks/{NOTEBOOK}/lease"
LEASE = next(iter(examples("ShowLease", "answer").values()))
REFUSAL = {"error_code": "ModelArts.6404", "error_msg": "no such instance"}
JSON = {"x-request-id": "r", "content-type": "application/json"}


def fault(
    method: str, path: str, status: int, body: Any, headers: dict[str, str] | None = None
) -> str | None:
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return Judge(DOCUMENT).fault(method, path.encode(), Told(status, headers or JSON, raw))


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "headers"),
    [
        ("GET", LEASE_PATH, 200, LEASE, JSON),
        ("GET", LEASE_PATH, 404, REFUSAL, JSON),
        ("GET", LEASE_PATH, 501, REFUSAL, JSON),
        ("GET", LEASE_PATH, 503, REFUSAL, {**JSON, "retry-after": "2"}),
        ("GET", "/nowhere", 404, REFUSAL, JSON),
        ("PUT", LEASE_PATH, 405, REFUSAL, {**JSON, "allow": "GET, PATCH"}),
        ("HEAD", LEASE_PATH, 405, b"", {**JSON, "allow": "GET, PATCH"}),
        ("POST", f"/v1/{PROJECT}/notebooks/{NOTEBOOK}/tags/create", 204, b"", {"x-request-id": "r"}),
        ("GET", f"/v1/{PROJECT}/notebooks/export", 200, None,
         {"x-request-id": "r", "content-type": "application/x-ndjson"}),
    ],
)  # fmt: skip
def test_what_is_documented_passes(
    method: str, path: str, status: int, body: Any, headers: dict[str, str]
) -> None:
    assert fault(method, path, status, body, headers) is None


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "headers", "told"),
    [
        ("GET", LEASE_PATH, 202, LEASE, JSON, "status 202 is not documented"),
        ("GET", "/nowhere", 200, LEASE, JSON, "status 200 is not documented"),
        ("GET", LEASE_PATH, 200, LEASE, {"content-type": "text/html"}, "header X-Request-Id is missing"),
        ("GET", LEASE_PATH, 503, REFUSAL, JSON, "header Retry-After is missing"),
        ("GET", LEASE_PATH, 200, LEASE, {**JSON, "content-type": "text/html"},
         "media type text/html is not documented"),
        ("GET", LEASE_PATH, 200, b"{", JSON, "the body is no JSON"),
        ("GET", LEASE_PATH, 200, {**LEASE, "enable": "secret"}, JSON,
         "$.enable breaks type of #/components/schemas/Lease"),
        ("GET", LEASE_PATH, 404, {"detail": "secret"}, JSON,
         "$ breaks required of #/components/schemas/ErrorResponse"),
        ("POST", f"/v1/{PROJECT}/notebooks/{NOTEBOOK}/tags/create", 204, b"x", JSON,
         "a body where none is documented"),
    ],
)  # fmt: skip
def test_what_is_not_documented_is_told_without_values(
    method: str, path: str, status: int, body: Any, headers: dict[str, str], told: str
) -> None:
    assert fault(method, path, status, body, headers) == told


def served(*parts: bytes, status: int = 200, **headers: str) -> list[dict[str, Any]]:
    """What reaches the client when an application answers these parts."""
    named = {"x-request-id": "r", "content-type": "application/json", **headers}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        told = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        for number, part in enumerate(parts):
            more = number < len(parts) - 1
            await send({"type": "http.response.body", "body": part, "more_body": more})

    sent: list[dict[str, Any]] = []

    async def keep(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": LEASE_PATH, "raw_path": LEASE_PATH.encode()}
    asyncio.run(judged(app, DOCUMENT)(scope, None, keep))  # type: ignore[arg-type]
    return sent


def test_a_good_answer_is_sent_as_it_is() -> None:
    body = json.dumps(LEASE).encode()
    assert [message.get("body") for message in served(body)] == [None, body]


def test_a_bad_answer_becomes_a_fault_of_ours_and_a_line_in_the_log() -> None:
    with capture_logs() as lines:
        start, body = served(json.dumps({**LEASE, "duration": "secret"}).encode())
    assert (start["status"], json.loads(body["body"])["error_code"]) == (500, "ModelArts.0010")
    assert dict(start["headers"])[b"x-request-id"] == b"r"
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert lines == [
        {
            "event": "answer violates the document",
            "log_level": "error",
            "request_id": "r",
            "method": "GET",
            "path": LEASE_PATH,
            "status": 200,
            "fault": "$.duration breaks type of #/components/schemas/Lease",
        }
    ]


def test_an_answer_in_pieces_is_judged_by_its_head() -> None:
    with capture_logs() as lines:
        start, body = served(b"secret", b"more", b"", status=202)
    assert (start["status"], json.loads(body["body"])["error_code"]) == (500, "ModelArts.0010")
    assert [line["fault"] for line in lines] == ["status 202 is not documented"]

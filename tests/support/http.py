"""A caller of the API over HTTP that sends exactly what it is told, byte for byte.

Every JSON answer is held against the document that the service serves, and every answer must be named by a
request id.
"""

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import jsonschema

from nbfleet.wire import signing
from support.service import Service

_TIMEOUT = 30.0
Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Headers
    raw: bytes

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> tuple[int, str]:
        """Status and code of a refusal, whose envelope holds nothing else than it should."""
        body = self.json
        expected = {"error_code", "error_msg"}
        if body["error_code"].startswith("APIGW."):
            expected |= {"request_id"}
            assert body["request_id"] == self.header("X-Request-Id")
        assert body.keys() == expected, body
        return self.status, body["error_code"]

    @property
    def message(self) -> str:
        return self.json["error_msg"]


class Credentials(Protocol):
    def headers(self, method: str, path: str, query: str, headers: Headers, body: bytes) -> Headers: ...


@dataclass(frozen=True)
class TokenOf:
    token: str

    def headers(self, method: str, path: str, query: str, headers: Headers, body: bytes) -> Headers:
        return [("X-Auth-Token", self.token)]


@dataclass(frozen=True)
class KeyOf:
    """Signs whatever headers the request has; `late` moves the clock of the signer."""

    access_key: str
    secret_key: str
    late: timedelta = timedelta()

    def headers(self, method: str, path: str, query: str, headers: Headers, body: bytes) -> Headers:
        request = signing.Request(
            method,
            path.encode(),
            query.encode(),
            [(k.encode(), v.encode("latin-1")) for k, v in headers],
            body,
        )
        now = datetime.now(UTC) + self.late
        return list(signing.sign(request, self.access_key, self.secret_key, now).items())


@dataclass(frozen=True)
class Caller:
    """One who calls with the same credentials every time; `project_id` stands in front of relative paths."""

    service: Service
    credentials: Credentials | None = None
    project_id: str = ""
    connections: list[http.client.HTTPConnection] = field(default_factory=list, compare=False)

    def __call__(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | str = "",
        body: Any = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Reply:
        """A path without a slash in front is one of the project's; a body that is not bytes becomes JSON."""
        if not path.startswith("/"):
            path = f"/v1/{self.project_id}/{path}"
        text = (
            query
            if isinstance(query, str)
            else urlencode({k: _text(v) for k, v in query.items()}, quote_via=quote)
        )
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent: Headers = [("Host", f"127.0.0.1:{self.service.port}"), *headers]
        if self.credentials is not None:
            sent += self.credentials.headers(method, path, text, sent, raw)
        if raw or method in ("POST", "PUT", "PATCH"):
            sent.append(("Content-Length", str(len(raw))))
        reply = self.send(method, path + (f"?{text}" if text else ""), sent, raw)
        check(self.service, method, path, reply)
        return reply

    def send(self, method: str, target: str, headers: Headers, body: bytes) -> Reply:
        """The request as given, without checks."""
        if not self.connections:
            self.connections.append(
                http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=_TIMEOUT)
            )
        connection = self.connections[0]
        try:
            return _exchange(connection, method, target, headers, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # The service closes connections that were idle for long.
            connection.close()
            return _exchange(connection, method, target, headers, body)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _exchange(
    connection: http.client.HTTPConnection, method: str, target: str, headers: Headers, body: bytes
) -> Reply:
    connection._validate_path = lambda _path: None  # type: ignore[method-assign] # Bad paths are for the service to refuse.
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value.encode("latin-1"))
    connection.endheaders(body or None)
    answer = connection.getresponse()
    return Reply(answer.status, answer.getheaders(), answer.read())


# The served document as the judge of every answer.


@cache
def _document(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    connection.request("GET", "/openapi.json")
    document = json.loads(connection.getresponse().read())
    connection.close()
    return document


@cache
def _operation(port: int, method: str, path: str) -> dict[str, Any] | None:
    """Fixed words win over parameters, as in the service."""
    found: list[tuple[list[bool], dict[str, Any]]] = []
    for template, item in _document(port)["paths"].items():
        parts, given = template.split("/"), path.split("/")
        if len(parts) == len(given) and all(
            part == one or (part.startswith("{") and one) for part, one in zip(parts, given, strict=True)
        ):
            found.append(([part.startswith("{") for part in parts], item))
    if not found:
        return None
    return min(found, key=lambda entry: entry[0])[1].get(method.lower())


@cache
def _validator(port: int, reference: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": reference, "components": _document(port)["components"]}
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def check(service: Service, method: str, path: str, reply: Reply) -> None:
    """A request id, and the body that the document promises for this operation and status."""
    request_id = reply.header("X-Request-Id")
    assert request_id is not None, reply
    assert reply.header("X-IAM-Trace-Id") == (request_id if path.startswith("/v3/") else None)
    operation = _operation(service.port, method, path)
    if method == "HEAD" or (operation is None and (reply.status < 400 or path == "/login")):
        return
    answer = operation["responses"].get(str(reply.status), {}) if operation is not None else {}
    if reply.status < 400 and "application/json" not in answer.get("content", {"application/json": 0}):
        # What comes in pieces tells no length.
        assert reply.header("Transfer-Encoding") == "chunked"
        assert reply.header("Content-Type") in answer["content"]
        return
    assert reply.header("Content-Length") == (None if reply.status == 204 else str(len(reply.raw)))
    if reply.status < 400:
        if "content" not in answer:
            assert reply.raw == b""
            return
        reference = answer["content"]["application/json"]["schema"]["$ref"]
    else:
        reference = "#/components/schemas/ErrorResponse"
    assert reply.header("Content-Type") == "application/json"
    _validator(service.port, reference).validate(reply.json)

"""A caller of the API that sends exactly what it is told, signed or with a token, and checks every answer.

Each JSON answer is validated against the document that the service itself serves.
"""

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema

from nbfleet.api.routing import NoSuchMethod, NoSuchPath, Router
from nbfleet.wire import signing
from nbfleet.wire.operations import OPERATIONS
from support.make import Clock
from support.service import wait_for

ROUTER = Router(OPERATIONS)
FORM = ("error_code", "error_msg")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code."""
        return self.status, self.json["error_code"]

    @property
    def message(self) -> str:
        return self.json["error_msg"]


def exchange(
    port: int, method: str, target: str, headers: list[tuple[str, str | bytes]], body: bytes | None
) -> Answer:
    """One request as it is, and its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body is not None and not any(name.lower() == "transfer-encoding" for name, _ in headers):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    got = Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    connection.close()
    return got


@cache
def document(port: int) -> dict[str, Any]:
    return exchange(port, "GET", "/openapi.json", [("Host", f"127.0.0.1:{port}")], None).json


def conforms(port: int, method: str, path: str, answer: Answer) -> None:
    """Fails unless the answer is what the served document says of its operation."""
    assert answer.headers["x-request-id"]
    if method == "HEAD":
        assert answer.raw == b""
        return
    served = document(port)
    if answer.status >= 400:
        name = "ErrorResponse"
        # Codes of the gateway in front of the service come with the request's id.
        gateway = answer.json["error_code"].startswith("APIGW.")
        assert set(answer.json) == {*FORM, *(["request_id"] if gateway else [])}
    else:
        try:
            operation = ROUTER.match(method, path.encode()).operation
        except (NoSuchPath, NoSuchMethod):
            return
        told = served["paths"][operation.path][method.lower()]["responses"][str(answer.status)]
        if "content" not in told:
            assert answer.raw == b""
            return
        if "application/json" not in told["content"]:
            assert answer.headers["content-type"] in told["content"]
            return
        name = told["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert answer.headers["content-type"] == "application/json"
    whole = {"$ref": f"#/components/schemas/{name}", "components": served["components"]}
    jsonschema.validate(answer.json, whole, jsonschema.Draft202012Validator)


@dataclass
class Caller:
    port: int
    project_id: str
    clock: Clock
    access_key: str = ""
    secret_key: str = ""
    token: str | None = None
    user_id: str = ""
    name: str = ""
    extra: list[tuple[str, str]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now / 1000, UTC)

    def with_token(self, token: str) -> "Caller":
        return replace(self, token=token)

    def log_in(self, password: str, project: dict[str, str] | None = None) -> Answer:
        user = {"name": self.name, "password": password, "domain": {"name": "nbfleet"}}
        wanted = {"id": self.project_id} if project is None else project
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": wanted},
        }
        raw = json.dumps({"auth": auth}).encode()
        answer = exchange(self.port, "POST", "/v3/auth/tokens", [("Host", "x")], raw)
        conforms(self.port, "POST", "/v3/auth/tokens", answer)
        return answer

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | str | None = None,
        body: Any = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> Answer:
        """`body` is sent as it is when it is bytes and as JSON otherwise."""
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        text = query if isinstance(query, str) else urlencode(query or {}, quote_via=quote)
        target = path + (f"?{text}" if text else "")
        sent: list[tuple[str, str | bytes]] = [("Host", f"127.0.0.1:{self.port}")]
        sent += [("Content-Type", "application/json"), *self.extra, *(headers or [])]
        if self.token is not None:
            sent.append(("X-Auth-Token", self.token))
        elif self.access_key:
            signed = [(n.encode(), v if isinstance(v, bytes) else v.encode()) for n, v in sent]
            request = signing.Request(method, path.encode(), text.encode(), signed, raw or b"")
            made = signing.sign(request, self.access_key, self.secret_key, self.now)
            sent += [(name, value) for name, value in made.items() if name.lower() != "host"]
        answer = exchange(self.port, method, target, sent, raw)
        conforms(self.port, method, path, answer)
        return answer

    def at(self, rest: str = "") -> str:
        return f"/v1/{self.project_id}/notebooks{rest}"

    def get(self, rest: str = "", query: Any = None) -> Answer:
        return self.request("GET", self.at(rest), query)

    def post(self, rest: str = "", body: Any = None, query: Any = None, headers: Any = None) -> Answer:
        return self.request("POST", self.at(rest), query, body, headers)

    def put(self, rest: str, body: Any) -> Answer:
        return self.request("PUT", self.at(rest), None, body)

    def patch(self, rest: str, body: Any = None, query: Any = None) -> Answer:
        return self.request("PATCH", self.at(rest), query, body)

    def delete(self, rest: str, body: Any = None, query: Any = None) -> Answer:
        return self.request("DELETE", self.at(rest), query, body)

    # Whole errands.

    def image_id(self) -> str:
        return self.request("GET", f"/v1/{self.project_id}/images").json["data"][0]["id"]

    def body(self, **fields: Any) -> dict[str, Any]:
        return {
            "name": "n",
            "flavor": "modelarts.vm.cpu.1u",
            "image_id": self.image_id(),
            "volume": {"category": "EVS", "ownership": "MANAGED"},
        } | fields

    def create(self, **fields: Any) -> dict[str, Any]:
        answer = self.post("", self.body(**fields))
        assert answer.status == 200, answer.raw
        return answer.json

    def until(self, notebook_id: str, status: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            answer = self.get(f"/{notebook_id}")
            return answer.json if answer.status == 200 and answer.json["status"] == status else None

        return wait_for(f"{notebook_id} to be {status}", look, 10, 0.01)

    def once(self, notebook_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The notebook as it is shown once the condition holds."""

        def look() -> dict[str, Any] | None:
            shown = self.get(f"/{notebook_id}").json
            return shown if condition(shown) else None

        return wait_for(f"{notebook_id} to change", look, 10, 0.01)

    def running(self, **fields: Any) -> dict[str, Any]:
        return self.until(self.create(**fields)["id"], "RUNNING")

    def stopped(self, **fields: Any) -> dict[str, Any]:
        made = self.running(**fields)
        assert self.post(f"/{made['id']}/stop").status == 200
        return self.until(made["id"], "STOPPED")

    def failed(self, **fields: Any) -> dict[str, Any]:
        return self.until(self.create(flavor="flavor.that.fails", **fields)["id"], "CREATE_FAILED")

    def gone(self, notebook_id: str) -> None:
        wait_for("it to be gone", lambda: self.get(f"/{notebook_id}").status == 404, 10, 0.01)

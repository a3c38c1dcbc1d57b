"""The provider itself: its signatures, its requests, and how it decodes and waits. It knows no resource."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from support.http import Caller, Reply
from support.people import Person

TAKEN = {"GET": {200}, "POST": {200, 201, 202}, "PUT": {200, 201, 202}, "DELETE": {200, 202, 204}}
UNSIGNED = {"host", "x-project-id"}
HEADERS = (
    ("User-Agent", "HashiCorp Terraform/1.11.4 terraform-provider-huaweicloud/1.92.0"),
    ("Accept", "application/json"),
    ("Content-Type", "application/json"),
    ("X-Language", "en-us"),
)
PAUSE, PATIENCE = 0.02, 30.0  # Seconds.


class Gone(Exception):
    """What was looked for is no longer there."""


def decoded(value: Any, shape: Any) -> Any:
    """As Go decodes it: what a struct has no field for is dropped, what is null or missing is its zero."""
    if isinstance(shape, dict):
        assert value is None or isinstance(value, dict), value
        return {name: decoded((value or {}).get(name), held) for name, held in shape.items()}
    if isinstance(shape, list):
        assert value is None or isinstance(value, list), value
        return [decoded(one, shape[0]) for one in value or ()]
    if value is None:
        return shape()
    assert type(value) is shape, (value, shape)
    return value


@dataclass(frozen=True)
class GoKey:
    """Signs as the provider does: neither the host nor the project, and the query with its own encoding."""

    access_key: str
    secret_key: str

    def headers(self, method: str, path: str, query: str, headers: Any, body: bytes) -> list[tuple[str, str]]:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {name.lower(): value for name, value in headers if name.lower() not in UNSIGNED}
        signed["x-sdk-date"] = stamp
        names = ";".join(sorted(signed))
        pairs = sorted(parse_qsl(query, keep_blank_values=True))
        request = "\n".join([
            method, quote(path) + ("" if path.endswith("/") else "/"),
            "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs),
            "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed)), names,
            hashlib.sha256(body).hexdigest(),
        ])  # fmt: skip
        text = f"SDK-HMAC-SHA256\n{stamp}\n{hashlib.sha256(request.encode()).hexdigest()}"
        mark = hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
        told = f"SDK-HMAC-SHA256 Access={self.access_key}, SignedHeaders={names}, Signature={mark}"
        return [("X-Sdk-Date", stamp), ("Authorization", told)]


@dataclass
class Provider:
    """Configured with the keys of a user and the name of a project, as `provider "huaweicloud"` is."""

    person: Person
    project_id: str = field(init=False, default="")
    call: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.call = self.person.place.caller(GoKey(self.person.access_key, self.person.secret_key), "")
        found = self.request("GET", "/v3/projects", query=f"name={self.person.project.name}")
        assert [one["name"] for one in found["projects"]] == [self.person.project.name]
        self.project_id = found["projects"][0]["id"]

    def send(self, method: str, path: str, body: Any = None, query: str = "") -> Reply:
        """Whatever the answer is; `path` below that of the project unless it begins with a slash."""
        at = path if path.startswith("/") else f"/v1/{self.project_id}/{path}"
        known = (("X-Project-Id", self.project_id),) if self.project_id else ()
        return self.call(method, at, query=query, body=body, headers=(*HEADERS, *known))

    def request(
        self, method: str, path: str, body: Any = None, query: str = "", taken: Iterable[int] = ()
    ) -> Any:
        """The answer, which must have a status that the provider takes."""
        reply = self.send(method, path, body, query)
        assert reply.status in (set(taken) or TAKEN[method]), (method, path, reply.status, reply.raw)
        return json.loads(reply.raw) if reply.raw else None

    def get(self, path: str, gone: Iterable[str]) -> Any:
        """What is at `path`. Raises Gone on 404, and on 400 with a code that the resource takes for that."""
        reply = self.send("GET", path)
        if reply.status == 404 or (reply.status == 400 and reply.error[1] in set(gone)):
            raise Gone(reply.raw)
        assert reply.status == 200, (path, reply.status, reply.raw)
        return reply.json

    def until(self, look: Callable[[], str], target: str, pending: set[str]) -> None:
        """Ends with an error on any state that is neither, as the wait of the provider does."""
        deadline = time.monotonic() + PATIENCE
        while (state := look()) != target:
            assert state in pending, f"unexpected state {state}, wanted {target}"
            assert time.monotonic() < deadline, f"still {state}"
            time.sleep(PAUSE)

    def until_gone(self, look: Callable[[], str], target: str, pending: set[str]) -> None:
        """The same for what may be gone by then, or have the state that means so."""

        def state() -> str:
            try:
                return look()
            except Gone:
                return target

        self.until(state, target, pending)


def given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}

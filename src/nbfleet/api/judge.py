"""Holds every answer of the operations against the served document, before it is sent.

A debug aid, switched on by the setting `validate_answers`; while it is off, nothing of it is built in. An
answer that says something else than the document becomes a 500, and a line in the log tells where: places and
rules, never values, because answers hold secrets. Answers in pieces are judged by their status and headers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import structlog
from jsonschema import Draft202012Validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nbfleet.api.handlers import encode
from nbfleet.api.routing import NoSuchMethod, NoSuchPath, Router
from nbfleet.wire import errors
from nbfleet.wire.operations import OPERATIONS

log = structlog.get_logger()
Json: TypeAlias = dict[str, Any]
# What an address may answer that is no operation.
_STRAY = {
    "404": {"$ref": "#/components/responses/NotFound"},
    "405": {"$ref": "#/components/responses/WrongMethod"},
}


class Judge:
    """`fault` tells what is wrong with an answer, quoting nothing of it; None where nothing is."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._router = Router(OPERATIONS)
        self._validators: dict[str, Any] = {}

    def fault(self, method: str, raw_path: bytes, answer: "Told") -> str | None:
        told = self._responses(method, raw_path).get(str(answer.status))
        if told is None:
            return f"status {answer.status} is not documented"
        response = self._resolved(told)
        lacking = [name for name in response.get("headers", {}) if name.lower() not in answer.headers]
        if lacking:
            return f"header {lacking[0]} is missing"
        return self._wrong_body(method, response.get("content", {}), answer)

    def _responses(self, method: str, raw_path: bytes) -> Json:
        try:
            operation = self._router.match(method, raw_path).operation
        except (NoSuchPath, NoSuchMethod):
            return _STRAY
        return self._document["paths"][operation.path][operation.method.lower()]["responses"]

    def _resolved(self, told: Json) -> Json:
        reference = told.get("$ref")
        if reference is None:
            return told
        return self._document["components"]["responses"][reference.rpartition("/")[2]]

    def _wrong_body(self, method: str, content: Json, answer: "Told") -> str | None:
        if answer.body is None or method == "HEAD":
            return None
        if not content:
            return "a body where none is documented" if answer.body else None
        media = answer.headers.get("content-type", "")
        if media not in content:
            return f"media type {media or 'none'} is not documented"
        try:
            value: Any = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            return "the body is no JSON"
        return self._violation(content[media]["schema"]["$ref"], value)

    def _violation(self, reference: str, value: Any) -> str | None:
        validator: Any = self._validators.get(reference)
        if validator is None:
            schema = {"$ref": reference, "components": self._document["components"]}
            validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
            self._validators[reference] = validator
        found: Iterable[Any] = validator.iter_errors(value)
        return next((f"{one.json_path} breaks {one.validator} of {reference}" for one in found), None)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as it would be sent; `body` is None where it comes in pieces."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


def judged(app: ASGIApp, document: Json) -> ASGIApp:
    """The application with every answer held against the document."""
    judge = Judge(document)

    async def judging(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, _Court(judge, scope, send))

    return judging


@dataclass(slots=True)
class _Court:
    """The `send` of one request: holds an answer back until it is known to be good."""

    judge: Judge
    scope: Scope
    send: Send
    start: Message | None = None
    refused: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        elif self.start is None:
            if not self.refused:  # The rest of an answer in pieces.
                await self.send(message)
        else:
            start, self.start = self.start, None
            await self._decide(start, message)

    async def _decide(self, start: Message, first: Message) -> None:
        """`first` is the first part of the body, and the only one unless the answer comes in pieces."""
        headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        body = None if first.get("more_body", False) else first.get("body", b"")
        told = Told(start["status"], headers, body)
        fault = self.judge.fault(self.scope["method"], self.scope["raw_path"], told)
        if fault is None:
            await self.send(start)
            await self.send(first)
        else:
            await self._refuse(fault, told)

    async def _refuse(self, fault: str, told: Told) -> None:
        request_id = told.headers.get("x-request-id", "")
        self.refused = True
        log.error(
            "answer violates the document",
            request_id=request_id, method=self.scope["method"], path=errors.shown(self.scope["path"]),
            status=told.status, fault=fault,
        )  # fmt: skip
        refusal = errors.internal()
        body = encode(refusal.body())
        names = {"x-request-id": request_id, "content-type": "application/json", "content-length": len(body)}
        headers = [(name.encode(), str(value).encode()) for name, value in names.items()]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

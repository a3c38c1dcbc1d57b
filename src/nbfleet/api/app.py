"""The request path, in the order in which it happens, and the only place where errors become answers.

    request id -> route -> read the body, bounded -> prove who asks -> enter the project ->
    check the permission -> decode -> handle -> encode

The body comes before the credentials because a signature covers it. What follows them is in `perform`.
"""

import time
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import structlog
from starlette.types import Receive, Scope, Send

from nbfleet.api.auth import Authenticator
from nbfleet.api.call import Answer, Pieces, Tools
from nbfleet.api.handlers import HANDLERS
from nbfleet.api.perform import Sent, perform
from nbfleet.api.routing import Match, NoSuchMethod, NoSuchPath, Router
from nbfleet.api.sending import send_pieces, send_whole
from nbfleet.store.database import Unavailable
from nbfleet.telemetry import Metrics, new_request_id
from nbfleet.wire import errors, signing
from nbfleet.wire.errors import ApiError, ErrorCode, ErrorResponse
from nbfleet.wire.operation import PUBLIC
from nbfleet.wire.operations import OPERATIONS

log = structlog.get_logger()
RETRY_AFTER = 2


class Api:
    """The ASGI callable of all operations of the table.

    `others` are the methods of other paths, which end here when they are asked for with another one.
    """

    def __init__(
        self,
        tools: Tools,
        authenticator: Authenticator,
        metrics: Metrics,
        others: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> None:
        self._tools = tools
        self._authenticator = authenticator
        self._metrics = metrics
        self._others = others
        self._router = Router(OPERATIONS)
        stray = HANDLERS.keys() - {operation.id for operation in OPERATIONS}
        if stray:
            raise ValueError(f"No row of the table has these handlers: {stray}.")
        self._body_limit = tools.context.settings.body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, started = new_request_id(), time.perf_counter()
        operation_id = "none"
        try:
            match = self._route(scope)
            operation_id = match.operation.id
            status = match.operation.status
            answer = await self._answer(match, scope, receive, request_id)
        except ApiError as refusal:
            status, answer = refusal.status, Answer(_envelope(refusal, request_id), refusal.headers)
        except Unavailable as fault:
            log.warning("store unavailable", request_id=request_id, operation=operation_id, cause=str(fault))
            busy = errors.overloaded(RETRY_AFTER)
            status, answer = busy.status, Answer(busy.body(), busy.headers)
        except Exception:
            log.exception("request failed", request_id=request_id, operation=operation_id)
            fault = errors.internal()
            status, answer = fault.status, Answer(fault.body())
        names = _names(scope, request_id)
        if isinstance(answer.body, Pieces):
            status = await _send_pieces(receive, send, status, answer, names)
        else:
            await send_whole(send, status, answer, names)
        self._metrics.observe_request(operation_id, status, time.perf_counter() - started)
        log.info(
            "request",
            request_id=request_id,
            operation=operation_id,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 2),
        )

    def _route(self, scope: Scope) -> Match:
        try:
            return self._router.match(scope["method"], scope["raw_path"])
        except NoSuchPath as fault:
            if scope["path"] in self._others:
                raise errors.no_such_method(scope["method"], sorted(self._others[scope["path"]])) from fault
            raise errors.no_such_path(scope["path"]) from fault
        except NoSuchMethod as fault:
            raise errors.no_such_method(scope["method"], fault.allowed) from fault

    async def _answer(self, match: Match, scope: Scope, receive: Receive, request_id: str) -> Answer:
        operation = match.operation
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        raw = await _read(receive, headers, self._body_limit)
        request = signing.Request(scope["method"], scope["raw_path"], scope["query_string"], headers, raw)
        proof = None if operation.permission is PUBLIC else await self._authenticator.prove(request)
        sent = Sent(match.path, scope["query_string"], raw, headers, request_id)
        return await perform(self._tools, operation, proof, sent)


def _envelope(refusal: ApiError, request_id: str) -> ErrorResponse:
    """Refusals with a code of the gateway in front of the service name the request in the body too."""
    return refusal.body(request_id) if refusal.code is ErrorCode.SIGNATURE else refusal.body()


async def _read(receive: Receive, headers: list[tuple[bytes, bytes]], limit: int) -> bytes:
    """The whole body, refused as soon as it is known to be too large."""
    for name, value in headers:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise errors.body_too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.invalid_body("the connection was closed")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise errors.body_too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _names(scope: Scope, request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers that name a request; clients look for another one in answers about identity."""
    names = [b"x-request-id"]
    if scope["path"].startswith("/v3/"):
        names.append(b"x-iam-trace-id")
    return [(name, request_id.encode()) for name in names]


async def _send_pieces(
    receive: Receive, send: Send, status: int, answer: Answer, names: list[tuple[bytes, bytes]]
) -> int:
    """The status to be counted: what fails on the way cannot change the one that was sent."""
    try:
        await send_pieces(receive, send, status, answer, answer.body, names)
    except Exception:
        log.exception("answer broken off", request_id=names[0][1].decode())
        return errors.internal().status
    return status

"""One operation in the name of somebody already known: permission, decoding, handler.

The request path of the API ends here, and so does whatever else asks for operations inside the service: who
may do what, and what is a bad request, is told in one place. Decoding comes after the permission, so that
nobody learns from an error what they may not ask.
"""

from collections.abc import Mapping

from msgspec import Struct

from nbfleet.api import bind
from nbfleet.api.auth import Proof
from nbfleet.api.call import Answer, Call, Tools
from nbfleet.api.handlers import HANDLERS
from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.services import permits
from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.operation import AUTHENTICATED, Operation

_KEY_LIMIT = 255


class Sent(Struct, frozen=True):
    """What a request says beside its credentials, as it was received; `path` holds the words of the path."""

    path: Mapping[str, str]
    query: bytes
    body: bytes
    headers: list[tuple[bytes, bytes]]
    request_id: str


async def perform(tools: Tools, operation: Operation, proof: Proof | None, sent: Sent) -> Answer:
    """The answer of the operation; raises ApiError for whatever is refused. `proof` may be None only where
    the operation asks for no credentials."""
    entered = _enter(operation, sent.path, proof)
    handler = HANDLERS.get(operation.id)
    if handler is None:
        raise errors.not_available(f"The operation {operation.id}")
    call = Call(
        operation=operation,
        path=bind.parameters(operation, "path", sent.path),
        query=bind.query(operation, sent.query, tools.context.settings.page_limit),
        body=bind.body(operation, sent.body),
        principal=None if proof is None else proof.principal,
        entered=entered,
        raw_query=sent.query,
        request_id=sent.request_id,
        idempotency_key=_idempotency_key(sent.headers),
    )
    return await handler(tools, call)


def _enter(operation: Operation, path: Mapping[str, str], proof: Proof | None) -> Caller | None:
    """The caller in the project of the path, with the permission of the operation checked."""
    if proof is None or operation.permission is AUTHENTICATED:
        return None
    project_id = bind.project_id(operation, path)
    if not proof.any_project and proof.project_id is None:
        raise errors_credentials.token_without_project()
    if not proof.any_project and proof.project_id != project_id:
        raise errors.foreign_project(project_id)
    caller = access.enter(proof.principal, project_id)
    if caller is None:
        raise errors.foreign_project(project_id)
    permits.check(caller, operation.id)
    return caller


def _idempotency_key(headers: list[tuple[bytes, bytes]]) -> str | None:
    keys = [value.decode("latin-1") for name, value in headers if name == b"idempotency-key"]
    if len(keys) > 1:
        raise errors.wrong_value("Idempotency-Key", ", ".join(keys), "one value")
    if keys and (not 0 < len(keys[0]) <= _KEY_LIMIT or not keys[0].isprintable()):
        raise errors.wrong_value("Idempotency-Key", keys[0], f"1 to {_KEY_LIMIT} printable characters")
    return keys[0] if keys else None

"""One authorised call with decoded values, and what the handlers of operations work with."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from msgspec import Struct

from nbfleet.api.answers import Answers, Questions
from nbfleet.api.present import Presenter
from nbfleet.domain.access import Caller, Principal
from nbfleet.domain.usage import Usage
from nbfleet.services.context import Context
from nbfleet.services.lists import Question
from nbfleet.services.notebooks import Request
from nbfleet.wire import errors_credentials
from nbfleet.wire.operation import Operation


@dataclass(frozen=True, slots=True)
class Pieces:
    """A body that is sent as it is made. The first piece is there already: whatever refuses a question has
    done so before a status is sent."""

    first: bytes
    rest: AsyncGenerator[bytes, None]


# Struct and not dataclass where one is made for each request: it costs a fraction of the time.
class Answer(Struct, frozen=True):
    """`body` is a record to encode, ready bytes, Pieces, or None for an answer without a body."""

    body: Any
    headers: Mapping[str, str] | None = None


class Call(Struct, frozen=True):
    """`query` holds the documented parameters that were given. `principal` and `entered` are None where
    the operation asks for no credentials or names no project."""

    operation: Operation
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    principal: Principal | None
    entered: Caller | None
    raw_query: bytes
    request_id: str
    idempotency_key: str | None

    @property
    def caller(self) -> Caller:
        if self.entered is None:
            raise errors_credentials.token_missing()
        return self.entered

    @property
    def request(self) -> Request:
        return Request(self.caller, self.request_id)


@dataclass(frozen=True, slots=True)
class Tools:
    """What is read of a runtime: `log_tail` gives the last lines that an instance wrote, `usage` what it uses
    now, None when it does not run; each is named by notebook and generation."""

    context: Context
    presenter: Presenter
    answers: Answers
    questions: Questions[Question]
    log_tail: Callable[[str, int, int], Awaitable[str]]
    usage: Callable[[str, int], Awaitable[Usage | None]]


Handler: TypeAlias = Callable[[Tools, Call], Awaitable[Answer]]

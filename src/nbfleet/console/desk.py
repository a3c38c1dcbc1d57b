"""Where pages ask: any operation of the API, in the name of whoever is signed in.

It goes the same way as a request to the API, from the permission on, without a connection in between. So a
page can show or do nothing that its reader could not ask for directly.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from nbfleet.api.auth import Proof
from nbfleet.api.call import Answer, Tools
from nbfleet.api.perform import Sent, perform
from nbfleet.wire.operations import by_id

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """`project_id` is the project of the page, which operations without one pay no heed to."""

    tools: Tools
    proof: Proof
    project_id: str
    request_id: str

    async def ask(
        self,
        operation_id: str,
        query: Query | str | None = None,
        body: Any = None,
        *,
        idempotency_key: str | None = None,
        **path: str,
    ) -> Any:
        """The answer as the record that the table of operations names, None where it has no body. `query` is
        a query string, or names and values of which those that are None are left out; `body` is a record or
        what JSON can hold; the same `idempotency_key` with the same request does it once. Raises ApiError for
        a refusal."""
        operation = by_id(operation_id)
        answer = await self.answer(operation_id, query, body, idempotency_key=idempotency_key, **path)
        if isinstance(answer.body, bytes) and operation.answer is not None:
            return msgspec.json.decode(answer.body, type=operation.answer)
        return answer.body

    async def answer(
        self,
        operation_id: str,
        query: Query | str | None = None,
        body: Any = None,
        *,
        idempotency_key: str | None = None,
        **path: str,
    ) -> Answer:
        """The same as it would be sent."""
        headers = [] if idempotency_key is None else [(b"idempotency-key", idempotency_key.encode())]
        sent = Sent(
            path={"project_id": self.project_id, **path},
            query=_query_string(query).encode("ascii", "replace"),
            body=b"" if body is None else msgspec.json.encode(body),
            headers=headers,
            request_id=self.request_id,
        )
        return await perform(self.tools, by_id(operation_id), self.proof, sent)


def _query_string(query: Query | str | None) -> str:
    if query is None or isinstance(query, str):
        return query or ""
    return urlencode({name: value for name, value in query.items() if value is not None})

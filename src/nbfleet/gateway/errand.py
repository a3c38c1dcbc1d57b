"""An admitted request on its way to an instance: what to ask, in whose name.

Built only after the rights were checked. Holds the instance's secret, so it is never logged.
"""

from dataclasses import dataclass

from yarl import URL

from nbfleet.gateway import headers
from nbfleet.gateway.asgi import RawHeaders
from nbfleet.gateway.call import Call
from nbfleet.gateway.pool import Line
from nbfleet.gateway.resolve import Upstream


class NoAnswerError(Exception):
    """The instance gave no answer; the caller has been sent nothing yet."""


@dataclass(frozen=True, repr=False)
class Errand:
    call: Call
    upstream: Upstream
    query: bytes  # Without our token.
    line: Line

    @property
    def url(self) -> URL:
        return self.line.url(self.call.path, self.query)

    @property
    def has_body(self) -> bool:
        return headers.has_body(self.call.headers)

    def head(self) -> list[tuple[str, str]]:
        """The request head towards the instance."""
        call = self.call
        return headers.to_instance(
            call.headers, secret=self.upstream.secret, scheme=call.scheme, host=call.host, peer=call.peer
        )

    def answer_head(self, raw: tuple[tuple[bytes, bytes], ...], status: int) -> RawHeaders:
        """The response head towards the caller."""
        return headers.to_caller(raw, status, self.upstream.notebook_id, self.upstream.secret)

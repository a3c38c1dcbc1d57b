"""What is no HTTP is refused in the shape of the API too, although no application ever sees it."""

from typing import Any

from nbfleet.api.handlers import encode
from nbfleet.connections import Connection
from nbfleet.telemetry import new_request_id
from nbfleet.wire import errors


class ApiProtocol(Connection):
    def refuse(self, msg: str) -> None:  # noqa: ARG002 - as the server calls it.
        body = encode(errors.no_http().body())
        lines = (
            "HTTP/1.1 400 Bad Request",
            "content-type: application/json",
            f"content-length: {len(body)}",
            f"x-request-id: {new_request_id()}",
            "connection: close",
        )
        self.transport.write("\r\n".join((*lines, "", "")).encode("ascii") + body)
        self.transport.close()


# Keyword arguments of uvicorn.Config.
OPTIONS: dict[str, Any] = {"http": ApiProtocol}

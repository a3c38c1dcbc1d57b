"""What the server in front of the gateway must be told for the relay to be right.

Kept beside the code that depends on it. Addresses, certificates and trusted proxies are not here: they
belong to whoever starts the server.
"""

import logging
from typing import Any

from nbfleet.connections import Connection

# Keyword arguments of uvicorn.Config.
OPTIONS: dict[str, Any] = {
    "loop": "uvloop",
    "http": Connection,
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,  # Costs memory per socket and blocks the loop on large outputs.
    "ws_max_size": 2**40,  # Outputs of a notebook have no natural size; the instance sets limits.
    "ws_ping_interval": 30.0,
    "ws_ping_timeout": 120.0,  # A caller that is slowed down by back-pressure answers late.
    "access_log": False,  # The gateway writes its own lines, without queries.
    "log_level": "warning",
    "server_header": False,
    "date_header": False,  # The instance's own Date passes.
    "lifespan": "on",
}


def quiet_refusals() -> None:
    """Keep refused handshakes out of the error log.

    The server reports an application that answered a handshake with an HTTP response as one that did
    not answer. Every caller without credentials could fill the log with that.
    """
    logger = logging.getLogger("uvicorn.error")
    if not any(isinstance(present, _Refusals) for present in logger.filters):
        logger.addFilter(_Refusals())


class _Refusals(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg != "ASGI callable returned without completing handshake."

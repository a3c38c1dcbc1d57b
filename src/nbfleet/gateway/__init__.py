"""The gateway: opens notebooks to browsers and scripts on an origin of its own.

It relays HTTP and WebSockets to the instance and decides nothing: who may open what, and where it
runs, is asked of one function (`resolve`). It keeps no state but connections.
"""

from nbfleet.gateway.app import Gateway, OnRequest, Settings, app
from nbfleet.gateway.resolve import Credentials, Refusal, Refused, Resolve, Upstream

__all__ = [
    "Credentials",
    "Gateway",
    "OnRequest",
    "Refusal",
    "Refused",
    "Resolve",
    "Settings",
    "Upstream",
    "app",
]

"""What each available operation does with a call. An operation without a row here is "not available".

The handlers stand in one module for each family. They translate: between decoded values and service
functions, between records and answers. They decide nothing.
"""

from typing import Any

import msgspec

from nbfleet.api import (
    bulk,
    catalogue,
    history,
    identities,
    images,
    instances,
    keypairs,
    labels,
    lists,
    mounts,
    pools,
    workspaces,
)
from nbfleet.api.call import Handler

HANDLERS: dict[str, Handler] = {
    **lists.HANDLERS,
    **instances.HANDLERS,
    **catalogue.HANDLERS,
    **images.HANDLERS,
    **identities.HANDLERS,
    **labels.HANDLERS,
    **pools.HANDLERS,
    **keypairs.HANDLERS,
    **mounts.HANDLERS,
    **workspaces.HANDLERS,
    **history.HANDLERS,
    **bulk.HANDLERS,
}


def encode(body: Any) -> bytes:
    """The bytes of an answer; ready ones are taken as they are."""
    if body is None:
        return b""
    return body if isinstance(body, bytes) else msgspec.json.encode(body)

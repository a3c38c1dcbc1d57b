"""Markers: where a walk through a list has got to, in a form that only its own caller and query can use.

A marker is sealed together with what it belongs to, so it tells nobody how many notebooks there are, and
another list does not start in the middle of this one by mistake.
"""

import base64
import struct
from dataclasses import replace

import msgspec

from nbfleet.domain.access import Caller, Scope
from nbfleet.domain.listing import Place, Query, SortKey
from nbfleet.store.keyring import Keyring, UnreadableKey
from nbfleet.wire import errors

_PLACE = struct.Struct(">qq")


def check(query: Query) -> None:
    """A walk goes by creation: any other key of a row may change while it lasts."""
    if query.sort != (SortKey.CREATE_AT,):
        given = ",".join(query.sort)
        raise errors.invalid_query("sort_key", given, "create_at, as a marker was given")
    if query.offset:
        raise errors.invalid_query("offset", query.offset, "0, as a marker was given")


def sealed(keyring: Keyring, caller: Caller, scope: Scope, query: Query, place: Place) -> str:
    """The marker that continues this query behind `place`."""
    content = keyring.seal_for(_belonging(caller, scope, query), _PLACE.pack(place.create_at, place.number))
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def opened(keyring: Keyring, caller: Caller, scope: Scope, query: Query, marker: str) -> Place:
    """Where the walk goes on; refuses what was not sealed for this caller and query."""
    try:
        content = base64.b64decode(marker + "=" * (-len(marker) % 4), altchars=b"-_", validate=True)
        return Place(*_PLACE.unpack(keyring.open_for(_belonging(caller, scope, query), content)))
    except (ValueError, struct.error, UnreadableKey) as fault:
        allowed = "empty, or the next_marker of an answer to you with the same filters"
        raise errors.invalid_query("marker", marker, allowed) from fault


def _belonging(caller: Caller, scope: Scope, query: Query) -> bytes:
    """What a marker is bound to. The page size may change on the way, and so may what was granted: it limits
    the rows whatever the marker says."""
    asked = replace(query, granted=None, limit=0, after=None)
    return msgspec.json.encode((caller.user_id, caller.project_id, scope, asked))

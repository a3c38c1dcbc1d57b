"""What a page offers its reader to do with a notebook: what its status allows, and the reader may.

The operations decide again when it is asked for, with what is true by then; an answer does not tell whether
somebody has begun with a start that seems to wait.
"""

from collections.abc import Mapping

from nbfleet.console.shown import given
from nbfleet.domain import access, lifecycle
from nbfleet.domain.access import Caller
from nbfleet.domain.lifecycle import Event, Status
from nbfleet.wire.notebooks import NotebookResp

_ACTIONS: Mapping[Event, str] = {
    Event.START: "modelarts:notebook:start",
    Event.STOP: "modelarts:notebook:stop",
    Event.DELETE: "modelarts:notebook:delete",
    Event.FREEZE: "nbfleet:notebook:freeze",
    Event.UNFREEZE: "nbfleet:notebook:freeze",
}


def offered(caller: Caller, one: NotebookResp, owner_id: str) -> frozenset[Event]:
    """The wishes that this reader of the notebook can have."""
    if not access.acts_on(caller, owner_id):
        return frozenset()
    possible = lifecycle.possible(Status(one.status.value), waiting=_seems_to_wait(one))
    return frozenset(e for e, action in _ACTIONS.items() if e in possible and access.may(caller, action))


def owner_of(one: NotebookResp) -> str:
    """The owner's id, empty where the answer does not tell."""
    user = given(one.user, None)
    return "" if user is None else given(user.id)


def _seems_to_wait(one: NotebookResp) -> bool:
    """Whether no step of its start was begun, as far as the answer tells."""
    return all(step.status.value == "WAITING" for step in given(one.action_progress, ()))

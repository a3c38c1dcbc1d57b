"""What a caller must hold to ask for an operation, as the table of operations says: the one place that asks.

What is not one request, such as an action on many notebooks, takes what each of its operations takes. Whom it
then reaches is decided in `domain.access`.
"""

from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.wire import errors
from nbfleet.wire.operation import Action
from nbfleet.wire.operations import by_id


def lacking(caller: Caller, *operation_ids: str) -> str | None:
    """A permission that one of these operations asks for and the caller does not have."""
    for id_ in operation_ids:
        permission = by_id(id_).permission
        if isinstance(permission, Action) and not access.may(caller, permission.name):
            return permission.name
    return None


def check(caller: Caller, *operation_ids: str) -> None:
    """Raises ApiError where the caller might not ask for each of these."""
    name = lacking(caller, *operation_ids)
    if name is not None:
        raise errors.forbidden(name)


def listing(caller: Caller) -> str:
    """The operation that lists all notebooks that the caller may know of."""
    return "ListAllNotebooks" if access.may(caller, access.LIST_ALL) else "ListNotebooks"

"""The table of operations: everything the service answers on its published paths.

Router, client, permission checks and the served document all read this table, so that an operation
cannot exist in one of them only. The rows are written down by family in the modules beside this one;
their order is that of the published reference.
"""

from nbfleet.wire.extensions import EXTENSIONS
from nbfleet.wire.operation import AUTHENTICATED, MEMBER, PUBLIC, Action, Operation, Permission, Standing
from nbfleet.wire.operations_bulk import BULK
from nbfleet.wire.operations_images import IMAGES
from nbfleet.wire.operations_keypairs import KEYPAIRS
from nbfleet.wire.operations_notebooks import NOTEBOOKS
from nbfleet.wire.operations_platform import PLATFORM
from nbfleet.wire.operations_workspaces import WORKSPACES

__all__ = [
    "ACTIONS",
    "AUTHENTICATED",
    "MEMBER",
    "OPERATIONS",
    "PUBLIC",
    "Action",
    "Operation",
    "Permission",
    "Standing",
    "by_id",
]

OPERATIONS: tuple[Operation, ...] = (
    *NOTEBOOKS,
    *IMAGES,
    *WORKSPACES,
    *PLATFORM,
    *KEYPAIRS,
    *EXTENSIONS,
    *BULK,
)

_BY_ID = {operation.id: operation for operation in OPERATIONS}

ACTIONS: frozenset[str] = frozenset(
    operation.permission.name for operation in OPERATIONS if isinstance(operation.permission, Action)
)


def by_id(operation_id: str) -> Operation:
    """Find one operation; an unknown id is a mistake of the program and raises KeyError."""
    return _BY_ID[operation_id]

"""The sections of administration, and whom each is open to. Who may do what there is decided by the
operations that its pages ask, and by services; this only keeps readers from doors that are closed to them.
"""

from dataclasses import dataclass

from nbfleet.console.texts import later
from nbfleet.console.visit import Visit
from nbfleet.domain import access
from nbfleet.wire.operation import Action
from nbfleet.wire.operations import by_id


@dataclass(frozen=True, slots=True)
class Section:
    """`asks` are the operations that its first page cannot do without; a section without any is for
    administrators."""

    path: str
    word: str
    asks: tuple[str, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The actions that open it."""
        if not self.asks:
            return (access.EVERY_ACTION,)
        asked = (by_id(one).permission for one in self.asks)
        return tuple(one.name for one in asked if isinstance(one, Action))

    def is_open(self, visit: Visit) -> bool:
        return all(visit.may(one) for one in self.needs)


USERS = Section("users", later("Users"))
KEYS = Section("keys", later("Access keys"))
ROLES = Section("roles", later("Roles"))
QUOTAS = Section("quotas", later("Quotas"))
WORKSPACES = Section("workspaces", later("Workspaces"), ("ListWorkspace",))
IMAGES = Section("images", later("Images"), ("ListImage",))
POOLS = Section("pools", later("Pools"), ("ListPools", "CountNotebooks"))
FLAVORS = Section("flavors", later("Flavors"), ("ListFlavors", "CountNotebooks"))
SECTIONS = (USERS, KEYS, ROLES, WORKSPACES, QUOTAS, IMAGES, POOLS, FLAVORS)


def first_open(visit: Visit) -> str | None:
    """The path of the first section that the reader may enter; None where none is."""
    return next((one.path for one in SECTIONS if one.is_open(visit)), None)

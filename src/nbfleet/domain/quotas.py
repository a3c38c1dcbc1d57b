"""What quotas limit, whose they are, and when something would be too much. Pure reckoning.

A quota is a whole number; what is used and asked for may have two decimals.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

UNLIMITED = -1
MOST = 2_147_483_647


class Resource(StrEnum):
    """The keys are ours: the contract publishes none for notebooks."""

    INSTANCES = "notebook.count"
    VCPUS = "notebook.vcpu"
    MEMORY = "notebook.memory"
    STORAGE = "notebook.storage"


UNITS = {Resource.INSTANCES: "", Resource.VCPUS: "vCPU", Resource.MEMORY: "MiB", Resource.STORAGE: "GB"}

Amounts = Mapping[Resource, float]


class Holder(StrEnum):
    """Whose notebooks a quota counts, all within one project."""

    PROJECT = "project"
    WORKSPACE = "workspace"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Subject:
    """A holder with its number; 0 for the project itself, and for every user who has no quota of its own."""

    holder: Holder
    number: int = 0


EVERY_USER = Subject(Holder.USER)
THE_PROJECT = Subject(Holder.PROJECT)


@dataclass(frozen=True, slots=True)
class Quota:
    subject: Subject
    resource: Resource
    value: int
    update_at: int = 0


def is_value(value: int) -> bool:
    return value == UNLIMITED or 0 < value <= MOST


def in_force(quotas: Iterable[Quota]) -> list[Quota]:
    """Those that limit anything. What is said for one user takes the place of what is said for every user."""
    found = sorted(quotas, key=lambda one: (one.resource, one.subject.holder, one.subject.number))
    own = {one.resource for one in found if one.subject.holder is Holder.USER and one.subject != EVERY_USER}
    return [
        one
        for one in found
        if one.value != UNLIMITED and not (one.subject == EVERY_USER and one.resource in own)
    ]


def exceeds(quota: Quota, used: float, asked: float) -> bool:
    return round(used + asked, 2) > quota.value

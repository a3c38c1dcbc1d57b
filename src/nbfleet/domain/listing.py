"""What a list asks for, and the numbers of its envelope.

A `Query` is a plain value: how it becomes SQL is the store's business, how it is spelled in a URL the
API's, and who may ask it is decided in `access`.
"""

from dataclasses import dataclass
from enum import StrEnum

from nbfleet.domain.lifecycle import Status


class SortKey(StrEnum):
    NAME = "name"
    STATUS = "status"
    FLAVOR = "flavor"
    FEATURE = "feature"
    ID = "id"
    CREATE_AT = "create_at"
    UPDATE_AT = "update_at"


# Clients spell the two times in several ways.
SORT_SPELLINGS: dict[str, SortKey] = {
    **{key.value: key for key in SortKey},
    "createTime": SortKey.CREATE_AT,
    "create_time": SortKey.CREATE_AT,
    "updateTime": SortKey.UPDATE_AT,
    "update_time": SortKey.UPDATE_AT,
}


class Billing(StrEnum):
    """Which part of an instance is charged."""

    COMPUTE = "COMPUTE"
    STORAGE = "STORAGE"
    ALL = "ALL"


class UnknownSortKey(Exception):
    def __init__(self, given: str) -> None:
        super().__init__(given)
        self.given = given


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag to look for; without a value any value matches."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time in milliseconds since 1970: from `since` on, before `until`; None is no bound."""

    since: int | None = None
    until: int | None = None


ANY_TIME = Window()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk through the list in order of creation has got to: the last notebook that was shown.
    `number` orders those that were created in the same millisecond."""

    create_at: int
    number: int


@dataclass(frozen=True, slots=True)
class Query:
    """One list call. None and nothing mean "any", except for `statuses`, where it means "any but DELETED".

    `name`, `flavor`, `description`, `swr_path`, `pool_name` and `username` match parts without regard to
    case; everything else matches exactly. All conditions must hold together.

    `granted` is no wish but a limit, set by `access.narrow` only: the workspaces whose notebooks the reader
    may see. `after` continues a walk behind a place; it goes with the order of creation only.
    """

    project_id: str = ""
    granted: frozenset[str] | None = None
    owner_id: str | None = None
    feature: str | None = "NOTEBOOK"
    workspace_id: str | None = "0"
    statuses: tuple[Status, ...] = ()
    created: Window = ANY_TIME
    updated: Window = ANY_TIME
    id: str | None = None
    image_id: str | None = None
    pool_id: str | None = None
    ip: str | None = None
    billing: Billing | None = None
    tags: tuple[Tag, ...] = ()
    name: str | None = None
    flavor: str | None = None
    description: str | None = None
    swr_path: str | None = None
    pool_name: str | None = None
    username: str | None = None
    sort: tuple[SortKey, ...] = (SortKey.CREATE_AT,)
    descending: bool = True
    offset: int = 0
    limit: int = 10
    after: Place | None = None


def spelled(query: Query) -> dict[str, str]:
    """The parameters of a list call that finds the same, whatever page of it, with nothing left to what is
    usual. `granted` is not among them: that is a matter of who asks."""
    texts = ("id", "image_id", "pool_id", "ip", "name", "flavor", "description", "swr_path", "pool_name")
    found = {
        "owner": query.owner_id,
        "feature": "*" if query.feature is None else query.feature,
        "workspace_id": "*" if query.workspace_id is None else query.workspace_id,
        "status": ",".join(query.statuses) or None,
        "created_since": query.created.since,
        "created_until": query.created.until,
        "updated_since": query.updated.since,
        "updated_until": query.updated.until,
        "billing": query.billing,
        "tags": ",".join(map(_spelled_tag, query.tags)) or None,
        "username": query.username,
        **{name: getattr(query, name) for name in texts},
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def _spelled_tag(tag: Tag) -> str:
    return tag.key if tag.value is None else f"{tag.key}|{tag.value}"


@dataclass(frozen=True, slots=True)
class PageNumbers:
    current: int  # Counted from 0.
    size: int
    pages: int


def fold(text: str) -> str:
    """The form in which fuzzy filters compare: case does not matter, accents and scripts do."""
    return text.casefold()


def parse_sort(text: str) -> tuple[SortKey, ...]:
    """Comma-separated names, most significant first; a repeated name counts once."""
    keys: dict[SortKey, None] = {}
    for name in text.split(","):
        key = SORT_SPELLINGS.get(name)
        if key is None:
            raise UnknownSortKey(name)
        keys[key] = None
    return tuple(keys)


def parse_tags(text: str) -> tuple[Tag, ...]:
    """`k1|v1,k2|v2`; a key without a bar matches any value."""
    pairs = (part.partition("|") for part in text.split(","))
    return tuple(Tag(key, value if bar else None) for key, bar, value in pairs)


def page_numbers(total: int, limit: int, offset: int) -> PageNumbers:
    return PageNumbers(current=offset // limit, size=limit, pages=-(-total // limit))

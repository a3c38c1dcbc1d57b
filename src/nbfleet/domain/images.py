"""What an image list asks for, whose an image is, and which states it goes through.

An image is tried before it may be used: it is started once and must answer. Plain values only; how they
become SQL is the store's business, and who may ask what is decided in `access`.
"""

from dataclasses import dataclass
from enum import StrEnum

from nbfleet.domain.listing import UnknownSortKey


class State(StrEnum):
    """The words of the contract."""

    INIT = "INIT"
    CREATING = "CREATING"
    CREATE_FAILED = "CREATE_FAILED"
    ERROR = "ERROR"
    DELETED = "DELETED"
    ACTIVE = "ACTIVE"


# What an image is while it is tried, and after a trial that failed. One that is in use stays usable while it
# is tried again; INIT is before the first trial.
ON_TRIAL: dict[State, State] = {
    State.INIT: State.CREATING,
    State.CREATING: State.CREATING,
    State.CREATE_FAILED: State.CREATING,
    State.ERROR: State.CREATING,
    State.ACTIVE: State.ACTIVE,
}
AFTER_FAILURE: dict[State, State] = {
    State.INIT: State.CREATE_FAILED,
    State.CREATING: State.CREATE_FAILED,
    State.CREATE_FAILED: State.CREATE_FAILED,
    State.ERROR: State.ERROR,
    State.ACTIVE: State.ERROR,
}


class ImageSort(StrEnum):
    NAME = "name"
    NAMESPACE = "namespace"
    TAG = "tag"
    SIZE = "size"
    CREATE_AT = "create_at"
    UPDATE_AT = "update_at"


SORT_SPELLINGS: dict[str, ImageSort] = {
    **{key.value: key for key in ImageSort},
    "createTime": ImageSort.CREATE_AT,
    "create_time": ImageSort.CREATE_AT,
    "updateTime": ImageSort.UPDATE_AT,
    "update_time": ImageSort.UPDATE_AT,
}


@dataclass(frozen=True, slots=True)
class Holding:
    """Whose an image is; `project_id` is None for those of the service."""

    project_id: str | None
    owner_id: str | None
    workspace_id: str
    public: bool


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """One list call. None means "any". `name` matches parts unless `fuzzy` is off; all else matches exactly.

    `project_id`, `owner_id` and `granted` are no wishes but limits, set by `access.narrow_images` only.
    """

    name: str | None = None
    fuzzy: bool = True
    namespace: str | None = None
    service_type: str | None = None
    type: str | None = None
    workspace_id: str | None = "0"
    show_name: str | None = None
    show_tag: str | None = None
    swr_instance_id: str | None = None
    sort: tuple[ImageSort, ...] = (ImageSort.CREATE_AT,)
    descending: bool = True
    offset: int = 0
    limit: int = 200
    project_id: str = ""
    owner_id: str | None = None
    granted: frozenset[str] | None = None


def parse_sort(text: str) -> tuple[ImageSort, ...]:
    """Comma-separated names, most significant first; a repeated name counts once."""
    keys: dict[ImageSort, None] = {}
    for name in text.split(","):
        key = SORT_SPELLINGS.get(name)
        if key is None:
            raise UnknownSortKey(name)
        keys[key] = None
    return tuple(keys)

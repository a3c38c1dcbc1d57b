"""What the fleet page shows, as a plain value: from its address and back, and to what the API is asked.

The names are those of the list operations, so an address says what a client would ask. Whether a value is
allowed is for the operation to judge; what is no number here is the default.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from nbfleet.wire import errors

FILTERS = (
    "name", "status", "owner", "username", "flavor", "pool_id", "pool_name", "workspace_id", "feature",
    "image_id", "swr_path", "tags", "description", "billing", "ip", "id", "created_since", "created_until",
    "updated_since", "updated_until",
)  # fmt: skip
ANY = "*"
SIZES = (25, 50, 100)
_SIZE, _SORT = SIZES[0], "create_at"
_ANYWHERE = {"workspace_id": ANY, "feature": ANY}  # Where the page looks unless told otherwise.
_SEVERAL = ("status", "tags")  # Values of one name stand side by side, separated by commas.
_NUMBERS = 9  # Digits of the longest number that an offset may have.
_FIELDS = 200

COLUMNS = (
    "name", "status", "owner", "flavor", "pool", "workspace", "image", "created", "updated", "stops",
    "tags", "id",
)  # fmt: skip
USUAL = ("name", "status", "owner", "flavor", "pool", "workspace", "created", "stops", "tags")
SORTED_BY: Mapping[str, str] = {
    "name": "name",
    "status": "status",
    "flavor": "flavor",
    "created": "create_at",
    "updated": "update_at",
    "id": "id",
}
# Other spellings of sort keys that the operations know.
_SPELLINGS = {
    "createTime": "create_at", "create_time": "create_at",
    "updateTime": "update_at", "update_time": "update_at",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """`filters` are names of FILTERS and texts that are not empty, in the order of FILTERS. A page has
    `limit` rows and begins behind `offset`."""

    filters: tuple[tuple[str, str], ...] = ()
    sort_key: str = _SORT
    descending: bool = True
    offset: int = 0
    limit: int = _SIZE

    def get(self, name: str) -> str:
        return dict(self.filters).get(name, "")

    def has(self, name: str, value: str) -> bool:
        """Whether the value is one of those that are looked for."""
        return value in self.get(name).split(",")

    @property
    def is_narrowed(self) -> bool:
        return bool(self.filters)

    @property
    def sorted_by(self) -> str:
        """The most significant key, in its usual spelling."""
        first = self.sort_key.partition(",")[0]
        return _SPELLINGS.get(first, first)

    @property
    def page(self) -> int:
        """Counted from 1."""
        return self.offset // self.limit + 1

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of the address; what is as usual is left out."""
        told = list(self.filters)
        if self.sort_key != _SORT:
            told.append(("sort_key", self.sort_key))
        if not self.descending:
            told.append(("sort_dir", "ASC"))
        if self.limit != _SIZE:
            told.append(("limit", str(self.limit)))
        if self.offset:
            told.append(("offset", str(self.offset)))
        return told

    def address(self) -> str:
        """The query string of the page, empty for the usual view."""
        return urlencode(self.pairs())

    def narrowing(self) -> dict[str, str]:
        """The filters as the operations want them, told completely: they look at less by themselves."""
        return {**_ANYWHERE, **dict(self.filters)}

    def question(self) -> dict[str, str]:
        """The whole query of the list operations."""
        return {
            **self.narrowing(),
            "sort_key": self.sort_key,
            "sort_dir": "DESC" if self.descending else "ASC",
            "offset": str(self.offset),
            "limit": str(self.limit),
        }

    # Views beside this one.

    def at(self, page: int) -> "View":
        """Counted from 1."""
        return replace(self, offset=(page - 1) * self.limit)

    def sorted(self, key: str) -> "View":
        """By this key from the first page on; the other way round if it is already. Times begin with the
        latest, texts with A."""
        descending = not self.descending if key == self.sorted_by else key.endswith("_at")
        return replace(self, sort_key=key, descending=descending, offset=0)

    def without(self, *names: str) -> "View":
        kept = tuple((name, value) for name, value in self.filters if name not in names)
        return replace(self, filters=kept, offset=0)


def parse(query: str) -> View:
    """The view at an address. Names that it does not know are passed over; of statuses and tags several may
    stand in it, of everything else the last one counts. `page` is another way to say where it begins. Raises
    ApiError where it has too many fields, or NUL in one."""
    given = _gathered(query)
    limit = _number(given.get("limit", ""), _SIZE) or _SIZE
    offset = _number(given.get("offset", ""), 0)
    if page := _number(given.get("page", ""), 0):
        offset = (page - 1) * limit
    return View(
        filters=_ordered(given),
        sort_key=given.get("sort_key") or _SORT,
        descending=given.get("sort_dir", "").upper() != "ASC",
        offset=offset,
        limit=limit,
    )


def _gathered(query: str) -> dict[str, str]:
    """Names and their texts without space around them; none is empty."""
    found: dict[str, str] = {}
    for name, value in _fields(query):
        text = value.strip()
        if not text:
            continue
        name = "workspace_id" if name == "workspaceId" else name  # noqa: PLW2901 - the older spelling.
        found[name] = f"{found[name]},{text}" if name in _SEVERAL and name in found else text
    return found


def _fields(query: str) -> list[tuple[str, str]]:
    """What stands in the query, as far as any page can take it."""
    number = query.count("&") + 1
    if number > _FIELDS:
        raise errors.invalid_query("query", f"one of {number} fields", f"at most {_FIELDS} fields")
    found = parse_qsl(query, errors="replace")
    for name, value in found:
        if "\0" in name or "\0" in value:
            raise errors.invalid_query(name, value, "text without NUL")
    return found


def _ordered(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    kept = {name: given[name] for name in FILTERS if given.get(name) and given[name] != _ANYWHERE.get(name)}
    if "status" in kept:
        kept["status"] = ",".join(dict.fromkeys(kept["status"].upper().split(",")))
    return tuple(kept.items())


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _NUMBERS else default


def columns_of(names: Iterable[str], *, everybody: bool) -> Sequence[str]:
    """The known ones among the names, in the usual order, always with the name. Those who see only what is
    theirs need no owners."""
    wanted = {*names}
    wanted = (wanted & {*COLUMNS}) or {*USUAL}
    hidden = set[str]() if everybody else {"owner"}
    return [name for name in COLUMNS if name == "name" or (name in wanted and name not in hidden)]

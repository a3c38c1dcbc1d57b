"""A query in two halves: its shape, which decides the statement, and its values, which are bound to it.

Statements depend on which conditions are there and not on what they compare with, so each is built and
compiled once for its shape. Values are what the tables hold: ids become numbers, words codes, texts folded.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Billing, Query, fold
from nbfleet.store.codes import BILLING, FEATURE, STATUS
from nbfleet.store.directory import Directory

_EXACT = (
    ("feature", "feature"),
    ("workspace_no", "workspace_id"),
    ("pool_no", "pool_id"),
    ("owner_no", "owner_id"),
    ("image_no", "image_id"),
    ("id", "id"),
    ("ip", "ip"),
)
FUZZY = ("name", "flavor", "username", "swr_path", "pool_name", "description")
_TEXTS = ("project_id", "owner_id", "workspace_id", "id", "image_id", "pool_id", "ip", *FUZZY)


@dataclass(frozen=True, slots=True)
class Shape:
    """Which conditions a query has.

    `equal`: columns that equal a value. `statuses`: how many are asked for, where it is more than one.
    `deleted`: whether deleted notebooks are left out (False), the only ones (True), or may be among them.
    `granted`: only some workspaces may be seen. `windows`: bounds of times, as (column, "since" or "until").
    `parts`: texts that have a part. `tags`: for each, whether any value will do. `after`: only what stands
    behind a place, in order of creation, which is `descending` or not.
    """

    equal: frozenset[str] = frozenset()
    statuses: int = 0
    deleted: bool | None = False
    granted: bool = False
    windows: tuple[tuple[str, str], ...] = ()
    parts: tuple[str, ...] = ()
    tags: tuple[bool, ...] = ()
    billing: bool = False
    after: bool = False
    descending: bool = False

    @property
    def is_countable(self) -> bool:
        """Whether nothing is asked that no counter could know."""
        return not (self.windows or self.parts or self.tags or self.billing)


def shape_of(query: Query) -> Shape:
    statuses = query.statuses
    equal = {column for column, field in _EXACT if getattr(query, field) is not None}
    if len(statuses) == 1:
        equal.add("status")
    return Shape(
        equal=frozenset(equal),
        statuses=len(statuses) if len(statuses) > 1 else 0,
        deleted=False if Status.DELETED not in statuses else True if len(statuses) == 1 else None,
        granted=query.granted is not None and query.workspace_id is None,
        windows=tuple(_windows(query)),
        # Nothing is a part of everything.
        parts=tuple(name for name in FUZZY if getattr(query, name)),
        tags=tuple(tag.value is None for tag in query.tags),
        billing=query.billing is not None,
        after=query.after is not None,
        descending=query.after is not None and query.descending,
    )


def _windows(query: Query) -> list[tuple[str, str]]:
    return [
        (column, bound)
        for column, window in (("create_at", query.created), ("update_at", query.updated))
        for bound in ("since", "until")
        if getattr(window, bound) is not None
    ]


def values_of(connection: Connection, directory: Directory, query: Query) -> dict[str, Any] | None:
    """None when an id that is asked for does not exist or may not be seen, so that nothing can match."""
    project_no = None if _is_unstorable(query) else directory.project(connection, query.project_id)
    if project_no is None or _is_hidden(query):
        return None
    numbers = _numbers(connection, directory, project_no, query)
    if numbers is None:
        return None
    values: dict[str, Any] = {"project_no": project_no, **numbers}
    for place, status in enumerate(query.statuses):
        values["status" if len(query.statuses) == 1 else f"status_{place}"] = STATUS[status]
    if query.granted is not None and query.workspace_id is None:
        values["granted"] = _granted(connection, directory, project_no, query.granted)
    for column, bound in _windows(query):
        window = query.created if column == "create_at" else query.updated
        values[f"{column}_{bound}"] = getattr(window, bound)
    for name in FUZZY:
        part = getattr(query, name)
        if part is not None:
            values[name] = fold(part)
    values |= {"id": (query.id or "").lower(), "ip": query.ip}
    for place, tag in enumerate(query.tags):
        values |= {f"tag_key_{place}": tag.key, f"tag_value_{place}": tag.value}
    if query.after is not None:
        values |= {"after_create_at": query.after.create_at, "after_rid": query.after.number}
    return values


def _is_unstorable(query: Query) -> bool:
    """Whether a text is asked for that can be in no database: PostgreSQL refuses to look for the letter 0."""
    for name in _TEXTS:
        text = getattr(query, name)
        if text is not None and "\0" in text:
            return True
    return any(text is not None and "\0" in text for tag in query.tags for text in (tag.key, tag.value))


def _is_hidden(query: Query) -> bool:
    """Whether a workspace is asked for that the reader may not see."""
    if query.granted is None:
        return False
    return not query.granted or (query.workspace_id is not None and query.workspace_id not in query.granted)


def _numbers(
    connection: Connection, directory: Directory, project_no: int, query: Query
) -> dict[str, int] | None:
    lookups: tuple[tuple[str, str | None, Callable[[str], int | None]], ...] = (
        ("workspace_no", query.workspace_id, lambda i: directory.workspace(connection, project_no, i)),
        ("pool_no", query.pool_id, lambda i: directory.pool(connection, project_no, i)),
        ("owner_no", query.owner_id, lambda i: directory.user(connection, i)),
        ("image_no", query.image_id, lambda i: directory.image(connection, i.lower())),
        ("feature", query.feature, FEATURE.get),
        ("billing", query.billing, lambda word: BILLING[Billing(word)]),
    )
    found: dict[str, int] = {}
    for name, wanted, look_up in lookups:
        if wanted is not None:
            number = look_up(wanted)
            if number is None:
                return None
            found[name] = number
    return found


def _granted(connection: Connection, directory: Directory, project_no: int, granted: frozenset[str]) -> Any:
    """The numbers of these workspaces, in the form in which each database takes a list."""
    found = (directory.workspace(connection, project_no, one) for one in granted)
    numbers = [number for number in found if number is not None]
    return json.dumps(numbers) if connection.dialect.name == "sqlite" else numbers

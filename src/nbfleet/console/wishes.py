"""From the fields of a form to the request that it stands for, and from a refusal to the field it names.

Nothing is checked here: what a field may hold is the operation's to say, so a value that makes no sense
travels on as it was typed and is refused by name.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from nbfleet.console.visit import Form
from nbfleet.wire.errors import ApiError, ErrorCode
from nbfleet.wire.notebooks import NotebookResp

HOUR = 3_600_000
PERIODS = tuple(hours * HOUR for hours in (1, 2, 4, 8, 24, 72))  # What is offered, in milliseconds.
NO_AUTO_STOP = -1
_NAMED = re.compile(r"The (?:field|size|duration|parameter|mount path) ([a-z_]+)((?:\.[a-z_]+|\[\d+\])*)[ ;]")
_OF_CODE: Mapping[str, str] = {
    ErrorCode.FLAVOR_NOT_SUPPORTED: "flavor",
    ErrorCode.FLAVOR_NOT_SWITCHABLE: "flavor",
    ErrorCode.FLAVOR_SOLD_OUT: "flavor",
    ErrorCode.FLAVOR_UNFIT_FOR_FEATURE: "flavor",
    ErrorCode.IMAGE_NOT_FOUND: "image_id",
    ErrorCode.IMAGE_NEEDS_SSH: "image_id",
    ErrorCode.WORKSPACE_NOT_FOUND: "workspace_id",
    ErrorCode.FORBIDDEN_BY_POLICY: "workspace_id",
}


def field_of(refusal: ApiError) -> str:
    """The field of the request that the refusal is about, as its first name says; empty where it names
    none."""
    named = _NAMED.match(refusal.message)
    return named[1] if named is not None else _OF_CODE.get(refusal.code, "")


def tags_of(text: str) -> list[dict[str, str]]:
    """One tag from each line, key=value or a key alone."""
    found: list[dict[str, str]] = []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if line.strip():
            found.append({"key": key.strip(), "value": value.strip()})
    return found


def lines_of(tags: Any) -> str:
    """The tags of an answer as they are typed."""
    pairs = [] if tags is UNSET else [(one.key, "" if one.value is UNSET else one.value) for one in tags]
    return "\n".join(f"{key}={value}" if value else key for key, value in pairs)


def to_create(form: Form) -> dict[str, Any]:
    """The body of the request to create; what was left empty is left out."""
    volume = {"category": form.one("category"), "ownership": "MANAGED", "capacity": _number(form.one("size"))}
    body = {
        "name": form.one("name"),
        "flavor": form.one("flavor"),
        "image_id": form.one("image_id"),
        "volume": {name: value for name, value in volume.items() if value != ""},
        "duration": _number(form.one("duration")),
        "description": form.one("description"),
        "workspace_id": form.one("workspace_id"),
        "pool_id": form.one("pool_id"),
        "tags": tags_of(form.one("tags")),
    }
    needed = ("name", "image_id", "volume")
    return {name: value for name, value in body.items() if name in needed or value not in ("", [])}


def to_change(form: Form, one: NotebookResp) -> dict[str, Any]:
    """The body of the request to update: what differs from the notebook as it is shown."""
    volume = {} if one.volume is UNSET else {"storage_new_size": one.volume.capacity}
    now = {
        "name": one.name,
        "description": "" if one.description is UNSET else one.description,
        "flavor": one.flavor,
        "image_id": None if one.image is UNSET else one.image.id,
        **volume,
    }
    wanted = {name: form.one(name) for name in now if name in form.fields}
    if wanted.get("storage_new_size") == form.one("storage_was"):
        # It may have grown since the form was made.
        wanted.pop("storage_new_size", None)
    elif "storage_new_size" in wanted:
        wanted["storage_new_size"] = _number(wanted["storage_new_size"])
    return {name: value for name, value in wanted.items() if value != now[name]}


def tags_to_change(form: Form, one: NotebookResp) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The tags to set, and those to remove."""
    wanted = tags_of(form.one("tags"))
    now = {tag["key"]: tag["value"] for tag in tags_of(lines_of(one.tags))}
    new = [tag for tag in wanted if now.get(tag["key"]) != tag["value"]]
    kept = {tag["key"] for tag in wanted}
    return new, [{"key": key} for key in now if key not in kept]


def _number(text: str) -> Any:
    """The whole number that was typed, else the text."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text

"""From the fields of a form to the request that it stands for, and from a refusal to the field it names.

Nothing is checked here: what a field may hold is the operation's to say, so a value that makes no sense
travels on as it was typed and is refused by name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from nbfleet.console.texts import later
from nbfleet.console.visit import Form
from nbfleet.wire.errors import ApiError, ErrorCode

HOUR = 3_600_000
PERIODS = tuple(hours * HOUR for hours in (1, 2, 4, 8, 24, 72))  # What is offered, in milliseconds.
NO_AUTO_STOP = -1
_WAS = "_was"
# The fields that one request changes, and what they are called.
_FIELDS: Mapping[str, str] = {
    "name": later("Name"),
    "description": later("Description"),
    "storage_new_size": later("Volume size"),
    "flavor": later("Flavor"),
    "image_id": later("Image"),
}
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
    known: Sequence[Any] = [] if tags is UNSET else tags
    return "\n".join(_line(one.key, "" if one.value is UNSET else one.value) for one in known)


def _line(key: str, value: str) -> str:
    return f"{key}={value}" if value else key


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


@dataclass(frozen=True, slots=True)
class Wish:
    """One request that a form asks for. `path` is the name that the operation has for the notebook's id,
    `what` tells a reader what is saved by it, and `then` are the fields of what was shown, as they are once
    it is saved."""

    operation: str
    path: str
    body: dict[str, Any]
    what: Sequence[str]
    then: Mapping[str, str]


def changes(form: Form) -> Sequence[Wish]:
    """The requests for what was changed in the form, in their order. Beside each field stands, with `_was`
    behind its name, what it held when the form was made: what others changed since then stays."""
    body, (new, gone) = to_change(form), tags_to_change(form)
    shown = {f"{name}{_WAS}": form.one(name) for name in body}
    kept = [tag for tag in tags_of(form.one("tags_was")) if {"key": tag["key"]} not in gone]
    tags = {"tags_was": "\n".join(_line(tag["key"], tag["value"]) for tag in kept)}
    all_tags = {"tags_was": form.one("tags")}
    asked = (
        Wish("UpdateNotebook", "id", body, [_FIELDS[name] for name in body], shown),
        Wish("DeleteNotebookTags", "resource_id", {"tags": gone}, [later("Tags removed")], tags),
        Wish("CreateNotebookTags", "resource_id", {"tags": new}, [later("Tags set")], all_tags),
    )
    return [one for one, is_asked in zip(asked, (body, gone, new), strict=True) if is_asked]


def to_change(form: Form) -> dict[str, Any]:
    """The body of the request to update: the fields that differ from what was shown."""
    body: dict[str, Any] = {name: form.one(name) for name in _FIELDS if _is_changed(form, name)}
    if "storage_new_size" in body:
        body["storage_new_size"] = _number(body["storage_new_size"])
    return body


def tags_to_change(form: Form) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The tags to set, and those to remove."""
    wanted = tags_of(form.one("tags"))
    was = {tag["key"]: tag["value"] for tag in tags_of(form.one("tags_was"))}
    new = [tag for tag in wanted if was.get(tag["key"]) != tag["value"]]
    kept = {tag["key"] for tag in wanted}
    return new, [{"key": key} for key in was if key not in kept]


def _is_changed(form: Form, name: str) -> bool:
    return name in form.fields and _plain(form.one(name)) != _plain(form.one(f"{name}{_WAS}"))


def _plain(text: str) -> str:
    """With the ends of lines that browsers make of all others."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str) -> Any:
    """The whole number that was typed, else the text."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text

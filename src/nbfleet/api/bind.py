"""From received text and bytes to typed values, and from what is wrong with them to a clear answer.

Every refusal names the field, what was given and what is allowed. Documented parameters are decoded by the
types of the table; those that no row documents are ignored.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from nbfleet.api.allowed import describe, describe_at, describe_fields
from nbfleet.wire import errors
from nbfleet.wire.operation import Operation
from nbfleet.wire.parameters import Parameter
from nbfleet.wire.workspaces import CreateWorkspaceReq, UpdateWorkspaceReq

QUERY_LIMIT = 8192
_LONGEST = 128  # Characters of a value that is remembered.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_AT = re.compile(r"(?P<problem>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")
# Only bodies refuse fields that they do not know, and no record inside them: there is no place to tell.
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<expected>[^`]*)`, got `[^`]*`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
# Fields whose characters the contract restricts with a code of their own.
_CHARACTERS = {
    "name": "letters, digits, hyphen, underscore and Chinese characters, 1 to 128 in all",
    "description": "any but & < > \" ' and /, at most 512 in all",
}
_OF_WORKSPACES = _CHARACTERS | {
    "description": "text of 0 to 256 characters, without NUL",
    "name": "letters, digits, hyphen, underscore and Chinese characters, 4 to 64 in all, and not default",
}


def query_pairs(raw: bytes) -> dict[str, str]:
    """Decoded names and values; a parameter given twice is refused, because it has two meanings."""
    if not raw:
        return {}
    if len(raw) > QUERY_LIMIT:
        raise errors.invalid_query("query string", f"{len(raw)} bytes", f"at most {QUERY_LIMIT} bytes")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict")
    except (UnicodeDecodeError, ValueError) as fault:
        raise errors.invalid_query("query string", raw.decode("latin-1"), "percent-encoded UTF-8") from fault
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise errors.invalid_query(name, f"{found[name]}, {value}", "one value")
        if "\0" in value:
            raise errors.invalid_query(name, value, "text without NUL")
        found[name] = value
    return found


def query(operation: Operation, raw: bytes, page_limit: int) -> dict[str, Any]:
    """The documented parameters of the query; a page has at most `page_limit` records."""
    given = query_pairs(raw)
    try:
        found = parameters(operation, "query", given)
    except _BadPageSize as fault:
        raise errors.invalid_query("limit", fault, f"1 to {page_limit}") from fault
    if found.get("limit", 1) > page_limit:
        raise errors.invalid_query("limit", given["limit"], f"1 to {page_limit}")
    return found


def parameters(operation: Operation, location: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The documented parameters of this place that were given, decoded."""
    found: dict[str, Any] = {}
    for parameter in operation.parameters:
        if parameter.location != location:
            continue
        if parameter.name in given:
            found[parameter.name] = _decoded(parameter, given[parameter.name])
        elif parameter.required:
            raise errors.invalid_query(parameter.name, "missing", describe(parameter.type))
    return found


def project_id(operation: Operation, path: Mapping[str, str]) -> str:
    """The project of the path, before anything else of the request is decoded."""
    parameter = next(parameter for parameter in operation.parameters if parameter.name == "project_id")
    return _decoded(parameter, path["project_id"])


def _decoded(parameter: Parameter, text: str) -> Any:
    if parameter.several:
        return tuple(dict.fromkeys(_one(parameter, part) for part in text.split(",")))
    return _one(parameter, text)


def _one(parameter: Parameter, text: str) -> Any:
    return _remembered(parameter, text) if len(text) <= _LONGEST else _converted(parameter, text)


def _converted(parameter: Parameter, text: str) -> Any:
    try:
        return msgspec.convert(text, parameter.type, strict=False)
    except msgspec.ValidationError as fault:
        if parameter.name == "limit":
            raise _BadPageSize(text) from fault
        raise _bad_parameter(parameter, text) from fault


# The same few values come in most requests, and decoding one takes longer than finding it.
_remembered = lru_cache(4096)(_converted)


class _BadPageSize(Exception):
    """What was given as limit is no page size; how large one may be is a setting."""


def _bad_parameter(parameter: Parameter, text: str) -> errors.ApiError:
    allowed = describe(parameter.type)
    if parameter.location == "path":
        if parameter.name == "project_id":
            return errors.invalid_project_id(text)
        return errors.wrong_value(parameter.name, text, allowed)
    if parameter.name == "duration":
        return errors.bad_duration("duration", text, allowed)
    return errors.invalid_query(parameter.name, text, allowed)


def body(operation: Operation, raw: bytes) -> Any:
    """The decoded body; None where the operation has none or it may be left out and is empty."""
    if operation.body is None or (not raw.strip() and not operation.body_required):
        return None
    try:
        return _decoded_body(operation.body, raw)
    except RecursionError as fault:
        raise errors.invalid_body("it is nested too deeply") from fault


def _decoded_body(type_: Any, raw: bytes) -> Any:
    try:
        # Whole and without types first: a typed decoder stops at the first value it dislikes.
        document: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise errors.invalid_body(fault) from fault
    if _NUL.search(raw):
        _refuse_nul(document, "$", _rules(type_))
    try:
        return msgspec.convert(document, type_)
    except msgspec.ValidationError as fault:
        raise _bad_field(type_, str(fault), document) from fault


def _rules(type_: Any) -> Mapping[str, str]:
    return _OF_WORKSPACES if type_ in (CreateWorkspaceReq, UpdateWorkspaceReq) else _CHARACTERS


def _refuse_nul(value: Any, path: str, rules: Mapping[str, str]) -> None:
    """No store can be trusted with the character NUL: one cuts text there, the other refuses it."""
    match value:
        case str() if "\0" in value:
            field = path.removeprefix("$").removeprefix(".")
            if field in rules:
                raise errors.bad_characters(field, value, rules[field])
            raise errors.wrong_value(field or "body", value, "text without NUL")
        case dict():
            for name, item in cast("dict[str, Any]", value).items():
                _refuse_nul(name, f"{path}.{name}", rules)
                _refuse_nul(item, f"{path}.{name}", rules)
        case list():
            for place, item in enumerate(cast("list[Any]", value)):
                _refuse_nul(item, f"{path}[{place}]", rules)
        case _:
            return


def _bad_field(type_: Any, message: str, document: Any) -> errors.ApiError:
    unknown = _UNKNOWN.fullmatch(message)
    if unknown is not None:
        return errors.wrong_value(errors.shown(unknown["field"]), "unknown", describe_fields(type_))
    match = _AT.fullmatch(message)
    problem, path = (message, "$") if match is None else (match["problem"], match["path"] or "$")
    missing = _MISSING.search(problem)
    if missing is not None:
        return errors.missing(_join(path, missing["field"]))
    given = _at(document, path)
    field = path.removeprefix("$").removeprefix(".") or "body"
    wrong_type = _TYPE.search(problem)
    if wrong_type is not None:
        return errors.wrong_type(field, given, wrong_type["expected"])
    rules = _rules(type_)
    if field in rules and "matching" in problem:
        return errors.bad_characters(field, given, rules[field])
    if field in rules:
        return errors.wrong_value(field, given, rules[field])
    return errors.wrong_value(field, given, describe_at(type_, path))


def _join(path: str, field: str) -> str:
    return f"{path}.{field}".removeprefix("$.")


def _at(document: Any, path: str) -> Any:
    """What stands in the body at a path such as `$.volume.capacity` or `$.endpoints[0]`."""
    value = document
    for name, index in _STEP.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError):
            break
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()

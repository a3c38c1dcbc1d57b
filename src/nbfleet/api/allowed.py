"""What a type allows, in words for error messages. Derived from the type, so that it cannot go stale."""

import re
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect as inspection
from msgspec.inspect import (
    AnyType,
    BoolType,
    CustomType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    LiteralType,
    Metadata,
    StrType,
    StructType,
    UnionType,
)

from nbfleet.wire.any_case import AnyCase

_STEP = re.compile(r"\.([^.\[\]]+)|\[\.*\d*\]")


@cache
def describe(type_: Any) -> str:
    """For example `0 to 2147483647`, `ASC, DESC`, or `text of 0 to 128 characters matching ...`."""
    return _describe(inspection.type_info(type_))


@cache
def describe_at(type_: Any, path: str) -> str:
    """What is allowed inside a record, at a path such as `$.volume.capacity` or `$.endpoints[0]`."""
    info: Any = inspection.type_info(type_)
    for step in _STEP.finditer(path):
        info = _inside(info, step[1])
    return _describe(info)


def describe_fields(type_: Any) -> str:
    """The names of the fields of a record."""
    return ", ".join(one.encode_name for one in msgspec.structs.fields(type_))


def _inside(info: Any, name: str | None) -> Any:
    """The type of this field, or of an item where there is no name."""
    match info:
        case Metadata():
            return _inside(info.type, name)
        case ListType():
            return info.item_type
        case StructType():
            return next((field.type for field in info.fields if field.encode_name == name), AnyType())
        case _:
            return AnyType()


def _describe(info: Any) -> str:
    match info:
        case Metadata():
            return _describe(info.type)
        case EnumType():
            return ", ".join(_words(info.cls))
        case LiteralType():
            return ", ".join(str(value) for value in info.values)
        case IntType() | FloatType():
            return _range(info)
        case StrType():
            return _text(info)
        case BoolType():
            return "true, false"
        case ListType():
            return _list(info)
        case StructType():
            return "an object"
        case UnionType():
            return " or ".join(_describe(part) for part in info.types)
        case CustomType():
            return info.cls.__name__
        case _:
            return type(info).__name__.removesuffix("Type").lower()


def _words(enumeration: Any) -> list[str]:
    """Each once where the case does not matter."""
    words = [str(member.value) for member in enumeration]
    if issubclass(enumeration, AnyCase):
        return [word for word in words if word == word.upper()]
    return words


def _list(info: ListType) -> str:
    low, high = info.min_length or 0, info.max_length
    size = f" with {low} to {high} items" if high is not None else f" with {low} items or more" if low else ""
    return f"a list{size}, each {_describe(info.item_type)}"


def _range(info: IntType | FloatType) -> str:
    low, high = info.ge, info.le
    kind = "a whole number" if isinstance(info, IntType) else "a number"
    if high is None:
        return kind if low is None else f"{kind} from {low} on"
    return f"{low} to {high}"


def _text(info: StrType) -> str:
    parts = ["text"]
    if info.max_length is not None:
        parts.append(f"of {info.min_length or 0} to {info.max_length} characters")
    if info.pattern is not None:
        parts.append(f"matching {info.pattern.replace(chr(92) + 'Z', '$')}")
    return " ".join(parts)

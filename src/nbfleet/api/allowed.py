"""What a type allows, in words for error messages. Derived from the type, so that it cannot go stale."""

from functools import cache
from typing import Any

import msgspec.inspect as inspection
from msgspec.inspect import (
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

from nbfleet.wire.fields import INT32_MAX, INT64_MAX


@cache
def describe(type_: Any) -> str:
    """For example `1 to 2147483647`, `ASC, DESC`, or `text of at most 128 characters matching ...`."""
    return _describe(inspection.type_info(type_))


def _describe(info: Any) -> str:
    match info:
        case Metadata():
            return _describe(info.type)
        case EnumType():
            return ", ".join(str(member.value) for member in info.cls)
        case LiteralType():
            return ", ".join(str(value) for value in info.values)
        case IntType() | FloatType():
            return _range(info)
        case StrType():
            return _text(info)
        case BoolType():
            return "true, false"
        case ListType():
            return f"a list of {_describe(info.item_type)}"
        case StructType():
            return "an object"
        case UnionType():
            return " or ".join(_describe(part) for part in info.types)
        case CustomType():
            return info.cls.__name__
        case _:
            return type(info).__name__.removesuffix("Type").lower()


def _range(info: IntType | FloatType) -> str:
    low, high = info.ge, info.le
    kind = "a whole number" if isinstance(info, IntType) else "a number"
    if high in (INT32_MAX, INT64_MAX, None):
        return kind if low is None else f"{kind} from {low} on"
    return f"{low} to {high}"


def _text(info: StrType) -> str:
    parts = ["text"]
    if info.max_length is not None:
        parts.append(f"of {info.min_length or 0} to {info.max_length} characters")
    if info.pattern is not None:
        parts.append(f"matching {info.pattern.replace(chr(92) + 'Z', '$')}")
    return " ".join(parts)

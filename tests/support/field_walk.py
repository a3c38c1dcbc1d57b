"""Every field of the bodies of requests, from the types that the service decodes them with."""

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from nbfleet.wire.operations import OPERATIONS, by_id


def operations_with_bodies() -> tuple[str, ...]:
    """Ids of the operations of the contract whose requests have fields."""
    return tuple(one.id for one in OPERATIONS if not one.extension and one.body and fields(one.id))


def fields(operation_id: str) -> tuple[str, ...]:
    """In the order of the types; a dot leads into a record and `[]` into a list."""
    return tuple(_walk(inspect.type_info(by_id(operation_id).body), ""))


def _walk(type_: Any, path: str) -> Iterator[str]:
    match type_:
        case inspect.Metadata():
            yield from _walk(type_.type, path)
        case inspect.StructType():
            for one in type_.fields:
                yield from _walk(one.type, f"{path}.{one.encode_name}".lstrip("."))
        case inspect.ListType():
            yield from _walk(type_.item_type, f"{path}[]")
        case inspect.UnionType():
            yield from _walk(_fullest(type_), path)
        case _:
            yield path


def _fullest(union: Any) -> Any:
    """The one of a union that has fields or entries; the others say that there is nothing."""
    bare = [one.type if isinstance(one, inspect.Metadata) else one for one in union.types]
    return next((one for one in bare if isinstance(one, inspect.StructType | inspect.ListType)), None)

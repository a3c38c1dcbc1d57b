"""Every field of requests that change something, from what the service decodes them with."""

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from nbfleet.wire.operations import OPERATIONS, by_id


def operations_with_fields() -> tuple[str, ...]:
    """Ids of the operations of the contract that change something and whose requests have fields."""
    return tuple(one.id for one in OPERATIONS if not one.extension and one.method != "GET" and fields(one.id))


def fields(operation_id: str) -> tuple[str, ...]:
    """Those of the query first, begun with `?`, then those of the body in the order of the types; a dot leads
    into a record and `[]` into a list."""
    operation = by_id(operation_id)
    asked = (f"?{one.name}" for one in operation.parameters if one.location == "query")
    body = () if operation.body is None else _walk(inspect.type_info(operation.body), "")
    return (*asked, *body)


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

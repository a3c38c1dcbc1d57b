"""From method and path to the row of the table of operations. Fixed words win over parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from nbfleet.wire.operation import Operation

_REMEMBERED = 1024  # Paths; a busy client asks the same ones again and again.
_LONGEST = 256  # Bytes of a path that is remembered.


@dataclass(frozen=True, slots=True)
class Match:
    operation: Operation
    path: Mapping[str, str]


class NoSuchPath(Exception):
    """No operation has this path."""


class NoSuchMethod(Exception):
    """The path exists, with other methods."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(", ".join(allowed))
        self.allowed = allowed


class Router:
    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for operation in operations:
            self._add(operation)
        for templates in self._by_length.values():
            templates.sort(key=lambda entry: [part.startswith("{") for part in entry[0]])
        self._known = lru_cache(_REMEMBERED)(self._found)

    def _add(self, operation: Operation) -> None:
        template = _shape(operation.path)
        templates = self._by_length.setdefault(len(template), [])
        for known, methods in templates:
            if known == template:
                methods[operation.method] = operation
                return
        templates.append((template, {operation.method: operation}))

    def match(self, method: str, raw_path: bytes) -> Match:
        """`raw_path` is still encoded: an encoded slash belongs to its segment."""
        return self._known(method, raw_path) if len(raw_path) <= _LONGEST else self._found(method, raw_path)

    def _found(self, method: str, raw_path: bytes) -> Match:
        segments = raw_path.split(b"/")
        for template, methods in self._by_length.get(len(segments), ()):
            if _fits(template, segments):
                operation = methods.get(method)
                if operation is None:
                    raise NoSuchMethod(tuple(sorted(methods)))
                return Match(operation, _values(operation, segments))
        raise NoSuchPath


def _shape(path: str) -> tuple[str, ...]:
    """The template without the names of its parameters: two operations may name one place differently."""
    return tuple("{}" if part.startswith("{") else part for part in path.split("/"))


def _fits(template: tuple[str, ...], segments: list[bytes]) -> bool:
    pairs = zip(template, segments, strict=True)
    return all(segment != b"" if part == "{}" else part.encode() == segment for part, segment in pairs)


def _values(operation: Operation, segments: list[bytes]) -> dict[str, str]:
    pairs = zip(operation.path.split("/"), segments, strict=True)
    return {
        part[1:-1]: unquote_to_bytes(segment).decode("utf-8", "replace")
        for part, segment in pairs
        if part.startswith("{")
    }

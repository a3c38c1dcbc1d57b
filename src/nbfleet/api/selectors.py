"""Selectors of labels, as Kubernetes writes them: the comparisons, without the sets."""

from collections.abc import Callable, Mapping

from nbfleet.wire import errors

Matches = Callable[[Mapping[str, str]], bool]
_ALLOWED = "key, !key, key=value, key==value and key!=value, separated by commas"


def parsed(name: str, text: str) -> Matches:
    """All parts must match; nothing matches everything. `name` is that of the parameter, for refusals."""
    parts = [_part(name, text, part.strip()) for part in text.split(",")] if text.strip() else []
    return lambda labels: all(part(labels) for part in parts)


def _part(name: str, text: str, part: str) -> Matches:
    for sign, wanted in (("!=", False), ("==", True), ("=", True)):
        key, found, value = (one.strip() for one in part.partition(sign))
        if found:
            _check(name, text, key, value)
            return lambda labels: (labels.get(key) == value) is wanted
    key = part.removeprefix("!").strip()
    _check(name, text, key, "")
    return lambda labels: (key in labels) is not part.startswith("!")


def _check(name: str, text: str, key: str, value: str) -> None:
    signs = set(key + value)
    if not key or any(sign.isspace() or sign in "()!=<>" for sign in signs):
        raise errors.invalid_query(name, text, _ALLOWED)

"""Tags of a notebook: what they can be made of, and what is there after a change. Values only: who may
change them, and in which status, is decided elsewhere.

Both changes may be repeated: the second time nothing is different.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

# Keys with values, in order of the keys.
Tags: TypeAlias = tuple[tuple[str, str], ...]

MOST = 20  # Of one notebook.
RESERVED = "_sys_"
KEY_RULE = (
    "letters and digits of any language, space and _ . : = + - @, 1 to 128 in all, without a space at "
    f"either end and not beginning with {RESERVED}"
)
VALUE_RULE = "letters and digits of any language, space and _ . : / = + - @, at most 255 in all"
_SIGNS = frozenset(" _.:=+-@")


class TooMany(Exception):
    def __init__(self, count: int) -> None:
        super().__init__(f"{count} tags")
        self.count = count


def is_key(text: str) -> bool:
    plain = all(map(_is_plain, text))
    return 1 <= len(text) <= 128 and plain and text == text.strip(" ") and not text.startswith(RESERVED)


def is_value(text: str) -> bool:
    return len(text) <= 255 and all(sign == "/" or _is_plain(sign) for sign in text)


def _is_plain(sign: str) -> bool:
    # Marks besides letters: in many scripts a letter is a letter only together with them.
    return sign in _SIGNS or unicodedata.category(sign)[0] in "LM" or unicodedata.category(sign) == "Nd"


def with_tags(tags: Tags, wanted: Mapping[str, str]) -> Tags:
    """What `tags` becomes when these are set; a key that is there gets the new value."""
    after = dict(tags) | dict(wanted)
    if len(after) > MOST:
        raise TooMany(len(after))
    return tuple(sorted(after.items()))


def without_tags(tags: Tags, keys: Iterable[str]) -> Tags:
    """What is left when these keys go, whether they are there or not."""
    gone = set(keys)
    return tuple(tag for tag in tags if tag[0] not in gone)


def by_key(pairs: Iterable[tuple[str, str]]) -> Sequence[tuple[str, list[str]]]:
    """Each key with its values, from pairs in order."""
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return list(found.items())

"""Words that are compared without regard to case, as the contract says of enumerations in requests."""

from enum import StrEnum
from typing import Self


class AnyCase(StrEnum):
    """Words that requests may spell in either case; answers spell them as they are defined."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        wanted = str(value).upper()
        return next((word for word in cls if word.value.upper() == wanted), None)

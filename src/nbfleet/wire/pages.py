"""Envelopes that belong to no family: the page of a list, and the body without fields.

Counting pages is the job of whoever builds a list.
"""

from typing import Annotated

from msgspec import Struct

from nbfleet.wire.fields import Count, LongCount, about


class Page(Struct, frozen=True, kw_only=True):
    """Envelope of a list. Lists answered as a whole show page 1 of 1, with size equal to total."""

    current: Annotated[Count, about("Page number of this answer, counted from 0: floor(offset / limit).")]
    pages: Annotated[Count, about("Number of pages: ceil(total / limit); 1 when unpaged.")]
    size: Annotated[
        Count,
        about("Page size in force: the limit, not the number of returned records; total when unpaged."),
    ]
    total: Annotated[LongCount, about("Number of matching records over all pages.")]


class EmptyObject(Struct, frozen=True, kw_only=True):
    """Body without documented fields."""

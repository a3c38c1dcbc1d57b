"""What stands on the shelf, told as an answer to a request. Reads files and so belongs into a thread."""

from collections.abc import Sequence

from nbfleet import shelf
from nbfleet.services.context import Context
from nbfleet.shelf import Missing, Standing, Unusable
from nbfleet.store.images import Stored
from nbfleet.wire import errors


def look(context: Context, swr_path: str) -> Standing | Unusable | None:
    """What is there, or why it cannot be used; None where every reference is an image."""
    place = shelf.of(context.settings)
    try:
        if place is None:
            shelf.parse(swr_path)
            return None
        standing = place.find(swr_path)
    except Unusable as fault:
        return fault
    if standing.interpreter is None:
        return Unusable(
            "it is a root directory (root in its manifest); here only an interpreter (python) runs"
        )
    return standing


def the_standing(context: Context, swr_path: str) -> Standing | None:
    seen = look(context, swr_path)
    if isinstance(seen, Missing):
        raise errors.image_missing(swr_path, str(seen)) from seen
    if isinstance(seen, Unusable):
        raise errors.image_unusable(swr_path, str(seen)) from seen
    return seen


def is_removable(context: Context, found: Sequence[Stored]) -> bool:
    """Whether the content of all of them is the service's own, or gone."""
    place = shelf.of(context.settings)
    if place is None:
        return True
    for one in found:
        try:
            if not place.is_own(place.find(str(one.image.swr_path))):
                return False
        except Missing:
            continue
        except Unusable:
            return False  # It cannot be told whose it is.
    return True

"""What the pages of administration share: which of them a visitor may enter, and how a refusal is told beside
the field that it is about."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.responses import RedirectResponse, Response

from nbfleet.console.page import Parts
from nbfleet.console.sections import SECTIONS, Section
from nbfleet.console.texts import _, later
from nbfleet.console.visit import Visit
from nbfleet.services.identity import Refused
from nbfleet.wire import errors
from nbfleet.wire.errors import ApiError

T = TypeVar("T")
_NOT_HERE = (401, 403, 404)  # Told by a page of their own.


_DONE = {
    "role": later("The role is changed."),
    "out": later("The user is no member of this project any more."),
    "enabled": later("The user is let in again."),
    "disabled": later("The user is cut off: sessions end, keys stop working. Notebooks stay."),
    "deleted": later("It is deleted."),
    "added": later("It is added."),
    "changed": later("The change is saved."),
    "key-enabled": later("What is signed with the key is taken again."),
    "key-disabled": later("What is signed with the key is refused."),
    "registered": later("The image is registered and being tried out."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a form was refused, and the field that it is told beside. Services say so in English, pages in the
    language of the reader."""

    field: str
    text: str
    is_english: bool = False


NO_PROBLEM = Problem("", "")


class Mistake(Exception):
    """What a page itself finds wrong with what was written in a form, in the language of the reader."""


@dataclass(frozen=True, slots=True)
class Once:
    """A secret as it is shown once: what it is, and the text of it."""

    label: str
    text: str


async def tried(change: Awaitable[T], *fields: str) -> T | Problem:
    """The outcome, or what is said of a refusal, beside the first of the fields that it names. Refusals that
    are no answer to what was written in a form go on."""
    try:
        return await change
    except Mistake as mistake:
        return Problem(fields[0], str(mistake))
    except Refused as refusal:
        text = str(refusal)
    except ApiError as refusal:
        if refusal.status in _NOT_HERE or refusal.status >= errors.internal().status:
            raise
        text = refusal.message
    return Problem(next((one for one in fields if one in text), fields[0]), text, is_english=True)


class Room:
    """A subject of administration: its section, and how its pages are shown."""

    def __init__(self, parts: Parts, section: Section) -> None:
        self._renderer = parts.renderer
        self._section = section

    def enter(self, visit: Visit) -> None:
        """Refuses whoever the section is not open to."""
        if not self._section.is_open(visit):
            lacking = next(one for one in self._section.needs if not visit.may(one))
            raise errors.forbidden(lacking)

    def page(self, visit: Visit, template: str, **values: Any) -> Response:
        known: dict[str, Any] = {
            "sections": [one for one in SECTIONS if one.is_open(visit)],
            "section": self._section,
            "done": _(_DONE.get(visit.request.query_params.get("done", ""), "")),
            "problem": NO_PROBLEM,
            "given": visit.form,
        }
        return self._renderer.page(f"admin/{template}", visit.look, visit, **{**known, **values})

    def once(self, visit: Visit, title: str, lead: str, secrets: list[Once], back: str = "") -> Response:
        """The one page that shows something secret."""
        values = {"heading": title, "lead": lead, "secrets": secrets}
        return self.page(visit, "once.html", back=back or self.address(visit), **values)

    def address(self, visit: Visit, *rest: str) -> str:
        return "/".join((visit.base, "admin", self._section.path, *rest))

    def to(self, visit: Visit, done: str, *rest: str) -> Response:
        return RedirectResponse(f"{self.address(visit, *rest)}?done={done}", 303)


Answer = Callable[[Visit], Awaitable[Response]]


def check_typed(visit: Visit, name: str) -> None:
    """What cannot be undone is done only for who typed the name of it."""
    if visit.form.one("typed") != name:
        raise Mistake(_("Type the name exactly as it stands there."))

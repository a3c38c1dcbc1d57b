"""One request to a page: who asks, for which project, and how they like to see it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from nbfleet.api.auth import Proof
from nbfleet.console import texts
from nbfleet.console.desk import Desk
from nbfleet.console.trust import csrf_word
from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.wire import errors

LANGUAGE_COOKIE = "nbfleet-language"
THEME_COOKIE = "nbfleet-theme"
THEMES = ("auto", "light", "dark")
_FORM_LIMIT = 1 << 20  # Bytes.
_FIELDS = 2000


@dataclass(frozen=True, slots=True)
class Look:
    """How a browser's user likes pages to be."""

    language: str
    theme: str

    @staticmethod
    def of(request: Request) -> "Look":
        theme = request.cookies.get(THEME_COOKIE, "")
        language = texts.chosen(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        )
        return Look(language, theme if theme in THEMES else THEMES[0])


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a sent form; one that is not there is empty."""

    fields: Mapping[str, Sequence[str]] = field(repr=False)  # Passwords may be among them.

    def one(self, name: str) -> str:
        return self.fields.get(name, ("",))[0]

    def all(self, name: str) -> Sequence[str]:
        return self.fields.get(name, ())


async def read_form(request: Request) -> Form:
    """The form in the body, as browsers send it unless files are in it. What is too large is refused."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _FORM_LIMIT:
            raise errors.body_too_large(_FORM_LIMIT)
    try:
        text = body.decode("ascii")
        if "\0" in text or "%00" in text:
            raise errors.invalid_body("a field has NUL")
        return Form(parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS))
    except ValueError as fault:
        raise errors.invalid_body("no form, or one with too many fields") from fault


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Visit:
    """`caller` is the reader in the project of the page; `projects` are all that the reader may enter.
    `again` tells who the reader is by then, and raises ApiError once they are no longer let in."""

    request: Request
    look: Look
    session: str = field(repr=False)
    proof: Proof
    caller: Caller
    projects: Sequence[Project]
    desk: Desk
    form: Form
    again: Callable[[], Awaitable[Caller]]

    @property
    def project(self) -> Project:
        return next(one for one in self.projects if one.id == self.caller.project_id)

    @property
    def base(self) -> str:
        """The path of the project's pages, without a slash at the end."""
        return f"/console/{self.caller.project_id}"

    @property
    def csrf(self) -> str:
        return csrf_word(self.session)

    @property
    def is_part(self) -> bool:
        """Whether a page that is shown already asks for something to put into itself."""
        return self.request.headers.get("hx-request") == "true"

    def may(self, action: str) -> bool:
        return access.may(self.caller, action)

    def acts_on(self, owner_id: str) -> bool:
        """Whether the reader's actions reach a notebook of this owner."""
        return access.acts_on(self.caller, owner_id)

    @property
    def sees_fleet(self) -> bool:
        return self.may(access.LIST_ALL)

    @property
    def is_administrator(self) -> bool:
        return self.caller.role.may_everything


Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]

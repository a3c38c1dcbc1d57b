"""The words of the pages, in English and in Simplified Chinese.

Templates and modules hold the English text; `locales` the others, in the form in which translators keep it.
What users and the service itself wrote (names, reasons, messages of refusals) is shown as it is.
"""

import gettext
import io
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path

from babel.messages import mofile, pofile

LANGUAGES = {"en": "English", "zh": "简体中文"}
DEFAULT = "en"
_LOCALES = Path(__file__).parent / "locales"
_current: ContextVar[str] = ContextVar("language", default=DEFAULT)


def _loaded(language: str) -> gettext.NullTranslations:
    if language == DEFAULT:
        return gettext.NullTranslations()
    with (_LOCALES / language / "LC_MESSAGES" / "console.po").open("rb") as file:
        catalog = pofile.read_po(file, locale="zh_Hans_CN" if language == "zh" else language)
    ready = io.BytesIO()
    mofile.write_mo(ready, catalog)
    ready.seek(0)
    return gettext.GNUTranslations(ready)


_TRANSLATIONS = {language: _loaded(language) for language in LANGUAGES}


def use(language: str) -> None:
    """From here on the words of this request are those of `language`."""
    _current.set(language)


def current() -> str:
    return _current.get()


def _(message: str) -> str:
    """The message in the language of the request."""
    return _TRANSLATIONS[_current.get()].gettext(message) if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    return _TRANSLATIONS[_current.get()].ngettext(one, many, count)


def later(message: str) -> str:
    """Marks a message that is defined before anybody's language is known; `_` translates it when it is
    used."""
    return message


def chosen(wanted: str | None, accepted: str) -> str:
    """The language for a browser: the one that was chosen, else the first accepted one that is there.
    `accepted` is the value of Accept-Language, whose order is taken as it stands."""
    if wanted in LANGUAGES:
        return wanted
    return next((one for one in _accepted(accepted) if one in LANGUAGES), DEFAULT)


def _accepted(header: str) -> Iterable[str]:
    return (part.partition(";")[0].strip().partition("-")[0].lower() for part in header.split(","))

"""How values look on every page: words for states, sizes, times and durations.

Times are sent as exact moments and told in the zone of the reader by the browser; what stands here is the
form for those without a script.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup
from msgspec import UNSET

from nbfleet.console import texts
from nbfleet.console.texts import _, ngettext
from nbfleet.domain import states

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000


def status(value: str) -> str:
    return _(states.word(value))


def status_kind(value: str) -> str:
    return states.kind(value)


def moment(value: int | Any, form: str = "ago") -> Markup:
    """A time in milliseconds since 1970. `form`: ago, until or exact. Nothing where there is none."""
    if value is UNSET or value is None:
        return Markup("")
    exact = datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" data-form="{}">{}</time>').format(exact, form, exact)


def duration(milliseconds: int) -> str:
    """In the two largest units that tell something, rounded down."""
    if milliseconds >= _DAY:
        days, hours = divmod(milliseconds // _HOUR, 24)
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours}
    if milliseconds >= _HOUR:
        hours, minutes = divmod(milliseconds // _MINUTE, 60)
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if milliseconds >= _MINUTE:
        return _("%(minutes)s min") % {"minutes": milliseconds // _MINUTE}
    return _("%(seconds)s s") % {"seconds": milliseconds // _SECOND}


def hours(milliseconds: int) -> str:
    count = milliseconds // _HOUR
    return ngettext("%(number)s hour", "%(number)s hours", count) % {"number": count}


def number(value: int) -> str:
    """With thin spaces between groups of three digits."""
    return f"{value:,}".replace(",", "\u202f")


def memory(mebibytes: int) -> str:
    return f"{amount(mebibytes / 1024)} GiB" if mebibytes >= 1024 else f"{mebibytes} MiB"


def amount(value: float) -> str:
    """A number that may be no whole one, with at most two decimals."""
    whole, _dot, rest = f"{round(value, 2):.2f}".partition(".")
    rest = rest.rstrip("0")
    return number(int(whole)) + (f".{rest}" if rest else "")


def notebooks(count: int) -> str:
    return ngettext("%(number)s notebook", "%(number)s notebooks", count) % {"number": number(count)}


def given(value: Any, default: Any = "") -> Any:
    """The value of a field of an answer that may be left out."""
    return default if value is UNSET or value is None else value


def refusal_word(status: int) -> str:
    """What kind of refusal it is, in few words; the message of the refusal tells the rest."""
    if status == 403:
        return _("You may not do this")
    if status == 404:
        return _("There is nothing here")
    if status in (429, 503):
        return _("The service is busy")
    return _("This did not work") if status < 500 else _("Something went wrong on our side")


FILTERS: Mapping[str, Callable[..., Any]] = {
    "status": status,
    "status_kind": status_kind,
    "moment": moment,
    "duration": duration,
    "number": number,
    "amount": amount,
    "hours": hours,
    "memory": memory,
    "notebooks": notebooks,
    "given": given,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {"language": texts.current, "refusal_word": refusal_word}

"""Actions on many notebooks: what one would do, how far it has come, and those of late.

`services.bulk` decides and counts. The list asked for comes as the query string of ListAllNotebooks, so that
a page of the fleet and an action on all of it mean the same.
"""

import re
import uuid
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from nbfleet.api.lists import read_query
from nbfleet.console.page import Page, Parts
from nbfleet.console.texts import _, later, ngettext
from nbfleet.console.visit import Visit
from nbfleet.domain.bulk import Action, Reason, Result, Shown, Wish
from nbfleet.domain.lifecycle import IN_MOTION, Status
from nbfleet.domain.listing import Query
from nbfleet.services import bulk
from nbfleet.services.bulk import Progress
from nbfleet.services.notebooks import Request
from nbfleet.wire import errors

PAGE = 100  # Rows of a page of results.
RECENT = 50
FOLLOWED = 600_000  # Milliseconds after its end in which a page follows what is still in motion.
_LARGE = 1000  # Notebooks; with more of them a page looks less often.
_HOUR = 3_600_000  # Milliseconds.
_ONCE = re.compile("[0-9a-f]{32}")
_LONGEST = 8760  # Hours; which of them may be asked for is a setting of the service.

RESULT_WORDS: Mapping[Result, str] = {
    Result.PENDING: later("Pending"),
    Result.DONE: later("Done"),
    Result.SKIPPED: later("Skipped"),
    Result.FAILED: later("Failed"),
    Result.CANCELLED: later("Called off"),
}
REASON_WORDS: Mapping[Reason, str] = {
    Reason.STATE: later("Its status does not allow it"),
    Reason.FOREIGN: later("It belongs to somebody else"),
    Reason.FREE: later("A free one cannot run that long"),
    Reason.LEFT: later("It left the list meanwhile"),
    Reason.GONE: later("It is not there"),
    Reason.NOT_ALLOWED: later("You may no longer do this"),
    Reason.REFUSED: later("It was refused"),
    Reason.FAULT: later("Something went wrong in the service"),
}


def title(action: Action, count: int) -> str:
    """The action as it stands on its button."""
    told = {"number": f"{count:,}".replace(",", "\u202f")}
    match action:
        case Action.START:
            return ngettext("Start %(number)s notebook", "Start %(number)s notebooks", count) % told
        case Action.STOP:
            return ngettext("Stop %(number)s notebook", "Stop %(number)s notebooks", count) % told
        case Action.DELETE:
            return ngettext("Delete %(number)s notebook", "Delete %(number)s notebooks", count) % told
        case Action.EXTEND:
            return ngettext("Extend %(number)s notebook", "Extend %(number)s notebooks", count) % told
        case Action.TAG:
            return ngettext("Tag %(number)s notebook", "Tag %(number)s notebooks", count) % told


def next_look(progress: Progress, now: int) -> int | None:
    """After how many seconds an open page looks again; None where it does not by itself."""
    ended = progress.bulk.end_at
    is_large = progress.bulk.total > _LARGE
    if ended is None:
        return 3 if is_large else 1
    if progress.in_motion and now - ended < FOLLOWED:
        return 10 if is_large else 2
    return None


class BulkPages:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer

    async def previewed(self, visit: Visit) -> Response:
        """Nothing is changed by this; it is sent as a form because ids of many notebooks are too much for an
        address. What the action needs besides, and the form does not say yet, is asked for first."""
        needed = _NEEDED.get(visit.form.one("action"))
        if needed is not None and not visit.form.one(needed):
            return self._asked(visit)
        found = await bulk.preview(visit.desk.tools.context, visit.caller, _wish(visit))
        fields = [(name, value) for name in _FIELDS for value in visit.form.all(name) if value]
        fields += [("shown", found.shown.text), ("once", uuid.uuid4().hex)]
        return self._page("bulk_preview.html", visit, preview=found, fields=fields)

    def _asked(self, visit: Visit) -> Response:
        context = visit.desk.tools.context
        fields = [(name, value) for name in _FIELDS for value in visit.form.all(name) if value]
        most = context.lease_range.maximum // _HOUR
        action = Action(visit.form.one("action"))
        return self._page("bulk_ask.html", visit, action=action, fields=fields, most=most)

    async def begun(self, visit: Visit) -> Response:
        wish, shown, once = _wish(visit), _shown(visit), _once(visit)
        if wish.action is Action.DELETE and _number(visit, "typed") != len(shown.marks):
            raise errors.wrong_value("typed", visit.form.one("typed"), str(len(shown.marks)))
        request = Request(visit.caller, visit.desk.request_id)
        bulk_id = await bulk.begin(visit.desk.tools.context, request, wish, shown, once)
        return RedirectResponse(f"{visit.base}/bulk/{bulk_id}", 303)

    async def shown(self, visit: Visit) -> Response:
        context, caller, bulk_id = visit.desk.tools.context, visit.caller, visit.request.path_params["bulk"]
        result, status, offset = _result(visit), _status(visit), _offset(visit)
        progress = await bulk.show(context, caller, bulk_id)
        rows = await bulk.results(context, caller, bulk_id, result, offset, PAGE, status)
        now = dict(progress.now)
        if status is not None:
            found = now.setdefault(status, 0)
        else:
            found = progress.bulk.total if result is None else progress.counts.get(result, 0)

        def at(result: Result | None, status: Status | None = None, offset: int = 0) -> str:
            query = {"result": result, "status": status, "offset": offset}
            given = urlencode({name: str(value) for name, value in query.items() if value})
            return f"{visit.base}/bulk/{bulk_id}" + (f"?{given}" if given else "")

        return self._page(
            "bulk.html", visit, progress=progress, rows=rows, result=result, status=status, offset=offset,
            found=found, now=now, pause=next_look(progress, context.clock()), size=PAGE, at=at,
        )  # fmt: skip

    async def cancelled(self, visit: Visit) -> Response:
        bulk_id = visit.request.path_params["bulk"]
        await bulk.cancel(visit.desk.tools.context, visit.caller, bulk_id)
        return RedirectResponse(f"{visit.base}/bulk/{bulk_id}", 303)

    async def recent(self, visit: Visit) -> Response:
        found = await bulk.recent(visit.desk.tools.context, visit.caller, RECENT)
        return self._page("bulks.html", visit, actions=found)

    def _page(self, template: str, visit: Visit, **values: object) -> Response:
        return self._renderer.page(template, visit.look, visit, **_WORDS, **values)


# What an action needs besides the notebooks.
_NEEDED: Mapping[str, str] = {Action.EXTEND.value: "duration", Action.TAG.value: "key"}
_FIELDS = ("action", "id", "every", "query", "duration", "key", "value")


def _result_word(result: Result) -> str:
    return _(RESULT_WORDS[result])


def _reason_word(reason: Reason) -> str:
    return _(REASON_WORDS[reason])


def _state(progress: Progress) -> str:
    if progress.bulk.end_at is None:
        return _("Running")
    return _("Ended") if progress.bulk.cancel_at is None else _("Called off")


_WORDS: Mapping[str, object] = {
    "title": title,
    "result_word": _result_word,
    "reason_word": _reason_word,
    "results": tuple(Result),
    "state_of": _state,
    "in_motion": IN_MOTION,
}


def _wish(visit: Visit) -> Wish:
    form = visit.form
    given = form.one("action")
    if given not in list(Action):
        raise errors.wrong_value("action", given, list(Action))
    action = Action(given)
    ids = tuple(filter(None, form.all("id")))
    if not ids and form.one("every") != "yes":
        # A form that lost its ids does not mean everything.
        raise errors.missing("id")
    query = _query(visit, form.one("query")) if "query" in form.fields else None
    period = _number(visit, "duration") * _HOUR if form.one("duration") else None
    tag = (form.one("key"), form.one("value")) if action is Action.TAG else None
    return Wish(action, ids, query, period, tag)


def _query(visit: Visit, text: str) -> Query:
    return read_query(text, visit.desk.tools.context.settings.page_limit)


def _shown(visit: Visit) -> Shown:
    text = visit.form.one("shown")
    try:
        return Shown.read(text)
    except ValueError as fault:
        raise errors.wrong_value("shown", text, "what a preview has in its form") from fault


def _once(visit: Visit) -> str:
    text = visit.form.one("once")
    if _ONCE.fullmatch(text) is None:
        raise errors.wrong_value("once", text, "what a preview has in its form")
    return text


def _number(visit: Visit, field: str) -> int:
    text = visit.form.one(field)
    most = _LONGEST if field == "duration" else bulk.MOST
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= most):
        raise errors.wrong_value(field, text, f"a number up to {most}")
    return int(text)


def _result(visit: Visit) -> Result | None:
    text = visit.request.query_params.get("result")
    if text is None:
        return None
    if text not in list(Result):
        raise errors.invalid_query("result", text, list(Result))
    return Result(text)


def _status(visit: Visit) -> Status | None:
    text = visit.request.query_params.get("status")
    if text is None:
        return None
    if text not in list(Status):
        raise errors.invalid_query("status", text, list(Status))
    return Status(text)


def _offset(visit: Visit) -> int:
    text = visit.request.query_params.get("offset", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise errors.invalid_query("offset", text, f"a number up to {bulk.MOST}")
    return int(text)


def pages(parts: Parts) -> list[Page]:
    these = BulkPages(parts)
    return [
        Page("bulk actions", "bulk", these.recent),
        Page("bulk preview", "bulk", these.previewed, "POST"),
        Page("bulk begin", "bulk/begin", these.begun, "POST"),
        Page("bulk action", "bulk/{bulk}", these.shown),
        Page("bulk cancel", "bulk/{bulk}/cancel", these.cancelled, "POST"),
    ]

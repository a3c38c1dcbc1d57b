"""Actions on many notebooks: what one would do, how far it has come, and those of late.

The operations decide and count. The list asked for comes as the query string of ListAllNotebooks, so that a
page of the fleet and an action on all of it mean the same.
"""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from msgspec import UNSET, UnsetType
from starlette.responses import RedirectResponse, Response

from nbfleet.api.bind import query_pairs
from nbfleet.console.page import Page, Parts
from nbfleet.console.texts import _, later, ngettext
from nbfleet.console.visit import Visit
from nbfleet.domain.bulk import Action, Reason, Result
from nbfleet.domain.lifecycle import IN_MOTION
from nbfleet.wire import errors
from nbfleet.wire.bulk import NotebookAction

PAGE = 100  # Rows of a page of results.
RECENT = 50
FOLLOWED = 600_000  # Milliseconds after its end in which a page follows what is still in motion.
_LARGE = 1000  # Notebooks; with more of them a page looks less often.
_HOUR = 3_600_000  # Milliseconds.
_DIGITS = 6  # Of a number of hours.

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


def title(action: str, count: int) -> str:
    """The action as it stands on its button."""
    told = {"number": f"{count:,}".replace(",", "\u202f")}
    match Action(action):
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


def next_look(action: NotebookAction, now: int) -> int | None:
    """After how many seconds an open page looks again; None where it does not by itself."""
    is_large = action.total > _LARGE
    if isinstance(action.end_at, UnsetType):
        return 3 if is_large else 1
    if action.in_motion and now - action.end_at < FOLLOWED:
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
        found = await visit.desk.ask("PreviewNotebookAction", None, _wish(visit))
        fields = [(name, value) for name in _FIELDS for value in visit.form.all(name) if value]
        fields += [("shown", found.shown), ("changing", str(found.changing)), ("once", uuid.uuid4().hex)]
        return self._page("bulk_preview.html", visit, preview=found, fields=fields)

    def _asked(self, visit: Visit) -> Response:
        context = visit.desk.tools.context
        fields = [(name, value) for name in _FIELDS for value in visit.form.all(name) if value]
        most = context.lease_range.maximum // _HOUR
        action = Action(visit.form.one("action"))
        return self._page("bulk_ask.html", visit, action=action, fields=fields, most=most)

    async def begun(self, visit: Visit) -> Response:
        wish, form = _wish(visit), visit.form
        typed, changing = form.one("typed"), form.one("changing")
        if wish["action"] == Action.DELETE and not (typed and typed == changing):
            raise errors.wrong_value("typed", typed, changing)
        body = wish | {"shown": form.one("shown"), "once": form.one("once")}
        begun = await visit.desk.ask("BeginNotebookAction", None, body)
        return RedirectResponse(f"{visit.base}/bulk/{begun.id}", 303)

    async def shown(self, visit: Visit) -> Response:
        action_id, given = visit.request.path_params["bulk"], visit.request.query_params
        result, status = given.get("result"), given.get("status", "").upper() or None
        query = {
            "result": result,
            "status": status,
            "offset": given.get("offset"),
            "limit": _most(visit, PAGE),
        }
        action = await visit.desk.ask("ShowNotebookAction", action_id=action_id)
        results = await visit.desk.ask("ListNotebookActionResults", query, action_id=action_id)
        now = {one.value: count for one, count in action.now.items()}
        if status is not None:
            now.setdefault(status, 0)

        def at(result: str | None, status: str | None = None, offset: int = 0) -> str:
            query = {"result": result, "status": status, "offset": offset}
            given = urlencode({name: value for name, value in query.items() if value})
            return f"{visit.base}/bulk/{action_id}" + (f"?{given}" if given else "")

        return self._page(
            "bulk.html", visit, bulk=action, rows=results.data, result=result, status=status,
            offset=results.current * results.size, found=results.total, size=results.size, at=at, now=now,
            pause=next_look(action, visit.desk.tools.context.clock()),
        )  # fmt: skip

    async def cancelled(self, visit: Visit) -> Response:
        action_id = visit.request.path_params["bulk"]
        await visit.desk.ask("CancelNotebookAction", action_id=action_id)
        return RedirectResponse(f"{visit.base}/bulk/{action_id}", 303)

    async def recent(self, visit: Visit) -> Response:
        found = await visit.desk.ask("ListNotebookActions", {"limit": _most(visit, RECENT)})
        return self._page("bulks.html", visit, actions=found.data)

    def _page(self, template: str, visit: Visit, **values: object) -> Response:
        return self._renderer.page(template, visit.look, visit, **_WORDS, **values)


def _most(visit: Visit, wanted: int) -> int:
    """How many rows may be asked for at once."""
    return min(wanted, visit.desk.tools.context.settings.page_limit)


# What an action needs besides the notebooks.
_NEEDED: Mapping[str, str] = {Action.EXTEND.value: "duration", Action.TAG.value: "key"}
_FIELDS = ("action", "id", "every", "query", "duration", "key", "value")


def _result_word(result: str) -> str:
    return _(RESULT_WORDS[Result(result)])


def _reason_word(reason: str) -> str:
    return _(REASON_WORDS[Reason(reason)])


def _state(action: NotebookAction) -> str:
    if action.end_at is UNSET:
        return _("Running")
    return _("Ended") if action.cancel_at is UNSET else _("Called off")


_WORDS: Mapping[str, object] = {
    "title": title,
    "result_word": _result_word,
    "reason_word": _reason_word,
    "results": tuple(Result),
    "state_of": _state,
    "in_motion": IN_MOTION,
}


def _wish(visit: Visit) -> dict[str, Any]:
    """What is asked for, as the operations take it."""
    form = visit.form
    wish: dict[str, Any] = {"action": form.one("action")}
    ids = tuple(filter(None, form.all("id")))
    if ids:
        wish["ids"] = ids
    elif form.one("every") != "yes":
        # A form that lost its ids does not mean everything.
        raise errors.missing("id")
    if "query" in form.fields:
        wish["query"] = query_pairs(form.one("query").removeprefix("?").encode("ascii", "replace"))
    if form.one("duration"):
        wish["duration"] = _hours(form.one("duration")) * _HOUR
    if wish["action"] == Action.TAG:
        wish["tag"] = {"key": form.one("key"), "value": form.one("value")}
    return wish


def _hours(text: str) -> int:
    """Which of them may be asked for is for the operation to judge."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise errors.wrong_value("duration", text, "a whole number of hours")
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

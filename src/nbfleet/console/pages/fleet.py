"""The list of notebooks: every filter of the list operations, any page of it at once, and rows that stay true
while one looks."""

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.responses import HTMLResponse, Response

from nbfleet.console import deeds, fleet_view
from nbfleet.console.fleet_view import View
from nbfleet.console.live import Live, Watch
from nbfleet.console.page import BUSY, Page, Parts
from nbfleet.console.shown import given
from nbfleet.console.stream import Event, stream
from nbfleet.console.texts import later, ngettext
from nbfleet.console.visit import Visit
from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.domain.lifecycle import Event as Change
from nbfleet.domain.lifecycle import Status
from nbfleet.services import changes, permits
from nbfleet.services.context import Context
from nbfleet.store.listing import Row
from nbfleet.wire import errors
from nbfleet.wire.errors import ApiError
from nbfleet.wire.notebooks import NotebookResp

_COLUMNS_COOKIE = "nbfleet-columns"
_YEAR = 365 * 86_400
_WATCHED = 200  # Rows of one page that are kept up to date.
_RECOUNTED = 8.0  # Seconds between two counts of the list for one open page, at least.
_SHARE = 50  # And so many times as long as the count took.
_CHOICES = 200  # Pools and workspaces to choose from; others are found by their id.
EVERYWHERE = {"workspace_id": fleet_view.ANY, "feature": fleet_view.ANY}

COLUMN_WORDS = {
    "name": later("Name"),
    "status": later("State"),
    "owner": later("Owner"),
    "flavor": later("Flavor"),
    "pool": later("Pool"),
    "workspace": later("Workspace"),
    "image": later("Image"),
    "created": later("Created"),
    "updated": later("Changed"),
    "stops": later("Stops"),
    "tags": later("Tags"),
    "id": later("Id"),
}
# What is deleted is counted nowhere, but can be looked for.
COUNTED = (
    "RUNNING", "STOPPED", "STARTING", "STOPPING", "CREATING", "SNAPSHOTTING", "ERROR", "CREATE_FAILED",
    "START_FAILED", "DELETE_FAILED", "DELETING", "FROZEN",
)  # fmt: skip
CHIPS = (*COUNTED, "DELETED")
USUAL_CHIPS = ("RUNNING", "STOPPED", "DELETED")  # Offered whether there are any or not.


@dataclass(frozen=True, slots=True)
class Line:
    """One row: the notebook, who owns it, what its reader may do with it, and when it will stop."""

    notebook: NotebookResp
    owner_id: str
    owner_name: str
    may_start: bool
    may_stop: bool

    @property
    def stops_at(self) -> int | None:
        lease = given(self.notebook.lease, None)
        if lease is None or not lease.enable or self.notebook.status != Status.RUNNING.value:
            return None
        return lease.create_at + lease.duration


def line_of(caller: Caller, notebook: NotebookResp, owner_id: str, owner_name: str) -> Line:
    can = deeds.offered(caller, notebook, owner_id)
    return Line(notebook, owner_id, owner_name, may_start=Change.START in can, may_stop=Change.STOP in can)


def _line_of_answer(caller: Caller, notebook: NotebookResp) -> Line:
    user = given(notebook.user, None)
    name = "" if user is None else given(user.name)
    return line_of(caller, notebook, deeds.owner_of(notebook), name)


def mark(cells: str) -> str:
    """Tells whether a row looks otherwise than before."""
    return f"{zlib.crc32(cells.encode()):08x}"


class Fleet:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer
        self._live = parts.live

    # The list.

    async def shown(self, visit: Visit) -> Response:
        """The whole page, or only the list where the page is there already."""
        view, columns = fleet_view.parse(visit.request.url.query), _columns(visit)
        values: dict[str, Any] = {"view": view, "columns": columns, "refusal": None, **_WORDS}
        values["sizes"] = sorted({*fleet_view.SIZES, view.limit})
        wants_names = "workspace" in columns or not visit.is_part
        values["workspaces"] = await _workspaces(visit) if wants_names else {}
        try:
            values |= await self._listed(visit, view)
        except ApiError as refusal:
            if refusal.status == 401:
                raise
            values["refusal"] = refusal
        if visit.is_part:
            return self._part(visit, view, values)
        refusal = values["refusal"]
        values |= await self._choices(visit)
        status = 200 if refusal is None else refusal.status
        response = self._renderer.page("fleet.html", visit.look, visit, status, **values)
        return _keeping(visit, columns, response)

    async def _listed(self, visit: Visit, view: View) -> dict[str, Any]:
        operation = permits.listing(visit.caller)
        found = await visit.desk.ask(operation, view.question())
        lines = [_line_of_answer(visit.caller, one) for one in found.data]
        return {"lines": lines, "total": found.total}

    def _part(self, visit: Visit, view: View, values: dict[str, Any]) -> Response:
        """The list alone; a refusal is told above the list that is there, which stays."""
        refused = values["refusal"] is not None
        values["again"] = visit.request.headers.get("x-again") == "yes"
        template = "fleet_trouble.html" if refused else "fleet_list.html"
        text = self._renderer.text(template, visit=visit, look=visit.look, **values)
        response = HTMLResponse(text, headers={"Cache-Control": "no-store"})
        if refused:
            response.headers["HX-Retarget"] = "#trouble"
            return response
        address = view.address()
        response.headers["HX-Push-Url"] = f"{visit.base}/notebooks" + (f"?{address}" if address else "")
        before = urlsplit(visit.request.headers.get("hx-current-url", "")).query
        if fleet_view.parse(before).filters != view.filters:
            response.headers["HX-Trigger"] = "recount"
        return _keeping(visit, values["columns"], response)

    async def _choices(self, visit: Visit) -> dict[str, Any]:
        """What can be chosen in filters; what may not be asked, or takes long, is typed instead."""
        flavors: list[str] = []
        try:
            found = await visit.desk.ask("ListFlavors")
            flavors = [given(one.id) for one in found.data]
        except ApiError:
            pass
        return {"flavors": flavors, "pools": await _pools(visit)}

    async def counts(self, visit: Visit) -> Response:
        """How many there are in each state under the other filters, each number for its own place."""
        view = fleet_view.parse(visit.request.url.query).without("status")
        counts: dict[str, int] | None = None
        try:
            found = await visit.desk.ask("CountNotebooks", {**view.narrowing(), "by": "status"})
            counts = {one.key: one.count for one in found.groups}
        except ApiError as refusal:
            if refusal.status not in (*BUSY, 400, 403):
                raise
        text = self._renderer.text("fleet_counts.html", counts=counts, chips=COUNTED)
        return HTMLResponse(text, headers={"Cache-Control": "no-store"})

    # One row.

    async def started(self, visit: Visit) -> Response:
        return await self._changed(visit, "StartNotebook")

    async def stopped(self, visit: Visit) -> Response:
        return await self._changed(visit, "StopNotebook")

    async def _changed(self, visit: Visit, operation: str) -> Response:
        notebook_id: str = visit.request.path_params["id"]
        await visit.desk.ask(operation, id=notebook_id)
        row = await changes.row(visit.desk.tools.context, visit.caller.project_id, notebook_id)
        if row is None:
            raise errors.no_such_path(visit.request.url.path)
        columns = _columns(visit)
        names = await _workspaces(visit) if "workspace" in columns else {}
        line = _line_of_row(visit.caller, row)
        return HTMLResponse(self._row(visit, line, columns, names), headers={"Cache-Control": "no-store"})

    def _row(self, visit: Visit, line: Line, columns: Sequence[str], names: dict[str, str]) -> str:
        values: dict[str, Any] = {"line": line, "columns": columns, "workspaces": names, **_WORDS}
        return self._renderer.text("fleet_row.html", visit=visit, look=visit.look, **values)

    # While one looks.

    async def live(self, visit: Visit) -> Response:
        """Rows of the page that changed, and how many match by then; nothing for who may not see the list."""
        permits.check(visit.caller, permits.listing(visit.caller))
        query = visit.request.query_params
        ids = frozenset([one for one in query.get("ids", "").split(",") if one][:_WATCHED])
        total = query.get("total", "")
        names = await _workspaces(visit) if "workspace" in _columns(visit) else {}
        view = fleet_view.parse(query.get("view", ""))
        follower = _Follower(self, visit, self._live, view, names, total)
        return stream(visit, self._live, ids, follower.events)

    async def row_for(
        self, visit: Visit, caller: Caller, notebook_id: str, live: Live, names: dict[str, str]
    ) -> Event:
        """The row as this reader may see it; made once for all who see it the same way."""
        context, project_id = visit.desk.tools.context, caller.project_id
        key = ("row", project_id, notebook_id)
        row = await live.once(key, lambda: _read(context, project_id, notebook_id))
        if row is None:
            return Event("gone", {"id": notebook_id})
        shown, owner_id, owner_name = row
        workspace_id = given(shown.workspace_id, "0")
        if not access.sees(caller, owner_id, workspace_id):
            return Event("gone", {"id": notebook_id})
        line, columns = line_of(caller, shown, owner_id, owner_name), _columns(visit)
        place, language = names.get(workspace_id), visit.look.language
        kind = ("line", project_id, notebook_id, *columns, place, language, line.may_start, line.may_stop)

        async def made() -> dict[str, str]:
            return {"id": notebook_id, "html": self._row(visit, line, columns, names)}

        return Event("row", await live.once(kind, made))


class _Follower:
    """What one open page was told, and when it is time to count its list again."""

    def __init__(
        self, fleet: Fleet, visit: Visit, live: Live, view: View, names: dict[str, str], total: str
    ) -> None:
        self._fleet = fleet
        self._visit = visit
        self._live = live
        self._view = view
        self._names = names
        self._total = total
        # The list may be another one since it was shown: a page that was hidden comes back to its old total.
        self._stirred = True
        self._due = time.monotonic() + _RECOUNTED

    async def events(self, caller: Caller, changed: set[str], watch: Watch) -> Sequence[Event]:
        permits.check(caller, permits.listing(caller))
        events = [await self._row(caller, one) for one in sorted(changed)]
        self._stirred, watch.anything = self._stirred or watch.anything, False
        # It is counted as whoever opened the page, so only while they may see what they could see then.
        is_same = caller == self._visit.caller
        if is_same and self._stirred and time.monotonic() >= self._due:
            events += await self._counted(caller)
        return events

    async def _row(self, caller: Caller, notebook_id: str) -> Event:
        return await self._fleet.row_for(self._visit, caller, notebook_id, self._live, self._names)

    async def _counted(self, caller: Caller) -> list[Event]:
        """Says so once the number of those that match is another one."""
        self._stirred, begun = False, time.monotonic()
        total = await self._live.once(("total", caller, self._view.filters), self._ask)
        taken = time.monotonic() - begun
        self._due = time.monotonic() + max(_RECOUNTED, taken * _SHARE)
        if total is None or str(total) == self._total:
            return []
        self._total = str(total)
        text = ngettext("Now %(number)s notebook matches.", "Now %(number)s notebooks match.", total)
        return [Event("total", {"text": text % {"number": total}, "total": total})]

    async def _ask(self) -> int | None:
        operation = permits.listing(self._visit.caller)
        try:
            found = await self._visit.desk.ask(operation, {**self._view.narrowing(), "limit": 1})
        except ApiError:
            return None
        return found.total


async def _read(context: Context, project_id: str, notebook_id: str) -> tuple[NotebookResp, str, str] | None:
    row = await changes.row(context, project_id, notebook_id)
    return None if row is None else (_document(row), row.owner_id, row.owner_name)


def _document(row: Row) -> NotebookResp:
    return msgspec.json.decode(row.body, type=NotebookResp)


def _line_of_row(caller: Caller, row: Row) -> Line:
    return line_of(caller, _document(row), row.owner_id, row.owner_name)


async def _workspaces(visit: Visit) -> dict[str, str]:
    """Names by id of those that the reader may see; none where they may see no list of them."""
    query = {"limit": _CHOICES, "sort_by": "name", "order": "asc"}
    try:
        found = await visit.desk.ask("ListWorkspace", query)
    except ApiError:
        return {}
    return {one.id: one.name for one in found.workspaces}


async def _pools(visit: Visit) -> dict[str, str]:
    """Names by id of the pools of the settings, like the workspaces."""
    try:
        found = await visit.desk.ask("ListPools")
    except ApiError:
        return {}
    names = {one.metadata.name: given(one.metadata.labels, None) for one in found.items}
    return {key: key if labels is None else given(labels.name, key) for key, labels in names.items()}


def _columns(visit: Visit) -> Sequence[str]:
    """Those chosen with this request, or else the ones chosen before."""
    chosen = visit.request.query_params.getlist("columns")
    names = chosen or visit.request.cookies.get(_COLUMNS_COOKIE, "").split(".")
    return fleet_view.columns_of(names, everybody=visit.sees_fleet)


def _keeping(visit: Visit, columns: Sequence[str], response: Response) -> Response:
    """Remembers columns that were chosen with this request."""
    text = ".".join(columns)
    if "columns" in visit.request.query_params and visit.request.cookies.get(_COLUMNS_COOKIE) != text:
        response.set_cookie(_COLUMNS_COOKIE, text, max_age=_YEAR, samesite="lax", path="/console/")
    return response


def _export(view: View, form: str) -> str:
    direction = {} if view.descending else {"sort_dir": "ASC"}
    return urlencode({**view.narrowing(), **direction, "format": form})


_WORDS: dict[str, Any] = {
    "mark": mark,
    "chips": CHIPS,
    "usual_chips": USUAL_CHIPS,
    "all_columns": fleet_view.COLUMNS,
    "column_words": COLUMN_WORDS,
    "sorted_by": fleet_view.SORTED_BY,
    "export": _export,
    "urlencode": urlencode,
}


def pages(parts: Parts) -> list[Page]:
    fleet = Fleet(parts)
    return [
        Page("fleet", "notebooks", fleet.shown),
        Page("fleet counts", "notebooks/counts", fleet.counts),
        Page("fleet live", "notebooks/live", fleet.live),
        Page("fleet start", "notebooks/rows/{id}/start", fleet.started, "POST"),
        Page("fleet stop", "notebooks/rows/{id}/stop", fleet.stopped, "POST"),
    ]

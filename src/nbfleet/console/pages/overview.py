"""The first page of a project: what there is, what happens and what is about to, each figure a door to the
list that it counts.

Whoever sees the whole fleet sees its history and its room as well, others their own notebooks. The parts keep
themselves up to date, each at the pace of what it shows. Two of them look at what runs and not at counters
alone: they come after the page, so that it does not wait for them. Any part may be refused for a while, and
then says so in its place; the others are there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from nbfleet.console import charts, deeds, fleet_shape
from nbfleet.console.page import BUSY, Page, Parts
from nbfleet.console.visit import Visit
from nbfleet.domain.lifecycle import Event
from nbfleet.wire.errors import ApiError
from nbfleet.wire.notebooks import NotebookResp

_DAY, _MONTH = 24, 30 * 24  # Hours.
_GROUPS = 8
_SOON, _MINE = 10, 10

_Values = dict[str, Any]


class Overview:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer

    # The page and its parts.

    async def shown(self, visit: Visit) -> Response:
        names = ("now", "time", "room") if visit.sees_fleet else ("now", "mine")
        values: _Values = {}
        for made in await asyncio.gather(*(_told(name, visit) for name in names)):
            values |= made
        if "counts" not in values:
            return self._renderer.page("overview_closed.html", visit.look, visit, 403)
        return self._page(visit, "overview.html", values)

    def part(self, name: str) -> Page:
        async def shown(visit: Visit) -> Response:
            return self._page(visit, f"overview_{name}.html", await _told(name, visit))

        return Page(f"overview {name}", f"overview/{name}", shown)

    async def start(self, visit: Visit) -> Response:
        await visit.desk.ask("StartNotebook", id=visit.request.path_params["id"])
        if not visit.is_part:
            return RedirectResponse(f"{visit.base}/", 303)
        return self._page(visit, "overview_mine.html", await _told("mine", visit))

    def _page(self, visit: Visit, template: str, values: _Values) -> Response:
        known: _Values = {"door": _door(visit), "statuses": fleet_shape.STATUSES, "share": charts.share}
        known |= {"taking": fleet_shape.TAKING, "offered": _offered(visit)}
        known |= {"failure_status": fleet_shape.FAILURE_STATUS.get, "failure_word": fleet_shape.failure_word}
        return self._renderer.page(template, visit.look, visit, **known, **values)


async def _told(name: str, visit: Visit) -> _Values:
    """What a part shows. Nothing where the reader may not see it: who sees the notebooks of some workspaces
    only sees no sums of all. None as its first value where the service is too busy to tell."""
    first, make = _PARTS[name]
    try:
        return await make(visit)
    except ApiError as refusal:
        if refusal.status in BUSY:
            return {first: None}
        if refusal.status != 403:
            raise
        return {}


def _door(visit: Visit) -> Callable[..., str]:
    """Where the list is that holds what was counted; the names are those of the API."""

    def door(**query: str | int) -> str:
        return f"{visit.base}/notebooks?{fleet_shape.list_query(query)}"

    return door


def _offered(visit: Visit) -> Callable[[NotebookResp], frozenset[Event]]:
    return lambda one: deeds.offered(visit.caller, one, deeds.owner_of(one))


# What each part shows.


async def _now(visit: Visit) -> _Values:
    return {"counts": await visit.desk.ask("CountNotebooks", {"by": "status"})}


async def _soon(visit: Visit) -> _Values:
    return {"stopping": (await visit.desk.ask("ListStoppingNotebooks", {"limit": _SOON})).data}


async def _time(visit: Visit) -> _Values:
    day, month, counts = await asyncio.gather(
        visit.desk.ask("ShowFleetHistory", {"hours": _DAY, "reasons": _GROUPS}),
        visit.desk.ask("ShowFleetHistory", {"hours": _MONTH, "reasons": 0}),
        visit.desk.ask("CountNotebooks", {"by": "status"}),
    )
    return {
        "day": fleet_shape.over_time(day, counts),
        "month": fleet_shape.over_time(month, counts),
        "activity": fleet_shape.activity(day),
        "reasons": day.reasons,
    }


async def _room(visit: Visit) -> _Values:
    return {"room": (await visit.desk.ask("ShowCapacity")).pools}


async def _running(visit: Visit) -> _Values:
    """By flavor, pool and owner."""

    async def counted(by: str) -> fleet_shape.Groups:
        query = {"by": by, "status": "RUNNING", "limit": _GROUPS}
        return fleet_shape.groups(await visit.desk.ask("CountNotebooks", query))

    flavor, pool, owner = await asyncio.gather(*(counted(by) for by in ("flavor", "pool", "owner")))
    return {"groups": {"flavor": flavor, "pool": pool, "owner": owner}}


async def _mine(visit: Visit) -> _Values:
    query = {"limit": _MINE, "sort_key": "update_at", "feature": "*", "workspace_id": "*"}
    return {"mine": await visit.desk.ask("ListNotebooks", query)}


# By the name of each part: the first of its values, and who makes them.
_PARTS: Mapping[str, tuple[str, Callable[[Visit], Awaitable[_Values]]]] = {
    "now": ("counts", _now),
    "soon": ("stopping", _soon),
    "time": ("day", _time),
    "room": ("room", _room),
    "running": ("groups", _running),
    "mine": ("mine", _mine),
}


def pages(parts: Parts) -> list[Page]:
    made = Overview(parts)
    return [
        Page("overview", "", made.shown),
        *(made.part(name) for name in _PARTS),
        Page("start from overview", "overview/start/{id}", made.start, "POST"),
    ]

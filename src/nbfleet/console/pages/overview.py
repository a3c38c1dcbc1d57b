"""The first page of a project: what there is, what happens and what is about to, each figure a door to the
list that it counts.

Whoever sees the whole fleet sees its history and its room as well, others their own notebooks. The parts keep
themselves up to date, each at the pace of what it shows, and each costs the same however large the fleet is;
but for one, which comes after the page and says so when it takes too long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import RedirectResponse, Response

from nbfleet.console import charts, fleet_shape
from nbfleet.console.page import Page, Parts
from nbfleet.console.visit import Visit
from nbfleet.wire.errors import ApiError

_DAY, _MONTH = 24, 30 * 24  # Hours.
_GROUPS = 8
_SOON, _MINE = 10, 10
_BUSY = (429, 503)

_Values = dict[str, Any]


class Overview:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer

    # The page and its parts.

    async def shown(self, visit: Visit) -> Response:
        makers = [_now, _soon, *((_time, _room) if visit.sees_fleet else (_mine,))]
        values: _Values = {}
        for made in await asyncio.gather(*(_allowed(maker, visit) for maker in makers)):
            values |= made
        if "counts" not in values:
            return self._renderer.page("overview_closed.html", visit.look, visit, 403)
        return self._page(visit, "overview.html", values)

    def part(self, name: str, make: Callable[[Visit], Awaitable[_Values]]) -> Page:
        async def shown(visit: Visit) -> Response:
            return self._page(visit, f"overview_{name}.html", await make(visit))

        return Page(f"overview {name}", f"overview/{name}", shown)

    async def running(self, visit: Visit) -> Response:
        """What runs, by what it is and whose: it looks at what runs, so it may be refused."""
        try:
            values = await _running(visit)
        except ApiError as refusal:
            if refusal.status not in _BUSY:
                raise
            values = {"groups": None}
        return self._page(visit, "overview_running.html", values)

    async def start(self, visit: Visit) -> Response:
        await visit.desk.ask("StartNotebook", id=visit.request.path_params["id"])
        if not visit.is_part:
            return RedirectResponse(f"{visit.base}/", 303)
        return self._page(visit, "overview_mine.html", await _mine(visit))

    def _page(self, visit: Visit, template: str, values: _Values) -> Response:
        known = {"door": _door(visit), "statuses": fleet_shape.STATUSES, "share": charts.share}
        known |= {"failure_status": fleet_shape.FAILURE_STATUS.get, "failure_word": fleet_shape.failure_word}
        return self._renderer.page(template, visit.look, visit, **known, **values)


async def _allowed(make: Callable[[Visit], Awaitable[_Values]], visit: Visit) -> _Values:
    """Nothing where the reader may not see it: who sees the notebooks of some workspaces only sees no sums
    of all."""
    try:
        return await make(visit)
    except ApiError as refusal:
        if refusal.status != 403:
            raise
        return {}


def _door(visit: Visit) -> Callable[..., str]:
    """Where the list is that holds what was counted; the names are those of the API."""

    def door(**query: str) -> str:
        return f"{visit.base}/notebooks?{fleet_shape.list_query(query)}"

    return door


# What each part shows.


async def _now(visit: Visit) -> _Values:
    return {"counts": await visit.desk.ask("CountNotebooks", {"by": "status"})}


async def _soon(visit: Visit) -> _Values:
    try:
        found = await visit.desk.ask("ListStoppingNotebooks", {"limit": _SOON})
    except ApiError as refusal:
        if refusal.status not in _BUSY:
            raise
        return {"stopping": None}
    return {"stopping": found.data}


async def _time(visit: Visit) -> _Values:
    day, month, counts = await asyncio.gather(
        visit.desk.ask("ShowFleetHistory", {"hours": _DAY}),
        visit.desk.ask("ShowFleetHistory", {"hours": _MONTH}),
        visit.desk.ask("CountNotebooks", {"by": "status"}),
    )
    return {
        "day": fleet_shape.over_time(day, counts),
        "month": fleet_shape.over_time(month, counts),
        "activity": fleet_shape.activity(day),
        "reasons": day.reasons[:_GROUPS],
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


def pages(parts: Parts) -> list[Page]:
    made = Overview(parts)
    shown = {"now": _now, "soon": _soon, "time": _time, "room": _room, "mine": _mine}
    return [
        Page("overview", "", made.shown),
        *(made.part(name, make) for name, make in shown.items()),
        Page("overview running", "overview/running", made.running),
        Page("start from overview", "overview/start/{id}", made.start, "POST"),
    ]

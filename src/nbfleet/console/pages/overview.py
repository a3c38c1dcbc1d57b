"""The first page of a project: what there is and what happens, each figure a door to the list that it
counts."""

from starlette.responses import Response

from nbfleet.console.page import Page, Parts
from nbfleet.console.visit import Visit


class Overview:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer

    async def shown(self, visit: Visit) -> Response:
        counts = await visit.desk.ask("CountNotebooks", {"by": "status"})
        return self._renderer.page("overview.html", visit.look, visit, counts=counts)


def pages(parts: Parts) -> list[Page]:
    return [Page("overview", "", Overview(parts).shown)]

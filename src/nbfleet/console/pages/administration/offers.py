"""What the settings offer: pools with what is free in them, and flavors."""

from starlette.responses import Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import Room
from nbfleet.console.visit import Visit


class Pools(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.POOLS)

    async def listed(self, visit: Visit) -> Response:
        self.enter(visit)
        found = await visit.desk.ask("ListPools", {"workspaceId": "*"})
        counts = await visit.desk.ask("CountNotebooks", {"by": "pool", "limit": 1000, "status": "RUNNING"})
        running = {group.key: group.count for group in counts.groups}
        return self.page(visit, "pools.html", pools=found.items, running=running)


class Flavors(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.FLAVORS)

    async def listed(self, visit: Visit) -> Response:
        self.enter(visit)
        found = await visit.desk.ask("ListFlavors", {"feature": "NOTEBOOK"})
        counts = await visit.desk.ask("CountNotebooks", {"by": "flavor", "limit": 1000, "status": "RUNNING"})
        running = {group.key: group.count for group in counts.groups}
        return self.page(visit, "flavors.html", flavors=found.data, running=running)


def pages(parts: Parts) -> list[Page]:
    return [
        Page("pools", "admin/pools", Pools(parts).listed),
        Page("flavors", "admin/flavors", Flavors(parts).listed),
    ]

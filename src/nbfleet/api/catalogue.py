"""The calls about the sizes that a notebook can have."""

from collections.abc import Mapping
from typing import Any

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import paged, unpaged
from nbfleet.services import catalogue, notebooks, pools
from nbfleet.services.catalogue import FlavorQuery
from nbfleet.wire.flavors import ListFlavorsResponse, NotebookFlavor, ShowSwitchableFlavorsResponse

_FLAVOR_KEYS = ("id", "name", "category", "vcpus", "memory")


def _names(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name]


async def list_flavors(tools: Tools, call: Call) -> Answer:
    query = call.query
    wanted = FlavorQuery(
        category=query.get("category"),
        feature=query.get("feature", "NOTEBOOK"),
        cluster_type=query.get("type"),
        flavor_type=query.get("flavor_type"),
    )
    room = await tools.context.database.read(pools.public_room, tools.context)
    found = catalogue.flavors(tools.context, wanted, room)
    fields = _flavor_page(found, query)
    return Answer(ListFlavorsResponse(**fields, flavors=fields["data"]))


async def show_switchable_flavors(tools: Tools, call: Call) -> Answer:
    found = await notebooks.switchable_flavors(tools.context, call.caller, call.path["id"])
    fields = _flavor_page(found, call.query)
    return Answer(ShowSwitchableFlavorsResponse(**fields, flavors=fields["data"]))


def _flavor_page(found: list[NotebookFlavor], query: Mapping[str, Any]) -> dict[str, Any]:
    """Envelope and records; without a limit the list is not paged."""
    keys = _names(query.get("sort_key"))
    found = catalogue.ordered(found, keys, _FLAVOR_KEYS, query.get("sort_dir", "DESC") == "DESC")
    offset = query.get("offset", 0)
    return paged(found, query["limit"], offset) if "limit" in query else unpaged(found, offset)


HANDLERS: dict[str, Handler] = {
    "ListFlavors": list_flavors,
    "ShowSwitchableFlavors": show_switchable_flavors,
}

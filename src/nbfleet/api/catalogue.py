"""The calls about what a notebook can be made of: flavors and images."""

from collections.abc import Mapping
from typing import Any

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import paged, unpaged
from nbfleet.services import catalogue, notebooks, pools
from nbfleet.services.catalogue import FlavorQuery, ImageQuery
from nbfleet.wire.flavors import ListFlavorsResponse, NotebookFlavor, ShowSwitchableFlavorsResponse
from nbfleet.wire.images import ListImageResponse

_FLAVOR_KEYS = ("id", "name", "category", "vcpus", "memory")
_IMAGE_KEYS = ("name", "tag", "namespace", "create_at", "update_at", "size")
_IMAGE_SPELLINGS = {"createTime": "create_at", "updateTime": "update_at"}
_IMAGE_LIMIT = 200


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


async def list_images(tools: Tools, call: Call) -> Answer:
    query = call.query
    wanted = ImageQuery(
        name=query.get("name"),
        fuzzy=query.get("name_fuzzy_match", True),
        namespace=query.get("namespace"),
        service_type=query.get("service_type"),
        type=query.get("type", "BUILD_IN"),
        workspace_id=query.get("workspace_id", "0"),
        show_name=query.get("show_name"),
        show_tag=query.get("show_tag"),
    )
    found = await catalogue.images(tools.context, wanted)
    keys = [_IMAGE_SPELLINGS.get(key, key) for key in _names(query.get("sort_key"))]
    found = catalogue.ordered(found, keys, _IMAGE_KEYS, query.get("sort_dir", "DESC") == "DESC")
    limit = query.get("limit", _IMAGE_LIMIT)
    return Answer(ListImageResponse(**paged(found, limit, query.get("offset", 0))))


async def show_image(tools: Tools, call: Call) -> Answer:
    return Answer(await catalogue.image(tools.context, call.path["id"]))


HANDLERS: dict[str, Handler] = {
    "ListFlavors": list_flavors,
    "ShowSwitchableFlavors": show_switchable_flavors,
    "ListImage": list_images,
    "ShowImage": show_image,
}

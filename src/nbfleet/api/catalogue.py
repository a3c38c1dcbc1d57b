"""The calls about the sizes that a notebook can have."""

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.present import paged, unpaged
from nbfleet.services import catalogue
from nbfleet.services.catalogue import FlavorQuery
from nbfleet.wire.flavors import ListFlavorsResponse

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
    found = catalogue.flavors(tools.context, wanted)
    keys = _names(query.get("sort_key"))
    found = catalogue.ordered(found, keys, _FLAVOR_KEYS, query.get("sort_dir", "DESC") == "DESC")
    offset = query.get("offset", 0)
    if "limit" in query:
        fields = paged(found, query["limit"], offset)
    else:
        fields = unpaged(found, offset)
    return Answer(ListFlavorsResponse(**fields, flavors=fields["data"]))


HANDLERS: dict[str, Handler] = {
    "ListFlavors": list_flavors,
}

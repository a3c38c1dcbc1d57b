"""The calls about images and groups of images."""

from typing import Any

from msgspec import UNSET

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.domain.images import SORT_SPELLINGS, ImageQuery, ImageSort, parse_sort
from nbfleet.domain.listing import UnknownSortKey, page_numbers
from nbfleet.services import images, registration
from nbfleet.store.images import Group
from nbfleet.wire import errors
from nbfleet.wire.image_groups import ImageGroup, ListImageGroupResponse
from nbfleet.wire.images import Image, ImageResponse, ListImageResponse
from nbfleet.wire.pages import EmptyObject

_LIMIT = 200
_ANY = "*"


def _wanted(call: Call, **more: Any) -> ImageQuery:
    query = call.query
    workspace = query.get("workspace_id", "0")
    return ImageQuery(
        name=query.get("name"),
        fuzzy=query.get("name_fuzzy_match", True),
        namespace=query.get("namespace"),
        workspace_id=None if workspace == _ANY else workspace,
        offset=query.get("offset", 0),
        **more,
    )


def _sort(text: str | None) -> tuple[ImageSort, ...]:
    if not text:
        return (ImageSort.CREATE_AT,)
    try:
        return parse_sort(text)
    except UnknownSortKey as fault:
        raise errors.unknown_sort_key(fault.given, SORT_SPELLINGS) from fault


async def list_images(tools: Tools, call: Call) -> Answer:
    query = call.query
    wanted = _wanted(
        call,
        service_type=query.get("service_type"),
        type=query.get("type", "BUILD_IN"),
        show_name=query.get("show_name"),
        show_tag=query.get("show_tag"),
        sort=_sort(query.get("sort_key")),
        descending=query.get("sort_dir", "DESC") == "DESC",
        limit=query.get("limit", _LIMIT),
    )
    total, found = await images.page(tools.context, call.caller, wanted)
    return Answer(ListImageResponse(data=[_entry(one) for one in found], **_paged(wanted, total)))


def _entry(image: Image) -> ImageResponse:
    return ImageResponse(**{name: getattr(image, name) for name in ImageResponse.__struct_fields__})


def _paged(query: ImageQuery, total: int) -> dict[str, int]:
    """The numbers of the envelope."""
    numbers = page_numbers(total, query.limit, query.offset)
    return {"current": numbers.current, "pages": numbers.pages, "size": numbers.size, "total": total}


async def show_image(tools: Tools, call: Call) -> Answer:
    return Answer(await images.show(tools.context, call.caller, call.path["id"]))


async def register_image(tools: Tools, call: Call) -> Answer:
    return Answer(await registration.register(tools.context, call.caller, call.body))


async def sync_image(tools: Tools, call: Call) -> Answer:
    return Answer(await images.sync(tools.context, call.caller, call.path["image_id"]))


async def delete_image(tools: Tools, call: Call) -> Answer:
    force = call.query.get("force", False) or _is_forced(call.body)
    return Answer(await images.delete(tools.context, call.caller, call.path["id"], force=force))


def _is_forced(body: Any) -> bool:
    return body is not None and body.is_force is True


async def list_groups(tools: Tools, call: Call) -> Answer:
    query = call.query
    wanted = _wanted(
        call,
        type=query.get("type"),
        swr_instance_id=query.get("swr_instance_id"),
        limit=query.get("limit", _LIMIT),
    )
    total, found = await images.groups(tools.context, call.caller, wanted)
    data = [_group(one) for one in found]
    # Without a limit the answer is one page that holds everything, as long as one page of the default can.
    whole = "limit" not in query and total <= _LIMIT
    numbers = {"current": 1, "pages": 1, "size": total, "total": total} if whole else _paged(wanted, total)
    return Answer(ListImageGroupResponse(data=data, groups=data, is_swr_enterprise=False, **numbers))


def _group(group: Group) -> ImageGroup:
    newest = group.newest
    return ImageGroup(
        id=group.id,
        name=newest.name,
        namespace=newest.namespace,
        description=newest.description,
        version_count=group.count,
        create_at=group.create_at,
        update_at=group.update_at,
        read_me=UNSET if group.read_me is None else group.read_me,
        swr_instance_id=None,
    )


async def update_group(tools: Tools, call: Call) -> Answer:
    await images.update_group(tools.context, call.caller, call.path["id"], call.body)
    return Answer(EmptyObject())


async def delete_group(tools: Tools, call: Call) -> Answer:
    await images.delete_group(tools.context, call.caller, call.path["id"], force=_is_forced(call.body))
    return Answer(EmptyObject())


HANDLERS: dict[str, Handler] = {
    "ListImage": list_images,
    "ShowImage": show_image,
    "RegisterImage": register_image,
    "SyncImage": sync_image,
    "DeleteImage": delete_image,
    "ListImageGroup": list_groups,
    "UpdateImageGroup": update_group,
    "DeleteImageGroup": delete_group,
}

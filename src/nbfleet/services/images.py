"""What callers do with images: list, show, compare anew, delete; and with all of a name at once.

A request reads the manifest of an image, which is a file, and records what is wanted; trying the image out is
the reconciler's. Registering is in `registration`; what a caller may see is decided by `domain.access`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.domain.images import AFTER_FAILURE, ON_TRIAL, ImageQuery, State
from nbfleet.domain.notebook import Notebook
from nbfleet.services import catalogue, standing
from nbfleet.services.catalogue import ARCH
from nbfleet.services.context import Context
from nbfleet.services.requests import checked_tags, given
from nbfleet.shelf import Manifest, Standing, Unusable
from nbfleet.store import images
from nbfleet.store.database import Connection
from nbfleet.store.images import Group, Stored
from nbfleet.wire import enums, errors
from nbfleet.wire.endpoints import EndpointsReq
from nbfleet.wire.image_groups import UpdateImageGroupRequestBody
from nbfleet.wire.images import Image
from nbfleet.wire.tags import TmsTagResponse


async def page(context: Context, caller: Caller, query: ImageQuery) -> tuple[int, list[Image]]:
    """How many images the caller may see of what is asked for, and those of the page."""
    return await context.database.read(images.page, access.narrow_images(query, caller))


async def groups(context: Context, caller: Caller, query: ImageQuery) -> tuple[int, list[Group]]:
    return await context.database.read(images.groups, access.narrow_images(query, caller))


async def show(context: Context, caller: Caller, image_id: str) -> Image:
    return (await context.database.read(_visible, caller, image_id)).image


async def sync(context: Context, caller: Caller, image_id: str) -> Image:
    """Compares the image with its manifest, and has it tried anew; one of the service stays as it is.

    One that can be used stays usable until the trial says otherwise.
    """
    found = await context.database.read(_visible, caller, image_id)
    if found.holding.project_id is None:
        return found.image
    _check_may_change(found, caller)
    seen = await asyncio.to_thread(standing.look, context, str(found.image.swr_path))

    def write(connection: Connection) -> Image:
        now, current = context.clock(), _actionable(connection, caller, image_id)
        due_at = None if isinstance(seen, Unusable) else now
        more: dict[str, Any] = {"trial": current.trial + 1, "due_at": due_at}
        if isinstance(seen, Standing):
            more["manifest"] = msgspec.json.encode(seen.manifest)
        return images.save(connection, current, _compared(current, seen), now, **more)

    return await context.database.write(write)


async def delete(context: Context, caller: Caller, image_id: str, *, force: bool) -> Image:
    """The image, which nobody can use any more. `force` removes its content as well."""
    found = await context.database.read(_visible, caller, image_id)
    _check_may_change(found, caller)
    removable = not force or await asyncio.to_thread(standing.is_removable, context, [found])

    def write(connection: Connection) -> Image:
        current = _actionable(connection, caller, image_id)
        return _delete(connection, current, context.clock(), force=force, removable=removable)

    return await context.database.write(write)


async def update_group(
    context: Context, caller: Caller, group_id: str, body: UpdateImageGroupRequestBody
) -> None:
    """Sets guide text and tags of all images of the group."""
    wanted = UNSET if isinstance(body.tags, UnsetType) else _group_tags(body)

    def write(connection: Connection) -> None:
        now = context.clock()
        for one in _group_to_change(connection, caller, group_id):
            image = one.image if isinstance(wanted, UnsetType) else replace(one.image, tags=wanted)
            read_me = given(body.read_me, one.read_me)
            if (image, read_me) != (one.image, one.read_me):
                image = replace(image, update_at=now)
            images.save(connection, one, image, now, read_me=read_me)

    await context.database.write(write)


async def delete_group(context: Context, caller: Caller, group_id: str, *, force: bool) -> None:
    """Deletes all images of the group, or none of them."""
    found: Sequence[Stored] = await context.database.read(_group, caller, group_id) if force else ()
    removable = await asyncio.to_thread(standing.is_removable, context, found)

    def write(connection: Connection) -> None:
        now = context.clock()
        for one in _group_to_change(connection, caller, group_id):
            _delete(connection, one, now, force=force, removable=removable)

    await context.database.write(write)


def check_use(
    connection: Connection, context: Context, caller: Caller, notebook: Notebook,
    endpoints: Sequence[EndpointsReq] | UnsetType,
) -> None:  # fmt: skip
    """Refuses an image that this caller cannot make this notebook of; one that passes is kept until the
    commit."""
    image_id = notebook.image_id
    found = images.find_to_use(connection, image_id)
    if found is None or found.state is State.DELETED or not access.sees_image(caller, found.holding):
        raise errors.image_not_found(image_id)
    if found.state is not State.ACTIVE:
        shown = f"{image_id}, which is {found.state}"
        raise errors.wrong_value("image_id", shown, "an image that is ACTIVE")
    arch = given(found.image.arch, ARCH)
    if arch != ARCH:
        shown = f"{image_id}, which is for {arch}"
        raise errors.wrong_value("image_id", shown, f"an image for {ARCH}, as the flavor")
    family, families = catalogue.family(context, notebook.flavor), _families(found.image)
    if not runs_on(families, family):
        shown = f"{image_id}, which is for {', '.join(families)}"
        raise errors.wrong_value("image_id", shown, f"an image for {family.value}, as the flavor")
    services = given(found.image.dev_services, [])
    if services == [enums.ImageDevService.SSH] and not any(_is_ssh(one) for one in given(endpoints, [])):
        raise errors.image_needs_ssh(image_id)


def check_flavor(connection: Connection, context: Context, notebook: Notebook) -> None:
    """Refuses a flavor that the image the notebook has already does not run on."""
    family, families = catalogue.family(context, notebook.flavor), families_of(connection, notebook)
    if not runs_on(families, family):
        shown = f"{notebook.flavor}, which is a size of {family.value}"
        raise errors.wrong_value("flavor", shown, f"sizes of {', '.join(families)}, as the image")


def families_of(connection: Connection, notebook: Notebook) -> tuple[str, ...]:
    """The families of flavors that the notebook's image runs on."""
    found = images.find(connection, notebook.image_id)
    return () if found is None else _families(found.image)


def _families(image: Image) -> tuple[str, ...]:
    return tuple(one.value for one in given(image.resource_categories, []))


def runs_on(families: Sequence[str], family: enums.ResourceCategory) -> bool:
    """What runs without devices runs beside them too, and an image that says nothing runs anywhere."""
    return not families or enums.ResourceCategory.CPU in families or family in families


def _is_ssh(endpoint: EndpointsReq) -> bool:
    return given(endpoint.service, given(endpoint.dev_service, "NOTEBOOK")) == "SSH"


# Who may.


def _visible(connection: Connection, caller: Caller, image_id: str) -> Stored:
    return _seen(images.find(connection, image_id.lower()), caller, image_id)


def _seen(found: Stored | None, caller: Caller, image_id: str) -> Stored:
    if found is None or found.state is State.DELETED or not access.sees_image(caller, found.holding):
        raise errors.not_found("image", image_id)
    return found


def _actionable(connection: Connection, caller: Caller, image_id: str) -> Stored:
    found = _seen(images.find_to_change(connection, image_id.lower()), caller, image_id)
    _check_may_change(found, caller)
    return found


def _check_may_change(found: Stored, caller: Caller) -> None:
    if not access.acts_on_image(caller, found.holding):
        raise errors.forbidden(access.ACT_ON_ALL_IMAGES)


def _group(connection: Connection, caller: Caller, group_id: str) -> Sequence[Stored]:
    return _all_seen(images.of_group(connection, group_id.lower()), caller, group_id)


def _group_to_change(connection: Connection, caller: Caller, group_id: str) -> Sequence[Stored]:
    return _all_seen(images.of_group_to_change(connection, group_id.lower()), caller, group_id)


def _all_seen(whole: Sequence[Stored], caller: Caller, group_id: str) -> Sequence[Stored]:
    """All images of the group that the caller sees; to change any it must be able to change them all."""
    found = [one for one in whole if access.sees_image(caller, one.holding)]
    if not found:
        raise errors.not_found("image group", group_id)
    for one in found:
        _check_may_change(one, caller)
    return found


# What becomes of images.


def _group_tags(body: UpdateImageGroupRequestBody) -> list[TmsTagResponse]:
    wanted = given(body.tags, [])
    checked_tags(wanted)
    return [TmsTagResponse(key=given(tag.key, ""), value=tag.value) for tag in wanted]


def _compared(current: Stored, seen: Standing | Unusable | None) -> Image:
    """The image as its manifest has it now. What was said otherwise when it was registered stays."""
    image = current.image
    if isinstance(seen, Unusable):
        state = AFTER_FAILURE[current.state]
        return replace(image, status=enums.ImageStatus(state), status_message=str(seen))
    changed = False
    if seen is not None and current.manifest is not None:
        before = msgspec.json.decode(current.manifest, type=Manifest)
        image = _followed(image, before, seen.manifest)
        changed = before.python != seen.manifest.python
    state = State.CREATING if changed else ON_TRIAL[current.state]
    message = image.status_message if state is current.state else UNSET
    return replace(image, status=enums.ImageStatus(state), status_message=message)


def _followed(image: Image, before: Manifest, now: Manifest) -> Image:
    categories = tuple(str(one) for one in given(image.resource_categories, []))
    services = tuple(str(one) for one in given(image.dev_services, []))
    if image.description == before.description:
        image = replace(image, description=now.description)
    if image.arch == before.arch:
        image = replace(image, arch=enums.ImageArch(now.arch))
    if services == before.dev_services:
        image = replace(image, dev_services=[enums.ImageDevService(one) for one in now.dev_services])
    if categories == before.resource_categories:
        words = [enums.ResourceCategory(one) for one in now.resource_categories]
        image = replace(image, resource_categories=words, support_res_categories=words)
    return image


def _delete(connection: Connection, found: Stored, now: int, *, force: bool, removable: bool) -> Image:
    """Refused while notebooks have it: what they are made of must not go away beneath them."""
    using = images.users_of(connection, found.no)
    if using:
        raise errors.image_in_use(found.image.id, using)
    if force and found.holding.public:
        raise errors.wrong_value("is_force", True, "false for an image that is PUBLIC")
    if not removable:
        raise errors.wrong_value(
            "is_force", True, "false for an image outside of the service's own image directory"
        )
    if force and images.is_registered(connection, str(found.image.swr_path), besides=found.no):
        raise errors.wrong_value("is_force", True, "false for an image whose content is still needed")
    deleted = replace(found.image, status=enums.ImageStatus.DELETED, status_message=UNSET)
    return images.save(connection, found, deleted, now, due_at=now if force else None)

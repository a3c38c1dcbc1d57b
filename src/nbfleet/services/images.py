"""What callers do with images: list, show, register, compare anew, delete; and with all of a name at once.

A request reads the manifest of an image, which is a file, and records what is wanted; trying the image out is
the reconciler's. What a caller may see is decided by `domain.access`.
"""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from nbfleet import shelf
from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.domain.images import AFTER_FAILURE, ON_TRIAL, ImageQuery, State
from nbfleet.services.catalogue import ARCH
from nbfleet.services.context import Context
from nbfleet.shelf import Manifest, Missing, Reference, Standing, Unusable
from nbfleet.store import images
from nbfleet.store.database import Conflict, Connection
from nbfleet.store.images import Group, Stored
from nbfleet.wire import enums, errors
from nbfleet.wire.endpoints import EndpointsReq
from nbfleet.wire.image_groups import UpdateImageGroupRequestBody
from nbfleet.wire.images import Image, ImageRegRequest
from nbfleet.wire.tags import TmsTagResponse

T = TypeVar("T")

_TAG_KEY = 128
_USABLE = (enums.ImageVisibility.PRIVATE, enums.ImageVisibility.PUBLIC)
# What the contract assumes where neither the request nor a manifest says anything.
_ANY_MACHINE = Manifest(
    name="", namespace="", tag="", arch="x86_64", resource_categories=("CPU", "GPU"),
    dev_services=("NOTEBOOK", "SSH"),
)  # fmt: skip


async def page(context: Context, caller: Caller, query: ImageQuery) -> tuple[int, list[Image]]:
    """How many images the caller may see of what is asked for, and those of the page."""
    return await context.database.read(images.page, access.narrow_images(query, caller))


async def groups(context: Context, caller: Caller, query: ImageQuery) -> tuple[int, list[Group]]:
    return await context.database.read(images.groups, access.narrow_images(query, caller))


async def show(context: Context, caller: Caller, image_id: str) -> Image:
    return (await context.database.read(_visible, caller, image_id)).image


async def register(context: Context, caller: Caller, body: ImageRegRequest) -> Image:
    """A new image, to be tried before it can be used. Its manifest must be there and complete."""
    if _given(body.swr_instance_id, ""):
        raise errors.not_available("The field swr_instance_id")
    standing = await asyncio.to_thread(_standing, context, body.swr_path)
    image = _registered(body, None if standing is None else standing.manifest, context.clock())

    def write(connection: Connection) -> Image:
        return _add(connection, context, caller, image, body, standing)

    try:
        return await context.database.write(write)
    except Conflict as fault:
        raise errors.image_exists(body.swr_path) from fault


async def sync(context: Context, caller: Caller, image_id: str) -> Image:
    """Compares the image with its manifest, and has it tried anew; one of the service stays as it is.

    One that can be used stays usable until the trial says otherwise.
    """
    found = await context.database.read(_visible, caller, image_id)
    if found.holding.project_id is None:
        return found.image
    seen = await asyncio.to_thread(_look, context, str(found.image.swr_path))

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
    removable = not force or await asyncio.to_thread(_is_removable, context, [found])

    def write(connection: Connection) -> Image:
        current = _actionable(connection, caller, image_id)
        return _delete(connection, current, context.clock(), force=force, removable=removable)

    return await context.database.write(write)


async def update_group(
    context: Context, caller: Caller, group_id: str, body: UpdateImageGroupRequestBody
) -> None:
    """Sets guide text and tags of all images of the group."""
    tags = UNSET if isinstance(body.tags, UnsetType) else _group_tags(body)

    def write(connection: Connection) -> None:
        now, found = context.clock(), _group(connection, caller, group_id)
        if not isinstance(tags, UnsetType):
            for one in found:
                images.save(connection, one, replace(one.image, tags=tags), now)
        read_me = body.read_me
        if not isinstance(read_me, UnsetType) and any(one.read_me != read_me for one in found):
            images.update_group(connection, found, read_me=read_me, update_at=now)

    await context.database.write(write)


async def delete_group(context: Context, caller: Caller, group_id: str, *, force: bool) -> None:
    """Deletes all images of the group, or none of them."""
    found: Sequence[Stored] = await context.database.read(_group, caller, group_id) if force else ()
    removable = await asyncio.to_thread(_is_removable, context, found)

    def write(connection: Connection) -> None:
        now = context.clock()
        for one in _group(connection, caller, group_id):
            _delete(connection, one, now, force=force, removable=removable)

    await context.database.write(write)


def check_use(
    connection: Connection, caller: Caller, image_id: str, endpoints: Sequence[EndpointsReq] | UnsetType
) -> None:
    """Refuses an image that this caller cannot make a notebook with these endpoints of; one that passes is
    kept until the commit."""
    found = images.find_to_use(connection, image_id.lower())
    if found is None or found.state is State.DELETED or not access.sees_image(caller, found.holding):
        raise errors.image_not_found(image_id)
    if found.state is not State.ACTIVE:
        shown = f"{image_id}, which is {found.state}"
        raise errors.wrong_value("image_id", shown, "an image that is ACTIVE")
    arch = _given(found.image.arch, ARCH)
    if arch != ARCH:
        shown = f"{image_id}, which is for {arch}"
        raise errors.wrong_value("image_id", shown, f"an image for {ARCH}, as the flavor")
    services = _given(found.image.dev_services, [])
    if services == [enums.ImageDevService.SSH] and not any(_is_ssh(one) for one in _given(endpoints, [])):
        raise errors.image_needs_ssh(image_id)


def _is_ssh(endpoint: EndpointsReq) -> bool:
    return _given(endpoint.service, _given(endpoint.dev_service, "NOTEBOOK")) == "SSH"


def _given(value: T | UnsetType, default: T) -> T:
    return default if isinstance(value, UnsetType) else value


# Who may.


def _visible(connection: Connection, caller: Caller, image_id: str) -> Stored:
    return _seen(images.find(connection, image_id.lower()), caller, image_id)


def _seen(found: Stored | None, caller: Caller, image_id: str) -> Stored:
    if found is None or found.state is State.DELETED or not access.sees_image(caller, found.holding):
        raise errors.not_found("image", image_id)
    return found


def _actionable(connection: Connection, caller: Caller, image_id: str) -> Stored:
    found = _seen(images.find_to_change(connection, image_id.lower()), caller, image_id)
    if not access.acts_on_image(caller, found.holding):
        raise errors.forbidden(access.ACT_ON_ALL_IMAGES)
    return found


def _group(connection: Connection, caller: Caller, group_id: str) -> Sequence[Stored]:
    """All images of the group that the caller sees; to change any it must be able to change them all."""
    found = [
        one for one in images.of_group(connection, group_id.lower()) if access.sees_image(caller, one.holding)
    ]
    if not found:
        raise errors.not_found("image group", group_id)
    if not all(access.acts_on_image(caller, one.holding) for one in found):
        raise errors.forbidden(access.ACT_ON_ALL_IMAGES)
    return found


# What stands on the shelf.


def _look(context: Context, swr_path: str) -> Standing | Unusable | None:
    """What is there, or why it cannot be used; None where every reference is an image."""
    place = shelf.of(context.settings)
    try:
        if place is None:
            shelf.parse(swr_path)
            return None
        standing = place.find(swr_path)
    except Unusable as fault:
        return fault
    if standing.interpreter is None:
        return Unusable(
            "it is a root directory (root in its manifest); here only an interpreter (python) runs"
        )
    return standing


def _standing(context: Context, swr_path: str) -> Standing | None:
    seen = _look(context, swr_path)
    if isinstance(seen, Missing):
        raise errors.image_missing(swr_path, str(seen)) from seen
    if isinstance(seen, Unusable):
        raise errors.image_unusable(swr_path, str(seen)) from seen
    return seen


def _is_removable(context: Context, found: Sequence[Stored]) -> bool:
    """Whether the content of all of them is the service's own, or gone."""
    place = shelf.of(context.settings)
    if place is None:
        return True
    for one in found:
        try:
            if not place.is_own(place.find(str(one.image.swr_path))):
                return False
        except Missing:
            continue
        except Unusable:
            return False  # It cannot be told whose it is.
    return True


# From a request to an image.


def _registered(body: ImageRegRequest, manifest: Manifest | None, now: int) -> Image:
    reference, known = shelf.parse(body.swr_path), manifest or _ANY_MACHINE
    arch = str(_given(body.arch, known.arch)).lower()
    if manifest is not None and arch != manifest.arch:
        raise errors.wrong_value("arch", arch, manifest.arch)
    visibility = _given(body.visibility, enums.ImageVisibility.PRIVATE)
    if visibility not in _USABLE:
        raise errors.wrong_value("visibility", visibility, _USABLE)
    categories = _chosen("resource_category", body.resource_category, known.resource_categories, manifest)
    if not isinstance(body.flavor_type, UnsetType) and enums.ResourceCategory.ASCEND not in categories:
        raise errors.wrong_value(
            "flavor_type", body.flavor_type, "nothing without ASCEND in resource_category"
        )
    return Image(
        id=str(uuid.uuid4()),
        name=reference.name,
        namespace=reference.namespace,
        tag=reference.tag,
        swr_path=body.swr_path,
        description=_given(body.description, "") or known.description,
        arch=enums.ImageArch(arch),
        type=enums.ImageType.DEDICATED,
        status=enums.ImageStatus.INIT,
        visibility=visibility,
        origin=_given(body.origin, enums.ImageOrigin.CUSTOMIZE),
        service_type=_given(body.service_type, enums.ImageServiceType.UNKNOWN),
        dev_services=[
            enums.ImageDevService(one)
            for one in _chosen("services", body.services, known.dev_services, manifest)
        ],
        resource_categories=[enums.ResourceCategory(one) for one in categories],
        support_res_categories=[enums.ResourceCategory(one) for one in categories],
        workspace_id=_given(body.workspace_id, "0"),
        flavor_type=body.flavor_type,
        swr_instance_id=None,
        tags=_tags(body),
        create_at=now,
        update_at=now,
    )


def _chosen(
    field: str, asked: Sequence[str] | UnsetType, known: Sequence[str], manifest: Manifest | None
) -> list[str]:
    """What is asked for, as far as the manifest has it; all it has where nothing is asked."""
    wanted = list(dict.fromkeys(str(one) for one in _given(asked, []))) or list(known)
    beyond = [one for one in wanted if one not in known]
    if manifest is not None and beyond:
        raise errors.wrong_value(field, ", ".join(beyond), f"{', '.join(known)}, as its manifest says")
    return wanted


def _tags(body: ImageRegRequest) -> list[TmsTagResponse]:
    given = dict.fromkeys(_given(body.tags, []))
    for tag in given:
        if not 1 <= len(tag) <= _TAG_KEY:
            raise errors.wrong_value("tags", tag, f"texts of 1 to {_TAG_KEY} characters")
    return [TmsTagResponse(key=tag) for tag in given]


def _group_tags(body: UpdateImageGroupRequestBody) -> list[TmsTagResponse]:
    found: dict[str, TmsTagResponse] = {}
    for place, tag in enumerate(_given(body.tags, [])):
        key = _given(tag.key, "")
        if not key:
            raise errors.missing(f"tags[{place}].key")
        found[key] = TmsTagResponse(key=key, value=tag.value)
    return list(found.values())


def _add(
    connection: Connection, context: Context, caller: Caller, image: Image, body: ImageRegRequest,
    standing: Standing | None,
) -> Image:  # fmt: skip
    project_no = context.directory.project(connection, caller.project_id)
    owner_no = context.directory.user(connection, caller.user_id)
    if project_no is None or owner_no is None:
        raise errors.foreign_project(caller.project_id)
    workspace_id = str(image.workspace_id)
    known = context.directory.workspace(connection, project_no, workspace_id)
    if known is None or (caller.granted is not None and workspace_id not in caller.granted):
        raise errors.workspace_not_found(workspace_id)
    if images.is_taken(connection, project_no, body.swr_path):
        raise errors.image_exists(body.swr_path)
    reference: Reference = shelf.parse(body.swr_path)
    group = images.siblings(connection, caller.project_id, reference.namespace, reference.name)
    if group and not image.tags:
        image = replace(image, tags=group[-1].image.tags)
    read_me = _given(body.read_me, "") or (group[-1].read_me if group else None)
    manifest = None if standing is None else msgspec.json.encode(standing.manifest)
    project = (project_no, caller.project_id)
    images.add(connection, project, owner_no, image, read_me, manifest, context.clock())
    return image


# What becomes of an image.


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
    categories = tuple(str(one) for one in _given(image.resource_categories, []))
    services = tuple(str(one) for one in _given(image.dev_services, []))
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
    deleted = replace(found.image, status=enums.ImageStatus.DELETED, status_message=UNSET)
    return images.save(connection, found, deleted, now, due_at=now if force else None)

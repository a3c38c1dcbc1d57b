"""From a request to register to an image that is to be tried.

What the request leaves out comes from the manifest, and nothing goes beyond it.
"""

import asyncio
import uuid
from collections.abc import Sequence

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from nbfleet import shelf
from nbfleet.domain import access, tags
from nbfleet.domain.access import Caller
from nbfleet.services import workspaces
from nbfleet.services.context import Context
from nbfleet.services.requests import given
from nbfleet.services.standing import the_standing
from nbfleet.shelf import Manifest, Standing
from nbfleet.store import catalogue, images
from nbfleet.store.database import Conflict, Connection
from nbfleet.wire import enums, errors
from nbfleet.wire.images import Image, ImageRegRequest
from nbfleet.wire.tags import TmsTagResponse

_USABLE = (enums.ImageVisibility.PRIVATE, enums.ImageVisibility.PUBLIC)
# What the contract assumes where neither the request nor a manifest says anything.
_ANY_MACHINE = Manifest(
    name="", namespace="", tag="", arch="x86_64", resource_categories=("CPU", "GPU"),
    dev_services=("NOTEBOOK", "SSH"),
)  # fmt: skip


async def register(context: Context, caller: Caller, body: ImageRegRequest) -> Image:
    """A new image, to be tried before it can be used. Its manifest must be there and complete."""
    if given(body.swr_instance_id, ""):
        raise errors.not_available("The field swr_instance_id")
    standing = await asyncio.to_thread(the_standing, context, body.swr_path)
    image = _registered(body, None if standing is None else standing.manifest, context.clock())

    def write(connection: Connection) -> Image:
        return _add(connection, context, caller, image, body, standing)

    try:
        return await context.database.write(write)
    except Conflict as fault:
        raise errors.image_exists(body.swr_path) from fault


def _registered(body: ImageRegRequest, manifest: Manifest | None, now: int) -> Image:
    reference, known = shelf.parse(body.swr_path), manifest or _ANY_MACHINE
    arch = str(given(body.arch, known.arch)).lower()
    if manifest is not None and arch != manifest.arch:
        raise errors.wrong_value("arch", arch, manifest.arch)
    visibility = given(body.visibility, enums.ImageVisibility.PRIVATE)
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
        description=given(body.description, "") or known.description,
        arch=enums.ImageArch(arch),
        type=enums.ImageType.DEDICATED,
        status=enums.ImageStatus.INIT,
        visibility=visibility,
        origin=given(body.origin, enums.ImageOrigin.CUSTOMIZE),
        service_type=given(body.service_type, enums.ImageServiceType.UNKNOWN),
        dev_services=[
            enums.ImageDevService(one)
            for one in _chosen("services", body.services, known.dev_services, manifest)
        ],
        resource_categories=[enums.ResourceCategory(one) for one in categories],
        support_res_categories=[enums.ResourceCategory(one) for one in categories],
        workspace_id=given(body.workspace_id, "0"),
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
    wanted = list(dict.fromkeys(str(one) for one in given(asked, []))) or list(known)
    beyond = [one for one in wanted if one not in known]
    if manifest is not None and beyond:
        raise errors.wrong_value(field, ", ".join(beyond), f"{', '.join(known)}, as its manifest says")
    return wanted


def _tags(body: ImageRegRequest) -> list[TmsTagResponse]:
    """Keys only: the contract has texts here, and pairs where a group is changed."""
    keys = dict.fromkeys(given(body.tags, []))
    for key in keys:
        if not tags.is_key(key):
            raise errors.wrong_value("tags", key, tags.KEY_RULE)
    return [TmsTagResponse(key=key) for key in keys]


def _add(
    connection: Connection, context: Context, caller: Caller, image: Image, body: ImageRegRequest,
    standing: Standing | None,
) -> Image:  # fmt: skip
    project_no, owner_no = _place(connection, context, caller, str(image.workspace_id))
    _check_room(connection, context, owner_no)
    if images.is_taken(connection, project_no, body.swr_path):
        raise errors.image_exists(body.swr_path)
    if images.is_leaving(connection, body.swr_path):
        raise errors.image_leaving(body.swr_path)
    image, read_me = _as_its_group(connection, caller, image, given(body.read_me, "") or None)
    manifest = None if standing is None else msgspec.json.encode(standing.manifest)
    project = (project_no, caller.project_id)
    images.add(connection, project, owner_no, image, read_me, manifest, context.clock())
    return image


def _place(connection: Connection, context: Context, caller: Caller, workspace_id: str) -> tuple[int, int]:
    """Numbers of project and owner, if the caller may put something into this workspace, which stays as it is
    until the commit."""
    project_no = context.directory.project(connection, caller.project_id)
    owner_no = context.directory.user(connection, caller.user_id)
    if project_no is None or owner_no is None:
        raise errors.foreign_project(caller.project_id)
    workspaces.hold(connection, context, caller, workspace_id)
    return project_no, owner_no


def _check_room(connection: Connection, context: Context, owner_no: int) -> None:
    count, most = images.count_of_owner(connection, owner_no), context.settings.images
    if count >= most:
        raise errors.quota_exceeded(f"You have {count} images; you may have at most {most}.")


def _as_its_group(
    connection: Connection, caller: Caller, image: Image, read_me: str | None
) -> tuple[Image, str | None]:
    """Tags and guide text, those of the newest image of the group where none are given. What the caller may
    not see gives none away."""
    group_id = catalogue.group_id(caller.project_id, image.namespace, image.name)
    seen = [one for one in images.of_group(connection, group_id) if access.sees_image(caller, one.holding)]
    if not seen:
        return image, read_me
    newest = seen[-1]
    return (image if image.tags else replace(image, tags=newest.image.tags)), read_me or newest.read_me

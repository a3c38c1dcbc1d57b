"""From a request to the storage it asks for: work volumes, extra volumes and what is mounted while it runs.

What the installation does not have, or its runtime cannot do, is refused here by name. Whether a bucket
exists and lets us in is found out when it is mounted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from msgspec import UnsetType, structs

from nbfleet.domain import storage
from nbfleet.domain.notebook import Ability, Notebook, Volume
from nbfleet.domain.storage import (
    IN_MOTION,
    MOST_MOUNTS,
    OBJECTS,
    SHARED,
    ExtraVolume,
    MountEvent,
    Source,
    moved,
)
from nbfleet.services.context import Context
from nbfleet.services.requests import asks, given
from nbfleet.settings import SecretSettings, ShareSettings, share_id
from nbfleet.store import identity
from nbfleet.store import mounts as rows
from nbfleet.store.database import Connection
from nbfleet.wire import errors, errors_storage
from nbfleet.wire.volumes import DataVolumesReq, VolumeMountRequest

WORK_PATH = "/home/ma-user/work/"
_DEFAULT_CAPACITY = {"EVS": 5, "EFS": 50, "SFS": 50}
_NO_FUSE = "this machine has no way to mount object storage; `nbfleet doctor` says what is missing"
_NO_READ_ONLY = "the service may not mount here, so nothing keeps an instance from writing"
_NOT_OWN = "the work volume is not the instance's own, so others would see what is attached in it"


def work_volume(context: Context, body: VolumeMountRequest) -> Volume:
    category, ownership = body.category.upper(), body.ownership.upper()
    path = given(body.mount_path, WORK_PATH)
    if path.rstrip("/") != WORK_PATH.rstrip("/"):
        raise errors.wrong_value("volume.mount_path", path, WORK_PATH)
    capacity = given(body.capacity, _DEFAULT_CAPACITY.get(category, 0))
    if ownership == "DEDICATED":
        if category != "EVS" and asks(body.capacity):
            raise errors.wrong_value("volume.capacity", body.capacity, "nothing: it is there already")
        return Volume(category, ownership, capacity, source=_source(context, "volume", body))
    if category in OBJECTS:
        raise errors_storage.storage_mismatch(category, ownership)
    for field in ("uri", "id", "dew_secret_name"):
        if asks(getattr(body, field)):
            raise errors.wrong_value(f"volume.{field}", getattr(body, field), "nothing with MANAGED")
    if given(body.read_only, False):
        raise errors.wrong_value("volume.read_only", True, "false: the work volume is written to")
    return Volume(category, ownership, capacity)


def extra_volumes(
    context: Context, work: Volume, wanted: Sequence[VolumeMountRequest]
) -> tuple[ExtraVolume, ...]:
    """Storage that is to be there whenever an instance with this work volume runs."""
    if len(wanted) > MOST_MOUNTS:
        raise errors.wrong_value("data_volumes", f"{len(wanted)} volumes", f"at most {MOST_MOUNTS}")
    found: list[ExtraVolume] = []
    for number, body in enumerate(wanted):
        field = f"data_volumes[{number}]"
        category, ownership = body.category.upper(), body.ownership.upper()
        if category == "EVS":
            raise errors_storage.storage_not_supported(f"{field}.category", category, "EFS, OBS, OBSFS")
        if ownership != "DEDICATED":
            raise errors_storage.storage_mismatch(category, ownership, field)
        if not asks(body.mount_path):
            raise errors_storage.missing_mount_path(f"{field}.mount_path")
        path = given(body.mount_path, "")
        _check_place(f"{field}.mount_path", path, [one.mount_path for one in found])
        if asks(body.capacity):
            raise errors.wrong_value(f"{field}.capacity", body.capacity, "nothing: it is there already")
        found.append(ExtraVolume(category, path, _source(context, field, body)))
    if found:
        _needs_own_work(context, work, "data_volumes")
    return tuple(found)


def dynamic(
    context: Context, notebook: Notebook, body: DataVolumesReq, taken: Iterable[str]
) -> tuple[str, Source]:
    """Category and source of a mount beside those on the paths `taken`. Buckets are file systems here."""
    volumes = [one.mount_path for one in notebook.making.volumes]
    _check_place("mount_path", body.mount_path, [*volumes, *taken])
    _needs_own_work(context, notebook.volume, "mount_path")
    category = body.category.upper()
    if category in OBJECTS:
        if asks(body.efs_id):
            raise errors.wrong_value("efs_id", body.efs_id, "nothing: for EFS only")
        return "OBSFS", _objects(context, "uri", body.uri, None, read_only=False)
    source, share = _share(context, "uri", body.uri, "efs_id", body.efs_id, read_only=False)
    if notebook.pool_id is None and not (share is not None and share.without_pool):
        reason = "EFS is mounted into running instances of a dedicated pool only"
        raise errors_storage.storage_refused("category", category, reason)
    return category, source


async def for_project(context: Context, project_id: str) -> Context:
    """The context as the project is to know it: without the shares and access keys of others, so that no rule
    of theirs tells them from what is not there."""
    return await context.database.read(offered, context, project_id) if _restricts(context) else context


def offered(connection: Connection, context: Context, project_id: str) -> Context:
    """The same, in a transaction."""
    if not _restricts(context):
        return context
    project = identity.project(connection, id=project_id)
    name = None if project is None else project.name
    settings, objects = context.settings, context.settings.object_storage
    shares = tuple(one for one in settings.shares if _is_for(one.projects, name))
    secrets = {key: one for key, one in objects.secrets.items() if _is_for(_projects(one), name)}
    objects = structs.replace(objects, secrets=secrets)
    return replace(context, settings=structs.replace(settings, shares=shares, object_storage=objects))


def _restricts(context: Context) -> bool:
    """Whether anything is for some projects only; mostly nothing is, and nobody need be asked."""
    secrets = context.settings.object_storage.secrets.values()
    return any(share.projects for share in context.settings.shares) or any(map(_projects, secrets))


def _projects(secret: str | SecretSettings) -> Sequence[str]:
    return secret.projects if isinstance(secret, SecretSettings) else ()


def _is_for(projects: Sequence[str], name: str | None) -> bool:
    return not projects or name in projects


def check_access(
    connection: Connection, context: Context, project_id: str, sources: Iterable[Source]
) -> None:
    """Whether the project may use these shares and access keys. To others they do not exist."""
    known = offered(connection, context, project_id).settings
    for source in sources:
        place = storage.share_place(source.uri)
        share = None if place is None else _declared(context, place.host)
        if share is not None and share not in known.shares:
            raise _unknown_share("uri", source.uri, share.name)
        declared, secret = context.settings.object_storage.secrets, source.secret
        if secret in declared and secret not in known.object_storage.secrets:
            raise errors_storage.unknown_secret("dew_secret_name", secret)


def sources_of(notebook: Notebook) -> list[Source]:
    work = notebook.volume.source
    return [*([] if work is None else [work]), *(one.source for one in notebook.making.volumes)]


def with_secret(context: Context, volume: Volume, name: str) -> Source:
    """Where the volume comes from, with other access keys."""
    source = volume.source
    if source is None or volume.category not in OBJECTS:
        raise errors_storage.storage_not_supported("dew_secret_name", volume.category, "OBS, OBSFS")
    _check_secret(context, "dew_secret_name", name)
    return replace(source, secret=name)


def mount_again(connection: Connection, rid: int, now: int) -> None:
    """What was mounted is to be mounted into the next start as well, and what was to go is gone."""
    for mount in rows.of_notebook(connection, rid):
        changed = moved(mount, MountEvent.RESTART, now)
        if changed is not None and (changed != mount or mount.status in IN_MOTION):
            rows.save(connection, mount, changed, due_at=now)


def _source(context: Context, field: str, body: VolumeMountRequest) -> Source:
    category, read_only = body.category.upper(), given(body.read_only, False)
    if category == "EVS":
        raise errors_storage.storage_mismatch(category, "DEDICATED", field)
    if not asks(body.uri):
        raise errors.missing(f"{field}.uri")
    uri, secret = given(body.uri, ""), f"{field}.dew_secret_name"
    if category in SHARED:
        if asks(body.dew_secret_name):
            raise errors.wrong_value(secret, body.dew_secret_name, "nothing: for object storage only")
        return _share(context, f"{field}.uri", uri, f"{field}.id", body.id, read_only=read_only)[0]
    if asks(body.id):
        raise errors.wrong_value(f"{field}.id", body.id, "nothing: for EFS only")
    name = given(body.dew_secret_name, None)
    if category == "OBS" and name is None:
        raise errors_storage.secret_needed(secret)
    if name is not None:
        _check_secret(context, secret, name)
    return _objects(context, f"{field}.uri", uri, name, read_only=read_only)


def _share(
    context: Context, field: str, uri: str, id_field: str, id_: str | UnsetType, *, read_only: bool
) -> tuple[Source, ShareSettings | None]:
    """The source and the share it is in; None where the runtime takes any."""
    place = storage.share_place(uri)
    if place is None:
        raise errors.wrong_value(field, uri, storage.SHARE_RULE)
    if isinstance(id_, UnsetType):
        raise errors.missing(id_field)
    share = _declared(context, place.host)
    if share is None:
        if Ability.ANY_STORAGE not in context.abilities:
            raise _unknown_share(field, uri, place.host)
        return Source(uri, id_, read_only), None
    if id_.lower() != share_id(share):
        raise errors.wrong_value(id_field, id_, f"the id of the share {share.name}")
    read_only = read_only or share.read_only
    if read_only and Ability.READ_ONLY not in context.abilities:
        raise errors_storage.storage_refused(field, uri, _NO_READ_ONLY)
    return Source(uri, id_, read_only), share


def _objects(context: Context, field: str, uri: str, secret: str | None, *, read_only: bool) -> Source:
    if storage.object_place(uri) is None:
        raise errors_storage.bad_object_path(field, uri, storage.OBJECT_RULE)
    settings = context.settings.object_storage
    if Ability.ANY_STORAGE not in context.abilities:
        if not settings.endpoint:
            raise errors_storage.storage_refused(field, uri, "the service knows no object storage")
        if Ability.OBJECT_STORAGE not in context.abilities:
            raise errors_storage.storage_refused(field, uri, _NO_FUSE)
        if secret is None and not settings.access_key_file:
            raise errors_storage.secret_needed("dew_secret_name")
    return Source(uri, None, read_only, secret)


def _check_secret(context: Context, field: str, name: str) -> None:
    if name not in context.settings.object_storage.secrets and Ability.ANY_STORAGE not in context.abilities:
        raise errors_storage.unknown_secret(field, name)


def _check_place(field: str, path: str, taken: Iterable[str]) -> None:
    if storage.inside(path) is None:
        raise errors_storage.bad_mount_path(field, path, storage.PLACE_RULE)
    other = storage.clash(path, taken)
    if other is not None:
        raise errors_storage.bad_mount_path(
            field, path, f"one apart from {other}, where something is already"
        )


def _needs_own_work(context: Context, work: Volume, field: str) -> None:
    if work.source is not None and Ability.ANY_STORAGE not in context.abilities:
        raise errors.cannot_honour(field, _NOT_OWN)


def _declared(context: Context, name: str) -> ShareSettings | None:
    return next((share for share in context.settings.shares if share.name == name), None)


def _unknown_share(field: str, uri: str, name: str) -> errors.ApiError:
    return errors_storage.storage_refused(field, uri, f"there is no share called {errors.shown(name)}")

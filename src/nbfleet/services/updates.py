"""What a request to update changes about a notebook, and in which status it may.

Name, description and the size of the work volume can be changed while it runs; everything else decides how
it is made, and waits for it to be stopped.
"""

from dataclasses import replace

from msgspec import UnsetType

from nbfleet.domain.lifecycle import GROWS_IN, Status, status_of
from nbfleet.domain.notebook import CUSTOM_FLAVOR, Making, Notebook, Volume
from nbfleet.services import catalogue, making, pools, requests, storage
from nbfleet.services.context import Context
from nbfleet.services.requests import asks, given
from nbfleet.wire import errors, errors_storage
from nbfleet.wire.notebooks import NotebookUpdateRequest

_ALSO_RUNNING = ("name", "description", "storage_new_size")
_ONLY_STOPPED = ("flavor", "custom_spec", "image_id", "hooks", "affinity", "dew_secret_name", "data_volumes")
_NOT_YET = ("public_network_config",)


def updated(context: Context, notebook: Notebook, body: NotebookUpdateRequest, now: int) -> Notebook:
    """The notebook as the request wants it. That its image exists is checked at the store."""
    requests.refuse_unavailable(body, _NOT_YET)
    requests.check_endpoints(body.endpoints)
    _check_status(notebook, body)
    changed = replace(
        notebook,
        name=given(body.name, notebook.name),
        description=given(body.description, notebook.description),
        volume=_volume(context, notebook, body),
        image_id=given(body.image_id, notebook.image_id).lower(),
        making=_making(context, notebook, body),
    )
    changed = _with_flavor(context, changed, body)
    if (changed.flavor, changed.making.size) != (notebook.flavor, notebook.making.size):
        pools.check_change(context, changed)
    return notebook if changed == notebook else replace(changed, update_at=now)


def _check_status(notebook: Notebook, body: NotebookUpdateRequest) -> None:
    status = status_of(notebook)
    if status is Status.FROZEN:
        raise errors.frozen(notebook.id)
    for field in _ALSO_RUNNING:
        if not isinstance(getattr(body, field), UnsetType) and status not in GROWS_IN:
            raise errors.update_not_allowed(field, status.value, "RUNNING or STOPPED")
    for field in _ONLY_STOPPED:
        if asks(getattr(body, field)) and status is not Status.STOPPED:
            raise errors.update_not_allowed(field, status.value, "STOPPED")


def _making(context: Context, notebook: Notebook, body: NotebookUpdateRequest) -> Making:
    """A list of volumes replaces the one there is; an empty one takes all away."""
    changed = making.changed(context, notebook.making, body, notebook.pool_id)
    if isinstance(body.data_volumes, UnsetType):
        return changed
    volumes = storage.extra_volumes(context, notebook.volume, body.data_volumes)
    if volumes != changed.volumes and status_of(notebook) is not Status.STOPPED:
        raise errors.update_not_allowed("data_volumes", status_of(notebook).value, "STOPPED")
    return replace(changed, volumes=volumes)


def _volume(context: Context, notebook: Notebook, body: NotebookUpdateRequest) -> Volume:
    volume = _grown(notebook, body.storage_new_size)
    if not isinstance(body.dew_secret_name, UnsetType):
        return replace(volume, source=storage.with_secret(context, volume, body.dew_secret_name))
    return volume


def _grown(notebook: Notebook, wanted: int | UnsetType) -> Volume:
    """Clients send along the size that they read, which while it grows is still the old one: that asks for no
    growth, and calls none off."""
    volume = notebook.volume
    if isinstance(wanted, UnsetType) or wanted in (volume.capacity, volume.growing_to):
        return volume
    if volume.category != "EVS":
        raise errors_storage.storage_not_supported("storage_new_size", volume.category, "EVS")
    if volume.growing_to is not None:
        raise errors.conflicting_state(notebook.id, "growing its volume", "grow it again")
    if wanted < volume.capacity:
        raise errors_storage.bad_size(
            "storage_new_size", wanted, f"{volume.capacity} to {requests.LARGEST_VOLUME} GB"
        )
    return replace(volume, growing_to=wanted)


def _with_flavor(context: Context, notebook: Notebook, body: NotebookUpdateRequest) -> Notebook:
    """A flavor takes the place of a size of its own, and the other way round."""
    custom = asks(body.custom_spec)
    wanted = given(body.flavor, "") or (CUSTOM_FLAVOR if custom else notebook.flavor)
    if custom:
        if wanted != CUSTOM_FLAVOR:
            raise errors.wrong_value("flavor", wanted, f"none or {CUSTOM_FLAVOR} beside custom_spec")
        return replace(notebook, flavor=wanted)
    if wanted == notebook.flavor:
        return notebook
    catalogue.check_switch(context, notebook, wanted)
    return replace(notebook, flavor=wanted, making=replace(notebook.making, size=None))

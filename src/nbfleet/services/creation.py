"""From a request to create to the record of a new notebook."""

import uuid

from nbfleet.domain.access import Caller
from nbfleet.domain.notebook import CUSTOM_FLAVOR, Making, Notebook, Observed, Progress, Volume, Wanted
from nbfleet.services import catalogue, making, requests, storage
from nbfleet.services.context import Context
from nbfleet.services.requests import asks, given
from nbfleet.wire import errors
from nbfleet.wire.notebooks import NotebookCreateRequest

_NOT_YET = ("user_vpc", "public_network_config")


def new_notebook(context: Context, caller: Caller, body: NotebookCreateRequest, now: int) -> Notebook:
    """The record of a notebook to create. Whether what it refers to exists is checked at the store."""
    requests.refuse_unavailable(body, _NOT_YET)
    requests.check_endpoints(body.endpoints)
    pool_id = given(body.pool_id, "") or None
    feature = given(body.feature, "NOTEBOOK").upper()
    lease = requests.first_lease(context.lease_range, body, now)
    volume = storage.work_volume(context, body.volume)
    if feature == "DEFAULT":
        requests.check_default_period(context.lease_range, "duration", lease.period)
    return Notebook(
        id=str(uuid.uuid4()),
        project_id=caller.project_id,
        owner_id=caller.user_id,
        name=body.name,
        description=given(body.description, ""),
        feature=feature,
        flavor=_flavor(context, body, feature),
        image_id=body.image_id.lower(),
        workspace_id=given(body.workspace_id, "0"),
        pool_id=pool_id,
        volume=volume,
        lease=lease,
        wanted=Wanted.RUNNING,
        observed=Observed.NEW,
        create_at=now,
        update_at=now,
        generation=1,
        progress=Progress(),
        tags=requests.joined_tags((), requests.checked_tags(given(body.tags, []))),
        making=_making(context, body, pool_id, volume),
    )


def _making(context: Context, body: NotebookCreateRequest, pool_id: str | None, volume: Volume) -> Making:
    first = Making(
        run_as=making.run_as(context, body.run_user),
        volumes=storage.extra_volumes(context, volume, given(body.data_volumes, [])),
    )
    return making.changed(context, first, body, pool_id)


def _flavor(context: Context, body: NotebookCreateRequest, feature: str) -> str:
    wanted = given(body.flavor, "")
    if asks(body.custom_spec):
        if wanted not in ("", CUSTOM_FLAVOR):
            raise errors.wrong_value("flavor", wanted, f"none or {CUSTOM_FLAVOR} beside custom_spec")
        return CUSTOM_FLAVOR
    if not wanted:
        raise errors.missing("flavor")
    return catalogue.flavor(context, wanted, feature).id

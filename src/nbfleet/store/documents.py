"""The ready wire form of a notebook, kept beside its row so that a list has nothing left to encode.

It holds neither token nor address, nor anything that changes with time, nor the name of its owner: whoever
answers a list splices those in for each row, by `splice`. Images and pools, which rarely change, are written
into the documents anew when they do.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from nbfleet.domain.lifecycle import FAILED, Status, status_of
from nbfleet.domain.notebook import AffinityRule, CustomSize, Lease, Making, Notebook, Progress, Step, Volume
from nbfleet.store.codes import COMPUTE, STORAGE
from nbfleet.wire import enums, placement
from nbfleet.wire.flavors import NotebookCustomSpecRep
from nbfleet.wire.images import Image
from nbfleet.wire.leases import Lease as WireLease
from nbfleet.wire.notebooks import JobProgress, NotebookResp
from nbfleet.wire.placement import AffinityType, Pool, RunUserInfo
from nbfleet.wire.tags import TmsTagResponse
from nbfleet.wire.volumes import VolumeRes

_STEP_TEXTS = {
    Step.STORAGE: "Prepare storage.",
    Step.COMPUTE: "Prepare compute resources.",
    Step.NETWORK: "Configure the network.",
    Step.INITIALISATION: "Initialise the instance.",
}
_encoder = msgspec.json.Encoder()


def billing_bits(notebook: Notebook) -> int:
    """What is charged now: only a running instance is, its disk only where the disk is its own."""
    if status_of(notebook) is not Status.RUNNING:
        return 0
    return COMPUTE | STORAGE if notebook.volume.category == "EVS" else COMPUTE


def billing_items(bits: int) -> list[enums.BillingKind]:
    kinds = ((COMPUTE, enums.BillingKind.COMPUTE), (STORAGE, enums.BillingKind.STORAGE))
    return [kind for bit, kind in kinds if bits & bit]


def lease_view(lease: Lease) -> WireLease:
    return WireLease(
        create_at=lease.create_at,
        update_at=lease.update_at,
        duration=lease.duration,
        enable=lease.enable,
        type=enums.LeaseType(lease.type.value),
    )


def volume_view(volume: Volume) -> VolumeRes:
    return VolumeRes(
        category=enums.VolumeCategory(volume.category),
        ownership=enums.VolumeOwnership(volume.ownership),
        capacity=volume.capacity,
        mount_path=volume.mount_path,
        read_only=False,
        status=UNSET if volume.growing_to is None else enums.VolumeStatus.RESIZING,
    )


def progress_view(notebook_id: str, progress: Progress) -> list[JobProgress]:
    """The steps from the last to the first, as published answers have them."""
    return [
        JobProgress(
            notebook_id=notebook_id,
            step=step.value,
            status=enums.JobProgressStatus(progress.steps[step - 1].value),
            step_description=_STEP_TEXTS[step],
            description=_STEP_TEXTS[step],
        )
        for step in reversed(Step)
    ]


def size_view(size: CustomSize) -> NotebookCustomSpecRep:
    return NotebookCustomSpecRep(
        cpu=size.vcpus,
        memory=size.memory,
        arch=enums.ImageArch(size.arch),
        category="GPU" if size.category == "GPU" else "CPU",
        resource_flavor=UNSET if size.resource_flavor is None else size.resource_flavor,
    )


def affinity_view(making: Making) -> AffinityType | UnsetType:
    if not making.required and not making.preferred:
        return UNSET
    return AffinityType(
        required_during_scheduling_ignored_during_execution=[_rule_view(rule) for rule in making.required],
        preferred_during_scheduling_ignored_during_execution=[_rule_view(rule) for rule in making.preferred],
    )


def _rule_view(rule: AffinityRule) -> placement.AffinityRule:
    return placement.AffinityRule(
        key=rule.key,
        operator=enums.AffinityOperator(rule.operator),
        values=list(rule.values),
        weight=rule.weight,
    )


def view(notebook: Notebook, image: Image, pool: Pool | None) -> NotebookResp:
    """The published record, without what `splice` adds. `image` and `pool` are shown as they are given."""
    status = status_of(notebook)
    progress, reason, making = notebook.progress, notebook.fail_reason, notebook.making
    return NotebookResp(
        id=notebook.id,
        name=notebook.name,
        description=notebook.description,
        status=enums.NotebookStatus(status.value),
        feature=enums.Feature(notebook.feature),
        flavor=notebook.flavor,
        custom_spec=UNSET if making.size is None else size_view(making.size),
        affinity=affinity_view(making),
        run_user=UNSET if making.run_as is None else RunUserInfo(uid=making.run_as[0], gid=making.run_as[1]),
        image=image,
        pool=UNSET if pool is None else pool,
        lease=lease_view(notebook.lease),
        volume=volume_view(notebook.volume),
        workspace_id=notebook.workspace_id,
        billing_items=billing_items(billing_bits(notebook)),
        user_id=notebook.owner_id,
        create_at=notebook.create_at,
        update_at=notebook.update_at,
        tags=[TmsTagResponse(key=key, value=value) for key, value in notebook.tags],
        ip=notebook.ip if notebook.ip is not None else UNSET,
        fail_reason=reason if reason is not None and status in FAILED else UNSET,
        action_progress=progress_view(notebook.id, progress) if progress is not None else UNSET,
    )


def list_form(image: Image) -> Image:
    """An image inside a listed notebook has four fields only."""
    return Image(id=image.id, name=image.name, swr_path=image.swr_path, type=image.type)


def show_form(image: Image) -> Image:
    return Image(
        id=image.id, name=image.name, swr_path=image.swr_path, type=image.type,
        description=image.description, tag=image.tag,
    )  # fmt: skip


def encode(notebook: Notebook, image: Image, pool: Pool | None) -> bytes:
    return _encoder.encode(view(notebook, list_form(image), pool))


def splice(body: bytes, additions: Sequence[bytes]) -> bytes:
    """The document with more members, each given as `"name":value`."""
    return b"%b,%b}" % (body[:-1], b",".join(additions)) if additions else body


def member(name: str, value: object) -> bytes:
    """One member for `splice`."""
    return b'"%s":%s' % (name.encode(), _encoder.encode(value))

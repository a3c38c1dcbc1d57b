"""What becomes of each field of the bodies of CreateNotebook and UpdateNotebook, as one table.

A row has requests that give the field a value other than its default, and says for each where that value is
read back, or the refusal that names the field. What is more than an echo names the test that shows its
effect. `tests/integration/api/test_fields.py` makes every request, and `scripts/docs.py` makes docs/fields.md
of the rows.
"""

import base64
from dataclasses import replace
from typing import Any

from nbfleet.domain.storage import OBJECT_RULE
from nbfleet.services.catalogue import ARCH
from nbfleet.settings import made_share_id
from support.field_rows import (
    ABSENT,
    BUCKET,
    IMAGE,
    KEYS,
    MACHINE,
    OTHER_KEYS,
    POOL,
    WORKSPACE,
    Kind,
    Outcome,
    Probe,
    Refused,
    Row,
    Shown,
    local_cannot,
    not_here,
    row,
    wrong,
)  # fmt: skip

CREATE, UPDATE = "CreateNotebook", "UpdateNotebook"
_API, _E2E, _RUN = "integration/api", "e2e", "integration/runtimes"
_UPDATES, _STORAGE = f"{_API}/test_updates.py::", f"{_API}/test_storage.py::"
_SHARE = {"category": "EFS", "ownership": "DEDICATED", "uri": "sets:/a", "id": made_share_id("sets")}
_BUCKET = {"category": "OBS", "ownership": "DEDICATED", "uri": BUCKET, "dew_secret_name": KEYS}
_NO_FUSE = "this machine has no way to mount object storage; `nbfleet doctor` says what is missing"
_NO_READ_ONLY = "the service may not mount here, so nothing keeps an instance from writing"
_MORE_ID = made_share_id("more")
_RULES = "_during_scheduling_ignored_during_execution"


def _not_had(name: str, uri: str, reason: str) -> Refused:
    return Refused(400, "ModelArts.6324", f"The field {name} is {uri}, which cannot be had: {reason}.")


# What both requests have.


def _endpoints(operation: str) -> list[Row]:
    def one(**fields: Any) -> dict[str, Any]:
        return {"endpoints": [fields]}

    browser = Shown("endpoints[0].service", "NOTEBOOK")
    ssh = not_here("The service SSH in endpoints[0]")
    rows = [
        row(
            operation, f"endpoints[].{name}", Kind.WORKS,
            Probe(one(**{name: "NOTEBOOK"}), browser, "NOTEBOOK"), Probe(one(**{name: "SSH"}), ssh, "SSH"),
            proof=f"{_E2E}/test_opening.py::test_a_cell_runs_over_the_address_and_an_old_token_opens_nothing",
            note="The browser way is always open.",
        )
        for name in ("service", "dev_service")
    ]  # fmt: skip
    for name, value in (
        ("key_pair_names", "laptop"), ("ssh_keys", "laptop"), ("allowed_access_ips", "203.0.113.7"),
    ):  # fmt: skip
        refusal = wrong(f"endpoints[0].{name}", "given", "nothing: SSH only")
        probes = (
            Probe(one(service="NOTEBOOK", **{name: [value]}), refusal, "NOTEBOOK"),
            Probe(one(service="SSH", **{name: [value]}), ssh, "SSH"),
        )
        rows.append(row(operation, f"endpoints[].{name}[]", None, *probes))
    return rows


def _custom_spec(operation: str) -> list[Row]:
    """In a pool, and without a flavor."""

    def probe(outcome: Outcome, about: str = "", **fields: Any) -> Probe:
        spec = {"custom_spec": {"cpu": 1, "memory": 1024} | fields}
        if operation == UPDATE:
            return Probe(spec, outcome, about, made={"pool_id": POOL})
        return Probe(spec | {"flavor": ABSENT, "pool_id": POOL}, outcome, about)

    def shown(name: str, value: Any, about: str = "") -> Probe:
        return probe(Shown(f"custom_spec.{name}", value), about, **{name: value})

    gpus, other = not_here("custom_spec with GPUs"), "aarch64" if ARCH == "x86_64" else "x86_64"
    room = f"{_API}/test_pools.py::test_a_size_of_its_own_takes_room_in_a_pool"
    strange = wrong("custom_spec.arch", other, f"{ARCH}, as the machine")
    nowhere = wrong("custom_spec.resource_flavor", "small", f"node, {MACHINE}")
    return [
        row(operation, "custom_spec.cpu", Kind.WORKS, shown("cpu", 1.5), proof=room),
        row(operation, "custom_spec.memory", Kind.WORKS, shown("memory", 2048), proof=room),
        row(operation, "custom_spec.gpu", None, probe(gpus, gpu=1)),
        row(operation, "custom_spec.gpu_type", None, probe(gpus, gpu_type="V100")),
        row(operation, "custom_spec.category", Kind.ECHOED, shown("category", "CPU", "CPU"),
            probe(gpus, "GPU", category="GPU")),
        row(operation, "custom_spec.arch", Kind.ECHOED,
            probe(Shown("custom_spec.arch", ARCH), "that of the machine", arch=ARCH.upper()),
            probe(strange, "another", arch=other)),
        row(operation, "custom_spec.resource_flavor", Kind.WORKS,
            shown("resource_flavor", MACHINE, "a machine of the pool"),
            probe(nowhere, "another", resource_flavor="small"),
            proof=f"{_API}/test_pools.py::test_a_size_is_for_the_machines_it_names"),
    ]  # fmt: skip


def _hooks(operation: str) -> list[Row]:
    """No answer has them: they are read where the runtime gets them."""
    text = "echo ready\n"
    coded = base64.b64encode(text.encode()).decode()
    rows: list[Row] = []
    for name in ("post_start", "pre_start"):

        def probe(place: str, value: Any, about: str = "", name: str = name, **fields: Any) -> Probe:
            body = {"hooks": {"container_hooks": {name: fields}}}
            return Probe(body, Shown(f"runtime.making.{name}.{place}", value), about)

        runs = f"{_RUN}/test_local_hooks.py::test_one_runs_before_the_server_and_one_after_it_answers"
        file = f"{_RUN}/test_local_hooks.py::test_a_hook_may_be_a_file_of_the_work_volume"
        waits = f"{_RUN}/test_local_hooks.py::test_a_start_fails_with_a_hook_it_waits_for"
        at, handed = f"hooks.container_hooks.{name}", Kind.PRETENDED
        rows += [
            row(operation, f"{at}.script", Kind.WORKS,
                probe("script", text, script=coded, type="COMMAND"), proof=runs, simulated=handed),
            row(operation, f"{at}.type", Kind.WORKS,
                probe("is_file", False, "COMMAND", script=coded, type="COMMAND"),
                probe("is_file", True, "SCRIPT", script="/x", type="SCRIPT"), proof=file, simulated=handed),
            row(operation, f"{at}.mode", Kind.WORKS,
                probe("blocks", True, "BLOCK", script="/x", mode="BLOCK"),
                probe("blocks", False, "ASYNC", script="/x", mode="ASYNC"), proof=waits, simulated=handed),
        ]  # fmt: skip
    return rows


def _affinity(operation: str) -> list[Row]:
    """In a pool."""
    refusal = local_cannot("affinity", "it does not place instances by labels of nodes")
    made = {"pool_id": POOL}
    rows: list[Row] = []
    for name, weight in (("required", None), ("preferred", 7)):
        whole = {"key": "disk", "operator": "NotIn", "values": ["ssd"]}
        rule = whole if weight is None else whole | {"weight": weight}
        body = {"affinity": {f"{name}{_RULES}": [rule]}} | ({} if operation == UPDATE else made)

        def probe(member: str, value: Any, name: str = name, body: Any = body, about: str = "") -> Probe:
            shown = Shown(f"affinity.{name}{_RULES}[0].{member}", value)
            return Probe(body, shown, about, refusal, made=made if operation == UPDATE else {})

        at = f"affinity.{name}{_RULES}[]"
        for member, value in (("key", "disk"), ("operator", "NotIn"), ("values", ["ssd"])):
            suffix = "[]" if member == "values" else ""
            rows.append(row(operation, f"{at}.{member}{suffix}", Kind.PRETENDED, probe(member, value)))
        if weight is not None:
            rows.append(row(operation, f"{at}.weight", Kind.PRETENDED, probe("weight", weight)))
            continue
        heavy = {"affinity": {f"{name}{_RULES}": [whole | {"weight": 7}]}} | (
            made if "pool_id" in body else {}
        )
        place = f"affinity.{name}{_RULES}[0].weight"
        taken = replace(probe("weight", None, about="null"), body=_with_weight(body, name, None))
        other = Probe(
            heavy, wrong(place, 7, "none for a required rule"), "a number", refusal,
            made=made if operation == UPDATE else {},
        )  # fmt: skip
        rows.append(row(operation, f"{at}.weight", Kind.PRETENDED, taken, other))
    return rows


def _with_weight(body: dict[str, Any], name: str, weight: int | None) -> dict[str, Any]:
    (rule,) = body["affinity"][f"{name}{_RULES}"]
    return body | {"affinity": {f"{name}{_RULES}": [rule | {"weight": weight}]}}


def _data_volumes(operation: str) -> list[Row]:
    share, bucket = _SHARE | {"mount_path": "/data/x/"}, _BUCKET | {"mount_path": "/data/x/"}
    at = "data_volumes[0]"

    def probe(body: Any, name: str, value: Any, about: str = "", bare: Outcome | None = None) -> Probe:
        return Probe({"data_volumes": [body]}, Shown(name, value), about, bare=bare)

    def refused(outcome: Outcome, about: str = "", **fields: Any) -> Probe:
        return Probe({"data_volumes": [share | fields]}, outcome, about)

    source, no_fuse = "runtime.volumes[0].source", _not_had(f"{at}.uri", BUCKET, _NO_FUSE)
    read_only = _not_had(f"{at}.uri", "sets:/a", _NO_READ_ONLY)
    disk = Refused(
        400, "ModelArts.6324",
        f"The field {at}.category is not for storage of the kind EVS; allowed: EFS, OBS, OBSFS.",
    )  # fmt: skip
    managed = Refused(
        400, "ModelArts.6702", f"{at}.category EFS does not go together with {at}.ownership MANAGED."
    )
    seen = f"{_E2E}/test_storage.py::test_a_share_is_mounted_while_a_notebook_runs"
    opened = f"{_E2E}/test_storage.py::test_a_bucket_is_mounted_while_a_notebook_runs"
    protected = f"{_E2E}/test_storage.py::test_nobody_writes_to_a_read_only_share"
    more = {
        "category": row(operation, "category", Kind.WORKS, probe(share, f"{at}.category", "EFS", "EFS"),
                        probe(bucket, f"{at}.category", "OBS", "OBS, OBSFS", no_fuse),
                        refused(disk, "EVS", category="EVS"), proof=seen),
        "ownership": row(operation, "ownership", Kind.WORKS,
                         probe(share, "runtime.volumes[0].source.uri", "sets:/a", "DEDICATED"),
                         refused(managed, "MANAGED", ownership="MANAGED"), proof=seen),
        "uri": row(operation, "uri", Kind.WORKS, probe(share, f"{at}.url", "sets:/a"), proof=seen,
                   note="Shown as `url`, as the contract has it."),
        "id": row(operation, "id", Kind.WORKS, probe(share, f"{source}.id", share["id"]), proof=seen),
        "mount_path": row(operation, "mount_path", Kind.WORKS, probe(share, f"{at}.mount_path", "/data/x/"),
                          proof=seen),
        "read_only": row(operation, "read_only", Kind.WORKS,
                         probe(share | {"read_only": True}, f"{source}.read_only", True, bare=read_only),
                         proof=protected),
        "dew_secret_name": row(operation, "dew_secret_name", Kind.WORKS,
                               probe(bucket, f"{source}.secret", KEYS, bare=no_fuse), proof=opened),
        "capacity": row(operation, "capacity", None, refused(
            wrong(f"{at}.capacity", 10, "nothing: it is there already"), capacity=10)),
    }  # fmt: skip
    return [
        replace(one, field=f"data_volumes[].{name}", simulated=one.kind and Kind.PRETENDED)
        for name, one in more.items()
    ]


def _network(operation: str) -> Row:
    body = {"public_network_config": {"public_network_type": "EXCLUSIVE"}}
    refusal = not_here("The field public_network_config")
    return row(operation, "public_network_config.public_network_type", None, Probe(body, refusal))


def _both(operation: str) -> list[Row]:
    def text(name: str, value: str) -> Row:
        proof = "test_name_and_description_change_while_it_runs_and_while_it_does_not"
        return row(operation, name, Kind.ECHOED, Probe({name: value}, Shown(name, value)),
                   proof=f"{_API}/test_operations.py::{proof}")  # fmt: skip

    two = "modelarts.vm.cpu.2u"
    return [
        text("name", "probed"), text("description", "made for a probe"),
        row(operation, "flavor", Kind.WORKS, Probe({"flavor": two}, Shown("flavor", two)),
            proof=f"{_UPDATES}test_an_instance_runs_with_the_flavor_it_was_switched_to"),
        row(operation, "image_id", Kind.WORKS, Probe({"image_id": IMAGE}, Shown("image.id", IMAGE)),
            proof=f"{_E2E}/test_images.py::test_a_notebook_runs_in_a_registered_environment"),
        *_endpoints(operation), *_custom_spec(operation), *_hooks(operation), *_affinity(operation),
        *_data_volumes(operation), _network(operation),
    ]  # fmt: skip


# What only a request to create has.


def _volume() -> list[Row]:
    at, disk = "volume", {"category": "EVS", "ownership": "MANAGED"}

    def probe(body: dict[str, Any], name: str, about: str = "", bare: Outcome | None = None) -> Probe:
        return Probe({at: body}, Shown(f"{at}.{name}", body[name]), about, bare=bare)

    def refused(outcome: Outcome, about: str, **fields: Any) -> Probe:
        return Probe({at: disk | fields}, outcome, about)

    managed, pretended = "nothing with MANAGED", Kind.PRETENDED
    no_fuse, read_only = (
        _not_had("volume.uri", BUCKET, _NO_FUSE),
        _not_had("volume.uri", "sets:/a", _NO_READ_ONLY),
    )
    apart = Refused(
        400, "ModelArts.6702", "volume.category EVS does not go together with volume.ownership DEDICATED."
    )
    root = "obs://team-bucket/"
    no_directory = Refused(400, "ModelArts.6358", f"The field volume.uri is {root}; allowed: {OBJECT_RULE}.")
    shared = f"{_E2E}/test_storage.py::test_a_share_can_be_the_work_volume"
    shown = f"{_STORAGE}test_a_work_volume_of_ones_own"
    work = "/home/ma-user/work/"
    return [
        row(CREATE, f"{at}.category", Kind.WORKS,
            probe({"category": "EFS", "ownership": "MANAGED"}, "category", "EVS, EFS, SFS"),
            probe(_BUCKET, "category", "OBS, OBSFS", no_fuse), proof=f"{_UPDATES}test_only_a_disk_grows",
            note="Storage of one's own is pretended under `simulated`."),
        row(CREATE, f"{at}.ownership", Kind.WORKS, probe(_SHARE, "ownership", "DEDICATED"),
            refused(apart, "EVS that is DEDICATED", ownership="DEDICATED"),
            simulated=pretended, proof=shared),
        row(CREATE, f"{at}.uri", Kind.WORKS, probe(_SHARE, "uri", "DEDICATED"),
            Probe({at: _BUCKET | {"uri": root}}, no_directory, "the root of a bucket"),
            refused(wrong(f"{at}.uri", "sets:/a", managed), "MANAGED", uri="sets:/a"),
            simulated=pretended, proof=shared),
        row(CREATE, f"{at}.id", Kind.WORKS, probe(_SHARE, "id", "DEDICATED"),
            refused(wrong(f"{at}.id", _MORE_ID, managed), "MANAGED", id=_MORE_ID),
            Probe({at: _SHARE | {"id": _MORE_ID}}, wrong(f"{at}.id", _MORE_ID, "the id of the share sets"),
                  "that of another share"), simulated=pretended, proof=shared),
        row(CREATE, f"{at}.mount_path", Kind.WORKS, probe(disk | {"mount_path": work}, "mount_path", work),
            refused(wrong(f"{at}.mount_path", "/data/x/", work), "another", mount_path="/data/x/"),
            proof=shown, note="There is one place for a work volume."),
        row(CREATE, f"{at}.read_only", Kind.WORKS,
            probe(_SHARE | {"read_only": True}, "read_only", "DEDICATED", read_only),
            refused(wrong(f"{at}.read_only", True, "false: the work volume is written to"), "MANAGED",
                    read_only=True),
            simulated=pretended, proof=f"{_E2E}/test_storage.py::test_nobody_writes_to_a_read_only_share",
            note="Mounted as the extra volume of that test is."),
        row(CREATE, f"{at}.dew_secret_name", Kind.WORKS,
            probe(_BUCKET, "dew_secret_name", "OBS, OBSFS", no_fuse),
            refused(wrong(f"{at}.dew_secret_name", KEYS, managed), "MANAGED", dew_secret_name=KEYS),
            simulated=pretended, proof=shown),
        row(CREATE, f"{at}.capacity", Kind.WORKS, probe(disk | {"capacity": 9}, "capacity", "MANAGED"),
            Probe({at: _SHARE | {"capacity": 9}}, wrong(f"{at}.capacity", 9, "nothing: it is there already"),
                  "DEDICATED"),
            proof=f"{_API}/test_quotas.py::test_a_volume_grows_within_the_quota",
            note="Counted in quotas; nobody is held to it."),
    ]  # fmt: skip


def _run_user() -> list[Row]:
    refusal = local_cannot("run_user", "its instances run as the user of the service")
    whole = {"run_user": {"uid": 1001, "gid": 1002}}
    return [
        row(CREATE, "run_user.uid", Kind.PRETENDED,
            Probe(whole, Shown("run_user.uid", 1001), local=refusal)),
        row(CREATE, "run_user.gid", Kind.PRETENDED, Probe(whole, Shown("run_user.gid", 1002), local=refusal)),
    ]  # fmt: skip


def _user_vpc() -> list[Row]:
    least = {"vpc_id": "v", "subnet_id": "s", "security_group_ids": ["g"]}
    more = {"connect_cidrs": ["10.0.0.0/8"], "nat_id": "n", "eip_id": "e"}
    refusal = not_here("The field user_vpc")
    names = {name: f"{name}[]" if isinstance(value, list) else name for name, value in (least | more).items()}
    return [
        row(CREATE, f"user_vpc.{shown}", None,
            Probe({"user_vpc": least | {name: (least | more)[name]}}, refusal))
        for name, shown in names.items()
    ]  # fmt: skip


def _clock() -> list[Row]:
    hours, ends = 7_200_000, f"{_E2E}/test_leases.py::test_a_lease_that_runs_out_stops_the_notebook_in_time"
    lasts = Shown("lease.duration", hours)
    both = {"duration": hours, "lease": {"duration": 3_600_000, "type": "IDLE"}}
    return [
        row(CREATE, "lease.duration", Kind.WORKS, Probe({"lease": {"duration": hours}}, lasts), proof=ends),
        row(CREATE, "lease.type", Kind.WORKS,
            Probe({"lease": {"type": "TIMING"}}, Shown("lease.type", "TIMING"), "TIMING"),
            Probe({"lease": {"type": "IDLE"}}, not_here("lease.type IDLE"), "IDLE"), proof=ends),
        row(CREATE, "duration", Kind.WORKS, Probe({"duration": hours}, lasts),
            Probe(both, lasts, "beside lease"), proof=ends,
            note="Makes `lease` of no effect, as the contract says."),
    ]  # fmt: skip


def _only_create() -> list[Row]:
    tags = [{"key": "team", "value": "blue"}]
    tagged = f"{_API}/test_tags.py::test_a_notebook_can_have_tags_from_the_start"
    return [
        row(CREATE, "feature", Kind.WORKS,
            Probe({"feature": "DEFAULT", "flavor": "modelarts.vm.cpu.1u"}, Shown("feature", "DEFAULT")),
            proof=f"{_UPDATES}test_a_free_instance_is_small_and_runs_for_an_hour"),
        row(CREATE, "pool_id", Kind.WORKS, Probe({"pool_id": POOL}, Shown("pool.id", POOL)),
            proof=f"{_API}/test_pools.py::test_room_is_taken_and_given_back"),
        row(CREATE, "workspace_id", Kind.WORKS,
            Probe({"workspace_id": WORKSPACE}, Shown("workspace_id", WORKSPACE)),
            proof=f"{_API}/test_workspaces.py::test_what_is_in_a_workspace_goes_with_the_grant"),
        *_volume(), *_clock(), *_run_user(), *_user_vpc(),
        *(row(CREATE, f"tags[].{name}", Kind.WORKS, Probe({"tags": tags}, Shown(f"tags[0].{name}", value)),
              proof=tagged, note="Ours.") for name, value in tags[0].items()),
    ]  # fmt: skip


# What only a request to update has.


def _only_update() -> list[Row]:
    no_disk = Refused(
        400,
        "ModelArts.6324",
        "The field dew_secret_name is not for storage of the kind EVS; allowed: OBS, OBSFS.",
    )
    keys = {"dew_secret_name": OTHER_KEYS}
    bucket = Shown("volume.dew_secret_name", OTHER_KEYS)
    # Where nothing can be mounted there is no notebook with a bucket to change.
    return [
        row(UPDATE, "storage_new_size", Kind.WORKS,
            Probe({"storage_new_size": 12}, Shown("volume.capacity", 12)),
            proof=f"{_UPDATES}test_a_volume_grows"),
        row(UPDATE, "dew_secret_name", Kind.WORKS,
            Probe(keys, bucket, "OBS, OBSFS", bare=no_disk, made={"volume": _BUCKET}),
            Probe(keys, no_disk, "EVS, EFS, SFS"),
            simulated=Kind.PRETENDED, proof=f"{_STORAGE}test_other_access_keys_for_a_stopped_instance"),
    ]  # fmt: skip


ROWS: tuple[Row, ...] = (*_both(CREATE), *_only_create(), *_both(UPDATE), *_only_update())

"""What becomes of each field of the requests about leases, mounts, tags, images, workspaces, key pairs and
tokens.

As `fields` does for notebooks. Places are those of what the call about one of the kind shows afterwards.
"""

from typing import Any

from nbfleet.services.catalogue import ARCH
from nbfleet.settings import made_share_id
from support.field_rows import (
    ALICE,
    BUCKET,
    NO_IMAGE,
    WORKSPACE,
    Kind,
    Probe,
    Refused,
    Row,
    Shown,
    not_here,
    row,
    wrong,
)  # fmt: skip
from support.hosted import PASSWORD

_API, _E2E = "integration/api", "e2e"
_IMAGES = f"{_API}/test_images.py::"
_STRANGER = "f" * 32
_WRONG_LOGIN = Refused(401, "APIGW.0301", "Incorrect user, password, account or project.")


def _lease() -> list[Row]:
    hours, more = 7_200_000, 10_800_000
    proof = f"{_E2E}/test_leases.py::test_a_renewal_replaces_what_was_left_and_a_restart_forgets_nothing"
    asked = f"{_API}/test_operations.py::test_the_published_walk_through_the_life_of_a_lease"
    return [
        row("StartNotebook", "?duration", Kind.WORKS,
            Probe({}, Shown("lease.duration", hours), query={"duration": hours}), proof=asked),
        row("StartNotebook", "?type", Kind.WORKS,
            Probe({}, Shown("lease.type", "TIMING"), "TIMING", query={"type": "TIMING"}),
            Probe({}, not_here("lease type IDLE"), "IDLE", query={"type": "IDLE"}), proof=asked),
        row("RenewLease", "?duration", Kind.WORKS,
            Probe({"duration": hours}, Shown("duration", more), query={"duration": more}), proof=asked,
            note="Wins over the body."),
        row("RenewLease", "duration", Kind.WORKS, Probe({"duration": hours}, Shown("duration", hours)),
            proof=proof),
        row("RenewLease", "type", Kind.WORKS,
            Probe({"type": "TIMING"}, Shown("type", "TIMING"), "TIMING"),
            Probe({"type": "IDLE"}, not_here("lease type IDLE"), "IDLE"), proof=proof),
    ]  # fmt: skip


def _mounts() -> list[Row]:
    share_id, other = made_share_id("sets"), made_share_id("more")
    bucket = {"category": "OBS", "mount_path": "/data/b/", "uri": BUCKET}
    share = {"category": "EFS", "mount_path": "/data/s/", "uri": "sets:/a", "efs_id": share_id}
    reason = "this machine has no way to mount object storage; `nbfleet doctor` says what is missing"
    no_fuse = Refused(400, "ModelArts.6324", f"The field uri is {BUCKET}, which cannot be had: {reason}.")
    seen = f"{_E2E}/test_storage.py::test_a_share_is_mounted_while_a_notebook_runs"
    opened = f"{_E2E}/test_storage.py::test_a_bucket_is_mounted_while_a_notebook_runs"
    name, works, handed = "AttachDynamicStorage", Kind.WORKS, Kind.PRETENDED
    nothing = "nothing: for EFS only"
    return [
        row(name, "category", works, Probe(share, Shown("category", "EFS"), "EFS"),
            Probe(bucket, Shown("category", "OBSFS"), "OBS, OBSFS", bare=no_fuse), proof=opened,
            simulated=handed, note="OBS is shown as OBSFS, as the contract has it."),
        row(name, "mount_path", works, Probe(share, Shown("mount_path", "/data/s/")), proof=seen,
            simulated=handed),
        row(name, "uri", works, Probe(share, Shown("uri", "sets:/a")), proof=seen, simulated=handed),
        row(name, "efs_id", works, Probe(share, Shown("efs_id", share_id), "EFS"),
            Probe(share | {"efs_id": other}, wrong("efs_id", other, "the id of the share sets"),
                  "that of another share"),
            Probe(bucket | {"efs_id": other}, wrong("efs_id", other, nothing), "OBS, OBSFS"), proof=seen,
            simulated=handed),
    ]  # fmt: skip


def _tags() -> list[Row]:
    """The notebook has the tags gone and kept where some are to be removed."""
    tag, gone = {"key": "team", "value": "blue"}, Shown("tags", [{"key": "kept", "value": "1"}])
    set_, removed = f"{_API}/test_tags.py::test_any_steps_end_where_a_dictionary_ends", "DeleteNotebookTags"
    named = f"{_API}/test_tags.py::test_a_workspace_that_is_named_must_be_its_own"
    place = {"workspace_id": WORKSPACE}
    return [
        row("CreateNotebookTags", "?workspace_id", Kind.WORKS,
            Probe({"tags": [tag]}, Shown("tags", [tag]), query=place, made=place), proof=named),
        row(removed, "?workspace_id", Kind.WORKS,
            Probe({"tags": [{"key": "gone"}]}, gone, query=place, made=place), proof=named),
        *(row("CreateNotebookTags", f"tags[].{name}", Kind.WORKS,
              Probe({"tags": [tag]}, Shown(f"tags[0].{name}", value)), proof=set_)
          for name, value in tag.items()),
        row(removed, "tags[].key", Kind.WORKS, Probe({"tags": [{"key": "gone"}]}, gone), proof=set_),
        row(removed, "tags[].value", Kind.NOTHING,
            Probe({"tags": [{"key": "gone", "value": "other"}]}, gone),
            note="Only the key decides, as the contract says."),
    ]  # fmt: skip


def _saved_images() -> list[Row]:
    later = not_here("The operation CreateImage")
    names = (
        "description", "name", "namespace", "tag", "workspace_id", "swr_instance_id", "swr_instance_domain"
    )  # fmt: skip
    return [
        row("CreateImage", name, None, Probe({name: "probed"}, later),
            note="The whole request is not available yet.")
        for name in names
    ]  # fmt: skip


_BOTH = {"resource_categories": ["CPU", "GPU"], "dev_services": ["NOTEBOOK", "SSH"]}


def _of_manifest(name: str, shown_as: str, chosen: str, beyond: str, had: str, proof: str) -> Row:
    """A list that may be narrower than what the manifest has."""
    narrower = Probe({name: [chosen]}, Shown(shown_as, [chosen]), "some of the manifest", made=_BOTH)
    wider = Probe({name: [beyond]}, Shown(shown_as, [beyond]), "others",
                  wrong(name, beyond, f"{had}, as its manifest says"))  # fmt: skip
    note = f"Shown as `{shown_as}`, as the contract has it."
    return row("RegisterImage", f"{name}[]", Kind.WORKS, narrower, wider, proof=proof, note=note)


def _registered_images() -> list[Row]:
    operation, other = "RegisterImage", "aarch64" if ARCH == "x86_64" else "x86_64"
    taken, ascend = Kind.ECHOED, {"resource_category": ["ASCEND"]}
    chip, here = {"flavor_type": "ASCEND_SNT9"}, "localhost/team-a/probed:1"
    gone = f"there is no {NO_IMAGE.partition('/')[2].replace(':', '/')}/image.toml below any image directory"
    missing = f"The field swr_path is {NO_IMAGE}, which does not exist: {gone}."
    lists = f"{_IMAGES}test_filters_and_sorting"
    inherited = f"{_IMAGES}test_an_image_takes_after_those_of_its_group_that_its_owner_sees"

    def one(name: str, kind: Kind | None, *probes: Probe, proof: str = "", note: str = "",
            simulated: Kind | None = None) -> Row:  # fmt: skip
        return row(operation, name, kind, *probes, proof=proof, note=note, simulated=simulated)

    def shown(name: str, value: Any, about: str = "") -> Probe:
        return Probe({name: value}, Shown(name, value), about)

    return [
        one("swr_path", Kind.WORKS, Probe({"swr_path": here}, Shown("swr_path", here), "of this machine"),
            Probe({"swr_path": NO_IMAGE}, Shown("swr_path", NO_IMAGE), "what is not there",
                  Refused(400, "ModelArts.6797", missing)),
            proof=f"{_E2E}/test_images.py::test_a_notebook_runs_in_a_registered_environment",
            simulated=Kind.PRETENDED),
        one("arch", Kind.ECHOED, shown("arch", ARCH, "that of the manifest"),
            Probe({"arch": other}, Shown("arch", other), "another", wrong("arch", other, ARCH)),
            proof=f"{_IMAGES}test_without_a_machine_every_reference_is_an_image", simulated=Kind.WORKS),
        one("description", taken, shown("description", "made for a probe")),
        one("origin", taken, shown("origin", "IMAGE_SAVE")),
        _of_manifest("resource_category", "resource_categories", "GPU", "ASCEND", "CPU",
                     f"{_API}/test_image_families.py::test_a_registration_may_narrow_the_manifest"),
        one("service_type", Kind.WORKS, shown("service_type", "TRAIN"), proof=lists),
        _of_manifest("services", "dev_services", "SSH", "SSH", "NOTEBOOK",
                     f"{_IMAGES}test_an_image_for_ssh_only_needs_ssh"),
        one("visibility", Kind.WORKS, shown("visibility", "PUBLIC", "PUBLIC, PRIVATE"),
            Probe({"visibility": "HIDDEN"}, wrong("visibility", "HIDDEN", "PRIVATE, PUBLIC"), "HIDDEN"),
            proof=f"{_IMAGES}test_who_sees_and_who_changes_what"),
        one("workspace_id", Kind.WORKS, shown("workspace_id", WORKSPACE),
            proof=f"{_API}/test_workspaces.py::test_an_image_is_registered_in_an_open_workspace_only"),
        one("flavor_type", taken,
            Probe(chip | ascend, Shown(*next(iter(chip.items()))), "for ASCEND",
                  made={"resource_categories": ["ASCEND"]}),
            Probe(chip, wrong("flavor_type", "ASCEND_SNT9", "nothing without ASCEND in resource_category"),
                  "for others")),
        one("tags[]", Kind.WORKS, Probe({"tags": ["probed"]}, Shown("tags", [{"key": "probed"}])),
            proof=inherited),
        one("swr_instance_id", None,
            Probe({"swr_instance_id": "x"}, not_here("The field swr_instance_id"))),
        one("read_me", Kind.WORKS, Probe({"read_me": "Guide."}, Shown("group.read_me", "Guide.")),
            proof=inherited),
    ]  # fmt: skip


def _image_groups() -> list[Row]:
    operation, whole = "UpdateImageGroup", f"{_IMAGES}test_a_group_is_changed_as_a_whole"
    tag = {"key": "team", "value": "blue"}
    return [
        row(operation, "read_me", Kind.WORKS, Probe({"read_me": "Guide."}, Shown("read_me", "Guide.")),
            proof=whole),
        *(row(operation, f"tags[].{name}", Kind.WORKS,
              Probe({"tags": [tag]}, Shown(f"image.tags[0].{name}", value)), proof=whole)
          for name, value in tag.items()),
    ]  # fmt: skip


def _deleted_images() -> list[Row]:
    """Where nothing really runs there is no content of images, and what lies in its place stays."""
    public = wrong("is_force", True, "false for an image that is PUBLIC")
    forced = f"{_IMAGES}test_force_removes_the_content"
    group = f"{_IMAGES}test_a_group_is_deleted_as_a_whole_or_not"

    def one(operation: str, name: str, proof: str) -> Row:
        def probe(outcome: Refused | None, about: str, **made: Any) -> Probe:
            body, query = ({}, {"force": "true"}) if name == "?force" else ({"is_force": True}, {})
            stays, goes = Shown("content", ["1"]), Shown("content", [])
            return Probe(body, outcome or stays, about, outcome or goes, made=made, query=query)

        return row(operation, name, Kind.WORKS, probe(None, "PRIVATE"),
                   probe(public, "PUBLIC", visibility="PUBLIC"), proof=proof,
                   simulated=Kind.PRETENDED)  # fmt: skip

    return [
        one("DeleteImage", "?force", forced), one("DeleteImage", "is_force", forced),
        one("DeleteImageGroup", "is_force", group),
    ]  # fmt: skip


def _workspaces(operation: str) -> list[Row]:
    def named(**grant: Any) -> dict[str, Any]:
        return {"auth_type": "INTERNAL", "grants": [grant]}

    alice, proof = Shown("grants[0].user_id", ALICE), f"{_API}/test_workspaces.py::"
    open_to = f"{proof}test_only_those_whom_it_is_open_to_may_use_it"
    other = named(user_id=ALICE, user_type="AGENCY")
    rows = [
        row(operation, "grants[].user_id", Kind.WORKS, Probe(named(user_id=ALICE), alice, "a user"),
            Probe(named(user_id=_STRANGER), wrong("grants[0].user_id", _STRANGER, "a user of the project"),
                  "another"), proof=open_to),
        row(operation, "grants[].user_name", Kind.WORKS, Probe(named(user_name="alice"), alice, "a user"),
            Probe(named(user_name="nobody"), wrong("grants[0].user_name", "nobody", "a user of the project"),
                  "another"), proof=open_to, note="Beside `user_id`, which wins, of no effect."),
        row(operation, "grants[].user_type", Kind.WORKS,
            Probe(named(user_id=ALICE, user_type="IAM"), alice, "IAM"),
            Probe(other, wrong("grants[0].user_type", "AGENCY", "IAM"), "FEDERATE, AGENCY"), proof=open_to),
        row(operation, "auth_type", Kind.WORKS,
            Probe({"auth_type": "PRIVATE"}, Shown("auth_type", "PRIVATE")), proof=open_to),
        *(row(operation, name, Kind.ECHOED, Probe({name: f"probed-{operation}"},
                                                 Shown(name, f"probed-{operation}")))
          for name in ("name", "description")),
    ]  # fmt: skip
    if operation == "CreateWorkspace":
        project = "enterprise_project_id"
        rows.append(
            row(operation, project, Kind.ECHOED, Probe({project: "0"}, Shown(project, "0"), "0"),
                Probe({project: "1"}, wrong(project, "1", "0"), "another"))
        )  # fmt: skip
    return rows


def _quotas() -> list[Row]:
    body = {"quotas": [{"resource": "notebook.count", "quota": 7}]}
    proof = f"{_API}/test_quotas.py::test_each_resource_of_each_holder_is_refused_by_name"
    return [
        row("UpdateWorkspaceQuotas", f"quotas[].{name}", Kind.WORKS,
            Probe(body, Shown(f"quotas[0].{name}", value)), proof=proof)
        for name, value in body["quotas"][0].items()
    ]  # fmt: skip


def _checks() -> list[Row]:
    operation = "ValidateAuthorization"
    asked = {"action_id": "1", "action": "modelarts:notebook:create", "resource": "r"}
    proof = f"{_API}/test_workspaces.py::test_permissions_are_checked"
    conditions = {"action": "modelarts:notebook:create", "service_attributes": {"a": "b"}}
    return [
        *(row(operation, f"requests[].{name}", Kind.WORKS if name == "action" else Kind.ECHOED,
              Probe({"requests": [asked]}, Shown(f"results[0].{name}", value)), proof=proof)
          for name, value in asked.items()),
        row(operation, "requests[].service_attributes", Kind.NOTHING,
            Probe({"requests": [conditions]}, Shown("results[0].verdict", "allow")),
            note="Roles here have no conditions on attributes, so none changes a verdict."),
    ]  # fmt: skip


_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH6b0Dsfd6R33++u5KEZju3BAu5F+ZQCKnVgeVuypKUs"


def _keypairs() -> list[Row]:
    operation, pair = "CreateKeypair", f"{_API}/test_keypairs.py::"

    def one(name: str, kind: Kind | None, *probes: Probe, proof: str = "") -> Row:
        return row(operation, f"keypair.{name}", kind, *probes, proof=proof)

    def asked(**fields: Any) -> dict[str, Any]:
        return {"keypair": fields}

    def shown(name: str, value: str, about: str = "") -> Probe:
        return Probe(asked(**{name: value}), Shown(name, value), about)

    def refused(name: str, value: str, allowed: str, about: str) -> Probe:
        return Probe(asked(**{name: value}), wrong(f"keypair.{name}", value, allowed), about)

    imported = f"{pair}test_a_public_key_is_imported"
    text = {"keypair": {"description": "of the laptop"}}
    return [
        one("name", Kind.ECHOED, shown("name", "probed")),
        one("type", Kind.ECHOED, shown("type", "ssh", "ssh"), refused("type", "x509", "ssh", "x509")),
        one("public_key", Kind.WORKS, shown("public_key", _KEY), proof=imported),
        one("scope", Kind.ECHOED, shown("scope", "user", "user"),
            refused("scope", "domain", "user", "domain")),
        one("user_id", Kind.ECHOED, shown("user_id", ALICE, "the caller"),
            refused("user_id", _STRANGER, "the caller's own id", "another")),
        one("key_protection", None,
            Probe(asked(key_protection={}), not_here("The field keypair.key_protection"))),
        row("UpdateKeypairDescription", "keypair.description", Kind.ECHOED,
            Probe(text, Shown("description", "of the laptop"))),
    ]  # fmt: skip


def _tokens() -> list[Row]:
    operation = "KeystoneCreateUserTokenByPassword"

    def body(scope: Any = None, methods: Any = ("password",), **user: Any) -> dict[str, Any]:
        whole = {"name": "alice", "password": PASSWORD} | user
        proof = {"methods": list(methods), "password": {"user": whole}}
        return {
            "auth": {"identity": proof, "scope": {"project": {"name": "local"}} if scope is None else scope}
        }

    def one(name: str, kind: Kind, place: str, value: Any, good: Any, bad: Any, note: str = "") -> Row:
        proof = f"{_API}/test_api_identity.py::test_a_token_is_issued" if kind is Kind.WORKS else ""
        probes = (Probe(good, Shown(place, value), "right"), Probe(bad, _WRONG_LOGIN, "wrong"))
        return row(operation, f"auth.{name}", kind, *probes, proof=proof, note=note)

    user, project, local = "identity.password.user", "scope.project", "token.project.name"
    account, other = {"name": "nbfleet"}, {"name": "other"}
    ids, strange = {"id": "{account}"}, {"id": _STRANGER}
    two = wrong("auth.identity.methods", "['password', 'totp']", "password")
    rows = [
        row(operation, "auth.identity.methods[]", Kind.WORKS,
            Probe(body(), Shown("token.methods", ["password"]), "password"),
            Probe(body(methods=("password", "totp")), two, "another"),
            proof=f"{_API}/test_api_identity.py::test_a_token_is_issued"),
        one(f"{user}.id", Kind.WORKS, "token.user.id", ALICE, body(id=ALICE), body(id=_STRANGER)),
        one(f"{user}.name", Kind.WORKS, "token.user.name", "alice", body(), body(name="nobody")),
        one(f"{user}.password", Kind.WORKS, local, "local", body(), body(password="x")),
        one(f"{project}.id", Kind.WORKS, local, "local", body({"project": {"id": "{project}"}}),
            body({"project": {"id": _STRANGER}})),
        one(f"{project}.name", Kind.WORKS, local, "local", body(), body({"project": {"name": "none"}})),
    ]  # fmt: skip
    for name, right, false in (("name", account, other), ("id", ids, strange)):
        inner = {"name": "local"}
        rows += [
            one(f"{user}.domain.{name}", Kind.WORKS, local, "local", body(domain=right), body(domain=false)),
            one(f"{project}.domain.{name}", Kind.WORKS, local, "local",
                body({"project": inner | {"domain": right}}), body({"project": inner | {"domain": false}})),
            one(f"scope.domain.{name}", Kind.WORKS, "token.roles", [], body({"domain": right}),
                body({"domain": false}), "The token is for no project."),
        ]  # fmt: skip
    return rows


ROWS: tuple[Row, ...] = (
    *_lease(), *_mounts(), *_tags(), *_registered_images(), *_image_groups(), *_deleted_images(),
    *_saved_images(), *_workspaces("CreateWorkspace"), *_workspaces("UpdateWorkspace"),
    *_quotas(), *_checks(), *_keypairs(), *_tokens(),
)  # fmt: skip

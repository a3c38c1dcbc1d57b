"""Storage over HTTP: what is mounted while an instance runs, work and extra volumes, and what is refused."""

from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import (
    AttachDynamicStorageRequest,
    DataVolumesReq,
    DetachDynamicStorageRequest,
    ListDynamicStoragesRequest,
    ModelArtsClient,
    ShowDynamicStorageRequest,
)

from support.client import Answer, Caller
from support.hosted import NO_MOUNT, NO_UNMOUNT
from support.service import wait_for

URI = "obs://team-bucket/dir1/"
EFS = "91dd2d3f-2d92-475f-a375-04636af26cc9"
WORK = "/home/ma-user/work/"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SHARE_RULE = "SHARE:/PATH, without . and .. in the path"
BAD_URIS = ("obs://bucket/", "obs://bucket/a", "obs://bucket/../a/", "s3://bucket/a/", "bucket", "")
OBJECT_RULE = "obs://BUCKET/PATH/, a directory and not the root of a bucket"
PLACE_RULE = "/data/NAME/, or a directory below it"


def refused(answer: Answer, code: str, message: str, status: int = 400) -> None:
    assert (answer.status, answer.json) == (status, {"error_code": code, "error_msg": message})


def bucket(path: str = "/data/dir1/", **fields: Any) -> dict[str, Any]:
    return {"category": "OBS", "mount_path": path, "uri": URI} | fields


def attached(caller: Caller, notebook: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = caller.post(f"/{notebook['id']}/storage", bucket(**fields))
    assert answer.status == 200, answer.raw
    return answer.json


def until(caller: Caller, notebook: dict[str, Any], mount: dict[str, Any], status: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        shown = caller.get(f"/{notebook['id']}/storage/{mount['id']}").json
        return shown if shown["status"] == status else None

    return wait_for(f"the mount to be {status}", look, 10, 0.01)


def trail(fleet, notebook: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Event and reason of what was written down about it, first to last, without steps of starts."""
    rows = sorted(fleet.hosted.dump()["audit"])
    return [(row[5], row[8]) for row in rows if row[3] == notebook["id"] and row[5] != "step"]


# Dynamic mounts.


def test_the_life_of_a_mount(fleet) -> None:
    one = fleet.alice.running()
    at = f"/{one['id']}/storage"
    begun = attached(fleet.alice, one)
    told = {
        "id": begun["id"], "category": "OBSFS", "mount_path": "/data/dir1/", "uri": URI,
        "mount_type": "DYNAMIC",
    }  # fmt: skip
    assert begun == told | {"status": "MOUNTING"}
    mounted = until(fleet.alice, one, begun, "MOUNTED")
    assert mounted == told | {"status": "MOUNTED"}
    listed = fleet.alice.get(at).json
    assert listed == {"current": 1, "pages": 1, "size": 1, "total": 1, "data": [mounted]}
    assert fleet.alice.get(f"{at}/{begun['id'].upper()}").json == mounted
    assert fleet.alice.delete(f"{at}/{begun['id']}").json == told | {"status": "UNMOUNTING"}
    gone = until(fleet.alice, one, begun, "UNMOUNTED")
    assert gone == told | {"status": "UNMOUNTED"}
    assert fleet.alice.delete(f"{at}/{begun['id']}").json == gone
    assert fleet.alice.get(at).json == {"current": 1, "pages": 1, "size": 0, "total": 0, "data": []}
    assert trail(fleet, one) == [
        ("create", None), ("ready", None), ("mount", "/data/dir1/"), ("mounted", "/data/dir1/"),
        ("unmount", "/data/dir1/"), ("unmounted", "/data/dir1/"),
    ]  # fmt: skip


def test_what_cannot_be_mounted_says_why_and_can_be_taken_away(fleet) -> None:
    one = fleet.alice.running(flavor=NO_MOUNT)
    mount = attached(fleet.alice, one)
    failed = until(fleet.alice, one, mount, "MOUNT_FAILED")
    assert failed == mount | {"status": "MOUNT_FAILED", "failure_reason": "no such bucket"}
    fleet.alice.delete(f"/{one['id']}/storage/{mount['id']}")
    until(fleet.alice, one, mount, "UNMOUNTED")


def test_what_cannot_be_unmounted_says_why(fleet) -> None:
    one = fleet.alice.running(flavor=NO_UNMOUNT)
    mount = attached(fleet.alice, one)
    until(fleet.alice, one, mount, "MOUNTED")
    fleet.alice.delete(f"/{one['id']}/storage/{mount['id']}")
    failed = until(fleet.alice, one, mount, "UNMOUNT_FAILED")
    assert failed["failure_reason"] == "busy"
    assert fleet.alice.get(f"/{one['id']}/storage").json["data"] == [failed]


def test_mounts_survive_a_stop_and_are_not_listed_meanwhile(fleet) -> None:
    one = fleet.alice.running()
    at = f"/{one['id']}"
    mount = attached(fleet.alice, one)
    until(fleet.alice, one, mount, "MOUNTED")
    fleet.alice.post(f"{at}/stop")
    fleet.alice.until(one["id"], "STOPPED")
    message = f"The instance {one['id']} is STOPPED; it must be RUNNING."
    place = f"{at}/storage/{mount['id']}"
    for answer in (
        fleet.alice.get(f"{at}/storage"), fleet.alice.get(place), fleet.alice.delete(place),
        fleet.alice.post(f"{at}/storage", bucket("/data/dir2/")),
    ):  # fmt: skip
        refused(answer, "ModelArts.6327", message)
    fleet.alice.post(f"{at}/start")
    fleet.alice.until(one["id"], "RUNNING")
    until(fleet.alice, one, mount, "MOUNTED")


def test_no_more_than_ten_and_none_inside_another(fleet) -> None:
    one = fleet.alice.running()
    at = f"/{one['id']}/storage"
    first = attached(fleet.alice, one, path="/data/a/b/")
    for path, other in (
        ("/data/a/b", "/data/a/b/"),
        ("/data/a/", "/data/a/b/"),
        ("/data/a/b/c/", "/data/a/b/"),
    ):
        refused(
            fleet.alice.post(at, bucket(path)),
            "ModelArts.6927",
            f"The mount path mount_path is {path}; allowed: one apart from {other}, where "
            "something is already.",
        )
    made = [attached(fleet.alice, one, path=f"/data/{number}/") for number in range(9)]
    message = "The instance has 10 mounts, as many as it may."
    refused(fleet.alice.post(at, bucket("/data/x/")), "ModelArts.0118", message)
    for mount in (first, *made):
        until(fleet.alice, one, mount, "MOUNTED")
    fleet.alice.delete(f"{at}/{first['id']}")
    until(fleet.alice, one, first, "UNMOUNTED")
    again = attached(fleet.alice, one, path="/data/a/b/")
    assert [one["id"] for one in fleet.alice.get(at).json["data"]] == [one["id"] for one in (*made, again)]


def test_a_share_is_mounted_in_a_dedicated_pool_only(fleet) -> None:
    one = fleet.alice.running()
    share = {"category": "EFS", "mount_path": "/data/s/", "uri": "host.example:/a"}
    refused(
        fleet.alice.post(f"/{one['id']}/storage", share | {"efs_id": EFS}),
        "ModelArts.6324",
        "The field category is EFS, which cannot be had: EFS is mounted into running instances of a "
        "dedicated "
        "pool only.",
    )


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        *(
            ({"mount_path": path}, "ModelArts.6927", f"The mount path mount_path is {path}; allowed: "
             f"{PLACE_RULE}.")
            for path in ("/data/", "/data//", "/data//x/")
        ),
        (
            {"mount_path": "/data/../etc/"},
            "ModelArts.6336",
            r"The field mount_path is /data/../etc/; allowed: text of 0 to 256 characters "
            r"matching ^/data/[A-Za-z0-9_\-/]*$.",
        ),
        *(
            ({"uri": uri}, "ModelArts.6358", f"The field uri is {uri}; allowed: {OBJECT_RULE}.")
            for uri in BAD_URIS
        ),
        ({"uri": ...}, "ModelArts.6335", "The field uri is missing."),
        ({"category": ...}, "ModelArts.6335", "The field category is missing."),
        ({"category": "EVS"}, "ModelArts.6336", "The field category is EVS; allowed: OBS, OBSFS, EFS."),
        ({"efs_id": EFS}, "ModelArts.6336", f"The field efs_id is {EFS}; allowed: nothing: for EFS only."),
        ({"category": "EFS", "uri": "h:/a"}, "ModelArts.6335", "The field efs_id is missing."),
        (
            {"category": "EFS", "uri": "h:/../a", "efs_id": EFS},
            "ModelArts.6336",
            f"The field uri is h:/../a; allowed: {SHARE_RULE}.",
        ),
    ],
)  # fmt: skip
def test_a_bad_mount_is_refused_by_name(fleet, fields: dict[str, Any], code: str, message: str) -> None:
    one = fleet.alice.running()
    body = {key: value for key, value in (bucket() | fields).items() if value is not ...}
    refused(fleet.alice.post(f"/{one['id']}/storage", body), code, message)
    assert fleet.alice.get(f"/{one['id']}/storage").json["total"] == 0


def test_mounts_of_somebody_else(fleet) -> None:
    one, other = fleet.alice.running(), fleet.alice.running()
    mount = attached(fleet.alice, one)
    until(fleet.alice, one, mount, "MOUNTED")
    at = f"/{one['id']}/storage"
    gone = f"The instance {one['id']} does not exist."
    for answer in (
        fleet.bob.get(at), fleet.bob.post(at, bucket("/data/x/")), fleet.bob.get(f"{at}/{mount['id']}"),
        fleet.bob.delete(f"{at}/{mount['id']}"),
    ):  # fmt: skip
        refused(answer, "ModelArts.6404", gone, 404)
    assert fleet.admin.get(at).json["data"][0]["id"] == mount["id"]
    for mount_id, notebook_id in ((mount["id"], other["id"]), (UNKNOWN, one["id"])):
        for answer in (
            fleet.alice.get(f"/{notebook_id}/storage/{mount_id}"),
            fleet.alice.delete(f"/{notebook_id}/storage/{mount_id}"),
        ):
            refused(answer, "ModelArts.6404", f"The mount {mount_id} does not exist.", 404)


def test_the_official_sdk_mounts_and_unmounts(fleet) -> None:
    one = fleet.alice.running()
    # The service's clock stands still; the SDK signs with the time of day, so it shows a token instead.
    credentials = BasicCredentials("AK", "SK", fleet.alice.project_id)
    client = (
        ModelArtsClient.new_builder()
        .with_credentials(credentials)
        .with_endpoint(f"http://127.0.0.1:{fleet.hosted.port}")
        .build()
    )
    token = fleet.alice.log_in("correct horse").headers["x-subject-token"]

    def call(invoker: Any) -> Any:
        return invoker.add_header("X-Auth-Token", token).invoke()

    body = DataVolumesReq(category="OBS", mount_path="/data/dir1/", uri=URI)
    begun = call(
        client.attach_dynamic_storage_invoker(AttachDynamicStorageRequest(instance_id=one["id"], body=body))
    )
    assert (begun.category, begun.status, begun.uri, begun.mount_type) == (
        "OBSFS",
        "MOUNTING",
        URI,
        "DYNAMIC",
    )
    place = {"instance_id": one["id"], "storage_id": begun.id}

    def mounted() -> bool:
        shown = call(client.show_dynamic_storage_invoker(ShowDynamicStorageRequest(**place)))
        return shown.status == "MOUNTED"

    wait_for("the mount", mounted, 10)
    found = call(client.list_dynamic_storages_invoker(ListDynamicStoragesRequest(instance_id=one["id"])))
    assert [(entry.id, entry.mount_path, entry.status) for entry in found.data] == [
        (begun.id, "/data/dir1/", "MOUNTED")
    ]
    leaving = call(client.detach_dynamic_storage_invoker(DetachDynamicStorageRequest(**place)))
    assert leaving.status == "UNMOUNTING"
    place["storage_id"] = UNKNOWN
    with pytest.raises(exceptions.ClientRequestException) as refusal:
        call(client.show_dynamic_storage_invoker(ShowDynamicStorageRequest(**place)))
    assert (refusal.value.status_code, refusal.value.error_code) == (404, "ModelArts.6404")


# Work and extra volumes.


def work(**fields: Any) -> dict[str, Any]:
    return {"volume": {"category": "EFS", "ownership": "DEDICATED", "uri": "host:/a", "id": EFS} | fields}


def extra(**fields: Any) -> dict[str, Any]:
    made = {
        "category": "EFS",
        "ownership": "DEDICATED",
        "uri": "host:/a",
        "id": EFS,
        "mount_path": "/data/x/",
    }
    return {key: value for key, value in (made | fields).items() if value is not ...}


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (
            {"category": "efs", "ownership": "dedicated", "uri": "host:/a", "id": EFS, "read_only": True},
            {"category": "EFS", "capacity": 50, "uri": "host:/a", "id": EFS, "read_only": True},
        ),
        (
            {"category": "OBS", "ownership": "DEDICATED", "uri": URI, "dew_secret_name": "mine"},
            {"category": "OBS", "capacity": 0, "uri": URI, "dew_secret_name": "mine"},
        ),
        (
            {"category": "OBSFS", "ownership": "DEDICATED", "uri": URI},
            {"category": "OBSFS", "capacity": 0, "uri": URI},
        ),
    ],
)
def test_a_work_volume_of_ones_own(fleet, fields: dict[str, Any], shown: dict[str, Any]) -> None:
    whole = {"ownership": "DEDICATED", "mount_path": WORK, "read_only": False, "mount_type": "MAIN"} | shown
    one = fleet.alice.running(volume=fields)
    assert one["volume"] == whole
    listed = fleet.alice.get("", {"id": one["id"]}).json["data"]
    assert [entry["volume"] for entry in listed] == [whole]
    refused(
        fleet.alice.put(f"/{one['id']}", {"storage_new_size": 60}),
        "ModelArts.6324",
        f"The field storage_new_size is not for storage of the kind {shown['category']}; allowed: EVS.",
    )


def test_the_older_name_of_a_share_stays(fleet) -> None:
    made = fleet.alice.create(volume={"category": "sfs", "ownership": "MANAGED"})["volume"]
    assert (made["category"], made["capacity"]) == ("SFS", 50)


def test_extra_volumes_are_shown_and_replaced(fleet) -> None:
    objects = {"category": "OBSFS", "ownership": "DEDICATED", "uri": URI, "mount_path": "/data/o/"}
    one = fleet.alice.stopped(data_volumes=[extra(), objects])
    share = {"category": "EFS", "mount_path": "/data/x/", "url": "host:/a", "mount_type": "STATIC"}
    stored = {"category": "OBSFS", "mount_path": "/data/o/", "url": URI, "mount_type": "STATIC"}
    assert one["data_volumes"] == [share, stored]
    at = f"/{one['id']}"
    assert fleet.alice.put(at, {"data_volumes": [objects]}).json["data_volumes"] == [stored]
    fleet.alice.post(f"{at}/start")
    fleet.alice.until(one["id"], "RUNNING")
    world = fleet.hosted.runtime.world.attached[one["id"]]
    assert [attachment.mount_path for attachment in world.values()] == ["/data/o/"]
    refused(
        fleet.alice.put(at, {"data_volumes": []}),
        "ModelArts.6347",
        "The field data_volumes cannot be changed while the instance is RUNNING; it must be STOPPED.",
    )
    refused(
        fleet.alice.post(f"{at}/storage", bucket("/data/o/p/")),
        "ModelArts.6927",
        "The mount path mount_path is /data/o/p/; allowed: one apart from /data/o/, where "
        "something is already.",
    )
    fleet.alice.post(f"{at}/stop")
    fleet.alice.until(one["id"], "STOPPED")
    assert "data_volumes" not in fleet.alice.put(at, {"data_volumes": []}).json


def test_other_access_keys_for_a_stopped_instance(fleet) -> None:
    one = fleet.alice.stopped(
        volume={"category": "OBS", "ownership": "DEDICATED", "uri": URI, "dew_secret_name": "mine"}
    )
    changed = fleet.alice.put(f"/{one['id']}", {"dew_secret_name": "ours"}).json
    assert changed["volume"] == one["volume"] | {"dew_secret_name": "ours"}
    disk = fleet.alice.stopped()
    refused(
        fleet.alice.put(f"/{disk['id']}", {"dew_secret_name": "ours"}),
        "ModelArts.6324",
        "The field dew_secret_name is not for storage of the kind EVS; allowed: OBS, OBSFS.",
    )


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        (
            work(category="EVS"),
            "ModelArts.6702",
            "volume.category EVS does not go together with volume.ownership DEDICATED.",
        ),
        *(
            (
                {"volume": {"category": category, "ownership": "MANAGED"}},
                "ModelArts.6702",
                f"volume.category {category} does not go together with volume.ownership MANAGED.",
            )
            for category in ("OBS", "OBSFS")
        ),
        (
            {"volume": {"category": "EFS", "ownership": "DEDICATED", "id": EFS}},
            "ModelArts.6335",
            "The field volume.uri is missing.",
        ),
        (
            {"volume": {"category": "EFS", "ownership": "DEDICATED", "uri": "h:/"}},
            "ModelArts.6335",
            "The field volume.id is missing.",
        ),
        (
            work(uri="h:/../x"),
            "ModelArts.6336",
            f"The field volume.uri is h:/../x; allowed: {SHARE_RULE}.",
        ),
        (
            work(dew_secret_name="s"),
            "ModelArts.6336",
            "The field volume.dew_secret_name is s; allowed: nothing: for object storage only.",
        ),
        (
            {"volume": {"category": "OBS", "ownership": "DEDICATED", "uri": URI}},
            "ModelArts.6782",
            "The field volume.dew_secret_name is missing: object storage is opened with access keys that are "
            "stored under a name.",
        ),
        (
            {"volume": {"category": "OBSFS", "ownership": "DEDICATED", "uri": "obs://bucket/"}},
            "ModelArts.6358",
            f"The field volume.uri is obs://bucket/; allowed: {OBJECT_RULE}.",
        ),
        (
            {"volume": {"category": "OBSFS", "ownership": "DEDICATED", "uri": URI, "id": EFS}},
            "ModelArts.6336",
            f"The field volume.id is {EFS}; allowed: nothing: for EFS only.",
        ),
        (
            {"data_volumes": [extra(mount_path=...)]},
            "ModelArts.6927",
            "The mount path data_volumes[0].mount_path is missing.",
        ),
        *(
            (
                {"data_volumes": [extra(), extra(mount_path=path)]},
                "ModelArts.6927",
                f"The mount path data_volumes[1].mount_path is {path}; allowed: {PLACE_RULE}.",
            )
            for path in ("/cache/", "/data/", "/data/../x/", "data/x", "/home/ma-user/work/x/")
        ),
        (
            {"data_volumes": [extra(), extra(mount_path="/data/x/y/")]},
            "ModelArts.6927",
            "The mount path data_volumes[1].mount_path is /data/x/y/; allowed: one apart from /data/x/, "
            "where something is already.",
        ),
        (
            {"data_volumes": [extra(ownership="MANAGED")]},
            "ModelArts.6702",
            "data_volumes[0].category EFS does not go together with data_volumes[0].ownership MANAGED.",
        ),
        (
            {"data_volumes": [extra(category="EVS")]},
            "ModelArts.6324",
            "The field data_volumes[0].category is not for storage of the kind EVS; allowed: EFS, "
            "OBS, OBSFS.",
        ),
        (
            {"data_volumes": [extra(capacity=10)]},
            "ModelArts.6336",
            "The field data_volumes[0].capacity is 10; allowed: nothing: it is there already.",
        ),
        (
            {"data_volumes": [extra(mount_path=f"/data/{number}/") for number in range(11)]},
            "ModelArts.6336",
            "The field data_volumes is 11 volumes; allowed: at most 10.",
        ),
    ],
)
def test_bad_volumes_are_refused_by_name(fleet, fields: dict[str, Any], code: str, message: str) -> None:
    before = fleet.alice.get().json["total"]
    refused(fleet.alice.post("", fleet.alice.body(**fields)), code, message)
    assert fleet.alice.get().json["total"] == before

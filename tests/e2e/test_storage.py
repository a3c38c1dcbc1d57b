"""Storage of one's own in a real instance: shares and buckets, seen by a kernel and by the contents API."""

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import (
    AttachDynamicStorageRequest,
    DataVolumesReq,
    DeleteNotebookRequest,
    DetachDynamicStorageRequest,
    ListDynamicStoragesRequest,
    ModelArtsClient,
    ShowDynamicStorageRequest,
    StartNotebookRequest,
    StopNotebookRequest,
    VolumeMountRequest,
)

from nbfleet.runtimes.local import mounting
from nbfleet.settings import ShareSettings, share_id
from support import sdk
from support.kernel import Kernel, get
from support.people import DATABASES
from support.service import Service, free_port, wait_for

SETS = share_id(ShareSettings(name="sets", root="/x"))
GIVEN = "8f0f6a7e-6b5b-4c1b-9d5c-0f5d8f3f1c11"
MOTO = Path(sys.prefix) / "objects/bin/moto_server"  # scripts/prepare puts it there.


@dataclass
class Site:
    """A service with two shares, and whoever uses it."""

    service: Service
    share: Path
    client: ModelArtsClient

    def attach(self, notebook_id: str, uri: str, efs_id: str | None = SETS, **fields: Any) -> Any:
        wanted = {"category": "EFS", "mount_path": "/data/sets/"} | fields
        body = DataVolumesReq(uri=uri, efs_id=efs_id, **wanted)
        return self.client.attach_dynamic_storage(
            AttachDynamicStorageRequest(instance_id=notebook_id, body=body)
        )

    def detach(self, notebook_id: str, mount_id: str) -> Any:
        request = DetachDynamicStorageRequest(instance_id=notebook_id, storage_id=mount_id)
        return self.client.detach_dynamic_storage(request)

    def show(self, notebook_id: str, mount_id: str) -> Any:
        request = ShowDynamicStorageRequest(instance_id=notebook_id, storage_id=mount_id)
        return self.client.show_dynamic_storage(request)

    def until(self, notebook_id: str, mount_id: str, status: str) -> Any:
        def check() -> Any:
            found = self.show(notebook_id, mount_id)
            return found if found.status == status else None

        return wait_for(f"the mount to be {status}", check)

    def mounted(self, notebook_id: str) -> list[tuple[str, str, str]]:
        found = self.client.list_dynamic_storages(ListDynamicStoragesRequest(instance_id=notebook_id))
        return [(one.mount_path, one.uri, one.status) for one in found.data]

    def running(self, **fields: Any) -> Any:
        made = sdk.create(self.client, **fields)
        return sdk.wait_until(self.client, made.id, "RUNNING")

    def stop(self, notebook_id: str) -> None:
        self.client.stop_notebook(StopNotebookRequest(id=notebook_id))
        sdk.wait_until(self.client, notebook_id, "STOPPED")

    def start(self, notebook_id: str) -> Any:
        self.client.start_notebook(StartNotebookRequest(id=notebook_id))
        return sdk.wait_until(self.client, notebook_id, "RUNNING")

    def delete(self, notebook_id: str) -> None:
        self.client.delete_notebook(DeleteNotebookRequest(id=notebook_id))
        sdk.wait_until_gone(self.client, notebook_id)


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Starts a service on a database of this kind, with more lines for its settings."""
    made: list[Service] = []

    def open_site(kind: str = "sqlite", more: str = "") -> Site:
        share, fixed = tmp_path / "share", tmp_path / "fixed"
        for place in (share / "images", fixed):
            place.mkdir(parents=True)
            (place / "cat.txt").write_text("a cat")
        (share / "elsewhere").symlink_to(tmp_path)
        config = tmp_path / "nbfleet.toml"
        config.write_text(
            f'[[shares]]\nname = "sets"\nroot = "{share}"\nwithout_pool = true\n'
            f'[[shares]]\nname = "fixed"\nroot = "{fixed}"\nid = "{GIVEN}"\nread_only = true\n'
            f"without_pool = true\n{more}"
        )
        url = "" if kind == "sqlite" else request.getfixturevalue("postgres").new_database()
        service = Service(tmp_path / "data", database_url=url, arguments=["--config", str(config)]).start()
        made.append(service)
        return Site(service, share, sdk.connect(service))

    yield open_site
    for service in made:
        service.clear_away()
        for point in mounting.points_below(service.data_dir):
            mounting.unmount(point, lazily=True)


def contents(notebook: Any, path: str) -> tuple[int, Any]:
    """Status and content that the server of the instance has for a file of the work volume."""
    address = notebook.url.removesuffix("/lab") + f"/api/contents/{path}"
    status, text = get(address, Authorization=f"token {notebook.token}")
    return status, json.loads(text)["content"] if status == 200 else text


@pytest.mark.parametrize("kind", DATABASES)
def test_a_share_is_mounted_while_a_notebook_runs(opened: Callable[..., Site], kind: str) -> None:
    site = opened(kind)
    notebook = site.running()
    begun = site.attach(notebook.id, "sets:/images")
    assert (begun.category, begun.status, begun.efs_id, begun.mount_type) == (
        "EFS",
        "MOUNTING",
        SETS,
        "DYNAMIC",
    )
    site.until(notebook.id, begun.id, "MOUNTED")
    assert contents(notebook, "data/sets/cat.txt") == (200, "a cat")
    kernel = Kernel(notebook.url, notebook.token)
    assert kernel.execute("print(open('data/sets/new.txt', 'w').write('a dog'))") == "5\n"
    assert (site.share / "images" / "new.txt").read_text() == "a dog"

    # The service dies, and comes back.
    site.service.kill()
    site.service.start()
    assert site.mounted(notebook.id) == [("/data/sets/", "sets:/images", "MOUNTED")]
    assert contents(notebook, "data/sets/new.txt") == (200, "a dog")

    # The notebook stops, and comes back.
    site.stop(notebook.id)
    work = site.service.data_dir / "instances" / notebook.id / "work"
    assert not (work / "data" / "sets").is_symlink()
    with pytest.raises(exceptions.ClientRequestException) as stopped:
        site.mounted(notebook.id)
    assert (stopped.value.status_code, stopped.value.error_code) == (400, "ModelArts.6327")
    notebook = site.start(notebook.id)
    site.until(notebook.id, begun.id, "MOUNTED")
    assert contents(notebook, "data/sets/new.txt") == (200, "a dog")

    assert site.detach(notebook.id, begun.id).status == "UNMOUNTING"
    site.until(notebook.id, begun.id, "UNMOUNTED")
    assert site.detach(notebook.id, begun.id).status == "UNMOUNTED"
    assert site.mounted(notebook.id) == []
    gone = "file or directory '/data/sets/cat.txt' does not exist"
    assert contents(notebook, "data/sets/cat.txt") == (404, gone)
    assert sorted(path.name for path in (site.share / "images").iterdir()) == ["cat.txt", "new.txt"]

    # What is mounted when a notebook is deleted stays as well.
    again = site.attach(notebook.id, "sets:/")
    site.until(notebook.id, again.id, "MOUNTED")
    site.delete(notebook.id)
    assert (site.share / "images" / "cat.txt").read_text() == "a cat"
    left = site.service.data_dir / "instances"
    assert [path.name for path in left.rglob("*") if notebook.id in str(path)] == []


def test_no_link_leads_out_of_a_share_or_takes_the_place_of_a_file(opened: Callable[..., Site]) -> None:
    site = opened()
    notebook = site.running()
    work = site.service.data_dir / "instances" / notebook.id / "work"
    (work / "data" / "taken").mkdir(parents=True)
    (work / "data" / "taken" / "mine.txt").write_text("mine")
    (work / "data" / "link").symlink_to(site.share)
    reasons = {
        ("sets:/elsewhere", "/data/a/"): "elsewhere in the share sets: is a link or no directory",
        ("sets:/elsewhere/share", "/data/b/"): "elsewhere in the share sets: is a link or no directory",
        ("sets:/images/cat.txt", "/data/c/"): "cat.txt in the share sets: is a link or no directory",
        ("sets:/missing", "/data/d/"): "missing in the share sets: no such file or directory",
        ("sets:/images", "/data/taken/"): "data/taken in the work volume is something else already",
        (
            "sets:/images",
            "/data/link/x/",
        ): "data/link/x cannot be made in the work volume: something else is in its way",
    }
    for (uri, path), reason in reasons.items():
        mount = site.attach(notebook.id, uri, mount_path=path)
        assert site.until(notebook.id, mount.id, "MOUNT_FAILED").failure_reason == reason
        site.detach(notebook.id, mount.id)
        site.until(notebook.id, mount.id, "UNMOUNTED")
    assert (work / "data" / "taken" / "mine.txt").read_text() == "mine"
    assert not (site.share / "x").exists()


@pytest.mark.skipif(mounting.obstacle_to_mounting() is not None, reason="the tests may not mount here")
def test_nobody_writes_to_a_read_only_share(opened: Callable[..., Site]) -> None:
    site = opened()
    extra = VolumeMountRequest(
        category="EFS", ownership="DEDICATED", uri="fixed:/", id=GIVEN, mount_path="/data/extra/"
    )  # fmt: skip
    notebook = site.running(data_volumes=[extra])
    shown = [
        (one.category, one.mount_path, one.url, one.mount_type, one.status) for one in notebook.data_volumes
    ]
    assert shown == [("EFS", "/data/extra/", "fixed:/", "STATIC", None)]
    mount = site.attach(notebook.id, "fixed:/", GIVEN, mount_path="/data/fixed/")
    site.until(notebook.id, mount.id, "MOUNTED")
    kernel = Kernel(notebook.url, notebook.token)
    for place in ("extra", "fixed"):
        assert contents(notebook, f"data/{place}/cat.txt") == (200, "a cat")
        attempt = f"try: open('data/{place}/new.txt', 'w')\nexcept OSError as fault: print(fault.strerror)"
        assert kernel.execute(attempt) == "Read-only file system\n"
    kernel.execute("keep = open('data/fixed/cat.txt')")
    site.detach(notebook.id, mount.id)
    failed = site.until(notebook.id, mount.id, "UNMOUNT_FAILED")
    assert failed.failure_reason == "something of the instance still uses it"
    kernel.execute("keep.close()")
    site.detach(notebook.id, mount.id)
    site.until(notebook.id, mount.id, "UNMOUNTED")
    site.stop(notebook.id)
    assert mounting.points_below(site.service.data_dir) == {}
    site.delete(notebook.id)
    assert (site.share.parent / "fixed" / "cat.txt").read_text() == "a cat"


def test_a_share_can_be_the_work_volume(opened: Callable[..., Site]) -> None:
    site = opened()
    volume = VolumeMountRequest(category="EFS", ownership="DEDICATED", uri="sets:/images", id=SETS)
    notebook = site.running(volume=volume)
    told = notebook.volume
    assert (told.category, told.ownership, told.uri, told.id, told.mount_path, told.mount_type) == (
        "EFS", "DEDICATED", "sets:/images", SETS, "/home/ma-user/work/", "MAIN",
    )  # fmt: skip
    assert contents(notebook, "cat.txt") == (200, "a cat")
    Kernel(notebook.url, notebook.token).execute("open('dog.txt', 'w').write('a dog')")
    with pytest.raises(exceptions.ClientRequestException) as refused:
        site.attach(notebook.id, "sets:/")
    assert (refused.value.error_code, refused.value.error_msg) == (
        "ModelArts.6336",
        "The field mount_path cannot be honoured: the work volume is not the instance's own, so others "
        "would see what is attached in it.",
    )
    site.stop(notebook.id)
    assert contents(site.start(notebook.id), "dog.txt") == (200, "a dog")
    site.delete(notebook.id)
    assert sorted(path.name for path in (site.share / "images").iterdir()) == ["cat.txt", "dog.txt"]


def test_a_start_without_its_storage_fails_and_says_why(opened: Callable[..., Site]) -> None:
    site = opened()
    volume = VolumeMountRequest(category="EFS", ownership="DEDICATED", uri="sets:/missing", id=SETS)
    made = sdk.create(site.client, volume=volume)

    def failed() -> Any:
        now = sdk.show(site.client, made.id)
        return now if now.status == "CREATE_FAILED" else None

    reason = "/home/ma-user/work/: missing in the share sets: no such file or directory"
    assert wait_for("it to fail", failed).fail_reason == reason


def test_without_object_storage_a_bucket_is_refused_by_name(opened: Callable[..., Site]) -> None:
    site = opened()
    notebook = site.running()
    with pytest.raises(exceptions.ClientRequestException) as refused:
        site.attach(notebook.id, "obs://team-bucket/dir1/", None, category="OBS")
    assert (refused.value.status_code, refused.value.error_code, refused.value.error_msg) == (
        400, "ModelArts.6324",
        "The field uri is obs://team-bucket/dir1/, which cannot be had: the service knows no object storage.",
    )  # fmt: skip


# Object storage: a real server for it, and s3fs.


# Moto wants to be asked by somebody, and believes whoever it is.
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKEXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, "
    "Signature=00"
)


@dataclass
class Objects:
    port: int

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, {"Authorization": _SIGNED})
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[Objects]:
    """An object storage with one bucket and one object in it."""
    obstacle = mounting.obstacle_to_objects()
    if obstacle is not None:
        pytest.skip(obstacle)
    port = free_port()
    with (tmp_path / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [str(MOTO), "-H", "127.0.0.1", "-p", str(port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    made = Objects(port)

    def answers() -> bool:
        try:
            return made.ask("PUT", "/team-bucket")[0] == 200
        except OSError:
            return False

    try:
        wait_for("object storage", answers)
        assert made.ask("PUT", "/team-bucket/dir1/cat.txt", b"a cat")[0] == 200
        yield made
    finally:
        process.terminate()
        process.wait()


def test_a_bucket_is_mounted_while_a_notebook_runs(
    opened: Callable[..., Site], objects: Objects, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    keys.write_text("AKEXAMPLE:secret\n")
    endpoint = f"http://127.0.0.1:{objects.port}"
    site = opened(
        more=f'[object_storage]\nendpoint = "{endpoint}"\naccess_key_file = "{keys}"\n'
        f'[object_storage.secrets]\nmine = "{keys}"\n'
    )
    volume = VolumeMountRequest(
        category="OBS", ownership="DEDICATED", uri="obs://team-bucket/dir1/", dew_secret_name="mine",
        mount_path="/data/fixed/", read_only=True,
    )  # fmt: skip
    notebook = site.running(data_volumes=[volume])
    mount = site.attach(
        notebook.id, "obs://team-bucket/dir1/", None, category="OBS", mount_path="/data/dir1/"
    )
    assert (mount.category, mount.status) == ("OBSFS", "MOUNTING")
    site.until(notebook.id, mount.id, "MOUNTED")
    for place in ("fixed", "dir1"):
        assert contents(notebook, f"data/{place}/cat.txt") == (200, "a cat")
    kernel = Kernel(notebook.url, notebook.token)
    kernel.execute("with open('data/dir1/dog.txt', 'w') as file: file.write('a dog')")
    assert objects.ask("GET", "/team-bucket/dir1/dog.txt") == (200, b"a dog")
    attempt = "try: open('data/fixed/new.txt', 'w')\nexcept OSError as fault: print(fault.strerror)"
    assert kernel.execute(attempt) == "Read-only file system\n"

    site.service.kill()
    site.service.start()
    assert contents(notebook, "data/dir1/dog.txt") == (200, "a dog")
    site.stop(notebook.id)
    assert mounting.points_below(site.service.data_dir) == {}
    notebook = site.start(notebook.id)
    site.until(notebook.id, mount.id, "MOUNTED")
    assert contents(notebook, "data/dir1/dog.txt") == (200, "a dog")

    bad = site.attach(
        notebook.id, "obs://no-such-bucket/dir1/", None, category="OBS", mount_path="/data/bad/"
    )
    reason = site.until(notebook.id, bad.id, "MOUNT_FAILED").failure_reason
    assert reason == (
        f"object storage could not be mounted: bucket or key not found(host={endpoint}) - result of checking "
        "service."
    )
    site.detach(notebook.id, mount.id)
    site.until(notebook.id, mount.id, "UNMOUNTED")
    assert contents(notebook, "data/dir1/dog.txt")[0] == 404
    site.delete(notebook.id)
    assert mounting.points_below(site.service.data_dir) == {}
    assert objects.ask("GET", "/team-bucket/dir1/dog.txt") == (200, b"a dog")

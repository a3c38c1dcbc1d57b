"""The official SDK registers a second environment, runs a notebook in it, and meets what can go wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import (
    DeleteImageGroupRequest,
    DeleteImageRequest,
    DeleteImageRequestBody,
    DeleteNotebookRequest,
    ImageRegRequest,
    ListImageGroupRequest,
    ListImageRequest,
    ModelArtsClient,
    RegisterImageRequest,
    ShowImageRequest,
    SyncImageRequest,
    UpdateImageGroupRequest,
    UpdateImageGroupRequestBody,
    UpdateImageGroupRequestBodyTags,
)

from support.kernel import Kernel
from support.sdk import connect, create, wait_until, wait_until_gone
from support.service import Service, wait_for
from support.shelves import ARCH, environment, put

TORCH, BROKEN = "localhost/team-a/torch:2.9", "localhost/team-a/broken:1"


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    running = Service(tmp_path / "data", database_url=url).start()
    yield running
    running.clear_away()


def shelf(service: Service) -> Path:
    return service.data_dir / "images"


def register(client: ModelArtsClient, path: str, **fields: Any) -> Any:
    return client.register_image(RegisterImageRequest(body=ImageRegRequest(swr_path=path, **fields)))


def settled(client: ModelArtsClient, image_id: str, *statuses: str) -> Any:
    def look() -> Any:
        found = client.show_image(ShowImageRequest(id=image_id))
        return found if found.status in statuses else None

    return wait_for(f"{image_id} to be {statuses}", look, 60)


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(exceptions.ClientRequestException) as caught:
        call()
    assert caught.value.request_id
    return caught.value.status_code, caught.value.error_code


def test_a_notebook_runs_in_a_registered_environment(service: Service) -> None:
    client = connect(service)
    assert refused(lambda: register(client, TORCH)) == (400, "ModelArts.6797")
    directory = put(shelf(service), TORCH, python="env/bin/python", description="Second")
    assert refused(lambda: register(client, TORCH)) == (400, "ModelArts.6336")
    environment(directory / "env")

    made = register(client, TORCH, visibility="PRIVATE", resource_category=["CPU"], services=["NOTEBOOK"])
    assert (made.status, made.type, made.name, made.namespace, made.tag, made.arch) == (
        "INIT", "DEDICATED", "torch", "team-a", "2.9", ARCH,
    )  # fmt: skip
    assert refused(lambda: create(client, image_id=made.id)) == (400, "ModelArts.6336")
    assert refused(lambda: register(client, TORCH)) == (400, "ModelArts.6737")
    image = settled(client, made.id, "ACTIVE", "CREATE_FAILED")
    assert (image.status, image.status_message, image.size > 0) == ("ACTIVE", None, True)
    assert not (service.data_dir / "instances" / made.id).exists()
    assert service.instance_pids() == []

    assert client.list_image(ListImageRequest(type="DEDICATED")).data[0].id == made.id
    assert made.id not in [one.id for one in client.list_image(ListImageRequest()).data]

    ours = wait_until(client, create(client, name="ours").id, "RUNNING")
    theirs = wait_until(client, create(client, name="theirs", image_id=made.id).id, "RUNNING")
    prefix = "import os, sys; print(sys.prefix, os.environ.get('VIRTUAL_ENV'))"
    assert Kernel(theirs.url, theirs.token).execute(prefix) == f"{directory / 'env'} None\n"
    assert not Kernel(ours.url, ours.token).execute(prefix).startswith(str(directory))
    assert theirs.image.swr_path == TORCH

    assert refused(lambda: client.delete_image(DeleteImageRequest(id=made.id))) == (400, "ModelArts.6357")
    client.delete_notebook(DeleteNotebookRequest(id=theirs.id))
    wait_until_gone(client, theirs.id)
    forced = DeleteImageRequest(id=made.id, body=DeleteImageRequestBody(is_force=True))
    assert client.delete_image(forced).status == "DELETED"
    wait_for("its files to go", lambda: not directory.exists())
    assert refused(lambda: client.show_image(ShowImageRequest(id=made.id))) == (404, "ModelArts.6404")


def test_a_broken_environment_fails_with_its_log_and_can_be_mended(service: Service) -> None:
    client = connect(service)
    directory = put(shelf(service), BROKEN, python="env/bin/python")
    environment(directory / "env")
    also = next((directory / "env").rglob("also.pth"))
    kept = also.read_text()
    also.unlink()

    made = register(client, BROKEN)
    failed = settled(client, made.id, "ACTIVE", "CREATE_FAILED")
    assert failed.status == "CREATE_FAILED"
    assert failed.status_message.startswith("exited with status 1: ")
    assert failed.status_message.endswith("No module named jupyterlab") or (
        "No module named 'jupyterlab'" in failed.status_message
    )
    assert refused(lambda: create(client, image_id=made.id)) == (400, "ModelArts.6336")

    also.write_text(kept)
    assert client.sync_image(SyncImageRequest(image_id=made.id)).status == "CREATING"
    assert settled(client, made.id, "ACTIVE", "CREATE_FAILED").status == "ACTIVE"
    also.unlink()
    assert client.sync_image(SyncImageRequest(image_id=made.id)).status == "ACTIVE"
    assert "jupyterlab" in settled(client, made.id, "ERROR").status_message

    (group,) = client.list_image_group(ListImageGroupRequest(type="DEDICATED")).data
    assert (group.name, group.namespace, group.version_count) == ("broken", "team-a", 1)
    tags = [UpdateImageGroupRequestBodyTags(key="k", value="v")]
    body = UpdateImageGroupRequestBody(read_me="Guide.", tags=tags)
    client.update_image_group(UpdateImageGroupRequest(id=group.id, body=body))
    (group,) = client.list_image_group(ListImageGroupRequest(type="DEDICATED")).data
    assert group.read_me == "Guide."
    assert [(tag.key, tag.value) for tag in client.show_image(ShowImageRequest(id=made.id)).tags] == [
        ("k", "v")
    ]
    client.delete_image_group(DeleteImageGroupRequest(id=group.id))
    assert client.list_image_group(ListImageGroupRequest(type="DEDICATED")).total == 0


def test_a_service_that_is_killed_in_a_trial_tries_again(service: Service) -> None:
    client = connect(service)
    directory = put(shelf(service), TORCH, python="env/bin/python")
    environment(directory / "env")
    made = register(client, TORCH)
    settled(client, made.id, "CREATING")
    wait_for("its process", service.instance_pids)
    service.kill()
    service.start()
    assert settled(client, made.id, "ACTIVE", "CREATE_FAILED").status == "ACTIVE"
    assert service.instance_pids() == []
    assert not (service.data_dir / "instances" / made.id).exists()

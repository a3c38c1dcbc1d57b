"""A data scientist changes how a notebook is made, with the official SDK and a real instance behind it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import (
    Config,
    ContainerHooks,
    CustomHooks,
    DeleteNotebookRequest,
    ListFlavorsRequest,
    ModelArtsClient,
    NotebookUpdateRequest,
    ShowSwitchableFlavorsRequest,
    StartNotebookRequest,
    StopNotebookRequest,
    UpdateNotebookRequest,
)

from support import sdk
from support.people import DATABASES
from support.service import Service, wait_for


@pytest.fixture(params=DATABASES)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    more = {}
    if request.param == "postgresql":
        more["database_url"] = request.getfixturevalue("postgres").new_database()
    made = Service(tmp_path / "data", **more).start()
    yield made
    made.clear_away()


def update(client: ModelArtsClient, notebook_id: str, **fields: object) -> object:
    request = UpdateNotebookRequest(id=notebook_id, body=NotebookUpdateRequest(**fields))
    return client.update_notebook(request)


def test_a_script_prepares_what_a_notebook_needs(service: Service) -> None:
    client = sdk.connect(service)
    made = sdk.create(client, name="prepared")
    sdk.wait_until(client, made.id, "RUNNING")
    grown = update(client, made.id, storage_new_size=9)
    assert (grown.status, grown.volume.status) == ("RUNNING", "RESIZING")
    wait_for("its volume", lambda: sdk.show(client, made.id).volume.capacity == 9, 10)
    with pytest.raises(exceptions.ClientRequestException) as running:
        update(client, made.id, flavor="modelarts.vm.cpu.2u")
    assert (running.value.status_code, running.value.error_code) == (400, "ModelArts.6347")

    client.stop_notebook(StopNotebookRequest(id=made.id))
    sdk.wait_until(client, made.id, "STOPPED")
    offered = client.show_switchable_flavors(ShowSwitchableFlavorsRequest(id=made.id))
    catalogue = client.list_flavors(ListFlavorsRequest()).data
    assert [one.id for one in offered.data] == [one.id for one in catalogue if one.id != made.flavor]
    script = base64.b64encode(b"echo data > prepared.txt\n").decode()
    hooks = CustomHooks(ContainerHooks(pre_start=Config(script=script, type="COMMAND", mode="BLOCK")))
    changed = update(client, made.id, flavor=offered.data[0].id, hooks=hooks)
    assert changed.flavor == "modelarts.vm.cpu.2u"
    client.start_notebook(StartNotebookRequest(id=made.id))
    sdk.wait_until(client, made.id, "RUNNING")
    work = service.data_dir / "instances" / made.id / "work"
    assert (work / "prepared.txt").read_text() == "data\n"

    client.stop_notebook(StopNotebookRequest(id=made.id))
    sdk.wait_until(client, made.id, "STOPPED")
    script = base64.b64encode(b"echo no such bucket; exit 7\n").decode()
    hooks = CustomHooks(ContainerHooks(pre_start=Config(script=script, type="COMMAND", mode="BLOCK")))
    update(client, made.id, hooks=hooks)
    client.start_notebook(StartNotebookRequest(id=made.id))
    failed = wait_for("its failure", lambda: _failed(client, made.id), 60)
    assert failed == "its pre_start hook exited with status 7: no such bucket"
    client.delete_notebook(DeleteNotebookRequest(id=made.id))


def _failed(client: ModelArtsClient, notebook_id: str) -> str | None:
    now = sdk.show(client, notebook_id)
    return now.fail_reason if now.status == "START_FAILED" else None

"""The main job: the official SDK takes a real JupyterLab through its whole life."""

from huaweicloudsdkmodelarts.v1 import (
    DeleteNotebookRequest,
    ListAllNotebooksRequest,
    StartNotebookRequest,
    StopNotebookRequest,
)

from support.sdk import connect, create, wait_until, wait_until_gone
from support.service import Service


def test_a_notebook_is_created_listed_stopped_started_and_deleted(service: Service) -> None:
    client = connect(service)

    created = create(client, name="first", description="demo")
    assert (created.name, created.description, created.status) == ("first", "demo", "CREATING")

    running = wait_until(client, created.id, "RUNNING")
    assert running.url == f"{service.gateway}/{created.id}/lab"
    assert running.token == created.token

    page = client.list_all_notebooks(ListAllNotebooksRequest())
    assert (page.total, [one.id for one in page.data]) == (1, [created.id])

    work = service.data_dir / "instances" / created.id / "work"
    (work / "kept.txt").write_text("still here")

    assert client.stop_notebook(StopNotebookRequest(id=created.id)).status == "STOPPING"
    stopped = wait_until(client, created.id, "STOPPED")
    assert stopped.url is None
    assert service.instance_pids() == []

    assert client.start_notebook(StartNotebookRequest(id=created.id)).status == "STARTING"
    again = wait_until(client, created.id, "RUNNING")
    assert again.token != running.token
    assert (work / "kept.txt").read_text() == "still here"

    assert client.delete_notebook(DeleteNotebookRequest(id=created.id)).status == "DELETING"
    refusal = wait_until_gone(client, created.id)
    assert (refusal.status_code, refusal.error_code) == (404, "ModelArts.6404")
    assert not work.exists()
    assert service.instance_pids() == []
    assert client.list_all_notebooks(ListAllNotebooksRequest()).total == 0

"""The service dies without warning; notebooks go on, and what was under way ends where it was going."""

import os
import signal
import time
from pathlib import Path

from huaweicloudsdkmodelarts.v1 import (
    DeleteNotebookRequest,
    ListAllNotebooksRequest,
    StartNotebookRequest,
    StopNotebookRequest,
)

from support.kernel import Kernel
from support.sdk import FAILED, connect, create, show, wait_until, wait_until_gone
from support.service import Service, wait_for


def test_three_running_notebooks_survive_the_death_of_the_service(service: Service) -> None:
    client = connect(service)
    notebooks = [create(client, name=f"survivor-{number}") for number in range(3)]
    running = [wait_until(client, notebook.id, "RUNNING") for notebook in notebooks]
    kernels = [Kernel(notebook.url, notebook.token) for notebook in running]
    for number, kernel in enumerate(kernels):
        kernel.execute(f"kept = {number} + 100")
    pids = service.server_pids()
    assert sorted(pids) == sorted(notebook.id for notebook in notebooks)

    service.kill()
    service.start()
    restarted = time.monotonic()

    page = client.list_all_notebooks(ListAllNotebooksRequest(sort_key="name", sort_dir="ASC"))
    assert time.monotonic() - restarted < 5
    assert [(one.id, one.status, one.token) for one in page.data] == [
        (one.id, "RUNNING", one.token) for one in running
    ]
    # Two looks of the watcher later it is still so.
    time.sleep(4.5)
    assert [show(client, one.id).status for one in running] == ["RUNNING"] * 3
    assert service.server_pids() == pids
    assert [kernel.execute("kept") for kernel in kernels] == ["100", "101", "102"]


def test_a_create_that_was_cut_ends_running(service: Service) -> None:
    client = connect(service)
    for pause in (0.0, 0.05, 0.3, 1.0):
        notebook = create(client, name="cut")
        time.sleep(pause)
        service.kill()
        service.start()
        assert wait_until(client, notebook.id, "RUNNING").fail_reason is None
        assert list(service.server_pids()) == [notebook.id]
        client.delete_notebook(DeleteNotebookRequest(id=notebook.id))
        wait_until_gone(client, notebook.id)


def test_a_start_a_stop_and_a_delete_that_were_cut_end_where_they_were_going(service: Service) -> None:
    client = connect(service)
    notebook = create(client, name="cut")
    running = wait_until(client, notebook.id, "RUNNING")
    work = service.data_dir / "instances" / notebook.id / "work"
    (work / "kept.txt").write_text("still here")

    assert client.stop_notebook(StopNotebookRequest(id=notebook.id)).status == "STOPPING"
    service.kill()
    service.start()
    wait_until(client, notebook.id, "STOPPED")
    assert service.instance_pids() == []

    assert client.start_notebook(StartNotebookRequest(id=notebook.id)).status == "STARTING"
    time.sleep(0.3)
    service.kill()
    service.start()
    again = wait_until(client, notebook.id, "RUNNING")
    assert again.token != running.token
    assert (work / "kept.txt").read_text() == "still here"

    assert client.delete_notebook(DeleteNotebookRequest(id=notebook.id)).status == "DELETING"
    service.kill()
    service.start()
    assert wait_until_gone(client, notebook.id).error_code == "ModelArts.6404"
    assert service.instance_pids() == []
    assert not work.exists()


def test_an_instance_that_dies_by_itself_is_an_error_with_its_cause(service: Service) -> None:
    client = connect(service)
    notebook = create(client, name="mortal")
    wait_until(client, notebook.id, "RUNNING")
    os.kill(service.server_pids()[notebook.id], signal.SIGKILL)

    seen = wait_for("the death to be noticed", lambda: _if_status(client, notebook.id, "ERROR"), 10)
    assert seen.fail_reason == "killed by SIGKILL (the kernel does this when memory runs out)"
    assert service.instance_pids() == []
    # It can be started again.
    client.start_notebook(StartNotebookRequest(id=notebook.id))
    wait_until(client, notebook.id, "STARTING")
    assert wait_for("it to run again", lambda: _if_status(client, notebook.id, "RUNNING")).fail_reason is None


BROKEN = (
    "import os, sys\nprint('RuntimeError: the licence ran out', file=sys.stderr, flush=True)\nos._exit(3)\n"
)


def test_one_that_cannot_start_at_all_says_why(tmp_path: Path) -> None:
    """The environment of the image is broken."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "jupyter_server_config.py").write_text(BROKEN)
    service = Service(tmp_path / "data", environment={"JUPYTER_CONFIG_PATH": str(broken)}).start()
    try:
        client = connect(service)
        notebook = create(client, name="hopeless")
        failed = wait_for("it to fail", lambda: _if_status(client, notebook.id, *FAILED))
        assert failed.status == "CREATE_FAILED"
        assert failed.fail_reason == "exited with status 3: RuntimeError: the licence ran out"
        steps = {one.step: one.status for one in failed.action_progress}
        assert steps == {1: "COMPLETED", 2: "COMPLETED", 3: "FAILED", 4: "WAITING"}
        assert service.instance_pids() == []
    finally:
        service.clear_away()


def test_one_that_cannot_start_again_says_why(service: Service) -> None:
    """Its owner broke it between two starts."""
    client = connect(service)
    notebook = create(client, name="hopeless")
    wait_until(client, notebook.id, "RUNNING")
    client.stop_notebook(StopNotebookRequest(id=notebook.id))
    wait_until(client, notebook.id, "STOPPED")
    config = service.data_dir / "instances" / notebook.id / "home" / ".jupyter"
    config.mkdir(parents=True, exist_ok=True)
    (config / "jupyter_server_config.py").write_text(BROKEN)
    client.start_notebook(StartNotebookRequest(id=notebook.id))
    failed = wait_for("it to fail", lambda: _if_status(client, notebook.id, *FAILED))
    assert failed.status == "START_FAILED"
    assert failed.fail_reason == "exited with status 3: RuntimeError: the licence ran out"


def test_a_fault_that_does_not_pass_ends_the_start_with_its_cause(service: Service) -> None:
    """The disk of the instances is gone: tried a few times, then said."""
    (service.data_dir / "instances").write_text("not a directory")
    client = connect(service)
    notebook = create(client, name="hopeless")
    failed = wait_for("it to fail", lambda: _if_status(client, notebook.id, *FAILED), 60)
    assert failed.status == "CREATE_FAILED"
    assert failed.fail_reason.startswith("It failed 5 times; the last cause: ")


def _if_status(client, notebook_id: str, *statuses: str):
    now = show(client, notebook_id)
    return now if now.status in statuses else None

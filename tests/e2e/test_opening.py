"""Opening a notebook: with a kernel over the WebSocket, and in a real browser."""

import json

from huaweicloudsdkmodelarts.v1 import StartNotebookRequest, StopNotebookRequest

from support.browser import chromium
from support.kernel import Kernel, get
from support.sdk import connect, create, wait_until
from support.service import Service


def test_a_cell_runs_over_the_address_and_an_old_token_opens_nothing(service: Service) -> None:
    client = connect(service)
    notebook = create(client, name="kernel")
    running = wait_until(client, notebook.id, "RUNNING")

    assert Kernel(running.url, running.token).execute("print(6 * 7)") == "42\n"
    status_url = running.url.removesuffix("/lab") + "/api/status"
    assert get(status_url, Authorization=f"token {running.token}")[0] == 200
    for wrong in ("00000000-0000-0000-0000-000000000000", "", service.credentials["password"]):
        status, text = get(status_url, Authorization=f"token {wrong}")
        assert (status, json.loads(text)["error_code"]) == (401, "Gateway.Unauthorized")

    client.stop_notebook(StopNotebookRequest(id=notebook.id))
    wait_until(client, notebook.id, "STOPPED")
    assert get(status_url, Authorization=f"token {running.token}")[0] == 503
    client.start_notebook(StartNotebookRequest(id=notebook.id))
    again = wait_until(client, notebook.id, "RUNNING")
    assert get(status_url, Authorization=f"token {running.token}")[0] == 401
    assert get(status_url, Authorization=f"token {again.token}")[0] == 200


def test_a_person_opens_jupyterlab_and_runs_a_cell(service: Service) -> None:
    client = connect(service)
    notebook = create(client, name="browser")
    running = wait_until(client, notebook.id, "RUNNING")

    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{running.url}?token={running.token}")
        # The address bar holds no secret any more.
        assert page.url.split("?")[0] == running.url
        page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click(timeout=60_000)
        # The status bar says so once the kernel is there to take a cell.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        cell = page.locator(".jp-Notebook .jp-InputArea-editor .cm-content").first
        cell.click(timeout=60_000)
        page.keyboard.type("print(6 * 7)")
        page.keyboard.press("Shift+Enter")
        output = page.locator(".jp-OutputArea-output pre").first
        output.wait_for(timeout=60_000)
        assert output.inner_text().strip() == "42"
        page.screenshot(path=str(service.data_dir.parent / "jupyterlab.png"))

        stranger = browser.new_context().new_page()
        answer = stranger.goto(running.url)
        assert answer is not None
        assert answer.status == 401
        stranger.screenshot(path=str(service.data_dir.parent / "refused.png"))

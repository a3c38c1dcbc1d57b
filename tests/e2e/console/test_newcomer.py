"""The way of somebody new, on the real runtime: from the printed link to a cell that has run."""

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, expect

from support.sdk import connect, show
from support.service import Service


def test_four_clicks_lead_from_the_printed_link_to_jupyterlab(
    service: Service, browser: Browser, tmp_path: Path
) -> None:
    link = re.search(r"http://\S+/login\?ticket=\S+", service.log)
    assert link is not None
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    clicks: list[str] = []

    def click(target: Locator) -> None:
        clicks.append(target.inner_text())
        target.click()

    page.goto(link[0])
    click(page.locator("main button"))
    click(page.locator("nav a", has_text="New notebook"))
    click(page.locator("#make"))
    # It comes to be while one looks on, and can be opened without loading the page again.
    opens = page.locator("#open")
    expect(opens).to_be_visible(timeout=60_000)
    expect(page.locator("#steps li.completed")).to_have_count(4)
    page.click("#log summary")
    expect(page.locator("#log pre")).to_contain_text("Jupyter Server", timeout=20_000)
    page.screenshot(path=tmp_path / "newcomer.png")
    with page.expect_popup() as opened:
        click(opens)
    assert clicks == ["Sign in", "New notebook", "Create", "Open JupyterLab"]

    lab = opened.value
    lab.locator('.jp-LauncherCard[data-category="Notebook"]').first.click(timeout=60_000)
    lab.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    cell = lab.locator(".jp-Notebook .jp-InputArea-editor .cm-content").first
    cell.click(timeout=60_000)
    lab.keyboard.type("print(6 * 7)")
    lab.keyboard.press("Shift+Enter")
    output = lab.locator(".jp-OutputArea-output pre").first
    output.wait_for(timeout=60_000)
    assert output.inner_text().strip() == "42"
    assert lab.evaluate("window.opener") is None
    expect(page.locator("#head .state")).to_have_text("Running")
    notebook_id = page.url.rpartition("/")[2]
    assert (show(connect(service), notebook_id).name, lab.url.startswith(service.gateway)) == (
        "notebook-1",
        True,
    )
    assert complaints == []
    page.context.close()

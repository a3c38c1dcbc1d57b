"""The pages on the API's port, looked at in a real browser."""

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from support.browser import chromium
from support.service import Service


def test_a_login_link_opens_the_operations_and_one_is_tried(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", runtime="simulated").start()
    try:
        link = re.search(r"http\S+/login\?ticket=\S+", service.log)
        assert link is not None
        with chromium() as browser:
            page = browser.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(link[0])
            page.click("main button")
            page.wait_for_url(f"{service.endpoint}/console/**")
            page.goto(f"{service.endpoint}/docs")
            page.click("#ListAllNotebooks summary")
            project = page.locator("#ListAllNotebooks input[name=project_id]")
            expect(project).to_have_value(service.credentials["project_id"])
            page.fill("#ListAllNotebooks input[name=limit]", "7")
            page.click("#ListAllNotebooks button")
            page.wait_for_selector("#ListAllNotebooks pre:not([hidden])")
            status, _, body = page.inner_text("#ListAllNotebooks pre").partition("\n")
            assert (status, json.loads(body)) == (
                "200", {"current": 0, "data": [], "pages": 0, "size": 7, "total": 0}
            )  # fmt: skip
            assert page.inner_text("#CreateImage .later") == "not available yet"
            assert [text for text in complaints if "favicon" not in text] == []

            page.goto(link[0])
            page.click("main button")
            assert page.inner_text("h1") == "This link no longer works"
    finally:
        service.clear_away()

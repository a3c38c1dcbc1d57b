"""Making a notebook with a browser: one button, every field, refusals, and the same request as code."""

import json
import re
import shlex
from collections.abc import Callable
from uuid import uuid4

from playwright.sync_api import expect

from support.client import Caller
from support.console import Seat
from support.hosted import Hosted

Sit = Callable[..., Seat]


def test_one_button_makes_a_notebook_and_leads_to_it(sit: Sit, member: Caller) -> None:
    member.create(name="notebook-7")
    seat = sit(member)
    seat.go("notebooks/new")
    page = seat.page
    assert page.input_value("[name=name]") == "notebook-8"
    seat.accessible()
    seat.pictures_of("create")
    # Twice, as impatient hands do.
    page.dblclick("#make")
    page.wait_for_url(re.compile(r"/notebooks/[0-9a-f-]{36}$"))
    expect(page.locator("#open")).to_have_text("Open JupyterLab")
    made = member.get("", {"name": "notebook-8"}).json["data"]
    assert [(one["name"], one["volume"]["capacity"], one["flavor"]) for one in made] == [
        ("notebook-8", 5, "modelarts.vm.cpu.1u")
    ]
    assert page.url.endswith(made[0]["id"])
    # The next suggestion is free again.
    seat.go("notebooks/new")
    assert page.input_value("[name=name]") == "notebook-9"


def test_every_field_travels_and_refusals_keep_what_was_typed(sit: Sit, member: Caller) -> None:
    seat = sit(member)
    seat.go("notebooks/new")
    page = seat.page
    page.fill("[name=name]", "<b>no</b>")
    page.check("[value='modelarts.vm.cpu.2u']")
    page.fill("[name=size]", "9")
    page.select_option("[name=duration]", "-1")
    page.click("summary:has-text('More')")
    page.fill("[name=description]", "a description")
    page.fill("[name=tags]", "team=a\nalone")
    page.click("#make")
    expect(page.locator("#said-name")).to_contain_text(
        "The field name is <b>no</b>; allowed characters: letters"
    )
    assert page.input_value("[name=tags]") == "team=a\nalone"
    seat.accessible()
    seat.pictures_of("create-refused")
    page.fill("[name=name]", "every-field")
    page.fill("[name=size]", "4097")
    page.click("#make")
    expect(page.locator("#said-volume")).to_have_text(
        "The field volume.capacity is 4097; allowed: 5 to 4096."
    )
    page.fill("[name=size]", "9")
    page.click("#make")
    page.wait_for_url(re.compile(r"/notebooks/[0-9a-f-]{36}$"))
    made = member.get(f"/{page.url.rpartition('/')[2]}").json
    assert (made["name"], made["flavor"], made["description"]) == (
        "every-field", "modelarts.vm.cpu.2u", "a description",
    )  # fmt: skip
    assert (made["volume"]["capacity"], made["lease"]["enable"]) == (9, False)
    assert made["tags"] == [{"key": "alone", "value": ""}, {"key": "team", "value": "a"}]


def test_the_code_follows_the_form_and_is_the_request_that_is_sent(sit: Sit, hosted: Hosted) -> None:
    caller = hosted.user("coder", hosted.settings.project)
    seat = sit(caller)
    seat.go("notebooks/new")
    page = seat.page
    page.click("#as-code summary")
    page.click("#tab-curl")
    page.fill("[name=name]", "it's-mine")
    expect(page.locator("#code-curl")).to_contain_text("it'\"'\"'s-mine")
    page.fill("[name=name]", "by-curl")
    expect(page.locator("#code-curl")).to_contain_text('"by-curl"')
    words = shlex.split(page.inner_text("#code-curl"))
    body = json.loads(words[words.index("-d") + 1])
    assert caller.post("", body).status == 200
    page.click("#make")
    page.wait_for_url(re.compile(r"/notebooks/[0-9a-f-]{36}$"))
    kept = ("name", "flavor", "volume", "description", "workspace_id", "tags")
    first, second = (
        {field: one.get(field) for field in kept} for one in caller.get("", {"name": "by-curl"}).json["data"]
    )
    assert first == second


def test_a_form_that_is_sent_twice_makes_one_notebook(sit: Sit, hosted: Hosted) -> None:
    caller = hosted.user("twice", hosted.settings.project)
    seat = sit(caller)
    seat.go("notebooks/new")
    form = seat.page.evaluate("Object.fromEntries(new FormData(document.getElementById('wish')))")
    form["name"] = f"twice-{uuid4().hex[:6]}"
    sent = "form => fetch('', {method: 'POST', body: new URLSearchParams(form)}).then(answer => answer.url)"
    assert seat.page.evaluate(sent, form) == seat.page.evaluate(sent, form)
    assert caller.get("", {"name": form["name"]}).json["total"] == 1

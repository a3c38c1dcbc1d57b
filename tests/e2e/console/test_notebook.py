"""The page of one notebook: its whole life with a browser, live, and what others see of it."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Response, expect

from nbfleet.domain.access import LIST_ALL
from nbfleet.runtimes.simulated import Behaviour
from nbfleet.services import roles
from support.client import Caller
from support.console import Seat, turned
from support.hosted import GATEWAY, Hosted

Sit = Callable[..., Seat]
LISTS, SEES = "modelarts:notebook:list", "modelarts:notebook:get"
HOSTILE = "<img src=x onerror=alert(1)>\u202eevil\u200f" + "w" * 200
HARMLESS = HOSTILE.replace("\u202e", "\ufffd").replace("\u200f", "\ufffd")


def on_page_of(seat: Seat, one: dict[str, Any]) -> Page:
    seat.go(f"notebooks/{one['id']}")
    return seat.page


def events(page: Page) -> list[str]:
    """What happened, first to last."""
    told = page.locator("#rows .what").all_inner_texts()
    return [" ".join(text.split()) for text in reversed(told)]


def test_the_life_of_a_notebook_is_followed_live(sit: Sit, member: Caller) -> None:
    one = member.running(name="live", description="for a look", tags=[{"key": "team", "value": "a"}])
    seat = sit(member)
    page = on_page_of(seat, one)
    state = page.locator("#head .state")
    expect(state).to_have_text("Running")
    assert page.locator("#open").get_attribute("target") == "_blank"
    assert page.locator("#open").get_attribute("rel") == "noopener"
    steps = page.locator("#steps li > :nth-child(2)").all_inner_texts()
    assert steps == ["Prepare storage", "Get compute", "Set up the network", "Initialise the instance"]
    assert page.locator("#steps li > :nth-child(3)").all_inner_texts() == ["done"] * 4
    seat.accessible()
    seat.pictures_of("notebook-running")

    # What it uses is asked for every few seconds, and drawn.
    def is_usage(answer: Response) -> bool:
        return answer.url.endswith(f"/console/{member.project_id}/notebooks/{one['id']}/usage")

    with page.expect_response(is_usage) as asked:
        used = asked.value.json()
    memory = f"{used['memory_bytes'] // 1024**2} MiB of 2 GiB"
    expect(page.locator("#usage [data-of=memory] .now")).to_have_text(memory)
    expect(page.locator("#usage [data-of=cpu] .now")).to_have_text(re.compile(r"0\.[1-9] of 1 vCPU"))
    now, label = page.locator("#usage [data-of=memory]").evaluate(
        "one => [one.querySelector('.now').textContent, one.querySelector('svg').ariaLabel]"
    )
    assert label == f"Memory over the last five minutes, now {now}"
    for name in ("cpu", "memory"):
        assert page.get_attribute(f"#usage [data-of={name}] .line", "d").startswith("M")

    # The edit form is open and half typed while everything else changes by itself.
    page.click("#edit summary")
    page.fill("#edit textarea[name=description]", "half a sent")
    page.select_option("#renew-for", "14400000")
    page.click("#renew")
    expect(page.locator("#rows li").first).to_contain_text("Auto-stop set anew by ada")
    lease = member.get(f"/{one['id']}/lease").json
    assert lease["create_at"] + lease["duration"] - lease["update_at"] == 14_400_000
    page.click("#no-auto-stop")
    expect(page.locator("#lease")).to_contain_text("It runs until somebody stops it.")
    assert member.post(f"/{one['id']}/stop").status == 200
    expect(state).to_have_text("Stopped")
    expect(page.locator("#open")).to_have_count(0)
    expect(page.locator("#usage")).to_be_hidden()
    page.select_option("#start-for", "28800000")
    page.click("#start")
    expect(state).to_have_text("Running")
    assert page.input_value("#edit textarea[name=description]") == "half a sent"
    started = member.get(f"/{one['id']}/lease").json
    assert started["create_at"] + started["duration"] - started["update_at"] == 28_800_000
    story = [text for text in events(page) if "done" not in text and "in hand" not in text]
    assert story == [
        "Created by ada",
        "Runs",
        "Auto-stop set anew by ada",
        "Auto-stop set anew by ada",
        "Asked to stop by ada",
        "Stopped",
        "Asked to start by ada",
        "Runs",
    ]

    page.click("summary:has-text('Delete it')")
    page.fill("input[name=typed]", "other")
    page.click("button.danger")
    expect(page.locator("#notice")).to_contain_text("The field name is other; allowed: live.")
    page.fill("input[name=typed]", "live")
    page.click("button.danger")
    expect(page.locator("#notebook .empty h1")).to_have_text("This notebook is not here")
    member.gone(one["id"])


def test_hidden_tabs_leave_connections_to_the_others(sit: Sit, member: Caller) -> None:
    one = member.running(name="tabs")
    seat = sit(member)
    tabs = [on_page_of(seat, one)]
    for _ in range(5):
        turned(tabs[-1], hidden=True)
        tabs.append(seat.page.context.new_page())
        tabs[-1].goto(tabs[0].url)
    turned(tabs[-1], hidden=True)
    # The browser has six connections to a host, so a seventh page comes only if one of them is free.
    answered = tabs[0].evaluate("fetch(location.href).then(answer => answer.status)")
    assert answered == 200
    assert member.post(f"/{one['id']}/stop").status == 200
    turned(tabs[0], hidden=False)
    expect(tabs[0].locator("#head .state")).to_have_text("Stopped")
    for tab in tabs[1:]:
        tab.close()


def test_address_token_and_the_way_in_are_the_owners(sit: Sit, member: Caller, hosted: Hosted) -> None:
    one = member.running(name="opened")
    seat = sit(member)
    page = on_page_of(seat, one)
    assert one["token"] not in page.content()
    page.click("#access button")
    assert page.input_value("#address") == f"{GATEWAY}/{one['id']}/lab"
    assert page.input_value("#token") == one["token"]
    way = page.context.request.get(
        f"http://127.0.0.1:{hosted.port}{page.get_attribute('#open', 'href')}", max_redirects=0
    )
    assert (way.status, way.headers["location"]) == (303, f"{GATEWAY}/{one['id']}/lab?token={one['token']}")
    assert way.headers["referrer-policy"] == "no-referrer"
    # Whoever sees it and may not act gets a page without anything to act with.
    role = hosted.database.write_now(roles.add, "auditor", (LIST_ALL, SEES, LISTS))
    auditor = sit(hosted.user("auditor", hosted.settings.project, role))
    page = on_page_of(auditor, one)
    expect(page.locator("#head .state")).to_have_text("Running")
    assert page.locator("main button:visible").all_inner_texts() == ["Copy"]
    assert page.locator("#open, #edit, #log, #usage, main form").count() == 0
    assert one["token"] not in page.content()
    auditor.accessible()
    auditor.picture("notebook-seen-only")


def test_changes_are_saved_and_refusals_stand_beside_their_fields(sit: Sit, member: Caller) -> None:
    one = member.stopped(name="edited", tags=[{"key": "old", "value": "1"}, {"key": "kept"}])
    seat = sit(member)
    page = on_page_of(seat, one)
    page.click("#edit summary")
    page.fill("#edit [name=name]", "not a name!")
    page.fill("#edit [name=description]", "kept while refused")
    page.click("#edit button.main")
    said = page.locator("#edit label:has([name=name]) .said")
    expect(said).to_contain_text("The field name is not a name!; allowed characters: letters")
    assert page.input_value("#edit [name=description]") == "kept while refused"
    page.fill("#edit [name=name]", "renamed")
    page.fill("#edit [name=storage_new_size]", "7")
    page.select_option("#edit [name=flavor]", "modelarts.vm.cpu.2u")
    page.fill("#edit [name=tags]", "kept\nnew=2")
    page.click("#edit button.main")
    expect(page.locator("#edit .good")).to_have_text("Saved.")
    expect(page.locator("#head h1")).to_have_text("renamed")
    seat.accessible()
    seat.pictures_of("notebook-edit")
    now = member.once(one["id"], lambda shown: shown["volume"]["capacity"] == 7)
    assert (now["name"], now["description"], now["flavor"]) == (
        "renamed", "kept while refused", "modelarts.vm.cpu.2u",
    )  # fmt: skip
    assert now["tags"] == [{"key": "kept", "value": ""}, {"key": "new", "value": "2"}]


def test_what_others_changed_meanwhile_stays_and_a_refusal_tells_what_is_saved(
    sit: Sit, member: Caller
) -> None:
    one = member.stopped(name="shared", tags=[{"key": "old", "value": "1"}, {"key": "kept"}])
    seat = sit(member)
    page = on_page_of(seat, one)
    page.click("#edit summary")
    page.fill("#edit [name=name]", "mine")
    theirs = {"description": "theirs\nin two lines", "flavor": "modelarts.vm.cpu.2u"}
    assert member.put(f"/{one['id']}", theirs).status == 200
    tags = {"tags": [{"key": "theirs", "value": "2"}, {"key": "kept", "value": "theirs"}]}
    assert member.post(f"/{one['id']}/tags/create", tags).status == 204
    page.fill("#edit [name=tags]", f"kept\n{'k' * 129}")
    page.click("#edit button.main")
    expect(page.locator("#edit [role=alert]")).to_have_text("Saved: Name, Tags removed. Not saved: Tags set.")
    page.fill("#edit [name=tags]", "kept\nnew=3")
    page.click("#edit button.main")
    expect(page.locator("#edit .good")).to_have_text("Saved.")
    now = member.get(f"/{one['id']}").json
    assert {name: now[name] for name in ("name", *theirs)} == {"name": "mine", **theirs}
    assert sorted((tag["key"], tag["value"]) for tag in now["tags"]) == [
        ("kept", "theirs"), ("new", "3"), ("theirs", "2"),
    ]  # fmt: skip


def test_storage_is_attached_and_detached_while_it_runs(sit: Sit, member: Caller) -> None:
    one = member.running(name="mounts")
    page = on_page_of(sit(member), one)
    page.click("summary:has-text('Attach storage')")
    page.fill("[name=uri]", "obs://bucket/<b>dir</b>/")
    page.fill("[name=mount_path]", "/data/dir/")
    page.click("button:has-text('Attach')")
    mount = page.locator("#mounts li")
    expect(mount).to_contain_text("attached")
    expect(mount).to_contain_text("obs://bucket/<b>dir</b>/")
    mount.locator("button").click()
    expect(mount).to_have_count(0)
    assert member.get(f"/{one['id']}/storage").json["data"] == []


def test_a_failed_start_says_which_step_and_why(sit: Sit, member: Caller) -> None:
    one = member.failed(name="failed")
    seat = sit(member)
    page = on_page_of(seat, one)
    expect(page.locator("#head .state")).to_have_text("Create failed")
    assert page.inner_text("#head .notice") == "Why: no room"
    states = page.locator("#steps li > :nth-child(3)").all_inner_texts()
    assert states == ["done", "failed", "waits", "waits"]
    seat.accessible()
    seat.pictures_of("notebook-failed")


def test_a_stop_that_does_not_work_says_why_while_it_is_tried_again(
    sit: Sit, member: Caller, hosted: Hosted
) -> None:
    one = member.running(name="stuck")
    hosted.runtime.world.scripted[one["id"]] = Behaviour(stop_fail_reason=HOSTILE)
    seat = sit(member)
    page = on_page_of(seat, one)
    page.click("#stop")
    notice = page.locator("#head .notice")
    told = f"The stop did not work yet and is tried again: {HARMLESS}"
    expect(notice).to_have_text(told)
    expect(page.locator("#head .state")).to_have_text("Stopping")
    expect(page.locator("#rows .what").first).to_have_text(told)
    seat.accessible()
    seat.pictures_of("notebook-stuck")
    hosted.runtime.world.scripted.clear()
    expect(page.locator("#head .state")).to_have_text("Stopped")
    expect(notice).to_have_count(0)
    assert events(page)[-3:] == ["Asked to stop by ada", told, "Stopped"]


def test_hostile_texts_and_logs_are_shown_harmlessly(sit: Sit, hosted: Hosted) -> None:
    caller = hosted.user("<script>alert(1)</script>", hosted.settings.project)
    one = caller.running(
        name="n" * 128,
        description="\u202egnp.x " * 60,
        tags=[{"key": "\u0915\u094d\u0937" * 40, "value": "v" * 255}],
    )
    hosted.written = f"\x1b[31mred\x1b[0m {HOSTILE}\x00\x07\nlast"
    seat = sit(caller)
    page = on_page_of(seat, one)
    page.click("#log summary")
    expect(page.locator("#log pre")).to_have_text(
        "red <img src=x onerror=alert(1)>\ufffdevil\ufffd" + "w" * 200 + "\ufffd\ufffd\nlast"
    )
    expect(page.locator("#rows li").last).to_contain_text("by <script>alert(1)</script>")
    assert page.locator("main script, main img").count() == 0
    seat.accessible()
    seat.pictures_of("notebook-hostile")


def test_an_unknown_notebook_and_one_of_others_look_the_same(
    sit: Sit, member: Caller, hosted: Hosted
) -> None:
    theirs = hosted.user("theirs", hosted.settings.project).running(name="theirs")["id"]
    seat = sit(member)
    texts = []
    for notebook_id in ("00000000-0000-4000-8000-000000000000", theirs):
        page = on_page_of(seat, {"id": notebook_id})
        texts.append(page.inner_text("main").replace(notebook_id, "ID"))
        # What a browser says of a page that is not there is no fault of the page.
        seat.complaints[:] = [text for text in seat.complaints if "404" not in text]
    assert texts[0] == texts[1]
    assert "This notebook is not here" in texts[0]
    seat.accessible()
    seat.picture("notebook-gone")

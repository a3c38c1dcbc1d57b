"""Actions on many notebooks with a browser: 500 stopped at once, of which some do not stop, and a few deleted
after a second thought."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from nbfleet.console.pages import bulk as bulk_page
from nbfleet.domain import lease as leases
from nbfleet.domain import lifecycle
from nbfleet.domain.lifecycle import Event
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.runtimes.simulated import Behaviour
from nbfleet.store import notebooks
from nbfleet.store.database import Connection
from nbfleet.store.directory import Directory
from nbfleet.store.schema import instances
from support import make
from support.client import Caller
from support.console import Seat, administrator_of, member_of
from support.hosted import Hosted

Sit = Callable[..., Seat]
STATES = {
    "RUNNING": (Wanted.RUNNING, Observed.RUNNING),
    "STOPPED": (Wanted.STOPPED, Observed.STOPPED),
    "FROZEN": (Wanted.FROZEN, Observed.STOPPED),
}
CAUSE = "processes that cannot be killed: 4711"
LISTED = ("query", "status=RUNNING&tags=course%7Cml&name=L&limit=10&offset=20")
HOSTILE = "<b>x</b>\u202egnp.\u202c" + "long " * 40


def fill(hosted: Hosted, owner: Caller, *groups: tuple[int, str, str]) -> list[str]:
    """Ids of new notebooks: of each group the number, the name and the state."""
    image_id, now = owner.image_id(), hosted.clock()
    made: list[Notebook] = [
        make.notebook(
            id=str(uuid4()), project_id=owner.project_id, owner_id=owner.user_id, image_id=image_id,
            name=name, lease=leases.opened(-1, now), create_at=now + number, update_at=now,
            wanted=STATES[state][0], observed=STATES[state][1], tags=(("course", "ml"),),
        )
        for count, name, state in groups
        for number in range(count)
    ]  # fmt: skip

    def write(connection: Connection) -> None:
        directory = Directory()
        for one in made:
            notebooks.add(connection, directory, one, due_at=now)

    hosted.database.write_now(write)
    return [one.id for one in made]


def freeze(hosted: Hosted, ids: list[str]) -> None:
    def write(connection: Connection) -> None:
        for one in ids:
            found = notebooks.find(connection, one, lock=True)
            assert found is not None
            frozen = lifecycle.apply(found.notebook, Event.FREEZE, hosted.clock())
            notebooks.save(connection, found, frozen, due_at=hosted.clock())

    hosted.database.write_now(write)


def end_pauses(hosted: Hosted) -> None:
    """What is to be tried again is so at once."""
    now = hosted.clock()
    later = update(instances).where(instances.c.due_at > now)
    hosted.database.write_now(lambda connection: connection.execute(later.values(due_at=now)))


SENT = """fields => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = location.pathname.split("/").slice(0, 3).join("/") + "/bulk";
    const word = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
    for (const [name, value] of [["csrf", word], ...fields]) {
        const input = document.createElement("input");
        input.name = name;
        input.value = value;
        form.append(input);
    }
    document.body.append(form);
    form.submit();
}"""


def choose(seat: Seat, *fields: tuple[str, str]) -> None:
    """What the list of notebooks sends: to the preview."""
    seat.go("bulk")
    with seat.page.expect_navigation():
        seat.page.evaluate(SENT, [list(one) for one in fields])


def table(seat: Seat, name: str) -> list[list[str]]:
    """Read at once: the page may be about to replace it."""
    told = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))"
    rows: list[list[str]] = seat.page.locator(f"table.{name} tbody tr").evaluate_all(told)
    return [[" ".join(cell.split()) for cell in row] for row in rows]


def filters(seat: Seat, name: str) -> list[str]:
    found = seat.page.get_by_role("navigation", name=name, exact=True).locator("a").all_inner_texts()
    return [" ".join(one.split()) for one in found]


def test_500_are_stopped_and_what_does_not_stop_says_why(
    sit: Sit, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = replace(administrator_of(hosted), clock=hosted.clock)
    stuck = fill(hosted, chief, (25, "locked", "RUNNING"))
    fill(hosted, chief, (475, "early", "RUNNING"), (12, "quiet", "STOPPED"), (3, HOSTILE, "FROZEN"))
    scripted = hosted.runtime.world.scripted
    scripted.update(dict.fromkeys(stuck, Behaviour(stop_fail_reason=CAUSE)))
    seat = sit(chief)

    choose(seat, ("action", "stop"), ("every", "yes"), ("query", "tags=course%7Cml"))
    page = seat.page
    assert page.inner_text("h1") == "Stop 500 notebooks"
    assert [row[:3] for row in table(seat, "kept")] == [
        ["12", "Its status does not allow it", "Stopped"],
        ["3", "Its status does not allow it", "Frozen"],
    ]
    page.click("table.kept summary >> nth=1")
    assert page.locator("table.kept a >> visible=true").all_inner_texts() == [HOSTILE.strip()] * 3
    seat.accessible()
    seat.pictures_of("bulk-preview")
    assert how_many(chief, "RUNNING") == 500

    choose(seat, ("action", "stop"), ("every", "yes"), LISTED)
    assert page.inner_text("h1") == "Stop 500 notebooks"
    assert table(seat, "kept") == []
    hosted.bulk_may_go_on.clear()
    page.click("main button")
    page.wait_for_url("**/bulk/*-*")
    assert filters(seat, "Results") == ["All 500", "Pending 500"]
    hosted.bulk_may_go_on.set()
    page.wait_for_selector("#only-done")
    hosted.bulk_may_go_on.clear()
    seat.accessible()
    seat.pictures_of("bulk-running")
    page.reload()
    assert page.inner_text("#said strong") == "Running"
    hosted.bulk_may_go_on.set()
    page.wait_for_selector("#said strong:text-is('Ended')", timeout=60_000)
    assert page.inner_text("#said span") == "500 of 500 settled"
    assert filters(seat, "Results") == ["All 500", "Done 500"]

    # Done is what was asked for; the page goes on until all of it is true.
    expect(page.locator("#now-STOPPED")).to_have_text("Stopped 475")
    assert filters(seat, "By now") == ["Stopped 475", "Stopping 25"]
    page.click("#later")
    page.wait_for_url("**offset=100")
    assert page.inner_text(".pager span") == "101 to 200 of 500"
    page.click("#now-STOPPING")
    expect(page.locator("#now-STOPPING")).to_have_attribute("aria-current", "page")
    reason = f"It is being tried again: {CAUSE}"
    assert [row[:4] for row in table(seat, "outcomes")] == [["locked", "Done", "Stopping", reason]] * 25
    shown = page.locator("table.outcomes a").evaluate_all("all => all.map(one => one.id)")
    assert sorted(shown) == sorted(f"row-{one}" for one in stuck)
    seat.accessible()
    seat.pictures_of("bulk-stuck")
    page.evaluate("window.isTheSame = true")
    last = stuck.pop()
    for one in stuck:
        del scripted[one]
    end_pauses(hosted)
    expect(page.locator("#now-STOPPED")).to_have_text("Stopped 499", timeout=60_000)
    assert [row[:4] for row in table(seat, "outcomes")] == [["locked", "Done", "Stopping", reason]]

    # What stays in motion is not looked at for ever without being asked to.
    monkeypatch.setattr(bulk_page, "FOLLOWED", 0)
    expect(page.locator("#again")).to_have_text("Look again")
    assert page.get_attribute("#bulk", "hx-trigger") is None
    assert page.evaluate("window.isTheSame") is True
    scripted.clear()
    end_pauses(hosted)
    chief.until(last, "STOPPED")
    page.click("#again")
    expect(page.locator("#now-STOPPED")).to_have_text("Stopped 500")
    assert filters(seat, "By now") == ["Stopped 500", "Stopping 0"]
    assert page.inner_text("#bulk .empty") == "None of them has this status by now."
    assert page.get_attribute("#bulk", "hx-trigger") is None
    page.click("#now-STOPPED")
    expect(page.locator("#now-STOPPED")).to_have_attribute("aria-current", "page")
    assert {tuple(row[1:4]) for row in table(seat, "outcomes")} == {("Done", "Stopped", "")}
    seat.accessible()
    seat.pictures_of("bulk-ended")
    assert [how_many(chief, status) for status in ("RUNNING", "STOPPING", "STOPPED")] == [0, 0, 512]


def test_what_leaves_the_list_before_its_turn_is_left_alone(sit: Sit, hosted: Hosted) -> None:
    chief = replace(administrator_of(hosted), clock=hosted.clock)
    late = fill(hosted, chief, (5, "late", "RUNNING"))
    fill(hosted, chief, (20, "early", "RUNNING"))
    seat = sit(chief)
    page = seat.page
    choose(seat, ("action", "stop"), ("every", "yes"), LISTED)
    assert page.inner_text("h1") == "Stop 25 notebooks"
    hosted.bulk_may_go_on.clear()
    page.click("main button")
    page.wait_for_url("**/bulk/*-*")
    assert filters(seat, "Results") == ["All 25", "Pending 25"]
    freeze(hosted, late)
    hosted.bulk_may_go_on.set()
    page.wait_for_selector("#said strong:text-is('Ended')")
    assert filters(seat, "Results") == ["All 25", "Done 20", "Skipped 5"]
    expect(page.locator("#now-STOPPED")).to_have_text("Stopped 20")
    assert filters(seat, "By now") == ["Stopped 20"]
    page.click("#only-skipped")
    left = ["late", "Skipped", "", "It left the list meanwhile"]
    assert [row[:4] for row in table(seat, "outcomes")] == [left] * 5
    shown = page.locator("table.outcomes a").evaluate_all("all => all.map(one => one.id)")
    assert sorted(shown) == sorted(f"row-{one}" for one in late)


def how_many(caller: Caller, status: str) -> int:
    return caller.get("", {"limit": 1, "status": status}).json["total"]


def test_what_is_deleted_is_confirmed_by_its_number(sit: Sit, hosted: Hosted) -> None:
    member = member_of(hosted, name="grace")
    ids = fill(hosted, member, (3, "old", "STOPPED"), (1, "busy", "FROZEN"))
    foreign = fill(hosted, administrator_of(hosted), (1, "not yours", "STOPPED"))
    seat = sit(member)
    page = seat.page
    choose(seat, ("action", "delete"), *(("id", one) for one in [*ids, *foreign]))
    assert page.inner_text("main button") == "Delete 3 notebooks"
    assert [row[:3] for row in table(seat, "kept")] == [
        ["1", "Its status does not allow it", "Frozen"],
        ["1", "It is not there", ""],
    ]
    page.fill("input[name=typed]", "4")
    page.click("main button")
    assert page.evaluate("document.querySelector('input[name=typed]').validity.patternMismatch") is True
    seat.pictures_of("bulk-delete")
    page.fill("input[name=typed]", "3")
    page.click("main button")
    page.wait_for_url("**/bulk/*-*")
    page.wait_for_selector("#said strong:text-is('Ended')")
    assert filters(seat, "Results") == ["All 5", "Done 3", "Skipped 2"]
    expect(page.locator("#now-DELETED")).to_have_text("Deleted 3")
    assert Counter(tuple(row[1:4]) for row in table(seat, "outcomes")) == {
        ("Done", "Deleted", ""): 3,
        ("Skipped", "", "Its status does not allow it"): 1,
        ("Skipped", "", "It is not there"): 1,
    }
    for one in ids[:3]:
        member.gone(one)
    assert member.get(f"/{ids[3]}").json["status"] == "FROZEN"

    # Called off before anything of it was done.
    choose(seat, ("action", "tag"), ("id", ids[3]))
    seat.accessible()
    seat.page.fill("input[name=key]", "team")
    seat.page.fill("input[name=value]", "a/b")
    seat.page.click("button.main")
    assert page.inner_text("main h1") == "Tag 0 notebooks"
    more = fill(hosted, member, (2, "new", "RUNNING"))
    choose(seat, ("action", "extend"), ("duration", "8"), *(("id", one) for one in more))
    hosted.bulk_may_go_on.clear()
    page.click("main button")
    page.wait_for_url("**/bulk/*-*")
    page.click("#cancel")
    page.wait_for_selector("#only-cancelled")
    hosted.bulk_may_go_on.set()
    assert page.inner_text("#said strong") == "Called off"
    seat.go("bulk")
    assert [row[:3] for row in table(seat, "actions")] == [
        ["Extend 2 notebooks", "Called off", "Called off 2"],
        ["Delete 5 notebooks", "Ended", "Done 3 Skipped 2"],
    ]
    seat.accessible()
    seat.pictures_of("bulk-recent")
    form = {"csrf": csrf(seat), "action": "explode", "id": more[0]}
    refused = page.request.post(
        f"{seat.base}/bulk", form=form, headers={"Origin": seat.base.partition("/con")[0]}
    )
    assert refused.status == 400
    assert "The field action is explode; allowed: delete, extend, start, stop, tag." in refused.text()


def csrf(seat: Seat) -> str:
    headers = seat.page.get_attribute("body", "hx-headers")
    return json.loads(headers or "")["X-CSRF-Token"]

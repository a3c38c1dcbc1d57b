"""The list of notebooks with a browser: finding, sorting, paging, choosing, acting, rows that stay true."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from nbfleet.domain.access import Role
from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.services import lists, roles
from nbfleet.store import notebooks
from nbfleet.store.database import Connection
from nbfleet.store.directory import Directory
from nbfleet.wire import errors
from support import make
from support.client import Caller
from support.console import Seat, turned
from support.hosted import Hosted
from support.service import wait_for

Sit = Callable[..., Seat]
COUNT = 60
HOSTILE = "<img src=x onerror=alert(1)>\u202e&quot;" + "x" * 300


@dataclass
class Site:
    """A project with sixty notebooks of ada's, and one of bob's whose texts mean harm."""

    administrator: Caller
    ada: Caller
    ids: list[str]
    hostile: str


@pytest.fixture(scope="module")
def site(hosted: Hosted) -> Site:
    hosted.project("list")
    root = hosted.user("root", "list", Role.ADMINISTRATOR)
    ada, bob = hosted.user("ada.list", "list"), hosted.user("<b>bob</b>\u202e", "list")
    image, now, ids = root.image_id(), hosted.clock.now, [make.notebook_id() for _ in range(COUNT + 1)]

    def add(connection: Connection, number: int, owner: Caller, **fields: Any) -> None:
        at = now - 3_600_000 + number * 1000
        values = {"wanted": Wanted.STOPPED, "observed": Observed.STOPPED, "image_id": image, "create_at": at}
        made = make.notebook(
            id=ids[number], project_id=root.project_id, owner_id=owner.user_id, update_at=at,
            **values | fields,
        )  # fmt: skip
        notebooks.add(connection, Directory(), made, at)

    def write(connection: Connection) -> None:
        for number in range(COUNT):
            tags = (("team", "vision"),) if number % 2 else ()
            failed = {"wanted": Wanted.RUNNING, "observed": Observed.ERROR} if number % 10 == 0 else {}
            add(connection, number, ada, name=f"train-{number:02}", tags=tags, **failed)
        add(connection, COUNT, bob, name=HOSTILE, description=HOSTILE, tags=((HOSTILE[:100], HOSTILE[:200]),))

    hosted.database.write_now(write)
    return Site(root, ada, ids, ids[COUNT])


def lists_names(page: Page, names: list[str]) -> None:
    """Waits until these are in the list, in this order."""
    expect(page.locator("#fleet tbody th")).to_have_text(names)


def told(page: Page) -> dict[str, str]:
    """What the address says."""
    return dict(parse_qsl(urlsplit(page.url).query))


def shows(page: Page, total: int) -> None:
    expect(page.locator("#total")).to_have_text(f"{total} notebook{'' if total == 1 else 's'}")


def complaints_about(seat: Seat) -> list[str]:
    """The statuses that Chromium complained about, as it does about every page that is refused; forgets
    them."""
    found = [one.rpartition("status of ")[2] for one in seat.complaints]
    seat.complaints.clear()
    return found


def numbered(*numbers: int) -> list[str]:
    return [f"train-{number:02}" for number in numbers]


def test_searching_sorting_and_paging_are_in_the_address(sit: Sit, site: Site) -> None:
    seat = sit(site.administrator)
    page = seat.page
    seat.go("notebooks")
    shows(page, COUNT + 1)
    expect(page.locator("#fleet tbody tr")).to_have_count(25)
    expect(page.locator("#count-ERROR")).to_have_text("6")
    expect(page.locator("#count-STOPPED")).to_have_text("55")
    expect(page.locator(".chip:visible")).to_have_count(4)

    page.get_by_label("Part of the name").press_sequentially("train-1")
    shows(page, 10)
    lists_names(page, numbered(19, 18, 17, 16, 15, 14, 13, 12, 11, 10))
    assert told(page) == {"name": "train-1"}
    expect(page.locator("#count-ERROR")).to_have_text("1")
    expect(page.locator("#count-STOPPED")).to_have_text("9")

    page.click(".chip:has-text('Error')")
    shows(page, 1)
    assert told(page) == {"name": "train-1", "status": "ERROR"}
    page.reload()
    lists_names(page, numbered(10))
    assert page.locator("[name=status]:checked").evaluate_all("all => all.map(one => one.value)") == ["ERROR"]
    page.click("text=Clear the filters")
    shows(page, COUNT + 1)

    page.get_by_role("textbox", name="Owner", exact=True).fill("ada")
    shows(page, COUNT)
    page.locator("#sort-name").press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Name")
    assert told(page) == {"username": "ada", "sort_key": "name", "sort_dir": "ASC"}
    lists_names(page, numbered(*range(25)))
    assert page.evaluate("document.activeElement.id") == "sort-name"
    page.click("#next")
    expect(page.locator("#page")).to_have_value("2")
    lists_names(page, numbered(*range(25, 50)))
    page.fill("#page", "3")
    page.press("#page", "Enter")
    expect(page.locator("#page")).to_have_value("3")
    lists_names(page, numbered(*range(50, 60)))
    assert told(page)["offset"] == "50"
    page.click("#first")
    expect(page.locator("#page")).to_have_value("1")
    page.go_back()
    expect(page.locator("#page")).to_have_value("3")
    lists_names(page, numbered(*range(50, 60)))
    seat.go("notebooks?offset=500")
    page.click("text=To the last page")
    expect(page.locator("#page")).to_have_value("3")
    seat.accessible()


def test_columns_sizes_times_and_exports(sit: Sit, site: Site) -> None:
    seat = sit(site.administrator)
    page = seat.page
    seat.go("notebooks?name=train&sort_dir=ASC")
    page.click("summary:has-text('View')")
    page.get_by_label("Pool", exact=True).and_(page.locator("[type=checkbox]")).uncheck()
    page.get_by_label("Id", exact=True).check()
    page.get_by_label("Rows on a page").select_option("50")
    expect(page.locator("#fleet tbody tr")).to_have_count(50)
    heads = ["Name", "State", "Owner", "Flavor", "Workspace", "Created", "Stops", "Tags", "Id"]
    assert page.locator("#fleet thead th:not(.pick)").all_inner_texts()[:-1] == heads
    assert told(page) == {"name": "train", "sort_dir": "ASC", "limit": "50"}
    expect(page.locator("#fleet tbody code")).to_have_text(site.ids[:50])

    page.click("text=More filters")
    local = page.evaluate(
        "at => new Date(at - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 16)",
        seat.hosted.clock.now + 3_600_000,
    )
    page.get_by_label("Created from").fill(local)
    expect(page.locator("h2:has-text('Nothing matches')")).to_be_visible()
    page.reload()
    assert page.get_by_label("Created from").input_value() == local
    page.get_by_label("Created from").fill("")
    shows(page, COUNT)
    for form, lines in (("CSV", COUNT + 1), ("NDJSON", COUNT)):
        with page.expect_download() as started:
            page.click(f"#results >> text=/^{form}$/")
        text = started.value.path().read_text(encoding="utf-8-sig")
        found = re.findall(r"train-\d\d", text)
        assert (found, len(text.splitlines())) == (numbered(*range(COUNT)), lines)


def test_what_means_harm_is_shown_and_does_none(sit: Sit, site: Site) -> None:
    seat = sit(site.administrator)
    seat.go("notebooks?tags=" + "%3Cimg")
    expect(seat.page.locator("h2")).to_have_text(["Nothing matches"])
    seat.go("notebooks?limit=1")
    assert seat.page.locator("#fleet tbody th").all_text_contents() == [HOSTILE]
    assert seat.page.locator("#fleet td:has([data-part=owner])").inner_text() == "<b>bob</b>\u202e"
    assert seat.page.locator("#fleet img").count() == 0
    seat.page.click("[data-part=owner]")
    shows(seat.page, 1)
    assert seat.page.get_by_label("Owner id").is_visible()
    seat.go("notebooks?description=%3Cb%3E")
    assert "description" in seat.page.inner_text("#results")
    assert complaints_about(seat) == ["400 (Bad Request)"]


def test_a_refused_search_keeps_the_list_and_says_why(
    sit: Sit, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat = sit(site.administrator)
    page = seat.page
    seat.go("notebooks?name=train-0")
    page.fill("[type=search]", "a name")
    expect(page.locator("#trouble")).to_contain_text("The parameter name is a name; allowed:")
    lists_names(page, numbered(*range(9, -1, -1)))
    assert told(page) == {"name": "train-0"}

    real = lists.answer

    async def slow(*_arguments: Any) -> Any:
        raise errors.too_slow(2, 2)

    monkeypatch.setattr(lists, "answer", slow)
    page.fill("[type=search]", "train-2")
    expect(page.locator("#trouble")).to_contain_text("That search takes too long")
    monkeypatch.setattr(lists, "answer", real)
    lists_names(page, numbered(*range(29, 19, -1)))  # It is tried once more by itself.
    assert told(page) == {"name": "train-2"}
    expect(page.locator("#trouble")).to_be_empty()

    monkeypatch.setattr(lists, "answer", slow)
    page.fill("[type=search]", "train-3")
    expect(page.locator("#trouble")).to_contain_text("once more")
    expect(page.locator("#trouble")).not_to_contain_text("once more")
    lists_names(page, numbered(*range(29, 19, -1)))
    assert told(page) == {"name": "train-2"}
    seat.accessible()
    seat.pictures_of("fleet-slow")


def test_rows_change_while_one_looks_and_nothing_jumps(sit: Sit, site: Site) -> None:
    seat = sit(site.ada)
    page = seat.page
    made = site.ada.stopped(name="live-one")["id"]
    seat.go("notebooks?name=live")
    row = page.locator(f"#row-{made}")
    expect(row.locator(".state")).to_have_text("Stopped")
    row.locator("[data-part=pick]").check()
    row.locator("[data-part=name]").focus()
    assert site.ada.post(f"/{made}/start").status == 200
    expect(row.locator(".state")).to_have_text("Running")
    assert row.locator("[data-part=pick]").is_checked()
    assert page.evaluate("document.activeElement.dataset.part") == "name"
    assert page.locator(f"#row-{made}.fresh").count() == 1

    row.get_by_role("button", name="Stop live-one").press("Enter")
    expect(row.locator(".state")).to_have_text("Stopped")
    row.get_by_role("button", name="Start live-one").click()
    expect(row.locator(".state")).to_have_text("Running")

    other = site.ada.create(name="live-two")["id"]
    expect(page.locator("#changed")).to_contain_text("Now 2 notebooks match.", timeout=30_000)
    lists_names(page, ["live-one"])
    page.click("text=Load anew")
    lists_names(page, ["live-two", "live-one"])
    site.ada.until(other, "RUNNING")
    for one in (made, other):
        assert site.ada.delete(f"/{one}").status == 200
    expect(page.locator("#fleet .state")).to_have_text(["Deleted", "Deleted"])


def test_a_hidden_page_is_not_kept_up_to_date_and_right_once_it_is_seen(
    sit: Sit, site: Site, hosted: Hosted
) -> None:
    ada = site.ada
    running, stopped = ada.running(name="tab-running")["id"], ada.stopped(name="tab-stopped")["id"]
    removed = ada.stopped(name="tab-removed")["id"]
    seat = sit(ada)
    page = seat.page
    seat.go("notebooks?name=tab-")
    states = page.locator("#fleet .state")
    expect(states).to_have_text(["Stopped", "Stopped", "Running"])
    page.locator(f"#row-{stopped} [data-part=pick]").check()
    page.evaluate("window.asItWas = true")
    turned(page, hidden=True)
    wait_for("nobody to look", lambda: not hosted._live._watches)
    assert ada.post(f"/{running}/stop").status == 200
    assert ada.post(f"/{stopped}/start").status == 200
    assert ada.delete(f"/{removed}").status == 200
    created = [ada.running(name=f"tab-created-{number}")["id"] for number in range(2)]
    ada.until(running, "STOPPED")
    ada.until(stopped, "RUNNING")
    ada.gone(removed)
    expect(states).to_have_text(["Stopped", "Stopped", "Running"])
    turned(page, hidden=False)
    expect(states).to_have_text(["Deleted", "Running", "Stopped"])
    assert page.locator(f"#row-{stopped} [data-part=pick]").is_checked()
    # What was made meanwhile is no row, but the page says that the list is another one.
    expect(page.locator("#changed")).to_contain_text("Now 4 notebooks match.", timeout=30_000)
    assert page.evaluate("window.asItWas")
    for one in (*created, running, stopped):
        assert ada.delete(f"/{one}").status == 200


def test_a_selection_is_sent_as_ids_or_as_the_query(sit: Sit, site: Site) -> None:
    seat = sit(site.administrator)
    page, sent = seat.page, list[dict[str, list[str]]]()

    def kept(route: Any) -> None:
        form: dict[str, list[str]] = {}
        for name, value in parse_qsl(route.request.post_data):
            form.setdefault(name, []).append(value)
        sent.append(form)
        route.fulfill(status=204)

    page.route("**/bulk", kept)
    seat.go("notebooks?name=train&sort_dir=ASC")
    assert page.locator("#bulk").is_hidden()
    for number in (0, 1):
        page.locator("#fleet [name=id]").nth(number).focus()
        page.keyboard.press("Space")
    assert page.inner_text("#selected") == "2 selected"
    seat.accessible()
    seat.pictures_of("fleet-selected")
    with page.expect_request("**/bulk"):
        page.get_by_role("button", name="Stop", exact=True).click()
    page.check("#select-page")
    page.click("#all-matching")
    assert page.inner_text("#selected") == "All 60 that match are selected"
    with page.expect_request("**/bulk"):
        page.get_by_role("button", name="Extend", exact=True).click()
    assert [set(form) for form in sent] == [
        {"csrf", "action", "id", "query"},
        {"csrf", "action", "every", "query"},
    ]
    assert (sent[0]["action"], sent[0]["id"]) == (["stop"], site.ids[:2])
    assert (sent[1]["action"], sent[1]["every"]) == (["extend"], ["yes"])
    assert [form["query"] for form in sent] == [["workspace_id=%2A&feature=%2A&name=train"]] * 2
    page.locator("#fleet [name=id]").nth(3).uncheck()
    assert page.inner_text("#selected") == "24 selected"
    page.click("text=Select none")
    assert page.locator("#bulk").is_hidden()


TOLD = """
([url, count]) => new Promise((resolve) => {
  const source = new EventSource(url), told = [];
  for (const name of ["row", "gone"]) {
    source.addEventListener(name, (event) => {
      told.push([name, JSON.parse(event.data).id]);
      if (told.length < count) return;
      source.close();
      resolve(told);
    });
  }
})
"""


def test_nobody_is_told_of_rows_that_they_may_not_see(sit: Sit, site: Site) -> None:
    unknown = make.notebook_id()
    ids = sorted([*site.ids[:2], site.hostile, unknown])
    for caller, seen in ((site.ada, {*site.ids[:2]}), (site.administrator, {*ids} - {unknown})):
        seat = sit(caller)
        told = seat.page.evaluate(TOLD, [f"{seat.base}/notebooks/live?ids={','.join(ids)}", len(ids)])
        assert told == [["row" if one in seen else "gone", one] for one in ids]


def test_members_see_their_own_and_empty_lists_say_what_to_do(sit: Sit, site: Site, hosted: Hosted) -> None:
    hosted.project("empty")
    guest = hosted.user(
        "guest", "empty", hosted.database.write_now(roles.add, "guest", ["modelarts:image:list"])
    )
    newcomer = sit(hosted.user("newcomer", "list"))
    newcomer.go("notebooks")
    assert newcomer.page.inner_text("#results h2") == "No notebooks yet"
    create = newcomer.page.get_by_role("link", name="Create the first one")
    assert create.get_attribute("href") == f"/console/{site.ada.project_id}/notebooks/new"
    newcomer.accessible()
    newcomer.pictures_of("fleet-none")

    ada = sit(site.ada)
    ada.go("notebooks?owner=" + site.administrator.user_id)
    shows(ada.page, COUNT)
    assert ada.page.get_by_label("Owner").count() == 0
    ada.go("notebooks")
    ada.accessible()
    ada.pictures_of("fleet")

    stranger = sit(guest)
    stranger.go("notebooks")
    assert stranger.page.inner_text("#results h2") == "You may not see notebooks here"
    # Nor by the way that keeps rows up to date, not even one of theirs.
    address = f"{stranger.base}/notebooks/live?ids={make.notebook_id()}"
    kept = stranger.page.request.get(address, headers={"Accept": "text/event-stream"})
    assert (kept.status, kept.body()) == (204, b"")
    stranger.pictures_of("fleet-forbidden")
    assert complaints_about(stranger) == ["403 (Forbidden)"] * 2  # The first page as well.

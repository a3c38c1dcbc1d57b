"""The first page: the fleet drawn for administrators, for members their own notebooks, for all a way in."""

from collections.abc import Callable

import pytest

from nbfleet.domain.history import HOUR
from support.client import Caller
from support.console import Seat
from support.hosted import Hosted
from support.made_history import Made, make_history

Sit = Callable[..., Seat]
# Where a line is on the screen, in its middle: that of the box around it may be beside it.
MIDDLE = """path => {
    const middle = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
    return [middle.x, middle.y];
}"""


@pytest.fixture(scope="module")
def made(hosted: Hosted, member: Caller) -> Made:
    return make_history(hosted, member)


def figures(seat: Seat, selector: str) -> list[list[str]]:
    """The text of each element, line by line."""
    return [text.split("\n") for text in seat.page.locator(selector).all_inner_texts()]


def hrefs(seat: Seat, selector: str) -> list[str]:
    found = seat.page.locator(selector).evaluate_all("all => all.map(one => one.getAttribute('href'))")
    return [one.removeprefix(f"/console/{seat.caller.project_id}") for one in found]


def test_a_new_fleet_has_one_way_in(sit: Sit, member: Caller) -> None:
    seat = sit(member)
    assert seat.page.inner_text(".first h2") == "There is no notebook here yet"
    assert hrefs(seat, ".first a") == ["/notebooks/new"]
    assert seat.page.locator(".overview").count() == 0
    seat.accessible()
    seat.pictures_of("overview-empty")


def test_an_administrator_sees_the_fleet_over_time(
    sit: Sit, hosted: Hosted, member: Caller, made: Made
) -> None:
    seat = sit(hosted.administrator())
    everything = "feature=*&workspace_id=*"
    assert figures(seat, ".tile") == [
        ["All notebooks", "4"],
        ["Running", "2"],
        ["Create failed", "1"],
        ["Stopped", "1"],
    ]
    assert hrefs(seat, ".tile") == [
        f"/notebooks?{everything}",
        *(f"/notebooks?status={s}&{everything}" for s in ("RUNNING", "CREATE_FAILED", "STOPPED")),
    ]
    seat.page.wait_for_selector("#part-running .bars")
    assert figures(seat, "#part-running .card") == [
        ["By flavor", "modelarts.vm.cpu.1u", "2"],
        ["By pool", "In no pool", "2"],
        ["By owner", member.name, "2"],
    ]
    assert hrefs(seat, "#part-running a")[2] == (
        f"/notebooks?status=RUNNING&owner={member.user_id}&{everything}"
    )
    reasons = [row[:2] for row in figures(seat, ".pair .card:not(.chart) li")]
    assert reasons == [["no room", "5"], ["It was not ready within 300 seconds.", "3"]]
    assert seat.page.locator("#part-time figure:nth-child(1) .area").count() == 4
    drawn = seat.page.locator("#part-time .plot p").last.text_content()
    assert drawn == (
        f"Starts and failures by the hour. {made.ready} starts came to be ready, {made.failed} failed."
    )
    assert [row[0] for row in figures(seat, "#part-soon tbody tr td:first-child")] == made.stopping
    seat.accessible()
    seat.pictures_of("overview")
    seat.page.locator("#part-time details summary").nth(0).click()
    heads = seat.page.locator("#part-time details table").nth(0).locator("thead th").all_inner_texts()
    assert heads == ["Time", "Running", "In motion", "Failed", "Frozen", "Stopped"]
    seat.picture("overview-table")


def test_what_is_drawn_is_a_door(sit: Sit, hosted: Hosted, made: Made) -> None:
    seat = sit(hosted.administrator())
    everything = "feature=*&workspace_id=*"
    moving = "INIT,CREATING,STARTING,STOPPING,DELETING,SNAPSHOTTING"
    failed = "CREATE_FAILED,START_FAILED,DELETE_FAILED,ERROR"
    assert hrefs(seat, "#part-time figure >> nth=0 >> .plot a") == [
        f"/notebooks?status={status}&{everything}" for status in ("RUNNING", moving, failed, "STOPPED")
    ]

    def within(status: str, before: int) -> str:
        since = made.hour - before * HOUR
        window = f"updated_since={since}&updated_until={since + HOUR}"
        return f"/notebooks?status={status}&{window}&{everything}"

    assert hrefs(seat, ".hour a.failed") == [within(failed, 4), within(failed, 3)]
    assert hrefs(seat, ".hour a.running")[-2:] == [within("RUNNING", 2), within("RUNNING", 1)]
    # For keyboards the same doors stand beside it, and only those.
    assert seat.page.locator("svg a:not([tabindex='-1'])").count() == 0
    table = "#part-time figure:has(.hour) tbody a"
    assert sorted(hrefs(seat, table)) == sorted(hrefs(seat, ".hour a"))

    seat.page.mouse.click(*seat.page.locator(".edge.failed").first.evaluate(MIDDLE))
    seat.page.wait_for_url(f"**/notebooks?status={failed}&*")
    assert seat.page.locator("#fleet tbody th").all_inner_texts() == ["failing"]
    seat.go("")
    seat.page.locator(".hour a.failed .bar").first.click()
    seat.page.wait_for_url(f"**/notebooks?status={failed}&updated_since*")
    assert seat.page.inner_text("#results h2") == "Nothing matches"
    seat.go("")
    seat.page.locator("#part-running .bars svg").first.click(force=True)
    seat.page.wait_for_url("**/notebooks?status=RUNNING&flavor=*")
    assert seat.page.locator("#fleet tbody th").all_inner_texts() == ["first", "second"]


def test_the_page_follows_what_happens(sit: Sit, hosted: Hosted, member: Caller) -> None:
    seat = sit(hosted.administrator())
    before = int(seat.page.inner_text(".tile >> nth=0").split("\n")[1])
    made = member.running(name="later")
    seat.page.wait_for_function(
        "wanted => document.querySelector('.tile strong').textContent === wanted", arg=str(before + 1)
    )
    member.delete(f"/{made['id']}")


def test_a_member_sees_and_starts_their_own(sit: Sit, hosted: Hosted, member: Caller) -> None:
    other = hosted.user(f"other-{member.name}", hosted.settings.project)
    stopped = other.running(name="mine")
    other.post(f"/{stopped['id']}/stop")
    other.until(stopped["id"], "STOPPED")
    seat = sit(other)
    assert figures(seat, ".tile") == [["All notebooks", "1"], ["Stopped", "1"]]
    assert seat.page.locator("#part-time, #part-running, #part-room").count() == 0
    seat.page.click("#part-mine button")
    other.until(stopped["id"], "RUNNING")
    seat.page.wait_for_selector("#part-mine a.button")
    opened = other.get(f"/{stopped['id']}").json
    assert hrefs(seat, "#part-mine a.button") == [f"/notebooks/{stopped['id']}/open"]
    assert opened["token"] not in seat.page.request.get(seat.base).text()
    for part in ("time", "room"):
        assert seat.page.request.get(f"{seat.base}/overview/{part}").text().strip() == ""
    seat.accessible()
    seat.pictures_of("overview-member")


def test_the_page_speaks_chinese(sit: Sit, hosted: Hosted) -> None:
    seat = sit(hosted.administrator(), language="zh-CN")
    assert seat.page.inner_text("h1").split()[0] == "概览"
    seat.page.wait_for_selector("#part-running .bars")
    seat.accessible()
    seat.pictures_of("overview-zh")

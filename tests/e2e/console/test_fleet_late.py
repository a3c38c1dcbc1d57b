"""What comes in late: the list of notebooks shows nothing that was asked for a table that is gone."""

from collections.abc import Callable

from playwright.sync_api import expect

from support.client import Caller
from support.console import Seat
from support.service import wait_for

# Keeps the connections that the page opens where a test finds them.
KEPT = """
(() => {
  window.opened = [];
  const Real = EventSource;
  window.EventSource = class extends Real {
    constructor(...all) { super(...all); window.opened.push(this); }
  };
})()
"""
TOLD_LATE = """id => {
  const html = `<tr id="row-${id}" data-mark="old"><td><input name="id"></td></tr>`;
  const tell = (kind, told) => {
    opened[0].dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(told) }));
  };
  tell("row", { id, html });
  tell("gone", { id });
  tell("total", { text: "old", total: 1 });
}"""


def test_rows_of_a_table_that_is_gone_are_passed_over(sit: Callable[..., Seat], member: Caller) -> None:
    made = member.stopped(name="late")["id"]
    seat = sit(member)
    page = seat.page
    page.add_init_script(KEPT)
    seat.go("notebooks?name=late")
    page.click("summary:has-text('View')")
    page.get_by_label("Id", exact=True).check()
    wait_for("the new table to listen", lambda: page.evaluate("opened.length") >= 2)
    expect(page.locator("#fleet tbody code")).to_have_text([made])
    page.evaluate(TOLD_LATE, made)
    assert page.locator("#fleet tbody code").all_inner_texts() == [made]
    assert page.locator("#fleet tr.gone").count() == 0
    assert page.locator("#changed").is_hidden()


def test_rows_keep_the_columns_of_their_table(sit: Callable[..., Seat], member: Caller) -> None:
    made = member.stopped(name="columns")["id"]
    seat = sit(member)
    page = seat.page
    seat.go("notebooks?name=columns")
    cells = page.locator(f"#row-{made} td, #row-{made} th")
    before = page.locator("#fleet thead th").count()
    expect(cells).to_have_count(before)
    other = page.context.new_page()
    other.goto(page.url)
    other.click("summary:has-text('View')")
    other.get_by_label("Id", exact=True).check()
    expect(other.locator("#fleet tbody code")).to_have_text([made])

    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # It is looked at again.
    page.get_by_role("button", name="Start columns").click()
    expect(page.locator(f"#row-{made} .state")).to_have_text("Running")
    expect(cells).to_have_count(before)
    assert page.locator("#fleet tbody code").count() == 0

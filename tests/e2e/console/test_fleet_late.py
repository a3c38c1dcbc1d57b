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

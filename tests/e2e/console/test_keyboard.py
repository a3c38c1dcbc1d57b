"""The console by keyboard alone: every way can be gone, where one is can be seen, and nothing loses the
focus."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

from support.client import Caller
from support.console import Seat
from support.hosted import PASSWORD, Hosted

Sit = Callable[..., Seat]
# Whether what has the focus has a ring (that of its label where it is drawn by it), and nothing covers it.
SEEN = """() => {
    const one = document.activeElement, label = one.closest("label");
    const rings = [one, label].filter(Boolean).map(part => getComputedStyle(part));
    const box = one.getBoundingClientRect();
    const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return {
        what: one.outerHTML.slice(0, 200),
        has_ring: rings.some(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
        is_free: there !== null && [one, label].some(part => part?.contains(there) || there.contains(part)),
    };
}"""


@dataclass
class Keys:
    page: Page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def has(self, place: Locator) -> bool:
        return place.evaluate("one => one === document.activeElement")

    def to(self, place: Locator, *, most: int = 80, back: bool = False) -> None:
        """Steps there, in at most so many steps, each of which is seen."""
        passed: list[str] = []
        while not self.has(place):
            assert len(passed) < most, passed
            self.press("Shift+Tab" if back else "Tab")
            seen = self.page.evaluate(SEEN)
            passed.append(seen["what"])
            assert seen == {"what": seen["what"], "has_ring": True, "is_free": True}


def test_from_signing_in_to_an_action_on_many(sit: Sit, member: Caller) -> None:
    ids = [member.stopped(name=name)["id"] for name in ("keys-1", "keys-2", "other")]
    seat = sit(member)
    page, keys = seat.page, Keys(seat.page)
    who = page.locator(".who")
    keys.to(who)
    keys.press("Enter", "Tab", "Escape")
    assert keys.has(who)
    keys.press("Enter")
    keys.to(page.get_by_role("button", name="Sign out", exact=True))
    keys.press("Enter")
    page.wait_for_url("**/login")
    expect(page.locator("[name=name]")).to_be_focused()
    keys.type(member.name)
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url(f"{seat.base}/")
    keys.to(page.get_by_role("navigation").get_by_role("link", name="Notebooks", exact=True))
    keys.press("Enter")
    page.wait_for_url("**/notebooks")
    keys.to(page.get_by_role("link", name="Skip to the content"), most=1)
    keys.press("Enter")
    keys.to(page.locator("[type=search]"), most=2)
    keys.type("keys")
    expect(page.locator("#total")).to_have_text("2 notebooks")
    keys.to(page.locator("[name=status][value=STOPPED]"))
    keys.press("Space")
    page.wait_for_url("**/notebooks?name=keys&status=STOPPED")
    for one in ids[1::-1]:
        keys.to(page.locator(f"#row-{one} [name=id]"))
        keys.press("Space")
    bulk = page.locator("#bulk")
    keys.to(bulk.get_by_role("button", name="Select none"), back=True)
    seat.pictures_of("keyboard-bulk")
    keys.press("Enter")
    assert keys.has(page.locator("#select-page"))
    keys.press("Space")
    keys.to(bulk.get_by_role("button", name="Start"), back=True)
    keys.press("Enter")
    expect(page.locator("h1")).to_have_text("Start 2 notebooks")
    keys.to(page.locator("main button"))
    keys.press("Enter")
    for one in ids[:2]:
        member.until(one, "RUNNING")
    page.wait_for_url("**/bulk/*")
    keys.to(page.locator("main a").first)
    seat.accessible()


def test_the_life_of_a_notebook(sit: Sit, member: Caller, hosted: Hosted) -> None:
    one = member.running(name="keyed")
    seat = sit(member)
    page, keys = seat.page, Keys(seat.page)
    seat.go(f"notebooks/{one['id']}")
    state = page.locator("#head .state")
    stop, start = page.locator("#stop"), page.locator("#start")
    keys.to(stop)
    keys.press("Enter")
    expect(state).to_have_text("Stopped")
    keys.to(start, most=2)
    keys.press("Enter")
    expect(state).to_have_text("Running")
    keys.to(stop, most=2)
    summary = page.locator("summary:has-text('Delete it')")
    keys.to(summary)
    keys.press("Enter", "Tab", "Escape")
    assert keys.has(summary)
    expect(page.locator("details.confirm")).not_to_have_attribute("open", "")
    keys.press("Enter")
    typed, delete = page.locator("[name=typed]"), page.get_by_role("button", name="Delete", exact=True)
    keys.to(typed, most=1)
    keys.type("other")
    keys.to(delete, most=1)
    keys.press("Enter")
    said = page.locator("#notice > .notice > p")
    expect(said).to_have_text("This did not work The field name is other; allowed: keyed. ModelArts.6336")
    expect(said).to_be_in_viewport(ratio=1)
    assert keys.has(delete)
    seat.pictures_of("keyboard-delete")
    keys.to(typed, most=1, back=True)
    keys.press("ControlOrMeta+a")
    keys.type("keyed")
    keys.press("Enter")
    expect(page.locator("#notebook h1")).to_have_text("This notebook is not here")
    keys.to(page.get_by_role("link", name="To the notebooks"), most=1)
    keys.press("Enter")
    page.wait_for_url("**/notebooks")
    member.gone(one["id"])

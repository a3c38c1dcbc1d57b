"""The console as its users see it: a real Chromium on a service in the process of the test.

What a page complains about in its console, and what axe-core finds, is a fault of the page. Screenshots are
kept in `.screenshots`, which is no part of the repository.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from nbfleet.domain.access import Role
from nbfleet.services import identity
from support.client import Caller
from support.hosted import Hosted

PICTURES = Path(__file__).parents[2] / ".screenshots"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
# Colours on their way from one to another are those of neither: what ends by itself is waited for.
_STILL = """Promise.all(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime !== Infinity).map(one => one.finished))
    .then(() => null)"""
_AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Seat:
    """One user in front of a browser of its own."""

    page: Page
    hosted: Hosted
    caller: Caller
    complaints: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.hosted.port}/console/{self.caller.project_id}"

    def go(self, path: str) -> None:
        """To a page of the project; `path` is what follows the project in the address."""
        self.page.goto(f"{self.base}/{path}")

    def picture(self, name: str) -> None:
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def pictures_of(self, name: str) -> None:
        """Light, dark and narrow; ends light and wide. Only on SQLite: the pages are the same on both."""
        if not self.hosted.database.is_sqlite:
            return
        self.theme("light")
        self.picture(f"{name}-light")
        self.theme("dark")
        self.picture(f"{name}-dark")
        self.page.set_viewport_size(NARROW)
        self.theme("light")
        self.picture(f"{name}-narrow")
        assert self.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], (
            "it scrolls sideways"
        )
        self.page.set_viewport_size(WIDE)

    def theme(self, theme: str) -> None:
        self.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)

    def accessible(self) -> None:
        """Fails on anything that axe-core finds, in light and in dark. Only on SQLite, as pictures are."""
        for theme in ("light", "dark") if self.hosted.database.is_sqlite else ():
            self.theme(theme)
            found = self._violations()
            assert found == [], found
        self.theme("light")

    def _violations(self) -> list[Any]:
        # Handed to the page by the driver and not by a tag: the page's policy allows no foreign script.
        self.page.evaluate(_AXE)
        self.page.evaluate(_STILL)
        run = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
        return [
            (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]])
            for one in self.page.evaluate(run)
        ]


def link_for(hosted: Hosted, name: str) -> str:
    ticket = hosted.database.write_now(identity.new_login_link, hosted.context, name)
    return f"http://127.0.0.1:{hosted.port}/login?ticket={ticket}"


@contextmanager
def seat(browser: Browser, hosted: Hosted, caller: Caller, *, language: str = "en-GB") -> Iterator[Seat]:
    """`caller` signed in; on the way out, that Chromium found nothing to complain about."""
    context = browser.new_context(
        viewport=WIDE, locale=language, timezone_id="Asia/Shanghai", color_scheme="light"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    made = Seat(page, hosted, caller)
    page.on("console", lambda message: made.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda fault: made.complaints.append(str(fault)))
    page.goto(link_for(hosted, caller.name))
    page.click("main button")
    page.wait_for_url("**/console/**")
    yield made
    assert made.complaints == [], made.complaints
    context.close()


def turned(page: Page, *, hidden: bool) -> None:
    """As when another tab comes before it, or it comes to the front again."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def administrator_of(hosted: Hosted) -> Caller:
    return hosted.administrator()


def member_of(hosted: Hosted, name: str = "ada", role: Role = Role.MEMBER) -> Caller:
    return hosted.user(name, hosted.settings.project, role)

"""Signing in and out with a browser, and how pages look: language and appearance."""

from collections.abc import Callable

from playwright.sync_api import Browser

from support.client import Caller
from support.console import Seat, link_for
from support.hosted import PASSWORD, Hosted

Sit = Callable[..., Seat]


def test_a_password_lets_in_and_the_page_asked_for_is_shown(
    sit: Sit, hosted: Hosted, member: Caller, browser: Browser
) -> None:
    first = sit(member)
    first.page.click(".who")
    first.page.click("text=Sign out >> nth=0")
    first.page.wait_for_url("**/login")
    first.go("?by=name")
    first.page.fill("input[name=name]", member.name)
    first.page.fill("input[name=password]", PASSWORD)
    first.page.click("main button")
    first.page.wait_for_url(f"{first.base}/?by=name")
    assert first.page.inner_text("h1") == "Overview Your notebooks"


def test_a_wrong_password_is_told_and_the_name_is_kept(hosted: Hosted, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{hosted.port}/login")
    page.fill("input[name=name]", "<b>nobody</b>")
    page.fill("input[name=password]", "wrong")
    page.click("main button")
    assert page.inner_text(".bad") == "Name and password do not belong together, or the user is disabled."
    assert page.input_value("input[name=name]") == "<b>nobody</b>"
    page.close()


def test_signing_out_everywhere_ends_every_session(sit: Sit, member: Caller) -> None:
    here, there = sit(member), sit(member)
    here.page.click(".who")
    here.page.click("text=Sign out everywhere")
    here.page.wait_for_url("**/login")
    there.go("")
    assert there.page.url.endswith(f"/login?then=%2Fconsole%2F{member.project_id}%2F")


def test_language_and_appearance_are_chosen_and_kept(sit: Sit, member: Caller) -> None:
    seat = sit(member, language="zh-CN")
    assert seat.page.get_attribute("html", "lang") == "zh-Hans"
    assert seat.page.inner_text("h1") == "概览 我的 Notebook"
    seat.page.click("header summary >> nth=0")
    seat.page.click("button[value=en]")
    assert seat.page.inner_text("h1") == "Overview Your notebooks"
    seat.page.click("header summary >> nth=0")
    with seat.page.expect_response("**/look"):
        seat.page.click("button[value=dark]")
    assert seat.page.get_attribute("html", "data-theme") == "dark"
    seat.page.reload()
    assert seat.page.get_attribute("html", "data-theme") == "dark"
    assert seat.page.inner_text("h1") == "Overview Your notebooks"


def test_a_used_link_tells_what_to_do(sit: Sit, hosted: Hosted, member: Caller, browser: Browser) -> None:
    link = link_for(hosted, member.name)
    page = browser.new_page()
    for _ in range(2):
        page.goto(link)
        page.click("main button")
    assert page.inner_text("h1") == "This link no longer works"
    assert page.inner_text("pre") == "nbfleet user login NAME"
    page.close()


def test_the_sign_in_page_is_accessible_and_looks_right(sit: Sit, member: Caller) -> None:
    seat = sit(member)
    seat.page.context.clear_cookies()
    seat.page.goto(f"http://127.0.0.1:{seat.hosted.port}/login")
    seat.accessible()
    seat.pictures_of("sign-in")

"""Administration in a browser: people, what they may do and have, what there is to use, and one's own
account."""

from collections.abc import Callable

from playwright.sync_api import Page

from nbfleet.services import identity
from nbfleet.store import keyring, roles
from support import shelves
from support.client import Caller
from support.console import Seat, administrator_of
from support.hosted import PASSWORD, Hosted

Sit = Callable[..., Seat]
HOSTILE = "<b>mal</b>lory"


def press(page: Page, what: str) -> None:
    """Clicks on what leads to another page, and waits for that."""
    with page.expect_navigation():
        page.click(what)


def facts(page: Page) -> dict[str, str]:
    names, values = page.locator(".facts dt").all_inner_texts(), page.locator(".facts dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def cells(page: Page) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator("main tbody tr").all()]


def token_of(hosted: Hosted, name: str, password: str) -> bool:
    """Whether the password lets the user in."""
    user = hosted.database.read_now(identity.the_user, name)
    return keyring.password_matches(password, user.password_hash)


def test_a_user_from_the_first_password_to_the_end(sit: Sit, hosted: Hosted, member: Caller) -> None:
    seat = sit(administrator_of(hosted))
    page = seat.page
    seat.go("")
    press(page, "nav.side >> text=Administration")
    page.fill("form.card input[name=name]", member.name)
    press(page, "form.card >> text=Add >> nth=-1")
    assert page.inner_text("form.card [role=alert]") == f"There is a user {member.name} already."
    page.fill("form.card input[name=name]", HOSTILE)
    press(page, "form.card button.main")
    assert page.inner_text("h1") == HOSTILE
    assert token_of(hosted, HOSTILE, page.inner_text("#secret-1"))
    seat.accessible()
    press(page, "text=I have kept it")
    row = next(one for one in cells(page) if one[0] == HOSTILE)
    assert row == [HOSTILE, "member", "Enabled", ""]
    seat.accessible()
    seat.pictures_of("users")

    press(page, f"text={HOSTILE}")
    page.select_option("select[name=role]", "administrator")
    press(page, "text=Change the role")
    assert page.inner_text(".notice.good") == "The role is changed."
    assert facts(page)["Role"] == "administrator"
    press(page, "text=Make a new password")
    assert token_of(hosted, HOSTILE, page.inner_text("#secret-1"))
    press(page, "text=I have kept it")
    press(page, "text=Make a login link")
    assert page.inner_text("#secret-1").startswith(f"http://127.0.0.1:{hosted.port}/login?ticket=")
    press(page, "text=I have kept it")
    press(page, "text=Add a key")
    key, secret = page.inner_text("#secret-1"), page.inner_text("#secret-2")
    press(page, "text=I have kept it")
    assert page.locator(".cards code").all_inner_texts() == [key]
    assert secret not in page.content()
    seat.accessible()
    seat.pictures_of("user")

    press(page, "text=All keys")
    mine = page.locator("tr", has_text=key)
    with page.expect_navigation():
        mine.locator("text=Disable").click()
    assert page.locator("tr", has_text=key).locator(".state").inner_text() == "Disabled"
    seat.accessible()
    seat.pictures_of("keys")
    with page.expect_navigation():
        page.locator("tr", has_text=key).locator("text=Delete").click()
    assert page.locator("tr", has_text=key).count() == 0

    seat.go("admin/users")
    press(page, f"text={HOSTILE}")
    press(page, "button[value=disable]")
    assert facts(page)["State"] == "Disabled"
    page.fill("input[name=typed]", "somebody")
    press(page, "button[value=delete]")
    assert page.inner_text("form.danger [role=alert]") == "Type the name exactly as it stands there."
    page.fill("input[name=typed]", HOSTILE)
    press(page, "button[value=delete]")
    assert HOSTILE not in [one[0] for one in cells(page)]


def test_roles_workspaces_and_quotas(sit: Sit, hosted: Hosted, member: Caller) -> None:
    seat = sit(administrator_of(hosted))
    page = seat.page
    seat.go("admin/roles")
    page.fill("input[name=name]", "Auditor")
    page.check("input[value='modelarts:notebook:listAllNotebooks']")
    press(page, "form.card button.main")
    assert page.inner_text("form.card [role=alert]").startswith("Auditor cannot be the name of a role")
    assert page.is_checked("input[value='modelarts:notebook:listAllNotebooks']")
    page.fill("input[name=name]", "auditor")
    press(page, "form.card button.main")
    made = hosted.database.read_now(roles.find, "auditor")
    assert made is not None
    assert made.actions == {"modelarts:notebook:listAllNotebooks"}
    seat.accessible()
    seat.pictures_of("roles")
    with page.expect_navigation():
        page.locator("tr", has_text="auditor").locator("button").click()
    assert [one[0] for one in cells(page)] == ["administrator", "member"]

    seat.go("admin/workspaces")
    page.fill("input[name=name]", "vision")
    page.select_option("select[name=auth_type]", "INTERNAL")
    page.check(f"input[value='{member.name}']")
    press(page, "form.card button.main")
    assert ["vision", "Who made it, and those named"] in [one[:2] for one in cells(page)]
    seat.accessible()
    seat.pictures_of("workspaces")
    press(page, "text=vision")
    assert page.is_checked(f"input[value='{member.name}']")
    page.fill("input[name=description]", "cameras")
    press(page, "text=Save")
    assert facts(page)["Description"] == "cameras"
    seat.accessible()
    seat.pictures_of("workspace")

    press(page, "text=Show the quotas")
    count = page.locator("section.limits >> nth=0 >> tr", has_text="Notebooks")
    count.locator("input[name=value]").fill("many")
    with page.expect_navigation():
        count.locator("text=Set").click()
    assert page.inner_text(".limits [role=alert]") == "Give a whole number above 0."
    count.locator("input[name=value]").fill("3")
    with page.expect_navigation():
        count.locator("text=Set").click()
    assert count.locator("td").all_inner_texts()[:3] == ["Notebooks", "0", "3"]
    seat.accessible()
    seat.pictures_of("quotas")
    with page.expect_navigation():
        count.locator("text=Remove").click()
    assert count.locator("td").all_inner_texts()[:3] == ["Notebooks", "", "none"]

    seat.go("admin/workspaces")
    press(page, "text=vision")
    page.fill("input[name=typed]", "vision")
    press(page, "form.danger button")
    assert "vision" not in [one[0] for one in cells(page)]


def test_images_pools_and_flavors(sit: Sit, hosted: Hosted, member: Caller) -> None:
    seat = sit(administrator_of(hosted))
    page = seat.page
    seat.go("admin/images")
    page.fill("input[name=swr_path]", "nowhere/to/be-found")
    press(page, "form.card button.main")
    assert "swr_path" in page.inner_text("form.card [role=alert]")
    shelves.put(hosted.data_dir / "images", "localhost/lab/torch:2.9")
    page.fill("input[name=swr_path]", "localhost/lab/torch:2.9")
    press(page, "form.card button.main")
    assert page.locator("[role=alert]").all_inner_texts() == []
    assert page.locator("tr", has_text="lab/torch:2.9").count() == 1
    seat.accessible()
    seat.pictures_of("images")
    press(page, "text=lab/torch:2.9")
    assert facts(page)["Path"] == "localhost/lab/torch:2.9"
    seat.accessible()
    seat.pictures_of("image")
    page.fill("input[name=typed]", "torch:2.9")
    press(page, "form.danger button")
    assert page.locator("tr", has_text="lab/torch:2.9").count() == 0
    seat.go("admin/pools")
    seat.accessible()
    seat.pictures_of("pools")
    seat.go("admin/flavors")
    assert [one[1] for one in cells(page)] == [one.id for one in hosted.settings.flavors]
    seat.accessible()
    seat.pictures_of("flavors")
    # A member sees what there is to use, and nothing that is not for it.
    other = sit(member)
    other.go("admin/images")
    assert other.page.locator(".tabs a").all_inner_texts() == ["Workspaces", "Images", "Pools", "Flavors"]
    other.go("admin/workspaces")
    assert other.page.locator("main form").count() == 0


def test_ones_own_account(sit: Sit, hosted: Hosted) -> None:
    somebody = hosted.user("grace", hosted.settings.project)
    seat = sit(somebody)
    page = seat.page
    seat.go("")
    page.click(".who")
    press(page, "text=My account")
    page.fill("input[name=name]", "laptop")
    page.fill("textarea", "ssh-rsa nonsense")
    press(page, "text=Add >> nth=-1")
    assert "ssh-rsa nonsense" not in page.inner_text("form.card [role=alert]")
    page.fill("textarea", "")
    press(page, "text=Add >> nth=-1")
    assert page.inner_text("#secret-1").startswith("-----BEGIN")
    press(page, "text=I have kept it")
    assert [one[0] for one in cells(page)] == ["laptop"]
    seat.accessible()
    seat.pictures_of("account")
    page.click("tbody summary")
    page.fill("input[name=typed]", "laptop")
    press(page, "tbody button")
    assert cells(page) == []

    def change(old: str, new: str, again: str) -> None:
        for name, value in (("old", old), ("new", new), ("again", again)):
            page.fill(f"input[name={name}]", value)
        press(page, "text=Change the password")

    change("wrong password", "a new password", "a new password")
    assert page.inner_text("form [role=alert]") == "This is not your password."
    change(PASSWORD, "a new password", "another password")
    assert page.inner_text("form [role=alert]") == "It differs from the new password."
    change(PASSWORD, "a new password", "a new password")
    page.wait_for_url("**/login?then=**")
    page.fill("input[name=name]", somebody.name)
    page.fill("input[name=password]", "a new password")
    press(page, "main button")
    page.wait_for_url("**/account")
    assert page.inner_text("h1") == "My account"

"""Who gets in, and from where a change may come: over HTTP, with real sessions, for every page there is."""

import re
from urllib.parse import urlencode

import pytest

from nbfleet.console.app import project_pages
from nbfleet.console.live import Live
from nbfleet.console.page import Page, Parts
from nbfleet.console.render import Renderer
from nbfleet.console.trust import csrf_word
from support.hosted import Hosted
from support.signed_in import SignedIn, sign_in

ID = "00000000-0000-4000-8000-000000000000"
PAGES = project_pages(Parts(Renderer(), Live(None), "", ""))  # Asked for their names and paths only.
CHANGES = [page for page in PAGES if page.method == "POST"]
SHOWING = [page for page in PAGES if page.method == "GET"]


def path_of(signed_in: SignedIn, page: Page) -> str:
    """With an id in place of each word, which nothing has."""
    words = (f"{ID}" if part.startswith("{") else part for part in page.path.split("/"))
    return f"{signed_in.base}/{'/'.join(words)}"


def names(pages: list[Page]) -> list[str]:
    return [f"{page.method} {page.path}" for page in pages]


def test_names_of_pages_are_few_and_tell_them_apart() -> None:
    ways = [(page.method, page.path) for page in PAGES]
    assert len(set(ways)) == len(ways)
    assert len({page.name for page in PAGES}) < 80


@pytest.mark.parametrize("page", SHOWING, ids=names(SHOWING))
def test_nobody_sees_a_page_without_signing_in(member: SignedIn, page: Page) -> None:
    path = path_of(member, page)
    stranger = SignedIn(member.hosted, member.caller, "no-session-at-all")
    answer = stranger.get(path)
    assert (answer.status, answer.headers["location"]) == (303, "/login?" + urlencode({"then": path}))
    part = stranger.get(path, HX_Request="true")
    assert (part.status, part.headers["hx-redirect"], part.raw) == (200, "/login", b"")


@pytest.mark.parametrize("page", SHOWING, ids=names(SHOWING))
def test_nobody_enters_a_project_of_others(hosted: Hosted, member: SignedIn, page: Page) -> None:
    elsewhere = hosted.project(f"lab-{abs(hash(page.path))}")
    path = path_of(member, page).replace(member.caller.project_id, elsewhere)
    answer = member.get(path)
    assert answer.status == 403
    assert b"ModelArts.0210" in answer.raw


@pytest.mark.parametrize("page", CHANGES, ids=names(CHANGES))
@pytest.mark.parametrize(
    ("word", "headers"),
    [
        (None, {"Origin": "own"}),
        ("", {"Origin": "own"}),
        ("0" * 64, {"Origin": "own"}),
        ("other", {"Origin": "own"}),
        ("right", {}),
        ("right", {"Origin": "null"}),
        ("right", {"Origin": "http://evil.test"}),
        ("right", {"Origin": "own", "Sec_Fetch_Site": "cross-site"}),
        ("right", {"Origin": "own", "Sec_Fetch_Site": "same-site"}),
        ("right", {"Origin": "own", "Sec_Fetch_Mode": "no-cors"}),
    ],
)
def test_no_change_without_our_origin_and_word(
    chief: SignedIn, member: SignedIn, page: Page, word: str | None, headers: dict[str, str]
) -> None:
    words = {"right": csrf_word(chief.session), "other": csrf_word(member.session)}
    fields = {} if word is None else {"csrf": words.get(word, word)}
    sent = {name: chief.origin if value == "own" else value for name, value in headers.items()}
    before = chief.hosted.dump()
    answer = chief.send("POST", path_of(chief, page), urlencode(fields).encode(), sent)
    assert answer.status == 403
    assert b"ModelArts.0108" in answer.raw
    assert chief.hosted.dump() == before


@pytest.mark.parametrize("path", ["/logout", "/look"])
def test_signing_out_and_the_look_are_changes_too(member: SignedIn, path: str) -> None:
    fields = urlencode({"language": "zh"}).encode()
    answer = member.send("POST", path, fields, {"Origin": "http://evil.test"})
    assert (answer.status, answer.headers.get("set-cookie")) == (403, None)
    assert member.get(f"{member.base}/").status == 200


def test_a_session_that_was_ended_opens_nothing(hosted: Hosted, member: SignedIn) -> None:
    mine = sign_in(hosted, member.caller)
    assert mine.get(f"{mine.base}/").status == 200
    out = mine.post("/logout")
    assert (out.status, out.headers["location"]) == (303, "/login")
    assert mine.get(f"{mine.base}/").status == 303
    assert member.get(f"{member.base}/").status == 200


def test_a_token_of_the_api_for_one_project_is_no_session(hosted: Hosted, member: SignedIn) -> None:
    scoped = member.caller.log_in("correct horse").headers["x-subject-token"]
    assert SignedIn(hosted, member.caller, scoped).get(f"{member.base}/").status == 303


@pytest.mark.parametrize("path", ["%00", "?name=%00", "notebooks?id=a%00b", "notebooks/%00"])
def test_nul_is_refused_wherever_it_stands(member: SignedIn, path: str) -> None:
    assert member.get(f"{member.base}/{path}").status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused_by_name(member: SignedIn, method: str) -> None:
    answer = member.send(method, f"{member.base}/", None, {})
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert member.send(method, f"{member.base}/nothing/of/it", None, {}).status == 404


def test_every_answer_keeps_others_out(member: SignedIn) -> None:
    parts = (f"{member.base}/notebooks/counts", f"{member.base}/overview/now", "/console/")
    for path in (f"{member.base}/", "/login", "/docs", f"{member.base}/nothing/of/it", *parts):
        headers = member.get(path).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:",
            "connect-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'",
            "base-uri": "'none'",
        }  # fmt: skip
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_who_is_in_no_project_can_still_sign_out(hosted: Hosted) -> None:
    nobody = sign_in(hosted, hosted.user("of-no-project", hosted.settings.project))
    hosted.leave(nobody.caller, hosted.settings.project, None)
    hosted.context.access.end()
    page = nobody.get("/console/")
    word = re.search(r'name="csrf" value="([^"]+)"', page.raw.decode())
    assert (page.status, b'action="/logout"' in page.raw) == (403, True)
    assert word is not None
    assert word[1] == csrf_word(nobody.session)
    assert nobody.send("POST", "/logout", b"", {"Origin": nobody.origin}).status == 403
    assert nobody.get("/console/").status == 403
    out = nobody.post("/logout")
    assert (out.status, out.headers["location"]) == (303, "/login")
    assert nobody.get("/console/").status == 303

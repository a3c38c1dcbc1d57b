"""What a browser must show before anything is changed in its user's name."""

import itertools

import pytest

from nbfleet.console.signing_in import HOME, place
from nbfleet.console.trust import csrf_word, has_word, is_own_origin

ADDRESS = "https://notebooks.example"
OWN = {"host": "notebooks.example", "origin": ADDRESS}

SITES = (None, "same-origin", "same-site", "cross-site", "none", "")
MODES = (None, "cors", "same-origin", "navigate", "no-cors", "websocket", "")
ORIGINS = (
    ADDRESS,
    None,
    "null",
    "",
    "http://notebooks.example",
    "https://notebooks.example:8081",
    "https://notebooks.example.evil.test",
    "https://evil.test",
    "https://sub.notebooks.example",
)


@pytest.mark.parametrize(("site", "mode", "origin"), list(itertools.product(SITES, MODES, ORIGINS)))
def test_only_pages_of_ours_change_anything(site: str | None, mode: str | None, origin: str | None) -> None:
    told = {"sec-fetch-site": site, "sec-fetch-mode": mode, "origin": origin}
    headers = {name: value for name, value in told.items() if value is not None}
    headers["host"] = "notebooks.example"
    by_site = site in (None, "same-origin")
    by_mode = mode in (None, "cors", "same-origin", "navigate")
    by_origin = origin == ADDRESS or (origin is None and site == "same-origin")
    assert is_own_origin(headers, ADDRESS) is (by_site and by_mode and by_origin)


def test_another_name_of_the_service_is_believed_with_the_same_scheme_only() -> None:
    local = "http://127.0.0.1:8080"
    assert is_own_origin({"host": "localhost:8080", "origin": "http://localhost:8080"}, local)
    assert not is_own_origin({"host": "localhost:8080", "origin": "http://localhost:8081"}, local)
    assert not is_own_origin({"host": "notebooks.example", "origin": "http://notebooks.example"}, ADDRESS)


def test_a_word_belongs_to_one_session_and_does_not_tell_it() -> None:
    assert has_word("session", csrf_word("session"))
    wrong = ("", "session", csrf_word("other"), "ü\udc80")
    assert [has_word("session", word) for word in wrong] == [False] * 4
    assert "session" not in csrf_word("session")


@pytest.mark.parametrize("path", ["/console/" + "a" * 2030 + "!", "/console/" + "a/" * 1000 + "!"])
def test_a_long_path_is_looked_at_once(path: str) -> None:
    assert place(path) == HOME


@pytest.mark.parametrize(
    "path",
    ["", "/", "/docs", "//evil.test", "/console//evil.test", "https://evil.test/console/",
    "/console/\\evil.test",
     "/console/p\r\nSet-Cookie: a=b", "javascript:alert(1)", "/console/../login", "/console/" + "a" * 3000,
     "/console/p#x", "/console/p?x=//evil.test", "/\tconsole/"],
)  # fmt: skip
def test_everything_else_leads_home(path: str) -> None:
    assert place(path) in (HOME, path if path == "/console/../login" else HOME)

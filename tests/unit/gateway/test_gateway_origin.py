"""Which origins may use a cookie: exact equality, one table row per case browsers or attackers make."""

import pytest

from nbfleet.gateway import origin

OWN = "https://nb.example.org:8443"


def judge(**given):
    case = {
        "changes_state": True,
        "is_websocket": False,
        "has_token": False,
        "has_cookie": True,
        "origins": [OWN],
        "fetch_site": "same-origin",
        "trusted": frozenset({OWN}),
    }
    return origin.allowed(**(case | given))


@pytest.mark.parametrize("websocket", [False, True])
@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        ([OWN], True),
        ([], False),
        ([""], False),
        (["null"], False),
        (["https://nb.example.org"], False),
        (["https://nb.example.org:443"], False),
        (["https://nb.example.org:8444"], False),
        (["http://nb.example.org:8443"], False),
        (["https://api.example.org:8443"], False),
        (["https://example.org:8443"], False),
        (["https://nb.example.org:8443.evil.example"], False),
        (["https://nb.example.org:8443/"], False),
        (["https://evil@nb.example.org:8443"], False),
        (["https://NB.example.org:8443"], False),
        (["HTTPS://nb.example.org:8443"], False),
        ([OWN + " "], False),
        ([OWN, OWN], False),
        ([OWN, "https://evil.example"], False),
        ([f"{OWN}, {OWN}"], False),
    ],
)
def test_origin_of_a_request_with_a_cookie(websocket, origins, expected):
    assert judge(origins=origins, is_websocket=websocket, changes_state=not websocket) is expected
    assert judge(origins=origins, is_websocket=websocket, fetch_site=None) is expected


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (None, True),
        ("same-origin", True),
        ("same-site", False),
        ("cross-site", False),
        ("none", False),
        ("", False),
        ("Same-Origin", False),
        ("no-cors", False),
    ],
)
def test_fetch_site_is_an_allow_list(site, expected):
    assert judge(fetch_site=site) is expected
    assert judge(fetch_site=site, is_websocket=True) is True


@pytest.mark.parametrize("origins", [[], ["https://evil.example"], ["null"], [OWN]])
def test_reading_needs_no_origin(origins):
    assert judge(changes_state=False, origins=origins, fetch_site="cross-site") is True


@pytest.mark.parametrize(
    ("has_cookie", "origins", "expected"),
    [
        (False, [], True),
        (False, ["https://evil.example"], True),
        (True, [], True),
        (True, [OWN], True),
        (True, ["https://evil.example"], False),
        (True, ["null"], False),
    ],
)
def test_a_token_needs_no_origin_but_a_foreign_one_beside_a_cookie_is_refused(has_cookie, origins, expected):
    assert judge(has_token=True, has_cookie=has_cookie, origins=origins, fetch_site=None) is expected


def test_a_public_origin_counts_as_own():
    assert (
        judge(origins=["https://public.example"], trusted=frozenset({OWN, "https://public.example"})) is True
    )


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [
        ("http", "a:80", "http://a"),
        ("https", "A.example:443", "https://a.example"),
        ("https", "a:80", "https://a:80"),
        ("http", "127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http", "[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_own_origin_is_written_as_browsers_write_it(scheme, host, expected):
    assert origin.own_origin(scheme, host) == expected

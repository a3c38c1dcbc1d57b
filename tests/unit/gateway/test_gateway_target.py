"""Paths, queries and where a redirect may lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.gateway import target

ID = "0f2b7b52-6c1e-4c53-9d60-0a3f3a1f9a11"


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        (f"/{ID}", b""),
        (f"/{ID}/", b"/"),
        (f"/{ID}/lab/tree/a%2Fb", b"/lab/tree/a%2Fb"),
        (f"/{ID}//evil.example", b"//evil.example"),
        (f"/{ID}/../x", b"/../x"),
    ],
)
def test_a_notebook_path(path, rest):
    found = target.parse(path.encode(), b"")
    assert found is not None
    assert (found.notebook_id, found.rest) == (ID, rest)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "//",
        "",
        "*",
        "/healthz",
        f"//{ID}/",
        f"/{ID.upper()}/",
        f"/{ID}x/",
        f"/{ID[:-1]}/",
        f"/%30{ID[1:]}/",
        f"/{ID}%2Flab",
        f"/./{ID}/",
        f"/{{{ID}}}/",
        f"/{ID}/\r\nx",
        f"http://evil/{ID}/",
    ],
)
def test_everything_else_names_no_notebook(path):
    assert target.parse(path.encode(), b"") is None


@pytest.mark.parametrize(
    ("query", "stripped", "token"),
    [
        (b"", b"", None),
        (b"token=a", b"", "a"),
        (b"x=1&token=a&y=%20+", b"x=1&y=%20+", "a"),
        (b"%74oken=a%2Db", b"", "a-b"),
        (b"token=a&token=b", b"", "a"),
        (b"token=", b"", None),
        (b"token", b"token", None),
        (b"tokens=a&&b=", b"tokens=a&&b=", None),
        (b"TOKEN=a", b"TOKEN=a", None),
        (b"x=token=a", b"x=token=a", None),
    ],
)
def test_taking_the_token_out_of_a_query(query, stripped, token):
    assert target.take_token(query) == (stripped, token)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60).map(str.encode))
def test_a_query_without_our_parameter_keeps_every_byte(query):
    stripped, token = target.take_token(query)
    assert token is not None or stripped == query or b"oken=" in query or b"%" in query


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_redirect_stays_on_the_notebook(rest, query):
    if not target.well_formed(b"/" + rest, query):
        return
    found = target.parse(f"/{ID}/".encode() + rest, query)
    assert found is not None
    where = target.location(found)
    assert where.startswith(f"/{ID}/".encode())
    assert b"token=" not in where.partition(b"?")[2].split(b"&")[0][:6]
    assert all(0x21 <= byte <= 0x7E for byte in where)


@pytest.mark.parametrize("bad", [b"/a b", b"/a\r", b"/a\n", b"/\x00", b"/#x", b"/\xc3\xa4", b"x"])
def test_bytes_that_may_not_stand_in_a_target(bad):
    assert not target.well_formed(bad, b"")
    assert target.well_formed(b"/", b"") is True
    assert bad == b"x" or not target.well_formed(b"/", bad)

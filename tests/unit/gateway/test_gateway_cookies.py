"""Our cookie stays ours, the instance's cookies stay below its path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.gateway import cookies

ID = "0f2b7b52-6c1e-4c53-9d60-0a3f3a1f9a11"
OTHER = "11111111-6c1e-4c53-9d60-0a3f3a1f9a11"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            b"_xsrf=a; Path=/%b/; expires=Wed, 21 Oct 2026 07:28:00 GMT",
            b"_xsrf=a; expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/%b/",
        ),
        (b"a=b", b"a=b"),
        (b"a=b; HttpOnly; Secure", b"a=b; HttpOnly; Secure"),
        (b"a=b; Path=/", b"a=b; Path=/%b/"),
        (b"a=b; path=/%b", b"a=b; Path=/%b/"),
        (b"a=b; path=/%b/sub", b"a=b; Path=/%b/sub"),
        (b"a=b; Path=/%b/; PATH=/", b"a=b; Path=/%b/"),
        (b"a=b; Path=/" + OTHER.encode() + b"/", b"a=b; Path=/%b/"),
        (b"a=b; Domain=example.org; Path=/%b/", b"a=b; Path=/%b/"),
        (b"a=b; domain = .org", b"a=b"),
        (b"a=b; Path", b"a=b; Path=/%b/"),
    ],
)
def test_a_cookie_of_the_instance_is_confined(line, expected):
    home = ID.encode()
    assert cookies.confine(line.replace(b"%b", home), ID) == expected.replace(b"%b", home)


@pytest.mark.parametrize(
    "name", [f"nbfleet-{ID}", f"nbfleet-{OTHER}", "nbfleet", "NbFleet-x", " nbfleet-x", "=nbfleet-x"]
)
def test_the_instance_cannot_set_ours(name):
    assert cookies.confine(f"{name}=v; Path=/".encode(), ID) is None


@given(st.binary(max_size=60), st.sampled_from([b"Path", b"path", b" PATH "]), st.binary(max_size=40))
def test_no_cookie_ever_escapes(pair, key, path):
    confined = cookies.confine(pair + b"; Domain=org;" + key + b"=" + path, ID)
    if confined is None:
        return
    attributes = [part.strip() for part in confined.split(b";")[1:]]
    paths = [part.partition(b"=")[2] for part in attributes if part.lower().startswith(b"path")]
    assert paths
    assert all(value.startswith(f"/{ID}/".encode()) for value in paths)
    assert [part for part in attributes if part.lower().startswith(b"domain")] == []


@given(
    st.lists(
        st.sampled_from([b"a=1", b"_xsrf=2|x", b"nbfleet-x=s", f"nbfleet-{ID}=s".encode(), b"NBFLEET=s"])
    )
)
def test_without_ours_keeps_the_rest_in_order(pairs):
    expected = [pair for pair in pairs if not pair.lower().startswith(b"nbfleet")]
    assert cookies.without_ours([b"; ".join(pairs)]) == b"; ".join(expected)


def test_find_takes_the_first_and_only_its_own():
    lines = [f"nbfleet-{OTHER}=no; nbfleet-{ID}=yes; nbfleet-{ID}=late".encode()]
    assert cookies.find(lines, cookies.name_for(ID)) == "yes"
    assert cookies.find([b"a=b"], cookies.name_for(ID)) is None
    assert cookies.find([f"nbfleet-{ID}=".encode()], cookies.name_for(ID)) is None


def test_our_cookie():
    plain = f"nbfleet-{ID}=v.1-x; Path=/{ID}/; HttpOnly; SameSite=Lax"
    assert cookies.ours(ID, "v.1-x", secure=False) == plain.encode()
    assert cookies.ours(ID, "v.1-x", secure=True) == f"{plain}; Secure".encode()


@pytest.mark.parametrize("value", ["a;b", "a\r\nb", "a b", 'a"b', "ä", "a,b"])
def test_a_value_that_would_break_the_line_is_refused(value):
    with pytest.raises(ValueError, match="cookie value"):
        cookies.ours(ID, value, secure=True)

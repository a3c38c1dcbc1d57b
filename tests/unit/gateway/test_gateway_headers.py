"""What crosses the gateway in each direction: laws over arbitrary heads, and the named cases."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.gateway import headers

ID = "0f2b7b52-6c1e-4c53-9d60-0a3f3a1f9a11"
SECRET = "instance-secret-1234567890"
TOKEN = "caller-token-0987654321"
COOKIE = "caller-cookie-5555555555"

_names = st.text(string.ascii_lowercase + "-", min_size=1, max_size=20).map(str.encode)
_values = st.text(string.ascii_letters + string.digits + " ;,=/:.\"'%", max_size=40).map(
    lambda text: text.strip().encode()
)
_noise = st.lists(st.tuples(_names, _values), max_size=8)
_carriers = st.sampled_from(
    [
        (b"authorization", f"token {TOKEN}".encode()),
        (b"authorization", f"Bearer {TOKEN}".encode()),
        (b"x-auth-token", TOKEN.encode()),
        (b"x-sdk-signature", TOKEN.encode()),
        (b"x-forwarded-authorization", TOKEN.encode()),
        (b"proxy-authorization", TOKEN.encode()),
        (b"cookie", f"nbfleet-{ID}={COOKIE}".encode()),
        (b"cookie", f"a=b; nbfleet-{ID}={COOKIE};c=d".encode()),
        (b"cookie", f"=nbfleet-{ID}={COOKIE}; NBFLEET={COOKIE}".encode()),
        (b"referer", f"http://host/{ID}/lab?token={TOKEN}".encode()),
    ]
)


def to_instance(raw):
    return headers.to_instance(raw, secret=SECRET, scheme="https", host="gw:1", peer="10.0.0.9")


@given(_noise, st.lists(_carriers, max_size=6))
def test_no_credential_of_the_caller_reaches_the_instance(noise, carriers):
    sent = to_instance([*carriers, *noise])
    assert [line for line in sent if TOKEN in line[1] or COOKIE in line[1]] == []


@given(_noise, st.lists(_carriers, max_size=6))
def test_the_instance_gets_exactly_one_credential(noise, carriers):
    sent = to_instance([*noise, *carriers])
    assert [value for name, value in sent if name == "authorization"] == [f"token {SECRET}"]


@given(_noise)
def test_the_secret_never_goes_back(noise):
    raw = [*noise, (b"location", f"/x?token={SECRET}".encode()), (b"set-cookie", f"t={SECRET}".encode())]
    assert [line for line in headers.to_caller(raw, 200, ID, SECRET) if SECRET.encode() in line[1]] == []


def test_an_ordinary_head_passes_in_order():
    raw = [
        (b"host", b"nb.example.org:8443"),
        (b"accept", b"*/*"),
        (b"accept", b"text/plain"),
        (b"range", b"bytes=0-1"),
        (b"cookie", b'_xsrf="2|a"; theme=dark'),
        (b"origin", b"https://nb.example.org:8443"),
    ]
    assert to_instance(raw) == [
        ("host", "nb.example.org:8443"),
        ("accept", "*/*"),
        ("accept", "text/plain"),
        ("range", "bytes=0-1"),
        ("origin", "https://nb.example.org:8443"),
        ("cookie", '_xsrf="2|a"; theme=dark'),
        ("authorization", f"token {SECRET}"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "gw:1"),
        ("x-forwarded-for", "10.0.0.9"),
    ]


def test_what_the_caller_claims_about_its_way_is_replaced():
    claims = [b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-real-ip", b"x-scheme", b"expect"]
    assert to_instance([(name, b"evil") for name in claims]) == to_instance([])


def test_hop_by_hop_lines_end_here_with_those_named_by_connection():
    raw = [
        (b"connection", b"keep-alive, X-Private"),
        (b"x-private", b"1"),
        (b"keep-alive", b"timeout=5"),
        (b"te", b"trailers"),
        (b"trailer", b"x"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
        (b"proxy-connection", b"close"),
        (b"sec-websocket-key", b"abc"),
    ]
    assert to_instance(raw) == to_instance([])
    assert headers.to_caller(raw[:-1], 200, ID, SECRET) == []


def test_connection_cannot_take_the_host_away():
    assert to_instance([(b"connection", b"host"), (b"host", b"a")])[0] == ("host", "a")


def test_what_speaks_for_the_whole_origin_is_dropped():
    raw = [
        (b"Service-Worker-Allowed", b"/"),
        (b"Clear-Site-Data", b'"cookies"'),
        (b"Strict-Transport-Security", b"max-age=1"),
        (b"Alt-Svc", b"h3"),
        (b"Content-Type", b"text/html"),
    ]
    assert headers.to_caller(raw, 200, ID, SECRET) == [(b"content-type", b"text/html")]


@pytest.mark.parametrize(("status", "kept"), [(200, 1), (206, 1), (204, 0), (304, 0)])
def test_a_length_is_sent_where_a_body_is(status, kept):
    assert len(headers.to_caller([(b"content-length", b"5")], status, ID, SECRET)) == kept


@pytest.mark.parametrize("value", [b"a\r\nb", b"a\x00b", b"a\x1bb", b"\xff\xfe"])
def test_a_line_that_cannot_be_written_again_is_refused(value):
    assert not headers.valid([(b"x", value)])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"token abc", "abc"),
        (b"TOKEN  abc ", "abc"),
        (b"Bearer abc", "abc"),
        (b"Basic abc", None),
        (b"token", None),
        (b"token a b", None),
        (b"", None),
    ],
)
def test_token_of_the_authorization_header(line, expected):
    assert headers.token([(b"authorization", line)]) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([], False),
        ([(b"content-length", b"0")], False),
        ([(b"content-length", b"1")], True),
        ([(b"transfer-encoding", b"chunked")], True),
    ],
)
def test_has_body(raw, expected):
    assert headers.has_body(raw) is expected

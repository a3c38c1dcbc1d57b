"""Tokens, signatures and sessions, as they travel over HTTP; the calls that clients make first."""

import json
import warnings
from dataclasses import replace
from datetime import timedelta

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmodelarts.v1 import ListAllNotebooksRequest, ModelArtsClient
from keystoneauth1 import session as keystone
from keystoneauth1.identity import v3

from nbfleet.services import identity
from nbfleet.wire import signing
from support.client import Caller, conforms, exchange
from support.hosted import PASSWORD

DAY = 86_400_000


def logged_in(caller: Caller) -> Caller:
    return caller.with_token(caller.log_in(PASSWORD).headers["x-subject-token"])


def test_a_token_is_worth_as_much_as_a_signature(fleet) -> None:
    one = fleet.alice.running(name="either-way")
    by_token = logged_in(fleet.alice)
    assert by_token.get(f"/{one['id']}").json == fleet.alice.get(f"/{one['id']}").json == one
    renamed = by_token.put(f"/{one['id']}", {"name": "by-token"}).json
    assert renamed["name"] == fleet.alice.get(f"/{one['id']}").json["name"] == "by-token"


def test_what_a_token_says(fleet) -> None:
    answer = fleet.alice.log_in(PASSWORD)
    assert answer.status == 201
    told = answer.json["token"]
    account = told["user"]["domain"]
    assert told == {
        "expires_at": told["expires_at"],
        "issued_at": told["issued_at"],
        "methods": ["password"],
        "catalog": [],
        "user": {"id": fleet.alice.user_id, "name": "alice", "domain": account},
        "project": {"id": fleet.alice.project_id, "name": "local", "domain": account},
        "roles": [{"id": "member", "name": "member"}],
    }
    assert account["name"] == "nbfleet"
    issued, expires = told["issued_at"], told["expires_at"]
    assert (issued[10], issued[-1], expires[10], expires[-1]) == ("T", "Z", "T", "Z")
    assert answer.headers["x-subject-token"] not in answer.raw.decode()


@pytest.mark.parametrize("project", [{"name": "local"}, None])
def test_a_project_by_name_or_id(fleet, project: dict[str, str] | None) -> None:
    assert fleet.alice.log_in(PASSWORD, project).json["token"]["project"]["id"] == fleet.alice.project_id


def test_a_token_ends_after_a_day(fleet) -> None:
    by_token = logged_in(fleet.alice)
    fleet.hosted.clock.advance(DAY - 1)
    assert by_token.get().status == 200
    fleet.hosted.clock.advance(1)
    answer = by_token.get()
    assert (answer.refusal, answer.message) == ((401, "ModelArts.0202"), "The token has expired.")


def test_wrong_passwords_and_names_look_the_same(fleet) -> None:
    answers = [
        fleet.alice.log_in("wrong"),
        fleet.alice.log_in(""),
        replace(fleet.alice, name="nobody").log_in(PASSWORD),
        fleet.alice.log_in(PASSWORD, {"name": "lab"}),
        fleet.alice.log_in(PASSWORD, {"name": "no-such-project"}),
        fleet.alice.log_in(PASSWORD, {"id": "0" * 32}),
    ]
    assert {(answer.refusal, answer.message) for answer in answers} == {
        ((401, "APIGW.0301"), "Incorrect user, password, account or project.")
    }


def test_a_token_without_a_project_enters_none(fleet) -> None:
    user = {"name": "alice", "password": PASSWORD}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    raw = json.dumps(body).encode()
    answer = exchange(fleet.alice.port, "POST", "/v3/auth/tokens", [("Host", "x")], raw)
    assert (answer.status, "project" in answer.json["token"]) == (201, False)
    unscoped = fleet.alice.with_token(answer.headers["x-subject-token"])
    assert unscoped.get().refusal == (401, "ModelArts.0212")
    assert unscoped.request("GET", "/v3/projects").json["projects"][0]["id"] == fleet.alice.project_id


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ([], (401, "ModelArts.0201")),
        ([("X-Auth-Token", "unknown")], (401, "ModelArts.0203")),
        ([("X-Auth-Token", "")], (401, "ModelArts.0203")),
        ([("X-Auth-Token", "a"), ("X-Auth-Token", "b")], (401, "ModelArts.0204")),
        ([("Authorization", "Bearer x")], (401, "APIGW.0301")),
        ([("Authorization", "")], (401, "APIGW.0301")),
        ([("Authorization", "V11-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=" + "0" * 64)],
         (401, "APIGW.0301")),
        ([("Authorization", "SDK-HMAC-SHA256 Credential=a/d//s/sdk_request, SignedHeaders=h, Signature=0")],
         (401, "APIGW.0301")),
        ([("Authorization", "a"), ("Authorization", "b")], (401, "APIGW.0301")),
        ([("Cookie", "nbfleet-session=unknown")], (401, "ModelArts.0203")),
        ([("Cookie", "other=1; $bad")], (401, "ModelArts.0201")),
    ],
)  # fmt: skip
def test_credentials_that_prove_nothing(fleet, headers, refusal) -> None:
    anonymous = Caller(fleet.alice.port, fleet.alice.project_id, fleet.hosted.clock)
    assert anonymous.request("GET", anonymous.at(), None, None, headers).refusal == refusal


def test_a_token_decides_even_beside_a_good_signature(fleet) -> None:
    """As an SDK user does who adds a token by hand."""
    answer = fleet.alice.request("GET", fleet.alice.at(), None, None, [("X-Auth-Token", "unknown")])
    assert answer.refusal == (401, "ModelArts.0203")
    token = fleet.bob.log_in(PASSWORD).headers["x-subject-token"]
    fleet.bob.create(name="of-the-token")
    both = fleet.alice.request(
        "GET", fleet.alice.at(), {"name": "of-the-token"}, None, [("X-Auth-Token", token)]
    )
    assert both.json["total"] == 1


# Signatures: every part of a signed request counts.

BODY = b'{"name":"n"}'


def signed(caller: Caller, method: str, path: str, query: str, body: bytes, now=None):
    headers = [
        ("Host", f"127.0.0.1:{caller.port}"),
        ("Content-Type", "application/json"),
        ("X-Project-Id", caller.project_id),
        ("User-Agent", "test/1 (a; b) #@"),
    ]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    request = signing.Request(method, path.encode(), query.encode(), encoded, body)
    made = signing.sign(request, caller.access_key, caller.secret_key, now or caller.now)
    return {
        "method": method,
        "path": path,
        "query": query,
        "headers": headers + list(made.items()),
        "body": body,
    }


def send(caller: Caller, parts):
    target = parts["path"] + (f"?{parts['query']}" if parts["query"] else "")
    answer = exchange(caller.port, parts["method"], target, parts["headers"], parts["body"])
    conforms(caller.port, parts["method"], parts["path"], answer)
    return answer


def with_header(parts, name: str, value: str):
    changed = [(n, value if n.lower() == name.lower() else v) for n, v in parts["headers"]]
    return parts | {"headers": changed}


def authorization(parts, old: str, new: str):
    (value,) = (v for n, v in parts["headers"] if n == "Authorization")
    assert old in value
    return with_header(parts, "Authorization", value.replace(old, new, 1))


def flipped(digest: str) -> str:
    return ("0" if digest[0] != "0" else "1") + digest[1:]


MUTATIONS = {
    "method": lambda p, c: p | {"method": "DELETE"},
    "path": lambda p, c: p | {"path": p["path"][:-1] + ("0" if p["path"][-1] != "0" else "1")},
    "query added": lambda p, c: p | {"query": "a=b"},
    "body": lambda p, c: p | {"body": BODY.replace(b"n", b"m", 1)},
    "body space": lambda p, c: p | {"body": BODY + b" "},
    "no body": lambda p, c: p | {"body": b""},
    "host": lambda p, c: with_header(p, "Host", "other.example"),
    "content type": lambda p, c: with_header(p, "Content-Type", "application/json; charset=utf-8"),
    "user agent": lambda p, c: with_header(p, "User-Agent", "test/1 (a; b) #"),
    "project header": lambda p, c: with_header(p, "X-Project-Id", "0" * 32),
    "date": lambda p, c: with_header(p, "X-Sdk-Date", f"{c.now + timedelta(seconds=1):%Y%m%dT%H%M%SZ}"),
    "no date": lambda p, c: p | {"headers": [h for h in p["headers"] if h[0] != "X-Sdk-Date"]},
    "no user agent": lambda p, c: p | {"headers": [h for h in p["headers"] if h[0] != "User-Agent"]},
    "second host": lambda p, c: p | {"headers": [*p["headers"], ("X-Project-Id", "x")]},
    "key": lambda p, c: authorization(p, c.access_key, "A" * 20),
    "signature": lambda p, c: authorization(p, "Signature=", "Signature=0"),
    "signature digit": lambda p, c: with_header(
        p, "Authorization", dict(p["headers"])["Authorization"][:-1]
        + ("0" if dict(p["headers"])["Authorization"][-1] != "0" else "1"),
    ),
    "fewer signed headers": lambda p, c: authorization(p, "content-type;", ""),
    "more signed headers": lambda p, c: authorization(p, "content-type;", "accept;content-type;"),
    "algorithm": lambda p, c: authorization(p, "SDK-HMAC-SHA256", "SDK-HMAC-SM3"),
    "order": lambda p, c: authorization(p, "content-type;host", "host;content-type"),
    "payload header": lambda p, c: p | {
        "headers": [*p["headers"], ("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")], "body": BODY + b" ",
    },
}  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_signed_request_that_was_changed_anywhere_is_refused(fleet, mutation: str) -> None:
    alice = fleet.alice
    one = alice.create()["id"]
    parts = signed(alice, "PUT", alice.at(f"/{one}"), "", BODY)
    changed = MUTATIONS[mutation](parts, alice)
    assert changed != parts
    answer = send(alice, changed)
    assert answer.refusal == (401, "APIGW.0301")
    assert answer.message.startswith("Incorrect authentication information: ")


def test_the_same_request_unchanged_is_accepted(fleet) -> None:
    alice = fleet.alice
    one = alice.running()["id"]
    assert send(alice, signed(alice, "PUT", alice.at(f"/{one}"), "", BODY)).json["name"] == "n"


def test_query_parts_may_come_in_any_order_and_no_other_way(fleet) -> None:
    alice = fleet.alice
    parts = signed(alice, "GET", alice.at(), "limit=5&name=a", b"")
    assert send(alice, parts | {"query": "name=a&limit=5"}).status == 200
    for query in (
        "limit=5",
        "limit=5&name=b",
        "limit=5&name=a&offset=0",
        "limit=6&name=a",
        "limit=5&name=a%20",
    ):
        assert send(alice, parts | {"query": query}).refusal == (401, "APIGW.0301")


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(0, True), (900, True), (-900, True), (901, False), (-901, False)]
)
def test_a_quarter_of_an_hour_off_is_the_most(fleet, seconds: int, accepted: bool) -> None:
    alice = fleet.alice
    alice.clock.now -= alice.clock.now % 1000
    answer = send(alice, signed(alice, "GET", alice.at(), "", b"", alice.now + timedelta(seconds=seconds)))
    if accepted:
        assert answer.status == 200
    else:
        assert answer.refusal == (401, "APIGW.0301")
        assert "too far from the time of the service" in answer.message


# The official SDK and Keystone clients, unmodified. They have their own clock: the service is set to it.


@pytest.fixture
def now(fleet):
    import time  # noqa: PLC0415

    before = fleet.hosted.clock.now
    fleet.hosted.clock.now = int(time.time() * 1000)
    yield
    fleet.hosted.clock.now = before


def sdk(caller: Caller, project_id: str | None) -> BasicCredentials:
    return BasicCredentials(caller.access_key, caller.secret_key, project_id)


def test_the_sdk_finds_its_project_by_the_name_of_the_region(fleet, now, monkeypatch) -> None:
    address = f"http://127.0.0.1:{fleet.admin.port}"
    credentials = sdk(fleet.admin, None).with_iam_endpoint(address)
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    client = builder.with_region(Region(id="local", endpoint=address)).build()
    assert client.list_all_notebooks(ListAllNotebooksRequest(limit=1)).size == 1


def test_the_sdk_without_a_project_is_told_so(fleet, now) -> None:
    builder = ModelArtsClient.new_builder().with_credentials(sdk(fleet.admin, None))
    client = builder.with_endpoint(f"http://127.0.0.1:{fleet.admin.port}").build()
    with pytest.raises(exceptions.ClientRequestException) as refusal:
        client.list_all_notebooks(ListAllNotebooksRequest())
    told = refusal.value
    assert (told.status_code, told.error_code) == (400, "ModelArts.0210")
    assert told.error_msg == "{project_id} is not a project id."
    assert told.request_id


def test_a_keystone_client(fleet, now) -> None:
    warnings.simplefilter("ignore", ResourceWarning)
    auth = v3.Password(
        auth_url=f"http://127.0.0.1:{fleet.alice.port}/v3",
        username="alice",
        password=PASSWORD,
        user_domain_name="nbfleet",
        project_name="local",
        project_domain_name="nbfleet",
    )
    session = keystone.Session(auth=auth)
    assert session.get_project_id() == fleet.alice.project_id
    assert session.get_user_id() == fleet.alice.user_id
    answer = session.get(f"http://127.0.0.1:{fleet.alice.port}{fleet.alice.at()}", params={"limit": 3})
    assert (answer.status_code, answer.json()["size"]) == (200, 3)


def test_projects_and_accounts(fleet) -> None:
    alice = fleet.alice
    all_of_them = alice.request("GET", "/v3/projects").json
    account = alice.request("GET", "/v3/auth/domains").json["domains"]
    assert [(one["name"], one["enabled"]) for one in account] == [("nbfleet", True)]
    mine = {"id": alice.project_id, "name": "local", "domain_id": account[0]["id"], "enabled": True}
    assert all_of_them == {"projects": [mine]}
    assert alice.request("GET", "/v3/projects", {"name": "local"}).json == {"projects": [mine]}
    assert alice.request("GET", "/v3/projects", {"name": "lab"}).json == {"projects": []}
    anonymous = Caller(alice.port, alice.project_id, alice.clock)
    for path in ("/v3/projects", "/v3/auth/domains"):
        assert anonymous.request("GET", path).refusal == (401, "ModelArts.0201")


# Browsers.


def ticket(fleet, user: str = "alice") -> str:
    return fleet.hosted.database.write_now(identity.new_login_link, fleet.hosted.context, user)


def browser(fleet, method: str, target: str, body: bytes | None = None, **headers: str):
    sent = [("Host", "x"), *((name.replace("_", "-"), value) for name, value in headers.items())]
    return exchange(fleet.alice.port, method, target, sent, body)


def test_a_login_link_works_once_and_looking_at_it_does_no_harm(fleet) -> None:
    secret = ticket(fleet)
    for method in ("GET", "HEAD", "GET"):
        page = browser(fleet, method, f"/login?ticket={secret}")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert secret.encode() in page.raw
    used = browser(fleet, "POST", "/login", f"ticket={secret}".encode())
    assert (used.status, used.headers["location"]) == (303, "/docs")
    cookie = used.headers["set-cookie"]
    assert [part.strip() for part in cookie.split(";")[1:]] == [
        "HttpOnly", "Max-Age=86400", "Path=/", "SameSite=strict",
    ]  # fmt: skip
    again = browser(fleet, "POST", "/login", f"ticket={secret}".encode())
    assert (again.status, "set-cookie" in again.headers) == (403, False)
    session = cookie.partition(";")[0]
    listed = browser(fleet, "GET", fleet.alice.at(), Cookie=session)
    assert listed.status == 200
    for method, rest in (("POST", ""), ("PUT", "/x"), ("DELETE", "/x"), ("PATCH", "/x/lease")):
        answer = browser(fleet, method, fleet.alice.at(rest), b"{}", Cookie=session)
        assert answer.refusal == (401, "ModelArts.0201")


@pytest.mark.parametrize(
    "body", [b"", b"ticket=", b"ticket=unknown", b"ticket=" + b"x" * 300, b"x" * 2_000_000, b"\xff\xfe"]
)
def test_what_is_no_ticket_lets_nobody_in(fleet, body: bytes) -> None:
    answer = browser(fleet, "POST", "/login", body)
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


def test_a_login_link_is_worth_nothing_after_ten_minutes(fleet) -> None:
    secret = ticket(fleet)
    fleet.hosted.clock.advance(600_000)
    assert browser(fleet, "POST", "/login", f"ticket={secret}".encode()).status == 403


def test_what_a_link_carries_is_not_taken_for_markup(fleet) -> None:
    page = browser(fleet, "GET", "/login?ticket=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert b"<script>alert" not in page.raw
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]

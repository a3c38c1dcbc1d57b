"""Who calls: tokens, signatures, projects, and how fast a withdrawn right ends."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from keystoneauth1 import session as keystone
from keystoneauth1.identity import v3

from nbfleet.domain.access import Role
from nbfleet.services import identity as people
from nbfleet.store import identity
from nbfleet.store.keyring import digest
from nbfleet.wire import signing
from support.http import Caller, Headers, KeyOf, Reply, TokenOf
from support.people import PASSWORD, Person, Place, now

DAY = 86_400_000
CUT_OFF = 5.0
SIGNATURE = (401, "APIGW.0301")
TOKEN_INVALID = (401, "ModelArts.0203")
PROJECT = (403, "ModelArts.0210")


def milliseconds(timestamp: str) -> int:
    moment = datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


# Getting a token.


def account(person: Person) -> dict[str, str]:
    return {"id": person.user.account_id, "name": person.user.account_name}


def expected_token(person: Person, given: dict[str, Any], role: str = "member") -> dict[str, Any]:
    return {
        "expires_at": given["expires_at"],
        "issued_at": given["issued_at"],
        "methods": ["password"],
        "catalog": [],
        "user": {"id": person.user.id, "name": person.user.name, "domain": account(person)},
        "project": {"id": person.project.id, "name": person.project.name, "domain": account(person)},
        "roles": [{"id": role, "name": role}],
    }


@pytest.mark.parametrize(
    "scope",
    [
        lambda person: {"project": {"id": person.project.id}},
        lambda person: {"project": {"name": person.project.name}},
        lambda person: {"project": {"name": person.project.name, "domain": {"name": "nbfleet"}}},
    ],
)
@pytest.mark.parametrize(
    "user",
    [
        lambda person: {},
        lambda person: {"domain": {"name": person.user.account_name}},
        lambda person: {"domain": {"id": person.user.account_id}},
        lambda person: {"id": person.user.id, "name": ""},
    ],
)
def test_a_token_is_issued(member: Person, scope: Callable[..., Any], user: Callable[..., Any]) -> None:
    before = now()
    reply = member.log_in(scope(member), **user(member))
    assert reply.status == 201
    token = reply.json["token"]
    assert token == expected_token(member, token)
    issued = milliseconds(token["issued_at"])
    assert before <= issued <= now()
    assert milliseconds(token["expires_at"]) == issued + DAY
    text = reply.header("X-Subject-Token")
    assert text is not None
    assert text not in reply.raw.decode()
    caller = member.place.caller(TokenOf(text), member.project.id)
    assert caller("GET", "notebooks").json == {"current": 0, "data": [], "pages": 0, "size": 10, "total": 0}


def test_the_role_is_told(admin: Person) -> None:
    token = admin.log_in().json["token"]
    assert token == expected_token(admin, token, "administrator")


@pytest.mark.parametrize(
    ("scope", "user"),
    [
        ("own", {"password": "wrong"}),
        ("own", {"password": ""}),
        ("own", {"password": PASSWORD + "\n"}),
        ("own", {"name": "nobody"}),
        ("own", {"id": "f" * 32, "name": ""}),
        ("own", {"domain": {"name": "other"}}),
        ("own", {"domain": {"id": "f" * 32}}),
        ({"project": {"id": "f" * 32}}, {}),
        ({"project": {"name": "no-such-project"}}, {}),
        ({"project": {"name": "local", "domain": {"name": "other"}}}, {}),
        ({"domain": {"id": "f" * 32}}, {}),
    ],
)
def test_all_that_is_wrong_with_a_login_looks_the_same(member: Person, scope: Any, user: Any) -> None:
    reply = member.log_in(scope, **user)
    assert reply.error == SIGNATURE
    assert reply.message == "Incorrect user, password, account or project."
    assert reply.header("X-Subject-Token") is None


def test_another_project_gives_no_token(place: Place, member: Person) -> None:
    other = place.new_project()
    assert member.log_in({"project": {"id": other.id}}).error == SIGNATURE


def test_keystone_clients_get_in(place: Place, member: Person) -> None:
    plugin = v3.Password(
        auth_url=f"{place.service.endpoint}/v3",
        username=member.user.name,
        password=PASSWORD,
        user_domain_name=member.user.account_name,
        project_name=member.project.name,
        project_domain_name=member.user.account_name,
    )
    session = keystone.Session(plugin)
    assert session.get_project_id() == member.project.id
    assert session.get_user_id() == member.user.id
    answer = session.get(f"{place.service.endpoint}/v1/{member.project.id}/notebooks")
    assert answer.json() == {"current": 0, "data": [], "pages": 0, "size": 10, "total": 0}


# Both kinds of credentials have the same effect.


def test_key_and_token_have_the_same_effect(place: Place, member: Person) -> None:
    person = place.new_person(member.project)
    by_key = person.create(person.key, name="a")
    by_token = person.create(person.token, name="b")
    for one in (by_key, by_token):
        person.wait(one["id"])
    assert by_key.keys() == by_token.keys()
    assert by_key["user"] == by_token["user"]
    pages = [caller("GET", "notebooks").json for caller in (person.key, person.token)]
    assert pages[0] == pages[1]
    assert [one["name"] for one in pages[0]["data"]] == ["b", "a"]
    stopped = person.token("POST", f"notebooks/{by_key['id']}/stop").json
    assert stopped["status"] == "STOPPING"
    assert person.key("DELETE", f"notebooks/{by_token['id']}").json["status"] == "DELETING"


def test_a_token_decides_over_a_signature(place: Place, member: Person) -> None:
    """Both travel when a user of the SDK adds a token by hand."""
    other = place.new_person(member.project, name="other")
    other.create(name="of-the-other")
    by_both = member.key("GET", "notebooks", headers=[("X-Auth-Token", other.new_token())])
    assert [one["name"] for one in by_both.json["data"]] == ["of-the-other"]
    refused = member.key("GET", "notebooks", headers=[("X-Auth-Token", "wrong")])
    assert refused.error == TOKEN_INVALID
    broken = [("X-Auth-Token", other.new_token()), ("Authorization", "nonsense")]
    assert place.caller(None, member.project.id)("GET", "notebooks", headers=broken).json["total"] == 1


# Tokens that are worth nothing.


def test_no_credentials(place: Place, member: Person) -> None:
    caller = place.caller(None, member.project.id)
    for method, path, body in (
        ("GET", "notebooks", None),
        ("GET", "notebooks/all", None),
        ("POST", "notebooks", member.request()),
        ("GET", "notebooks/flavors", None),
        ("GET", "/v3/projects", None),
        ("GET", "/v3/auth/domains", None),
    ):
        reply = caller(method, path, body=body)
        assert reply.error == (401, "ModelArts.0201")
        assert reply.message == "The request carries neither a token nor a signature."


@pytest.mark.parametrize(
    "token", ["", "unknown", "x" * 4000, "ü", "' OR 1=1 --", "%00", "00000000-0000-4000-8000-000000000000"]
)
def test_unknown_tokens(place: Place, member: Person, token: str) -> None:
    reply = place.caller(TokenOf(token), member.project.id)("GET", "notebooks")
    assert reply.error == TOKEN_INVALID
    assert reply.message == "The token is not valid."


def stored_token(place: Place, person: Person, expires_at: int, *, project: bool = True) -> Caller:
    text = secrets.token_urlsafe()
    project_no = person.project.no if project else None
    place.database.write_now(identity.add_token, digest(text), person.user.no, project_no, expires_at)
    return place.caller(TokenOf(text), person.project.id)


def test_a_token_ends(place: Place, member: Person) -> None:
    late = stored_token(place, member, now() - 1)
    reply = late("GET", "notebooks")
    assert reply.error == (401, "ModelArts.0202")
    assert reply.message == "The token has expired."


def test_a_token_ends_although_it_is_remembered(place: Place, member: Person) -> None:
    end = now() + 1500
    caller = stored_token(place, member, end)
    assert caller("GET", "notebooks").status == 200
    while now() <= end:
        caller("GET", "notebooks")
    assert caller("GET", "notebooks").error == (401, "ModelArts.0202")


def test_a_notebook_token_is_no_token_of_the_api(place: Place, member: Person) -> None:
    token = member.create()["token"]
    assert place.caller(TokenOf(token), member.project.id)("GET", "notebooks").error == TOKEN_INVALID


def test_two_tokens_cannot_be_read(member: Person) -> None:
    reply = member.token("GET", "notebooks", headers=[("X-Auth-Token", "another")])
    assert reply.error == (401, "ModelArts.0204")


def test_a_token_without_project(place: Place, member: Person) -> None:
    reply = member.log_in(None)
    assert (reply.status, "project" in reply.json["token"], reply.json["token"]["roles"]) == (201, False, [])
    caller = place.caller(TokenOf(reply.header("X-Subject-Token") or ""), member.project.id)
    refused = caller("GET", "notebooks")
    assert refused.error == (401, "ModelArts.0212")
    assert refused.message == "The token is not valid for any project."
    assert [one["id"] for one in caller("GET", "/v3/projects").json["projects"]] == [member.project.id]


def test_a_token_of_another_project(place: Place, member: Person) -> None:
    other = place.new_project()
    place.join(member, other, Role.MEMBER)
    token = TokenOf(member.new_token({"project": {"id": other.id}}))
    reply = place.caller(token, member.project.id)("GET", "notebooks")
    assert reply.error == PROJECT
    assert reply.message == f"The credentials are not valid for the project {member.project.id}."
    assert place.caller(token, other.id)("GET", "notebooks").status == 200


# Projects.


def test_one_key_serves_all_projects_of_its_user(place: Place) -> None:
    first, second = place.new_project("first"), place.new_project("second")
    person = place.new_person(first)
    place.join(person, second, Role.ADMINISTRATOR)
    there = place.caller(KeyOf(person.access_key, person.secret_key), second.id)
    person.create(name="in-first")
    person.create(there, name="in-second")
    assert [one["name"] for one in person.key("GET", "notebooks").json["data"]] == ["in-first"]
    assert [one["name"] for one in there("GET", "notebooks/all").json["data"]] == ["in-second"]
    assert person.key("GET", "notebooks/all").error == (403, "ModelArts.0108")
    projects = person.key("GET", "/v3/projects").json
    assert projects == {"projects": [entry(first), entry(second)]}
    for project in (first, second):
        named = person.key("GET", "/v3/projects", query={"name": project.name}).json
        assert named == {"projects": [entry(project)]}
    assert person.token("GET", "/v3/projects", query={"name": "none"}).json == {"projects": []}
    assert person.key("GET", "/v3/projects", query={"name": member_less(place)}).json == {"projects": []}


def entry(project: identity.Project) -> dict[str, Any]:
    return {"id": project.id, "name": project.name, "domain_id": project.account_id, "enabled": True}


def member_less(place: Place) -> str:
    return place.new_project("foreign").name


def test_the_accounts(member: Person) -> None:
    answer = member.key("GET", "/v3/auth/domains").json
    assert answer == {"domains": [{**account(member), "enabled": True}]}


def test_a_foreign_project_is_refused_before_anything_else(place: Place, member: Person) -> None:
    other = place.new_project()
    for project_id in (other.id, "f" * 32, "x"):
        for credentials in (member.key.credentials, member.token.credentials):
            caller = place.caller(credentials, project_id)
            for path in ("notebooks", "notebooks/all", "notebooks/bad-id", "workspaces", "images"):
                reply = caller("GET", path, query={"limit": "nonsense"})
                assert reply.error == PROJECT
                assert reply.message == f"The credentials are not valid for the project {project_id}."


@pytest.mark.parametrize(
    "given", ["%7Bproject_id%7D", "a" * 65, "a%20b", "a%2Fb", "%C3%BC", "%00", "a_b", "..", "%FF"]
)
def test_a_malformed_project_id(place: Place, member: Person, given: str) -> None:
    for credentials in (member.key.credentials, member.token.credentials):
        reply = place.caller(credentials, given)("GET", "notebooks")
        assert reply.error == (400, "ModelArts.0210")
        assert reply.message.endswith(" is not a project id.")


# Signatures.


def signed(person: Person, late: timedelta) -> Reply:
    key = KeyOf(person.access_key, person.secret_key, late)
    return person.place.caller(key, person.project.id)("GET", "notebooks")


def test_the_clock_may_be_off_by_fifteen_minutes(member: Person) -> None:
    quarter, moment = timedelta(minutes=15), timedelta(seconds=30)
    for late in (timedelta(), moment - quarter, quarter - moment):
        assert signed(member, late).status == 200
    for late in (-quarter - timedelta(seconds=1), quarter + moment, timedelta(days=-365), timedelta(days=9)):
        reply = signed(member, late)
        assert reply.error == SIGNATURE
        reason = "X-Sdk-Date is too far from the time of the service"
        assert reply.message == f"Incorrect authentication information: {reason}."


def base_request(person: Person) -> tuple[str, str, str, Headers, bytes]:
    """Method, path, query, headers and body of a request that is signed in all its parts."""
    host = f"127.0.0.1:{person.place.service.port}"
    headers = [
        ("Host", host),
        ("Content-Type", "application/json"),
        ("User-Agent", "huaweicloud-usdk-python/3.0; a#b@c"),
        ("X-Project-Id", person.project.id),
    ]
    body = b'{"name": "never", "description": "\xe5\xae\x9e"}'
    path = f"/v1/{person.project.id}/notebooks"
    query = "a=1&b=%2F%20~&b=2"
    credentials = KeyOf(person.access_key, person.secret_key)
    return "POST", path, query, headers + credentials.headers("POST", path, query, headers, body), body


def replaced(headers: Headers, name: str, change: Callable[[str], str]) -> Headers:
    return [(key, change(value) if key == name else value) for key, value in headers]


Mutation = Callable[[str, str, str, Headers, bytes], tuple[str, str, str, Headers, bytes]]


def on_header(name: str, change: Callable[[str], str]) -> Mutation:
    return lambda m, p, q, h, b: (m, p, q, replaced(h, name, change), b)


def flip(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


MUTATIONS: dict[str, Mutation] = {
    "method": lambda m, p, q, h, b: ("GET", p, q, h, b),
    "path longer": lambda m, p, q, h, b: (m, p + "/x", q, h, b),
    "path changed": lambda m, p, q, h, b: (m, p.replace("notebooks", "images"), q, h, b),
    "query value": lambda m, p, q, h, b: (m, p, q.replace("a=1", "a=2"), h, b),
    "query name": lambda m, p, q, h, b: (m, p, q.replace("a=1", "c=1"), h, b),
    "query added": lambda m, p, q, h, b: (m, p, q + "&z=", h, b),
    "query removed": lambda m, p, q, h, b: (m, p, q.replace("a=1&", ""), h, b),
    "query gone": lambda m, p, q, h, b: (m, p, "", h, b),
    "body changed": lambda m, p, q, h, b: (m, p, q, h, b.replace(b"never", b"NEVER")),
    "body longer": lambda m, p, q, h, b: (m, p, q, h, b + b" "),
    "body gone": lambda m, p, q, h, b: (m, p, q, h, b""),
    "host": on_header("Host", lambda _: "127.0.0.1:1"),
    "content type": on_header("Content-Type", lambda value: value + ";charset=utf-8"),
    "user agent": on_header("User-Agent", lambda value: value.replace("#", "")),
    "project header": on_header("X-Project-Id", flip),
    "date": on_header("X-Sdk-Date", lambda value: value[:-2] + ("0Z" if value[-2] != "0" else "1Z")),
    "date malformed": on_header("X-Sdk-Date", lambda value: value[:-1]),
    "date twice": lambda m, p, q, h, b: (m, p, q, [*h, ("X-Sdk-Date", dict(h)["X-Sdk-Date"])], b),
    "date gone": lambda m, p, q, h, b: (m, p, q, [one for one in h if one[0] != "X-Sdk-Date"], b),
    "signed header gone": lambda m, p, q, h, b: (m, p, q, [one for one in h if one[0] != "User-Agent"], b),
    "signature": on_header("Authorization", flip),
    "signature upper": on_header("Authorization", lambda v: v[:-64] + v[-64:].upper() + "F"),
    "signature short": on_header("Authorization", lambda value: value[:-1]),
    "key": on_header("Authorization", lambda value: value.replace("Access=", "Access=X")),
    "fewer signed": on_header("Authorization", lambda value: value.replace("host;", "")),
    "no date signed": on_header("Authorization", lambda value: value.replace(";x-sdk-date", "")),
    "order of signed": on_header(
        "Authorization", lambda value: value.replace("content-type;host", "host;content-type")
    ),
    "other algorithm": on_header("Authorization", lambda value: value.replace("SDK-", "V11-")),
    "other family": on_header("Authorization", lambda value: value.replace("SHA256", "SM3")),
    "old form": on_header("Authorization", lambda value: value.replace("Access=", "Credential=")),
    "basic": on_header("Authorization", lambda _: "Basic YTpi"),
    "empty": on_header("Authorization", lambda _: ""),
    "twice": lambda m, p, q, h, b: (m, p, q, [*h, ("Authorization", dict(h)["Authorization"])], b),
    "payload hash added": lambda m, p, q, h, b: (
        m, p, q, [*h, ("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")], b + b" "
    ),
}  # fmt: skip


def test_the_request_that_is_mutated_below_is_good(member: Person) -> None:
    """Its credentials are accepted, so it is refused for the first field that is missing."""
    reply = raw(member, *base_request(member))
    assert reply.error == (400, "ModelArts.0107")  # The query has b twice.


def raw(person: Person, method: str, path: str, query: str, headers: Headers, body: bytes) -> Reply:
    target = path + (f"?{query}" if query else "")
    length = [("Content-Length", str(len(body)))]
    return person.place.caller(None, "").send(method, target, headers + length, body)


@pytest.mark.parametrize("name", MUTATIONS)
def test_any_single_change_spoils_a_signature(member: Person, name: str) -> None:
    mutated = MUTATIONS[name](*base_request(member))
    reply = raw(member, *mutated)
    known_path = mutated[1].rpartition("/")[2] != "x"
    if known_path:
        assert reply.error == SIGNATURE
        assert reply.message.startswith("Incorrect authentication information: ")
    else:
        assert reply.error == (405, "ModelArts.0101")  # There is no such operation to sign for.


def test_an_unsigned_addition_changes_nothing(member: Person) -> None:
    """Proxies add headers; names and order of the query do not matter to a signature."""
    method, path, _, _, _ = base_request(member)
    headers = [("Host", f"127.0.0.1:{member.place.service.port}")]
    key = KeyOf(member.access_key, member.secret_key)
    signed_headers = headers + key.headers("GET", path, "limit=5&offset=0", headers, b"")
    extra = [("X-Forwarded-For", "10.0.0.1"), ("Accept", "*/*")]
    for query in ("limit=5&offset=0", "offset=0&limit=5", "offset=%30&limit=5"):
        reply = raw(member, "GET", path, query, signed_headers + extra, b"")
        assert (reply.status, reply.json["size"]) == (200, 5)
    assert method == "POST"


def test_clients_that_sign_neither_host_nor_project_get_in(member: Person) -> None:
    path = f"/v1/{member.project.id}/notebooks"
    headers = [("Accept", "application/json"), ("X-Language", "en-us")]
    key = KeyOf(member.access_key, member.secret_key)
    sent = headers + key.headers("GET", path, "", headers, b"")
    later = [("Host", "anything"), ("X-Project-Id", member.project.id), ("X-Domain-Id", "d")]
    assert raw(member, "GET", path, "", sent + later, b"").status == 200


def test_an_unknown_key_looks_like_a_wrong_secret(place: Place, member: Person) -> None:
    messages = set()
    for key in (KeyOf("A" * 20, member.secret_key), KeyOf(member.access_key, "wrong")):
        reply = place.caller(key, member.project.id)("GET", "notebooks")
        assert reply.error == SIGNATURE
        messages.add(reply.message)
    assert messages == {"Incorrect authentication information: the signature does not match."}


def test_a_refused_signature_names_its_request(member: Person) -> None:
    reply = signed(member, timedelta(days=1))
    assert reply.json["request_id"] == reply.header("X-Request-Id")


def test_signing_as_the_published_vectors_do(member: Person) -> None:
    """Our own signer is not the only judge: a request id from the past is refused whoever signs it."""
    request = signing.Request("GET", f"/v1/{member.project.id}/notebooks".encode())
    old = signing.sign(request, member.access_key, member.secret_key, datetime(2020, 1, 1, tzinfo=UTC))
    assert old["X-Sdk-Date"] == "20200101T000000Z"
    reply = raw(member, "GET", f"/v1/{member.project.id}/notebooks", "", list(old.items()), b"")
    assert reply.error == SIGNATURE


# Cut off within five seconds, as promised.


def soon(change: str, *outcomes: tuple[Caller, str, tuple[int, str] | int]) -> None:
    """Within the promised time each caller gets the outcome it should get, and keeps getting it."""
    started = time.monotonic()
    while not all(outcome(*one) for one in outcomes):
        assert time.monotonic() - started < CUT_OFF, f"no effect yet: {change}"
        time.sleep(0.05)
    assert time.monotonic() - started < CUT_OFF
    assert [outcome(*one) for one in outcomes] == [True] * len(outcomes)


def outcome(caller: Caller, path: str, wanted: tuple[int, str] | int) -> bool:
    reply = caller("GET", path)
    return (reply.status if isinstance(wanted, int) or reply.status < 400 else reply.error) == wanted


def test_whoever_loses_a_right_is_cut_off(place: Place) -> None:
    """All at once, because each takes seconds."""
    project, closed = place.new_project(), place.new_project("closed")
    write = place.database.write_now
    disabled, keyless, outsider, changed = (place.new_person(project) for _ in range(4))
    lowered = place.new_person(project, Role.ADMINISTRATOR)
    there = place.new_person(closed)
    second = place.write(people.add_key, keyless.user)
    other_key = place.caller(KeyOf(second.access_key, second.secret_key), project.id)
    members = (disabled, keyless, outsider, changed, lowered, there)
    before = [
        one
        for person in members
        for one in ((person.key, "notebooks", 200), (person.token, "notebooks", 200))
    ]
    soon("nothing", *before, (other_key, "notebooks", 200), (lowered.key, "notebooks/all", 200))

    write(identity.enable_user, disabled.user.no, False)
    write(identity.enable_key, keyless.access_key, False)
    write(identity.enable_project, closed.no, False)
    write(people.set_password, changed.user.name, "another one")
    place.join(outsider, project, None)
    place.join(lowered, project, Role.MEMBER)
    soon(
        "rights taken",
        (disabled.key, "notebooks", SIGNATURE),
        (disabled.token, "notebooks", TOKEN_INVALID),
        (keyless.key, "notebooks", SIGNATURE),
        (keyless.token, "notebooks", 200),
        (other_key, "notebooks", 200),
        (outsider.key, "notebooks", PROJECT),
        (outsider.token, "notebooks", PROJECT),
        (changed.key, "notebooks", 200),
        (changed.token, "notebooks", TOKEN_INVALID),
        (lowered.key, "notebooks/all", (403, "ModelArts.0108")),
        (lowered.token, "notebooks/all", (403, "ModelArts.0108")),
        (lowered.key, "notebooks", 200),
        (there.key, "notebooks", PROJECT),
        (there.token, "notebooks", PROJECT),
    )
    assert there.key("GET", "/v3/projects").json == {"projects": []}
    for person in (disabled, outsider, changed, there):
        assert person.log_in().error == SIGNATURE
    assert changed.log_in(password="another one").status == 201

    write(identity.enable_user, disabled.user.no, True)
    write(identity.enable_key, keyless.access_key, True)
    write(identity.enable_project, closed.no, True)
    write(identity.delete_key, second.access_key)
    soon(
        "rights given back",
        (disabled.key, "notebooks", 200),
        (disabled.token, "notebooks", TOKEN_INVALID),  # The tokens of before do not come back.
        (keyless.key, "notebooks", 200),
        (other_key, "notebooks", SIGNATURE),
        (there.key, "notebooks", 200),
        (there.token, "notebooks", 200),
    )
    assert disabled.log_in().status == 201

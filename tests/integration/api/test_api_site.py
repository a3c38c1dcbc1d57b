"""Everything beside the operations: unknown paths and methods, health, metrics, document and pages."""

import http.client
import re
import socket
from urllib.parse import quote, urlencode

import pytest

from nbfleet import __version__
from nbfleet.services import identity
from nbfleet.store.identity import enable_user
from nbfleet.wire import openapi
from nbfleet.wire.operations import OPERATIONS
from support.http import Caller, Reply, check
from support.people import Person, Place

UNKNOWN = "00000000-0000-4000-8000-000000000000"
COOKIE = "nbfleet-session"


@pytest.fixture(scope="module")
def nobody(place: Place) -> Caller:
    return place.caller(None, "p")


# Paths and methods.


@pytest.mark.parametrize(
    "path",
    [
        *("/v1", "/v1/", "/v1/p", "/v1/p/notebooks/", "/v1/p/notebooks/all/x", "/v2/p/notebooks", "//", "/x"),
        *("/v1//notebooks", "/v1/p//notebooks", "/docs/", "/healthz/", "/v3", "/v3/auth", "/V1/p/notebooks"),
        *("/v1/p/notebooks/open", "/openapi.yaml", "/%00", "/%FF", "/v1/p/notebooks%2Fall", "/../etc/passwd"),
        "/" + "x" * 3000,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_paths(nobody: Caller, member: Person, path: str, method: str) -> None:
    """With and without credentials alike, except where a word stands in the place of an id."""
    reply = nobody(method, path)
    if path == "/v1/p/notebooks/open":
        expected = (405, "ModelArts.0101") if method == "POST" else (401, "ModelArts.0201")
        assert reply.error == expected
        return
    assert reply.error == (404, "ModelArts.6404")
    assert reply.message.startswith("There is no operation at /")
    assert len(reply.message) < 600
    assert reply.message.isprintable()
    assert member.token(method, path).error == (404, "ModelArts.6404")


def methods_of(path: str) -> set[str]:
    return {operation.method for operation in OPERATIONS if operation.path == path}


@pytest.mark.parametrize("path", sorted({operation.path for operation in OPERATIONS}))
def test_other_methods_are_refused_by_name(nobody: Caller, path: str) -> None:
    given = re.sub(r"\{[^}]*\}", UNKNOWN, path)
    allowed = methods_of(path)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} - allowed:
        reply = nobody(method, given)
        assert reply.error == (405, "ModelArts.0101")
        assert set((reply.header("Allow") or "").split(", ")) == allowed | ({"HEAD"} & allowed)
        assert reply.message.startswith(f"The method {method} is not possible here; allowed: ")


@pytest.mark.parametrize(
    "text",
    ["BREW / HTTP/1.1", "get / HTTP/1.1", "GET / HTTP/9.9", "hello", "GET / HTTP/1.1\r\nno colon"],
)
def test_what_is_no_http_is_refused_in_the_shape_of_the_api(place: Place, text: str) -> None:
    with socket.create_connection(("127.0.0.1", place.service.port), timeout=30) as connection:
        connection.sendall(f"{text}\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        reply = Reply(answer.status, answer.getheaders(), answer.read())
        answer.close()
    check(place.service, "GET", "/", reply)
    assert (*reply.error, reply.message) == (400, "ModelArts.0101", "This is not an HTTP request.")


def test_head_answers_without_a_body(nobody: Caller, member: Person) -> None:
    for path in ("/docs", "/login", "/healthz", "/metrics", "/openapi.json"):
        head, whole = nobody("HEAD", path), nobody("GET", path)
        assert (head.status, head.raw) == (200, b"")
        assert head.header("Content-Type") == whole.header("Content-Type")
    for path in ("notebooks", f"notebooks/{UNKNOWN}"):
        head = member.token("HEAD", path)
        assert (head.status, head.raw) == (405, b"")
        assert head.header("Allow") is not None
    assert nobody("HEAD", "/nothing").status == 404


@pytest.mark.parametrize("path", ["/", "/docs", "/login", "/healthz", "/metrics", "/openapi.json"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_pages_refuse_methods_in_the_shape_of_the_api(nobody: Caller, path: str, method: str) -> None:
    reply = nobody(method, path)
    assert reply.error == (405, "ModelArts.0101")
    expected = {"GET", "HEAD"} | ({"POST"} if path == "/login" else set())
    assert set((reply.header("Allow") or "").split(", ")) == expected


def test_every_request_has_an_id_of_its_own(nobody: Caller) -> None:
    paths = ("/", "/docs", "/login", "/healthz", "/metrics", "/openapi.json", "/v1/p/notebooks", "/nothing")
    ids = [nobody("GET", path).header("X-Request-Id") for path in paths * 3]
    assert len(set(ids)) == len(ids)


def test_a_request_id_of_the_caller_is_not_taken_over(nobody: Caller) -> None:
    reply = nobody("GET", "/v1/p/notebooks", headers=[("X-Request-Id", "mine")])
    assert reply.header("X-Request-Id") != "mine"


# Health, metrics and the document.


def test_health(nobody: Caller) -> None:
    reply = nobody("GET", "/healthz")
    assert (reply.status, reply.json) == (200, {"status": "ok"})


def test_the_served_document_is_the_one_of_the_table(place: Place, nobody: Caller) -> None:
    served = nobody("GET", "/openapi.json")
    assert served.json == openapi.document(place.service.endpoint, __version__)
    assert served.header("Content-Type") == "application/json"


FAMILIES = {
    "nbfleet_request_seconds": "histogram",
    "nbfleet_gateway_requests_total": "counter",
    "nbfleet_effects_total": "counter",
    "nbfleet_start_seconds": "histogram",
    "nbfleet_auto_stops_total": "counter",
    "nbfleet_reconciling": "gauge",
}
LABELS = {"operation", "status", "le", "effect", "result"}


def test_metrics_have_stable_names_and_no_ids(nobody: Caller, member: Person) -> None:
    notebook = member.running()
    member.key("GET", f"notebooks/{notebook['id']}")
    nobody("GET", "/secret-path-of-somebody")
    nobody("PROPFIND", "/v1/p/notebooks")
    text = nobody("GET", "/metrics").raw.decode()
    families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    found = {name: kind for name, kind in families.items() if not name.endswith("_created")}
    assert found == FAMILIES
    labels = re.findall(r'(\w+)="([^"]*)"', text)
    assert {name for name, _ in labels} <= LABELS
    operations = {operation.id for operation in OPERATIONS} | {"none"}
    counted = {value for name, value in labels if name == "operation" and not value.startswith("page ")}
    assert counted <= operations
    assert {value for name, value in labels if name == "status"} <= {str(n) for n in range(200, 600)}
    for hidden in (notebook["id"], member.user.id, member.project.id, member.user.name, "secret", "PROPFIND"):
        assert hidden not in text


def counted(nobody: Caller, operation: str, status: int) -> float:
    text = nobody("GET", "/metrics").raw.decode()
    sample = f'nbfleet_request_seconds_count{{operation="{operation}",status="{status}"}} '
    return next(
        (float(line.removeprefix(sample)) for line in text.splitlines() if line.startswith(sample)), 0.0
    )


def test_requests_are_counted_by_operation_and_status(nobody: Caller, member: Person) -> None:
    asked = [("ShowNotebook", 404), ("ListNotebooks", 200), ("ListNotebooks", 400), ("none", 404)]
    before = [counted(nobody, *one) for one in asked]
    member.key("GET", f"notebooks/{UNKNOWN}")
    member.key("GET", "notebooks")
    member.key("GET", "notebooks", query="limit=0")
    member.key("GET", "/nothing")
    assert [counted(nobody, *one) for one in asked] == [count + 1 for count in before]


# Pages.


def test_the_front_page_leads_to_the_console(nobody: Caller) -> None:
    reply = nobody("GET", "/")
    assert (reply.status, reply.header("Location")) == (303, "/console/")


def test_the_page_of_operations_shows_all_of_them(nobody: Caller) -> None:
    reply = nobody("GET", "/docs")
    assert (reply.status, reply.header("Content-Type")) == (200, "text/html; charset=utf-8")
    text = reply.raw.decode()
    for operation in OPERATIONS:
        assert f'<details class="operation" id="{operation.id}">' in text
        assert f"<code>{operation.path}</code>" in text
    policy = reply.header("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def ticket_of(place: Place, person: Person) -> str:
    return place.write(identity.new_login_link, person.user.name)


def log_in(nobody: Caller, ticket: str) -> Reply:
    form = urlencode({"ticket": ticket}).encode()
    return nobody(
        "POST", "/login", body=form, headers=[("Content-Type", "application/x-www-form-urlencoded")]
    )


def test_a_login_link_works_once(place: Place, nobody: Caller, member: Person) -> None:
    ticket = ticket_of(place, member)
    for _ in range(3):
        page = nobody("GET", "/login", query={"ticket": ticket})
        assert page.status == 200
        assert f'<input type="hidden" name="ticket" value="{ticket}">' in page.raw.decode()
        assert page.header("Set-Cookie") is None
        assert nobody("HEAD", "/login", query={"ticket": ticket}).status == 200
    done = log_in(nobody, ticket)
    assert (done.status, done.header("Location"), done.raw) == (303, "/console/", b"")
    cookie = done.header("Set-Cookie") or ""
    value, *attributes = cookie.split("; ")
    assert value.startswith(f"{COOKIE}=")
    assert sorted(attributes) == ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=lax"]
    second = log_in(nobody, ticket)
    assert (second.status, second.header("Set-Cookie")) == (403, None)
    assert "This link no longer works" in second.raw.decode()


def test_a_session_reads_and_does_nothing_else(place: Place, nobody: Caller, member: Person) -> None:
    notebook = member.running(name="seen")
    done = log_in(nobody, ticket_of(place, member))
    session = (done.header("Set-Cookie") or "").split(";")[0]
    browser, cookie = place.caller(None, member.project.id), [("Cookie", f"theme=dark; {session}")]
    shown = browser("GET", f"notebooks/{notebook['id']}", headers=cookie).json
    assert shown == {**notebook, "current_time": shown["current_time"]}
    assert browser("GET", "notebooks", headers=cookie).json == member.key("GET", "notebooks").json
    assert browser("GET", "/v3/projects", headers=cookie).json["projects"][0]["id"] == member.project.id
    base = f"notebooks/{notebook['id']}"
    for method, path, body in (
        ("POST", "notebooks", member.request()),
        ("PUT", base, {"name": "n"}),
        ("DELETE", base, None),
        ("POST", f"{base}/start", None),
        ("POST", f"{base}/stop", None),
        ("PATCH", f"{base}/lease", {"duration": -1}),
    ):
        assert browser(method, path, body=body, headers=cookie).error == (401, "ModelArts.0201")
    assert member.show(notebook["id"])["status"] == "RUNNING"
    elsewhere = place.caller(None, place.new_project().id)
    assert elsewhere("GET", "notebooks", headers=cookie).error == (403, "ModelArts.0210")
    wrong = [("Cookie", f"{COOKIE}=wrong")]
    assert browser("GET", "notebooks", headers=wrong).error == (401, "ModelArts.0203")


def test_login_links_that_are_worth_nothing(place: Place, nobody: Caller, member: Person) -> None:
    person = place.new_person(member.project)
    late = ticket_of(place, person)
    place.database.write_now(enable_user, person.user.no, False)
    assert log_in(nobody, "\0").status == 400
    for ticket in ("", "wrong", "x" * 300, "x" * 100_000, "ü", late):
        refused = log_in(nobody, ticket)
        assert (refused.status, refused.header("Set-Cookie")) == (403, None)
    assert nobody("POST", "/login").status == 403
    assert nobody("POST", "/login", body=b"\xff\xfe").status == 400


def test_what_stands_in_a_link_is_only_text(nobody: Caller) -> None:
    evil = '"><script>alert(1)</script>'
    text = nobody("GET", "/login", query="ticket=" + quote(evil)).raw.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_one_connection_serves_good_and_bad_requests_alike(member: Person) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", member.place.service.port, timeout=30)
    statuses = []
    token = member.new_token()
    path = f"/v1/{member.project.id}/notebooks"
    for method, body in (
        ("GET", None),
        ("POST", b"{"),
        ("GET", None),
        ("POST", b"x" * 2_000_000),
        ("GET", None),
    ):
        connection.request(method, path, body=body, headers={"X-Auth-Token": token})
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.getheaders(), answer.read())
        check(member.place.service, method, path, reply)
        statuses.append(reply.status)
    connection.close()
    assert statuses == [200, 400, 200, 413, 200]

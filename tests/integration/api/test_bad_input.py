"""Input that cannot be used: its status, its code, a message that helps, and nothing written down.

Each case says what the message must hold: the field and what was given, or what is allowed.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.client import Answer, conforms, exchange

HOUR = 3_600_000
MISSING, TYPE, VALUE, TEXT, DURATION = (f"ModelArts.{n}" for n in (6335, 6332, 6336, 6334, 6349))
QUERY, SORT, BODY, NOT_YET = "ModelArts.0107", "ModelArts.6303", "ModelArts.6400", "ModelArts.6361"
ABSENT = "00000000-0000-0000-0000-000000000000"


@dataclass
class Case:
    name: str
    code: str
    says: tuple[str, ...]
    status: int = 400
    method: str = "POST"
    at: str = ""
    query: Any = None
    body: Any = None
    headers: list[tuple[str, str]] = field(default_factory=list)


def create(called: str, code: str, /, *says: str, status: int = 400, **fields: Any) -> Case:
    """A create request that is right but for these fields; a field of None is left out."""
    return Case(called, code, says, status, body=fields)


def raw(name: str, code: str, body: bytes, *says: str, status: int = 400) -> Case:
    return Case(name, code, says, status, body=body)


def listing(name: str, code: str, query: Any, *says: str) -> Case:
    return Case(f"list: {name}", code, says, method="GET", query=query)


def update(called: str, code: str, /, *says: str, status: int = 400, **fields: Any) -> Case:
    return Case(called, code, says, status, "PUT", "/{stopped}", body=fields)


VOLUME = {"category": "EVS", "ownership": "MANAGED"}

CASES = [
    # Missing.
    create("no name", MISSING, "name", name=None),
    create("no image", MISSING, "image_id", image_id=None),
    create("no volume", MISSING, "volume", volume=None),
    create("no flavor", MISSING, "flavor", flavor=None),
    create("no category", MISSING, "volume.category", volume={"ownership": "MANAGED"}),
    create("no ownership", MISSING, "volume.ownership", volume={"category": "EVS"}),
    raw("an empty object", MISSING, b"{}", "image_id"),
    # Types.
    create("name a number", TYPE, "name", "5", "str", name=5),
    create("name null", TYPE, "name", "null", "str", name=[None]),
    create("volume text", TYPE, "volume", "EVS", "object", volume="EVS"),
    create("volume a list", TYPE, "volume", "object", volume=[VOLUME]),
    create("capacity text", TYPE, "volume.capacity", "5", "int", volume=VOLUME | {"capacity": "5"}),
    create("capacity a fraction", TYPE, "volume.capacity", "5.5", "int", volume=VOLUME | {"capacity": 5.5}),
    create("read_only text", TYPE, "volume.read_only", "no", "bool", volume=VOLUME | {"read_only": "no"}),
    create("duration text", TYPE, "duration", "1h", "int", duration="1h"),
    create("lease a number", TYPE, "lease", "5", "object", lease=5),
    create("lease duration true", TYPE, "lease.duration", "true", "int", lease={"duration": True}),
    create("endpoints an object", TYPE, "endpoints", "array", endpoints={}),
    create("endpoint text", TYPE, "endpoints[0]", "SSH", "object", endpoints=["SSH"]),
    create("description a list", TYPE, "description", "str", description=["x"]),
    raw("a list as body", TYPE, b"[]", "body", "[]", "object"),
    raw("text as body", TYPE, b'"x"', "body", "x", "object"),
    raw("null as body", TYPE, b"null", "body", "null", "object"),
    # Values.
    create("empty name", VALUE, "name", "1 to 128", name=""),
    create("long name", VALUE, "name", "x" * 128 + "…", "1 to 128", name="x" * 129),
    create("name with a space", TEXT, "name", "a b", "letters, digits, hyphen", name="a b"),
    create("name with a dot", TEXT, "name", "a.b", "letters, digits, hyphen", name="a.b"),
    create("name with a line end", TEXT, "name", "a\\n", "letters, digits", name="a\n"),
    create("name with NUL", TEXT, "name", "a\\x00b", "letters, digits", name="a\0b"),
    create("name with an accent", TEXT, "name", "é", "letters, digits", name="é"),
    create("long description", VALUE, "description", "at most 512", description="x" * 513),
    create("description with markup", TEXT, "description", "<b>", "any but", description="<b>"),
    create("description with a quote", TEXT, "description", "it's", "any but", description="it's"),
    create("description with an ampersand", TEXT, "description", "a&b", "any but", description="a&b"),
    create("description with NUL", TEXT, "description", "a\\x00", "any but", description="a\0"),
    create("image no id", VALUE, "image_id", "latest", image_id="latest"),
    create("unknown image", "ModelArts.6797", "image", ABSENT, image_id=ABSENT),
    create("unknown flavor", "ModelArts.6323", "flavor", "huge", flavor="huge"),
    create("empty flavor", VALUE, "flavor", flavor=""),
    create("unknown workspace", "ModelArts.7005", "workspace", "a" * 32, workspace_id="a" * 32),
    create("workspace no id", VALUE, "workspace_id", "main", workspace_id="main"),
    create("feature unknown", VALUE, "feature", "CODELAB", feature="CODELAB"),
    create("category unknown", VALUE, "volume.category", "NFS", volume=VOLUME | {"category": "NFS"}),
    create("small disk", VALUE, "volume.capacity", "4", "5 to 4096", volume=VOLUME | {"capacity": 4}),
    create("large disk", VALUE, "volume.capacity", "4097", "5 to 4096", volume=VOLUME | {"capacity": 4097}),
    create("enormous disk", VALUE, "volume.capacity", "5 to 4096", volume=VOLUME | {"capacity": 10**30}),
    create("EVS of one's own", "ModelArts.6702", "EVS", "DEDICATED",
           volume=VOLUME | {"ownership": "DEDICATED"}),
    create("another mount path", VALUE, "volume.mount_path", "/etc/", "/home/ma-user/work/",
           volume=VOLUME | {"mount_path": "/etc/"}),
    create("a read-only work volume", VALUE, "volume.read_only", "True", volume=VOLUME | {"read_only": True}),
    create("a source for a managed volume", VALUE, "volume.uri", "obs://x/", volume=VOLUME | {"uri": "obs://x/"}),
    create("six addresses", VALUE, "endpoints[0].allowed_access_ips", "0 to 5 items",
           endpoints=[{"service": "NOTEBOOK", "allowed_access_ips": ["1.1.1.1"] * 6}]),
    create("addresses for the browser", VALUE, "endpoints[0].allowed_access_ips",
           endpoints=[{"service": "NOTEBOOK", "allowed_access_ips": ["1.1.1.1"]}]),
    create("service unknown", VALUE, "endpoints[0].service", "VNC", endpoints=[{"service": "VNC"}]),
    # Durations.
    create("too short", DURATION, "duration", "3599999", "3600000 to 259200000", duration=HOUR - 1),
    create("too long", DURATION, "duration", "259200001", "-1 or 3600000", duration=259_200_001),
    create("nought", DURATION, "duration", "0", "3600000 to 259200000", duration=0),
    create("minus two", DURATION, "duration", "-2", duration=-2),
    create("beyond 64 bits", DURATION, "duration", str(10**25), duration=10**25),
    create("lease too short", DURATION, "lease.duration", "60000", lease={"duration": 60_000}),
    create("lease kind unknown", VALUE, "lease.type", "NEVER", lease={"type": "NEVER"}),
    Case("renew text", DURATION, ("duration", "soon"), method="PATCH", at="/{running}/lease",
         query={"duration": "soon"}),
    Case("renew short", DURATION, ("duration", "5", "3600000 to 259200000"), method="PATCH",
         at="/{running}/lease", query={"duration": 5}),
    Case("renew empty", DURATION, ("duration",), method="PATCH", at="/{running}/lease", query="duration="),
    Case("renew body short", DURATION, ("duration", "7"), method="PATCH", at="/{running}/lease",
         body={"duration": 7}),
    Case("start short", DURATION, ("duration", "5"), at="/{stopped}/start", query={"duration": 5}),
    Case("start kind unknown", QUERY, ("type", "Never", "TIMING, IDLE"), at="/{stopped}/start",
         query={"type": "Never"}),
    # What this release does not do, each named.
    *(create(f"not yet: {name}", NOT_YET, name, status=501, **{name: value}) for name, value in {
        "pool_id": "pool-1",
        "custom_spec": {"cpu": 1, "memory": 1024},
        "hooks": {"container_hooks": {"pre_start": {"script": "/x"}}},
        "data_volumes": [VOLUME],
    }.items()),
    create("not yet: feature DEFAULT", NOT_YET, "feature DEFAULT", status=501, feature="DEFAULT"),
    create("not yet: SSH", NOT_YET, "SSH in endpoints[0]", status=501, endpoints=[{"service": "SSH"}]),
    create("not yet: IDLE", NOT_YET, "lease.type IDLE", status=501, lease={"type": "idle"}),
    create("not yet: OBS", NOT_YET, "volume.category OBS", status=501,
           volume={"category": "OBS", "ownership": "DEDICATED"}),
    update("not yet: new size", NOT_YET, "storage_new_size", status=501, storage_new_size=10),
    update("not yet: new flavor", NOT_YET, "flavor", status=501, flavor="modelarts.vm.cpu.2u"),
    update("not yet: new image", NOT_YET, "image_id", status=501, image_id=ABSENT),
    Case("not yet: start IDLE", NOT_YET, ("lease type IDLE",), 501,
         at="/{stopped}/start", query={"type": "IDLE"}),
    # Updates.
    update("update: name", TEXT, "name", "a/b", name="a/b"),
    update("update: description", TEXT, "description", "/", description="/"),
    update("update: size", VALUE, "storage_new_size", "4", storage_new_size=4),
    update("update: image", VALUE, "image_id", "x", image_id="x"),
    Case("update: no body", BODY, ("body",), method="PUT", at="/{stopped}", body=b""),
    # Bodies that cannot be read.
    raw("nothing", BODY, b"", "body"),
    raw("half", BODY, b'{"name": "a', "body"),
    raw("half after a wrong type", BODY, b'{"name": 5, broken', "body"),
    raw("a number beyond all", BODY, b'{"name": 5, "x": 1e400}', "body"),
    raw("trailing comma", BODY, b'{"name": "a",}', "body"),
    raw("two documents", BODY, b"{}{}", "body"),
    raw("single quotes", BODY, b"{'name': 'a'}", "body"),
    raw("NaN", BODY, b'{"name": NaN}', "body"),
    raw("a form", BODY, b"name=a&flavor=b", "body"),
    raw("invalid UTF-8", BODY, b'{"name": "\xff\xfe"}', "body"),
    raw("UTF-16", BODY, '{"name": "a"}'.encode("utf-16"), "body"),
    raw("Latin-1", BODY, '{"name": "é"}'.encode("latin-1"), "body"),
    raw("byte order mark", BODY, b'\xef\xbb\xbf{"name": "a"}', "body"),
    raw("a real NUL", BODY, b'{"name": "a\x00b"}', "body"),
    raw("half a surrogate", BODY, b'{"name": "\\ud800"}', "body"),
    raw("deep lists", BODY, b"[" * 100_000, "body", "nested too deeply"),
    raw("deep objects", BODY, b'{"a":' * 50_000, "body", "nested too deeply"),
    raw("deep inside", BODY, b'{"name": 5, "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "nested too deeply"),
    raw("too large", BODY, b'{"name": "' + b"x" * 1_048_577 + b'"}', "1048576 bytes", status=413),
    # Queries.
    listing("limit nought", QUERY, {"limit": 0}, "limit", "0"),
    listing("limit negative", QUERY, {"limit": -1}, "limit", "-1"),
    listing("limit 1001", QUERY, {"limit": 1001}, "limit", "1001", "1 to 1000"),
    listing("limit 2^31", QUERY, {"limit": 2**31}, "limit", str(2**31)),
    listing("limit huge", QUERY, {"limit": "9" * 400}, "limit", "999"),
    listing("limit a word", QUERY, {"limit": "ten"}, "limit", "ten"),
    listing("limit a fraction", QUERY, {"limit": "1.5"}, "limit", "1.5"),
    listing("limit empty", QUERY, "limit=", "limit"),
    listing("limit without value", QUERY, "limit", "limit"),
    listing("limit in other digits", QUERY, "limit=%EF%BC%91", "limit", "１"),
    listing("offset negative", QUERY, {"offset": -1}, "offset", "-1"),
    listing("offset 2^31", QUERY, {"offset": 2**31}, "offset", str(2**31)),
    listing("sort key unknown", SORT, {"sort_key": "owner"}, "owner", "name, status"),
    listing("sort key empty part", SORT, {"sort_key": "name,"}, "name, status"),
    listing("sort key with SQL", QUERY, {"sort_key": "name;drop"}, "sort_key", "name;drop"),
    listing("sort direction", QUERY, {"sort_dir": "down"}, "sort_dir", "down", "ASC, DESC"),
    listing("status unknown", QUERY, {"status": "ACTIVE"}, "status", "ACTIVE", "RUNNING"),
    listing("feature unknown", QUERY, {"feature": "codelab"}, "feature", "codelab", "NOTEBOOK"),
    listing("billing unknown", QUERY, {"billing": "GPU"}, "billing", "GPU", "COMPUTE, STORAGE, ALL"),
    listing("id no id", QUERY, {"id": "x"}, "id", "x"),
    listing("image no id", QUERY, {"image_id": "x"}, "image_id", "x"),
    listing("owner no id", QUERY, {"owner": "alice"}, "owner", "alice"),
    listing("ip no address", QUERY, {"ip": "10.0.0.256"}, "ip", "10.0.0.256"),
    listing("ip version 6", QUERY, {"ip": "::1"}, "ip", "::1"),
    listing("name with a space", QUERY, {"name": "a b"}, "name", "a b"),
    listing("name long", QUERY, {"name": "x" * 129}, "name", "0 to 128"),
    listing("tags", QUERY, {"tags": "|v"}, "tags", "|v"),
    listing("description with markup", QUERY, {"description": "<"}, "description", "<"),
    listing("description with NUL", QUERY, "description=a%00", "description", "a\\x00", "without NUL"),
    listing("workspace with NUL", QUERY, "workspace_id=%00", "workspace_id", "\\x00", "without NUL"),
    listing("twice", QUERY, "name=a&name=b", "name", "a, b", "one value"),
    listing("twice the same", QUERY, "limit=1&limit=1", "limit", "one value"),
    listing("invalid UTF-8 in the query", QUERY, "name=%FF", "query string", "UTF-8"),
    listing("a long query", QUERY, "x=" + "y" * 8192, "query string", "8194 bytes", "8192 bytes"),
    # Paths.
    Case("no id", VALUE, ("id", "x"), method="GET", at="/x"),
    Case("id with a slash", VALUE, ("id", "a/b"), method="GET", at="/a%2Fb"),
    Case("id with NUL", VALUE, ("id", "\\x00"), method="GET", at="/%00"),
    Case("id with a line end", VALUE, ("id", "\\n"), method="GET", at=f"/{ABSENT}%0A"),
    Case("unknown id", "ModelArts.6404", ("instance", ABSENT), 404, "GET", f"/{ABSENT}"),
    Case("delete unknown", "ModelArts.6404", ("instance", ABSENT), 404, "DELETE", f"/{ABSENT}"),
    Case("start unknown", "ModelArts.6404", ("instance", ABSENT), 404, "POST", f"/{ABSENT}/start"),
    Case("start with a list", TYPE, ("body", "[]", "object"), at="/{stopped}/start", body=[]),
    Case("stop with rubbish", BODY, ("body",), at="/{running}/stop", body=b"{"),
]  # fmt: skip


@pytest.fixture(scope="module")
def known(fleet) -> dict[str, str]:
    return {
        "stopped": fleet.alice.stopped(name="kept")["id"],
        "running": fleet.alice.running(name="kept")["id"],
        "image": fleet.alice.image_id(),
    }


def whole(case: Case, known: dict[str, str]) -> Any:
    """The body of the case: a create request is filled up to be right but for its fields."""
    if isinstance(case.body, dict) and case.at == "":
        right = {"name": "n", "flavor": "modelarts.vm.cpu.1u", "image_id": known["image"], "volume": VOLUME}
        filled = right | case.body
        if filled["name"] == [None]:
            return filled | {"name": None}
        return {name: value for name, value in filled.items() if value is not None}
    return case.body


def test_there_are_enough_cases_with_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 70


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_refused_with_reason_and_leaves_no_trace(
    fleet, known: dict[str, str], case: Case
) -> None:
    before = fleet.hosted.dump()
    path = fleet.alice.at(case.at.format(**known))
    answer = fleet.alice.request(case.method, path, case.query, whole(case, known), case.headers)
    assert answer.refusal == (case.status, case.code), answer.message
    for part in case.says:
        assert part in answer.message
    assert len(answer.message) < 1500
    assert fleet.hosted.dump() == before


def chunked(fleet, size: int) -> Answer:
    """A body whose length nobody tells beforehand; http.client frames a body that is iterated over."""
    part = b"x" * 65_536
    framed = (b"%x\r\n%b\r\n" % (len(part), part)) * (size // len(part)) + b"0\r\n\r\n"
    headers = [("Host", "x"), ("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
    path = fleet.alice.at()
    answer = exchange(fleet.alice.port, "POST", path, headers, framed)
    conforms(fleet.alice.port, "POST", path, answer)
    return answer


def test_a_body_without_a_length_is_measured_while_it_comes(fleet, known: dict[str, str]) -> None:
    assert chunked(fleet, 65_536).refusal == (401, "ModelArts.0201")
    large = chunked(fleet, 20 * 65_536)
    assert large.refusal == (413, "ModelArts.6400")
    assert large.message == "The request body is larger than 1048576 bytes."


def asking(user: str) -> bytes:
    """A request for a token, with this text for the user."""
    password = f'"methods": ["password"], "password": {{"user": {user}}}'
    return f'{{"auth": {{"identity": {{{password}}}}}}}'.encode()


TOKENS: list[tuple[str, bytes, int, str, tuple[str, ...]]] = [
    ("nothing", b"", 400, BODY, ("body",)),
    ("an empty object", b"{}", 400, MISSING, ("auth",)),
    ("no identity", b'{"auth": {}}', 400, MISSING, ("auth.identity",)),
    ("no methods", b'{"auth": {"identity": {}}}', 400, MISSING, ("auth.identity.methods",)),
    ("another method", b'{"auth": {"identity": {"methods": ["token"]}}}', 400, VALUE,
     ("auth.identity.methods", "token", "password")),
    ("no name", b'{"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": "x"}}}}}',
     400, MISSING, ("auth.identity.password.user.name",)),
    ("a name with NUL",
     asking('{"name": "\\u0000", "password": ""}'),
     400, VALUE, ("auth.identity.password.user.name", "without NUL")),
    ("a password with NUL",
     asking('{"name": "alice", "password": "\\u0000"}'),
     400, VALUE, ("auth.identity.password.user.password", "without NUL")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "status", "code", "says"), TOKENS, ids=[row[0] for row in TOKENS])
def test_bad_requests_for_a_token(
    fleet, name: str, body: bytes, status: int, code: str, says: tuple[str, ...]
) -> None:
    answer = exchange(fleet.alice.port, "POST", "/v3/auth/tokens", [("Host", "x")], body)
    conforms(fleet.alice.port, "POST", "/v3/auth/tokens", answer)
    assert answer.refusal == (status, code)
    for part in says:
        assert part in answer.message


def test_a_backslash_before_u0000_is_only_text(fleet) -> None:
    made = fleet.alice.post("", json.dumps(fleet.alice.body(description="\\u0000")).encode())
    assert made.json["description"] == "\\u0000"

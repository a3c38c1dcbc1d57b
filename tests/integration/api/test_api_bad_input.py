"""Bad input: exact status and code, a message that names the field and says what was given or is allowed.

Whatever is refused leaves no trace: the whole store is the same before and after.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from nbfleet.domain.access import Role
from support.http import Reply, check
from support.people import DATABASES, Person, Place, dump, opened

QUERY = (400, "ModelArts.0107")
SORT = (400, "ModelArts.6303")
TYPE = (400, "ModelArts.6332")
CHARACTERS = (400, "ModelArts.6334")
MISSING = (400, "ModelArts.6335")
VALUE = (400, "ModelArts.6336")
DURATION = (400, "ModelArts.6349")
BODY = (400, "ModelArts.6400")
TOO_LARGE = (413, "ModelArts.6400")
UNAVAILABLE = (501, "ModelArts.6361")
NOT_FOUND = (404, "ModelArts.6404")
LIMIT = 1_048_576
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@dataclass
class Ground:
    person: Person
    running: str
    stopped: str

    @property
    def place(self) -> Place:
        return self.person.place


@pytest.fixture(scope="module", params=DATABASES)
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A service of its own, so that nothing but these tests can change its store."""
    with opened(request, tmp_path_factory.mktemp("bad"), request.param) as place:
        person = place.new_person(place.new_project(), Role.ADMINISTRATOR)
        yield Ground(person, person.running(duration=-1)["id"], person.stopped(duration=-1)["id"])


def refused(ground: Ground, reply: Reply, wanted: tuple[int, str], *words: str) -> None:
    assert reply.error == wanted
    for word in words:
        assert word in reply.message
    assert reply.message.isprintable()


def case(wanted: tuple[int, str], *words: str, name: str = "", **call: Any) -> Any:
    return pytest.param(call, wanted, words, id=name or "-".join(words).replace(" ", "_")[:60] or None)


def create(wanted: tuple[int, str], *words: str, name: str = "", **fields: Any) -> Any:
    """Changes to a good request; None stands for null, ... for a field that is left out."""
    return case(wanted, *words, name=f"create-{name or '-'.join(fields)}-{words[-1][:30]}", fields=fields)


def update(wanted: tuple[int, str], *words: str, **fields: Any) -> Any:
    return case(
        wanted,
        *words,
        name=f"update-{'-'.join(fields)}-{words[-1][:30]}",
        method="PUT",
        path="notebooks/RUNNING",
        body=fields,
    )


def listing(wanted: tuple[int, str], query: str, *words: str) -> Any:
    return case(wanted, *words, name=f"list-{query[:50]}", path="notebooks/all", query=query)


def body(wanted: tuple[int, str], raw: bytes, *words: str, name: str) -> Any:
    return case(wanted, *words, name=f"body-{name}", method="POST", path="notebooks", body=raw)


def volume(**changes: Any) -> dict[str, Any]:
    return {"category": "EVS", "ownership": "MANAGED", **changes}


DEEP = b"[" * 100_000 + b"]" * 100_000
NAME_CHARACTERS = "letters, digits, hyphen, underscore and Chinese characters"
DESCRIPTION_CHARACTERS = "any but & < > \" ' and /"
CATEGORIES = "EVS, EFS, OBS, OBSFS, SFS"
DURATIONS = "-1 or 3600000 to 259200000 milliseconds"

CASES = [
    # Numbers of lists.
    listing(QUERY, "limit=0", "limit", "0", "1 to 1000"),
    listing(QUERY, "limit=-1", "limit", "-1", "1 to 1000"),
    listing(QUERY, "limit=1001", "limit", "1001", "1 to 1000"),
    listing(QUERY, "limit=2147483648", "limit", "2147483648", "1 to 1000"),
    listing(QUERY, "limit=" + "9" * 40, "limit", "9" * 40, "1 to 1000"),
    listing(QUERY, "limit=ten", "limit", "ten", "1 to 1000"),
    listing(QUERY, "limit=", "limit", "1 to 1000"),
    listing(QUERY, "limit=1.5", "limit", "1.5", "1 to 1000"),
    listing(QUERY, "limit=0x10", "limit", "0x10", "1 to 1000"),
    listing(QUERY, "limit=%2B5", "limit", "+5", "1 to 1000"),
    listing(QUERY, "limit=1e400", "limit", "1e400", "1 to 1000"),
    listing(QUERY, "limit=null", "limit", "null", "1 to 1000"),
    listing(QUERY, "limit=%D9%A3", "limit", "1 to 1000"),
    listing(QUERY, "offset=-1", "offset", "-1", "0 to 2147483647"),
    listing(QUERY, "offset=2147483648", "offset", "2147483648", "0 to 2147483647"),
    listing(QUERY, "offset=first", "offset", "first", "0 to 2147483647"),
    # Words of lists.
    listing(QUERY, "status=BUSY", "status", "BUSY", "RUNNING"),
    listing(QUERY, "status=", "status", "RUNNING"),
    listing(QUERY, "status=RUNNING,LOST", "status", "LOST"),
    listing(QUERY, "feature=LAPTOP", "feature", "LAPTOP", "DEFAULT, NOTEBOOK, *"),
    listing(QUERY, "sort_dir=UP", "sort_dir", "UP", "ASC, DESC"),
    listing(QUERY, "billing=MONEY", "billing", "MONEY", "COMPUTE, STORAGE, ALL"),
    listing(SORT, "sort_key=colour", "colour", "name", "create_at"),
    listing(SORT, "sort_key=name,,id", "Cannot sort by", "create_at"),
    listing(SORT, "sort_key=name,Name", "Name", "create_at"),
    listing(QUERY, "sort_key=name%20desc", "sort_key", "name desc"),
    listing(QUERY, "sort_key=" + "a" * 129, "sort_key", "aaa", "128"),
    listing(QUERY, "owner=me", "owner", "me", "32"),
    listing(QUERY, "owner=" + "A" * 32, "owner", "AAAA", "32"),
    listing(QUERY, "id=7", "id", "7"),
    listing(QUERY, f"image_id={UNKNOWN}%0A", "image_id", UNKNOWN),
    listing(QUERY, "ip=10.0.0.256", "ip", "10.0.0.256"),
    listing(QUERY, "ip=::1", "ip", "::1"),
    listing(QUERY, "name=a%20b", "name", "a b"),
    listing(QUERY, "name=%25", "name", "%"),
    listing(QUERY, "name=" + "n" * 129, "name", "nnn", "128"),
    listing(QUERY, "pool_id=X", "pool_id", "X"),
    listing(QUERY, "tags=,a", "tags", ",a"),
    listing(QUERY, "tags=a||b", "tags", "a||b"),
    listing(QUERY, "flavor=", "flavor", "1 to 256"),
    listing(QUERY, "description=%3Cb%3E", "description", "<b>"),
    listing(QUERY, "username=a%2Fb", "username", "a/b"),
    # Encodings of queries.
    listing(QUERY, "limit=5&limit=6", "limit", "5, 6", "one value"),
    listing(QUERY, "name=a&name=a", "name", "one value"),
    listing(QUERY, "surprise=1&surprise=2", "surprise", "1, 2", "one value"),
    listing(QUERY, "name=%FF", "query string", "%FF", "percent-encoded UTF-8"),
    listing(QUERY, "description=%C0%80", "query string", "percent-encoded UTF-8"),
    listing(QUERY, "description=%ED%A0%80", "query string", "percent-encoded UTF-8"),
    listing(QUERY, "description=a%00b", "description", r"a\x00b", "NUL"),
    listing(QUERY, "tags=a%00", "tags", "NUL"),
    listing(QUERY, "workspace_id=%00", "workspace_id", "NUL"),
    listing(QUERY, "name=" + "a" * 9000, "query string", "9005 bytes", "8192"),
    # Other lists.
    case(QUERY, "limit", "0", "1 to 1000", path="notebooks/flavors", query="limit=0"),
    case(QUERY, "category", "TPU", "CPU, GPU, ASCEND", path="notebooks/flavors", query="category=TPU"),
    case(QUERY, "feature", "DEFAULT", "NOTEBOOK", path="notebooks/flavors", query="feature=DEFAULT"),
    case(SORT, "colour", "vcpus", path="notebooks/flavors", query="sort_key=colour"),
    case(QUERY, "limit", "1001", "1 to 1000", path="images", query="limit=1001"),
    case(QUERY, "name_fuzzy_match", "maybe", "true, false", path="images", query="name_fuzzy_match=maybe"),
    case(QUERY, "type", "OWN", "BUILD_IN, DEDICATED", path="images", query="type=OWN"),
    case(SORT, "status", "create_at", path="images", query="sort_key=status"),
    case(QUERY, "lines", "0", "1 to 10000", path="notebooks/RUNNING/log", query="lines=0"),
    case(QUERY, "name", "one value", path="/v3/projects", query="name=a&name=b"),
    case(QUERY, "name", "NUL", path="/v3/projects", query="name=%00"),
    # Ids in paths.
    *(
        case(VALUE, "id", name=f"id-{given}", method=method, path=f"notebooks/{given}{rest}", body=sent)
        for given in ("x", UNKNOWN[:-1], f"{UNKNOWN}0", "%00", "%FF", f"{UNKNOWN}%0A", "a%2Fb")
        for method, rest, sent in (("GET", "", None), ("DELETE", "", None), ("PUT", "", {"name": "n"}))
    ),
    case(VALUE, "id", "x", method="POST", path="notebooks/x/start", name="id-start"),
    case(VALUE, "id", "x", method="PATCH", path="notebooks/x/lease", name="id-lease"),
    case(VALUE, "id", "x", path="images/x", name="id-image"),
    case(NOT_FOUND, UNKNOWN, path=f"notebooks/{UNKNOWN}", name="id-unknown"),
    # Broken bodies.
    body(BODY, b"", "body", name="empty"),
    body(BODY, b"  ", "body", name="spaces"),
    body(BODY, b"{", "body", name="cut"),
    body(BODY, b'{"name": "a",}', "trailing comma", name="comma"),
    body(BODY, b"{} {}", "trailing characters", name="two"),
    body(BODY, b"name=a", "body", name="form"),
    body(BODY, b"\xef\xbb\xbf{}", "body", name="byte order mark"),
    body(BODY, '{"name": "a"}'.encode("utf-16"), "body", name="utf-16"),
    body(BODY, b'{"name": "\xff"}', "body", name="invalid utf-8"),
    body(BODY, b'{"name": "\xed\xa0\x80"}', "body", name="surrogate bytes"),
    body(BODY, b'{"name": "\\ud800"}', "body", name="half a surrogate"),
    body(BODY, b'{"name": NaN}', "body", name="nan"),
    body(BODY, b'{"duration": 1e999}', "body", name="infinity"),
    body(BODY, b'{"name": "a\x00b"}', "body", name="raw nul"),
    body(BODY, DEEP, "nested too deeply", name="deep"),
    body(BODY, b'{"name": ' + DEEP + b"}", "nested too deeply", name="deep name"),
    body(TYPE, b'{"name": ' + b"[" * 900 + b"]" * 900 + b"}", "name", "[[[", "str", name="900 deep name"),
    body(VALUE, b'{"x": ' + b"[" * 700 + b'"\\u0000"' + b"]" * 700 + b"}", "x[0]", name="700 deep nul"),
    body(TYPE, b"null", "body", "null", "object", name="null"),
    body(TYPE, b"[]", "body", "[]", "object", name="list"),
    body(TYPE, b'"text"', "body", "text", "object", name="text"),
    body(MISSING, b"{}", "image_id", name="object"),
    # Fields of create: missing, null, type.
    case(MISSING, "field name is missing", name="create-without-name", fields={"name": ...}),
    create(MISSING, "flavor", flavor=...),
    create(MISSING, "image_id", image_id=...),
    create(MISSING, "volume", volume=...),
    create(MISSING, "volume.category", volume={"ownership": "MANAGED"}),
    create(MISSING, "volume.ownership", volume={"category": "EVS"}),
    case(TYPE, "field name is null", "str", name="create-null-name", fields={"name": None}),
    create(TYPE, "description", "null", "str", description=None),
    create(TYPE, "volume", "null", "object", volume=None),
    create(TYPE, "duration", "null", "int", duration=None),
    create(TYPE, "flavor", "null", "str", flavor=None),
    case(TYPE, "field name is 5", "str", name="create-number-name", fields={"name": 5}),
    create(TYPE, "volume", "EVS", "object", volume="EVS"),
    create(TYPE, "volume.capacity", "5", "int", volume=volume(capacity="5")),
    create(TYPE, "volume.capacity", "5.5", "int", volume=volume(capacity=5.5)),
    create(TYPE, "volume.read_only", "no", "bool", volume=volume(read_only="no")),
    create(TYPE, "endpoints", "{}", "array", endpoints={}),
    create(TYPE, "endpoints[1]", "null", "object", endpoints=[{}, None]),
    create(TYPE, "lease", "3600000", "object", lease=3_600_000),
    create(TYPE, "lease.duration", "1h", "int", lease={"duration": "1h"}),
    create(TYPE, "duration", "true", "int", duration=True),
    # Fields of create: values.
    *(
        case(
            CHARACTERS, "field name is", NAME_CHARACTERS, name=f"create-name-{index}", fields={"name": given}
        )
        for index, given in enumerate(
            ("a b", "a/b", "<b>", "ünder", "a\n", "a.b", "\u0000", "名\u3000字", "😀")
        )
    ),
    case(VALUE, "field name is", "1 to 128", name="create-name-empty", fields={"name": ""}),
    case(VALUE, "field name is nnn", "1 to 128", name="create-name-long", fields={"name": "n" * 129}),
    *(
        create(
            CHARACTERS,
            "description",
            given if given != "\0" else r"\x00",
            DESCRIPTION_CHARACTERS,
            description=given,
        )
        for given in ("<b>", "a & b", 'say "x"', "it's", "a/b", "\0")
    ),
    create(VALUE, "description", "ddd", "512", description="d" * 513),
    create(VALUE, "image_id", "jupyter", image_id="jupyter"),
    create((400, "ModelArts.6797"), "image", UNKNOWN, "does not exist", image_id=UNKNOWN),
    create((400, "ModelArts.6323"), "flavor", "huge", "not supported", flavor="huge"),
    create(VALUE, "flavor", "1 to 256", flavor=""),
    create((400, "ModelArts.7005"), "workspace", "a" * 32, "does not exist", workspace_id="a" * 32),
    create(VALUE, "workspace_id", "mine", "32", workspace_id="mine"),
    create(VALUE, "feature", "LAPTOP", "DEFAULT, NOTEBOOK", feature="LAPTOP"),
    create(VALUE, "volume.category", "TAPE", CATEGORIES, volume=volume(category="TAPE")),
    create(VALUE, "volume.ownership", "MINE", "MANAGED, DEDICATED", volume=volume(ownership="MINE")),
    create(VALUE, "volume.capacity", "4", "5 to 4096", volume=volume(capacity=4)),
    create(VALUE, "volume.capacity", "4097", "5 to 4096", volume=volume(capacity=4097)),
    create(VALUE, "volume.capacity", "-1", "5 to 4096", volume=volume(capacity=-1)),
    create(VALUE, "volume.capacity", str(2**70), "5 to 4096", volume=volume(capacity=2**70)),
    create(VALUE, "volume.mount_path", "/etc/", "/home/ma-user/work/", volume=volume(mount_path="/etc/")),
    create(VALUE, "volume.read_only", "True", "false", volume=volume(read_only=True)),
    create(VALUE, "volume.uri", "obs://b/", "MANAGED", volume=volume(uri="obs://b/")),
    create(VALUE, "volume.id", UNKNOWN, "MANAGED", volume=volume(id=UNKNOWN)),
    create(VALUE, "volume.id", "x", volume=volume(id="x")),
    create(VALUE, "volume.dew_secret_name", "s", "MANAGED", volume=volume(dew_secret_name="s")),
    create((400, "ModelArts.6702"), "EVS", "DEDICATED", volume=volume(ownership="DEDICATED")),
    create(VALUE, "endpoints[0].service", "FTP", "NOTEBOOK, SSH", endpoints=[{"service": "FTP"}]),
    create(VALUE, "endpoints[0].key_pair_names", "SSH only", endpoints=[{"key_pair_names": ["k"]}]),
    create(
        VALUE,
        "endpoints[0].allowed_access_ips",
        "0 to 5 items",
        endpoints=[{"allowed_access_ips": ["1.1.1.1"] * 6}],
    ),
    create(VALUE, "lease.type", "FOREVER", "TIMING, IDLE", lease={"type": "FOREVER"}),
    # Durations.
    *(
        create(DURATION, "duration", str(given), DURATIONS, duration=given)
        for given in (0, 1, -2, 3_599_999, 259_200_001, 2**31, 2**63, 2**64, -(2**63) - 1)
    ),
    create(DURATION, "lease.duration", "3599999", DURATIONS, lease={"duration": 3_599_999}),
    create(DURATION, "lease.duration", "17", DURATIONS, lease={"duration": 17}, duration=3_600_000),
    *(
        case(
            DURATION,
            "duration",
            given,
            name=f"start-{given}",
            method="POST",
            path="notebooks/STOPPED/start",
            query=f"duration={given}",
        )
        for given in ("0", "3599999", "259200001", "1h", "9" * 30)
    ),
    case(
        QUERY,
        "type",
        "FOREVER",
        "TIMING, IDLE",
        method="POST",
        path="notebooks/STOPPED/start",
        query="type=FOREVER",
    ),
    case(
        DURATION,
        "duration",
        "1",
        DURATIONS,
        method="PATCH",
        path="notebooks/RUNNING/lease",
        query="duration=1",
        name="renew-query",
    ),
    case(
        DURATION,
        "duration",
        "17",
        DURATIONS,
        method="PATCH",
        path="notebooks/RUNNING/lease",
        body={"duration": 17},
        name="renew-body",
    ),
    case(
        DURATION,
        "duration",
        "17",
        DURATIONS,
        method="PATCH",
        path="notebooks/RUNNING/lease",
        query="duration=3600000",
        body={"duration": 17},
        name="renew-overridden",
    ),
    case(
        TYPE,
        "duration",
        "1h",
        "int",
        method="PATCH",
        path="notebooks/RUNNING/lease",
        body={"duration": "1h"},
        name="renew-type",
    ),
    case(BODY, "body", method="PATCH", path="notebooks/RUNNING/lease", body=b"{", name="renew-broken"),
    case(TYPE, "body", "[]", method="POST", path="notebooks/STOPPED/start", body=b"[]", name="start-list"),
    case(BODY, "body", method="POST", path="notebooks/RUNNING/stop", body=b"stop", name="stop-text"),
    # What the contract documents and this release does not have, each by name.
    create(VALUE, "custom_spec", "dedicated pool", flavor=..., custom_spec={"cpu": 1, "memory": 1024}),
    create(VALUE, "flavor", "cpu.1u", "custom.flavor.spec.code", custom_spec={"cpu": 1, "memory": 1024}),
    create(UNAVAILABLE, "lease.type IDLE", lease={"type": "IDLE", "duration": 900_000}),
    create(UNAVAILABLE, "lease.type IDLE", lease={"type": "idle"}),
    create(UNAVAILABLE, "SSH", "endpoints[0]", endpoints=[{"service": "SSH", "key_pair_names": ["k"]}]),
    create(UNAVAILABLE, "SSH", "endpoints[1]", endpoints=[{}, {"dev_service": "ssh"}]),
    update(UNAVAILABLE, "SSH", endpoints=[{"service": "SSH"}]),
    case(UNAVAILABLE, "lease type IDLE", method="POST", path="notebooks/STOPPED/start", query="type=IDLE"),
    case(
        UNAVAILABLE,
        "lease type IDLE",
        method="PATCH",
        path="notebooks/RUNNING/lease",
        body={"type": "idle"},
        name="renew-idle",
    ),
    # Fields of update.
    update(VALUE, "storage_new_size", "4", "5 to 4096", storage_new_size=4),
    update(TYPE, "storage_new_size", "big", "int", storage_new_size="big"),
    case(
        CHARACTERS,
        "field name is a b",
        NAME_CHARACTERS,
        name="update-name",
        method="PUT",
        path="notebooks/RUNNING",
        body={"name": "a b"},
    ),
    update(CHARACTERS, "description", "<", DESCRIPTION_CHARACTERS, description="<"),
    case(BODY, "body", name="update-empty", method="PUT", path="notebooks/RUNNING"),
    case(TYPE, "body", "[]", name="update-list", method="PUT", path="notebooks/RUNNING", body=b"[]"),
    # Wrong states.
    case((400, "ModelArts.6357"), "RUNNING", "start", method="POST", path="notebooks/RUNNING/start"),
    case((400, "ModelArts.6357"), "STOPPED", "stop", method="POST", path="notebooks/STOPPED/stop"),
    case((400, "ModelArts.6327"), "STOPPED", "RUNNING", path="notebooks/STOPPED/lease", name="lease-stopped"),
    case(
        (400, "ModelArts.6327"),
        "STOPPED",
        "RUNNING",
        method="PATCH",
        path="notebooks/STOPPED/lease",
        name="renew-stopped",
    ),
    # Requests for tokens.
    case(BODY, "body", method="POST", path="/v3/auth/tokens", body=b"", name="token-empty"),
    case(MISSING, "auth", method="POST", path="/v3/auth/tokens", body={}, name="token-nothing"),
    case(
        MISSING, "auth.identity", method="POST", path="/v3/auth/tokens", body={"auth": {}}, name="token-auth"
    ),
    case(
        VALUE,
        "auth.identity.methods",
        "totp",
        "password",
        method="POST",
        path="/v3/auth/tokens",
        body={"auth": {"identity": {"methods": ["totp"]}}},
        name="token-method",
    ),
    case(
        MISSING,
        "auth.identity.password",
        method="POST",
        path="/v3/auth/tokens",
        body={"auth": {"identity": {"methods": ["password"]}}},
        name="token-without-password",
    ),
    case(
        MISSING,
        "auth.identity.password.user.password",
        method="POST",
        path="/v3/auth/tokens",
        body={"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "a"}}}}},
        name="token-password",
    ),
    case(
        MISSING,
        "auth.identity.password.user.name",
        method="POST",
        path="/v3/auth/tokens",
        body={"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": "a"}}}}},
        name="token-user",
    ),
    case(
        VALUE,
        "auth.identity.password.user.name",
        "NUL",
        method="POST",
        path="/v3/auth/tokens",
        body={
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": {"name": "\0", "password": "a"}}}
            }
        },
        name="token-nul",
    ),
    # Idempotency keys.
    *(
        case(
            VALUE,
            "Idempotency-Key",
            "255",
            name=f"key-{index}",
            fields={},
            headers=[("Idempotency-Key", given)],
        )
        for index, given in enumerate(("", "k" * 256, "\xa0", "a\tb"))
    ),
    # No such thing.
    case(NOT_FOUND, "/v1/nothing", path="/v1/nothing"),
    case((405, "ModelArts.0101"), "PATCH", "GET, POST", method="PATCH", path="notebooks"),
]


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 75


def send(ground: Ground, call: dict[str, Any]) -> Reply:
    person, given = ground.person, dict(call)
    fields = given.pop("fields", None)
    if fields is not None:
        wanted = {k: v for k, v in person.request(**fields).items() if v is not ...}
        given |= {"method": "POST", "path": "notebooks", "body": json.dumps(wanted).encode()}
    path = given.pop("path").replace("RUNNING", ground.running).replace("STOPPED", ground.stopped)
    return person.key(given.pop("method", "GET"), path, **given)


@pytest.mark.parametrize(("call", "wanted", "words"), CASES)
def test_bad_input_is_refused(ground: Ground, call: dict[str, Any], wanted: Any, words: Any) -> None:
    refused(ground, send(ground, call), wanted, *words)


def test_bad_input_leaves_no_trace(ground: Ground) -> None:
    """And the same answer every time, whatever else was asked before."""
    before = dump(ground.place.database)
    for one in CASES:
        call, wanted, _ = one.values
        assert send(ground, call).error == wanted
    assert dump(ground.place.database) == before
    assert ground.person.show(ground.running)["status"] == "RUNNING"


def test_no_depth_of_nesting_is_a_fault(ground: Ground) -> None:
    """Somewhere near here ends what a decoder can do."""
    codes = set()
    for depth in (*range(900, 1010, 2), 5_000, 20_000):
        for inner in (b"1", b'"\\u0000"'):
            nested = b'{"name": ' + b"[" * depth + inner + b"]" * depth + b"}"
            codes.add(ground.person.token("POST", "notebooks", body=nested).error)
    assert codes == {TYPE, VALUE, BODY}


# Bodies that are too large.


def test_a_body_of_the_greatest_size_is_read(ground: Ground) -> None:
    raw = b"[" + b" " * (LIMIT - 2) + b"]"
    refused(ground, ground.person.token("POST", "notebooks", body=raw), TYPE, "body", "[]")
    over = ground.person.token("POST", "notebooks", body=raw + b" ")
    refused(ground, over, TOO_LARGE, str(LIMIT))


def test_a_large_body_is_refused_before_credentials_are_looked_at(ground: Ground) -> None:
    stranger = ground.place.caller(None, ground.person.project.id)
    refused(ground, stranger("POST", "notebooks", body=b" " * (LIMIT + 1)), TOO_LARGE, str(LIMIT))


def test_a_large_body_without_announcement_is_refused(ground: Ground) -> None:
    port, path = ground.place.service.port, f"/v1/{ground.person.project.id}/notebooks"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, body=(b" " * 65_536 for _ in range(32)), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})  # fmt: skip
    answer = connection.getresponse()
    reply = Reply(answer.status, answer.getheaders(), answer.read())
    connection.close()
    check(ground.place.service, "POST", path, reply)
    refused(ground, reply, TOO_LARGE, str(LIMIT))


def test_an_announced_large_body_is_refused_before_it_comes(ground: Ground) -> None:
    path = f"/v1/{ground.person.project.id}/notebooks"
    with socket.create_connection(("127.0.0.1", ground.place.service.port), timeout=30) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {2**40}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_bodies_where_none_is_expected_are_ignored(ground: Ground) -> None:
    """Clients send them; what an operation does not read cannot be wrong with it."""
    shown = ground.person.key("GET", f"notebooks/{ground.running}", body=b"not JSON")
    assert (shown.status, shown.json["id"]) == (200, ground.running)

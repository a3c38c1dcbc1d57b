"""Anything at all sent to both ports of a running service: it goes on, quietly and in bounds."""

import asyncio
import json
import random
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from huaweicloudsdkmodelarts.v1 import ModelArtsClient

from support import sdk
from support.http import Caller
from support.raw_bytes import Seed, answers, mutated, request, sent
from support.service import Service, wait_for

SHORT, LONG = 1_500, 100_000
GROWTH = 64 << 20  # Bytes of memory that the service may have more afterwards.
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
# Of the API: not available, too busy. The gateway adds that nothing is behind it: the runtime is simulated.
ALLOWED = {"api": {501, 503}, "gateway": {501, 502, 503, 504}}


def encoded(body: object) -> bytes:
    return json.dumps(body).encode()


NOBODY = {"user": {"name": "nobody", "password": "nothing"}}
LOGIN = {"auth": {"identity": {"methods": ["password"], "password": NOBODY}}}
SLOW = request("POST", "/v3/auth/tokens", encoded(LOGIN))  # Checking a password takes a while on purpose.


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Service]:
    judged = {"NBFLEET_VALIDATE_ANSWERS": "true"}
    running = Service(tmp_path / "data", runtime="simulated", environment=judged).start()
    yield running
    running.clear_away()


def seeds(service: Service, client: ModelArtsClient) -> list[Seed]:
    """Valid requests: what clients of the API, browsers and kernels send."""
    notebook = sdk.wait_until(client, sdk.create(client).id, "RUNNING")
    own, token = service.credentials, new_token(service)
    project = f"/v1/{own['project_id']}"
    body = {
        "name": "训练-1", "flavor": sdk.FLAVOR, "image_id": notebook.image.id, "description": "text",
        "volume": {"category": "EVS", "ownership": "MANAGED", "capacity": 5},
        "tags": [{"key": "a", "value": "b"}],
    }  # fmt: skip
    signature = f"SDK-HMAC-SHA256 Access={own['access_key']}, SignedHeaders=host;x-sdk-date, Signature=ab"
    one = f"{project}/notebooks/{notebook.id}"
    named = {"X_Auth_Token": token}
    api = [
        request("GET", "/healthz"),
        request("GET", "/openapi.json"),
        request("GET", "/login?ticket=abc"),
        request("POST", "/login", b"ticket=abc", Content_Type="application/x-www-form-urlencoded"),
        request("GET", f"{project}/notebooks?limit=3&sort_key=name&tags=a%7Cb", **named),
        request("GET", f"{project}/notebooks/export?format=csv", **named),
        request("POST", f"{project}/notebooks", encoded(body), Idempotency_Key="k", **named),
        request("PUT", one, b'{"name": "other", "description": "d"}', **named),
        request("PATCH", f"{one}/lease?duration=3600000", b"{}", **named),
        request("POST", f"{one}/tags/create", b'{"tags": [{"key": "k", "value": "v"}]}', **named),
        request("GET", one, X_Sdk_Date="20260101T000000Z", Authorization=signature),
        SLOW,
    ]
    inside = {"Authorization": f"token {notebook.token}"}
    upgrade = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    gateway = [
        request("GET", "/healthz"),
        request("GET", f"/{notebook.id}/lab?token={notebook.token}", Accept="text/html"),
        request("GET", f"/{notebook.id}/api/status", **inside),
        request("POST", f"/{notebook.id}/api/contents", b'{"type": "file"}', **inside),
        request("GET", f"/{notebook.id}/api/kernels/x/channels", **inside, **upgrade),
    ]
    return [Seed(service.port, one) for one in api] + [Seed(service.gateway_port, one) for one in gateway]


def new_token(service: Service) -> str:
    """Of the administrator, as the documented way in gives it to clients without a signer."""
    own = service.credentials
    user = {"name": own["user_name"], "password": own["password"]}
    method = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": method, "scope": {"project": {"id": own["project_id"]}}}
    with closing(Caller(service)) as stranger:
        reply = stranger("POST", "/v3/auth/tokens", body={"auth": auth})
    token = reply.header("X-Subject-Token")
    assert token is not None, reply
    return token


def memory(service: Service) -> int:
    """Bytes of memory that the process holds."""
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10  # type: ignore[index]


def open_files(service: Service) -> int:
    assert service.process is not None
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


def healthy(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/healthz", timeout=20) as answer:
        return answer.status == 200


@pytest.mark.soak
def test_nothing_that_is_sent_ends_it(simulated: Service, pytestconfig: pytest.Config) -> None:
    count = LONG if pytestconfig.getoption("--soak") else SHORT
    number = random.randrange(2**32)
    chance = random.Random(number)
    valid = seeds(simulated, sdk.connect(simulated))
    faces = {simulated.port: "api", simulated.gateway_port: "gateway"}
    statuses: Counter[tuple[str, int]] = Counter()
    bad: list[tuple[bytes, bytes]] = []

    def judge(seed: Seed, answer: bytes) -> None:
        found = _STATUS.match(answer)
        status = int(found[1]) if found else 0
        face = faces[seed.port]
        statuses[face, status] += 1
        if (answer and found is None) or (status >= 500 and status not in ALLOWED[face]):
            bad.append((seed.bytes[:2000], answer[:500]))

    def some(how_many: int) -> Iterator[Seed]:
        for _ in range(how_many):
            one = chance.choice(valid)
            yield Seed(one.port, mutated(chance, one.bytes))

    asyncio.run(answers(valid * 5, judge))
    files, before = open_files(simulated), memory(simulated)
    asyncio.run(answers(some(count), judge))

    assert bad == [], f"seed {number}"
    assert simulated.process is not None
    assert simulated.process.poll() is None, f"seed {number}: ended\n{simulated.log[-2000:]}"
    assert [healthy(simulated.endpoint), healthy(simulated.gateway)] == [True, True]
    assert faults(simulated.log) == [], f"seed {number}"
    wait_for("connections to be closed", lambda: open_files(simulated) <= files + 8)
    assert memory(simulated) - before < GROWTH, f"seed {number}"
    assert sum(statuses.values()) == count + 5 * len(valid)
    print(f"{count} requests, seed {number}: {dict(sorted(statuses.items()))}, "
          f"{(memory(simulated) - before) >> 10} KiB more")  # fmt: skip


def test_one_who_goes_away_leaves_no_fault_in_the_log(simulated: Service) -> None:
    """In the middle of a form, and with an answer under way that nobody waits for."""
    form = request("POST", "/login", b"ticket=abc", Content_Type="application/x-www-form-urlencoded")

    async def leave(data: bytes) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", simulated.port)
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    for data in (form[:-3], SLOW, SLOW + SLOW, SLOW + form[:-3]):
        asyncio.run(leave(data))
    asyncio.run(answers([Seed(simulated.port, request("GET", "/healthz"))], lambda _seed, _answer: None))
    wait_for("both to be over", lambda: simulated.log.count("KeystoneCreateUserTokenByPassword") >= 3)
    assert faults(simulated.log) == []


def test_what_is_no_http_ends_the_request_before_it(simulated: Service) -> None:
    answer = asyncio.run(sent(simulated.port, SLOW + b"\x00\x01\r\n\r\n"))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    wait_for("the other to be over", lambda: '"KeystoneCreateUserTokenByPassword"' in simulated.log)
    assert faults(simulated.log) == []


def faults(log: str) -> list[str]:
    """Lines of the log that tell of a fault of ours."""
    signs = (
        "Traceback",
        '"exception"',
        '"level": "error"',
        '"level":"error"',
        "Exception in ASGI",
        "never awaited",
    )
    return [line for line in log.splitlines() if any(sign in line for sign in signs)][:5]

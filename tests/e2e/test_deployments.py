"""Other ways to set it up: the gateway apart, TLS, addresses behind a proxy, PostgreSQL."""

import asyncio
import datetime
import ipaddress
import json
import ssl
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from huaweicloudsdkmodelarts.v1 import DeleteNotebookRequest, ListAllNotebooksRequest, StopNotebookRequest

from support.kernel import Kernel, get
from support.postgres import Postgres
from support.sdk import connect, create, show, wait_until, wait_until_gone
from support.service import Service, wait_for


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[Service, subprocess.Popen[bytes]]]:
    """A service without a gateway, and the gateway as a process of its own."""
    service = Service(tmp_path / "data", arguments=["--no-gateway"]).start()
    command = service.command("gateway", "--data-dir", str(service.data_dir))
    gateway = subprocess.Popen([*command, "--gateway-port", str(service.gateway_port)])
    wait_for("the gateway", lambda: _answers(f"{service.gateway}/healthz"))
    yield service, gateway
    gateway.terminate()
    assert gateway.wait(20) == 0
    service.clear_away()


def _answers(url: str) -> bool:
    try:
        return get(url)[0] == 200
    except aiohttp.ClientError:
        return False


def test_a_gateway_of_its_own_keeps_connections_while_the_service_dies(
    apart: tuple[Service, subprocess.Popen[bytes]],
) -> None:
    service, _ = apart
    client = connect(service)
    notebook = create(client, name="apart")
    running = wait_until(client, notebook.id, "RUNNING")
    kernel = Kernel(running.url, running.token)

    def die_and_come_back() -> None:
        service.kill()
        service.start()

    answers = asyncio.run(_ask_twice(running.url, running.token, kernel.id, die_and_come_back))
    assert answers == ["1", "2"]


async def _ask_twice(url: str, token: str, kernel_id: str, between) -> list[str]:
    """Two executions over one and the same WebSocket, with something happening in between."""
    address = f"{url.removesuffix('/lab')}/api/kernels/{kernel_id}/channels".replace("http", "ws", 1)
    headers = {"Authorization": f"token {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(address) as socket:
        answers: list[str] = []
        for number in (1, 2):
            message_id = uuid.uuid4().hex
            header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "s",
                      "version": "5.3", "date": ""}  # fmt: skip
            content = {"code": str(number), "silent": False, "store_history": True, "user_expressions": {},
                       "allow_stdin": False}  # fmt: skip
            await socket.send_json(
                {
                    "header": header,
                    "parent_header": {},
                    "metadata": {},
                    "channel": "shell",
                    "content": content,
                }
            )
            async with asyncio.timeout(30):
                while True:
                    message = json.loads((await socket.receive()).data)
                    if message["header"]["msg_type"] == "execute_result":
                        answers.append(message["content"]["data"]["text/plain"])
                        break
            if number == 1:
                await asyncio.to_thread(between)
        return answers


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nbfleet test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "service.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_everything_over_tls(tmp_path: Path) -> None:
    service = Service(tmp_path / "data", certificate=certificate(tmp_path)).start()
    try:
        client = connect(service)
        notebook = create(client, name="secret")
        running = wait_until(client, notebook.id, "RUNNING")
        assert running.url == f"https://127.0.0.1:{service.gateway_port}/{notebook.id}/lab"
        assert service.credentials["endpoint"] == service.endpoint
        trust = ssl.create_default_context(cafile=str(service.certificate))

        async def open_it() -> tuple[int, bool]:
            async with aiohttp.ClientSession() as session:
                link = f"{running.url}?token={running.token}"
                headers = {"Accept": "text/html"}
                async with session.get(link, ssl=trust, headers=headers, allow_redirects=False) as answer:
                    return answer.status, "; Secure" in answer.headers["Set-Cookie"]

        assert asyncio.run(open_it()) == (302, True)
        status_url = running.url.removesuffix("/lab") + "/api/status"
        done = subprocess.run(
            [*service.command("list"), "--data-dir", str(service.data_dir), "--ca-file",
             str(service.certificate), "-o", "json"], capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert [one["id"] for one in json.loads(done.stdout)["data"]] == [notebook.id]
        assert status_url.startswith("https://")
    finally:
        service.clear_away()


def test_addresses_are_those_that_clients_can_reach(tmp_path: Path) -> None:
    service = Service(
        tmp_path / "data",
        runtime="simulated",
        arguments=[
            *("--public-url", "https://fleet.example.test/"),
            *("--gateway-public-url", "https://notebooks.example.test"),
        ],
    ).start()
    try:
        assert service.credentials["endpoint"] == "https://fleet.example.test"
        client = connect(service)
        notebook = create(client, name="public")
        running = wait_until(client, notebook.id, "RUNNING")
        assert running.url == f"https://notebooks.example.test/{notebook.id}/lab"
        assert running.endpoints[0].uri == running.url
        document = json.loads(get(f"{service.endpoint}/openapi.json")[1])
        assert document["servers"] == [{"url": "https://fleet.example.test"}]
    finally:
        service.clear_away()


def test_a_real_notebook_on_postgresql(tmp_path: Path, postgres: Postgres) -> None:
    service = Service(tmp_path / "data", database_url=postgres.new_database()).start()
    try:
        client = connect(service)
        notebook = create(client, name="elephant")
        running = wait_until(client, notebook.id, "RUNNING")
        assert Kernel(running.url, running.token).execute("2 ** 10") == "1024"
        service.kill()
        service.start()
        page = client.list_all_notebooks(ListAllNotebooksRequest(status="RUNNING"))
        assert (page.total, page.data[0].id) == (1, notebook.id)
        client.stop_notebook(StopNotebookRequest(id=notebook.id))
        wait_until(client, notebook.id, "STOPPED")
        client.delete_notebook(DeleteNotebookRequest(id=notebook.id))
        wait_until_gone(client, notebook.id)
        assert service.instance_pids() == []
    finally:
        service.clear_away()


def test_it_shuts_down_cleanly_and_leaves_instances_running(service: Service) -> None:
    client = connect(service)
    notebook = create(client, name="patient")
    wait_until(client, notebook.id, "RUNNING")
    pids = service.server_pids()
    assert service.stop() == 0
    assert service.server_pids() == pids
    assert "Traceback" not in service.log
    service.start()
    assert show(client, notebook.id).status == "RUNNING"


def test_a_second_service_on_the_same_data_is_refused(service: Service) -> None:
    done = subprocess.run(
        service.command("serve", "--port", "0", "--gateway-port", "0", "--data-dir", str(service.data_dir)),
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2] == (
        f"Error: A service runs already on {service.data_dir}; stop it first."
    )


def test_files_are_private_and_logs_hold_no_secret(service: Service) -> None:
    client = connect(service)
    notebook = create(client, name="private")
    running = wait_until(client, notebook.id, "RUNNING")
    get(f"{running.url}?token={running.token}", Accept="text/html")
    modes = {
        path.name: oct(path.stat().st_mode & 0o777)
        for path in [service.data_dir, *service.data_dir.iterdir()]
    }
    assert {name: mode for name, mode in modes.items() if mode not in ("0o600", "0o700")} == {}
    secrets = [running.token, service.credentials["secret_key"], service.credentials["password"]]
    instance_log = service.data_dir / "instances" / notebook.id
    texts = [service.log, *(path.read_text() for path in instance_log.rglob("*.log"))]
    assert [secret for secret in secrets for text in texts if secret in text] == []
    arguments = [
        Path(f"/proc/{pid}/cmdline").read_text() for pid in [*service.instance_pids(), service.process.pid]
    ]
    assert [secret for secret in secrets for text in arguments if secret in text] == []

"""The servers of peers.py: each started, filled with rows, and given its questions.

Rows come in through what each program offers for it: the product's fill, JupyterHub's own classes, and the
HTTP interfaces of moto and MLflow. This module asks each question only once, to check the answer; peers.py
measures.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import fleet
from list_page import Asker, free_port
from load import ask, family, send
from peer_environments import programs

HERE = Path(__file__).parent
_START_SECONDS = 120
_AWS = {
    "Content-Type": "application/x-amz-json-1.1",
    "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=host, Signature=none",
}
_INSTANCE = {"InstanceType": "ml.t2.medium", "RoleArn": "arn:aws:iam::123456789012:role/bench"}


@dataclass(frozen=True)
class Sizes:
    notebooks: int = 10_000
    users: int = 10_000
    instances: int = 2500
    experiments: int = 2500


SMALL = Sizes(700, 700, 140, 140)


@dataclass(frozen=True)
class Question:
    label: str
    request: bytes
    key: str  # The field of the answer that holds the rows; "" where the answer is the rows.
    rows: int
    like: str  # The label of the product's question that it is set beside.


@dataclass(frozen=True)
class Server:
    name: str
    pid: int
    port: int
    questions: list[Question]

    def check(self, question: Question) -> int:
        """The size of the answer; ends the run unless it has the rows expected."""
        try:
            body = ask(self.port, question.request)
        except RuntimeError as refused:
            raise SystemExit(f"{self.name}, {question.label}: {refused}") from None
        answer = json.loads(body)
        found = len(answer[question.key] if question.key else answer)
        if found != question.rows:
            raise SystemExit(f"{self.name}, {question.label}: {found} rows, not {question.rows}")
        return len(body)


@dataclass(frozen=True)
class Place:
    """Where servers run: their rows' number, their folder, the peers' environments, and what ends them."""

    sizes: Sizes
    folder: Path
    environments: Path
    ending: ExitStack

    def start(self, name: str, command: list[str], port: int, ready: bytes, **more: str) -> int:
        """The pid of the server, once it answers 200 to `ready`."""
        print(f"starting {name}", file=sys.stderr)
        log = self.folder / f"{name}.log"
        environment = {key: value for key, value in os.environ.items() if key != "NBFLEET_DATA_DIR"}
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=self.folder, env=environment | more, stdout=out, stderr=subprocess.STDOUT
            )
        self.ending.callback(kill, process)
        for _ in range(_START_SECONDS * 10):
            with suppress(OSError, EOFError, RuntimeError):
                ask(port, ready)
                return process.pid
            if process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def kill(process: subprocess.Popen[bytes]) -> None:
    for member in family(process.pid):
        with suppress(ProcessLookupError):
            os.kill(member, SIGKILL)
    process.wait()


def message(port: int, line: str, headers: dict[str, str], body: Any = None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    fields = {"Host": f"127.0.0.1:{port}", "Content-Length": str(len(content))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode() + content


def nbfleet(place: Place) -> Server:
    """Every answer made anew."""
    return _ours(place, "nbfleet", "product")


def as_served(place: Place) -> Server:
    """With the answer cache, which is on by default: the same question again while nothing was written."""
    return _ours(place, "as served", "cached")


def _ours(place: Place, name: str, kind: str) -> Server:
    rows, data_dir, port = place.sizes.notebooks, place.folder / kind, free_port()
    data_dir.mkdir()
    print(f"filling {name} with {rows} notebooks", file=sys.stderr)
    made = asyncio.run(fleet.fill(data_dir, rows))
    command = [sys.executable, str(HERE / "servers.py"), kind, str(port), str(data_dir), ""]
    # One caller asks for more at a time here than one person would be let: the others have no such bound.
    pid = place.start(name, command, port, message(port, "GET /healthz", {}), NBFLEET_LONG_READS="64")
    limits = {
        "limit=10": 10,
        "limit=50": 50,
        "limit=50&status=RUNNING": 50,
        f"limit=50{_late(rows)}": 50,
        "limit=10&name=train": 10,
    }
    asker = Asker(port, made, signed=False)
    questions = [
        Question(query, asker.request(query), "data", limit, query) for query, limit in limits.items()
    ]
    return Server(name, pid, port, questions)


def far(rows: int) -> int:
    """Where a late page begins."""
    return rows * 8 // 10


def _late(rows: int) -> str:
    """Our late page, of every notebook: by default a list is of one workspace and one kind only."""
    return f"&offset={far(rows)}&workspace_id=*&feature=*"


def jupyterhub(place: Place) -> Server:
    port, bin_dir = free_port(), programs(place.environments, "jupyterhub")
    database = f"sqlite:///{place.folder / 'hub.sqlite'}"
    _fill_hub(place, bin_dir, database)
    tokens = {"HUB_TOKEN_NAMES": secrets.token_hex(32), "HUB_TOKEN_DETAILS": secrets.token_hex(32)}
    command = [
        str(bin_dir / "jupyterhub"), "-f", str(HERE / "hub_config.py"),
        f"--JupyterHub.hub_bind_url=http://127.0.0.1:{port}", f"--JupyterHub.db_url={database}",
    ]  # fmt: skip
    pid = place.start("jupyterhub", command, port, message(port, "GET /hub/api/", {}), **tokens)
    return Server("jupyterhub", pid, port, _hub_questions(port, place.sizes, *tokens.values()))


def _fill_hub(place: Place, bin_dir: Path, database: str) -> None:
    print(f"filling jupyterhub with {place.sizes.users} users", file=sys.stderr)
    command = [str(bin_dir / "python"), str(HERE / "hub_fill.py"), database, str(place.sizes.users)]
    with (place.folder / "hub_fill.log").open("wb") as log:
        subprocess.run(command, stderr=log, check=True)


def _hub_questions(port: int, sizes: Sizes, names: str, details: str) -> list[Question]:
    """The one token may see the users' names alone, the other all that an administrator's page shows."""

    def question(label: str, query: str, like: str, token: str, key: str = "items") -> Question:
        headers = {"Authorization": f"token {token}"}
        if key:
            headers["Accept"] = "application/jupyterhub-pagination+json"
        asked = message(port, f"GET /hub/api/users?limit=50{query}", headers)
        return Question(label, asked, key, 50, f"limit=50{like}")

    late, ours_late = f"&offset={far(sizes.users)}", _late(sizes.notebooks)
    return [
        question("limit=50, names, no total", "", "", names, key=""),
        question("limit=50, names", "", "", names),
        question("limit=50, details", "", "", details),
        question("state=active, names", "&state=active", "&status=RUNNING", names),
        question("state=active, details", "&state=active", "&status=RUNNING", details),
        question(f"offset={far(sizes.users)}, names", late, ours_late, names),
        question(f"offset={far(sizes.users)}, details", late, ours_late, details),
    ]


def moto(place: Place) -> Server:
    count, port = place.sizes.instances, free_port()
    command = [str(programs(place.environments, "moto") / "moto_server"), "-p", str(port)]
    pid = place.start("moto", command, port, message(port, "GET /moto-api/data.json", {}))
    running = _fill_moto(port, count)

    def question(label: str, rows: int, like: str, **body: Any) -> Question:
        asked = _sagemaker(port, "ListNotebookInstances", **body)
        return Question(label, asked, "NotebookInstances", rows, like)

    questions = [
        question("MaxResults=10", 10, "limit=10", MaxResults=10),
        question("StatusEquals=InService, 50", min(50, running), "limit=50&status=RUNNING", MaxResults=50,
                 StatusEquals="InService"),
        question("NameContains=train, 10", 10, "limit=10&name=train", MaxResults=10, NameContains="train"),
    ]  # fmt: skip
    return Server("moto", pid, port, questions)


def _sagemaker(port: int, action: str, **body: Any) -> bytes:
    return message(port, "POST /", _AWS | {"X-Amz-Target": f"SageMaker.{action}"}, body)


def _fill_moto(port: int, count: int) -> int:
    """How many of the notebook instances made are in service: every seventh."""
    print(f"filling moto with {count} notebook instances", file=sys.stderr)
    names = [f"{'train' if number % 10 == 0 else 'data'}-{number:05}" for number in range(count)]
    stopped = [name for number, name in enumerate(names) if number % 7 != 6]
    create, stop = "CreateNotebookInstance", "StopNotebookInstance"
    send(port, [_sagemaker(port, create, NotebookInstanceName=name, **_INSTANCE) for name in names])
    send(port, [_sagemaker(port, stop, NotebookInstanceName=name) for name in stopped])
    return len(names) - len(stopped)


def mlflow(place: Place) -> Server:
    count, port = place.sizes.experiments, free_port()
    command = [
        str(programs(place.environments, "mlflow") / "mlflow"), "server", "--workers", "1",
        "--port", str(port), "--backend-store-uri", f"sqlite:///{place.folder / 'mlflow.sqlite'}",
    ]  # fmt: skip
    off = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    pid = place.start("mlflow", command, port, message(port, "GET /health", {}), **off)

    def call(action: str, **body: Any) -> bytes:
        line = f"POST /api/2.0/mlflow/experiments/{action}"
        return message(port, line, {"Content-Type": "application/json"}, body)

    print(f"filling mlflow with {count} experiments", file=sys.stderr)
    send(port, [call("create", name=f"experiment-{number}") for number in range(count)], connections=1)
    asked = call("search", max_results=10)
    return Server("mlflow", pid, port, [Question("max_results=10", asked, "experiments", 10, "limit=10")])


SERVERS = (nbfleet, as_served, jupyterhub, moto, mlflow)

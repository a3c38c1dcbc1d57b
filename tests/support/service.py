"""A real service process for tests: started, killed and started again on one data directory."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

DEADLINE = 30.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@dataclass
class Service:
    data_dir: Path
    runtime: str = "local"
    database_url: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    certificate: Path | None = None  # Served over HTTPS with it; its key beside it, as .key.
    port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def scheme(self) -> str:
        return "http" if self.certificate is None else "https"

    @property
    def gateway(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.gateway_port}"

    @property
    def credentials(self) -> dict[str, str]:
        return json.loads((self.data_dir / "credentials.json").read_text())

    @property
    def log(self) -> str:
        return (self.data_dir.parent / f"{self.data_dir.name}.log").read_text(errors="replace")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "nbfleet", *arguments]

    def start(self) -> "Service":
        arguments = [
            *("--data-dir", str(self.data_dir), "--port", str(self.port)),
            *("--gateway-port", str(self.gateway_port), "--runtime", self.runtime),
        ]
        if self.database_url:
            arguments += ["--database-url", self.database_url]
        if self.certificate is not None:
            key = str(self.certificate.with_suffix(".key"))
            arguments += ["--tls-certificate", str(self.certificate), "--tls-key", key]
        arguments += self.arguments
        log = (self.data_dir.parent / f"{self.data_dir.name}.log").open("ab")
        self.process = subprocess.Popen(
            self.command("serve", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"NBFLEET_LOG_FORMAT": "json"} | self.environment,
            start_new_session=True,
        )
        log.close()
        self._wait_until_ready()
        return self

    def _wait_until_ready(self) -> None:
        trust = None
        if self.certificate is not None:
            trust = ssl.create_default_context(cafile=str(self.certificate))
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"The service ended with {self.process.returncode}:\n{self.log}")
            try:
                with urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=1, context=trust) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
        raise AssertionError(f"The service was not ready in time:\n{self.log}")

    def kill(self) -> None:
        """As if the machine's out-of-memory killer came: nothing can be tidied up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Asks it to end and answers its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def clear_away(self) -> None:
        """Ends the service and every instance it started, whatever state they are in."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for pid in self.instance_pids():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def instance_pids(self) -> list[int]:
        """Processes that were started for instances of this data directory, kernels included."""
        wanted = str(self.data_dir).encode()
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes()
                except OSError:
                    continue
                if b"NBFLEET_INSTANCE=" in environment and wanted in environment:
                    found.append(int(entry.name))
        return found

    def server_pids(self) -> dict[str, int]:
        """The pid of the JupyterLab of each notebook, by notebook id."""
        found: dict[str, int] = {}
        for pid in self.instance_pids():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            base = next((word for word in words if word.startswith(b"--ServerApp.base_url=/")), None)
            if base is not None:
                found[base.decode().split("/")[1]] = pid
        return found


def wait_for(what: str, check, seconds: float = DEADLINE, pause: float = 0.05):
    """The first true answer of `check`; a real process takes the time it takes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = check()
        if answer:
            return answer
        time.sleep(pause)
    raise AssertionError(f"Waited {seconds} s in vain for: {what}")

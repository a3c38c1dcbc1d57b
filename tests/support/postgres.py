"""A real PostgreSQL of the tests' own: a cluster in a temporary directory, a database for each test."""

import itertools
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from support.service import free_port

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def program(name: str) -> str:
    found = next((place / name for place in _PLACES if (place / name).exists()), None)
    path = str(found) if found else shutil.which(name)
    if path is None:
        raise RuntimeError(f"PostgreSQL is needed and {name} was not found: install the package postgresql.")
    return path


@dataclass
class Postgres:
    directory: Path
    port: int = field(default_factory=free_port)
    _names: "itertools.count[int]" = field(default_factory=itertools.count)

    def start(self) -> "Postgres":
        """Not as root, which PostgreSQL refuses; the settings give durability away for speed."""
        self.directory.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres")
        data = str(self.directory / "data")
        self._run(
            "initdb", "-D", data, "-A", "trust", "-U", "nbfleet", "--no-sync", "-E", "UTF8", "--locale=C"
        )
        self.restart()
        return self

    def restart(self) -> None:
        """Starts it again after a stop."""
        data = str(self.directory / "data")
        options = f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        log = str(self.directory / "log")
        self._run("pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "stop")

    def new_database(self, template: str = "template1") -> str:
        """The URL of an empty database, or of a copy of one that nobody is connected to."""
        name = f"test_{next(self._names)}"
        url = f"postgresql://nbfleet@127.0.0.1:{self.port}"
        self._run("psql", "-q", f"{url}/postgres", "-c", f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"{url}/{name}"

    def _run(self, name: str, *arguments: str) -> None:
        user = {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid} if os.geteuid() == 0 else {}
        # The server inherits the output of pg_ctl: a pipe there would never end.
        output = subprocess.DEVNULL if name == "pg_ctl" else subprocess.PIPE
        command = [program(name), *arguments]
        done = subprocess.run(
            command, cwd=self.directory, stdout=output, stderr=output, check=False, text=True, **user
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {done.stderr}")

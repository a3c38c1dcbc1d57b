"""The command `nbfleet`, run as people run it."""

import json
import os
import subprocess
import sys

from support.service import Service


class Shell:
    """Runs the command with the credentials of a service, on a screen of a certain width."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def environment(self, **more: str) -> dict[str, str]:
        mine = {"NBFLEET_DATA_DIR": str(self.service.data_dir), "NBFLEET_PORT": str(self.service.port)}
        return os.environ | {"COLUMNS": "120"} | mine | more

    def run(self, *words: str, code: int = 0, stdin: str = "", **environment: str) -> tuple[str, str]:
        """Standard output and error; the exit code must be `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "nbfleet", *words], input=stdin, capture_output=True, text=True,
            env=self.environment(**environment), timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == code, (done.stdout, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout, done.stderr

    def json(self, *words: str):
        return json.loads(self.run(*words, "--output", "json")[0])

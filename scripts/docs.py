"""Writes the parts of the docs that are derived from the code. `scripts/docs.py --check` only compares.

    .venv/bin/python scripts/docs.py [--check]

The SVG pictures are drawn from the .dot files by Graphviz where it is installed; the .dot files are what the
tests compare.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.access import MEMBER_ACTIONS
from nbfleet.domain.lifecycle import FAILED, TRANSITIONS, Status, Transition
from nbfleet.wire.operation import Action, Operation, Standing
from nbfleet.wire.operations import OPERATIONS

DOCS = Path(__file__).parent.parent / "docs"
_STANDING = {
    Standing.PUBLIC: "anybody",
    Standing.AUTHENTICATED: "valid credentials",
    Standing.MEMBER: "members of the project",
}


def operations() -> str:
    """The compatibility table."""
    done = sum(operation.id in HANDLERS for operation in OPERATIONS)
    lines = [
        "# Operations",
        "",
        "Written by `scripts/docs.py` from the table of operations; do not edit.",
        "",
        f"{done} of {len(OPERATIONS)} operations do their work. The others answer 501 with `ModelArts.6361` "
        "(not available yet) to whoever may call them.",
        "",
        "| Operation | Method and path | Needs | Members may | Available |",
        "|---|---|---|---|---|",
    ]
    lines.extend(_row(operation) for operation in OPERATIONS)
    return "\n".join([*lines, ""])


def _row(operation: Operation) -> str:
    permission = operation.permission
    if isinstance(permission, Action):
        needs, members = f"`{permission.name}`", "yes" if permission.name in MEMBER_ACTIONS else "no"
    else:
        needs, members = _STANDING[permission], "yes"
    own = " (ours)" if operation.extension else ""
    available = "yes" if operation.id in HANDLERS else "not yet"
    cells = (f"{operation.id}{own}", f"`{operation.method} {operation.path}`", needs, members, available)
    return f"| {' | '.join(cells)} |"


def lifecycle() -> str:
    """The state diagram, in the language of Graphviz."""
    lines = [
        "// Written by scripts/docs.py from the transition table; do not edit.",
        "digraph lifecycle {",
        '  rankdir=LR; nodesep=0.35; ranksep=0.9; bgcolor="white";',
        '  node [shape=box, style="rounded,filled", fillcolor="#eef2f7", color="#5b6b7f",'
        ' fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=9, color="#5b6b7f", fontcolor="#333333"];',
        '  new [shape=point]; new -> CREATING [label="create"];',
    ]
    used = {row.source for row in TRANSITIONS} | {row.target for row in TRANSITIONS}
    lines.extend(f'  {status.value} [fillcolor="{_fill(status)}"];' for status in Status if status in used)
    lines.extend(
        f"  {row.source.value} -> {row.target.value} "
        f'[label="{_event(row)}", tooltip="{row.reason}"{", style=dashed" if row.waiting else ""}];'
        for row in TRANSITIONS
    )
    return "\n".join([*lines, "}", ""])


def _event(row: Transition) -> str:
    when = "while waiting" if row.waiting else "once stopped" if row.settled else ""
    return f"{row.event.value} ({when})" if when else row.event.value


def _fill(status: Status) -> str:
    if status in (Status.CREATING, Status.STARTING, Status.STOPPING, Status.DELETING):
        return "#fff3cd"
    if status in FAILED:
        return "#f8d7da"
    return {Status.RUNNING: "#d1e7dd", Status.DELETED: "#e2e3e5"}.get(status, "#eef2f7")


def transitions() -> str:
    lines = [
        "# Transitions",
        "",
        "Written by `scripts/docs.py` from `src/nbfleet/domain/lifecycle.py`; do not edit.",
        "",
        "![The states of a notebook and the ways between them](lifecycle.svg)",
        "",
        "A start is waiting while nobody has claimed it and none of its steps has begun. The ways that are "
        "open only then are dashed in the picture.",
        "",
        "| From | Event | To | Why |",
        "|---|---|---|---|",
    ]
    lines.extend(
        f"| {row.source.value} | {_event(row)} | {row.target.value} | {row.reason} |" for row in TRANSITIONS
    )
    return "\n".join([*lines, ""])


GENERATED = {"operations.md": operations, "lifecycle.dot": lifecycle, "transitions.md": transitions}


def stale() -> list[str]:
    """Names of the files that do not say what the code says."""
    return [
        name
        for name, make in GENERATED.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != make()
    ]


def write() -> None:
    for name, make in GENERATED.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    if shutil.which("dot"):
        for picture in DOCS.glob("*.dot"):
            subprocess.run(["dot", "-Tsvg", str(picture), "-o", str(picture.with_suffix(".svg"))], check=True)


if __name__ == "__main__":
    if "--check" in sys.argv:
        out_of_date = stale()
        if out_of_date:
            sys.exit(f"Out of date: {', '.join(out_of_date)}. Run scripts/docs.py.")
    else:
        write()

"""Writes the parts of the docs that are derived from the code. `scripts/docs.py --check` only compares.

    .venv/bin/python scripts/docs.py [--check]

The SVG pictures are drawn from the .dot files by Graphviz where it is installed; the .dot files are what the
tests compare.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.access import MEMBER_ACTIONS
from nbfleet.domain.lifecycle import FAILED, TRANSITIONS, Status, Transition
from nbfleet.wire.operation import Action, Operation, Standing
from nbfleet.wire.operations import OPERATIONS, by_id

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests"))  # The tables that the tests of conformance run on.
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


def compatibility() -> str:
    """What is shown to work of the published contract, from the tables that the tests run on."""
    from support import contract, sdk_replay  # noqa: PLC0415 - beside this script, and a lot to import.

    rows = [_proven(by_id(one), contract, sdk_replay) for one in contract.OPERATION_IDS]
    count = len(contract.OPERATION_IDS)
    done = sum(one in HANDLERS for one in contract.OPERATION_IDS)
    lines = [
        "# Compatibility",
        "",
        "Written by `scripts/docs.py` from the tables that `tests/integration/api/test_conformance.py` runs",
        "on; do not edit.",
        "",
        f"{done} of the {count} operations of the contract do their work; the others answer 501. Replayed",
        "means sent to a running service on SQLite and on PostgreSQL, with all it names made to exist, and",
        "answered as the contract says. A published answer must fit the served document, and ours must have",
        "its fields. The official SDK is `huaweicloudsdkmodelarts`, unmodified; what it reads is compared",
        "with what was sent.",
        "",
        "| Operation | Method and path | Implemented | Contract examples replayed | Official SDK replayed |",
        "|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join([*lines, ""])


def _proven(operation: Operation, contract: Any, sdk_replay: Any) -> str:
    name = operation.id
    available = name in HANDLERS
    method = sdk_replay.METHODS.get(name)
    sdk = f"`{method}`" if method and available else sdk_replay.IDENTITY.get(name, "no")
    replayed = _examples(name, contract) if available else "no"
    cells = (name, f"`{operation.method} {operation.path}`", "yes" if available else "no", replayed, sdk)
    return f"| {' | '.join(cells)} |"


def _examples(name: str, contract: Any) -> str:
    bodies, answers = (contract.examples(name, side) for side in ("body", "answer"))
    refused = sum(one == name for one, _ in contract.REFUSED)
    parts = (
        [_number(len(bodies), "request") + (f" ({refused} refused by name)" if refused else "")]
        if bodies
        else []
    )
    parts += [_number(len(answers), "answer")] if answers else []
    return ", ".join(parts) or "none published; a request of ours"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def fields() -> str:
    """What becomes of each field of a request, from the table that the tests run on."""
    from support import field_walk, fields_elsewhere  # noqa: PLC0415 - beside this script, and a lot to import.
    from support import fields as of_notebooks  # noqa: PLC0415

    rows_of_all = (*of_notebooks.ROWS, *fields_elsewhere.ROWS)
    lines = [_FIELDS_HEAD]
    for operation in dict.fromkeys(one.operation for one in rows_of_all):
        order = field_walk.fields(operation)
        rows = sorted(
            (one for one in rows_of_all if one.operation == operation), key=lambda one: order.index(one.field)
        )
        lines += [
            f"## {operation}",
            "",
            "| Field | `local` | `simulated` | Effect shown by |",
            "|---|---|---|---|",
        ]
        lines += [_field(one) for one in rows]
        lines.append("")
    return "\n".join(lines)


_FIELDS_HEAD = """# Fields

Written by `scripts/docs.py` from the table that `tests/integration/api/test_fields.py` runs on; do not edit.

Nothing that the contract documents is silently ignored. Each row is sent to a running service with a value
other than the default, and what is read back, or the refusal, is compared with the table by equality:

* **works**: it has its effect, which the named test shows, and is read back.
* **shown again**: it is kept and shown, which is all it means.
* **pretended**: the runtime `simulated` takes it, as it takes everything, and shows it again or hands it on;
  nothing real comes of it.
* **no effect**: as the contract says, or for the reason beside it.
* **refused**: with this status and code, and a message that names the field and says what is allowed, or
  names the request where all of it comes later.

Here are the requests to create and to change notebooks, and below them those of leases, mounts, tags, images,
workspaces, key pairs and tokens. A field that begins with `?` is one of the query.

A value before a colon is the one meant. `local*` stands for the runtime `local` where the service may not
mount or has no `s3fs`; `nbfleet doctor` tells.
"""


def _field(row: Any) -> str:
    file, _, test = row.proof.partition("::")
    shown = f"`{file.rpartition('/')[2]}`: {test.removeprefix('test_').replace('_', ' ')}."
    proof = " ".join(part for part in (shown if test else "", row.note) if part)
    return f"| `{row.field}` | {_outcomes(row, 'local')} | {_outcomes(row, 'simulated')} | {proof or '–'} |"


def _outcomes(row: Any, site: str) -> str:
    """What comes of each value, or of any where it is always the same."""
    told = {probe.about: _outcome(row, probe, site) for probe in row.probes}
    if len(set(told.values())) == 1:
        told = {"": next(iter(told.values()))}
    bare = [_outcome(row, probe, "bare") for probe in row.probes if probe.bare is not None]
    if site == "local" and bare:
        told["local*"] = bare[0]
    return "; ".join(f"{about}: {text}" if about else text for about, text in told.items())


def _outcome(row: Any, probe: Any, site: str) -> str:
    outcome = probe.on(site)
    refused = getattr(outcome, "code", None)
    return row.kind_on(site).value if refused is None else f"refused, {outcome.status} {refused}"


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


GENERATED = {
    "operations.md": operations,
    "compatibility.md": compatibility,
    "fields.md": fields,
    "lifecycle.dot": lifecycle,
    "transitions.md": transitions,
}


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

"""`nbfleet bulk`: an action on all notebooks that filters find, from its preview to what became of each."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.bars import bar
from nbfleet.cli.calls import call
from nbfleet.cli.failures import Failed
from nbfleet.cli.filters import narrows, query_of, with_filters
from nbfleet.cli.options import period_of, with_auto_stop, with_credentials, with_output
from nbfleet.cli.screen import Column
from nbfleet.cli.tags import tags_of
from nbfleet.wire.literals import ActionResult

F = TypeVar("F", bound=Callable[..., Any])

_PAUSE, _LONG_PAUSE = 0.3, 3.0  # Seconds between two looks: at a few notebooks, at very many.
_MANY = 1000
_NAMED = 10  # Notebooks that a preview names.
_ROWS = 50  # Results that are shown without being asked for.
_RESULTS: tuple[ActionResult, ...] = get_args(ActionResult)
REASONS = {
    "state": "their status does not allow it",
    "foreign": "they belong to somebody else",
    "free": "free ones cannot run that long",
    "left": "they are not on the list",
    "gone": "they are not there",
    "not allowed": "whoever began it may no longer do this",
    "refused": "it was refused",
    "fault": "something went wrong in the service",
}


@click.group("bulk")
def bulk_command() -> None:
    """Start, stop, delete, extend or tag all notebooks that filters find.

    A preview is shown and confirmed first. The service carries the action out, watched or not.
    """


def _acting(command: F) -> F:
    """What every action takes: the filters of `nbfleet list`, and how it is gone about."""
    for option in (
        with_credentials,
        with_output,
        click.option("--no-wait", is_flag=True, help="Return as soon as it has begun."),
        click.option("--once", help="The same word again begins nothing more; for jobs that are repeated."),
        click.option("--yes", "-y", is_flag=True, help="Do not ask."),
        click.option("--every", is_flag=True, help="Every notebook is meant: no filter is needed."),
        with_filters,
    ):
        command = option(command)
    return command


@bulk_command.command("start")
@with_auto_stop
@_acting
def start(hours: float | None, no_auto_stop: bool, **options: Any) -> None:
    """Start notebooks, each for an hour unless told otherwise."""
    _act("start", options, duration=period_of(hours, no_auto_stop))


@bulk_command.command("stop")
@_acting
def stop(**options: Any) -> None:
    """Stop notebooks; their files stay."""
    _act("stop", options)


@bulk_command.command("delete")
@_acting
def delete(**options: Any) -> None:
    """Delete notebooks with their files. They cannot be brought back."""
    _act("delete", options)


@bulk_command.command("extend")
@with_auto_stop
@_acting
def extend(hours: float | None, no_auto_stop: bool, **options: Any) -> None:
    """Set the auto-stop clocks of running notebooks, from now on."""
    period = period_of(hours, no_auto_stop)
    if period is None:
        raise click.UsageError("Say for how long: --hours, or --no-auto-stop.")
    _act("extend", options, duration=period)


@bulk_command.command("tag")
@click.argument("tag_to_set", metavar="KEY=VALUE")
@_acting
def tag(tag_to_set: str, **options: Any) -> None:
    """Set a tag of notebooks, KEY=VALUE or a key alone. --tag is the filter."""
    _act("tag", options, tag=tags_of([tag_to_set])[0])


def _act(action: str, options: dict[str, Any], **more: Any) -> None:
    yes, every, once = (options.pop(name) for name in ("yes", "every", "once"))
    no_wait, output = options.pop("no_wait"), options.pop("output")
    query = _given(query_of(options))
    if not every and not narrows(query):
        raise click.UsageError("No filter was given; --every says that every notebook is meant.")
    wish = {"action": action, "query": query} | _given(more)

    async def run(client: Any) -> None:
        preview = await client.call("PreviewNotebookAction", body=wish)
        if output != "json":
            _show_preview(preview)
        if not preview.changing:
            if output == "json":
                screen.json(await client.call_raw("PreviewNotebookAction", body=wish))
            return
        if not yes:
            click.confirm(f"{action.capitalize()} {_notebooks(preview.changing)}?", abort=True, err=True)
        body = wish | {"shown": preview.shown, "once": once or uuid.uuid4().hex}
        begun = await client.call("BeginNotebookAction", body=body)
        click.echo(f"The action {begun.id} has begun.", err=True)
        if not no_wait:
            begun = await _until_ended(client, begun)
        await _tell(client, begun, output)

    call(options, run)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _notebooks(count: int) -> str:
    return f"{count} notebook{'' if count == 1 else 's'}"


def _show_preview(preview: Any) -> None:
    click.echo(f"To {preview.action}: {preview.changing} of {_notebooks(preview.total)}.")
    rows = [(screen.plain(one.name), screen.coloured(one.status), one.id) for one in preview.first[:_NAMED]]
    if rows:
        screen.table([Column("NAME", cut=True), Column("STATUS"), Column("ID")], rows)
    if preview.changing > len(rows):
        click.echo(f"and {preview.changing - len(rows)} more")
    for kind in preview.kept:
        status = "" if kind.status is UNSET else f" ({kind.status})"
        click.echo(f"{kind.count} will stay as they are: {REASONS.get(kind.reason, kind.reason)}{status}.")


async def _until_ended(client: Any, now: Any) -> Any:
    pause = _LONG_PAUSE if now.total > _MANY else _PAUSE
    with bar("Notebooks", now.total) as advance:
        advance(now.settled)
        while now.end_at is UNSET:
            await asyncio.sleep(pause)
            before, now = now, await client.call("ShowNotebookAction", path={"action_id": now.id})
            advance(now.settled - before.settled)
    return now


async def _tell(client: Any, action: Any, output: str) -> None:
    """How it stands, and what was not done; raises Failed where something failed."""
    place = {"action_id": action.id}
    if output == "json":
        screen.json(await client.call_raw("ShowNotebookAction", path=place))
    else:
        click.echo(f"{_standing(action)}: {_counts(action)}.")
        for result in ("failed", "cancelled", "skipped"):
            if getattr(action.counts, result):
                query = {"result": result, "limit": _ROWS}
                _show_results(await client.call("ListNotebookActionResults", path=place, query=query))
    if action.counts.failed:
        hint = f"`nbfleet bulk show {action.id} --result failed` tells why."
        raise Failed(f"{_notebooks(action.counts.failed)} failed.", hint)


def _standing(action: Any) -> str:
    if action.end_at is UNSET:
        return "Running"
    return "Ended" if action.cancel_at is UNSET else "Called off"


def _counts(action: Any) -> str:
    counts = ((getattr(action.counts, one), one) for one in _RESULTS)
    return ", ".join(f"{count} {one}" for count, one in counts if count) or "no notebooks"


def _show_results(page: Any) -> None:
    columns = (
        Column("NAME", cut=True), Column("RESULT"), Column("NOW"), Column("WHY", cut=True), Column("ID"),
    )  # fmt: skip
    rows = [
        (
            screen.plain(one.name),
            one.result,
            "" if one.status is UNSET else screen.coloured(one.status),
            screen.plain(_why(one)),
            one.notebook_id,
        )
        for one in page.data
    ]
    screen.table(columns, rows)
    click.echo(f"{len(rows)} of {page.total}")


def _why(one: Any) -> str:
    """Why it was not changed, or why it did not get where it was to go."""
    if one.reason is not UNSET and one.detail is UNSET:
        reason: str = one.reason
        return REASONS.get(reason, reason)
    told: list[str] = [text for text in (one.detail, one.cause) if text is not UNSET]
    return told[0] if told else ""


@bulk_command.command("list")
@click.option("--limit", type=int, default=20, show_default=True)
@click.option("--offset", type=int, default=0)
@with_output
@with_credentials
def show_all(limit: int, offset: int, output: str, **options: Any) -> None:
    """List one's own actions of the last 90 days, the newest first."""

    async def run(client: Any) -> None:
        query = {"limit": limit, "offset": offset}
        if output == "json":
            screen.json(await client.call_raw("ListNotebookActions", query=query))
            return
        page = await client.call("ListNotebookActions", query=query)
        columns = (
            Column("ACTION"),
            Column("STATE"),
            Column("RESULTS", cut=True),
            Column("AGE"),
            Column("ID"),
        )
        rows = [
            (one.action, _standing(one), _counts(one), screen.age(one.create_at), one.id) for one in page.data
        ]
        screen.table(columns, rows)
        click.echo(f"{len(rows)} of {page.total}")

    call(options, run)


@bulk_command.command("show")
@click.argument("action_id", metavar="ID")
@click.option("--result", type=click.Choice(_RESULTS), help="Only notebooks with this result.")
@click.option("--limit", type=int, default=_ROWS, show_default=True)
@click.option("--offset", type=int, default=0)
@with_output
@with_credentials
def show(action_id: str, result: str | None, limit: int, offset: int, output: str, **options: Any) -> None:
    """Show how far the action with this ID has come, and what became of each notebook.

    As JSON it is the action, or with --result what became of the notebooks.
    """

    async def run(client: Any) -> None:
        place, query = {"action_id": action_id}, {"result": result, "limit": limit, "offset": offset}
        if output == "json":
            asked = ("ShowNotebookAction", None) if result is None else ("ListNotebookActionResults", query)
            screen.json(await client.call_raw(asked[0], path=place, query=asked[1]))
            return
        action = await client.call("ShowNotebookAction", path=place)
        click.echo(f"{action.action.capitalize()}, {_standing(action).lower()}: {_counts(action)}.")
        if action.now:
            click.echo(f"By now: {', '.join(f'{count} {status}' for status, count in action.now.items())}.")
        _show_results(await client.call("ListNotebookActionResults", path=place, query=query))

    call(options, run)


@bulk_command.command("cancel")
@click.argument("action_id", metavar="ID")
@with_credentials
def cancel(action_id: str, **options: Any) -> None:
    """Call off what is not done yet of the action with this ID."""

    async def run(client: Any) -> None:
        action = await client.call("CancelNotebookAction", path={"action_id": action_id})
        click.echo(f"{_standing(action)}: {_counts(action)}.")

    call(options, run)

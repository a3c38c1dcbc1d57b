"""`nbfleet top`: the fleet at a glance, drawn anew while one looks."""

import time
from collections.abc import Sequence
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import live, screen
from nbfleet.cli.calls import call, everybodys, listed, not_hidden
from nbfleet.cli.options import with_credentials
from nbfleet.cli.screen import Column
from nbfleet.domain import states

_GROUPS = 8
_CHANGES = 12
_BAR = 24  # Characters of the longest bar.


@click.command("top")
@click.option("--once", is_flag=True, help="Print it once; so it is anyway where there is no terminal.")
@click.option("--every", type=click.FloatRange(0.5), default=2.0, show_default=True, help="Seconds.")
@with_credentials
def top_command(once: bool, every: float, **options: Any) -> None:
    """Watch the fleet: counts, what runs for whom, the newest changes. q or Ctrl-C ends it."""

    async def run(client: Any) -> None:
        if once or not live.is_possible():
            screen.draw(await _picture(client))
        else:
            await live.live(lambda: _picture(client), every)

    call(options, run)


async def _picture(client: Any) -> Any:
    from rich.columns import Columns  # noqa: PLC0415
    from rich.console import Group  # noqa: PLC0415

    everything = {"workspace_id": "*", "feature": "*"}
    by_status = await _count(client, "status", everything)
    running = everything | {"status": "RUNNING"}
    by_flavor = await _count(client, "flavor", running)
    by_owner = await _count(client, "owner", running)
    query = everything | {"sort_key": "update_at", "sort_dir": "DESC", "limit": _CHANGES}
    newest = listed(await everybodys(client, query))
    return Group(
        _heading(by_status),
        _by_status(by_status),
        "",
        Columns(
            [_groups("RUNNING BY FLAVOR", by_flavor), _groups("RUNNING BY OWNER", by_owner)], padding=(0, 4)
        ),
        "",
        _changes(newest.data),
    )


async def _count(client: Any, by: str, query: dict[str, Any]) -> Any:
    limit = len(states.WORDS) if by == "status" else _GROUPS
    return await client.call("CountNotebooks", query=query | {"by": by, "limit": limit})


def _heading(counts: Any) -> Any:
    from rich.text import Text  # noqa: PLC0415

    moment = time.strftime("%H:%M:%S")
    return Text.assemble(
        ("nbfleet", "bold"), f"  {counts.total} notebooks  {moment}  ", ("q ends", "dim"), "\n"
    )


def _by_status(counts: Any) -> Any:
    largest = max((group.count for group in counts.groups), default=1)
    rows = [
        (
            screen.told(group.key),
            f"{group.count:>9}",
            f"[{screen.colour(group.key)}]{_bar(group.count, largest)}[/]",
        )
        for group in counts.groups
    ]
    return screen.drawn(
        [Column("STATE"), Column("NOTEBOOKS"), Column("", from_width=60)], rows or [("none", "", "")]
    )


def _bar(count: int, largest: int) -> str:
    return "█" * max(1, round(_BAR * count / largest))


def _groups(title: str, counts: Any) -> Any:
    rows = [
        (screen.plain(group.key if group.name is UNSET else group.name), f"{group.count:>9}")
        for group in counts.groups
    ]
    left_out = counts.group_total - len(counts.groups)
    if left_out > 0:
        rows.append((f"{left_out} more", ""))
    return screen.drawn([Column(title, cut=True), Column("NOTEBOOKS")], rows or [("none", "")], part=2)


def _changes(notebooks: Sequence[Any]) -> Any:
    columns = [
        Column("CHANGED"), Column("NAME", cut=True), Column("STATE"),
        Column("OWNER", cut=True, from_width=70), Column("ID", from_width=100),
    ]  # fmt: skip
    rows = [
        (
            f"{screen.age(one.update_at)} ago", screen.plain(one.name), screen.told(one.status),
            screen.plain(str(not_hidden(one.user).name)), one.id,
        )
        for one in notebooks
    ]  # fmt: skip
    return screen.drawn(columns, rows)

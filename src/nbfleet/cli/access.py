"""`nbfleet open` and `nbfleet logs`: getting at one notebook."""

import asyncio
import webbrowser
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli.calls import call, find
from nbfleet.cli.failures import Failed
from nbfleet.cli.options import with_credentials

_PAUSE = 1.0


@click.command("open")
@click.argument("notebook")
@click.option("--print", "only_print", is_flag=True, help="Print the address instead of opening a browser.")
@with_credentials
def open_command(notebook: str, only_print: bool, **options: Any) -> None:
    """Open NOTEBOOK in the browser. Its address holds a secret: whoever has it is let in."""

    async def run(client: Any) -> None:
        one = await client.show_notebook(await find(client, notebook))
        if one.status != "RUNNING":
            raise Failed(f"{one.name} is {one.status}.", f"`nbfleet start {notebook}` starts it.")
        if one.url is UNSET:
            raise Failed(f"{one.name} belongs to somebody else: only its owner can open it.")
        address = f"{one.url}?token={one.token}"
        if only_print or not webbrowser.open(address):
            click.echo(address)
            click.echo("This address is a secret until the notebook is started again.", err=True)

    call(options, run)


@click.command("logs")
@click.argument("notebook")
@click.option("--lines", "-n", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until interrupted.")
@with_credentials
def logs_command(notebook: str, lines: int, follow: bool, **options: Any) -> None:
    """Print the last lines that NOTEBOOK wrote."""

    async def run(client: Any) -> None:
        found = await find(client, notebook)
        text = (await client.notebook_log(found, lines)).log
        click.echo(text, nl=not text.endswith("\n"))
        while follow:
            await asyncio.sleep(_PAUSE)
            newer = (await client.notebook_log(found, 10_000)).log
            click.echo(_after(text, newer), nl=False)
            text = newer

    call(options, run)


def _after(seen: str, newer: str) -> str:
    """What was added behind the text that was seen; all of it when the log began anew."""
    last = seen[-2000:]
    place = newer.rfind(last) if last else 0
    return newer if place < 0 else newer[place + len(last) :]

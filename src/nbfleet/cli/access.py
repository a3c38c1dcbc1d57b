"""`nbfleet open` and `nbfleet logs`: getting at one notebook."""

import asyncio
import html
import os
import webbrowser
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call, find
from nbfleet.cli.completion import NOTEBOOK
from nbfleet.cli.failures import Failed
from nbfleet.cli.options import with_credentials

_PAUSE = 1.0
_PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>Notebook</title>
<a href="{address}">Open the notebook</a>
"""


@click.command("open")
@click.argument("notebook", type=NOTEBOOK)
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
        if only_print or not webbrowser.open(_private_page(address).as_uri()):
            click.echo(address)
            click.echo("This address is a secret until the notebook is started again.", err=True)

    call(options, run)


@click.command("logs")
@click.argument("notebook", type=NOTEBOOK)
@click.option("--lines", "-n", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until interrupted.")
@with_credentials
def logs_command(notebook: str, lines: int, follow: bool, **options: Any) -> None:
    """Print the last lines that NOTEBOOK wrote."""

    async def run(client: Any) -> None:
        found = await find(client, notebook)
        text = (await client.notebook_log(found, lines)).log
        click.echo(screen.harmless(text), nl=not text.endswith("\n"))
        while follow:
            await asyncio.sleep(_PAUSE)
            newer = (await client.notebook_log(found, 10_000)).log
            click.echo(screen.harmless(_after(text, newer)), nl=False)
            text = newer

    call(options, run)


def _private_page(address: str) -> Path:
    """A page that leads to the address. A browser is not started with the address itself, because every user
    of the machine sees the arguments of a process. One file, written anew each time."""
    directory = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nbfleet"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    page = directory / "open.html"
    page.unlink(missing_ok=True)
    descriptor = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_PAGE.format(address=html.escape(address)))
    return page


def _after(seen: str, newer: str) -> str:
    """What was added behind the text that was seen; all of it when the log began anew."""
    last = seen[-2000:]
    place = newer.rfind(last) if last else 0
    return newer if place < 0 else newer[place + len(last) :]

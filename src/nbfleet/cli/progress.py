"""Following a notebook until it is where it goes: drawn live on a terminal, as plain lines elsewhere."""

import asyncio
import sys
import time
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli.failures import Failed

_PAUSE = 0.15
_SETTLED = frozenset(
    {"CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "ERROR", "STOPPED", "RUNNING", "FROZEN", "DELETED"}
)
_MARKS = {"WAITING": "·", "PROCESSING": "…", "COMPLETED": "✓", "FAILED": "✗"}


async def follow(client: Any, now: Any, target: str, *, quiet: bool) -> Any:
    """The notebook once it has the target status; raises Failed when it ends up elsewhere."""
    drawer = _drawer(quiet)
    with drawer:
        while now.status != target:
            drawer.draw(now)
            if now.status in _SETTLED:
                reason = now.fail_reason if now.fail_reason is not UNSET else now.status
                raise Failed(f"{now.name} is {now.status}: {reason}", f"`nbfleet logs {now.id}` shows more.")
            await asyncio.sleep(_PAUSE)
            now = await client.show_notebook(now.id)
        drawer.draw(now)
    return now


class _Quiet:
    def __enter__(self) -> "_Quiet":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def draw(self, now: Any) -> None:
        """Nothing: the output is for a program."""


class _Lines(_Quiet):
    """One line for each thing that becomes true."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def draw(self, now: Any) -> None:
        for line in [now.status, *_done(now)]:
            if line not in self._said:
                self._said.add(line)
                click.echo(line)


class _Live(_Quiet):
    """The steps with their marks and the seconds so far, on the same lines."""

    def __init__(self) -> None:
        from rich.live import Live  # noqa: PLC0415

        self._live = Live(refresh_per_second=10, transient=True)
        self._begun = time.monotonic()

    def __enter__(self) -> "_Live":
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def draw(self, now: Any) -> None:
        seconds = time.monotonic() - self._begun
        lines = [
            f"{now.name}  [yellow]{now.status}[/]  {seconds:.1f} s",
            *(f"  {line}" for line in _steps(now)),
        ]
        self._live.update("\n".join(lines))


def _drawer(quiet: bool) -> _Quiet:
    if quiet:
        return _Quiet()
    return _Live() if sys.stdout.isatty() else _Lines()


def _steps(now: Any) -> list[str]:
    progress = [] if now.action_progress is UNSET else sorted(now.action_progress, key=lambda one: one.step)
    return [f"{_MARKS[one.status]} {one.description}" for one in progress]


def _done(now: Any) -> list[str]:
    return [line for line in _steps(now) if line.startswith(_MARKS["COMPLETED"])]

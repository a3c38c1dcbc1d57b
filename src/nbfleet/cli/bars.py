"""How far long work has got: a bar on a terminal, a line for each tenth elsewhere. On standard error, so that
what a command writes can be used by another."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click

_TENTHS = 10


@contextmanager
def bar(
    title: str, total: int | None, *, quiet: bool = False
) -> Generator[Callable[[int], None], None, None]:
    """Gives a function that is told how much more was done; `total` is None where nobody knows."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _drawn(title, total) as advance:
            yield advance
    else:
        yield _Lines(title, total).advance if total is not None else _Counted(title).advance


@contextmanager
def _drawn(title: str, total: int | None) -> Generator[Callable[[int], None], None, None]:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.advance(task, done)


class _Lines:
    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._said = 0

    def advance(self, done: int) -> None:
        self._done += done
        tenth = _TENTHS * self._done // max(self._total, 1)
        if tenth > self._said:
            self._said = tenth
            click.echo(f"{self._title}: {self._done} of {self._total}", err=True)


class _Counted:
    """Without a total: a line each time that it has doubled."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._done = 0
        self._next = 1000

    def advance(self, done: int) -> None:
        self._done += done
        if self._done >= self._next:
            self._next = 2 * self._done
            click.echo(f"{self._title}: {self._done}", err=True)

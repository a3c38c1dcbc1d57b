"""What is drawn anew every few seconds on a terminal, until q or Ctrl-C. Where that cannot be, it is drawn
once."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Any

from nbfleet.cli.failures import UNREACHABLE, explain

Draw = Callable[[], Awaitable[Any]]
_BUSY = 503
_NO_SCREEN = frozenset({"", "dumb"})


def is_possible() -> bool:
    """Whether standard output is a terminal that can be written all over."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in _NO_SCREEN


async def live(draw: Draw, every: float) -> None:
    """Shows what draw() answers, a renderable or text, and asks again every so many seconds. A service that
    is away or busy for a while is waited for, once it has answered at all."""
    from rich.console import Group  # noqa: PLC0415
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    picture = await draw()
    quitting = asyncio.Event()
    with _keys(quitting), Live(picture, screen=True, auto_refresh=False) as shown:
        while True:
            shown.refresh()
            if await _is_set_within(quitting, every):
                return
            try:
                picture = await draw()
                shown.update(picture)
            except Exception as fault:
                if not _passes(fault):
                    raise
                shown.update(Group(picture, Text(f"{fault} Trying again ...", style="red")))


def _passes(fault: Exception) -> bool:
    explained = explain(fault)
    is_busy = getattr(fault, "status", None) == _BUSY
    return is_busy or (explained is not None and explained.code == UNREACHABLE)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


@contextmanager
def _keys(quitting: asyncio.Event) -> Generator[None, None, None]:
    """Reads single keys meanwhile: q sets the event. The terminal is as before afterwards."""
    if not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415
    import tty  # noqa: PLC0415

    descriptor, loop = sys.stdin.fileno(), asyncio.get_running_loop()

    def read() -> None:
        if b"q" in os.read(descriptor, 64).lower():
            quitting.set()

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

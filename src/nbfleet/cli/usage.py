"""`nbfleet usage`: what a running notebook uses of its machine, drawn anew while one looks.

The service keeps no past of it: what is drawn are the answers since the command began.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import live, screen
from nbfleet.cli.calls import call, find
from nbfleet.cli.completion import NOTEBOOK
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_KIB = 1024
_BAR = 24  # Characters of a full bar.
_PLOT = 60, 4  # Answers that are drawn, one to a character, and the lines that they take.
_PAST = 3  # Answers from which on there is something to draw.
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_BETWEEN = 1.0  # Seconds between the two answers of one look: it takes two to tell how busy it is.


@click.command("usage")
@click.argument("notebook", type=NOTEBOOK)
@click.option("--once", is_flag=True, help="Print it once; so it is anyway where there is no terminal.")
@click.option("--every", type=click.FloatRange(0.5), default=2.0, show_default=True, help="Seconds.")
@with_output
@with_credentials
def usage_command(notebook: str, once: bool, every: float, output: str, **options: Any) -> None:
    """Watch the CPU and the memory that the running NOTEBOOK uses. q or Ctrl-C ends it."""

    async def run(client: Any) -> None:
        found = await find(client, notebook)
        if output == "json":
            screen.json(await client.call_raw("ShowNotebookUsage", path={"id": found}))
            return
        watched = _Watched(client, await client.show_notebook(found))
        await watched.look()
        await asyncio.sleep(_BETWEEN)
        if once or not live.is_possible():
            screen.draw(await watched.look())
        else:
            await live.live(watched.look, every)

    call(options, run)


@dataclass(slots=True)
class _Watched:
    client: Any
    notebook: Any
    before: Any = None
    busy: deque[float] = field(default_factory=lambda: deque(maxlen=_PLOT[0]))
    memory: deque[float] = field(default_factory=lambda: deque(maxlen=_PLOT[0]))

    async def look(self) -> Any:
        """One more answer, drawn with those before it."""
        now = await self.client.call("ShowNotebookUsage", path={"id": self.notebook.id})
        if self.before is not None and now.at > self.before.at:
            self.busy.append(busy_between(self.before, now))
        self.memory.append(now.memory_bytes)
        self.before = now
        return self._drawn(now)

    def _drawn(self, now: Any) -> Any:
        from rich.console import Group  # noqa: PLC0415

        # Both are 0 where the flavor is not offered any more.
        vcpus = 0.0 if now.vcpus is UNSET else now.vcpus
        limit = 0 if now.memory_limit is UNSET else now.memory_limit
        busy = self.busy[-1] if self.busy else 0.0
        cores, memory = f"{vcpus:g} vCPU{'' if vcpus == 1 else 's'}", size(limit)
        rows = [
            _row("CPU", f"{busy:.2f}", busy, vcpus, cores),
            _row("Memory", size(now.memory_bytes), now.memory_bytes, limit, memory),
        ]
        columns = [Column("USES"), Column("NOW"), Column("OF"), Column("", from_width=60)]
        plots = [
            *_plotted("CPU", self.busy, vcpus, cores),
            *_plotted("MEMORY", self.memory, limit, memory),
        ]
        return Group(self._heading(), screen.drawn(columns, rows), *plots)

    def _heading(self) -> Any:
        from rich.text import Text  # noqa: PLC0415

        name, moment = screen.harmless(self.notebook.name), time.strftime("%H:%M:%S")
        return Text.assemble((name, "bold"), f"  {moment}  ", ("q ends", "dim"), "\n")


def busy_between(before: Any, now: Any) -> float:
    """vCPUs in use on the average between two answers at different moments."""
    return max(0.0, (now.cpu_seconds - before.cpu_seconds) / ((now.at - before.at) / 1000))


def _row(word: str, told: str, used: float, most: float, all_told: str) -> tuple[str, ...]:
    """Without a bar where nobody knows of how much it is."""
    if not most:
        return word, told, "", ""
    share = min(used / most, 1.0)
    bar = "█" * round(_BAR * share)
    return word, told, all_told, f"[{_colour(share)}]{bar}[/][bright_black]{'░' * (_BAR - len(bar))}[/]"


def _colour(share: float) -> str:
    return "red" if share >= 1 else "yellow" if share >= 0.85 else "green"


def _plotted(title: str, values: Sequence[float], most: float, all_told: str) -> list[Any]:
    """Nothing while there is hardly a past: two answers are what one look takes."""
    from rich.text import Text  # noqa: PLC0415

    if len(values) < _PAST:
        return []
    head = Text.assemble((f"\n{title}", "bold"), (f"  up to {all_told}" if most else "", "dim"))
    lines = plot(values, max(most, *values))
    return [head, *(Text(line, "green") for line in lines), Text("─" * _PLOT[0], "bright_black")]


def plot(values: Sequence[float], top: float) -> list[str]:
    """Lines of blocks, the highest first, one column for each value; `top` fills all of them."""
    width, height = _PLOT
    eighths = [round(8 * height * min(value / top, 1.0)) if top > 0 else 0 for value in values]
    columns = [0] * (width - len(eighths)) + eighths
    floors = range(8 * (height - 1), -1, -8)
    return ["".join(_EIGHTHS[min(max(one - floor, 0), 8)] for one in columns).rstrip() for floor in floors]


def size(value: float) -> str:
    """Bytes in the largest unit in which they are at least one: 512 MiB, 1.5 GiB."""
    for unit in ("B", "KiB", "MiB"):
        if value < _KIB:
            return f"{value:.0f} {unit}"
        value /= _KIB
    return f"{value:.1f} GiB"

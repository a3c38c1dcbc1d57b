"""How things look in a terminal: tables that fit, ages, colours. Rich is imported when something is drawn."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
from msgspec import UNSET

COLOURS = {
    "RUNNING": "green",
    "STOPPED": "bright_black",
    "ERROR": "red",
    "CREATE_FAILED": "red",
    "START_FAILED": "red",
    "DELETE_FAILED": "red",
}
_IN_MOTION = "yellow"
_PARTS = 2
_GAP = 3  # Between two columns.
_LEAST = 3
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def age(milliseconds: int | Any) -> str:
    """How long ago, in its largest unit: 3d, 5h, 12m, 8s."""
    return "" if milliseconds is UNSET else span(time.time() - milliseconds / 1000).split()[0]


def span(seconds: float) -> str:
    """The two largest units of a duration: 2h 59m, 3d, 12m, 8s."""
    parts: list[str] = []
    for size, unit in _UNITS:
        count = int(seconds // size)
        if count or parts:
            seconds -= count * size
            parts.append(f"{count}{unit}" if count else "")
        if len(parts) == _PARTS:
            break
    return " ".join(part for part in parts if part) or "0s"


def left(lease: Any) -> str:
    """The time until auto-stop, or off."""
    if lease is UNSET or not lease.enable:
        return "off"
    return span(max(0.0, (lease.create_at + lease.duration) / 1000 - time.time()))


def plain(text: str) -> str:
    """Text that somebody chose, with nothing in it taken for a colour or for the terminal."""
    from rich.markup import escape  # noqa: PLC0415

    return escape(harmless(text))


def harmless(text: str) -> str:
    """Somebody else's text without anything that drives a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def coloured(status: str) -> str:
    return f"[{COLOURS.get(status, _IN_MOTION)}]{status}[/]"


@dataclass(frozen=True, slots=True)
class Column:
    """`cut`: may be cut with an ellipsis. `from_width`: shown on terminals that are at least that wide."""

    title: str
    cut: bool = False
    from_width: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """What does not fit is left out or cut; ids and states never are."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False)
    places = [place for place, column in enumerate(columns) if column.from_width <= console.width]
    cells = [[Text.from_markup(row[place]) for place in places] for row in rows]
    shown = [columns[place] for place in places]
    widest = [
        max([len(column.title), *(row[position].cell_len for row in cells)])
        for position, column in enumerate(shown)
    ]
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, width in zip(shown, _widths(shown, widest, console.width), strict=True):
        drawn.add_column(column.title, overflow="ellipsis", no_wrap=True, width=width)
    for row in cells:
        drawn.add_row(*row)
    console.print(drawn)


def _widths(columns: Sequence[Column], widest: Sequence[int], room: int) -> list[int]:
    """What may not be cut gets its width; the others share what is left."""
    fixed = sum(width for column, width in zip(columns, widest, strict=True) if not column.cut)
    left = room - fixed - _GAP * (len(columns) - 1)
    sharing = sum(column.cut for column in columns)
    share = max(left // sharing, _LEAST) if sharing else 0
    return [min(width, share) if column.cut else width for column, width in zip(columns, widest, strict=True)]


def pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values, one a line."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value if name == 'status' else harmless(value)}")


def json(raw: bytes) -> None:
    """The API's own words, indented."""
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(raw, indent=2).decode())

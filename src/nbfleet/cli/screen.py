"""How things look in a terminal: tables that fit, ages, colours. Rich is imported when something is drawn."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
from msgspec import UNSET

from nbfleet.domain import states
from nbfleet.domain.states import Kind

_COLOURS = {
    Kind.RUNNING: "green",
    Kind.MOVING: "yellow",
    Kind.STOPPED: "bright_black",
    Kind.FAILED: "red",
    Kind.FROZEN: "magenta",
}
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


def colour(status: str) -> str:
    """That of its kind, as on the pages of the console."""
    return _COLOURS[states.kind(status)]


def coloured(status: str) -> str:
    """As the API calls it, and as filters take it."""
    return f"[{colour(status)}]{status}[/]"


def told(status: str) -> str:
    """In the words of the console."""
    return f"[{colour(status)}]{states.word(status)}[/]"


@dataclass(frozen=True, slots=True)
class Column:
    """`cut`: may be cut with an ellipsis. `from_width`: shown on terminals that are at least that wide."""

    title: str
    cut: bool = False
    from_width: int = 0


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Prints it. What does not fit is left out or cut; ids and states never are."""
    draw(drawn(columns, rows))


def draw(picture: Any) -> None:
    from rich.console import Console  # noqa: PLC0415

    Console(highlight=False).print(picture)


def drawn(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, part: int = 1) -> Any:
    """The table, for the width of the terminal or a part of it."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    width = Console().width // part - (_GAP if part > 1 else 0)
    places = [place for place, column in enumerate(columns) if column.from_width <= width]
    cells = [[Text.from_markup(row[place], emoji=False) for place in places] for row in rows]
    shown = [columns[place] for place in places]
    widest = [
        max([len(column.title), *(row[position].cell_len for row in cells)])
        for position, column in enumerate(shown)
    ]
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column, room in zip(shown, _widths(shown, widest, width), strict=True):
        made.add_column(column.title, overflow="ellipsis", no_wrap=True, width=room)
    for row in cells:
        made.add_row(*row)
    return made


def _widths(columns: Sequence[Column], widest: Sequence[int], room: int) -> list[int]:
    """What may not be cut gets its width; the others share what is left, as far as they need it."""
    widths = list(widest)
    sharing = sorted((widest[place], place) for place, column in enumerate(columns) if column.cut)
    fixed = sum(width for column, width in zip(columns, widest, strict=True) if not column.cut)
    left = room - fixed - _GAP * (len(columns) - 1)
    for number, (width, place) in enumerate(sharing):
        widths[place] = min(width, max(left // (len(sharing) - number), _LEAST))
        left -= widths[place]
    return widths


def height() -> int:
    """Lines of the terminal."""
    return shutil.get_terminal_size().lines


def pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values, one a line."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value if name == 'status' else harmless(value)}")


def json(raw: bytes) -> None:
    """The API's own words, indented."""
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(raw, indent=2).decode())

"""`nbfleet list`, `count` and `export`: everything that looks at many notebooks."""

import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from msgspec import UNSET

from nbfleet.cli import live, screen
from nbfleet.cli.bars import bar
from nbfleet.cli.calls import call, everybodys, listed, not_hidden
from nbfleet.cli.failures import Failed
from nbfleet.cli.filters import query_of, with_filters
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_FIELDS = ("status", "owner", "pool", "flavor", "image", "workspace", "tag")
_FORMS = ("ndjson", "csv")
_UNAVAILABLE = 503
_EVERY = 2.0  # Seconds between two looks.
_AROUND = 4  # Lines of the screen that are no rows.
_BAR = 30  # Characters of the longest bar of a count.


@click.command("list")
@click.option(
    "--all/--mine", "everybody", default=None, help="Everybody's, or one's own. [all, where permitted]"
)
@with_filters
@click.option("--sort", "sort_key", help="Fields to sort by, for example status,name.")
@click.option("--asc", is_flag=True, help="Smallest first.")
@click.option("--limit", type=int, default=50, show_default=True)
@click.option("--offset", type=int, default=0)
@click.option("--marker", help="Walk by creation: '' at first, then the marker that the command names.")
@click.option("--watch", "-w", is_flag=True, help="Look again every 2 seconds and mark what changed; q ends.")
@with_output
@with_credentials
def list_command(
    everybody: bool | None,
    sort_key: str | None,
    asc: bool,
    limit: int,
    offset: int,
    marker: str | None,
    watch: bool,
    output: str,
    **options: Any,
) -> None:
    """List notebooks, the newest first."""
    if watch and output == "json":
        raise click.UsageError("--watch draws a table; it does not go with --output json.")
    query = query_of(options) | {"sort_key": sort_key, "limit": limit, "offset": offset, "marker": marker}
    query["sort_dir"] = "ASC" if asc else "DESC"

    async def run(client: Any) -> None:
        if watch and live.is_possible():
            await live.live(_Watched(client, everybody, query).look, _EVERY)
            return
        raw = await everybodys(client, query, everybody)
        if output == "json":
            screen.json(raw)
        else:
            _show_page(listed(raw))

    call(options, run)


_COLUMNS = (
    Column("NAME", cut=True),
    Column("STATUS"),
    Column("OWNER", cut=True, from_width=90),
    Column("FLAVOR", cut=True, from_width=120),
    Column("AGE"),
    Column("STOPS IN", from_width=100),
    Column("ID"),
)


def _row(one: Any) -> tuple[str, ...]:
    return (
        screen.plain(one.name),
        screen.coloured(one.status),
        screen.plain(str(not_hidden(one.user).name)),
        screen.plain(str(one.flavor)),
        screen.age(one.create_at),
        screen.left(one.lease) if one.status == "RUNNING" else "",
        one.id,
    )


def _show_page(page: Any) -> None:
    screen.table(_COLUMNS, [_row(one) for one in page.data])
    click.echo(f"{len(page.data)} of {page.total}")
    if page.next_marker is not UNSET:
        click.echo(f"Go on with --marker {page.next_marker}")


class _Watched:
    """A list that is looked at again and again; what changed since the last look is marked."""

    def __init__(self, client: Any, everybody: bool | None, query: dict[str, Any]) -> None:
        self._client = client
        self._everybody = everybody
        self._query = query
        self._before: dict[str, int] | None = None

    async def look(self) -> Any:
        from rich.console import Group  # noqa: PLC0415

        page = listed(await everybodys(self._client, self._query, self._everybody))
        now = {one.id: one.update_at for one in page.data}
        before, self._before = self._before if self._before is not None else now, now
        rows = [
            ("[bold]▸[/]" if before.get(one.id) != one.update_at else "", *_row(one)) for one in page.data
        ]
        shown = rows[: screen.height() - _AROUND]
        foot = f"{len(shown)} of {page.total}  {time.strftime('%H:%M:%S')}  q ends"
        return Group(screen.drawn([Column(""), *_COLUMNS], shown), foot)


@click.command("count")
@click.option("--by", type=click.Choice(_FIELDS), default="status", show_default=True)
@with_filters
@click.option("--limit", type=int, default=20, show_default=True, help="How many groups to show.")
@with_output
@with_credentials
def count_command(by: str, limit: int, output: str, **options: Any) -> None:
    """Count notebooks by the values of a field, the largest groups first."""
    query = query_of(options) | {"by": by, "limit": limit}

    async def run(client: Any) -> None:
        raw = await client.call_raw("CountNotebooks", query=query)
        if output == "json":
            screen.json(raw)
        else:
            _show_counts(raw)

    call(options, run)


def _show_counts(raw: bytes) -> None:
    import msgspec  # noqa: PLC0415

    from nbfleet.wire.extensions import CountNotebooksResponse  # noqa: PLC0415

    counts = msgspec.json.decode(raw, type=CountNotebooksResponse)
    largest = max((group.count for group in counts.groups), default=1)
    columns = [Column(counts.by.upper(), cut=True), Column("NOTEBOOKS"), Column("", from_width=80)]
    rows = [
        (
            screen.plain(_label(counts.by, group)),
            f"{group.count:>{len('NOTEBOOKS')}}",
            "█" * max(1, round(_BAR * group.count / largest)),
        )
        for group in counts.groups
    ]
    screen.table(columns, rows)
    left_out = counts.group_total - len(counts.groups)
    more = f", {left_out} more groups with --limit {counts.group_total}" if left_out else ""
    click.echo(f"{counts.total} in all{more}")


def _label(by: str, group: Any) -> str:
    if by == "pool" and not group.key:
        return "(public)"
    return group.key if group.name is UNSET else group.name


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
@click.option("--format", "form", type=click.Choice(_FORMS), help="[that of the name, or ndjson]")
@with_filters
@click.option("--asc", is_flag=True, help="The oldest first.")
@with_credentials
def export_command(file: str, form: str | None, asc: bool, **options: Any) -> None:
    """Write notebooks to FILE or to the screen, the newest first, without tokens and addresses."""
    form = form or ("csv" if file.endswith(".csv") else "ndjson")
    filters = query_of(options)
    query = filters | {"format": form, "sort_dir": "ASC" if asc else "DESC"}

    async def run(client: Any) -> None:
        total = await _counted(client, filters)
        quiet = file == "-" and sys.stdout.isatty()
        with _written(file) as out, bar("Notebooks", total, quiet=quiet) as advance:
            pieces = client.stream("ExportNotebooks", query=query)
            written = await _copied(pieces, out, Rows(form), advance)
        if file != "-":
            click.echo(f"{written} notebooks in {file}.")

    call(options, run)


async def _counted(client: Any, filters: dict[str, Any]) -> int | None:
    """For the progress bar: what takes too long to count can be exported all the same."""
    from nbfleet.client import ClientError  # noqa: PLC0415

    try:
        return (await client.call("CountNotebooks", query=filters | {"limit": 1})).total
    except ClientError as fault:
        if fault.status != _UNAVAILABLE:
            raise
        return None


class Rows:
    """Counts the rows of an export as it arrives. A line break within quotes is part of a cell."""

    def __init__(self, form: str) -> None:
        self._has_quotes = form == "csv"
        self._is_quoted = False
        self.seen = -1 if form == "csv" else 0  # The heading is none.

    def more(self, piece: bytes) -> int:
        """How many rows end in this piece."""
        if not self._has_quotes:
            ends = piece.count(b"\n")
        else:
            parts = piece.split(b'"')
            ends = sum(part.count(b"\n") for part in parts[int(self._is_quoted) :: 2])
            self._is_quoted ^= len(parts) % 2 == 0
        before, self.seen = self.seen, self.seen + ends
        return self.seen - max(before, 0) if ends else 0


async def _copied(
    pieces: AsyncIterator[bytes], out: BinaryIO, rows: Rows, advance: Callable[[int], None]
) -> int:
    """How many rows were written."""
    async for piece in pieces:
        out.write(piece)
        advance(rows.more(piece))
    return rows.seen


@contextmanager
def _written(file: str) -> Generator[BinaryIO, None, None]:
    """A file that is there with its name when all of it is, and not before."""
    if file == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # A name of its own: nobody's file is overwritten, and two exports do not meet.
    pending = Path(f"{file}.{os.getpid()}.partial")
    try:
        with pending.open("xb") as out:
            try:
                yield out
                out.close()
                pending.replace(file)
            finally:
                pending.unlink(missing_ok=True)
    except OSError as fault:
        raise Failed(f"Cannot write {file}: {fault.strerror}.") from fault

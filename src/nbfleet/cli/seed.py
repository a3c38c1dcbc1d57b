"""`nbfleet seed`: a made-up fleet to look at, to measure and to test with."""

import asyncio
import time
from typing import Any

import click

from nbfleet.cli import admin
from nbfleet.cli.bars import bar
from nbfleet.cli.failures import Failed
from nbfleet.cli.options import with_store


@click.command("seed")
@click.option(
    "--count",
    type=click.IntRange(1, 10_000_000),
    default=10_000,
    show_default=True,
    help="How many notebooks.",
)
@click.option(
    "--seed", "number", type=int, default=1, show_default=True, help="The same number makes the same fleet."
)
@with_store
def seed_command(count: int, number: int, **options: Any) -> None:
    """Fill an empty store with a made-up fleet.

    For demonstrations and load tests: serve it with `nbfleet serve --runtime simulated`.
    """
    from nbfleet import first_start, seeding  # noqa: PLC0415
    from nbfleet.credentials import endpoint_of  # noqa: PLC0415

    begun = time.monotonic()
    with admin.store(options) as context, bar("Notebooks", count) as advance:
        endpoint = endpoint_of(context.settings)

        async def fill() -> str:
            await first_start.prepare(context, endpoint)
            return await seeding.seed(context, count, number, advance)

        try:
            project_id = asyncio.run(fill())
        except seeding.NotEmpty as fault:
            raise Failed(
                "The store has notebooks already.", "Name another with --data-dir or --database-url."
            ) from fault
    click.echo(f"{count} notebooks in project {project_id}, in {time.monotonic() - begun:.0f} s.")
    click.echo("Serve them with `nbfleet serve --runtime simulated`.")

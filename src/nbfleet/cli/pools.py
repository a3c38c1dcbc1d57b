"""`nbfleet pool`: list, show."""

from typing import Any

import click

from nbfleet.cli import screen
from nbfleet.cli.calls import call
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column


@click.group("pool")
def pool_command() -> None:
    """Pools: machines set aside for the notebooks of a project."""


@pool_command.command("list")
@click.option("--workspace", default="*", help="Workspace id. [any]")
@with_output
@with_credentials
def show_all(workspace: str, output: str, **options: Any) -> None:
    """List the pools, with what is free in them."""

    async def run(client: Any) -> None:
        raw = await client.call_raw("ListPools", query={"workspaceId": workspace})
        if output == "json":
            screen.json(raw)
        else:
            _show_list(raw)

    call(options, run)


def _show_list(raw: bytes) -> None:
    import msgspec  # noqa: PLC0415

    from nbfleet.wire.pools import ListPoolsResponse  # noqa: PLC0415

    columns = [Column("NAME", cut=True), Column("NODES"), Column("FREE", cut=True), Column("ID")]
    rows = [
        (screen.plain(_name(one)), str(_nodes(one)), screen.plain(_free(one)), one.metadata.name)
        for one in msgspec.json.decode(raw, type=ListPoolsResponse).items
    ]
    screen.table(columns, rows)


@pool_command.command("show")
@click.argument("pool")
@with_output
@with_credentials
def show(pool: str, output: str, **options: Any) -> None:
    """Show POOL, named by its id."""

    async def run(client: Any) -> None:
        if output == "json":
            screen.json(await client.call_raw("ShowPool", path={"pool_name": pool}))
        else:
            _show(await client.call("ShowPool", path={"pool_name": pool}))

    call(options, run)


def _show(pool: Any) -> None:
    rows = [
        ("name", _name(pool)),
        ("id", pool.metadata.name),
        ("free", _free(pool)),
        ("flavors", ", ".join(pool.spec.job_flavors)),
    ]
    rows.extend(("nodes", f"{one.count} × {one.flavor}") for one in pool.spec.resources)
    if pool.metadata.annotations.description:
        rows.append(("description", pool.metadata.annotations.description))
    screen.pairs(rows)


def _name(pool: Any) -> str:
    return str(pool.metadata.labels.name)


def _nodes(pool: Any) -> int:
    return sum(one.count for one in pool.spec.resources)


def _free(pool: Any) -> str:
    return str(pool.status.message).removeprefix("Free: ").removesuffix(".")

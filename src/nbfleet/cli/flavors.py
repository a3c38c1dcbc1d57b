"""`nbfleet flavor`: list."""

from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call, not_hidden
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_KIB = 1024


@click.group("flavor")
def flavor_command() -> None:
    """Flavors: the sizes that notebooks can have. They stand in the settings of the service."""


@flavor_command.command("list")
@click.option("--category", help="CPU, GPU or ASCEND. [any]")
@click.option("--feature", default="NOTEBOOK", show_default=True, help="NOTEBOOK, or DEFAULT.")
@with_output
@with_credentials
def show_all(category: str | None, feature: str, output: str, **options: Any) -> None:
    """List the flavors, and which of them are free now."""
    query = {"feature": feature.upper(), "category": category and category.upper()}

    async def run(client: Any) -> None:
        raw = await client.call_raw("ListFlavors", query=query)
        if output == "json":
            screen.json(raw)
        else:
            _show(raw)

    call(options, run)


def _show(raw: bytes) -> None:
    import msgspec  # noqa: PLC0415

    from nbfleet.wire.flavors import ListFlavorsResponse  # noqa: PLC0415

    columns = [
        Column("ID"), Column("VCPUS"), Column("GIB"), Column("DEVICES"), Column("FREE"),
        Column("NAME", cut=True, from_width=80),
    ]  # fmt: skip
    rows = [
        (
            one.id, f"{one.vcpus:g}", f"{not_hidden(one.memory) / _KIB**2:g}", screen.plain(_devices(one)),
            "sold out" if one.sold_out else "yes", screen.plain(str(one.name)),
        )
        for one in msgspec.json.decode(raw, type=ListFlavorsResponse).data
    ]  # fmt: skip
    screen.table(columns, rows)


def _devices(one: Any) -> str:
    if one.category == "CPU":
        return ""
    number, device = (one.gpu.gpu, one.gpu) if one.category == "GPU" else (one.ascend.npu, one.ascend)
    return f"{number} {device.type if device.type not in ('', UNSET) else one.category}"

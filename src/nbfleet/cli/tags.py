"""`nbfleet tag`, `untag` and `tags`."""

from collections.abc import Sequence
from typing import Any

import click

from nbfleet.cli import screen
from nbfleet.cli.calls import call, find
from nbfleet.cli.completion import NOTEBOOK
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column


def tags_of(words: Sequence[str]) -> list[Any]:
    """Tags to set, from `key=value` or a key alone."""
    from nbfleet.wire.tags import TmsTag  # noqa: PLC0415

    pairs = (word.partition("=") for word in words)
    return [TmsTag(key=key, value=value) for key, _, value in pairs]


@click.command("tag")
@click.argument("notebook", type=NOTEBOOK)
@click.argument("tags", nargs=-1, required=True)
@with_credentials
def tag_command(notebook: str, tags: tuple[str, ...], **options: Any) -> None:
    """Set TAGS of NOTEBOOK, each key=value or a key alone. A key that is there gets the new value."""

    async def run(client: Any) -> None:
        from nbfleet.wire.tags import CreateTmsTagsRequest  # noqa: PLC0415

        body = CreateTmsTagsRequest(tags=tags_of(tags))
        place = {"resource_id": await find(client, notebook)}
        await client.call("CreateNotebookTags", path=place, body=body)

    call(options, run)


@click.command("untag")
@click.argument("notebook", type=NOTEBOOK)
@click.argument("keys", nargs=-1, required=True)
@with_credentials
def untag_command(notebook: str, keys: tuple[str, ...], **options: Any) -> None:
    """Remove the tags with these KEYS from NOTEBOOK, where it has them."""

    async def run(client: Any) -> None:
        from nbfleet.wire.tags import DeleteTmsTagsRequest, TmsTagForDeletion  # noqa: PLC0415

        body = DeleteTmsTagsRequest(tags=[TmsTagForDeletion(key=key) for key in keys])
        place = {"resource_id": await find(client, notebook)}
        await client.call("DeleteNotebookTags", path=place, body=body)

    call(options, run)


@click.command("tags")
@click.option("--workspace", default=None, help="Workspace id. [any]")
@with_output
@with_credentials
def tags_command(workspace: str | None, output: str, **options: Any) -> None:
    """Show the keys in use, each with its values."""

    async def run(client: Any) -> None:
        query = {"workspace_id": workspace}
        if output == "json":
            screen.json(await client.call_raw("ShowNotebookTags", query=query))
            return
        found = await client.call("ShowNotebookTags", query=query)
        rows = [(screen.plain(one.key), screen.plain(", ".join(one.values))) for one in found.tags]
        screen.table([Column("KEY", cut=True), Column("VALUES", cut=True)], rows)

    call(options, run)

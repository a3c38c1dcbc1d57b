"""`nbfleet create`, `show`, `start`, `stop`, `renew` and `delete`."""

import asyncio
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call, find, not_hidden
from nbfleet.cli.completion import NOTEBOOK
from nbfleet.cli.failures import Failed
from nbfleet.cli.images import find_image
from nbfleet.cli.options import HOUR, period_of, with_auto_stop, with_credentials, with_output
from nbfleet.cli.progress import follow
from nbfleet.cli.tags import tags_of


@click.command("create")
@click.argument("name")
@click.option("--flavor", help="Size; by default the first that the service offers.")
@click.option("--image", help="Image; by default the newest that is built in.")
@click.option("--volume", "category", type=click.Choice(["EVS", "EFS"], case_sensitive=False), default="EVS")
@click.option("--size", type=int, help="Size of the work volume in GB.")
@click.option("--description", default=None)
@click.option("--pool", "pool_id", default=None, help="Id of the pool to put it into.")
@click.option("--workspace", "workspace_id", default=None, help="Id of the workspace to put it into. [0]")
@click.option("--tag", "tags", multiple=True, help="key=value, or a key alone; may be given several times.")
@with_auto_stop
@click.option("--idempotency-key", help="The same key with the same request makes one notebook only.")
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it runs.")
@with_output
@with_credentials
def create_command(
    hours: float | None,
    no_auto_stop: bool,
    no_wait: bool,
    output: str,
    description: str | None,
    pool_id: str | None,
    workspace_id: str | None,
    tags: tuple[str, ...],
    **options: Any,
) -> None:
    """Create a notebook called NAME and wait until it runs."""
    duration = period_of(hours, no_auto_stop)
    fields: dict[str, Any] = {"duration": UNSET if duration is None else duration}
    asked = {"description": description, "pool_id": pool_id, "workspace_id": workspace_id}
    fields |= {name: value for name, value in asked.items() if value is not None}
    if tags:
        fields["tags"] = tags_of(tags)
    wanted = {k: options.pop(k) for k in ("name", "flavor", "category", "size", "idempotency_key")}
    image: str | None = options.pop("image")
    wanted["category"] = wanted["category"].upper()

    async def run(client: Any) -> None:
        if image is not None:
            wanted["image_id"] = await find_image(client, image)
        created = await client.create_notebook(**wanted, **fields)
        await finish(client, created, "RUNNING", output, wait=not no_wait)

    call(options, run)


@click.command("show")
@click.argument("notebook", type=NOTEBOOK)
@with_output
@with_credentials
def show_command(notebook: str, output: str, **options: Any) -> None:
    """Show NOTEBOOK, named by its id or its name."""

    async def run(client: Any) -> None:
        found = await find(client, notebook)
        if output == "json":
            screen.json(await client.call_raw("ShowNotebook", path={"id": found}))
        else:
            show(await client.show_notebook(found))

    call(options, run)


def show(one: Any) -> None:
    rows = [
        ("name", one.name),
        ("id", one.id),
        ("status", click.style(one.status, fg=screen.colour(one.status))),
        ("owner", str(not_hidden(one.user).name)),
        ("flavor", str(one.flavor)),
        ("image", f"{one.image.name}:{one.image.tag}"),
        ("volume", f"{one.volume.category} {one.volume.capacity} GB"),
        ("created", f"{screen.age(one.create_at)} ago"),
    ]
    if one.pool is not UNSET:
        rows.append(("pool", str(one.pool.name)))
    if one.tags:
        rows.append(("tags", ", ".join(f"{tag.key}={tag.value}" for tag in one.tags)))
    if one.status == "RUNNING":
        rows.append(("stops in", screen.left(one.lease)))
    for name, value in (
        ("description", one.description), ("address", one.url), ("reason", one.fail_reason)
    ):  # fmt: skip
        if value is not UNSET and value:
            rows.append((name, value))
    screen.pairs(rows)


@click.command("start")
@click.argument("notebook", type=NOTEBOOK)
@with_auto_stop
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it runs.")
@with_output
@with_credentials
def start_command(
    notebook: str, hours: float | None, no_auto_stop: bool, no_wait: bool, output: str, **options: Any
) -> None:
    """Start NOTEBOOK again and wait until it runs."""
    duration = period_of(hours, no_auto_stop)

    async def run(client: Any) -> None:
        started = await client.start_notebook(await find(client, notebook), duration=duration)
        await finish(client, started, "RUNNING", output, wait=not no_wait)

    call(options, run)


@click.command("stop")
@click.argument("notebook", type=NOTEBOOK)
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it is stopped.")
@with_output
@with_credentials
def stop_command(notebook: str, no_wait: bool, output: str, **options: Any) -> None:
    """Stop NOTEBOOK; its files stay."""

    async def run(client: Any) -> None:
        stopping = await client.stop_notebook(await find(client, notebook))
        await finish(client, stopping, "STOPPED", output, wait=not no_wait)

    call(options, run)


@click.command("renew")
@click.argument("notebook", type=NOTEBOOK)
@with_auto_stop
@with_output
@with_credentials
def renew_command(
    notebook: str, hours: float | None, no_auto_stop: bool, output: str, **options: Any
) -> None:
    """Set the auto-stop clock of the running NOTEBOOK: from now on, one hour if nothing else is said."""
    given = period_of(hours, no_auto_stop)
    duration = HOUR if given is None else given

    async def run(client: Any) -> None:
        import msgspec  # noqa: PLC0415

        lease = await client.renew_lease(await find(client, notebook), duration)
        if output == "json":
            screen.json(msgspec.json.encode(lease))
        elif lease.enable:
            click.echo(f"Stops in {screen.left(lease)}.")
        else:
            click.echo("Runs until it is stopped.")

    call(options, run)


@click.command("delete")
@click.argument("notebook", type=NOTEBOOK)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@with_credentials
def delete_command(notebook: str, yes: bool, **options: Any) -> None:
    """Delete NOTEBOOK with its files. They cannot be brought back."""

    async def run(client: Any) -> None:
        found = await find(client, notebook)
        if not yes:
            click.confirm(f"Delete {notebook} and all its files?", abort=True)
        await client.delete_notebook(found)
        await _until_gone(client, found)
        click.echo(f"{notebook} is gone.")

    call(options, run)


async def _until_gone(client: Any, notebook_id: str) -> None:
    from nbfleet.client import ClientError  # noqa: PLC0415

    while True:
        try:
            now = await client.show_notebook(notebook_id)
        except ClientError as gone:
            if gone.status == 404:
                return
            raise
        if now.status == "DELETE_FAILED":
            raise Failed(f"It could not be deleted: {now.fail_reason}", "`nbfleet delete` tries again.")
        await asyncio.sleep(0.2)


async def finish(client: Any, now: Any, target: str, output: str, *, wait: bool) -> None:
    if wait:
        now = await follow(client, now, target, quiet=output == "json")
    if output == "json":
        screen.json(await client.call_raw("ShowNotebook", path={"id": now.id}))
    else:
        show(now)

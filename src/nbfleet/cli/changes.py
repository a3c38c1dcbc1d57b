"""`nbfleet update`, `freeze` and `unfreeze`."""

import base64
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call, find
from nbfleet.cli.completion import NOTEBOOK
from nbfleet.cli.notebooks import finish, show
from nbfleet.cli.options import with_credentials, with_output

_SCRIPT = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("update")
@click.argument("notebook", type=NOTEBOOK)
@click.option("--name", help="New name.")
@click.option("--description", help="New description.")
@click.option("--size", type=int, help="New size of the work volume in GB; it never shrinks.")
@click.option("--flavor", help="New size; while it is stopped.")
@click.option("--image", "image_id", help="Id of the new image; while it is stopped.")
@click.option("--pre-start", type=_SCRIPT, help="Script to run before each start; while it is stopped.")
@click.option("--post-start", type=_SCRIPT, help="Script to run after each start; while it is stopped.")
@click.option("--wait-for-scripts", is_flag=True, help="Let a start wait for these, and fail with them.")
@with_output
@with_credentials
def update_command(notebook: str, output: str, wait_for_scripts: bool, **options: Any) -> None:
    """Change NOTEBOOK, named by its id or its name. What is not named stays."""
    names = ("name", "description", "flavor", "image_id")
    fields: dict[str, Any] = {name: options.pop(name) for name in names}
    fields["storage_new_size"] = options.pop("size")
    scripts = {name: options.pop(name) for name in ("pre_start", "post_start")}
    fields["hooks"] = _hooks(scripts, blocks=wait_for_scripts)
    changes = {name: value for name, value in fields.items() if value is not None}
    if not changes:
        raise click.UsageError("Nothing to change was named; see `nbfleet update --help`.")

    async def run(client: Any) -> None:
        changed = await client.update_notebook(await find(client, notebook), **changes)
        if output == "json":
            screen.json(await client.call_raw("ShowNotebook", path={"id": changed.id}))
        else:
            show(changed)

    call(options, run)


def _hooks(scripts: dict[str, Path | None], *, blocks: bool) -> Any:
    """The hooks with the text of these files; None where there are none."""
    from nbfleet.wire.enums import HookMode, HookScriptType  # noqa: PLC0415
    from nbfleet.wire.hooks import Config, ContainerHooks, CustomHooks  # noqa: PLC0415

    made = {
        name: Config(
            script=base64.b64encode(path.read_bytes()).decode(),
            type=HookScriptType.COMMAND,
            mode=HookMode.BLOCK if blocks else HookMode.ASYNC,
        )
        for name, path in scripts.items()
        if path is not None
    }
    return CustomHooks(container_hooks=ContainerHooks(**made)) if made else None


@click.command("freeze")
@click.argument("notebook", type=NOTEBOOK)
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it is stopped.")
@with_output
@with_credentials
def freeze_command(notebook: str, no_wait: bool, output: str, **options: Any) -> None:
    """Keep NOTEBOOK from running until it is unfrozen; for administrators. A running one is stopped."""

    async def run(client: Any) -> None:
        frozen = await client.freeze_notebook(await find(client, notebook))
        if not no_wait:
            frozen = await _until_stopped(client, frozen)
        await finish(client, frozen, "FROZEN", output, wait=False)

    call(options, run)


async def _until_stopped(client: Any, now: Any) -> Any:
    """A frozen instance has an address for as long as something of it runs."""
    import asyncio  # noqa: PLC0415

    while now.ip is not UNSET:
        await asyncio.sleep(0.2)
        now = await client.show_notebook(now.id)
    return now


@click.command("unfreeze")
@click.argument("notebook", type=NOTEBOOK)
@with_output
@with_credentials
def unfreeze_command(notebook: str, output: str, **options: Any) -> None:
    """Let the frozen NOTEBOOK be started again; for administrators."""

    async def run(client: Any) -> None:
        thawed = await client.unfreeze_notebook(await find(client, notebook))
        await finish(client, thawed, "STOPPED", output, wait=False)

    call(options, run)

"""`nbfleet completion`, and what shells are told of notebooks and states."""

import asyncio
from typing import Any

import click
from click.shell_completion import CompletionItem, get_completion_class

from nbfleet.domain import states
from nbfleet.domain.lifecycle import Status

_SHELLS = ("bash", "zsh", "fish")
_MOST = 50


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, notebooks and states.

    For bash: eval "$(nbfleet completion bash)"; for zsh the same with zsh.

    For fish: nbfleet completion fish | source
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"SHELL is {shell}; allowed: {', '.join(_SHELLS)}.")
    click.echo(found(context.find_root().command, {}, "nbfleet", "_NBFLEET_COMPLETE").source())


class Notebook(click.ParamType[str]):
    """A notebook as a person calls it; completed by asking the service, in silence where it is away."""

    name = "notebook"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - These are the names that click gives them.
        incomplete: str,
    ) -> list[CompletionItem]:
        options = {name: ctx.params.get(name) for name in ("credentials", "data_dir", "endpoint", "ca_file")}
        try:
            found = asyncio.run(_called(options, incomplete))
        except Exception:
            return []
        return [CompletionItem(text, help=help_) for text, help_ in found]


async def _called(options: dict[str, Any], begun: str) -> list[tuple[str, str]]:
    """Names that begin so, and ids where nothing is called so."""
    from nbfleet.cli.calls import everybodys, listed  # noqa: PLC0415
    from nbfleet.cli.options import credentials  # noqa: PLC0415
    from nbfleet.cli.screen import harmless  # noqa: PLC0415
    from nbfleet.client import Client  # noqa: PLC0415

    known = credentials(options["credentials"], options["data_dir"], options["endpoint"])
    everything = {"workspace_id": "*", "feature": "*", "limit": _MOST}
    async with Client(known, ca_file=options["ca_file"]) as client:
        found = listed(await everybodys(client, everything | {"name": begun or None}))
        names = [(one.name, states.word(one.status)) for one in found.data if one.name.startswith(begun)]
        if names:
            return [(harmless(name), help_) for name, help_ in names]
        newest = listed(await everybodys(client, everything))
        return [(one.id, harmless(one.name)) for one in newest.data if one.id.startswith(begun.lower())]


class States(click.ParamType[str]):
    """One status or several, with commas between them."""

    name = "text"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        begun = before + comma
        return [
            CompletionItem(begun + one.value, help=states.word(one))
            for one in Status
            if one.value.startswith(last.upper())
        ]


NOTEBOOK = Notebook()
STATES = States()

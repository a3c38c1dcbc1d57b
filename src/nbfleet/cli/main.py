"""The command `nbfleet`, and the only place where a failure becomes a sentence and an exit code.

0 done   1 refused or failed   2 wrong usage   3 service not reachable   4 not authorised   5 not found
"""

import importlib
import os
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from nbfleet.cli.failures import explain

# Where each command lives, and its line in the help.
_COMMANDS = {
    "serve": ("service", "Run the service: API, gateway and everything behind them."),
    "gateway": ("service", "Run the gateway alone, beside a service."),
    "create": ("notebooks", "Create a notebook and wait until it runs."),
    "list": ("lists", "List notebooks, the newest first."),
    "top": ("top", "Watch the fleet: counts, what runs for whom, the newest changes."),
    "count": ("lists", "Count notebooks by the values of a field."),
    "bulk": ("bulk", "Act on all notebooks that filters find: preview, progress, results."),
    "export": ("lists", "Write notebooks to a file, as JSON lines or as a table."),
    "show": ("notebooks", "Show one notebook."),
    "start": ("notebooks", "Start a notebook again and wait until it runs."),
    "stop": ("notebooks", "Stop a notebook; its files stay."),
    "renew": ("notebooks", "Set the auto-stop clock of a running notebook."),
    "update": ("changes", "Change a notebook: name, size, flavor, image, scripts."),
    "freeze": ("changes", "Keep a notebook from running."),
    "unfreeze": ("changes", "Let a frozen notebook be started again."),
    "tag": ("tags", "Set tags of a notebook."),
    "untag": ("tags", "Remove tags of a notebook."),
    "tags": ("tags", "Show the tags in use."),
    "mount": ("mounts", "List, add and remove storage of a running notebook."),
    "delete": ("notebooks", "Delete a notebook with its files."),
    "open": ("access", "Open a notebook in the browser."),
    "logs": ("access", "Print the last lines that a notebook wrote."),
    "usage": ("usage", "Watch the CPU and the memory that a running notebook uses."),
    "image": ("images", "List, register, compare and delete images, and groups of them."),
    "completion": ("completion", "Print the script for completion in a shell."),
    "doctor": ("doctor", "Look at this machine: what is there, what is missing."),
    "seed": ("seed", "Fill an empty store with a made-up fleet."),
    "flavor": ("flavors", "List the sizes that notebooks can have."),
    "pool": ("pools", "List and show pools of machines."),
    "workspace": ("workspaces", "Add, list, change and delete workspaces; who may use them."),
    "quota": ("quotas", "Limit what users, workspaces and projects may have."),
    "project": ("projects", "Add, list, disable and delete projects."),
    "user": ("users", "Add, list, disable and delete users; roles and passwords."),
    "role": ("roles", "Add, list, change and delete roles made of actions."),
    "keypair": ("keypairs", "Add, list, show and delete one's own SSH key pairs."),
    "key": ("keys", "Add, list, disable and delete access keys."),
}


class _Lazy(click.Group):
    """Imports the module of a command when it is run, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        return getattr(importlib.import_module(f"nbfleet.cli.{module}"), f"{cmd_name}_command")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Without importing the commands."""
        found = [
            CompletionItem(name, help=text)
            for name, (_, text) in _COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="nbfleet", message="nbfleet %(version)s")
@click.option("--debug", is_flag=True, help="Show where a failure comes from.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Notebooks of one's own: a service that speaks the ModelArts notebook API."""
    context.obj = debug


def main() -> None:
    debug = "--debug" in sys.argv
    try:
        code: Any = cli.main(prog_name="nbfleet", standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as fault:
        fault.show()
        code = fault.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    except Exception as fault:
        if debug:
            raise
        explained = explain(fault)
        if explained is None:
            raise
        click.echo(f"Error: {explained.sentence}", err=True)
        if explained.hint:
            click.echo(f"Hint: {explained.hint}", err=True)
        code = explained.code
    sys.exit(code if isinstance(code, int) else 0)

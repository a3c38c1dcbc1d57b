"""`nbfleet role`: list, show, actions, add, change, delete."""

from typing import Any

import click
import msgspec

from nbfleet.cli import screen
from nbfleet.cli.admin import read, write
from nbfleet.cli.options import with_output, with_store
from nbfleet.cli.screen import Column
from nbfleet.services import roles
from nbfleet.store import roles as stored


@click.group("role")
def role_command() -> None:
    """Roles: what a member of a project may do.

    administrator and member are built in. Others are made of the actions that operations ask for; `nbfleet
    user role` gives them to people. A change counts within seconds.
    """


@role_command.command("list")
@with_output
@with_store
def show_all(output: str, **options: Any) -> None:
    """List the roles, with how many memberships are of each."""

    def look(connection: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "actions": sorted(one.actions),
                "memberships": stored.members(connection, one.name),
            }
            for one in stored.every(connection)
        ]

    found = read(options, look)
    if output == "json":
        screen.json(msgspec.json.encode(found))
        return
    columns = [Column("NAME"), Column("ACTIONS"), Column("MEMBERSHIPS")]
    rows = [(one["name"], _number(one["actions"]), str(one["memberships"])) for one in found]
    screen.table(columns, rows)


def _number(actions: list[str]) -> str:
    return "every one" if "*" in actions else str(len(actions))


@role_command.command("show")
@click.argument("role")
@with_store
def show(role: str, **options: Any) -> None:
    """Print the actions of ROLE, one a line."""
    found = read(options, lambda connection: roles.the_role(connection, role))
    for action in sorted(found.actions):
        click.echo(action)


@role_command.command("actions")
def show_actions() -> None:
    """Print every action that a role can be made of, and the operations that ask for it."""
    columns = [Column("ACTION"), Column("OPERATIONS", cut=True)]
    rows = [(action, ", ".join(names)) for action, names in roles.operations_of_actions().items()]
    screen.table(columns, rows)


@role_command.command("add")
@click.argument("role")
@click.option("--action", "actions", multiple=True, help="An action, or * for every one; may be repeated.")
@click.option("--like", help="Begin with the actions of this role.")
@with_store
def add(role: str, actions: tuple[str, ...], like: str | None, **options: Any) -> None:
    """Add a role called ROLE."""

    def change(connection: Any, _context: Any) -> Any:
        begun = roles.the_role(connection, like).actions if like else frozenset[str]()
        return roles.add(connection, role, begun | set(actions))

    made = write(options, change)
    click.echo(f"The role {role} has {_number(list(made.actions))} actions.")


@role_command.command("change")
@click.argument("role")
@click.option("--add", "more", multiple=True, help="An action; may be repeated.")
@click.option("--remove", "fewer", multiple=True, help="An action; may be repeated.")
@with_store
def change_one(role: str, more: tuple[str, ...], fewer: tuple[str, ...], **options: Any) -> None:
    """Change what members with ROLE may do."""
    made = write(options, lambda connection, _context: roles.change(connection, role, more, fewer))
    click.echo(f"The role {role} has {_number(list(made.actions))} actions.")


@role_command.command("delete")
@click.argument("role")
@with_store
def delete(role: str, **options: Any) -> None:
    """Delete ROLE, which nobody may have any more."""
    write(options, lambda connection, _context: roles.remove(connection, role))
    click.echo(f"The role {role} is deleted.")

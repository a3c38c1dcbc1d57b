"""`nbfleet user`: add, list, role, password, login, disable, enable, delete."""

import secrets
import sys
from typing import Any

import click
import msgspec

from nbfleet.cli import screen
from nbfleet.cli.admin import read, store, write
from nbfleet.cli.options import with_output, with_store
from nbfleet.cli.screen import Column
from nbfleet.credentials import endpoint_of
from nbfleet.domain.access import Role
from nbfleet.services import identity, roles
from nbfleet.store import identity as people


@click.group("user")
def user_command() -> None:
    """Users and their roles in projects."""


@user_command.command("add")
@click.argument("name")
@click.option("--project", help="Project to make it a member of. [the first one]")
@click.option("--role", default=Role.MEMBER.name, show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_store
def add(name: str, project: str | None, role: str, password_stdin: bool, **options: Any) -> None:
    """Add a user called NAME. Without a given password one is made and shown once."""
    password = _read_password() if password_stdin else secrets.token_urlsafe(18)

    def change(connection: Any, context: Any) -> people.User:
        place = identity.the_project(connection, project or context.settings.project)
        given = roles.the_role(connection, role)
        return identity.add_user(connection, context, name, place, given, password)

    user = write(options, change)
    click.echo(f"User {user.name} has the id {user.id}.")
    if not password_stdin:
        click.echo(f"Password: {password}  (shown only now)")


@user_command.command("list")
@with_output
@with_store
def show_all(output: str, **options: Any) -> None:
    """List the users with their roles."""

    def look(connection: Any) -> list[dict[str, Any]]:
        names = {one.id: one.name for one in people.list_projects(connection)}
        return [
            {
                "id": one.id,
                "name": one.name,
                "enabled": one.enabled,
                "roles": {names[key]: role.name for key, role in people.roles(connection, one.no).items()},
            }
            for one in people.list_users(connection)
        ]

    found = read(options, look)
    if output == "json":
        screen.json(msgspec.json.encode(found))
        return
    columns = [Column("NAME", cut=True), Column("ENABLED"), Column("ROLES", cut=True), Column("ID")]
    rows = [
        (
            one["name"],
            "yes" if one["enabled"] else "no",
            ", ".join(f"{project}: {role}" for project, role in one["roles"].items()),
            one["id"],
        )
        for one in found
    ]
    screen.table(columns, rows)


@user_command.command("role")
@click.argument("user")
@click.argument("project")
@click.argument("role")
@with_store
def role(user: str, project: str, role: str, **options: Any) -> None:
    """Give USER this ROLE in PROJECT; none ends the membership."""

    def change(connection: Any, _context: Any) -> None:
        person, place = identity.the_user(connection, user), identity.the_project(connection, project)
        given = None if role == roles.NOBODY else roles.role_to_give(connection, role)
        people.set_role(connection, person.no, place.no, given)

    write(options, change)
    click.echo(f"User {user} is {'no member' if role == roles.NOBODY else role} of {project}.")


@user_command.command("password")
@click.argument("user")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input instead of asking.")
@with_store
def password(user: str, password_stdin: bool, **options: Any) -> None:
    """Set a new password for USER; all tokens issued before end."""
    new = (
        _read_password()
        if password_stdin
        else click.prompt("New password", hide_input=True, confirmation_prompt=True)
    )
    write(options, lambda connection, _context: identity.set_password(connection, user, new))
    click.echo(f"The password of {user} is changed.")


@user_command.command("login")
@click.argument("user")
@with_store
def login(user: str, **options: Any) -> None:
    """Print a link that lets USER in once, within ten minutes."""
    with store(options) as context:
        ticket = context.database.write_now(identity.new_login_link, context, user)
        address = endpoint_of(context.settings)
    click.echo(f"{address}/login?ticket={ticket}")


@user_command.command("disable")
@click.argument("user")
@with_store
def disable(user: str, **options: Any) -> None:
    """Cut USER off within seconds: tokens end, keys stop working. Notebooks stay."""
    _enable(user, options, enabled=False)


@user_command.command("enable")
@click.argument("user")
@with_store
def enable(user: str, **options: Any) -> None:
    """Let USER in again, with its keys; tokens must be made anew."""
    _enable(user, options, enabled=True)


def _enable(name: str, options: dict[str, Any], *, enabled: bool) -> None:
    def change(connection: Any, _context: Any) -> None:
        people.enable_user(connection, identity.the_user(connection, name).no, enabled)

    write(options, change)
    click.echo(f"User {name} is {'enabled' if enabled else 'disabled'}.")


@user_command.command("delete")
@click.argument("user")
@with_store
def delete(user: str, **options: Any) -> None:
    """Delete USER. It must never have had a notebook; otherwise disable it."""
    write(options, lambda connection, _context: identity.delete_user(connection, user))
    click.echo(f"User {user} is gone.")


def _read_password() -> str:
    given = sys.stdin.readline().rstrip("\n")
    if not given:
        raise click.UsageError("Standard input holds no password.")
    return given

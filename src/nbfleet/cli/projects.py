"""`nbfleet project`: add, list, disable, enable, delete."""

from typing import Any

import click
import msgspec

from nbfleet.cli import screen
from nbfleet.cli.admin import read, write
from nbfleet.cli.options import with_output, with_store
from nbfleet.cli.screen import Column
from nbfleet.services import identity
from nbfleet.store import identity as people


@click.group("project")
def project_command() -> None:
    """Projects: notebooks of one are unknown to another."""


@project_command.command("add")
@click.argument("name")
@with_store
def add(name: str, **options: Any) -> None:
    """Add a project called NAME."""
    project = write(options, lambda connection, context: identity.add_project(connection, context, name))
    click.echo(f"Project {project.name} has the id {project.id}.")


@project_command.command("list")
@with_output
@with_store
def show_all(output: str, **options: Any) -> None:
    """List the projects."""
    found = read(options, people.list_projects)
    if output == "json":
        rows = [{"id": one.id, "name": one.name, "enabled": one.enabled} for one in found]
        screen.json(msgspec.json.encode(rows))
    else:
        columns = [Column("NAME", cut=True), Column("ENABLED"), Column("ID")]
        screen.table(columns, [(one.name, "yes" if one.enabled else "no", one.id) for one in found])


@project_command.command("disable")
@click.argument("project")
@with_store
def disable(project: str, **options: Any) -> None:
    """Let nobody into PROJECT, named by name or id. What runs goes on."""
    _enable(project, options, enabled=False)


@project_command.command("enable")
@click.argument("project")
@with_store
def enable(project: str, **options: Any) -> None:
    """Let members into PROJECT again."""
    _enable(project, options, enabled=True)


def _enable(name: str, options: dict[str, Any], *, enabled: bool) -> None:
    def change(connection: Any, _context: Any) -> None:
        people.enable_project(connection, identity.the_project(connection, name).no, enabled)

    write(options, change)
    click.echo(f"Project {name} is {'enabled' if enabled else 'disabled'}.")


@project_command.command("delete")
@click.argument("project")
@with_store
def delete(project: str, **options: Any) -> None:
    """Delete PROJECT. It must never have had a notebook."""
    write(options, lambda connection, _context: identity.delete_project(connection, project))
    click.echo(f"Project {project} is gone.")

"""`nbfleet quota`: list, set, remove."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from nbfleet.cli import screen
from nbfleet.cli.admin import store, write
from nbfleet.cli.options import with_output, with_store
from nbfleet.cli.screen import Column
from nbfleet.domain import quotas as rules
from nbfleet.domain.quotas import EVERY_USER, THE_PROJECT, Holder, Quota, Resource, Subject
from nbfleet.services import identity, quotas
from nbfleet.services.identity import Refused
from nbfleet.store import workspaces
from nbfleet.store.identity import Project

F = TypeVar("F", bound=Callable[..., Any])
_RESOURCES = {one.value.removeprefix("notebook."): one for one in Resource}
_WORDS = {"count": "notebooks", "vcpu": "vCPUs", "memory": "MiB", "storage": "GB"}


@click.group("quota")
def quota_command() -> None:
    """Quotas: how much the notebooks of a user, a workspace or a project may be and have.

    count are notebooks and storage the GB of their work volumes, whether they run or not; vcpu and memory
    (MiB) are what those take that run, or are being started or stopped.
    """


def _with_holder(command: F) -> F:
    for option in (
        click.option("--everyone", is_flag=True, help="For each user who has none of its own."),
        click.option("--user", help="For one user, by name or id."),
        click.option("--workspace", help="For one workspace, by id."),
        click.option("--project", help="The project it is in, and for. [the first one]"),
    ):
        command = option(command)
    return command


@quota_command.command("set")
@click.argument("resource", type=click.Choice(list(_RESOURCES)))
@click.argument("value")
@_with_holder
@with_store
def set_one(resource: str, value: str, **options: Any) -> None:
    """Limit RESOURCE to VALUE, a number or none. What is there already goes on."""
    limit = _limit(value)
    holder = _holder(options)

    def change(connection: Any, context: Any) -> str:
        project, subject, whose = _subject(connection, context, holder)
        quota = Quota(subject, _RESOURCES[resource], limit, context.clock())
        quotas.set_quota(connection, project.no, quota)
        return whose

    whose = write(options, change)
    told = "no limit" if limit == rules.UNLIMITED else f"at most {limit} {_WORDS[resource]}"
    click.echo(f"From now on: {told} for {whose}.")


def _limit(value: str) -> int:
    if value == "none":
        return rules.UNLIMITED
    if value.isascii() and value.isdigit() and rules.is_value(int(value[:20])):
        return int(value)
    raise click.UsageError(f"VALUE is {value}; allowed: none, or 1 to {rules.MOST}.")


@quota_command.command("remove")
@click.argument("resource", type=click.Choice(list(_RESOURCES)))
@_with_holder
@with_store
def remove(resource: str, **options: Any) -> None:
    """Forget what was set of RESOURCE; for one user, what is set for everyone counts then."""
    holder = _holder(options)

    def change(connection: Any, context: Any) -> str:
        project, subject, whose = _subject(connection, context, holder)
        if not quotas.remove_quota(connection, project.no, subject, _RESOURCES[resource]):
            raise Refused(f"No quota of {resource} is set for {whose}.")
        return whose

    click.echo(f"The quota of {resource} is removed for {write(options, change)}.")


@quota_command.command("list")
@_with_holder
@with_output
@with_store
def show_all(output: str, **options: Any) -> None:
    """Show what is limited, and what is used of it."""
    holder = _holder(options)
    with store(options) as context:

        def look(connection: Any) -> list[dict[str, Any]]:
            project, subject, _ = _subject(connection, context, holder)
            found = quotas.standings(connection, context, project.no, subject)
            return [
                {"resource": one.quota.resource.value, "quota": one.quota.value, "used": one.used}
                for one in found
            ]

        found = context.database.read_now(look)
    if subject_is_everyone := holder["everyone"]:
        found = [one | {"used": None} for one in found]
    if output == "json":
        screen.json(msgspec.json.encode(found))
        return
    columns = [Column("RESOURCE"), Column("LIMIT"), Column("" if subject_is_everyone else "USED")]
    screen.table(columns, [_row(one) for one in found])


def _row(one: dict[str, Any]) -> tuple[str, str, str]:
    name = one["resource"].removeprefix("notebook.")
    limited = one["quota"] != rules.UNLIMITED
    used = "" if one["used"] is None else f"{one['used']:g}"
    return name, f"{one['quota']} {_WORDS[name]}" if limited else "none", used


def _holder(options: dict[str, Any]) -> dict[str, Any]:
    """Takes out of the options whom a quota is for."""
    holder = {name: options.pop(name) for name in ("everyone", "user", "workspace", "project")}
    if sum(map(bool, (holder["everyone"], holder["user"], holder["workspace"]))) > 1:
        raise click.UsageError("--everyone, --user and --workspace exclude each other.")
    return holder


def _subject(connection: Any, context: Any, holder: dict[str, Any]) -> tuple[Project, Subject, str]:
    """The project, whose quota it is, and that in words."""
    project = identity.the_project(connection, holder["project"] or context.settings.project)
    if holder["everyone"]:
        return project, EVERY_USER, "each user"
    if holder["user"]:
        user = identity.the_user(connection, holder["user"])
        return project, Subject(Holder.USER, user.no), f"the user {user.name}"
    if holder["workspace"]:
        place = workspaces.find(connection, project.no, holder["workspace"], 0)
        if place is None:
            raise Refused(f"There is no workspace {holder['workspace']}.")
        return project, Subject(Holder.WORKSPACE, place.no), f"the workspace {place.name}"
    return project, THE_PROJECT, f"the project {project.name}"

"""`nbfleet workspace`: add, list, show, set, grant, revoke, users, delete."""

import re
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call
from nbfleet.cli.failures import NOT_FOUND, Failed
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_ID = re.compile(r"0|[0-9a-z]{32}")
_KINDS = click.Choice(["PUBLIC", "PRIVATE", "INTERNAL"], case_sensitive=False)
_KIND_HELP = "Open to all of the project, to who made it, or to those who are granted as well."


@click.group("workspace")
def workspace_command() -> None:
    """Workspaces: what notebooks are grouped by, and who may get at them."""


@workspace_command.command("add")
@click.argument("name")
@click.option("--open-to", "kind", type=_KINDS, default="PUBLIC", show_default=True, help=_KIND_HELP)
@click.option("--grant", "users", multiple=True, help="A user it is open to, with INTERNAL; may be repeated.")
@click.option("--description", default="")
@with_credentials
def add(name: str, kind: str, users: tuple[str, ...], description: str, **options: Any) -> None:
    """Add a workspace called NAME."""

    async def run(client: Any) -> None:
        from nbfleet.wire.enums import WorkspaceAuthType  # noqa: PLC0415
        from nbfleet.wire.workspaces import CreateWorkspaceReq, WorkspaceGrant  # noqa: PLC0415

        body = CreateWorkspaceReq(
            name=name,
            description=description,
            auth_type=WorkspaceAuthType(kind.upper()),
            grants=[WorkspaceGrant(user_name=one) for one in users],
        )
        made = await client.call("CreateWorkspace", body=body)
        click.echo(f"Workspace {made.name} has the id {made.id}.")

    call(options, run)


@workspace_command.command("list")
@click.option("--usable", is_flag=True, help="Only those that one may use.")
@click.option("--name", help="A part of the name.")
@click.option("--limit", type=int, default=1000, show_default=True)
@click.option("--offset", type=int, default=0)
@with_output
@with_credentials
def show_all(usable: bool, name: str | None, limit: int, offset: int, output: str, **options: Any) -> None:
    """List the workspaces of the project, by name."""
    query = {"filter_accessible": usable, "name": name, "order": "asc", "limit": limit, "offset": offset}

    async def run(client: Any) -> None:
        raw = await client.call_raw("ListWorkspace", query=query)
        if output == "json":
            screen.json(raw)
        else:
            _show_list(raw)

    call(options, run)


def _show_list(raw: bytes) -> None:
    import msgspec  # noqa: PLC0415

    from nbfleet.wire.workspaces import ListWorkspaceResponse  # noqa: PLC0415

    page = msgspec.json.decode(raw, type=ListWorkspaceResponse)
    columns = [Column("NAME", cut=True), Column("OPEN TO"), Column("OWNER", cut=True), Column("ID")]
    rows = [
        (screen.plain(one.name), str(one.auth_type), screen.plain(str(one.owner)), one.id)
        for one in page.workspaces
    ]
    screen.table(columns, rows)
    click.echo(f"{page.count} of {page.total_count}")


@workspace_command.command("show")
@click.argument("workspace")
@with_output
@with_credentials
def show(workspace: str, output: str, **options: Any) -> None:
    """Show WORKSPACE, named by id or name, with its quotas."""

    async def run(client: Any) -> None:
        place = {"workspace_id": await _find(client, workspace)}
        if output == "json":
            screen.json(await client.call_raw("ShowWorkspace", path=place))
            return
        one = await client.call("ShowWorkspace", path=place)
        quotas = (await client.call("ShowWorkspaceQuotas", path=place)).quotas
        rows = [
            ("name", one.name), ("id", one.id), ("open to", str(one.auth_type)), ("owner", str(one.owner)),
            ("description", str(one.description)),
            ("granted", ", ".join(str(grant.user_name) for grant in one.grants)),
        ]  # fmt: skip
        limited = [quota for quota in quotas if quota.quota >= 0]
        rows += [
            (quota.resource, f"{quota.used_quota} of {quota.quota} {quota.unit_en}") for quota in limited
        ]
        screen.pairs([(name, value.strip()) for name, value in rows if value])

    call(options, run)


@workspace_command.command("set")
@click.argument("workspace")
@click.option("--name", help="Its new name.")
@click.option("--open-to", "kind", type=_KINDS, help=_KIND_HELP)
@click.option("--description")
@with_credentials
def change(
    workspace: str, name: str | None, kind: str | None, description: str | None, **options: Any
) -> None:
    """Change WORKSPACE. Whoever it is no longer open to loses sight of what is in it."""
    if name is None and kind is None and description is None:
        raise click.UsageError("Nothing to change: give --name, --open-to or --description.")

    async def run(client: Any) -> None:
        from nbfleet.wire.enums import WorkspaceAuthType  # noqa: PLC0415

        await _update(
            client,
            await _find(client, workspace),
            name=UNSET if name is None else name,
            auth_type=UNSET if kind is None else WorkspaceAuthType(kind.upper()),
            description=UNSET if description is None else description,
        )
        click.echo(f"{workspace} is changed.")

    call(options, run)


@workspace_command.command("grant")
@click.argument("workspace")
@click.argument("users", nargs=-1, required=True)
@with_credentials
def grant(workspace: str, users: tuple[str, ...], **options: Any) -> None:
    """Open WORKSPACE, an INTERNAL one, to USERS as well."""
    _regrant(workspace, set(users), set(), options)
    click.echo(f"{workspace} is open to {', '.join(users)}.")


@workspace_command.command("revoke")
@click.argument("workspace")
@click.argument("users", nargs=-1, required=True)
@with_credentials
def revoke(workspace: str, users: tuple[str, ...], **options: Any) -> None:
    """Close WORKSPACE to USERS. Their notebooks in it stay, out of their sight."""
    _regrant(workspace, set(), set(users), options)
    click.echo(f"{workspace} is not open to {', '.join(users)}.")


def _regrant(workspace: str, more: set[str], fewer: set[str], options: dict[str, Any]) -> None:
    async def run(client: Any) -> None:
        from nbfleet.wire.workspaces import WorkspaceGrant  # noqa: PLC0415

        found = await _find(client, workspace)
        one = await client.call("ShowWorkspace", path={"workspace_id": found})
        if str(one.auth_type).upper() != "INTERNAL":
            hint = f"`nbfleet workspace set {workspace} --open-to INTERNAL` makes it depend on them."
            raise Failed(f"Grants do not count where a workspace is {one.auth_type}.", hint)
        names = {str(grant.user_name) for grant in one.grants} - fewer | more
        await _update(client, found, grants=[WorkspaceGrant(user_name=name) for name in sorted(names)])

    call(options, run)


@workspace_command.command("users")
@with_credentials
def users(**options: Any) -> None:
    """List those whom a workspace can be opened to."""

    async def run(client: Any) -> None:
        for one in (await client.call("ListUsers")).users:
            click.echo(screen.harmless(str(one.user_name)))

    call(options, run)


@workspace_command.command("delete")
@click.argument("workspace")
@with_credentials
def delete(workspace: str, **options: Any) -> None:
    """Delete WORKSPACE, which must have no notebooks."""

    async def run(client: Any) -> None:
        await client.call("DeleteWorkspace", path={"workspace_id": await _find(client, workspace)})
        click.echo(f"{workspace} is gone.")

    call(options, run)


async def _update(client: Any, workspace_id: str, **fields: Any) -> None:
    from nbfleet.wire.workspaces import UpdateWorkspaceReq  # noqa: PLC0415

    body = UpdateWorkspaceReq(**fields)
    await client.call("UpdateWorkspace", path={"workspace_id": workspace_id}, body=body)


async def _find(client: Any, workspace: str) -> str:
    """The id of the workspace that has this id, or this name and no other one has it."""
    if _ID.fullmatch(workspace):
        return workspace
    found = (await client.call("ListWorkspace", query={"name": workspace})).workspaces
    exact = [one.id for one in found if one.name == workspace]
    if len(exact) == 1:
        return exact[0]
    if not exact:
        hint = "`nbfleet workspace list` shows them."
        raise Failed(f"There is no workspace called {workspace}.", hint, NOT_FOUND)
    raise Failed(
        f"{len(exact)} workspaces are called {workspace}.", f"Name one by its id: {', '.join(exact)}."
    )

"""`nbfleet image`: list, show, register, sync, delete, and `nbfleet image group`."""

import asyncio
import sys
import time
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call, is_id
from nbfleet.cli.failures import FAILED, NOT_FOUND, Failed
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_PAUSE = 0.2
_PAGE = 200
_SHOWN = 5
_SETTLED = ("ACTIVE", "CREATE_FAILED", "ERROR", "DELETED")
_KINDS = ("BUILD_IN", "DEDICATED")
_KB = 1024
_wait = click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it was tried.")
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
_force = click.option("--force", is_flag=True, help="Remove its content from the image directory as well.")


@click.group("image")
def image_command() -> None:
    """Images: what notebooks are made from. IMAGE is an id, NAME:TAG, NAMESPACE/NAME:TAG or a whole path."""


@image_command.command("list")
@click.option("--type", "kind", type=click.Choice(_KINDS, case_sensitive=False), help="[both kinds]")
@click.option("--name", help="Part of the name.")
@click.option("--namespace", help="Organisation.")
@click.option("--sort", "sort_key", help="Fields to sort by, for example name,tag.")
@click.option("--asc", is_flag=True, help="Smallest first.")
@with_output
@with_credentials
def list_command(kind: str | None, asc: bool, output: str, **options: Any) -> None:
    """List images, the newest first."""
    query = {name: options.pop(name) for name in ("name", "namespace", "sort_key")}
    query |= {"sort_dir": "ASC" if asc else "DESC", "workspace_id": "*"}

    async def run(client: Any) -> None:
        found = [
            one for each in ([kind] if kind else _KINDS) for one in await _all(client, type=each, **query)
        ]
        if output == "json":
            _print_json(found)
        else:
            _show_list(found)

    call(options, run)


def _show_list(found: list[Any]) -> None:
    columns = [
        Column("IMAGE", cut=True),
        Column("STATUS"),
        Column("TYPE", from_width=100),
        Column("SIZE", from_width=100),
        Column("AGE"),
        Column("ID"),
    ]
    rows = [
        (
            screen.plain(_title(one)),
            screen.coloured(one.status),
            one.type,
            _size(one),
            screen.age(one.create_at),
            one.id,
        )
        for one in found
    ]
    screen.table(columns, rows)
    click.echo(f"{len(found)} images")


@image_command.command("show")
@click.argument("image")
@with_output
@with_credentials
def show_command(image: str, output: str, **options: Any) -> None:
    """Show IMAGE."""

    async def run(client: Any) -> None:
        _show(await client.call("ShowImage", path={"id": (await _find(client, image)).id}), output)

    call(options, run)


@image_command.command("register")
@click.argument("path")
@click.option("--description", help="[that of its manifest]")
@click.option("--public", is_flag=True, help="Anybody who knows its id may use it.")
@click.option("--tag", "tags", multiple=True, help="Tag of its group; may be given several times.")
@_wait
@with_output
@with_credentials
def register_command(
    path: str, description: str | None, public: bool, tags: tuple[str, ...], no_wait: bool, output: str,
    **options: Any,
) -> None:  # fmt: skip
    """Register the image at PATH, localhost/NAMESPACE/NAME:TAG, and wait until it was tried."""

    async def run(client: Any) -> None:
        from nbfleet.wire.enums import ImageVisibility  # noqa: PLC0415
        from nbfleet.wire.images import ImageRegRequest  # noqa: PLC0415

        body = ImageRegRequest(
            swr_path=path,
            description=UNSET if description is None else description,
            visibility=ImageVisibility.PUBLIC if public else ImageVisibility.PRIVATE,
            tags=list(tags) or UNSET,
        )
        await _finish(client, await client.call("RegisterImage", body=body), output, wait=not no_wait)

    call(options, run)


@image_command.command("sync")
@click.argument("image")
@_wait
@with_output
@with_credentials
def sync_command(image: str, no_wait: bool, output: str, **options: Any) -> None:
    """Compare IMAGE with its manifest and have it tried anew; one that is ACTIVE stays so meanwhile."""

    async def run(client: Any) -> None:
        found = await _find(client, image)
        synced = await client.call("SyncImage", path={"image_id": found.id})
        await _finish(client, synced, output, wait=not no_wait)

    call(options, run)


@image_command.command("delete")
@click.argument("image")
@_force
@_yes
@with_credentials
def delete_command(image: str, force: bool, yes: bool, **options: Any) -> None:
    """Delete IMAGE; notebooks must not have it any more."""

    async def run(client: Any) -> None:
        found = await _find(client, image)
        if not yes:
            what = " and its content" if force else ""
            click.confirm(f"Delete {_title(found)}{what}?", abort=True)
        await client.call("DeleteImage", path={"id": found.id}, query={"force": force})
        click.echo(f"{_title(found)} is deleted.")

    call(options, run)


@image_command.group("group")
def group_command() -> None:
    """All images of a name. GROUP is an id, NAME or NAMESPACE/NAME."""


@group_command.command("list")
@with_output
@with_credentials
def list_groups_command(output: str, **options: Any) -> None:
    """List groups of images."""

    async def run(client: Any) -> None:
        found = await _groups(client)
        if output == "json":
            _print_json(found)
            return
        columns = [Column("GROUP", cut=True), Column("IMAGES"), Column("AGE"), Column("ID")]
        rows = [
            (screen.plain(_group_title(one)), str(one.version_count), screen.age(one.create_at), one.id)
            for one in found
        ]
        screen.table(columns, rows)

    call(options, run)


@group_command.command("update")
@click.argument("group")
@click.option("--read-me", help="Guide text.")
@click.option("--tag", "tags", multiple=True, metavar="KEY[=VALUE]", help="In place of all tags there are.")
@with_credentials
def update_group_command(group: str, read_me: str | None, tags: tuple[str, ...], **options: Any) -> None:
    """Set guide text and tags of all images of GROUP."""
    if read_me is None and not tags:
        raise click.UsageError("Give --read-me or --tag.")

    async def run(client: Any) -> None:
        from nbfleet.wire import image_groups  # noqa: PLC0415

        pairs = (tag.partition("=") for tag in tags)
        given = [
            image_groups.UpdateImageGroupRequestBodyTags(key=key, value=value if sign else UNSET)
            for key, sign, value in pairs
        ]
        body = image_groups.UpdateImageGroupRequestBody(
            read_me=UNSET if read_me is None else read_me, tags=given or UNSET
        )
        found = await _find_group(client, group)
        await client.call("UpdateImageGroup", path={"id": found.id}, body=body)
        click.echo(f"{_group_title(found)} is changed.")

    call(options, run)


@group_command.command("delete")
@click.argument("group")
@_force
@_yes
@with_credentials
def delete_group_command(group: str, force: bool, yes: bool, **options: Any) -> None:
    """Delete all images of GROUP, or none if notebooks have any of them."""

    async def run(client: Any) -> None:
        from nbfleet.wire.image_groups import DeleteImageGroupRequestBody  # noqa: PLC0415

        found = await _find_group(client, group)
        if not yes:
            click.confirm(f"Delete the {found.version_count} images of {_group_title(found)}?", abort=True)
        body = DeleteImageGroupRequestBody(is_force=force)
        await client.call("DeleteImageGroup", path={"id": found.id}, body=body)
        click.echo(f"{_group_title(found)} is deleted.")

    call(options, run)


# Finding.


async def find_image(client: Any, image: str) -> str:
    """The id of an image, however a person calls it."""
    return (await _find(client, image)).id


async def _find(client: Any, image: str) -> Any:
    found = [one for kind in _KINDS for one in await _all(client, type=kind, workspace_id="*")]
    matching = [one for one in found if image in _names(one)]
    if not matching and is_id(image):
        return await client.call("ShowImage", path={"id": image})  # A public one of somebody else.
    return _only(matching, "image", image, "`nbfleet image list` shows them.")


def _names(one: Any) -> tuple[str, ...]:
    return one.id, f"{one.name}:{one.tag}", f"{one.namespace}/{one.name}:{one.tag}", one.swr_path


async def _find_group(client: Any, group: str) -> Any:
    found = await _groups(client)
    matching = [one for one in found if group in (one.id, one.name, _group_title(one))]
    return _only(matching, "image group", group, "`nbfleet image group list` shows them.")


def _only(matching: list[Any], what: str, given: str, hint: str) -> Any:
    if len(matching) == 1:
        return matching[0]
    if not matching:
        raise Failed(f"There is no {what} {given}.", hint, NOT_FOUND)
    some = ", ".join(one.id for one in matching[:_SHOWN])
    raise Failed(f"{len(matching)} are called {given}.", f"Name one by its id: {some}.", FAILED)


async def _all(client: Any, **query: Any) -> list[Any]:
    found: list[Any] = []
    total = 1
    while len(found) < total:
        page = await client.call("ListImage", query=query | {"limit": _PAGE, "offset": len(found)})
        if not page.data:
            break
        found.extend(page.data)
        total = page.total
    return found


async def _groups(client: Any) -> list[Any]:
    found: list[Any] = []
    total = 1
    while len(found) < total:
        query = {"workspace_id": "*", "limit": _PAGE, "offset": len(found)}
        page = await client.call("ListImageGroup", query=query)
        if not page.data:
            break
        found.extend(page.data)
        total = page.total
    return found


# Showing.


async def _finish(client: Any, now: Any, output: str, *, wait: bool) -> None:
    if wait:
        now = await _follow(client, now, quiet=output == "json")
    if now.status in ("CREATE_FAILED", "ERROR"):
        raise Failed(f"{_title(now)} is {now.status}: {screen.harmless(str(now.status_message))}")
    _show(now, output)


async def _follow(client: Any, now: Any, *, quiet: bool) -> Any:
    """The image once it was tried; says what it is meanwhile, on one line where that is a terminal's."""
    begun, said, live = time.monotonic(), "", sys.stdout.isatty() and not quiet
    while now.status not in _SETTLED:
        if live:
            click.echo(f"\r{_title(now)}  {now.status}  {time.monotonic() - begun:.1f} s", nl=False)
        elif not quiet and now.status != said:
            said = now.status
            click.echo(said)
        await asyncio.sleep(_PAUSE)
        now = await client.call("ShowImage", path={"id": now.id})
    if live:
        click.echo("\r\x1b[K", nl=False)
    return now


def _show(one: Any, output: str) -> None:
    if output == "json":
        _print_json(one)
        return
    rows = [
        ("image", _title(one)),
        ("id", one.id),
        ("status", click.style(one.status, fg=screen.colour(one.status))),
        ("type", f"{one.type}, {one.visibility}"),
        ("path", one.swr_path),
        ("runs on", f"{one.arch}, {', '.join(one.resource_categories)}"),
        ("services", ", ".join(one.dev_services)),
        ("created", f"{screen.age(one.create_at)} ago"),
    ]
    tags = "" if one.tags is UNSET else ", ".join(tag.key for tag in one.tags)
    for name, value in (
        ("size", _size(one)), ("description", one.description), ("tags", tags),
        ("message", one.status_message),
    ):  # fmt: skip
        if value is not UNSET and value:
            rows.append((name, value))
    screen.pairs(rows)


def _print_json(what: Any) -> None:
    import msgspec  # noqa: PLC0415

    screen.json(msgspec.json.encode(what))


def _title(one: Any) -> str:
    return f"{one.namespace}/{one.name}:{one.tag}"


def _group_title(one: Any) -> str:
    return f"{one.namespace}/{one.name}"


def _size(one: Any) -> str:
    return "" if one.size is UNSET else f"{one.size / _KB:.0f} MB"

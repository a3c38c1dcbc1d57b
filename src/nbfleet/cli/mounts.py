"""`nbfleet mount`: list, add, remove."""

import asyncio
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call, find
from nbfleet.cli.completion import NOTEBOOK
from nbfleet.cli.failures import NOT_FOUND, Failed
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_PAUSE = 0.2  # Seconds between looks.


@click.group("mount")
def mount_command() -> None:
    """Storage that is mounted into a notebook while it runs."""


@mount_command.command("list")
@click.argument("notebook", type=NOTEBOOK)
@with_output
@with_credentials
def show_all(notebook: str, output: str, **options: Any) -> None:
    """List what is mounted into NOTEBOOK."""

    async def run(client: Any) -> None:
        place = {"instance_id": await find(client, notebook)}
        if output == "json":
            screen.json(await client.call_raw("ListDynamicStorages", path=place))
        else:
            _show((await client.call("ListDynamicStorages", path=place)).data)

    call(options, run)


@mount_command.command("add")
@click.argument("notebook", type=NOTEBOOK)
@click.argument("uri")
@click.argument("path", required=False)
@click.option("--efs-id", default=None, help="Id of the file system of a share. [made of its name]")
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it is mounted.")
@with_output
@with_credentials
def add(
    notebook: str, uri: str, path: str | None, efs_id: str | None, no_wait: bool, output: str, **options: Any
) -> None:
    """Mount URI into NOTEBOOK: SHARE:/PATH or obs://BUCKET/PATH/. It is seen at PATH, a directory below
    /data/; by default one that is called like the last part of URI."""

    async def run(client: Any) -> None:
        notebook_id = await find(client, notebook)
        body = _request(uri, path or _default_path(uri), efs_id)
        made = await client.call("AttachDynamicStorage", path={"instance_id": notebook_id}, body=body)
        if not no_wait:
            made = await _until_settled(client, notebook_id, made, "MOUNTING")
        await _finish(client, notebook_id, made, output, failed="MOUNT_FAILED")

    call(options, run)


def _request(uri: str, path: str, efs_id: str | None) -> Any:
    from nbfleet.settings import made_share_id  # noqa: PLC0415
    from nbfleet.wire.enums import DynamicStorageCategory  # noqa: PLC0415
    from nbfleet.wire.volumes import DataVolumesReq  # noqa: PLC0415

    if uri.startswith("obs://"):
        given = UNSET if efs_id is None else efs_id
        return DataVolumesReq(category=DynamicStorageCategory.OBS, mount_path=path, uri=uri, efs_id=given)
    share = efs_id or made_share_id(uri.partition(":")[0])
    return DataVolumesReq(category=DynamicStorageCategory.EFS, mount_path=path, uri=uri, efs_id=share)


def _default_path(uri: str) -> str:
    parts = [part for part in uri.replace(":", "/").split("/") if part]
    return f"/data/{parts[-1] if parts else ''}/"


@mount_command.command("remove")
@click.argument("notebook", type=NOTEBOOK)
@click.argument("mount")
@click.option("--no-wait", is_flag=True, help="Return at once instead of waiting until it is unmounted.")
@with_output
@with_credentials
def remove(notebook: str, mount: str, no_wait: bool, output: str, **options: Any) -> None:
    """Unmount MOUNT, named by its id or its path, from NOTEBOOK. What is stored there stays."""

    async def run(client: Any) -> None:
        notebook_id = await find(client, notebook)
        place = {"instance_id": notebook_id, "storage_id": await _find(client, notebook_id, mount)}
        leaving = await client.call("DetachDynamicStorage", path=place)
        if not no_wait:
            leaving = await _until_settled(client, notebook_id, leaving, "UNMOUNTING")
        await _finish(client, notebook_id, leaving, output, failed="UNMOUNT_FAILED")

    call(options, run)


async def _find(client: Any, notebook_id: str, mount: str) -> str:
    """The id of the mount on this path; whatever is no path is taken for an id."""
    if not mount.startswith("/"):
        return mount
    found = await client.call("ListDynamicStorages", path={"instance_id": notebook_id})
    for one in found.data:
        if one.mount_path.rstrip("/") == mount.rstrip("/"):
            return str(one.id)
    raise Failed(f"Nothing is mounted on {mount}.", "`nbfleet mount list` shows what is.", NOT_FOUND)


async def _until_settled(client: Any, notebook_id: str, mount: Any, in_motion: str) -> Any:
    place = {"instance_id": notebook_id, "storage_id": mount.id}
    while mount.status == in_motion:
        await asyncio.sleep(_PAUSE)
        mount = await client.call("ShowDynamicStorage", path=place)
    return mount


async def _finish(client: Any, notebook_id: str, mount: Any, output: str, *, failed: str) -> None:
    if mount.status == failed:
        raise Failed(f"{mount.mount_path} is {failed}: {screen.harmless(str(mount.failure_reason))}.")
    if output == "json":
        place = {"instance_id": notebook_id, "storage_id": mount.id}
        screen.json(await client.call_raw("ShowDynamicStorage", path=place))
    else:
        _show([mount])


def _show(mounts: list[Any]) -> None:
    columns = [Column("PATH", cut=True), Column("SOURCE", cut=True), Column("STATUS"), Column("ID")]
    rows = [
        (screen.plain(one.mount_path), screen.plain(str(one.uri)), screen.coloured(one.status), one.id)
        for one in mounts
    ]
    screen.table(columns, rows)

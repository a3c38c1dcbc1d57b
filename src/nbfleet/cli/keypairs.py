"""`nbfleet keypair`: add, list, show, delete."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from msgspec import UNSET

from nbfleet.cli import screen
from nbfleet.cli.calls import call
from nbfleet.cli.failures import Failed
from nbfleet.cli.options import with_credentials, with_output
from nbfleet.cli.screen import Column

_PAGE = 100


@click.group("keypair")
def keypair_command() -> None:
    """One's own SSH key pairs."""


@keypair_command.command("add")
@click.argument("name")
@click.option("--public-key", type=click.Path(exists=True, dir_okay=False), help="Import this public key.")
@click.option("--write", "file", type=click.Path(dir_okay=False), help="Private key file. [NAME.pem]")
@click.option("--print", "to_screen", is_flag=True, help="Print the private key instead of writing it.")
@with_credentials
def add(name: str, public_key: str | None, file: str | None, to_screen: bool, **options: Any) -> None:
    """Make a key pair called NAME. Its private key is written to a file, and kept nowhere else."""
    if public_key is not None and (file is not None or to_screen):
        raise click.UsageError("An imported public key comes without a private one to write or print.")
    if file is not None and to_screen:
        raise click.UsageError("--write and --print exclude each other.")

    text = None if public_key is None else Path(public_key).read_text(encoding="utf-8", errors="replace")

    async def run(client: Any) -> None:
        if text is not None:
            await _create(client, name, text)
            click.echo(f"The public key of {public_key} is known as {name}.")
        elif to_screen:
            click.echo((await _create(client, name, None)).private_key, nl=False)
        else:
            await _write(client, name, Path(file or f"{name}.pem"))

    call(options, run)


async def _create(client: Any, name: str, public_key: str | None) -> Any:
    from nbfleet.wire.keypairs import CreateKeypairAction, CreateKeypairRequestBody  # noqa: PLC0415

    wanted = CreateKeypairAction(name=name, public_key=UNSET if public_key is None else public_key)
    body = CreateKeypairRequestBody(keypair=wanted)
    return (await client.call("CreateKeypair", body=body)).keypair


async def _write(client: Any, name: str, path: Path) -> None:
    """The file is there before the key is made: one that could not be written would be lost."""
    with _new(path) as descriptor:
        made = await _create(client, name, None)
        with os.fdopen(os.dup(descriptor), "w", encoding="ascii") as out:
            out.write(made.private_key)
            out.flush()
            os.fsync(out.fileno())
    click.echo(f"The private key of {name} is in {path}. The service does not keep it.")


@contextmanager
def _new(path: Path) -> Generator[int, None, None]:
    """A new file for its owner alone, which goes again where the rest fails."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        raise Failed(f"Cannot write {path}: {fault.strerror}.", "--write names another file.") from fault
    try:
        yield descriptor
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


@keypair_command.command("list")
@click.option("--limit", type=int, default=_PAGE, show_default=True)
@click.option("--marker", default="", help="The name behind which to go on.")
@with_output
@with_credentials
def show_all(limit: int, marker: str, output: str, **options: Any) -> None:
    """List the key pairs, by name."""

    async def run(client: Any) -> None:
        raw = await client.call_raw("ListKeypairs", query={"limit": limit, "marker": marker})
        if output == "json":
            screen.json(raw)
        else:
            _show_list(raw)

    call(options, run)


def _show_list(raw: bytes) -> None:
    import msgspec  # noqa: PLC0415

    from nbfleet.wire.keypairs import ListKeypairsResponse  # noqa: PLC0415

    page = msgspec.json.decode(raw, type=ListKeypairsResponse)
    found = [entry.keypair for entry in page.keypairs]
    columns = [Column("NAME", cut=True), Column("TYPE"), Column("FINGERPRINT")]
    screen.table(columns, [(one.name, one.public_key.split(" ")[0], one.fingerprint) for one in found])
    if page.page_info.next_marker is not UNSET:
        click.echo(f"Go on with --marker {page.page_info.next_marker}")


@keypair_command.command("show")
@click.argument("name")
@with_output
@with_credentials
def show(name: str, output: str, **options: Any) -> None:
    """Show the key pair NAME."""

    async def run(client: Any) -> None:
        if output == "json":
            screen.json(await client.call_raw("ListKeypairDetail", path={"keypair_name": name}))
            return
        one = (await client.call("ListKeypairDetail", path={"keypair_name": name})).keypair
        screen.pairs(
            [
                ("name", one.name),
                ("fingerprint", one.fingerprint),
                ("public key", one.public_key),
                ("created", f"{screen.age(one.create_time)} ago"),
                ("description", one.description),
            ]
        )

    call(options, run)


@keypair_command.command("delete")
@click.argument("name")
@with_credentials
def delete(name: str, **options: Any) -> None:
    """Delete the key pair NAME."""

    async def run(client: Any) -> None:
        await client.call("DeleteKeypair", path={"keypair_name": name})
        click.echo(f"{name} is gone.")

    call(options, run)

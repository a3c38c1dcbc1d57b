"""`nbfleet key`: add, list, disable, enable, delete, exchange-file."""

import os
from pathlib import Path
from typing import Any

import click
import msgspec

from nbfleet.cli import screen
from nbfleet.cli.admin import read, store, write
from nbfleet.cli.failures import Failed
from nbfleet.cli.options import StoredCredentials, with_output, with_store
from nbfleet.cli.options import settings as given
from nbfleet.cli.screen import Column
from nbfleet.credentials import endpoint_of
from nbfleet.services import identity
from nbfleet.store import identity as people


@click.group("key")
def key_command() -> None:
    """Access keys, with which programs sign their requests."""


@key_command.command("add")
@click.argument("user")
@click.option("--project", help="Project the credentials file names. [the first one]")
@click.option("--write", "file", type=click.Path(dir_okay=False), help="Write a credentials file.")
@with_output
@with_store
def add(user: str, project: str | None, file: str | None, output: str, **options: Any) -> None:
    """Add a key for USER. Its secret is shown only now, or only in the file."""
    with store(options) as context:
        settings = context.settings

        def change(connection: Any, _context: Any) -> tuple[identity.NewKey, str]:
            place = identity.the_project(connection, project or settings.project)
            return identity.add_key(connection, context, identity.the_user(connection, user)), place.id

        key, project_id = context.database.write_now(change, context)
    made = StoredCredentials(
        endpoint=endpoint_of(settings), project_id=project_id,
        access_key=key.access_key, secret_key=key.secret_key,
    )  # fmt: skip
    if file is not None:
        _write(Path(file), made)
        click.echo(f"Key {key.access_key} of {user} is in {file}.")
    elif output == "json":
        screen.json(msgspec.json.encode(made))
    else:
        screen.pairs([("access key", key.access_key), ("secret key", f"{key.secret_key}  (shown only now)")])


def _write(path: Path, made: StoredCredentials) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        raise Failed(
            f"Cannot write {path}: {fault.strerror}.", "The key exists; delete it if it is lost."
        ) from fault
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")


@key_command.command("list")
@with_output
@with_store
def show_all(output: str, **options: Any) -> None:
    """List the keys; secrets are not shown."""
    found = read(options, people.list_keys)
    if output == "json":
        rows = [{"access_key": one.id, "user": one.user_name, "enabled": one.enabled} for one in found]
        screen.json(msgspec.json.encode(rows))
    else:
        columns = [Column("ACCESS KEY"), Column("USER", cut=True), Column("ENABLED")]
        screen.table(columns, [(one.id, one.user_name, "yes" if one.enabled else "no") for one in found])


@key_command.command("disable")
@click.argument("key")
@with_store
def disable(key: str, **options: Any) -> None:
    """Refuse what is signed with KEY, within seconds."""
    write(options, lambda c, _: people.enable_key(c, identity.the_key(c, key).id, False))
    click.echo(f"Key {key} is disabled.")


@key_command.command("enable")
@click.argument("key")
@with_store
def enable(key: str, **options: Any) -> None:
    """Take what is signed with KEY again."""
    write(options, lambda c, _: people.enable_key(c, identity.the_key(c, key).id, True))
    click.echo(f"Key {key} is enabled.")


@key_command.command("delete")
@click.argument("key")
@with_store
def delete(key: str, **options: Any) -> None:
    """Forget KEY."""
    write(options, lambda c, _: people.delete_key(c, identity.the_key(c, key).id))
    click.echo(f"Key {key} is gone.")


@key_command.command("exchange-file")
@with_store
def exchange_file(**options: Any) -> None:
    """Replace the key file, and seal the secrets of all access keys anew.

    The service and a separate gateway must be stopped, and so must every notebook. Access keys, tokens and
    passwords stay as they are; markers of walks become useless. Keep the new file safe in place of the old
    one: a backup of the database needs the key file of its day.
    """
    from nbfleet.server import exchange_key  # noqa: PLC0415
    from nbfleet.telemetry import configure_logs  # noqa: PLC0415

    configure_logs("warning", "text")
    config = options.pop("config")
    sealed = exchange_key(given(config, **options))
    click.echo(f"The key file is replaced, and {sealed} access keys are sealed with the new one.")

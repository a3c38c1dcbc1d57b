"""Options that several commands share, and where credentials and settings come from."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from nbfleet.cli.failures import UNAUTHORISED, Failed
from nbfleet.credentials import CREDENTIALS
from nbfleet.settings import Settings, default_data_dir, load

F = TypeVar("F", bound=Callable[..., Any])
HOUR = 3_600_000  # Milliseconds.
_OFF = -1


class StoredCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a credentials.json must hold for calls to the service."""

    endpoint: str
    project_id: str
    access_key: str
    secret_key: str


def with_credentials(command: F) -> F:
    for option in (
        click.option("--credentials", type=click.Path(dir_okay=False), envvar="NBFLEET_CREDENTIALS",
                     help="Credentials file. By default that of the data directory."),
        click.option("--data-dir", type=click.Path(file_okay=False), envvar="NBFLEET_DATA_DIR",
                     help="Data directory whose credentials.json is used."),
        click.option("--endpoint", envvar="NBFLEET_ENDPOINT",
                     help="Address of the service, if not that of the file."),
        click.option("--ca-file", type=click.Path(dir_okay=False), envvar="NBFLEET_CA_FILE",
                     help="Certificate authority to trust besides the system's."),
    ):  # fmt: skip
        command = option(command)
    return command


def with_output(command: F) -> F:
    choice = click.Choice(["table", "json"])
    return click.option("--output", "-o", type=choice, default="table", help="For people, or for programs.")(
        command
    )


def with_auto_stop(command: F) -> F:
    command = click.option("--no-auto-stop", is_flag=True, help="Let it run until it is stopped.")(command)
    return click.option("--hours", type=float, help="Stop it after so many hours.")(command)


def period_of(hours: float | None, no_auto_stop: bool) -> int | None:
    """In milliseconds, as the API has it; None where neither option was given."""
    if no_auto_stop and hours is not None:
        raise click.UsageError("--hours and --no-auto-stop exclude each other.")
    if no_auto_stop:
        return _OFF
    return None if hours is None else round(hours * HOUR)


def with_store(command: F) -> F:
    """For commands that work on the store of this machine, beside a running service or without one."""
    for option in (
        click.option("--data-dir", type=click.Path(file_okay=False), help="Data directory of the service."),
        click.option("--database-url", help="Database, if not SQLite in the data directory. A password "
                     "belongs into NBFLEET_DATABASE_URL or the configuration file: arguments are public."),
        click.option("--config", type=click.Path(dir_okay=False), envvar="NBFLEET_CONFIG",
                     help="Configuration file."),
    ):  # fmt: skip
        command = option(command)
    return command


def credentials(file: str | None, data_dir: str | None, endpoint: str | None) -> StoredCredentials:
    path = Path(file) if file else Path(data_dir or default_data_dir()) / CREDENTIALS
    try:
        found = msgspec.json.decode(path.read_bytes(), type=StoredCredentials)
    except OSError as fault:
        raise Failed(
            f"Cannot read the credentials file {path}: {fault.strerror}.",
            "`nbfleet serve` writes one at its first start; NBFLEET_CREDENTIALS names another.",
            UNAUTHORISED,
        ) from fault
    except msgspec.MsgspecError as fault:
        raise Failed(f"{path} is not a credentials file: {fault}.", code=UNAUTHORISED) from fault
    return msgspec.structs.replace(found, endpoint=endpoint) if endpoint else found


def settings(config: str | None, **given: object) -> Settings:
    return load(given, os.environ, Path(config) if config else None)

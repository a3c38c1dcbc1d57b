"""`nbfleet doctor`: what this machine offers, and what stands in the way of serving."""

import os
import shutil
import stat
import sys
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import click
import msgspec

from nbfleet.cli import screen
from nbfleet.cli.failures import FAILED
from nbfleet.cli.options import settings, with_output, with_store
from nbfleet.cli.screen import Column
from nbfleet.credentials import CREDENTIALS, endpoint_of
from nbfleet.runtimes.capabilities import Capability, detect
from nbfleet.settings import Settings

_LEAST_FREE = 1 << 30
_PRIVATE = 0o077


@click.command("doctor")
@with_output
@with_store
def doctor_command(output: str, config: str | None, **options: Any) -> None:
    """Look at this machine: what is there, what is missing, what it is good for."""
    found = [*_service(settings(config, **options)), *detect()]
    if output == "json":
        screen.json(msgspec.json.encode(found))
    else:
        _draw(found)
    if any(one.needed and not one.available for one in found):
        sys.exit(FAILED)


def _draw(found: list[Capability]) -> None:
    columns = [Column(""), Column("WHAT"), Column("FOUND", cut=True), Column("FOR", cut=True, from_width=100)]
    screen.table(columns, [(_mark(one), one.name, one.detail, one.purpose) for one in found])
    missing = [one.name for one in found if one.needed and not one.available]
    click.echo(f"Missing: {', '.join(missing)}." if missing else "Everything needed is here.")


def _mark(one: Capability) -> str:
    if one.available:
        return "[green]ok[/]"
    return "[red]missing[/]" if one.needed else "[yellow]no[/]"


def _service(given: Settings) -> Iterator[Capability]:
    directory = Path(given.data_dir)
    yield Capability(
        "python", True, f"{sys.version.split()[0]} {sys.executable}", "running the service", needed=True
    )
    yield _data_dir(directory)
    yield from _files(directory)
    yield _free(directory)
    yield _database(given)
    yield _answers(given)


def _data_dir(directory: Path) -> Capability:
    purpose = "database, keys and files of the instances"
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    fine = os.access(existing, os.W_OK)
    detail = str(directory) if directory.exists() else f"{directory} is to be made"
    return Capability(
        "data directory", fine, detail if fine else f"{existing} cannot be written", purpose, needed=True
    )


def _files(directory: Path) -> Iterator[Capability]:
    """Whether what must be private is."""
    for name in ("secret.key", CREDENTIALS, "nbfleet.db"):
        path = directory / name
        if path.exists():
            mode = stat.S_IMODE(path.stat().st_mode)
            private = not mode & _PRIVATE
            yield Capability(
                name, private, f"mode {mode:04o}", "kept from other users of this machine", needed=True
            )


def _free(directory: Path) -> Capability:
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    free = shutil.disk_usage(existing).free
    return Capability(
        "disk space", free >= _LEAST_FREE, f"{free / 2**30:.1f} GB free", "work volumes", needed=True
    )


def _database(given: Settings) -> Capability:
    kind = "PostgreSQL" if given.database_url else "SQLite in the data directory"
    purpose = "everything the service remembers"
    if not given.database_url and not Path(given.data_dir, "nbfleet.db").exists():
        return Capability("database", True, f"{kind}, to be made", purpose, needed=True)
    try:
        return Capability("database", True, f"{kind}, schema {_revision(given)}", purpose, needed=True)
    except Exception as fault:
        return Capability("database", False, f"{kind}: {str(fault).splitlines()[0]}", purpose, needed=True)


def _revision(given: Settings) -> str:
    from nbfleet.store import migrate  # noqa: PLC0415
    from nbfleet.store.database import Database, sqlite_url  # noqa: PLC0415

    database = Database(given.database_url or sqlite_url(Path(given.data_dir, "nbfleet.db")))
    try:
        return database.read_now(migrate.current) or "none yet"
    finally:
        database.close()


def _answers(given: Settings) -> Capability:
    address = f"{endpoint_of(given)}/healthz"
    purpose = "a service on these settings"
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - where our service says it is.
            return Capability("service", answer.status == 200, f"{address} answers", purpose)
    except (OSError, HTTPException, ValueError):  # Also what is no service of ours, or no address.
        return Capability("service", False, f"nothing answers at {address}", purpose)

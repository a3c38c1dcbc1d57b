"""What the commands of an administrator share: the store of this machine, opened for one change."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from nbfleet.cli.options import settings
from nbfleet.services.context import Context
from nbfleet.store.database import Connection

T = TypeVar("T")


@contextmanager
def store(options: dict[str, Any]) -> Generator[Context, None, None]:
    """The service's context without the service; safe beside a running one."""
    from nbfleet.server import milliseconds, open_ground  # noqa: PLC0415
    from nbfleet.store.directory import Directory  # noqa: PLC0415
    from nbfleet.telemetry import configure_logs  # noqa: PLC0415

    configure_logs("warning", "text")
    config = options.pop("config")
    ground = open_ground(settings(config, **options))
    try:
        yield Context(ground.database, Directory(), ground.keyring, ground.settings, milliseconds, _no_hint)
    finally:
        ground.database.close()


def write(options: dict[str, Any], change: Callable[[Connection, Context], T]) -> T:
    """The answer of change(connection, context), in one transaction."""
    with store(options) as context:
        return context.database.write_now(change, context)


def read(options: dict[str, Any], look: Callable[[Connection], T]) -> T:
    with store(options) as context:
        return context.database.read_now(look)


def _no_hint() -> None:
    """Nobody in this process waits for one."""

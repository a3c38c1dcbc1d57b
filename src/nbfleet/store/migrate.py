"""Brings a database to the schema of this release. Alembic is only imported when there is work to do."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

HEAD = "0018"
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x6E62666C  # Any number of our own: two services must not migrate one database at once.


class UnknownSchema(Exception):
    """The database was written by a newer release."""


def upgrade(engine: Engine) -> bool:
    """Upgrades to HEAD in one transaction; True when anything had to be done."""
    writing = engine.execution_options(writes=True)
    with writing.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if current(connection) == HEAD:
            return False
        _run(connection)
        return True


def current(connection: Connection) -> str | None:
    """The revision this database is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run(connection: Connection) -> None:
    # Here and not above: importing Alembic costs more than most starts, which have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as fault:
        raise UnknownSchema(f"The database is at a schema this release does not know: {fault}") from fault

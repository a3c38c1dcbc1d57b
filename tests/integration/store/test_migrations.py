"""The migrations lead to the schema of this release, once, and not from what they do not know."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from nbfleet.store import migrate, schema
from nbfleet.store.database import open_engine


def test_the_schema_is_that_of_the_metadata(database_url: str) -> None:
    engine = open_engine(database_url)
    assert migrate.upgrade(engine) is True
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata) == []
        tables = set(inspect(connection).get_table_names())
        assert tables == {*schema.metadata.tables, "alembic_version"}
        assert migrate.current(connection) == migrate.HEAD
    engine.dispose()


def test_a_second_upgrade_has_nothing_to_do(database_url: str) -> None:
    engine = open_engine(database_url)
    assert [migrate.upgrade(engine) for _ in range(3)] == [True, False, False]
    engine.dispose()


def test_two_services_that_start_at_once_migrate_once(database_url: str) -> None:
    engines = [open_engine(database_url) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(migrate.upgrade, engines)) == [False, True]
    for engine in engines:
        engine.dispose()


def test_an_empty_database_has_no_revision(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.connect() as connection:
        assert migrate.current(connection) is None
    engine.dispose()


def test_the_schema_of_a_newer_release_is_refused_and_left_alone(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.UnknownSchema, match="does not know"):
        migrate.upgrade(engine)
    with engine.connect() as connection:
        assert migrate.current(connection) == "9999"
    engine.dispose()


def test_an_upgrade_that_fails_leaves_nothing_behind(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE audit (no INTEGER)"))
    with pytest.raises(Exception, match="audit"):
        migrate.upgrade(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["audit"]
    engine.dispose()

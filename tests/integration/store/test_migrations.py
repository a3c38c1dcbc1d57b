"""The migrations lead to the schema of this release, once, and not from what they do not know."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

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


def test_what_is_there_is_counted_and_dated_by_the_upgrade(database_url: str) -> None:
    """From before workspaces knew anything of themselves, and storage was counted."""
    engine = open_engine(database_url)
    _fill_old(engine)
    assert migrate.upgrade(engine) is True
    _check_upgraded(engine)
    engine.dispose()


KILLED = """
import os, signal, sys
from sqlalchemy import event
from nbfleet.store import migrate
from nbfleet.store.database import open_engine

engine = open_engine(sys.argv[1])

@event.listens_for(engine, "after_cursor_execute")
def kill(connection, cursor, statement, *_rest):
    if sys.argv[2] in statement:
        os.kill(os.getpid(), signal.SIGKILL)

migrate.upgrade(engine)
"""


@pytest.mark.parametrize(
    "statement", ["UPDATE documents", "UPDATE notebooks SET storage", "images_of_reference", "'0013'"]
)
def test_an_upgrade_that_is_killed_leaves_the_old_schema_and_can_be_repeated(
    database_url: str, statement: str
) -> None:
    engine = open_engine(database_url)
    _fill_old(engine)
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url, statement], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    with engine.connect() as connection:
        assert migrate.current(connection) == "0007"
        assert "quotas" not in inspect(connection).get_table_names()
    assert migrate.upgrade(engine) is True
    _check_upgraded(engine)
    engine.dispose()


def _fill_old(engine: Engine) -> None:
    with engine.execution_options(writes=True).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        for statement in OLD_ROWS:
            bound = {"body": b"{}"} if ":body" in statement else {}
            connection.execute(text(statement), bound)


def _check_upgraded(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT description, auth_type, create_at, update_at FROM workspaces"))
        assert [tuple(row) for row in rows] == [("", "PUBLIC", 77, 77)]
        storage = connection.execute(text("SELECT storage FROM notebooks ORDER BY rid"))
        assert [row[0] for row in storage] == [5, 9, 0]
        used = connection.execute(text("SELECT * FROM storage_used"))
        assert [tuple(row) for row in used] == [(1, 1, 1, 14)]


def _old_notebook(number: int, status: int, growing_to: str) -> list[str]:
    return [
        "INSERT INTO notebooks (project_no, id, owner_no, workspace_no, pool_no, image_no, feature, status, "
        "billing, name, name_folded, flavor, create_at, update_at, generation) "
        f"VALUES (1, 'n{number}', 1, 1, 0, 1, 20, {status}, 0, 'n', 'n', 'f', 1, 1, 1)",
        "INSERT INTO instances (rid, wanted, observed, description, description_folded, volume_category, "
        "volume_ownership, volume_capacity, volume_mount_path, lease_create_at, lease_update_at, "
        "lease_duration, lease_period, lease_enable, lease_type, volume_growing_to) "
        f"VALUES ({number}, 'STOPPED', 'STOPPED', '', '', 'EVS', 'MANAGED', 5, '/', 1, 1, 1, 1, true, "
        f"'TIMING', {growing_to})",
    ]


OLD_ROWS = [
    "INSERT INTO accounts (id, name) VALUES ('a', 'a')",
    "INSERT INTO projects (id, name, account_id, enabled, create_at) VALUES ('p', 'p', 'a', true, 77)",
    "INSERT INTO users (id, name, name_folded, account_id, password_hash, enabled, create_at) "
    "VALUES ('u', 'u', 'u', 'a', '', true, 1)",
    "INSERT INTO workspaces (project_no, id, name) VALUES (1, '0', 'default')",
    "INSERT INTO images (id, swr_path, swr_path_folded, create_at, update_at, body) "
    "VALUES ('i', '', '', 1, 1, :body)",
    *_old_notebook(1, 130, "NULL"),
    *_old_notebook(2, 90, "9"),
    *_old_notebook(3, 30, "NULL"),
]


def test_an_upgrade_that_fails_leaves_nothing_behind(database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE audit (no INTEGER)"))
    with pytest.raises(Exception, match="audit"):
        migrate.upgrade(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["audit"]
    engine.dispose()

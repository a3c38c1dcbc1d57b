"""Rows of images: the upgrade of a store that has some, lists against an oracle, and who waits for whom."""

import itertools
import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, select, text

from nbfleet.domain.images import ImageQuery, ImageSort, State
from nbfleet.store import catalogue, images, migrate, schema
from nbfleet.store.database import Conflict, Database, open_engine
from nbfleet.store.directory import Directory
from nbfleet.wire import enums
from nbfleet.wire.images import Image
from support import fleet

SORTABLE = ("name", "namespace", "tag", "size", "create_at", "update_at")


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


def image(number: int, **fields: Any) -> Image:
    name, tag = fields.get("name", f"image-{number}"), fields.get("tag", "1")
    defaults: dict[str, Any] = {
        "id": str(uuid.UUID(int=number, version=4)), "name": name, "namespace": "team-a", "tag": tag,
        "swr_path": f"localhost/team-a/{name}:{tag}", "type": enums.ImageType.DEDICATED,
        "status": enums.ImageStatus.ACTIVE, "visibility": enums.ImageVisibility.PRIVATE,
        "service_type": enums.ImageServiceType.UNKNOWN, "workspace_id": "0",
        "create_at": fleet.NOW, "update_at": fleet.NOW,
    }  # fmt: skip
    return Image(**defaults | fields)


def add(
    connection: Connection, made: Image, owner: str = fleet.OWNER, project: str = fleet.PROJECTS[0]
) -> None:
    directory = Directory()
    project_no, owner_no = directory.project(connection, project), directory.user(connection, owner)
    assert project_no is not None
    assert owner_no is not None
    now = made.create_at
    assert isinstance(now, int)
    images.add(connection, (project_no, project), owner_no, made, None, None, now)


def found(connection: Connection, made: Image) -> images.Stored:
    stored = images.find(connection, str(made.id))
    assert stored is not None
    return stored


# The upgrade.


def migrated_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate._SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def test_images_from_before_the_upgrade_keep_what_was_published(database_url: str) -> None:
    engine = open_engine(database_url)
    built_in = image(1, type=enums.ImageType.BUILD_IN, size=5)
    bare = Image(id=str(uuid.UUID(int=2, version=4)), name="bare", swr_path="r/t/bare:1")
    columns = "id, swr_path, swr_path_folded, create_at, update_at, body"
    old = f"INSERT INTO images ({columns}) VALUES (:i, :p, :p, 1, 2, :b)"
    with engine.execution_options(writes=True).begin() as connection:
        migrated_to(connection, "0003")
        for one in (built_in, bare):
            values = {"i": one.id, "p": one.swr_path, "b": msgspec.json.encode(one)}
            connection.execute(text(old), values)
    assert migrate.upgrade(engine) is True
    with engine.connect() as connection:
        for one in (built_in, bare):
            stored = found(connection, one)
            assert (stored.image, stored.state, stored.trial, stored.due_at) == (one, State.ACTIVE, 0, None)
            assert (stored.holding.project_id, stored.holding.owner_id) == (None, None)
        row = connection.execute(select(schema.images).where(schema.images.c.id == built_in.id)).one()
        shown = ("type", "status", "name", "namespace", "tag", "size", "service_type", "workspace_id")
        assert [row._mapping[name] for name in shown] == [getattr(built_in, name) for name in shown]
        assert images.page(connection, ImageQuery())[0] == 1
    engine.dispose()


# Lists.


def test_lists_are_those_of_an_oracle(database: Database) -> None:
    chance = random.Random(5)
    made: list[tuple[Image, str, str]] = []

    def fill(connection: Connection) -> None:
        made.clear()
        for number in range(60):
            name = chance.choice(["a", "a.b", "ab", "a_b", "b-1", "Z", "z"]) + str(chance.randrange(3))
            one = image(
                number + 10, name=name, tag=f"{number}", namespace=chance.choice(["t", "T2", "t-a"]),
                swr_path=f"localhost/t/{name}:{number}", create_at=fleet.NOW + chance.randrange(4),
                service_type=chance.choice([enums.ImageServiceType.DEV, enums.ImageServiceType.TRAIN]),
                workspace_id=chance.choice(["0", "a" * 32]),
                **({"size": chance.randrange(5)} if chance.random() < 0.7 else {}),
            )  # fmt: skip
            one = msgspec.structs.replace(one, update_at=one.create_at)
            owner, project = chance.choice(list(fleet.USERS)[:3]), chance.choice(fleet.PROJECTS)
            add(connection, one, owner, project)
            made.append((one, owner, project))

    database.write_now(fill)
    for _ in range(300):
        query = ImageQuery(
            project_id=chance.choice(fleet.PROJECTS), owner_id=chance.choice([None, *list(fleet.USERS)[:3]]),
            granted=chance.choice([None, frozenset({"0"}), frozenset()]),
            name=chance.choice([None, "a", "a.", "_", "b1", "z0"]), fuzzy=chance.random() < 0.7,
            namespace=chance.choice([None, None, "t", "T2"]), type="DEDICATED",
            service_type=chance.choice([None, "DEV"]), workspace_id=chance.choice([None, "0", "a" * 32]),
            sort=tuple(ImageSort(key) for key in chance.sample(SORTABLE, chance.randint(1, 3))),
            descending=chance.random() < 0.5, offset=chance.choice([0, 0, 3]), limit=chance.choice([5, 200]),
        )  # fmt: skip
        assert database.read_now(images.page, query) == expected(made, query), query


def expected(made: list[tuple[Image, str, str]], query: ImageQuery) -> tuple[int, list[Image]]:
    kept = [
        (number, one)
        for number, (one, owner, project) in enumerate(made)
        if project == query.project_id
        and query.owner_id in (None, owner)
        and (query.granted is None or one.workspace_id in query.granted)
        and (query.name is None or (query.name in one.name if query.fuzzy else query.name == one.name))
        and query.namespace in (None, one.namespace)
        and query.service_type in (None, one.service_type)
        and query.workspace_id in (None, one.workspace_id)
    ]

    def rank(entry: tuple[int, Image]) -> list[Any]:
        number, one = entry
        values = (getattr(one, key) for key in query.sort)
        return [
            *((value is msgspec.UNSET, "" if value is msgspec.UNSET else value) for value in values),
            number,
        ]

    kept.sort(key=rank, reverse=query.descending)
    return len(kept), [one for _, one in kept][query.offset : query.offset + query.limit]


# Who waits for whom.


def test_a_reference_names_one_living_image_of_a_project(database: Database) -> None:
    first, second = image(1), image(2, name="image-1")
    database.write_now(add, first)
    with pytest.raises(Conflict):
        database.write_now(add, second)
    database.write_now(add, second, fleet.OWNER, fleet.PROJECTS[1])
    database.write_now(end, first, None)
    gone = database.read_now(found, first)
    assert (gone.state, gone.image.update_at, gone.due_at) == (State.DELETED, fleet.NOW + 5, None)
    database.write_now(add, image(3, name="image-1"))


def test_who_wants_to_use_an_image_keeps_it_from_being_deleted(database: Database, store_url: str) -> None:
    made = image(1)
    database.write_now(add, made)
    begun = threading.Event()

    def use(connection: Connection) -> None:
        assert images.find_to_use(connection, str(made.id)) is not None
        begun.set()
        time.sleep(0.2)  # The other one comes as far as it can before this is committed.
        fleet.add(connection, fleet.notebook(1, image_id=str(made.id)))

    def users(connection: Connection) -> int:
        stored = images.find_to_change(connection, str(made.id))
        assert stored is not None
        return images.users_of(connection, stored.no)

    with ThreadPoolExecutor() as threads, fleet.opened(store_url) as other:
        using = threads.submit(database.write_now, use)
        begun.wait(20)
        assert threads.submit(other.write_now, users).result() == 1
        using.result()


def test_what_is_due(database: Database) -> None:
    first, second = image(1, create_at=fleet.NOW + 9), image(2)
    for one in (first, second):
        database.write_now(add, one)
    due = [database.read_now(images.due, fleet.NOW + late, 5) for late in (-1, 0, 9)]
    assert [[one.image.id for one in each] for each in due] == [[], [second.id], [second.id, first.id]]
    assert [one.trial for one in due[2]] == [1, 1]
    number = due[1][0].no
    assert database.read_now(images.wanted, [number, 0]) == {number: (False, 1)}
    database.write_now(images.postpone, number, fleet.NOW + 20)
    assert [one.image.id for one in database.read_now(images.due, fleet.NOW + 9, 5)] == [first.id]
    database.write_now(images.postpone, number, None)
    assert [database.read_now(found, one).due_at for one in (first, second)] == [fleet.NOW + 9, None]
    database.write_now(images.postpone, number, fleet.NOW)  # What is done does not become due again.
    assert database.read_now(found, second).due_at is None


def test_who_else_has_a_reference(database: Database) -> None:
    first, second, other = image(1), image(2, name="image-1"), image(3)
    database.write_now(add, first)
    database.write_now(add, second, fleet.OWNER, fleet.PROJECTS[1])
    database.write_now(add, other)
    path, number = str(first.swr_path), database.read_now(found, first).no

    def registered(connection: Connection, besides: int) -> bool:
        return images.is_registered(connection, path, besides=besides)

    assert [database.read_now(registered, no) for no in (0, number)] == [True, True]
    for one, due_at in ((second, fleet.NOW), (first, None)):
        assert database.read_now(images.is_leaving, path) is (one is first)
        database.write_now(end, one, due_at)
    assert [database.read_now(registered, no) for no in (0, number)] == [False, False]
    assert database.read_now(images.is_leaving, path) is True
    database.write_now(images.postpone, database.read_now(found, second).no, None)
    assert database.read_now(images.is_leaving, path) is False
    assert database.read_now(images.is_leaving, str(other.swr_path)) is False


def test_an_owner_has_a_number_of_images(database: Database) -> None:
    for number, owner in ((1, fleet.OWNER), (2, fleet.OWNER), (3, fleet.OTHER)):
        database.write_now(add, image(number), owner)
    database.write_now(end, image(2), None)
    numbers = [database.read_now(Directory().user, one) for one in (fleet.OWNER, fleet.OTHER)]
    assert [database.write_now(images.count_of_owner, no) for no in numbers] == [1, 1]


def test_nothing_that_is_asked_while_writing_looks_at_every_image(tmp_path: Path) -> None:
    """Without images SQLite takes an index wherever one can be taken at all."""

    def ask(connection: Connection) -> list[str]:
        asked: list[tuple[str, Any]] = []

        def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            asked.append((statement, values))

        event.listen(connection, "before_cursor_execute", note)
        for question in (
            lambda: images.count_of_owner(connection, 1), lambda: images.is_taken(connection, 1, "p"),
            lambda: images.is_registered(connection, "p"), lambda: images.is_leaving(connection, "p"),
            lambda: images.of_group(connection, "g"), lambda: images.of_group_to_change(connection, "g"),
            lambda: images.count_in_workspace(connection, 1, "w"),
        ):  # fmt: skip
            question()
        event.remove(connection, "before_cursor_execute", note)
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in asked]
        return [row.detail for plan in plans for row in plan]

    url = f"sqlite:///{tmp_path}/test.db"
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    with fleet.opened(url) as database:
        steps = database.write_now(ask)
    assert [step for step in steps if step.startswith("SCAN")] == []
    taken = {word for step in steps for word in step.split() if word.startswith("images_")}
    assert taken == {
        "images_of_owner", "images_of_group", "images_of_reference", "images_by_path", "images_due"
    }  # fmt: skip


def end(connection: Connection, made: Image, due_at: int | None) -> None:
    stored = images.find_to_change(connection, str(made.id))
    assert stored is not None
    deleted = msgspec.structs.replace(stored.image, status=enums.ImageStatus.DELETED)
    images.save(connection, stored, deleted, fleet.NOW + 5, due_at=due_at)


def test_group_ids_tell_projects_organisations_and_names_apart() -> None:
    parts = itertools.product(("", "p", "q"), ("a", "a/b", None), ("c", "b/c"))
    ids = {(p, f"{ns}/{n}"): catalogue.group_id(p, ns, n) for p, ns, n in parts}
    assert len(set(ids.values())) == len(ids)

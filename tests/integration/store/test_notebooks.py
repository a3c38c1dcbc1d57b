"""The three rows of a notebook: nothing is lost in them, and they never disagree."""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.services.catalogue import BUILT_IN_ID, built_in_image
from nbfleet.store import catalogue, documents, notebooks, schema
from nbfleet.store.database import Conflict, Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.store.notebooks import Stored, UnknownReference
from nbfleet.wire.notebooks import NotebookResp
from support import fleet, records

laws = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    with fleet.opened(store_url) as opened:
        yield opened


def clear(connection: Connection) -> None:
    for table in (schema.documents, schema.instances, schema.notebooks):
        connection.execute(delete(table))


def body(connection: Connection, rid: int) -> bytes:
    query = select(schema.documents.c.body).where(schema.documents.c.rid == rid)
    return connection.execute(query).scalar_one()


def encoded_anew(connection: Connection, notebook: Notebook) -> bytes:
    pool = catalogue.pool(connection, notebook.project_id, notebook.pool_id)
    assert (None if pool is None else pool.id) == notebook.pool_id
    return documents.encode(notebook, catalogue.image(connection, notebook.image_id), pool)


def loops(connection: Connection, rid: int) -> tuple[int | None, int | None]:
    i = schema.instances.c
    row = connection.execute(select(i.due_at, i.stop_at).where(i.rid == rid)).one()
    return row.due_at, row.stop_at


def expected_loops(notebook: Notebook, due_at: int) -> tuple[int | None, int | None]:
    status, lease = status_of(notebook), notebook.lease
    end = lease.create_at + lease.duration if lease.enable else None
    kept = 72 * 3_600_000 if status is Status.STOPPED and notebook.feature == "DEFAULT" else 0
    stop_at = end + kept if end is not None and (kept or status is Status.RUNNING) else None
    growing = notebook.volume.growing_to is not None and status in (Status.RUNNING, Status.STOPPED)
    freezing = (notebook.wanted, notebook.observed) == (Wanted.FROZEN, Observed.RUNNING)
    in_motion = status in (Status.CREATING, Status.STARTING, Status.STOPPING, Status.DELETING)
    return due_at if in_motion or growing or freezing else None, stop_at


@given(data=st.data())
@laws
def test_every_field_goes_round(database: Database, data: st.DataObject) -> None:
    """Through add, find and two saves, with the document, the loops' columns and the counters beside it."""
    first = data.draw(records.notebooks())
    states = [first, data.draw(records.changes(first)), data.draw(records.changes(first))]

    def check(connection: Connection, rid: int, notebook: Notebook, due_at: int) -> None:
        stored = Stored(rid, notebook)
        assert notebooks.find(connection, notebook.id) == stored
        assert notebooks.find(connection, notebook.id, project_id=notebook.project_id, lock=True) == stored
        assert notebooks.find_many(connection, [rid, rid + 1]) == [stored]
        assert body(connection, rid) == encoded_anew(connection, notebook)
        assert loops(connection, rid) == expected_loops(notebook, due_at)
        assert fleet.counters(connection) == fleet.recount(connection)

    def write(connection: Connection) -> None:
        rid = notebooks.add(connection, Directory(), first, 5)
        check(connection, rid, first, 5)
        for due_at, (before, after) in enumerate(itertools.pairwise(states), start=6):
            notebooks.save(connection, Stored(rid, before), after, due_at)
            if after != before:
                check(connection, rid, after, due_at)
        clear(connection)
        assert fleet.counters(connection) == fleet.recount(connection)

    database.write_now(write)


@given(data=st.data())
@laws
def test_counters_equal_a_recount_after_anything(database: Database, data: st.DataObject) -> None:
    actions = st.tuples(st.sampled_from(["add", "save", "drop", "undo"]), st.integers(0, 5))
    steps = data.draw(st.lists(actions, max_size=20))
    # Drawn before: the write runs on another thread.
    drawn = [data.draw(records.notebooks(number)) for _, number in steps]

    def write(connection: Connection) -> None:
        clear(connection)
        held: dict[int, Stored] = {}
        for (action, number), any_state in zip(steps, drawn, strict=True):
            if action == "add" and number not in held:
                rid = notebooks.add(connection, Directory(), any_state, 0)
                held[number] = Stored(rid, any_state)
            elif action == "save" and number in held:
                changed = replace(any_state, create_at=held[number].notebook.create_at)
                notebooks.save(connection, held[number], changed, 0)
                held[number] = Stored(held[number].rid, changed)
            elif action == "drop" and number in held:
                for table in (schema.documents, schema.instances, schema.notebooks):
                    connection.execute(delete(table).where(table.c.rid == held[number].rid))
                del held[number]
            elif action == "undo":
                savepoint = connection.begin_nested()
                notebooks.add(connection, Directory(), replace(any_state, id="undone"), 0)
                savepoint.rollback()
        assert fleet.counters(connection) == fleet.recount(connection)
        total = sum(fleet.counters(connection)["count_by_status"].values())
        assert total == len(held)

    database.write_now(write)


def test_a_deleted_notebook_is_still_found(database: Database) -> None:
    deleted = fleet.notebook(wanted=Wanted.DELETED, observed=Observed.GONE)
    rid = database.write_now(fleet.add, deleted)
    assert database.read_now(notebooks.find, deleted.id) == Stored(rid, deleted)


def test_what_does_not_exist_is_not_found(database: Database) -> None:
    made = fleet.notebook()
    database.write_now(fleet.add, made)
    assert database.read_now(notebooks.find, fleet.notebook(2).id) is None
    assert database.read_now(notebooks.find, made.id, project_id=fleet.PROJECTS[1]) is None
    assert database.read_now(notebooks.find, made.id, project_id="r") is None
    assert database.read_now(notebooks.find_many, []) == []


def test_an_id_is_given_once(database: Database) -> None:
    database.write_now(fleet.add, fleet.notebook())
    with pytest.raises(Conflict):
        database.write_now(fleet.add, fleet.notebook(project_id=fleet.PROJECTS[1]))
    assert database.read_now(fleet.counters) == database.read_now(fleet.recount)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"project_id": "r"}, "project r"),
        ({"owner_id": "nobody"}, "owner_no"),
        ({"workspace_id": "c" * 32}, "workspace_no"),
        ({"pool_id": "pool-9"}, "pool_no"),
        ({"image_id": "9"}, "image_no"),
        ({"owner_id": "nobody", "pool_id": "pool-9"}, "owner_no, pool_no"),
    ],
)
def test_what_a_notebook_refers_to_must_exist(
    database: Database, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(UnknownReference) as refused:
        database.write_now(fleet.add, fleet.notebook(**changes))
    assert str(refused.value) == named
    assert database.read_now(fleet.recount)["count_by_status"] == {}


def test_a_document_holds_neither_token_nor_address_nor_handle(database: Database) -> None:
    made = fleet.running(endpoint="unix:/run/secret-endpoint", handle=b"secret-handle", ip="10.0.0.9")
    rid = database.write_now(fleet.add, made)
    document = database.read_now(body, rid)
    shown = msgspec.json.decode(document, type=NotebookResp)
    assert (shown.token, shown.url) == (msgspec.UNSET, msgspec.UNSET)
    secrets = [
        *(fleet.KEYRING.notebook_token(made.id, g) for g in (0, 1, 2)),
        fleet.KEYRING.instance_secret(made.id, 1),
        fleet.KEYRING.gateway_cookie(made.id, 1),
        "secret-endpoint",
        "secret-handle",
    ]
    assert [secret for secret in secrets if secret.encode() in document] == []
    assert set(msgspec.json.decode(document)) & {"token", "url", "endpoint", "handle", "endpoints"} == set()


def test_splicing_adds_members_and_changes_nothing_else(database: Database) -> None:
    rid = database.write_now(fleet.add, fleet.notebook(description='"}'))
    document = database.read_now(body, rid)
    spliced = documents.splice(document, [documents.member("url", "https://x/"), documents.member("n", 1)])
    assert msgspec.json.decode(spliced) == {**msgspec.json.decode(document), "url": "https://x/", "n": 1}
    assert documents.splice(document, []) == document


def test_documents_follow_their_image(database: Database) -> None:
    """An image that is published anew, as the built-in one after an upgrade, is so in lists too."""
    first, second = fleet.notebook(1), fleet.notebook(2, image_id=list(fleet.IMAGES)[1])
    rids = [database.write_now(fleet.add, one) for one in (first, second)]
    published = fleet.image(fleet.IMAGE, "localhost/nbfleet/jupyterlab:5.0")
    database.write_now(notebooks.put_image, published, fleet.NOW + 1)
    for rid, made in zip(rids, (first, second), strict=True):
        anew = database.read_now(encoded_anew, made)
        assert database.read_now(body, rid) == anew
    shown = msgspec.json.decode(database.read_now(body, rids[0]), type=NotebookResp)
    assert shown.image.swr_path == published.swr_path
    assert database.read_now(notebooks.find, first.id) == Stored(rids[0], first)


def test_an_image_that_is_published_anew_stays_as_old_as_it_was(database: Database) -> None:
    for now in (fleet.NOW + 1, fleet.NOW + 9):
        database.write_now(notebooks.put_image, built_in_image(now), now)
    times = {"create_at": fleet.NOW + 1, "update_at": fleet.NOW + 9}
    shown = database.read_now(catalogue.image, BUILT_IN_ID)
    assert shown == msgspec.structs.replace(built_in_image(0), **times)
    i = schema.images.c
    query = select(i.create_at, i.update_at).where(i.id == BUILT_IN_ID)
    assert database.read_now(lambda connection: connection.execute(query).one()._asdict()) == times


@pytest.mark.parametrize("change", ["rename", "add"])
def test_documents_follow_their_image_whatever_is_written_meanwhile(
    database: Database, store_url: str, change: str
) -> None:
    old, new = fleet.notebook(1), fleet.notebook(2)
    database.write_now(fleet.add, old)
    renamed = replace(old, name="renamed")
    begun = threading.Event()

    def write(connection: Connection) -> int:
        if change == "add":
            number = fleet.add(connection, new)
        else:
            found = notebooks.find(connection, old.id, lock=True)
            assert found is not None
            notebooks.save(connection, found, renamed, 0)
            number = found.rid
        begun.set()
        time.sleep(0.2)  # The other one comes as far as it can before this is committed.
        return number

    published = fleet.image(fleet.IMAGE, "localhost/nbfleet/jupyterlab:5.0")
    with ThreadPoolExecutor() as threads, fleet.opened(store_url) as other:
        changing = threads.submit(database.write_now, write)
        begun.wait(20)
        publication = threads.submit(other.write_now, notebooks.put_image, published, fleet.NOW + 1)
        changed = changing.result()
        publication.result()
    anew = database.read_now(encoded_anew, new if change == "add" else renamed)
    assert database.read_now(body, changed) == anew
    assert msgspec.json.decode(anew, type=NotebookResp).image.swr_path == published.swr_path


def test_saving_what_did_not_change_writes_nothing(database: Database) -> None:
    made = fleet.notebook()
    rid = database.write_now(fleet.add, made, 5)
    database.write_now(notebooks.save, Stored(rid, made), replace(made), due_at=9)
    assert database.read_now(loops, rid) == (5, None)

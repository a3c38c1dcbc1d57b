"""The list against an oracle: all filters, sort keys, directions and pages over fleets with odd texts."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import Billing, Query, SortKey, Tag, Window
from nbfleet.domain.notebook import Notebook
from nbfleet.store import documents, listing, statements
from nbfleet.store.codes import STATUS
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.store.statements import Order
from nbfleet.wire.placement import Pool
from support import fleet, oracle
from support.oracle import DESCRIPTIONS, FLAVORS, NAMES, TAGS, VALUES, answered
from support.templates import copy_of_template

ROWS = 300
MADE = oracle.made_up(random.Random(5), ROWS)
FLEET = [oracle.entry(number, notebook) for number, notebook in enumerate(MADE)]
QUERIES = oracle.queries([notebook.id for notebook in MADE])


def fill(connection: Connection) -> None:
    for notebook in MADE:
        fleet.add(connection, notebook)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Filled once, as nothing here changes it."""
    with fleet.opened(copy_of_template(request, tmp_path_factory.mktemp("page"))) as opened:
        opened.write_now(fill)
        yield opened


def expected(query: Query) -> oracle.Answer:
    return oracle.expected(FLEET, query)


laws = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@given(query=QUERIES)
@laws
def test_total_and_rows_are_those_of_the_oracle(database: Database, query: Query) -> None:
    assert answered(database, query) == expected(query)


@given(query=QUERIES)
@laws
def test_so_they_are_where_dense_matches_are_counted_first(database: Database, query: Query) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "_WORTH_A_PROBE", 0)
        assert answered(database, query) == expected(query)


@given(query=QUERIES, limit=st.integers(5, 60), gathered=st.integers(0, 5))
@laws
def test_batches_meet_every_row_once_in_order(
    database: Database, query: Query, limit: int, gathered: int
) -> None:
    """Whichever way each of them takes."""
    query = replace(query, sort=(SortKey.CREATE_AT,), offset=0, limit=limit)
    wanted = expected(replace(query, limit=ROWS))[1]
    ids: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "_GATHERED_BATCHES", gathered)
        for number in itertools.count():
            rows = database.read_now(listing.batch, Directory(), query, number)
            ids.extend(row.id for row in rows)
            if len(rows) < limit:
                break
            query = replace(query, after=rows[-1].place)
    assert ids == wanted


@given(query=QUERIES, limit=st.integers(5, 60))
@laws
def test_a_walk_from_place_to_place_meets_every_row_once(
    database: Database, query: Query, limit: int
) -> None:
    """The law is that of the pages: what stands behind the last row that was shown comes next."""
    query = replace(query, sort=(SortKey.CREATE_AT,), offset=0, limit=limit)
    total, _ = expected(query)
    ids: list[str] = []
    while True:
        page = database.read_now(listing.page, Directory(), query)
        assert page.total == total
        ids.extend(row.id for row in page.rows)
        if len(page.rows) < limit:
            break
        query = replace(query, after=page.rows[-1].place)
    assert ids == expected(replace(query, after=None, limit=1000))[1]


ALL = Query(project_id=fleet.PROJECTS[0], feature=None, workspace_id=None, limit=1000)


# PostgreSQL is asked in the order of the list.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
@pytest.mark.parametrize("each", [False, True])
def test_a_walk_from_the_newest_meets_the_rows_in_the_order_of_the_file(
    database: Database, each: bool
) -> None:
    step = replace(ALL, limit=50)
    step = replace(step, after=database.read_now(listing.page, Directory(), step).rows[-1].place)

    def met(connection: Connection) -> list[int]:
        look = listing.look_at(connection, Directory(), step)
        assert look is not None
        statement = statements.next_as_stored(look.shape, Order(step.sort, True), "create_at", each=each)
        return [row[1] for row in statement.run(connection, look.values | {"size": 50, "skip": 0})]

    shown = [row.number for row in database.read_now(listing.page, Directory(), step).rows]
    assert len(shown) == 50
    assert database.read_now(met) == sorted(shown) != shown


def test_each_filter_alone_with_each_of_its_values(database: Database) -> None:
    values: dict[str, tuple[Any, ...]] = {
        "owner_id": tuple(fleet.USERS),
        "feature": ("NOTEBOOK", "DEFAULT"),
        "workspace_id": fleet.WORKSPACES,
        "statuses": tuple((status,) for status in Status),
        "granted": tuple(frozenset({one}) for one in fleet.WORKSPACES),
        "created": (Window(fleet.NOW + 5), Window(None, fleet.NOW + 5), Window(fleet.NOW, fleet.NOW + 1)),
        "updated": (Window(fleet.NOW + 19), Window(None, fleet.NOW + 1)),
        "image_id": tuple(fleet.IMAGES),
        "pool_id": tuple(fleet.POOLS),
        "ip": ("10.0.0.1", "10.0.0.10"),
        "billing": tuple(Billing),
        "name": NAMES,
        "description": DESCRIPTIONS,
        "flavor": FLAVORS,
        "username": tuple(fleet.USERS.values()),
        "swr_path": tuple(fleet.IMAGES.values()),
        "pool_name": tuple(fleet.POOLS.values()),
        "tags": tuple((Tag(key, value),) for key in TAGS for value in (None, *VALUES)),
    }
    directory, empty = Directory(), []
    for name, choices in values.items():
        for value in choices:
            query = replace(ALL, **{name: value})
            assert answered(database, query, directory) == expected(query), (name, value)
            if not expected(query)[0]:
                empty.append(value)
    # What nothing leads to, nothing matches; all the rest was really found.
    assert empty == [(Status.INIT,), (Status.SNAPSHOTTING,)]


@pytest.mark.parametrize("descending", [True, False])
def test_pages_put_together_are_the_list_in_every_order(database: Database, descending: bool) -> None:
    for sort in itertools.permutations(SortKey, 2):
        query = replace(ALL, sort=sort, descending=descending)
        total, ids = expected(query)
        pages = [
            answered(database, replace(query, offset=offset, limit=70))[1] for offset in range(0, total, 70)
        ]
        assert list(itertools.chain(*pages)) == ids, sort
        assert len(set(ids)) == total


@pytest.mark.parametrize("beyond", [0, 1, 1000, 2**63, 2**80])
def test_beyond_the_end_there_is_the_total_and_nothing_else(database: Database, beyond: int) -> None:
    total, _ = expected(ALL)
    assert answered(database, replace(ALL, offset=total + beyond, limit=2**70)) == (total, [])


def test_a_row_says_what_is_spliced_in(database: Database) -> None:
    by_id = {notebook.id: notebook for notebook in MADE}
    page = database.read_now(listing.page, Directory(), ALL)
    numbers = {row.id: row.number for row in page.rows}

    def row(connection: Connection, notebook: Notebook) -> listing.Row:
        image = fleet.image(notebook.image_id, fleet.IMAGES[notebook.image_id])
        pool_id = notebook.pool_id
        pool = Pool(id=pool_id, name=fleet.POOLS[pool_id]) if pool_id else None
        return listing.Row(
            numbers[notebook.id],
            notebook.create_at,
            notebook.id,
            notebook.generation,
            STATUS[status_of(notebook)],
            notebook.owner_id,
            fleet.USERS[notebook.owner_id],
            documents.encode(notebook, image, pool),
        )

    assert [database.read_now(row, by_id[found.id]) for found in page.rows] == list(page.rows)


@pytest.mark.parametrize(
    "field", ["name", "description", "flavor", "username", "swr_path", "pool_name", "ip"]
)
def test_the_letter_that_postgresql_cannot_keep_matches_nothing(database: Database, field: str) -> None:
    assert answered(database, replace(ALL, **{field: "a\0"})) == (0, [])
    assert answered(database, replace(ALL, tags=(Tag("team", "\0"),))) == (0, [])
    assert answered(database, replace(ALL, tags=(Tag("\0"),))) == (0, [])


@pytest.mark.parametrize("field", ["id", "owner_id", "image_id", "pool_id", "workspace_id", "project_id"])
def test_an_id_with_that_letter_matches_nothing(database: Database, field: str) -> None:
    assert answered(database, replace(ALL, **{field: "a\0"})) == (0, [])

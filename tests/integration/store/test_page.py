"""The list against an oracle: all filters, sort keys, directions and pages over fleets with odd texts."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import ANY_TIME, Billing, Query, SortKey, Tag, Window
from nbfleet.domain.notebook import Notebook, Volume
from nbfleet.store import documents, listing, schema
from nbfleet.store.codes import STATUS
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from support import fleet, records
from support.templates import copy_of_template

ROWS = 300
NAMES = ("train_1", "train-1", "TRAIN_1", "trainX1", "训练-1", "训练_Å", "a", "A", "_", "-", "straße", "ﬁ")
DESCRIPTIONS = (
    "",
    "100%",
    "100x",
    "50%_off",
    "50%Xoff",
    "a\\b",
    "a\\\\b",
    "Ärger 训练",
    "ÄRGER",
    "'; --",
    "İ",
)
FLAVORS = ("modelarts.vm.cpu.1u", "modelarts.vm.cpu.2u", "ModelArts.VM.gpu_1")
TAGS = ("team", "Team", "团队", "a b")
VALUES = ("vision", "Vision", "", "1/2", "视觉")


@dataclass(frozen=True)
class Entry:
    notebook: Notebook
    tags: dict[str, str]


def made_up(chance: random.Random) -> list[Entry]:
    """Few different values of everything, so that many are equal; times too."""
    return [
        Entry(
            fleet.notebook(
                number,
                id=f"{chance.getrandbits(32):08x}-0000-4000-8000-{number:012x}",
                project_id=chance.choice(fleet.PROJECTS[:1] * 4 + fleet.PROJECTS[1:]),
                owner_id=chance.choice(list(fleet.USERS)),
                name=chance.choice(NAMES),
                description=chance.choice(DESCRIPTIONS),
                feature=chance.choice(("NOTEBOOK", "NOTEBOOK", "DEFAULT")),
                flavor=chance.choice(FLAVORS),
                image_id=chance.choice(list(fleet.IMAGES)),
                workspace_id=chance.choice(("0", *fleet.WORKSPACES)),
                pool_id=chance.choice((None, *fleet.POOLS)),
                volume=Volume(chance.choice(("EVS", "EFS")), "MANAGED", 5),
                ip=chance.choice((None, "10.0.0.1", "10.0.0.10")),
                create_at=fleet.NOW + chance.randrange(20),
                update_at=fleet.NOW + chance.randrange(20),
                generation=chance.randrange(3),
                **dict(zip(("wanted", "observed"), chance.choice(records.PAIRS), strict=True)),
            ),
            {key: chance.choice(VALUES) for key in TAGS if chance.random() < 0.4},
        )
        for number in range(ROWS)
    ]


FLEET = made_up(random.Random(5))


def fill(connection: Connection) -> None:
    for entry in FLEET:
        rid = fleet.add(connection, entry.notebook)
        for key, value in entry.tags.items():
            connection.execute(insert(schema.notebook_tags).values(rid=rid, key=key, value=value))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Filled once, as nothing here changes it."""
    with fleet.opened(copy_of_template(request, tmp_path_factory.mktemp("page"))) as opened:
        opened.write_now(fill)
        yield opened


# The oracle: plain Python over the same records.


def holds(text: str, part: str | None) -> bool:
    return part is None or part.casefold() in text.casefold()


def equal(value: object, wanted: object) -> bool:
    return wanted is None or value == wanted


def within(moment: int, window: Window) -> bool:
    since = window.since is None or moment >= window.since
    return since and (window.until is None or moment < window.until)


def billed(notebook: Notebook) -> set[str]:
    if status_of(notebook) is not Status.RUNNING:
        return set()
    return {"COMPUTE", "STORAGE"} if notebook.volume.category == "EVS" else {"COMPUTE"}


def asks_billing(query: Query) -> set[str]:
    if query.billing is None:
        return set()
    return {"COMPUTE", "STORAGE"} if query.billing is Billing.ALL else {query.billing.value}


def matches(entry: Entry, query: Query) -> bool:
    n = entry.notebook
    status = status_of(n)
    return all(
        (
            n.project_id == query.project_id,
            status in query.statuses if query.statuses else status is not Status.DELETED,
            query.granted is None or n.workspace_id in query.granted,
            within(n.create_at, query.created),
            within(n.update_at, query.updated),
            equal(n.owner_id, query.owner_id),
            equal(n.feature, query.feature),
            equal(n.workspace_id, query.workspace_id),
            equal(n.id, query.id),
            equal(n.image_id, query.image_id),
            equal(n.pool_id, query.pool_id),
            equal(n.ip, query.ip),
            asks_billing(query) <= billed(n),
            all(
                t.key in entry.tags and (t.value is None or entry.tags[t.key] == t.value) for t in query.tags
            ),
            holds(n.name, query.name),
            holds(n.flavor, query.flavor),
            holds(n.description, query.description),
            holds(fleet.IMAGES[n.image_id], query.swr_path),
            holds(fleet.USERS[n.owner_id], query.username),
            holds(fleet.POOLS.get(n.pool_id or "", ""), query.pool_name),
        )
    )


def rank(notebook: Notebook, key: SortKey) -> Any:
    return status_of(notebook).value if key is SortKey.STATUS else getattr(notebook, key.value)


def expected(query: Query) -> tuple[int, list[str]]:
    found = [(place, entry.notebook) for place, entry in enumerate(FLEET) if matches(entry, query)]
    found.sort(
        key=lambda item: (*(rank(item[1], key) for key in query.sort), item[0]), reverse=query.descending
    )
    rows = found[query.offset : query.offset + query.limit]
    return len(found), [notebook.id for _, notebook in rows]


def answered(database: Database, query: Query, directory: Directory | None = None) -> tuple[int, list[str]]:
    directory = directory or Directory()
    page = database.read_now(listing.page, directory, query)
    # The form for short work says the same, or that it is not for it; so does the one prepared for the next.
    assert database.read_now(listing.bounded_page, directory, query) in (page, None)
    prepared = database.read_now(listing.prepare, directory, query)
    if prepared is not None:
        assert database.statement_now(prepared.page) == (page if page.rows else None)
    return page.total, [row.id for row in page.rows]


def maybe(*values: object) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


def parts(texts: tuple[str, ...]) -> st.SearchStrategy[str | None]:
    """Nothing, a part of one of the texts in any case, or a text that tries to be a pattern."""
    whole = st.sampled_from([text for text in texts if text])
    cut = st.tuples(whole, st.integers(0, 9), st.integers(1, 9)).map(lambda t: t[0][t[1] :][: t[2]] or t[0])
    cased = st.tuples(cut, st.sampled_from([str, str.upper, str.lower])).map(lambda t: t[1](t[0]))
    return st.none() | cased | st.sampled_from(["%", "_", "\\", "%%", "*", "'", "ſ", "nowhere"])


SOME_ID = st.sampled_from([entry.notebook.id for entry in FLEET[:20]])
MOMENTS = st.none() | st.integers(fleet.NOW - 1, fleet.NOW + 21)
WINDOWS = st.just(ANY_TIME) | st.builds(Window, MOMENTS, MOMENTS)
QUERIES = st.builds(
    Query,
    project_id=st.sampled_from([*fleet.PROJECTS, *fleet.PROJECTS[:1] * 4, "r"]),
    owner_id=maybe(*fleet.USERS, "nobody"),
    feature=maybe("NOTEBOOK", "DEFAULT", "CODELAB"),
    workspace_id=maybe(*fleet.WORKSPACES, "c" * 32),
    statuses=st.lists(st.sampled_from(Status), max_size=4, unique=True).map(tuple)
    | st.sampled_from([(one,) for one in Status]),
    granted=st.none() | st.frozensets(st.sampled_from((*fleet.WORKSPACES, "c" * 32))),
    created=WINDOWS,
    updated=WINDOWS,
    id=st.none() | st.none() | st.none() | SOME_ID,
    image_id=maybe(*fleet.IMAGES, "none"),
    pool_id=maybe(*fleet.POOLS, "pool-9"),
    ip=maybe("10.0.0.1", "10.0.0"),
    billing=maybe(*Billing),
    tags=st.lists(st.builds(Tag, st.sampled_from((*TAGS, "none")), maybe(*VALUES)), max_size=3).map(tuple),
    name=parts(NAMES),
    flavor=parts(FLAVORS),
    description=parts(DESCRIPTIONS),
    swr_path=parts(tuple(fleet.IMAGES.values())),
    pool_name=parts(tuple(fleet.POOLS.values())),
    username=parts(tuple(fleet.USERS.values())),
    sort=st.lists(st.sampled_from(SortKey), min_size=1, max_size=3, unique=True).map(tuple),
    descending=st.booleans(),
    offset=st.integers(0, 20) | st.integers(0, ROWS + 50) | st.just(10**18),
    limit=st.integers(1, 60) | st.just(1000),
)
NOT_FILTERS = ("project_id", "sort", "descending", "offset", "limit", "after")
NOTHING: dict[str, Any] = {"tags": (), "statuses": (), "created": ANY_TIME, "updated": ANY_TIME}
FILTERS = [name for name in Query.__dataclass_fields__ if name not in NOT_FILTERS]


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """All filters at once match nothing: mostly one to three of them."""
    query = draw(QUERIES)
    kept = draw(st.sets(st.sampled_from(FILTERS), max_size=3) | st.just(set(FILTERS)))
    return replace(query, **{name: NOTHING.get(name) for name in FILTERS if name not in kept})


laws = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


@given(query=queries())
@laws
def test_total_and_rows_are_those_of_the_oracle(database: Database, query: Query) -> None:
    assert answered(database, query) == expected(query)


@given(query=queries())
@laws
def test_so_they_are_where_dense_matches_are_counted_first(database: Database, query: Query) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "_WORTH_A_PROBE", 0)
        assert answered(database, query) == expected(query)


@given(query=queries(), limit=st.integers(1, 60))
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
    assert empty == [(Status.INIT,), (Status.SNAPSHOTTING,), (Status.FROZEN,)]


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
    by_id = {entry.notebook.id: entry.notebook for entry in FLEET}
    page = database.read_now(listing.page, Directory(), ALL)
    numbers = {row.id: row.number for row in page.rows}

    def row(connection: Connection, notebook: Notebook) -> listing.Row:
        image = fleet.image(notebook.image_id, fleet.IMAGES[notebook.image_id])
        return listing.Row(
            numbers[notebook.id],
            notebook.create_at,
            notebook.id,
            notebook.generation,
            STATUS[status_of(notebook)],
            notebook.owner_id,
            fleet.USERS[notebook.owner_id],
            documents.encode(notebook, image),
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

"""A list says nothing about notebooks that its reader may not see: not a row, not a number, not an order.

Each answer is held against a rule written here anew, and against the answer of a second store in which there
never was anything but what this reader may see. What cannot be told from that store has not leaked.
"""

import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from nbfleet.domain import access
from nbfleet.domain.access import BUILT_IN, Caller, Role, Scope
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Place, Query, SortKey
from nbfleet.domain.notebook import Notebook
from nbfleet.store import listing, schema
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from support import fleet, oracle
from support.oracle import Entry
from support.templates import copy_of, copy_of_template

ROWS = 300
MADE = oracle.made_up(random.Random(9), ROWS)
IDS = [notebook.id for notebook in MADE]
ME, PROJECT = fleet.OWNER, fleet.PROJECTS[0]
GRANTS: tuple[frozenset[str] | None, ...] = (
    None,
    frozenset(),
    frozenset({"0"}),
    frozenset({fleet.WORKSPACES[1]}),
    frozenset({oracle.UNKNOWN}),
    frozenset(fleet.WORKSPACES[1:]),
    frozenset({*fleet.WORKSPACES, oracle.UNKNOWN}),
)
CALLERS = [
    Caller(ME, fleet.USERS[ME], PROJECT, role, "d" * 32, "domain", granted)
    for role, granted in itertools.product(BUILT_IN.values(), GRANTS)
]
TABLES = (schema.notebook_tags, schema.documents, schema.instances, schema.notebooks)


def is_visible(notebook: Notebook, caller: Caller) -> bool:
    """The rule: one's own project; a member its own notebooks only; everybody in granted workspaces only."""
    if notebook.project_id != caller.project_id:
        return False
    if caller.role is not Role.ADMINISTRATOR and notebook.owner_id != caller.user_id:
        return False
    return caller.granted is None or notebook.workspace_id in caller.granted


def owner_asked_for(query: Query, caller: Caller, scope: Scope) -> str | None:
    """Whose notebooks are wished for: the owner counts for administrators only."""
    if caller.role is not Role.ADMINISTRATOR:
        return None
    if query.owner_id is None and scope is Scope.OWN:
        return caller.user_id
    return query.owner_id


@dataclass(frozen=True)
class Stores:
    """The whole fleet, and for each caller in order of CALLERS what is left of it for that one."""

    entries: list[Entry]
    full: Database
    left: list[Database]

    def visible(self, caller: Caller) -> list[Entry]:
        return [one for one in self.entries if is_visible(one.notebook, caller)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    url = copy_of_template(request, tmp_path_factory.mktemp("leaks"))
    with fleet.opened(url) as full:
        numbers = full.write_now(fill)
    with ExitStack() as stack:

        def copied() -> Database:
            return stack.enter_context(fleet.opened(copy_of(request, url, tmp_path_factory.mktemp("copy"))))

        made = Stores(
            [oracle.entry(number, one) for number, one in zip(numbers, MADE, strict=True)],
            copied(),
            [copied() for _ in CALLERS],
        )
        for caller, left in zip(CALLERS, made.left, strict=True):
            left.write_now(leave, [one.number for one in made.visible(caller)])
        yield made


def fill(connection: Connection) -> list[int]:
    return [fleet.add(connection, notebook) for notebook in MADE]


def leave(connection: Connection, numbers: list[int]) -> None:
    """Takes all other notebooks away. The numbers stay as they are: they are part of the answers."""
    for table in TABLES:
        connection.execute(delete(table).where(table.c.rid.not_in(numbers)))


def read(database: Database, query: Query) -> listing.Page:
    page = database.read_now(listing.page, Directory(), query)
    oracle.agree(database, Directory(), query, page)
    return replace(page, rows=list(page.rows))


def check(stores: Stores, number: int, query: Query, scope: Scope) -> None:
    caller = CALLERS[number]
    narrowed = access.narrow(query, caller, scope)
    page = read(stores.full, narrowed)
    visible = stores.visible(caller)
    owner = owner_asked_for(query, caller, scope)
    asked = replace(query, project_id=PROJECT, granted=None, owner_id=owner)
    assert (page.total, [row.id for row in page.rows]) == oracle.expected(visible, asked)
    assert {row.id for row in page.rows} - {one.notebook.id for one in visible} == set()
    assert read(stores.left[number], narrowed) == page


PLACES = st.none() | st.builds(
    Place, st.integers(fleet.NOW - 1, fleet.NOW + oracle.MOMENTS), st.integers(0, ROWS + 1)
)
CASES = {
    "number": st.integers(0, len(CALLERS) - 1),
    "query": oracle.queries(IDS),
    "scope": st.sampled_from(Scope),
}
laws = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@given(**CASES)
@laws
def test_no_query_tells_of_what_its_reader_may_not_see(
    stores: Stores, number: int, query: Query, scope: Scope
) -> None:
    check(stores, number, query, scope)


@given(**CASES)
@laws
def test_nor_where_dense_matches_are_counted_first(
    stores: Stores, number: int, query: Query, scope: Scope
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "_WORTH_A_PROBE", 0)
        check(stores, number, query, scope)


@given(**CASES, place=PLACES)
@laws
def test_nor_a_walk_from_any_place(
    stores: Stores, number: int, query: Query, scope: Scope, place: Place | None
) -> None:
    """The place may be that of a notebook that the reader may not see."""
    check(stores, number, replace(query, sort=(SortKey.CREATE_AT,), offset=0, after=place), scope)


ALL = Query(feature=None, workspace_id=None, limit=1000)


@pytest.mark.parametrize("number", range(len(CALLERS)))
def test_every_owner_workspace_and_status_by_itself(stores: Stores, number: int) -> None:
    """What a counter knows is asked for most often, with a filter or two of the kinds that could be a way
    around what is granted."""
    queries = [
        replace(ALL, owner_id=owner, workspace_id=workspace, statuses=statuses)
        for owner in (None, *fleet.USERS, "nobody")
        for workspace in (None, *fleet.WORKSPACES, oracle.UNKNOWN)
        for statuses in ((), (Status.DELETED,), tuple(Status))
    ]
    for query, scope in itertools.product(queries, Scope):
        check(stores, number, query, scope)


@pytest.mark.parametrize("number", range(len(CALLERS)))
def test_no_id_finds_what_is_not_seen(stores: Stores, number: int) -> None:
    """Whatever else is asked: an id that exists and one that does not give the same answer."""
    visible = {one.notebook.id for one in stores.visible(CALLERS[number])}
    for notebook in MADE[:100]:
        query = replace(ALL, id=notebook.id, statuses=tuple(Status), owner_id=notebook.owner_id)
        page = read(stores.full, access.narrow(query, CALLERS[number], Scope.ALL))
        found = [row.id for row in page.rows]
        assert (page.total, found) == ((1, [notebook.id]) if notebook.id in visible else (0, []))


@pytest.mark.parametrize("number", range(len(CALLERS)))
def test_every_order_of_what_is_seen(stores: Stores, number: int) -> None:
    for key, descending, offset in itertools.product(SortKey, (True, False), (0, 5, 40)):
        check(
            stores,
            number,
            replace(ALL, sort=(key,), descending=descending, offset=offset, limit=7),
            Scope.ALL,
        )


def test_the_stores_are_what_their_callers_may_see(stores: Stores) -> None:
    """The fleet has what matters: for every caller something to hide, and for most something to show."""

    def ids(connection: Connection) -> list[str]:
        return list(
            connection.execute(select(schema.notebooks.c.id).order_by(schema.notebooks.c.rid)).scalars()
        )

    assert stores.full.read_now(ids) == IDS
    for caller, left in zip(CALLERS, stores.left, strict=True):
        assert left.read_now(ids) == [one.notebook.id for one in stores.visible(caller)]
        assert left.read_now(fleet.counters) == left.read_now(fleet.recount)
    sizes = [len(stores.visible(caller)) for caller in CALLERS]
    assert [size == 0 for size in sizes] == [
        caller.granted in (frozenset(), frozenset({oracle.UNKNOWN})) for caller in CALLERS
    ]
    assert max(sizes) < ROWS

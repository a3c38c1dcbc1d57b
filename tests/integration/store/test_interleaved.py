"""Lists between writes, against plain Python kept in step: counters and indexes follow every change.

Lists over a fleet that rests are in `test_page`. Here notebooks are added, changed and deleted between the
queries, so that what was counted or sorted before has to be right again after each commit. The long form asks
as many queries as NBFLEET_SOAK_QUERIES says, with one write to ten of them.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from nbfleet.domain.listing import Query, SortKey
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.store import listing, notebooks, schema
from nbfleet.store.database import Connection, Database, Unavailable
from nbfleet.store.directory import Directory
from support import fleet, oracle
from support.oracle import Entry, Form
from support.templates import copy_of_template

LONG = settings.get_current_profile_name() == "soak"
QUERIES_IN_ALL = int(os.environ.get("NBFLEET_SOAK_QUERIES", "1_000_000"))
DATABASES = ("sqlite", "postgresql")
QUERIES = 5_000 if LONG else 300  # In one run, on a fleet of its own.
RUNS = max(QUERIES_IN_ALL // QUERIES // len(DATABASES), 1) if LONG else 4
ROWS = (300,) * 9 + (3_000 if LONG else 1_000,)  # In each run as many as one of these says.
FORMS = 100 if LONG else 30  # Of queries, in one run.
TABLES = (schema.notebook_tags, schema.documents, schema.instances, schema.notebooks)
PROGRESS = 10_000
PLANS = 50  # Ways that are kept for later.


@dataclass
class Tally:
    """What was done in all runs on both databases, told as it grows in the long form."""

    tell: Callable[[object], None]
    queries: int = 0
    writes: int = 0
    walks: int = 0
    differences: int = 0

    def count_query(self) -> None:
        self.queries += 1
        if self.queries % PROGRESS == 0:
            self.tell(self)

    def __str__(self) -> str:
        return (
            f"{self.queries} queries and {self.walks} walks between {self.writes} writes: "
            f"{self.differences} differences"
        )


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(what: object) -> None:
        if LONG:
            with capture.global_and_fixture_disabled():
                print(f"\n{what}", end="", flush=True)

    made = Tally(tell)
    yield made
    tell(f"Result: {made}")


@pytest.fixture(scope="module", params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with fleet.opened(copy_of_template(request, tmp_path_factory.mktemp("interleaved"))) as opened:
        yield opened


@dataclass
class Fleet:
    """The same notebooks twice: in the database, and in memory in order of their numbers."""

    database: Database
    chance: random.Random
    tally: Tally
    directory: Directory = field(default_factory=Directory)
    entries: list[Entry] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)
    plans: list[tuple[Query, listing.Prepared]] = field(default_factory=list)
    added: int = 0

    def fill(self, rows: int) -> None:
        """In place of the fleet of the run before."""
        made = oracle.made_up(self.chance, rows)

        def write(connection: Connection) -> list[int]:
            for table in TABLES:
                connection.execute(delete(table))
            return [fleet.add(connection, notebook) for notebook in made]

        numbers = self.database.write_now(write)
        self.entries = [oracle.entry(number, one) for number, one in zip(numbers, made, strict=True)]
        self.ids = [notebook.id for notebook in made]
        self.added, self.plans = rows, []
        self.forms = [oracle.a_form(self.chance) for _ in range(FORMS)]

    # Writes, each in a transaction of its own.

    def change(self) -> Entry:
        """One random write; answers what it has made of its notebook."""
        self.tally.writes += 1
        what = self.chance.choice((self._add, self._save, self._save, self._delete))
        return what()

    def _add(self) -> Entry:
        made = oracle.one_made_up(self.chance, self.added)
        number = self.database.write_now(notebooks.add, self.directory, made, fleet.NOW)
        self.added += 1
        self.entries.append(oracle.entry(number, made))
        self.ids.append(made.id)
        return self.entries[-1]

    def _save(self) -> Entry:
        groups = self.chance.sample(oracle.CHANGES, self.chance.choice((1, 1, 2, 4)))
        return self._replace(**{name: new for group in groups for name, new in group(self.chance).items()})

    def _delete(self) -> Entry:
        return self._replace(wanted=Wanted.DELETED, observed=Observed.GONE)

    def _replace(self, **fields: Any) -> Entry:
        place = self.chance.randrange(len(self.entries))
        before = self.entries[place]
        after = replace(before.notebook, **fields)
        assert self.database.write_now(save, before.notebook.id, after) == before.notebook
        self.entries[place] = oracle.entry(before.number, after)
        return self.entries[place]

    # Reads, each compared with the oracle.

    def page(self, query: Query) -> listing.Page:
        page = self.database.read_now(listing.page, self.directory, query)
        self._compare(query, page)
        bounded = self.database.read_now(listing.bounded_page, self.directory, query)
        assert bounded in (page, None)
        prepared = self.database.read_now(listing.prepare, self.directory, query)
        if prepared is not None:
            self.plans = [*self.plans[-PLANS:], (query, prepared)]
        return page

    def ask_again(self) -> None:
        """By a way that was found before some of the writes: it may be long by now, but not wrong."""
        if self.plans:
            query, plan = self.chance.choice(self.plans)
            try:
                page = self.database.statement_now(plan.page)
            except Unavailable:
                # On a machine that is busy a glance may end before it has seen anything: as in the service,
                # the answer then comes the long way.
                page = self.database.read_now(listing.page, self.directory, query)
            if page is not None:
                self._compare(query, page)
            else:
                assert (plan.offset > 0, oracle.expected(self.entries, query)[1]) == (True, [])

    def _compare(self, query: Query, page: listing.Page) -> None:
        self.tally.count_query()
        found = (page.total, [row.id for row in page.rows])
        wanted = oracle.expected(self.entries, query)
        self.tally.differences += found != wanted
        assert found == wanted, query

    def ask(self) -> None:
        self.page(self._query())

    def _query(self) -> Query:
        return oracle.a_query(self.chance, self.ids, self.chance.choice(self.forms))

    def walk(self) -> None:
        """From marker to marker, with writes between the pages. What was there all the time is met once; the
        rest, at most once."""
        self.tally.walks += 1
        query, throughout = self._worth_a_walk()
        met: list[str] = []
        while True:
            page = self.page(query)
            met.extend(row.id for row in page.rows)
            if len(page.rows) < query.limit:
                break
            query = replace(query, after=page.rows[-1].place)
            for _ in range(self.chance.randrange(3)):
                changed = self.change()
                if not oracle.matching([changed], query):
                    throughout.discard(changed.notebook.id)
        assert len(set(met)) == len(met)
        assert throughout - set(met) == set()

    def _worth_a_walk(self) -> tuple[Query, set[str]]:
        """A query for some pages, if one is found soon, and the ids of what it matches."""
        for _ in range(20):
            query = replace(self._query(), sort=(SortKey.CREATE_AT,), offset=0)
            found = {one.notebook.id for one in oracle.matching(self.entries, query)}
            if len(found) > 4:
                break
        return replace(query, limit=len(found) // self.chance.choice((2, 3, 5, 10)) + 1), found


def save(connection: Connection, notebook_id: str, after: Notebook) -> Notebook:
    """Answers what was stored before."""
    stored = notebooks.find(connection, notebook_id, lock=True)
    assert stored is not None
    notebooks.save(connection, stored, after, fleet.NOW)
    return stored.notebook


def run(made: Fleet, queries: int) -> None:
    """One write to ten queries; walks write between their pages."""
    end = made.tally.queries + queries
    while made.tally.queries < end:
        kind = made.chance.randrange(60)
        if kind == 0:
            made.walk()
        elif made.tally.writes * 10 < made.tally.queries:
            made.change()
        elif kind < 40:
            made.ask_again()
        else:
            made.ask()


@pytest.mark.soak
@given(seed=st.integers(0, 2**64 - 1))
@settings(
    max_examples=RUNS,
    deadline=None,
    database=None,
    phases=(Phase.generate,),  # A smaller seed is no simpler one.
    suppress_health_check=list(HealthCheck),
)
def test_lists_between_writes_are_those_of_the_oracle(database: Database, tally: Tally, seed: int) -> None:
    made = Fleet(database, random.Random(seed), tally)
    made.fill(made.chance.choice(ROWS))
    with pytest.MonkeyPatch.context() as patch:
        if made.chance.random() < 0.5:
            patch.setattr(listing, "_WORTH_A_PROBE", 0)  # As if these fleets were large.
        run(made, QUERIES)
    assert database.read_now(fleet.counters) == database.read_now(fleet.recount)

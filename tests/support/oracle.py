"""The list in plain Python: made-up fleets, made-up queries, and what a list must answer to them.

It is written from the words of the contract, as plainly as it can be without being slow: a long run asks it a
million times. A fleet has few different values of everything, so that many are equal; times too. Chance is a
`random.Random` everywhere: a seed then repeats a long run, and Hypothesis can stand in for it.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from hypothesis import strategies as st

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import Billing, Query, SortKey, Tag, Window
from nbfleet.domain.notebook import Notebook, Volume
from nbfleet.store import listing
from nbfleet.store.database import Database
from nbfleet.store.directory import Directory
from support import fleet, records

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
FEATURES = ("NOTEBOOK", "NOTEBOOK", "DEFAULT")
IPS = (None, "10.0.0.1", "10.0.0.10")
TAGS = ("team", "Team", "团队", "a b")
VALUES = ("vision", "Vision", "", "1/2", "视觉")
MOMENTS = 20  # So many different times there are.
UNKNOWN = "c" * 32  # A workspace that does not exist.

Answer = tuple[int, list[str]]  # The total, and the ids of the page in order.


@dataclass(frozen=True)
class Names:
    """What is shown, and looked for, in place of an id."""

    users: Mapping[str, str]
    images: Mapping[str, str]  # Their paths.
    pools: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A notebook with what is asked about it, worked out once. `number` is its place in order of creation."""

    number: int
    notebook: Notebook
    status: Status
    tags: dict[str, str]
    billed: frozenset[str]
    texts: dict[str, str]  # What parts are looked for in, without its case.


def entry(number: int, notebook: Notebook, names: Names | None = None) -> Entry:
    names = names or Names(fleet.USERS, fleet.IMAGES, fleet.POOLS)
    texts = {
        "name": notebook.name,
        "flavor": notebook.flavor,
        "description": notebook.description,
        "swr_path": names.images[notebook.image_id],
        "username": names.users[notebook.owner_id],
        "pool_name": names.pools.get(notebook.pool_id or "", ""),
    }
    folded = {name: text.casefold() for name, text in texts.items()}
    return Entry(number, notebook, status_of(notebook), dict(notebook.tags), _billed(notebook), folded)


def _billed(notebook: Notebook) -> frozenset[str]:
    if status_of(notebook) is not Status.RUNNING:
        return frozenset()
    return frozenset({"COMPUTE", "STORAGE"} if notebook.volume.category == "EVS" else {"COMPUTE"})


# Made-up fleets.


def made_up(chance: random.Random, rows: int) -> list[Notebook]:
    return [one_made_up(chance, number) for number in range(rows)]


def one_made_up(chance: random.Random, number: int) -> Notebook:
    made = fleet.notebook(
        number,
        id=f"{chance.getrandbits(32):08x}-0000-4000-8000-{number:012x}",
        project_id=chance.choice(fleet.PROJECTS[:1] * 4 + fleet.PROJECTS[1:]),
        owner_id=chance.choice(list(fleet.USERS)),
        image_id=chance.choice(list(fleet.IMAGES)),
        workspace_id=chance.choice(("0", *fleet.WORKSPACES)),
        pool_id=chance.choice((None, *fleet.POOLS)),
        volume=Volume(chance.choice(("EVS", "EFS")), "MANAGED", 5),
        create_at=fleet.NOW + chance.randrange(MOMENTS),
    )
    return replace(made, **{name: make for group in CHANGES for name, make in group(chance).items()})


# What can change about a notebook, in groups of fields that change together.
CHANGES: tuple[Callable[[random.Random], dict[str, Any]], ...] = (
    lambda chance: {"name": chance.choice(NAMES)},
    lambda chance: {"description": chance.choice(DESCRIPTIONS)},
    lambda chance: {"feature": chance.choice(FEATURES)},
    lambda chance: {"flavor": chance.choice(FLAVORS)},
    lambda chance: {"ip": chance.choice(IPS)},
    lambda chance: {"update_at": fleet.NOW + chance.randrange(MOMENTS)},
    lambda chance: {"generation": chance.randrange(3)},
    lambda chance: dict(zip(("wanted", "observed"), chance.choice(records.PAIRS), strict=True)),
    lambda chance: {"tags": _some_tags(chance)},
)


def _some_tags(chance: random.Random) -> tuple[tuple[str, str], ...]:
    return tuple((key, chance.choice(VALUES)) for key in sorted(TAGS) if chance.random() < 0.4)


# What a list must answer.

Check = Callable[[Entry], bool]
_EXACT = ("owner_id", "feature", "workspace_id", "id", "image_id", "pool_id", "ip")
_FUZZY = ("name", "flavor", "description", "swr_path", "username", "pool_name")
_RANKS: dict[SortKey, Callable[[Entry], Any]] = {
    **{key: attrgetter(f"notebook.{key.value}") for key in SortKey if key is not SortKey.STATUS},
    SortKey.STATUS: attrgetter("status.value"),
}


def expected(entries: Sequence[Entry], query: Query) -> Answer:
    """`entries` stand in order of their numbers, which decides between what is equal otherwise."""
    found = matching(entries, query)
    total = len(found)
    for key in reversed(query.sort):
        found.sort(key=_RANKS[key])
    if query.descending:
        found.reverse()
    if query.after is not None:
        found = [one for one in found if _is_behind(one, query)]
    rows = found[query.offset : query.offset + query.limit]
    return total, [one.notebook.id for one in rows]


def matching(entries: Sequence[Entry], query: Query) -> list[Entry]:
    """What the list holds on all its pages together."""
    found = list(entries)
    for check in _checks(query):
        found = [one for one in found if check(one)]
    return found


def _is_behind(one: Entry, query: Query) -> bool:
    if query.after is None:
        return True
    here, place = (one.notebook.create_at, one.number), (query.after.create_at, query.after.number)
    return here < place if query.descending else here > place


def _checks(query: Query) -> Iterator[Check]:
    yield lambda one: one.notebook.project_id == query.project_id
    if query.statuses:
        yield lambda one: one.status in query.statuses
    else:
        yield lambda one: one.status is not Status.DELETED
    if (granted := query.granted) is not None:
        yield lambda one: one.notebook.workspace_id in granted
    yield from (_equals(name, getattr(query, name)) for name in _EXACT if getattr(query, name) is not None)
    yield from (_holds(name, getattr(query, name)) for name in _FUZZY if getattr(query, name) is not None)
    yield from (_has(tag) for tag in query.tags)
    yield from _within("create_at", query.created)
    yield from _within("update_at", query.updated)
    if query.billing is not None:
        asked = {"COMPUTE", "STORAGE"} if query.billing is Billing.ALL else {query.billing.value}
        yield lambda one: asked <= one.billed


def _equals(name: str, wanted: str) -> Check:
    value = attrgetter(name)
    return lambda one: value(one.notebook) == wanted


def _holds(name: str, part: str) -> Check:
    folded = part.casefold()
    return lambda one: folded in one.texts[name]


def _has(tag: Tag) -> Check:
    return lambda one: tag.key in one.tags and tag.value in (None, one.tags[tag.key])


def _within(name: str, window: Window) -> Iterator[Check]:
    moment = attrgetter(name)
    if (since := window.since) is not None:
        yield lambda one: moment(one.notebook) >= since
    if (until := window.until) is not None:
        yield lambda one: moment(one.notebook) < until


# Made-up queries.


def a_part(chance: random.Random, texts: Sequence[str]) -> str:
    """A part of one of the texts in any case, or a text that tries to be a pattern."""
    if chance.randrange(4) == 3:
        return chance.choice(("%", "_", "\\", "%%", "*", "'", "ſ", "nowhere"))
    whole = chance.choice([text for text in texts if text])
    cut = whole[chance.randrange(10) :][: 1 + chance.randrange(9)] or whole
    return chance.choice((str, str.upper, str.lower))(cut)


def _window(chance: random.Random) -> Window:
    bounds = (fleet.NOW - 1 + chance.randrange(MOMENTS + 2) if chance.randrange(3) else None for _ in "12")
    return Window(*bounds)


def _statuses(chance: random.Random) -> tuple[Status, ...]:
    return tuple(chance.sample(list(Status), chance.choice((1, 1, 2, 3, 4))))


def _tags(chance: random.Random) -> tuple[Tag, ...]:
    def tag() -> Tag:
        return Tag(chance.choice((*TAGS, "none")), chance.choice((None, *VALUES)))

    return tuple(tag() for _ in range(1 + chance.randrange(3)))


def _grants(chance: random.Random) -> frozenset[str]:
    workspaces = (*fleet.WORKSPACES, UNKNOWN)
    return frozenset(chance.sample(workspaces, chance.randrange(len(workspaces) + 1)))


def _part_of(texts: Sequence[str]) -> Callable[[random.Random], str]:
    return lambda chance: a_part(chance, texts)


def _one_of(*values: Any) -> Callable[[random.Random], Any]:
    return lambda chance: chance.choice(values)


FILTERS: dict[str, Callable[[random.Random], Any]] = {
    "owner_id": _one_of(*fleet.USERS, "nobody"),
    "feature": _one_of("NOTEBOOK", "DEFAULT", "CODELAB"),
    "workspace_id": _one_of(*fleet.WORKSPACES, UNKNOWN),
    "statuses": _statuses,
    "granted": _grants,
    "created": _window,
    "updated": _window,
    "image_id": _one_of(*fleet.IMAGES, "none"),
    "pool_id": _one_of(*fleet.POOLS, "pool-9"),
    "ip": _one_of("10.0.0.1", "10.0.0"),
    "billing": _one_of(*Billing),
    "tags": _tags,
    "name": _part_of(NAMES),
    "flavor": _part_of(FLAVORS),
    "description": _part_of(DESCRIPTIONS),
    "swr_path": _part_of(tuple(fleet.IMAGES.values())),
    "pool_name": _part_of(tuple(fleet.POOLS.values())),
    "username": _part_of(tuple(fleet.USERS.values())),
}


@dataclass(frozen=True)
class Form:
    """What a query asks about and in which order, without the values. Statements are kept for each, so a long
    run asks many queries of a few forms."""

    filters: tuple[str, ...]
    sort: tuple[SortKey, ...]
    descending: bool


def a_form(chance: random.Random) -> Form:
    """All filters at once match nothing: mostly there are few."""
    names = (*FILTERS, "id")
    return Form(
        tuple(chance.sample(names, chance.choice((0, 1, 1, 1, 2, 2, 3, 3, 5, len(names))))),
        tuple(chance.sample(list(SortKey), chance.choice((1, 1, 2, 3)))),
        chance.random() < 0.5,
    )


def a_query(chance: random.Random, ids: Sequence[str], form: Form | None = None) -> Query:
    """`ids`: of notebooks that may be asked for."""
    form = form or a_form(chance)
    filters = {name: chance.choice(ids) if name == "id" else FILTERS[name](chance) for name in form.filters}
    small, large = chance.randrange(21), chance.randrange(len(ids) + 50)
    return Query(
        project_id=chance.choice((*fleet.PROJECTS[:1] * 6, *fleet.PROJECTS[1:], "r")),
        sort=form.sort,
        descending=form.descending,
        offset=chance.choice((0, 0, 0, 0, small, small, large, 10**18)),
        limit=chance.choice((1 + chance.randrange(60), 1 + chance.randrange(60), 1000)),
        **{"owner_id": None, "feature": None, "workspace_id": None} | filters,
    )


def queries(ids: Sequence[str]) -> st.SearchStrategy[Query]:
    return st.randoms(use_true_random=False).map(lambda chance: a_query(chance, ids))


def agree(database: Database, directory: Directory, query: Query, page: listing.Page) -> None:
    """The form for short work says the same, or that it is not for it; so does the one for the next time."""
    assert database.read_now(listing.bounded_page, directory, query) in (page, None)
    prepared = database.read_now(listing.prepare, directory, query)
    if prepared is not None:
        assert database.statement_now(prepared.page) == (page if page.rows or not query.offset else None)


def answered(database: Database, query: Query, directory: Directory | None = None) -> Answer:
    directory = directory or Directory()
    page = database.read_now(listing.page, directory, query)
    agree(database, directory, query, page)
    return page.total, [row.id for row in page.rows]

"""Tags in use, against plain Python over one made-up fleet; both ways to find them give the same."""

import itertools
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import Query
from nbfleet.domain.notebook import Notebook
from nbfleet.store import tags
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from support import fleet, oracle

MADE = oracle.made_up(random.Random(5), 200)
MANY = 10_000
SOME = st.none() | st.sampled_from([frozenset[str](), frozenset({"0"}), frozenset({"a" * 32, "c" * 32})])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    from support.templates import copy_of_template  # noqa: PLC0415

    url = copy_of_template(request, tmp_path_factory.mktemp("tags"))
    with fleet.opened(url) as database:

        def fill(connection: Connection) -> None:
            for notebook in MADE:
                fleet.add(connection, notebook)

        database.write_now(fill)
        yield database


def expected(query: Query) -> list[tuple[str, str]]:
    def is_found(notebook: Notebook) -> bool:
        return (
            status_of(notebook) is not Status.DELETED
            and notebook.project_id == query.project_id
            and query.owner_id in (None, notebook.owner_id)
            and query.workspace_id in (None, notebook.workspace_id)
            and (query.granted is None or notebook.workspace_id in query.granted)
        )

    return sorted(set(itertools.chain.from_iterable(one.tags for one in MADE if is_found(one))))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    owner=st.none() | st.sampled_from(list(fleet.USERS)),
    workspace=st.none() | st.sampled_from([*fleet.WORKSPACES, oracle.UNKNOWN]),
    project=st.sampled_from([*fleet.PROJECTS, "z" * 32]),
    granted=SOME,
    few=st.sampled_from([0, tags.FEW]),
)
def test_those_of_what_is_found_and_no_others(
    filled: Database, owner: str | None, workspace: str | None, project: str,
    granted: frozenset[str] | None, few: int,
) -> None:  # fmt: skip
    query = Query(project, granted, owner, feature=None, workspace_id=workspace)
    found = filled.read_now(tags.in_use, Directory(), query, MANY, few)
    assert found == expected(query)


@pytest.mark.parametrize("few", [0, tags.FEW])
def test_no_more_than_asked_for(filled: Database, few: int) -> None:
    query = Query(fleet.PROJECTS[0], feature=None, workspace_id=None)
    everything = expected(query)
    assert len(everything) > 7
    assert filled.read_now(tags.in_use, Directory(), query, 7, few) == everything[:7]

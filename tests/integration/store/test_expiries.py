"""Which leases end next: the same answer on both ways to it."""

from dataclasses import replace

import pytest

from nbfleet.domain import lease as leases
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query
from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.store import expiries, notebooks
from nbfleet.store.expiries import Expiry
from support import make
from support.make import OTHER, OWNER, PROJECT, T0
from support.stores import FOREIGN, USERS, WORKSPACES, Store

HOUR = 3_600_000
QUERY = Query(project_id=PROJECT, feature=None, workspace_id=None, statuses=(Status.RUNNING,))


def add(store: Store, hours: int, **fields: object) -> Expiry:
    given: dict[str, object] = {
        "wanted": Wanted.RUNNING,
        "observed": Observed.RUNNING,
        "lease": leases.opened(hours * HOUR, T0),
    }
    made = make.notebook(**given | fields)
    store.database.write_now(notebooks.add, store.directory, made, None)
    return Expiry(made.id, made.name, made.owner_id, USERS[made.owner_id], T0 + hours * HOUR)


@pytest.mark.parametrize("few", [0, 1000])
def test_the_soonest_that_the_reader_may_see(store: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(expiries, "_FEW", few)
    last, first = add(store, 9), add(store, 1, owner_id=OTHER, name="first")
    second, third = add(store, 2), add(store, 3, workspace_id=WORKSPACES[1])
    add(store, 1, project_id=FOREIGN)
    add(store, 1, wanted=Wanted.STOPPED)
    add(store, 1, wanted=Wanted.STOPPED, observed=Observed.STOPPED)
    add(store, 1, lease=replace(leases.opened(HOUR, T0), enable=False))

    def asked(limit: int = 9, **fields: object) -> list[Expiry]:
        query = replace(QUERY, **fields)  # pyright: ignore[reportArgumentType]
        return list(store.database.read_now(expiries.next_of, store.directory, query, limit))

    assert asked() == [first, second, third, last]
    assert asked(2) == [first, second]
    assert asked(owner_id=OWNER) == [second, third, last]
    assert asked(owner_id=OTHER) == [first]
    assert asked(granted=frozenset({"0"})) == [first, second, last]
    assert asked(granted=frozenset({WORKSPACES[1]}), owner_id=OTHER) == []
    assert asked(granted=frozenset()) == []
    assert asked(project_id="0" * 32) == []

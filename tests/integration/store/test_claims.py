"""Claims: one holder at a time, and a holder that lost its claim changes nothing."""

import asyncio
from dataclasses import replace

import pytest

from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.store import claims, notebooks
from support import make
from support.make import T0
from support.stores import Store

PERIOD = 15_000


def add(store: Store, count: int = 1, *, due_at: int = T0, **fields: object) -> list[Notebook]:
    made = [make.notebook(**fields) for _ in range(count)]
    for one in made:
        store.database.write_now(notebooks.add, store.directory, one, due_at)
    return made


def claim(store: Store, word: str, now: int = T0, starts: int = 99, others: int = 99) -> list[str]:
    taken = store.database.write_now(claims.claim_due, word, now, now + PERIOD, starts, others)
    return [one.notebook.id for one in taken]


def held(store: Store, word: str, one: Notebook) -> bool:
    return store.database.write_now(claims.held, word, one.id) is not None


def rid(store: Store, one: Notebook) -> int:
    found = store.database.read_now(notebooks.find, one.id)
    assert found is not None
    return found.rid


def test_two_claimants_never_get_the_same_row(store: Store) -> None:
    made = add(store, 60)

    async def run() -> list[list[notebooks.Stored]]:
        calls = [
            store.database.write(claims.claim_due, f"word {n}", T0, T0 + PERIOD, 7, 7) for n in range(12)
        ]
        return await asyncio.gather(*calls)

    taken = [stored.notebook.id for group in asyncio.run(run()) for stored in group]
    assert len(taken) == len(set(taken)) >= 54
    rest = claim(store, "last")
    assert sorted(taken + rest) == sorted(one.id for one in made)


def test_the_longest_due_come_first_and_what_is_not_due_does_not_come(store: Store) -> None:
    late, early = add(store, due_at=T0 - 1), add(store, due_at=T0 - 5)
    add(store, due_at=T0 + 1)
    add(store, wanted=Wanted.STOPPED, observed=Observed.STOPPED)
    assert claim(store, "a", starts=1) == [early[0].id]
    assert claim(store, "a") == [late[0].id]
    assert claim(store, "a") == []


def test_starts_and_others_have_room_of_their_own(store: Store) -> None:
    starts = add(store, 3)
    stops = add(store, 3, wanted=Wanted.STOPPED, observed=Observed.RUNNING, due_at=T0)
    assert claim(store, "a", starts=1, others=2) == [starts[0].id, stops[0].id, stops[1].id]
    assert store.database.read_now(claims.is_due, T0, 1, 0) is True
    assert claim(store, "a", starts=0, others=9) == [stops[2].id]
    assert store.database.read_now(claims.is_due, T0, 0, 9) is False
    assert store.database.read_now(claims.is_due, T0, 0, 0) is False
    assert claim(store, "a", starts=0, others=0) == []
    assert claim(store, "a") == [starts[1].id, starts[2].id]
    assert store.database.read_now(claims.is_due, T0, 9, 9) is False


def test_a_claim_holds_until_its_end_and_can_then_be_taken_over(store: Store) -> None:
    (one,) = add(store)
    assert claim(store, "a") == [one.id]
    assert claim(store, "b", T0 + PERIOD - 1) == []
    assert held(store, "a", one)
    assert claim(store, "b", T0 + PERIOD) == [one.id]
    assert (held(store, "a", one), held(store, "b", one)) == (False, True)


def test_a_renewed_claim_holds_for_longer_and_a_lost_one_cannot_be_renewed(store: Store) -> None:
    (one,) = add(store)
    number = rid(store, one)
    claim(store, "a")
    assert store.database.write_now(claims.renew, "a", number, T0 + 2 * PERIOD) is True
    assert claim(store, "b", T0 + 2 * PERIOD - 1) == []
    assert claim(store, "b", T0 + 2 * PERIOD) == [one.id]
    assert store.database.write_now(claims.renew, "a", number, T0 + 9 * PERIOD) is False
    assert held(store, "b", one)


def test_a_released_notebook_is_due_again_when_its_holder_said(store: Store) -> None:
    (one,) = add(store)
    claim(store, "a")
    store.database.write_now(claims.release, "a", rid(store, one), T0 + 500)
    assert not held(store, "a", one)
    assert claim(store, "b", T0 + 499) == []
    assert claim(store, "b", T0 + 500) == [one.id]
    store.database.write_now(claims.release, "a", rid(store, one), T0)
    assert held(store, "b", one)


def test_a_claim_ends_when_its_notebook_comes_to_rest(store: Store) -> None:
    (one,) = add(store)
    claim(store, "a")
    found = store.database.read_now(notebooks.find, one.id)
    assert found is not None
    store.database.write_now(notebooks.save, found, replace(one, progress=None, name="still"), T0)
    assert held(store, "a", one)
    found = store.database.read_now(notebooks.find, one.id)
    assert found is not None
    ready = replace(found.notebook, observed=Observed.RUNNING)
    store.database.write_now(notebooks.save, found, ready, T0)
    assert not held(store, "a", one)


def test_a_claim_shows_until_it_is_given_back(store: Store) -> None:
    (one,) = add(store)

    def claimed() -> bool:
        found = store.database.read_now(notebooks.find, one.id)
        assert found is not None
        return found.claimed

    assert not claimed()
    claim(store, "a")
    # Nothing asks for the time: whoever let its claim expire may have begun.
    assert claimed()
    store.database.write_now(claims.release, "a", rid(store, one), T0)
    assert not claimed()


def test_one_notebook_is_taken_whatever_it_does(store: Store) -> None:
    (one,) = add(store, observed=Observed.RUNNING)
    take = lambda word, now: store.database.write_now(claims.take, word, one.id, now, now + PERIOD)  # noqa: E731
    found = store.database.read_now(notebooks.find, one.id)
    assert take("a", T0) == found
    assert take("b", T0 + 1) is None
    assert found is not None
    # What is asked for meanwhile is written, and waits.
    stopping = replace(one, wanted=Wanted.STOPPED)
    store.database.write_now(notebooks.save, found, stopping, T0 + 2)
    assert claim(store, "c", T0 + 3) == []
    store.database.write_now(claims.drop, "b", found.rid)
    assert held(store, "a", one)
    store.database.write_now(claims.drop, "a", found.rid)
    assert claim(store, "c", T0 + 3) == [one.id]
    assert take("d", T0 + 3 + PERIOD) == notebooks.Stored(found.rid, stopping, claimed=True)
    assert store.database.write_now(claims.take, "d", "absent", T0, T0 + 1) is None


def test_all_claims_can_be_forgotten(store: Store) -> None:
    made = add(store, 3)
    claim(store, "a")
    store.database.write_now(claims.release_all)
    assert sorted(claim(store, "b")) == sorted(one.id for one in made)


def test_running_notebooks_come_in_order_of_creation(store: Store) -> None:
    made = add(store, 5, observed=Observed.RUNNING)
    add(store, 2, observed=Observed.ERROR)
    first = store.database.read_now(claims.running, 0, 3)
    second = store.database.read_now(claims.running, first[-1].rid, 3)
    found = [(one.notebook_id, one.generation, one.handle) for one in (*first, *second)]
    assert found == [(one.id, one.generation, one.handle) for one in made]


@pytest.mark.parametrize(("later", "expired"), [(-1, False), (0, True), (1, True)])
def test_leases_expire_at_their_deadline(store: Store, later: int, expired: bool) -> None:
    (one,) = add(store, observed=Observed.RUNNING)
    moment = T0 + 3_600_000
    assert store.database.read_now(claims.next_expiry) == moment
    assert store.database.read_now(claims.expired, moment + later, 9) == ([one.id] if expired else [])


def test_nothing_expires_that_does_not_run(store: Store) -> None:
    add(store, observed=Observed.NEW)
    assert store.database.read_now(claims.next_expiry) is None
    assert store.database.read_now(claims.expired, T0 + 10**12, 9) == []

"""What was already carried out is found again, for its user in its project only."""

import pytest

from nbfleet.store import idempotency
from nbfleet.store.database import Conflict
from nbfleet.store.idempotency import Entry
from support import make
from support.make import T0
from support.stores import FOREIGN, Store

ENTRY = Entry(b"d" * 32, "some-notebook")


def add(store: Store, project: str = make.PROJECT, user: str = make.OWNER, now: int = T0) -> None:
    store.database.write_now(idempotency.add, store.directory, project, user, "key", ENTRY, now)


def test_a_key_is_found_by_its_user_in_its_project(store: Store) -> None:
    add(store)
    found = [
        store.database.read_now(idempotency.find, project, user, key)
        for project in (make.PROJECT, FOREIGN)
        for user in (make.OWNER, make.OTHER)
        for key in ("key", "Key")
    ]
    assert found == [ENTRY, None, None, None, None, None, None, None]


def test_a_key_is_used_once(store: Store) -> None:
    add(store)
    with pytest.raises(Conflict):
        add(store)
    add(store, user=make.OTHER)
    add(store, project=FOREIGN)


def test_old_keys_are_forgotten(store: Store) -> None:
    add(store, now=T0)
    add(store, user=make.OTHER, now=T0 + 1)
    store.database.write_now(idempotency.forget, T0 + 1)
    found = [
        store.database.read_now(idempotency.find, make.PROJECT, user, "key")
        for user in (make.OWNER, make.OTHER)
    ]
    assert found == [None, ENTRY]

"""Numbers that stand for ids are never given twice: what was read once is remembered for good."""

from nbfleet.store import identity
from support.stores import Store


def test_a_new_user_does_not_get_the_number_of_a_deleted_one(store: Store) -> None:
    database = store.database
    account_id, _ = database.read_now(identity.list_accounts)[0]
    first = database.write_now(identity.add_user, "1" * 32, "first", account_id, "scrypt:00:00", 0)
    database.write_now(identity.delete_user, first)
    second = database.write_now(identity.add_user, "2" * 32, "second", account_id, "scrypt:00:00", 0)
    assert second > first

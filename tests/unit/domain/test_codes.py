"""Sorting by the number is sorting by the word."""

from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Billing
from nbfleet.store.codes import BILLING, COMPUTE, FEATURE, STATUS, STATUS_OF, STORAGE


def test_numbers_of_statuses_rise_with_their_words() -> None:
    assert sorted(STATUS, key=STATUS.__getitem__) == sorted(Status, key=lambda status: status.value)
    assert len(set(STATUS.values())) == len(STATUS) == len(Status)
    assert {STATUS_OF[code]: code for code in STATUS.values()} == STATUS


def test_numbers_of_features_rise_with_their_words() -> None:
    assert sorted(FEATURE, key=FEATURE.__getitem__) == sorted(FEATURE)


def test_all_of_the_bill_is_both_parts() -> None:
    assert BILLING == {Billing.COMPUTE: COMPUTE, Billing.STORAGE: STORAGE, Billing.ALL: COMPUTE | STORAGE}
    assert COMPUTE & STORAGE == 0

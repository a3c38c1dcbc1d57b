"""Which quotas limit anything, and when something is too much."""

import pytest

from nbfleet.domain import quotas
from nbfleet.domain.quotas import (
    EVERY_USER,
    MOST,
    THE_PROJECT,
    UNLIMITED,
    Holder,
    Quota,
    Resource,
    Subject,
)

ME, LAB = Subject(Holder.USER, 7), Subject(Holder.WORKSPACE, 3)


@pytest.mark.parametrize(
    ("value", "allowed"),
    [(-2, False), (-1, True), (0, False), (1, True), (MOST, True), (MOST + 1, False)],
)
def test_a_quota_is_positive_or_unlimited(value: int, allowed: bool) -> None:
    assert quotas.is_value(value) is allowed


def test_what_is_said_of_a_user_takes_the_place_of_what_is_said_of_every_user() -> None:
    everybody = [Quota(EVERY_USER, Resource.INSTANCES, 3), Quota(EVERY_USER, Resource.STORAGE, 100)]
    assert quotas.in_force([*everybody, Quota(ME, Resource.INSTANCES, 9)]) == [
        Quota(ME, Resource.INSTANCES, 9), Quota(EVERY_USER, Resource.STORAGE, 100),
    ]  # fmt: skip
    assert quotas.in_force([*everybody, Quota(ME, Resource.INSTANCES, UNLIMITED)]) == [everybody[1]]
    assert quotas.in_force(everybody) == everybody


def test_each_holder_limits_for_itself() -> None:
    given = [Quota(one, Resource.VCPUS, n) for n, one in enumerate((THE_PROJECT, ME, LAB), start=1)]
    assert quotas.in_force(given) == given
    assert quotas.in_force([Quota(LAB, Resource.VCPUS, UNLIMITED)]) == []


@pytest.mark.parametrize(
    ("used", "asked", "exceeds"),
    [(0, 2, False), (0, 3, True), (1.5, 0.5, False), (1.9, 0.1, False), (1.9, 0.11, True), (5, 1, True)],
)
def test_a_quota_may_be_used_up_but_not_passed(used: float, asked: float, exceeds: bool) -> None:
    assert quotas.exceeds(Quota(ME, Resource.VCPUS, 2), used, asked) is exceeds

"""The auto-stop clock: the published numbers, and the laws they are examples of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.domain.lease import DEFAULT_PERIOD, OFF, Range, deadline, opened, renewed, restarted
from nbfleet.domain.notebook import Lease, LeaseType

HOUR = 3_600_000
CREATED = 1_638_841_805_439
PERIODS = st.integers(Range().minimum, Range().maximum)
TIMES = st.integers(0, 2**42)


def test_the_published_numbers_of_one_notebook() -> None:
    lease = opened(HOUR, CREATED)
    assert lease == Lease(CREATED, CREATED, HOUR, HOUR, enable=True, type=LeaseType.TIMING)
    moments = {
        27_372: 3_627_372,
        1_057_544: 4_657_544,
        2_599_814: 6_199_814,
        2_940_099: 6_540_099,
    }
    for passed, duration in moments.items():
        lease = renewed(lease, HOUR, CREATED + passed)
        assert (lease.update_at - lease.create_at, lease.duration) == (passed, duration)


@pytest.mark.parametrize(("passed", "duration"), [(2_727_212, 6_327_212), (1_713_106, 5_313_106)])
def test_the_published_start_and_stop_examples(passed: int, duration: int) -> None:
    lease = renewed(opened(HOUR, CREATED), HOUR, CREATED + passed)
    assert (lease.update_at - lease.create_at, lease.duration) == (passed, duration)


@given(TIMES, PERIODS, st.sampled_from(LeaseType))
def test_a_new_lease_ends_a_period_after_it_was_opened(now: int, period: int, kind: LeaseType) -> None:
    lease = opened(period, now, kind)
    assert (deadline(lease), lease.type, lease.enable) == (now + period, kind, True)


@given(TIMES, PERIODS | st.just(OFF), st.integers(0, 10**10), PERIODS)
def test_the_deadline_is_the_moment_of_renewal_and_the_period(
    now: int, first: int, later: int, period: int
) -> None:
    lease = renewed(opened(first, now), period, now + later)
    assert deadline(lease) == now + later + period
    assert (lease.create_at, lease.update_at, lease.period) == (now, now + later, period)


@given(TIMES, st.lists(st.tuples(st.integers(0, 10**8), PERIODS | st.just(OFF)), min_size=1, max_size=6))
def test_renewal_replaces_and_does_not_add(now: int, renewals: list[tuple[int, int]]) -> None:
    lease, moment = opened(HOUR, now), now
    for passed, period in renewals:
        moment += passed
        lease = renewed(lease, period, moment)
    assert lease == renewed(opened(HOUR, now), renewals[-1][1], moment)


@given(TIMES, PERIODS | st.just(OFF), st.integers(0, 10**10))
def test_being_ready_starts_the_clock_again(now: int, period: int, later: int) -> None:
    lease = opened(period, now)
    assert restarted(lease, now + later) == renewed(lease, period, now + later)


@given(TIMES, PERIODS, st.integers(0, 10**10))
def test_without_auto_stop_there_is_no_deadline(now: int, period: int, later: int) -> None:
    switched_off = renewed(opened(period, now), OFF, now + later)
    assert switched_off == Lease(now, now + later, OFF, OFF, enable=False)
    assert [deadline(switched_off), deadline(opened(OFF, now))] == [None, None]
    assert opened(OFF, now) == Lease(now, now, OFF, OFF, enable=False)
    assert deadline(restarted(switched_off, now + later + 1)) is None


@pytest.mark.parametrize(
    ("period", "held"),
    [
        (3_599_999, False),
        (3_600_000, True),
        (259_200_000, True),
        (259_200_001, False),
        (OFF, True),
        (0, False),
        (-2, False),
    ],
)
def test_the_range_of_the_contract(period: int, held: bool) -> None:
    assert Range().holds(period) is held


def test_a_laboratory_may_lower_the_minimum() -> None:
    allowed = Range(minimum=1000, maximum=2000)
    held = [period for period in (OFF, 0, 999, 1000, 2000, 2001) if allowed.holds(period)]
    assert held == [OFF, 1000, 2000]


def test_silence_means_an_hour() -> None:
    assert DEFAULT_PERIOD == HOUR

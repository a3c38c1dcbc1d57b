"""When a failed try is told, in which words, and for how long it counts."""

import pytest

from nbfleet.domain import tries
from nbfleet.domain.lifecycle import Effect, Event

SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (TimeoutError("processes that cannot be killed: 7"), "processes that cannot be killed: 7"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (FileNotFoundError(2, "No such file or directory", "/srv/secret"), "No such file or directory"),
        (TimeoutError(), "TimeoutError"),
        (ValueError(" \n\t"), "ValueError"),
        (RuntimeError("first\nSELECT secrets\nfrom everywhere"), "first"),
        (RuntimeError(f"refused ?token={SECRET}&a={SECRET}"), "refused ?token=…&a=…"),
        (RuntimeError("nul\0 and \u202eturned \ud800"), "nul\ufffd and \ufffdturned \ufffd"),
        (RuntimeError("x" * 500), "x" * 500),
        (RuntimeError("x" * 501), "x" * 499 + "…"),
    ],
)
def test_a_cause_is_one_harmless_line(fault: Exception, told: str) -> None:
    assert tries.cause(fault, SECRET) == told


def test_the_first_failure_is_told_and_then_ever_fewer() -> None:
    told = {number: tries.told(number, "busy") for number in range(1, 2001)}
    assert {number: text for number, text in told.items() if text is not None} == {
        1: "busy",
        10: "It failed 10 times; the last cause: busy",
        100: "It failed 100 times; the last cause: busy",
        1000: "It failed 1000 times; the last cause: busy",
    }


def test_each_effect_has_a_word_and_each_turn_ends_what_was_told() -> None:
    assert {effect: tries.retried(effect) for effect in Effect} == {
        Effect.START: "start retried",
        Effect.STOP: "stop retried",
        Effect.REMOVE: "remove retried",
        Effect.GROW: "grow retried",
    }
    assert set(tries.TELLING) - set(tries.RETRIES) == {*Event, "grown", "grow failed"}

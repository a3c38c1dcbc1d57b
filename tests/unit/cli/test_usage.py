"""Figures of a notebook as blocks and words."""

import pytest

from nbfleet.cli.usage import busy_between, plot, size
from nbfleet.wire.extensions import NotebookUsage


def used(at: int, cpu_seconds: float) -> NotebookUsage:
    return NotebookUsage(at=at, cpu_seconds=cpu_seconds, memory_bytes=0)


def test_the_newest_value_stands_at_the_right_end() -> None:
    assert plot([0, 8, 16, 24, 32], 32) == [
        " " * 59 + "█",
        " " * 58 + "██",
        " " * 57 + "███",
        " " * 56 + "████",
    ]
    assert plot([1, 12, 99], 32) == [" " * 59 + "█", " " * 59 + "█", " " * 58 + "▄█", " " * 57 + "▁██"]
    assert plot([0, 0], 0) == ["", "", "", ""]


def test_how_busy_it_is_follows_from_two_answers() -> None:
    assert busy_between(used(1000, 2.0), used(3000, 5.0)) == 1.5
    # Time of processes that ended may be missing from the later one.
    assert busy_between(used(1000, 5.0), used(3000, 2.0)) == 0.0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (300 * 1024**2, "300 MiB"),
        (1024**3, "1.0 GiB"),
        (1536 * 1024**2, "1.5 GiB"),
        (2048 * 1024**3, "2048.0 GiB"),
    ],
)
def test_sizes_have_one_unit(value: int, told: str) -> None:
    assert size(value) == told

"""How values look: numbers of a fleet of any size, amounts and memory."""

import pytest

from nbfleet.console import shown


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (999, "999"), (1000, "1\u202f000"), (1_000_000, "1\u202f000\u202f000")],
)
def test_digits_stand_in_groups(value: int, told: str) -> None:
    assert shown.number(value) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.5, "0.5"),
        (2.0, "2"),
        (1234.567, "1\u202f234.57"),
        (1_000_000.0, "1\u202f000\u202f000"),
    ],
)
def test_amounts_have_two_decimals_at_most(value: float, told: str) -> None:
    assert shown.amount(value) == told


@pytest.mark.parametrize(
    ("mebibytes", "told"),
    [
        (512, "512 MiB"),
        (1024, "1 GiB"),
        (1536, "1.5 GiB"),
        (2_048_000_000, "2\u202f000\u202f000 GiB"),
    ],
)
def test_memory_is_told_in_gibibytes_from_one_on(mebibytes: int, told: str) -> None:
    assert shown.memory(mebibytes) == told

"""The geometry of drawings, by numbers."""

import pytest

from nbfleet.console import charts
from nbfleet.console.charts import Bar, Bars, Scale, Stack


@pytest.mark.parametrize(
    ("highest", "lowest", "ticks"),
    [
        (0, 0, (1, 0)),
        (1, 0, (1, 0)),
        (4, 0, (4, 3, 2, 1, 0)),
        (5, 0, (6, 4, 2, 0)),
        (100, 0, (100, 50, 0)),
        (101, 0, (150, 100, 50, 0)),
        (15_234, 0, (20_000, 15_000, 10_000, 5_000, 0)),
        (7, -3, (10, 5, 0, -5)),
        (0, -2, (0, -1, -2)),
        (3, -120, (50, 0, -50, -100, -150)),
    ],
)
def test_axes_have_few_round_numbers(highest: int, lowest: int, ticks: tuple[int, ...]) -> None:
    scale = charts.scale_for(highest, lowest)
    assert scale.ticks == ticks
    assert scale.lines == tuple(round(200 * place / (len(ticks) - 1), 1) for place in range(len(ticks)))


def test_layers_stand_upon_each_other_and_what_is_missing_is_not_drawn() -> None:
    moments = [0, 10, 20, 50, 60]
    layers = [[1, 2, 3, 4, 5], [0] * 5, [5, 5, 5, 5, 5]]
    lowest = "M0 180L166.7 160L333.3 140M833.3 120L1000 100"
    highest = "M0 80L166.7 60L333.3 40M833.3 20L1000 0"
    assert charts.stacked(moments, layers, 0, 60, 10) == Stack(
        Scale(0, 10, 5),
        [
            "M0 180L166.7 160L333.3 140L333.3 200L166.7 200L0 200ZM833.3 120L1000 100L1000 200L833.3 200Z",
            "",
            "M0 80L166.7 60L333.3 40L333.3 140L166.7 160L0 180ZM833.3 20L1000 0L1000 100L833.3 120Z",
        ],
        [lowest, lowest, highest],
    )


def test_one_moment_is_no_line() -> None:
    assert charts.stacked([60], [[3], [4]], 0, 60, 10) == Stack(Scale(0, 8, 2), ["", ""], ["", ""])


def test_bars_go_up_and_down_from_one_line() -> None:
    assert charts.two_way([3, 0], [0, 2]) == Bars(
        Scale(-2, 4, 2),
        [Bar(70, 33.3, 360, 100), Bar(570, 133.3, 360, 0)],
        [Bar(70, 133.3, 360, 0), Bar(570, 133.3, 360, 66.7)],
    )


def test_a_share_stays_within_the_whole() -> None:
    assert [charts.share(*one) for one in ((1, 3), (5, 4), (-1, 4), (1, 0))] == [33.3, 100, 0, 0]

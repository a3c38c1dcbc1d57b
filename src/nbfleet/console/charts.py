"""From numbers to geometry: what the drawings of pages are made of.

Pure functions. A drawing is WIDTH by HEIGHT and is stretched to its place by the browser, so nothing in here
is text: axes are told beside the drawing, evenly spaced, as round numbers are.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 200
_LINES = 4  # At most so many lines above the lowest one.
_GAP = 2.5  # Steps without a sample, from which on nothing is drawn between two.
_BAR = 0.72  # Of the place of a bar, the rest is free.
_ROUND = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high`, both multiples of `step`."""

    low: int
    high: int
    step: int

    @property
    def ticks(self) -> tuple[int, ...]:
        """The round numbers, the highest first."""
        return tuple(range(self.high, self.low - 1, -self.step))

    @property
    def lines(self) -> tuple[float, ...]:
        """Where the round numbers are, from above."""
        return tuple(self.at(tick) for tick in self.ticks)

    def at(self, value: float) -> float:
        """The distance of a value from the upper edge."""
        return _tidy((self.high - value) * HEIGHT / (self.high - self.low))


def scale_for(highest: float, lowest: float = 0) -> Scale:
    """The smallest scale of few round numbers that holds both and 0; `lowest` is 0 or less."""
    step = _step((highest - lowest) / _LINES)
    low, high = math.floor(lowest / step) * step, math.ceil(highest / step) * step
    return Scale(low, high if high > low else low + step, step)


def _step(rough: float) -> int:
    """The next round whole number."""
    if rough <= 1:
        return 1
    power = 10 ** math.floor(math.log10(rough))
    return int(next(digit * power for digit in _ROUND if digit * power >= rough))


@dataclass(frozen=True, slots=True)
class Stack:
    """`areas` are the paths of the layers, the lowest first; `edges` those of their upper borders."""

    scale: Scale
    areas: Sequence[str]
    edges: Sequence[str]


def stacked(
    moments: Sequence[int], layers: Sequence[Sequence[int]], since: int, until: int, step: int
) -> Stack:
    """Layers upon each other. Each layer has one value for each moment; the moments rise, and where they are
    much further apart than `step` nothing is drawn."""
    tops = [
        list(column)
        for column in zip(*(itertools.accumulate(one) for one in zip(*layers, strict=True)), strict=True)
    ]
    scale = scale_for(max((max(top) for top in tops), default=0))
    across = [_tidy((moment - since) * WIDTH / (until - since)) for moment in moments]
    heights = [[scale.at(value) for value in row] for row in ([0] * len(moments), *tops)]
    pieces = _pieces(moments, step * _GAP)
    areas = [_area(across, under, over, pieces) for under, over in itertools.pairwise(heights)]
    return Stack(scale, areas, [_edge(across, over, pieces) for over in heights[1:]])


def _pieces(moments: Sequence[int], gap: float) -> list[range]:
    """Which moments hang together."""
    ends = [place for place in range(1, len(moments)) if moments[place] - moments[place - 1] > gap]
    bounds = [0, *ends, len(moments)]
    return [range(start, end) for start, end in itertools.pairwise(bounds) if end - start > 1]


def _area(across: Sequence[float], under: Sequence[float], over: Sequence[float], pieces: list[range]) -> str:
    """Empty for a layer that is nowhere higher than the one below."""
    if list(under) == list(over):
        return ""
    return "".join(
        _line([(across[i], over[i]) for i in piece] + [(across[i], under[i]) for i in reversed(piece)]) + "Z"
        for piece in pieces
    )


def _edge(across: Sequence[float], over: Sequence[float], pieces: list[range]) -> str:
    return "".join(_line([(across[i], over[i]) for i in piece]) for piece in pieces)


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


@dataclass(frozen=True, slots=True)
class Bar:
    """`height` is 0 where there is nothing to draw."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    scale: Scale
    ups: Sequence[Bar]
    downs: Sequence[Bar]


def two_way(ups: Sequence[int], downs: Sequence[int]) -> Bars:
    """Two bars for each place, one up and one down from the line of 0."""
    scale = scale_for(max(ups, default=0), -max(downs, default=0))
    place, zero = WIDTH / max(len(ups), 1), scale.at(0)

    def bar(number: int, value: int) -> Bar:
        other = scale.at(value)
        left = _tidy((number + (1 - _BAR) / 2) * place)
        return Bar(left, min(zero, other), _tidy(place * _BAR), _tidy(abs(zero - other)))

    return Bars(
        scale,
        [bar(number, value) for number, value in enumerate(ups)],
        [bar(number, -value) for number, value in enumerate(downs)],
    )


def share(part: float, whole: float) -> float:
    """In hundredths of the whole, between 0 and 100."""
    return 0 if whole <= 0 else _tidy(min(max(part / whole, 0), 1) * 100)


def _tidy(value: float) -> float:
    return round(value, 1)

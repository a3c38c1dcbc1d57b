"""Draws the figures of `kinds`: milliseconds over notebooks, both by powers of ten, as SVG in plain text.

python benchmarks/plot.py FIGURES.json TITLE > docs/kinds.svg
"""

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

Points = Mapping[int, Mapping[str, tuple[float, float]]]

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 230, 50, 360
_PRODUCT, _NAIVE = "#2b7de9", "#e07b39"
_MEAN = "geometric mean"


def _mean(values: list[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


class _Scale:
    """From a value to a place on an axis of powers of ten."""

    def __init__(self, values: list[float], start: float, end: float) -> None:
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.high = max(self.high, self.low + 1)
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self._start + share * (self._end - self._start)

    def powers(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _line(points: list[tuple[float, float]], style: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" {style}/>'


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(text)}</text>'


def _short(value: float) -> str:
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _axes(x: _Scale, y: _Scale) -> list[str]:
    drawn: list[str] = []
    for value in y.powers():
        place = y.at(value)
        drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place:.1f}" y2="{place:.1f}" class="grid"/>'
        )
        drawn.append(_text(LEFT - 8, place + 4, f"{value:g} ms", 'text-anchor="end"'))
    for value in x.powers():
        drawn.append(_text(x.at(value), BOTTOM + 20, _short(value), 'text-anchor="middle"'))
    drawn.append(_text((LEFT + WIDTH - RIGHT) / 2, BOTTOM + 42, "notebooks", 'text-anchor="middle"'))
    return drawn


def _labels(ends: list[tuple[float, str, str]]) -> list[str]:
    """Names beside the ends of lines, pushed apart where they would cover each other."""
    drawn: list[str] = []
    last = -math.inf
    for place, name, colour in sorted(ends):
        last = max(place, last + 14)
        drawn.append(_text(WIDTH - RIGHT + 8, last + 4, name, f'style="fill:{colour}"'))
    return drawn


def drawn(points: Points, title: str) -> str:
    """Each kind of the product as a thin line, the means of both schemas as thick ones."""
    sizes = sorted(points)
    product = {kind: [points[size][kind][0] for size in sizes] for kind in points[sizes[0]]}
    ours = [_mean([points[size][kind][0] for kind in points[size]]) for size in sizes]
    theirs = [_mean([points[size][kind][1] for kind in points[size]]) for size in sizes]
    everything = [*ours, *theirs, *(value for values in product.values() for value in values)]
    x = _Scale([float(size) for size in sizes], LEFT, WIDTH - RIGHT)
    y = _Scale(everything, BOTTOM, TOP)

    def placed(values: list[float]) -> list[tuple[float, float]]:
        return [(x.at(size), y.at(value)) for size, value in zip(sizes, values, strict=True)]

    thin = [
        _line(placed(values), f'stroke="{_PRODUCT}" stroke-opacity="0.35"') for values in product.values()
    ]
    slowest = sorted(product, key=lambda kind: product[kind][-1])[-4:]
    ends = [
        (y.at(ours[-1]), f"nbfleet, {_MEAN}", _PRODUCT),
        (y.at(theirs[-1]), f"naive schema, {_MEAN}", _NAIVE),
        *((y.at(product[kind][-1]), kind, _PRODUCT) for kind in slowest),
    ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
            "<style>text{font:12px sans-serif;fill:#888}.grid{stroke:#888;stroke-opacity:.25}</style>",
            _text(LEFT, 24, f"19 kinds of list, {title}: p50 in the data layer", 'style="font-size:15px"'),
            *_axes(x, y),
            *thin,
            _line(placed(theirs), f'stroke="{_NAIVE}" stroke-width="3" stroke-dasharray="7 4"'),
            _line(placed(ours), f'stroke="{_PRODUCT}" stroke-width="3"'),
            *_labels(ends),
            "</svg>",
            "",
        )
    )


if __name__ == "__main__":
    read = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print(drawn({int(size): kinds for size, kinds in read.items()}, sys.argv[2]), end="")

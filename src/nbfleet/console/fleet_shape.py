"""Answers about a fleet as drawings: which layers a history has, what an hour's bars are, which groups.

Statuses are drawn by what kind they are, as there are more of them than anybody tells apart. Nothing is
counted here that no answer counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from nbfleet.console import charts
from nbfleet.console.charts import Bar, Scale
from nbfleet.console.shown import number
from nbfleet.console.texts import _, later
from nbfleet.domain import states
from nbfleet.domain.lifecycle import TAKES_ROOM, Status
from nbfleet.wire.extensions import CountNotebooksResponse, NotebookGroup
from nbfleet.wire.history import FleetHistory

_HOUR = 3_600_000
_DAY = 24 * _HOUR
# The layers of a history, the lowest first, and what they are called.
LAYERS: Mapping[str, str] = {
    "running": later("Running"),
    "moving": later("In motion"),
    "failed": later("Failed"),
    "frozen": later("Frozen"),
    "stopped": later("Stopped"),
}
STATUSES: Mapping[str, str] = {
    layer: ",".join(one for one in Status if states.kind(one) == layer and one is not Status.DELETED)
    for layer in LAYERS
}
TAKING = ",".join(one for one in Status if one in TAKES_ROOM)
# Of each kind of failure: the status that a notebook has after it, and what it is called.
FAILURE_STATUS = {"create failed": "CREATE_FAILED", "start failed": "START_FAILED", "died": "ERROR"}
_FAILURE_WORDS = {
    "create failed": later("Could not be created"),
    "start failed": later("Could not be started"),
    "died": later("Ended by itself"),
}
_EVERYTHING = {"feature": "*", "workspace_id": "*"}


def failure_word(event: str) -> str:
    return _(_FAILURE_WORDS[event])


def list_query(query: Mapping[str, Any]) -> str:
    """The query string of the list that has what is counted everywhere: in every workspace, of every kind."""
    return urlencode({**query, **_EVERYTHING}, safe="*,")


@dataclass(frozen=True, slots=True)
class Layer:
    """`now` is how many there are, `least` and `most` how many there were."""

    key: str
    name: str
    area: str
    edge: str
    now: int
    least: int
    most: int

    def words(self) -> str:
        """For those who do not see the drawing."""
        counts = {"now": self.now, "least": self.least, "most": self.most}
        words = {"name": _(self.name), **{word: number(count) for word, count in counts.items()}}
        return _("%(name)s: %(now)s now, %(least)s to %(most)s before.") % words


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table beside a drawing; `values` are those of the layers."""

    at: int
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class OverTime:
    """`layers` the lowest first; the last one, of what is stopped, is drawn by itself with the scale `still`,
    because it would leave no height for the others. Nothing is drawn where `is_empty`: one moment is no
    history."""

    hours: int
    scale: Scale
    still: Scale
    layers: Sequence[Layer]
    rows: Sequence[Row]
    is_empty: bool

    def words(self) -> str:
        return " ".join(layer.words() for layer in self.layers if layer.most)


def over_time(history: FleetHistory, counts: CountNotebooksResponse) -> OverTime:
    """The samples, and what there is now as the last of them."""
    now = _by_layer({group.key: group.count for group in counts.groups})
    seen = [(one.at, _by_layer({s.value: n for s, n in one.counts.items()})) for one in history.samples]
    seen = [*(one for one in seen if history.since <= one[0] < history.until), (history.until, now)]
    moments = [at for at, _ in seen]
    values = {layer: [one[layer] for _, one in seen] for layer in LAYERS}
    *active, stopped = values.values()
    span = (history.since, history.until, history.step)
    drawn, still = charts.stacked(moments, active, *span), charts.stacked(moments, [stopped], *span)
    hours = (history.until - history.since) // _HOUR
    layers = _layers(values, [*drawn.areas, *still.areas], [*drawn.edges, *still.edges])
    return OverTime(hours, drawn.scale, still.scale, layers, _rows(seen, hours), not any(still.edges))


def _by_layer(counts: Mapping[str, int]) -> dict[str, int]:
    found = dict.fromkeys(LAYERS, 0)
    for status, count in counts.items():
        found[states.kind(status)] += count
    return found


def _layers(values: Mapping[str, Sequence[int]], areas: Sequence[str], edges: Sequence[str]) -> list[Layer]:
    return [
        Layer(key, LAYERS[key], area, edge, of_layer[-1], min(of_layer), max(of_layer))
        for (key, of_layer), area, edge in zip(values.items(), areas, edges, strict=True)
    ]


def _rows(seen: Sequence[tuple[int, Mapping[str, int]]], hours: int) -> list[Row]:
    """The first sample of each hour, or of each day where there are many hours, the newest first."""
    every = _HOUR if hours <= 48 else _DAY
    firsts = {at // every: (at, counts) for at, counts in reversed(seen)}
    return [Row(at, list(counts.values())) for at, counts in firsts.values()]


@dataclass(frozen=True, slots=True)
class Hour:
    """What happened in the hour from `at` on, with its two bars."""

    at: int
    started: int
    ready: int
    failed: int
    stopped: int
    up: Bar
    down: Bar

    @property
    def window(self) -> Mapping[str, int]:
        """For a list of what changed last in this hour."""
        return {"updated_since": self.at, "updated_until": self.at + _HOUR}


@dataclass(frozen=True, slots=True)
class Activity:
    """`hours` the oldest first, each one of the time that was asked for."""

    scale: Scale
    hours: Sequence[Hour]
    started: int
    ready: int
    failed: int
    stopped: int


def activity(history: FleetHistory) -> Activity:
    """Starts that came to be ready go up, failures go down."""
    found: dict[tuple[int, str], int] = {(one.since, one.event): one.count for one in history.activity}
    first = history.since - history.since % _HOUR + _HOUR
    hours = range(first, history.until + 1, _HOUR)

    def of(hour: int, *events: str) -> int:
        return sum(found.get((hour, event), 0) for event in events)

    ready = [of(hour, "ready") for hour in hours]
    failed = [of(hour, *FAILURE_STATUS) for hour in hours]
    started = [of(hour, "created", "started") for hour in hours]
    stopped = [of(hour, "stopped", "auto-stopped") for hour in hours]
    bars = charts.two_way(ready, failed)
    made = [
        Hour(*one) for one in zip(hours, started, ready, failed, stopped, bars.ups, bars.downs, strict=True)
    ]
    return Activity(bars.scale, made, sum(started), sum(ready), sum(failed), sum(stopped))


@dataclass(frozen=True, slots=True)
class Group:
    """`share` is in hundredths of the largest."""

    found: NotebookGroup
    share: float


@dataclass(frozen=True, slots=True)
class Groups:
    """The largest groups, and what is in the `others`, of which there are `other_groups`."""

    largest: Sequence[Group]
    others: int
    other_groups: int


def groups(counts: CountNotebooksResponse) -> Groups:
    most = max((one.count for one in counts.groups), default=0)
    largest = [Group(one, charts.share(one.count, most)) for one in counts.groups]
    rest = counts.total - sum(one.count for one in counts.groups)
    return Groups(largest, rest, counts.group_total - len(largest))

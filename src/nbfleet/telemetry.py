"""Logs and metrics: how the service speaks about itself.

Log lines are records with a fixed event and named values. Values that callers chose are cut and escaped
by the renderer below, whatever the place that logs them; headers, queries and bodies are never logged.
"""

import logging
import random
import sys
from collections.abc import MutableMapping
from typing import Any

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_LONGEST = 1024
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_TRUSTED = frozenset({"event", "level", "timestamp", "exception"})
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_START_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300)


def new_request_id() -> str:
    """Unlikely to be given twice; it opens nothing, so it need not be hard to guess."""
    return f"{random.getrandbits(128):032x}"


def configure_logs(level: str, form: str) -> None:
    """`form` is json, text, or auto: text for a terminal, JSON for everything else."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    # The default rendering of exceptions shows local variables, and secrets among them.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer = console if text else structlog.processors.JSONRenderer(_as_json)
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _bounded,
    ]
    if not text:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        # Bytes go out in one system call, text and its end in two.
        logger_factory=structlog.PrintLoggerFactory(sys.stderr)
        if text
        else structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


def _as_json(event: Any, **_options: Any) -> bytes:
    return msgspec.json.encode(event, enc_hook=repr)


def _bounded(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cuts long values and escapes what could forge a line or drive a terminal."""
    for name, value in event.items():
        if isinstance(value, str) and name not in _TRUSTED:
            event[name] = _harmless(value if len(value) <= _LONGEST else value[:_LONGEST] + "…")
    return event


def _harmless(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Metrics:
    """Everything counted, in a registry of its own. Labels have few values; ids are never among them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "nbfleet_request_seconds",
            "Time to answer a request of the API.",
            ["operation", "status"],
            registry=self.registry,
            buckets=_SECONDS,
        )
        # Finding a series by its labels takes longer than counting in it.
        self._request_series: dict[tuple[str, int], Histogram] = {}
        self._gateway = Counter(
            "nbfleet_gateway_requests", "Requests relayed or refused by the gateway.", ["status"],
            registry=self.registry,
        )  # fmt: skip
        self._effects = Counter(
            "nbfleet_effects", "What the reconciler did.", ["effect", "result"], registry=self.registry
        )
        self._starts = Histogram(
            "nbfleet_start_seconds",
            "From the wish for a running notebook to RUNNING.",
            registry=self.registry,
            buckets=_START_SECONDS,
        )
        self._auto_stops = Counter(
            "nbfleet_auto_stops", "Notebooks stopped because their lease ran out.", registry=self.registry
        )
        self._in_hand = Gauge("nbfleet_reconciling", "Notebooks being worked on now.", registry=self.registry)

    def observe_request(self, operation: str, status: int, seconds: float) -> None:
        key = (operation, status)
        series = self._request_series.get(key)
        if series is None:
            series = self._request_series[key] = self._requests.labels(operation, str(status))
        series.observe(seconds)

    def count_gateway(self, status: int) -> None:
        self._gateway.labels(str(status)).inc()

    def count_effect(self, effect: str, result: str) -> None:
        self._effects.labels(effect, result).inc()

    def observe_start(self, seconds: float) -> None:
        self._starts.observe(seconds)

    def count_auto_stop(self) -> None:
        self._auto_stops.inc()

    def set_in_hand(self, number: int) -> None:
        self._in_hand.set(number)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)

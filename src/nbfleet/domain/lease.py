"""The auto-stop clock: what a lease says after each thing that can happen to it.

Pure arithmetic. The range a caller may ask for is passed in, because a laboratory may lower the minimum.
"""

from dataclasses import dataclass, replace

from nbfleet.domain.notebook import Lease, LeaseType

OFF = -1  # The duration that switches auto-stop off.
DEFAULT_PERIOD = 3_600_000
SHORTEST_IDLE = 900_000  # IDLE may be shorter than TIMING.


@dataclass(frozen=True, slots=True)
class Range:
    """Periods a caller may ask for, in milliseconds, both ends included."""

    minimum: int = 3_600_000
    maximum: int = 259_200_000

    @property
    def default(self) -> int:
        """What silence means: an hour, or what is nearest to it in the range."""
        return min(max(DEFAULT_PERIOD, self.minimum), self.maximum)

    def holds(self, period: int) -> bool:
        return period == OFF or self.minimum <= period <= self.maximum


def opened(period: int, now: int, kind: LeaseType = LeaseType.TIMING) -> Lease:
    """The lease of a notebook created now."""
    return Lease(now, now, period, period, enable=period != OFF, type=kind)


def renewed(lease: Lease, period: int, now: int) -> Lease:
    """The clock set to `period` from now on: it replaces what was left and does not add to it."""
    if period == OFF:
        return replace(lease, update_at=now, duration=OFF, period=OFF, enable=False)
    return replace(lease, update_at=now, duration=now - lease.create_at + period, period=period, enable=True)


def restarted(lease: Lease, now: int) -> Lease:
    """The clock once the instance is ready: waiting for it costs its owner nothing."""
    return renewed(lease, lease.period, now)


def deadline(lease: Lease) -> int | None:
    """When the instance must stop; None with auto-stop off. It is due once now >= deadline."""
    return lease.create_at + lease.duration if lease.enable else None

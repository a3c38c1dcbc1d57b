"""What an instance uses of its machine at a moment. Figures only: who measures them is a runtime."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """`cpu_seconds`: the time of processors used since the instance was started; it may fall a little when
    processes end whose parents are gone. `memory_bytes`: resident now; what processes share counts for each
    of them."""

    cpu_seconds: float
    memory_bytes: int

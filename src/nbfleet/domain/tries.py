"""Tries of an effect that failed and are repeated: when the record tells of one, in which words, and for how
long that counts. Pure.

Each try may fail like the one before, for hours where a stop is concerned; so the record tells of the first
and then, ever more seldom, of one that stands for many.
"""

from nbfleet.domain.lifecycle import Effect, Event

GROWN, GROW_FAILED = "grown", "grow failed"  # The ends of the one effect that changes no status.
LONGEST_CAUSE = 500  # Characters.
_TOLD = frozenset({1, 10, 100, 1000})


def retried(effect: Effect) -> str:
    """The word of the record for a try of this effect that failed and is repeated."""
    return f"{effect} retried"


RETRIES = frozenset(map(retried, Effect))
# The newest of these tells how it is going: a try that failed, or that another effect is pending or none.
TELLING = RETRIES | {one.value for one in Event} | {GROWN, GROW_FAILED}


def cause(fault: Exception, secret: str) -> str:
    """What is told of a fault: its first line, for behind that stand statements with their values; without
    the secret of the instance, the paths of files, and what turns text around."""
    words = (isinstance(fault, OSError) and fault.strerror) or str(fault)
    lines = words.replace(secret, "…").strip().splitlines() or [type(fault).__name__]
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in lines[0])
    return text if len(text) <= LONGEST_CAUSE else text[: LONGEST_CAUSE - 1] + "…"


def told(failures: int, cause: str) -> str | None:
    """What the record tells of the last of so many failed tries; None where that is nothing new."""
    if failures not in _TOLD:
        return None
    return cause if failures == 1 else lasting(failures, cause)


def lasting(failures: int, cause: str) -> str:
    return f"It failed {failures} times; the last cause: {cause}"

"""Which failed try a page tells of."""

import pytest
from msgspec import UNSET

from nbfleet.console import story
from nbfleet.wire.extensions import NotebookEvent


def told(*events: str) -> list[NotebookEvent]:
    """As the operation answers them, newest first; the oldest has the number 1."""
    numbered = reversed([*enumerate(events, 1)])
    return [NotebookEvent(id=str(no), at=no, event=event, actor="a", after="X") for no, event in numbered]


@pytest.mark.parametrize(
    ("events", "failed"),
    [
        ([], None),
        (["create", "step"], None),
        (["ready", "stop", "stop retried"], "3"),
        (["stop", "stop retried", "tag", "stop retried", "renew"], "4"),
        (["start", "start retried", "step", "step"], "2"),
        (["stop", "stop retried", "found stopped"], None),
        (["start", "start retried", "step", "start failed"], None),
        (["grow retried", "stop"], None),
        (["ready", "update", "grow retried", "mount", "mounted"], "3"),
        (["ready", "update", "grow retried", "grown"], None),
        (["delete", "remove retried", "remove failed"], None),
    ],
)
def test_a_failed_try_is_told_until_something_else_is_pending(events: list[str], failed: str | None) -> None:
    found = story.failed_try(told(*events))
    assert (None if found is None else found.id) == failed


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ("start retried", "The start did not work yet and is tried again"),
        ("stop retried", "The stop did not work yet and is tried again"),
        ("remove retried", "The removal did not work yet and is tried again"),
        ("grow retried", "The volume has not grown yet, which is tried again"),
    ],
)
def test_a_failed_try_has_words(event: str, word: str) -> None:
    (one,) = told(event)
    assert (story.event_word(one), one.reason) == (word, UNSET)

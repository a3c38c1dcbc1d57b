"""The words of the command line for actions on many notebooks."""

from typing import get_args

from nbfleet.cli.bulk import REASONS
from nbfleet.domain.bulk import Action, Reason, Result
from nbfleet.wire.literals import ActionReason, ActionResult, BulkAction


def test_each_reason_has_words() -> None:
    assert set(REASONS) == set(get_args(ActionReason))


def test_the_wire_has_the_words_of_the_domain() -> None:
    for enumerated, literal in ((Action, BulkAction), (Reason, ActionReason), (Result, ActionResult)):
        assert list(enumerated) == list(get_args(literal))

"""Kept answers: given back while nothing changed, never after."""

from hypothesis import given
from hypothesis import strategies as st

from nbfleet.api.answers import Answers, Questions


def test_an_answer_is_kept_until_the_version_changes() -> None:
    version = (1, 1)
    answers = Answers(lambda: version)
    asked = answers.version()
    assert answers.get("key", asked) is None
    answers.keep("key", asked, b"one")
    assert answers.get("key", answers.version()) == b"one"
    assert answers.get("other", answers.version()) is None
    version = (1, 2)
    assert answers.get("key", answers.version()) is None


def test_an_answer_that_became_stale_while_it_was_made_is_not_kept() -> None:
    version = (1, 1)
    answers = Answers(lambda: version)
    asked = answers.version()
    version = (1, 2)
    answers.version()
    answers.keep("key", asked, b"of before")
    assert answers.get("key", answers.version()) is None


def test_without_a_version_nothing_is_kept() -> None:
    answers = Answers(lambda: None)
    answers.keep("key", answers.version(), b"one")
    assert answers.get("key", answers.version()) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4000)), max_size=60))
def test_it_never_holds_more_than_its_capacity(puts: list[tuple[int, int]]) -> None:
    answers = Answers(lambda: (1, 1), capacity=10_000)
    made: dict[int, bytes] = {}
    for key, size in puts:
        version = answers.version()
        if answers.get(key, version) is None:
            made[key] = bytes(size)
            answers.keep(key, version, made[key])
    kept = [body for key in range(21) if (body := answers.get(key, (1, 1))) is not None]
    # However small they are, each takes some room.
    assert sum(map(len, kept)) + 2048 * len(kept) <= 10_000
    assert all(answers.get(key, (1, 1)) in (None, body) for key, body in made.items())


def test_the_question_that_was_asked_last_is_kept() -> None:
    questions: Questions[str] = Questions(2)
    questions.keep("first", "1")
    questions.keep("second", "2")
    assert questions.get("first") == "1"
    questions.keep("third", "3")
    assert [questions.get(key) for key in ("first", "second", "third")] == ["1", None, "3"]

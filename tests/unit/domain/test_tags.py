"""What tags can be made of, and what is there after a change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.domain import tags

KEYS = st.sampled_from(["a", "b", "Team", "团队", "a b"])
WANTED = st.dictionaries(KEYS, st.sampled_from(["", "1", "1/2"]))


@pytest.mark.parametrize("key", ["a", "团队", "क्षेत्र", "a b", "_.:=+-@", "x" * 128, "_sys", "٣"])
def test_can_be_a_key(key: str) -> None:
    assert tags.is_key(key)


@pytest.mark.parametrize(
    "key",
    ["", " a", "a ", "_sys_a", "a/b", "a,b", "a|b", "a*", "a#", "a\tb", "x" * 130, "½", "🐍", '"'],
)
def test_cannot_be_a_key(key: str) -> None:
    assert not tags.is_key(key)


def test_what_can_be_a_value() -> None:
    assert [tags.is_value(text) for text in ("", " ", "a/b", "_sys_", "x" * 255)] == [True] * 5
    assert [tags.is_value(text) for text in ("a,b", "a|b", "\n", "x" * 256, "½")] == [False] * 5


@given(WANTED, WANTED)
def test_setting_is_what_a_dictionary_does(before: dict[str, str], wanted: dict[str, str]) -> None:
    now = tags.with_tags((), before)
    after = tags.with_tags(now, wanted)
    assert after == tuple(sorted((before | wanted).items()))
    assert tags.with_tags(after, wanted) == after


@given(WANTED, st.lists(KEYS))
def test_removing_takes_the_keys_that_are_there(before: dict[str, str], keys: list[str]) -> None:
    now = tags.with_tags((), before)
    after = tags.without_tags(now, keys)
    assert dict(after) == {key: value for key, value in before.items() if key not in keys}
    assert tags.without_tags(after, keys) == after


def test_twenty_are_the_most() -> None:
    full = tags.with_tags((), {f"k{n:02}": "" for n in range(20)})
    assert tags.with_tags(full, {"k00": "new"})[0] == ("k00", "new")
    with pytest.raises(tags.TooMany) as fault:
        tags.with_tags(full, {"one more": ""})
    assert fault.value.count == 21


def test_pairs_are_put_together_by_key() -> None:
    assert tags.by_key([("a", ""), ("a", "1"), ("b", "1")]) == [("a", ["", "1"]), ("b", ["1"])]

"""What a list call says, before it becomes SQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbfleet.domain.listing import (
    PageNumbers,
    Query,
    SortKey,
    Tag,
    UnknownSortKey,
    fold,
    page_numbers,
    parse_sort,
    parse_tags,
)

K = SortKey
SPELLINGS = {
    "name": K.NAME,
    "status": K.STATUS,
    "flavor": K.FLAVOR,
    "feature": K.FEATURE,
    "id": K.ID,
    "create_at": K.CREATE_AT,
    "createTime": K.CREATE_AT,
    "create_time": K.CREATE_AT,
    "update_at": K.UPDATE_AT,
    "updateTime": K.UPDATE_AT,
    "update_time": K.UPDATE_AT,
}


@given(st.lists(st.sampled_from(sorted(SPELLINGS)), min_size=1, max_size=8))
def test_sort_keys_in_all_spellings_each_counting_once(names: list[str]) -> None:
    expected = [SPELLINGS[name] for name in names]
    first = [key for place, key in enumerate(expected) if key not in expected[:place]]
    assert parse_sort(",".join(names)) == tuple(first)


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("", ""),
        ("name,", ""),
        (",name", ""),
        ("Name", "Name"),
        ("name, status", " status"),
        ("name;status", "name;status"),
        ("owner", "owner"),
        ("id,ip,bogus", "ip"),
    ],
)
def test_the_first_unknown_sort_key_is_named(text: str, unknown: str) -> None:
    with pytest.raises(UnknownSortKey) as refused:
        parse_sort(text)
    assert refused.value.given == unknown


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("k|v", (Tag("k", "v"),)),
        ("k", (Tag("k"),)),
        ("k|", (Tag("k", ""),)),
        ("a|1,b|2,c", (Tag("a", "1"), Tag("b", "2"), Tag("c"))),
        ("a|1,a|2", (Tag("a", "1"), Tag("a", "2"))),
        ("k|v|w", (Tag("k", "v|w"),)),
        ("团队|视觉 1", (Tag("团队", "视觉 1"),)),
    ],
)
def test_tags(text: str, tags: tuple[Tag, ...]) -> None:
    assert parse_tags(text) == tags


_WORD = st.text(st.characters(exclude_characters=",|", exclude_categories=("Cs",)), min_size=1)


@given(st.lists(st.builds(Tag, _WORD, _WORD | st.none()), min_size=1))
def test_tags_come_back_as_they_were_written(tags: list[Tag]) -> None:
    text = ",".join(tag.key if tag.value is None else f"{tag.key}|{tag.value}" for tag in tags)
    assert parse_tags(text) == tuple(tags)


@pytest.mark.parametrize(
    ("total", "limit", "offset", "numbers"),
    [
        (2, 10, 0, PageNumbers(0, 10, 1)),
        (107, 2, 8, PageNumbers(4, 2, 54)),
        (39, 200, 0, PageNumbers(0, 200, 1)),
        (0, 10, 0, PageNumbers(0, 10, 0)),
        (10, 10, 0, PageNumbers(0, 10, 1)),
        (11, 10, 15, PageNumbers(1, 10, 2)),
    ],
)
def test_published_page_numbers(total: int, limit: int, offset: int, numbers: PageNumbers) -> None:
    assert page_numbers(total, limit, offset) == numbers


@given(st.integers(0, 500), st.integers(1, 60), st.integers(0, 600))
def test_page_numbers_count_the_pages_that_are_cut(total: int, limit: int, offset: int) -> None:
    pages = [range(start, min(start + limit, total)) for start in range(0, total, limit)]
    current = sum(1 for start in range(limit, offset + 1, limit))
    assert page_numbers(total, limit, offset) == PageNumbers(current, limit, len(pages))


def test_the_defaults_of_the_contract() -> None:
    query = Query()
    assert (query.feature, query.workspace_id, query.statuses) == ("NOTEBOOK", "0", ())
    assert (query.sort, query.descending, query.offset, query.limit) == ((K.CREATE_AT,), True, 0, 10)


def test_folding_forgets_case_only() -> None:
    assert [fold(text) for text in ("Train_Ä", "训练-A", "é")] == ["train_ä", "训练-a", "é"]
    assert fold("é") != fold("e")

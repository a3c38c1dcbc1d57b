"""The reckoning of ways: with exact numbers, the cheapest index is known before anything is read."""

from nbfleet.domain.listing import SortKey
from nbfleet.store.paths import BY_NUMBER, Path, by_tag, is_ordered, narrowest, shortest

ROWS = {None: 1_000_000, "owner_no": 20, "pool_no": 8_000, "workspace_no": 800_000, "status": 150_000}
NEWEST, LATEST = (SortKey.CREATE_AT,), (SortKey.UPDATE_AT,)


def rows(column: str | None) -> int:
    return ROWS[column]


def test_once_nothing_can_be_gained_no_more_numbers_are_asked_for() -> None:
    asked: list[str | None] = []

    def counting(column: str | None) -> int:
        asked.append(column)
        return ROWS[column]

    assert shortest(("workspace_no", "feature"), (), NEWEST, 10, 700_000, counting).index == "workspace"
    assert asked == ["workspace_no"]


def test_the_usual_order_is_walked() -> None:
    assert shortest((), (), NEWEST, 10, 1_000_000, rows) == Path("create_at", 10)
    assert shortest(("status",), (), NEWEST, 10, 150_000, rows) == Path("status", 10)


def test_what_is_the_same_in_all_rows_needs_no_order() -> None:
    sort = (SortKey.STATUS, SortKey.UPDATE_AT)
    assert shortest(("status",), (), sort, 10, 150_000, rows) == Path("status_update", 10)
    assert shortest((), (), sort, 10, 1_000_000, rows) == Path("status_update", 10)


def test_few_rows_are_gathered_and_many_walked_past() -> None:
    assert shortest(("owner_no",), (), LATEST, 10, 20, rows) == Path("owner", 20 + 3 * 20)
    assert shortest(("pool_no",), (), LATEST, 10, 8_000, rows) == Path("update_at", 10 * 1_000_000 / 8_000)


def test_without_an_index_for_the_order_the_database_chooses() -> None:
    assert shortest((), (), (SortKey.FLAVOR,), 10, 1_000_000, rows) == Path(None, 4_000_000)


def test_an_index_of_several_workspaces_leads_to_rows_but_not_in_order() -> None:
    granted = ("workspace_no",)
    assert shortest((), granted, NEWEST, 10, 800_000, rows) == Path("create_at", 12.5)
    # Five notebooks of one owner are not looked for in all granted workspaces.
    assert shortest(("owner_no",), granted, NEWEST, 10, 5, rows) == Path("owner", 10 * 20 / 5)
    few = ROWS | {"workspace_no": 30}
    assert shortest((), granted, NEWEST, 10, 30, few.__getitem__) == Path("workspace", 30 + 3 * 30)


def test_names_are_looked_for_where_they_stand_unless_few_rows_are_left() -> None:
    assert narrowest(("workspace_no",), False, rows) == Path("workspace", 800_000)
    assert narrowest(("workspace_no",), True, rows) == Path("create_at", 1_000_000)
    assert narrowest(("owner_no", "workspace_no"), True, rows) == Path("owner", 60)


def test_tagged_rows_are_found_along_the_order_where_they_are_many() -> None:
    assert by_tag(Path("create_at", 200), 46_000) == Path("create_at", 46_200)
    assert by_tag(Path("create_at", 200_000), 46_000) == Path(BY_NUMBER, 138_000)
    assert by_tag(Path("owner", 1), 0) == Path(BY_NUMBER, 0)


def test_rows_are_in_order_along_an_index_that_begins_with_what_is_equal() -> None:
    assert is_ordered(Path("owner", 1), NEWEST, ("owner_no",))
    assert not is_ordered(Path("owner", 1), LATEST, ("owner_no",))
    assert not is_ordered(Path("owner", 1), NEWEST, ())
    assert is_ordered(Path("status_update", 1), (SortKey.STATUS, SortKey.UPDATE_AT), ("status",))
    assert not is_ordered(Path(None, 1), NEWEST, ())

"""What the fleet page shows, and its address: each tells the other."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nbfleet.console.fleet_view import COLUMNS, FILTERS, USUAL, View, columns_of, parse
from nbfleet.wire.errors import ApiError
from nbfleet.wire.operations import by_id

NAMES = (*FILTERS, "workspaceId", "sort_key", "sort_dir", "offset", "limit", "page", "columns", "nonsense")
queries = st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=12)), max_size=12).map(urlencode)
anything = st.one_of(queries, st.text(max_size=60))
known = st.sampled_from(
    ("RUNNING", "stopped,ERROR", "a|b", "*", "0", "25", "50", " 7 ", "ASC", "create_time")
)
likely = st.lists(st.tuples(st.sampled_from(NAMES), known), max_size=12).map(urlencode)


@given(st.one_of(anything, likely))
def test_an_address_leads_to_the_same_view_again(query: str) -> None:
    assume("%00" not in query and "\0" not in query)
    view = parse(query)
    assert parse(view.address()) == view
    assert parse(parse(view.address()).address()).address() == view.address()


@given(st.one_of(anything, likely))
def test_the_question_is_the_view_in_the_words_of_the_operation(query: str) -> None:
    assume("%00" not in query and "\0" not in query)
    view, allowed = parse(query), {one.name for one in by_id("ListAllNotebooks").parameters}
    question = view.question()
    assert set(question) <= allowed
    assert parse(urlencode(question)) == view
    assert {name: question[name] for name, _ in view.filters} == dict(view.filters)
    assert "" not in question.values()


def test_every_parameter_of_the_list_is_a_filter_or_says_which_page() -> None:
    parameters = {one.name for one in by_id("ListAllNotebooks").parameters}
    others = {"project_id", "workspaceId", "marker", "sort_key", "sort_dir", "offset", "limit"}
    assert parameters - others == set(FILTERS)


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("", View()),
        ("name=&status=&workspace_id=*&feature=*&sort_key=create_at&sort_dir=DESC&limit=25", View()),
        ("status=running&status=STOPPED&status=RUNNING", View((("status", "RUNNING,STOPPED"),))),
        ("tags=a%7Cb&tags=c", View((("tags", "a|b,c"),))),
        ("name=one&name=two", View((("name", "two"),))),
        ("workspaceId=0", View((("workspace_id", "0"),))),
        ("name=+%E8%AE%AD%E7%BB%83+", View((("name", "训练"),))),
        ("page=3&limit=50", View(offset=100, limit=50)),
        ("page=0&offset=7", View(offset=7)),
        ("limit=0&offset=-1", View()),
        ("limit=%C2%B2&offset=1e3", View()),
        ("sort_key=name&sort_dir=asc", View(sort_key="name", descending=False)),
    ],
)
def test_what_an_address_means(query: str, view: View) -> None:
    assert parse(query) == view


def test_what_is_as_usual_is_not_in_the_address() -> None:
    assert View().address() == ""
    view = View((("name", "a b"), ("tags", "k|v")), "name", False, 100, 50)
    told = [("name", "a b"), ("tags", "k|v"), ("sort_key", "name"), ("sort_dir", "ASC"), ("limit", "50")]
    assert parse_qsl(view.address()) == [*told, ("offset", "100")]


def test_views_beside_this_one() -> None:
    view = View((("name", "a"), ("status", "RUNNING")), "create_time", True, 50)
    assert view.sorted("create_at") == View(view.filters, "create_at", False)
    assert view.sorted("name") == View(view.filters, "name", False)
    assert view.sorted("name").sorted("name") == View(view.filters, "name", True)
    assert view.without("status") == View((("name", "a"),), "create_time")
    assert (view.page, view.at(1), view.at(4).offset) == (3, View(view.filters, "create_time"), 75)
    assert (view.has("status", "RUNNING"), view.has("status", "RUN"), view.has("owner", "a")) == (
        True,
        False,
        False,
    )


def test_columns_are_the_known_ones_in_their_usual_order() -> None:
    assert columns_of([], everybody=True) == list(USUAL)
    assert columns_of(["id", "owner", "<b>", "status"], everybody=True) == ["name", "status", "owner", "id"]
    assert columns_of(COLUMNS, everybody=False) == [name for name in COLUMNS if name != "owner"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "&".join(["name=x"] * 201),
            "The parameter query is one of 201 fields; allowed: at most 200 fields.",
        ),
        ("owner=a%00b", "The parameter owner is a\\x00b; allowed: text without NUL."),
    ],
)
def test_what_no_page_can_take_is_refused_by_name(query: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(query)
    assert (refused.value.status, refused.value.message) == (400, message)

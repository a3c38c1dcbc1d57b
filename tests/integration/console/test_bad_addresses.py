"""Addresses that no page can take: refused by name, and never a fault of the service."""

import pytest

from support.signed_in import SignedIn

TOO_MANY = "&".join(["name=x"] * 201)


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        (f"/notebooks?{TOO_MANY}", {}, "query is one of 201 fields"),
        (f"/notebooks/counts?{TOO_MANY}", {}, "query is one of 201 fields"),
        ("/notebooks?owner=a%00b", {}, "address is NUL"),
        ("/notebooks/a%00b", {}, "address is NUL"),
        ("/notebooks/live?ids=a%00b", {}, "address is NUL"),
        ("/notebooks/live?view=owner%3Da%2500b", {}, "owner is a\\x00b"),
    ],
)
def test_it_is_refused_by_name(chief: SignedIn, path: str, headers: dict[str, str], told: str) -> None:
    answer = chief.get(f"{chief.base}{path}", **headers)
    assert (answer.status, f"The parameter {told}; allowed: " in answer.raw.decode()) == (400, True)


def test_a_page_that_came_from_such_an_address_is_told_too(chief: SignedIn) -> None:
    before = {"HX_Request": "true", "HX_Current_URL": f"http://here/?{TOO_MANY}"}
    answer = chief.get(f"{chief.base}/notebooks", **before)
    assert (answer.status, answer.headers["hx-retarget"]) == (200, "#notice")
    assert "The parameter query is one of 201 fields" in answer.raw.decode()

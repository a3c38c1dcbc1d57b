"""How far an administrator of some projects reaches people and roles of all of them."""

import pytest

from nbfleet.domain.access import (
    Reach,
    Role,
    administered,
    may_grant,
    owns_role,
    reach,
    sees_role,
)

NARROW = Role("narrow", frozenset({"modelarts:notebook:get"}))

# The projects administered, the one at hand, those of the user, and how far that reaches.
REACHES = [
    ("", "p", "p", Reach.NOTHING),
    ("q", "p", "p", Reach.NOTHING),
    ("q", "p", "pq", Reach.NOTHING),
    ("p", "p", "", Reach.NOTHING),
    ("p", "p", "q", Reach.NOTHING),
    ("pq", "p", "q", Reach.NOTHING),
    ("p", "p", "p", Reach.PERSON),
    ("p", "p", "pq", Reach.MEMBERSHIP),
    ("pq", "p", "pq", Reach.PERSON),
    ("pq", "q", "pq", Reach.PERSON),
    ("pq", "p", "pqr", Reach.MEMBERSHIP),
    ("pqr", "p", "p", Reach.PERSON),
]


@pytest.mark.parametrize(("mine", "at_hand", "theirs", "expected"), REACHES)
def test_the_reach(mine: str, at_hand: str, theirs: str, expected: Reach) -> None:
    assert reach(frozenset(mine), at_hand, frozenset(theirs)) is expected


# The projects administered, the one that made the role, those where members have it: whether it is seen, and
# whether it is owned.
ROLES = [
    ("", None, "", True, False),
    ("", None, "p", False, False),
    ("p", None, "", True, False),
    ("p", None, "p", True, False),
    ("p", "p", "", True, True),
    ("p", "p", "p", True, True),
    ("p", "p", "q", False, False),
    ("p", "p", "pq", True, False),
    ("p", "q", "", False, False),
    ("p", "q", "p", True, False),
    ("p", "q", "q", False, False),
    ("pq", "q", "pq", True, True),
    ("pq", "r", "", False, False),
]


@pytest.mark.parametrize(("mine", "made_in", "used_in", "seen", "owned"), ROLES)
def test_whose_concern_a_role_is(
    mine: str, made_in: str | None, used_in: str, seen: bool, owned: bool
) -> None:
    projects = frozenset(mine)
    found = (sees_role(projects, made_in, used_in), owns_role(projects, made_in, used_in))
    assert found == (seen, owned)


def test_nobody_gives_away_more_than_they_have() -> None:
    roles = (Role.ADMINISTRATOR, Role.MEMBER, NARROW)
    allowed = {(mine.name, theirs.name) for mine in roles for theirs in roles if may_grant(mine, theirs)}
    assert allowed == {
        ("administrator", "administrator"),
        ("administrator", "member"),
        ("administrator", "narrow"),
        ("member", "member"),
        ("member", "narrow"),
        ("narrow", "narrow"),
    }


def test_a_project_is_administered_by_who_may_do_everything_there() -> None:
    assert administered({"p": Role.ADMINISTRATOR, "q": Role.MEMBER, "r": NARROW}) == {"p"}

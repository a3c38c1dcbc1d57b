"""Who may do what, over every role, scope and owner."""

import itertools
from dataclasses import replace

import pytest

from nbfleet.domain.access import (
    ACT_ON_ALL,
    BUILT_IN,
    LIST_ALL,
    MEMBER_ACTIONS,
    Caller,
    Openness,
    Principal,
    Role,
    Scope,
    acts_on,
    enter,
    enters,
    may,
    narrow,
    sees,
)
from nbfleet.domain.listing import Query, SortKey, Tag

ME, OTHER = "me", "somebody-else"
PRINCIPAL = Principal(ME, "Me", "a", "Account", {"p": Role.MEMBER, "q": Role.ADMINISTRATOR})


def caller(role: Role) -> Caller:
    return Caller(ME, "Me", "p", role, "a", "Account")


# What each may read with each scope and owner asked for; None is everybody.
READS = {
    (Role.MEMBER, Scope.OWN, None): ME,
    (Role.MEMBER, Scope.OWN, ME): ME,
    (Role.MEMBER, Scope.OWN, OTHER): ME,
    (Role.MEMBER, Scope.ALL, None): ME,
    (Role.MEMBER, Scope.ALL, ME): ME,
    (Role.MEMBER, Scope.ALL, OTHER): ME,
    (Role.ADMINISTRATOR, Scope.OWN, None): ME,
    (Role.ADMINISTRATOR, Scope.OWN, ME): ME,
    (Role.ADMINISTRATOR, Scope.OWN, OTHER): OTHER,
    (Role.ADMINISTRATOR, Scope.ALL, None): None,
    (Role.ADMINISTRATOR, Scope.ALL, ME): ME,
    (Role.ADMINISTRATOR, Scope.ALL, OTHER): OTHER,
}


def test_the_table_has_every_case() -> None:
    assert set(READS) == set(itertools.product(BUILT_IN.values(), Scope, (None, ME, OTHER)))


@pytest.mark.parametrize(("case", "owner"), list(READS.items()))
@pytest.mark.parametrize("project", ["", "p", "another"])
def test_a_list_is_narrowed_to_its_reader(
    case: tuple[Role, Scope, str | None], owner: str | None, project: str
) -> None:
    role, scope, asked = case
    query = Query(
        project_id=project, owner_id=asked, feature=None, workspace_id=None, tags=(Tag("k"),), name="n",
        sort=(SortKey.NAME,), descending=False, offset=3, limit=4,
    )  # fmt: skip
    assert narrow(query, caller(role), scope) == replace(query, project_id="p", owner_id=owner)


@pytest.mark.parametrize(
    ("role", "owner", "expected"),
    [
        (Role.MEMBER, ME, True),
        (Role.MEMBER, OTHER, False),
        (Role.ADMINISTRATOR, ME, True),
        (Role.ADMINISTRATOR, OTHER, True),
    ],
)
def test_sees_and_acts_on(role: Role, owner: str, expected: bool) -> None:
    assert (sees(caller(role), owner, "0"), acts_on(caller(role), owner)) == (expected, expected)


@pytest.mark.parametrize("role", BUILT_IN.values(), ids=BUILT_IN)
def test_nobody_sees_into_a_workspace_that_is_not_granted(role: Role) -> None:
    granted = replace(caller(role), granted=frozenset({"w"}))
    assert [sees(granted, ME, workspace) for workspace in ("w", "0")] == [True, False]
    assert narrow(Query(granted=None), granted, Scope.ALL).granted == frozenset({"w"})
    assert narrow(Query(granted=frozenset({"0"})), caller(role), Scope.ALL).granted is None


def test_a_member_may_what_is_listed_and_an_administrator_anything() -> None:
    actions = [
        *sorted(MEMBER_ACTIONS),
        LIST_ALL,
        ACT_ON_ALL,
        "modelarts:workspace:create",
        "",
        "*",
        "unheard:of",
    ]
    assert {action for action in actions if may(caller(Role.MEMBER), action)} == MEMBER_ACTIONS
    assert [action for action in actions if not may(caller(Role.ADMINISTRATOR), action)] == []


def test_entering_a_project() -> None:
    assert enter(PRINCIPAL, "p") == caller(Role.MEMBER)
    assert enter(PRINCIPAL, "q") == replace(caller(Role.ADMINISTRATOR), project_id="q")
    assert [enter(PRINCIPAL, project) for project in ("r", "", "P")] == [None, None, None]


def test_a_workspace_is_open_to_whom_its_kind_says() -> None:
    """Of a member: by kind, whether it made the workspace, and whether it is named."""
    open_to = {
        (kind, own, named)
        for kind, own, named in itertools.product(Openness, (False, True), (False, True))
        if enters(Role.MEMBER, kind, is_owner=own, is_granted=named)
    }
    everything = set(itertools.product(Openness, (False, True), (False, True)))
    assert everything - open_to == {
        (Openness.PRIVATE, False, False), (Openness.PRIVATE, False, True), (Openness.INTERNAL, False, False),
    }  # fmt: skip
    for kind, own, named in everything:
        assert enters(Role.ADMINISTRATOR, kind, is_owner=own, is_granted=named)


def test_a_caller_knows_what_is_open_to_it_in_its_project() -> None:
    principal = replace(PRINCIPAL, granted={"p": frozenset({"w"})})
    assert enter(principal, "p") == replace(caller(Role.MEMBER), granted=frozenset({"w"}))
    assert enter(principal, "q") == replace(caller(Role.ADMINISTRATOR), project_id="q")

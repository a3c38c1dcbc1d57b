"""What the form of a workspace changes: what it shows, and nothing besides."""

import re
from html import unescape

import pytest

from nbfleet.services import roles
from support.client import Caller
from support.hosted import Hosted
from support.signed_in import SignedIn, sign_in

LOOK = ("modelarts:workspace:list", "modelarts:workspace:get", "modelarts:workspace:update")


def boxes(page: str) -> dict[str, bool]:
    """The users with a box, and whether it is ticked."""
    found = re.findall(r'name="grants" value="([^"]*)"( checked)?', page)
    return {unescape(name): bool(checked) for name, checked in found}


def save(who: SignedIn, path: str, **changes: str) -> int:
    """Sends the form as it is shown but for these fields, as a browser does."""
    page = who.get(path).raw.decode()
    fields: dict[str, str | list[str]] = {"description": "", "auth_type": "INTERNAL"}
    fields |= dict(re.findall(r'type="hidden" name="(grants_shown)" value="([^"]*)"', page))
    fields |= dict(re.findall(r'<input name="(name)" value="([^"]*)"', page))
    ticked = [name for name, is_ticked in boxes(page).items() if is_ticked]
    return who.post(path, {**fields, "grants": ticked, **changes}).status


def granted(hosted: Hosted) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in hosted.dump("workspace_grants")["workspace_grants"]]


@pytest.fixture(scope="module")
def people(hosted: Hosted) -> tuple[Caller, Caller]:
    """The second one is disabled."""
    first, second = (hosted.user(name, hosted.settings.project) for name in ("grant-one", "grant-two"))
    hosted.disable(second)
    return first, second


def closed(chief: SignedIn, name: str, *people: Caller) -> str:
    """The id of a workspace that is open to these."""
    grants = [{"user_id": one.user_id} for one in people]
    body = {"name": name, "auth_type": "INTERNAL", "grants": grants}
    return chief.caller.request("POST", f"/v1/{chief.caller.project_id}/workspaces", body=body).json["id"]


def test_saving_keeps_the_grant_of_who_is_disabled(
    chief: SignedIn, hosted: Hosted, people: tuple[Caller, Caller]
) -> None:
    path = f"{chief.base}/admin/workspaces/{closed(chief, 'first', *people)}"
    before = granted(hosted)
    shown = boxes(chief.get(path).raw.decode())
    assert [shown[one.name] for one in people] == [True, True]
    assert save(chief, path, description="new words") == 303
    assert granted(hosted) == before
    assert save(chief, path, grants=people[1].name) == 303
    shown = boxes(chief.get(path).raw.decode())
    assert [shown[one.name] for one in people] == [False, True]


def test_saving_without_knowing_the_users_keeps_the_grants(
    chief: SignedIn, hosted: Hosted, people: tuple[Caller, Caller]
) -> None:
    role = hosted.database.write_now(roles.add, "keeper", LOOK)
    keeper = sign_in(hosted, hosted.user("keeper", hosted.settings.project, role))
    path = f"{keeper.base}/admin/workspaces/{closed(chief, 'second', *people, keeper.caller)}"
    before = granted(hosted)
    assert boxes(keeper.get(path).raw.decode()) == dict.fromkeys(["grant-one", "grant-two", "keeper"], True)
    assert save(keeper, path, description="words") == 303
    assert granted(hosted) == before


def test_a_form_without_boxes_changes_no_grant(
    chief: SignedIn, hosted: Hosted, people: tuple[Caller, Caller]
) -> None:
    path = f"{chief.base}/admin/workspaces/{closed(chief, 'third', *people)}"
    before = granted(hosted)
    fields = {"name": "third", "description": "words", "auth_type": "INTERNAL"}
    assert chief.post(path, fields).status == 303
    assert granted(hosted) == before
    assert chief.post(path, {**fields, "grants_shown": "yes"}).status == 303
    assert set(boxes(chief.get(path).raw.decode()).values()) == {False}

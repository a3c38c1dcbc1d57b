"""Pages of actions on many notebooks where the settings allow few records in one answer."""

import re
from collections.abc import Iterator

import pytest

from support.hosted import Hosted
from support.signed_in import SignedIn, sign_in
from support.stage import on_database


@pytest.fixture(params=["sqlite", "postgresql"])
def short(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with on_database(request, tmp_path_factory.mktemp("short"), page_limit=2) as running:
        yield running


def part(member: SignedIn, path: str, pattern: str) -> list[str]:
    page = member.get(path)
    assert page.status == 200, page.raw
    return re.findall(pattern, page.raw.decode())


def test_results_and_actions_come_in_pages_as_short_as_allowed(short: Hosted) -> None:
    member = sign_in(short, short.user("ada", short.settings.project))
    ids = [member.caller.stopped(name=f"short-{number}")["id"] for number in range(5)]
    actions: list[str] = []
    for key in ("one", "two", "three"):
        form = {"action": "tag", "id": ids, "key": key, "value": "x"}
        shown = member.post(f"{member.base}/bulk", form).raw.decode()
        told = dict(re.findall(r'name="(shown|once)" value="([^"]*)"', shown))
        begun = member.post(f"{member.base}/bulk/begin", form | told).headers["location"]
        actions.append(begun.rpartition("/")[2])
    found = [part(member, f"{begun}{at}", r"(\d+ to \d+ of \d+)") for at in ("", "?offset=2", "?offset=4")]
    assert found == [["1 to 2 of 5"], ["3 to 4 of 5"], ["5 to 5 of 5"]]
    rows = [part(member, f"{begun}{at}", r'id="row-([^"]+)"') for at in ("", "?offset=2", "?offset=4")]
    assert [len(page) for page in rows] == [2, 2, 1]
    assert {one for page in rows for one in page} == set(ids)
    link = rf'href="{re.escape(member.base)}/bulk/([0-9a-f-]+)"'
    assert part(member, f"{member.base}/bulk", link) == actions[:0:-1]

"""Pages that stay open: told of each change once, of what happened before they opened, and in bounded
number."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from nbfleet.console.live import MOST_OF_ONE
from support.hosted import Hosted
from support.service import wait_for
from support.signed_in import COOKIE, SignedIn, sign_in


@contextmanager
def opened(signed_in: SignedIn, ids: str) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", signed_in.hosted.port, timeout=20)
    headers = {"Cookie": f"{COOKIE}={signed_in.session}", "Accept": "text/event-stream"}
    connection.request("GET", f"{signed_in.base}/notebooks/live?ids={ids}", headers=headers)
    with closing(connection), connection.getresponse() as answer:
        yield answer


def next_row(answer: http.client.HTTPResponse) -> dict[str, str]:
    """What the next event about a row says."""
    while (line := answer.readline().decode()) != "event: row\n":
        assert line, "the stream ended"
    return json.loads(answer.readline().decode().removeprefix("data: "))


def is_idle(hosted: Hosted) -> bool:
    return not hosted._live._watches


def test_a_page_is_told_of_what_happened_while_nobody_looked(hosted: Hosted, member: SignedIn) -> None:
    one = member.caller.running(name="watched")
    with opened(member, one["id"]) as answer:
        first = next_row(answer)
        assert (first["id"], "Running" in first["html"]) == (one["id"], True)
    wait_for("nobody to look", lambda: is_idle(hosted))
    assert member.caller.post(f"/{one['id']}/stop").status == 200
    member.caller.until(one["id"], "STOPPED")
    with opened(member, one["id"]) as answer:
        assert "Stopped" in next_row(answer)["html"]


def test_a_change_is_told_within_seconds(member: SignedIn) -> None:
    one = member.caller.running(name="changing")
    with opened(member, one["id"]) as answer:
        assert "Running" in next_row(answer)["html"]
        assert member.caller.post(f"/{one['id']}/stop").status == 200
        while "Stopped" not in next_row(answer)["html"]:
            pass


def test_one_user_has_so_many_pages_open_and_nobody_else_suffers(
    hosted: Hosted, member: SignedIn, chief: SignedIn
) -> None:
    wait_for("nobody to look", lambda: is_idle(hosted))
    with ExitStack() as pages:
        answers = [pages.enter_context(opened(member, "")) for _ in range(MOST_OF_ONE)]
        assert {answer.status for answer in answers} == {200}
        with opened(member, "") as refused:
            assert (refused.status, refused.headers["retry-after"]) == (503, "10")
        with opened(chief, "") as answer:
            assert answer.status == 200
    wait_for("nobody to look", lambda: is_idle(hosted))
    with opened(member, "") as answer:
        assert answer.status == 200


def test_a_page_ends_with_its_session(hosted: Hosted, member: SignedIn) -> None:
    mine = sign_in(hosted, member.caller)
    with opened(mine, "") as answer:
        assert answer.readline() == b": open\n"
        mine.post("/logout")
        assert answer.read().strip() == b""
    with opened(mine, "") as again:
        assert again.status == 204

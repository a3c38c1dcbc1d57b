"""Pages while the service is busy: each part of the first one says so in its own place, and the others are
there."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from nbfleet.services import identity
from nbfleet.store.database import TooSlow
from nbfleet.wire import errors
from support.hosted import Hosted
from support.signed_in import SignedIn

BUSY = "The service is busy; this is looked up again in some seconds."


async def too_slow(*_: object) -> None:
    raise TooSlow


@pytest.fixture
def busy(hosted: Hosted, chief: SignedIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No look is short enough, and the administrator has all long ones going that one may have."""
    monkeypatch.setattr(hosted.database, "glance", too_slow)
    most = hosted.settings.long_reads
    with ExitStack() as taken:
        for _ in range(most):
            taken.enter_context(hosted.context.long_reads.take(chief.caller.user_id, most))
        yield


@pytest.mark.usefixtures("busy")
def test_what_is_refused_for_a_while_is_told_in_its_place(chief: SignedIn) -> None:
    told = {name: chief.get(f"{chief.base}/overview/{name}") for name in ("now", "time", "soon", "room")}
    assert {name: (one.status, BUSY in one.raw.decode()) for name, one in told.items()} == {
        "now": (200, False),
        "time": (200, True),
        "soon": (200, True),
        "room": (200, False),
    }


@pytest.mark.usefixtures("busy")
def test_a_notebook_can_be_made_all_the_same(chief: SignedIn) -> None:
    page = chief.get(f"{chief.base}/notebooks/new")
    assert (page.status, 'name="name" value="notebook-1"' in page.raw.decode()) == (200, True)


def test_a_page_that_is_refused_for_a_while_can_be_asked_for_again(
    chief: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(*_: object) -> None:
        raise errors.overloaded(2)

    monkeypatch.setattr(identity, "projects_of", overloaded)
    page = chief.get(f"{chief.base}/notebooks")
    again = '<a class="button main" href="">Try again</a>'
    assert (page.status, page.headers["retry-after"], again in page.raw.decode()) == (503, "2", True)


def test_what_will_stop_soon_comes_after_the_page(chief: SignedIn) -> None:
    chief.caller.create(name="counted")
    page = chief.get(f"{chief.base}/").raw.decode()
    place = page[page.index('id="part-soon"') :]
    assert 'hx-trigger="load, every 15s"' in place[: place.index(">")]
    assert "No running notebook" not in page
    assert "No running notebook" in chief.get(f"{chief.base}/overview/soon").raw.decode()

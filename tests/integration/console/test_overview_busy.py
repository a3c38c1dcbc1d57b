"""The first page while the service is busy: each part says so in its own place, and the others are there."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from nbfleet.store.database import TooSlow
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


def test_what_will_stop_soon_comes_after_the_page(chief: SignedIn) -> None:
    chief.caller.create(name="counted")
    page = chief.get(f"{chief.base}/").raw.decode()
    place = page[page.index('id="part-soon"') :]
    assert 'hx-trigger="load, every 15s"' in place[: place.index(">")]
    assert "No running notebook" not in page
    assert "No running notebook" in chief.get(f"{chief.base}/overview/soon").raw.decode()

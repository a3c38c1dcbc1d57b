"""A browser, and the service that it looks at: on each database, with an administrator and a member."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from support.browser import chromium
from support.client import Caller
from support.console import Seat, member_of, seat
from support.hosted import Hosted
from support.stage import on_database


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module, and gone after it: while it is there no other test of the process may have an
    event loop of its own."""
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hosted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A service of the module's own, on the simulated runtime. Its clock is that of the browser."""
    with on_database(request, tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def member(hosted: Hosted) -> Caller:
    return member_of(hosted)


@pytest.fixture
def sit(browser: Browser, hosted: Hosted) -> Iterator[Callable[..., Seat]]:
    """Signs a caller in and answers their browser; what Chromium complained about fails the test at its
    end."""
    with ExitStack() as stack:
        yield lambda caller, **options: stack.enter_context(seat(browser, hosted, caller, **options))

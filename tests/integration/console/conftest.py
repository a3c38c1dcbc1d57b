"""A service with its console inside the process of the test, and people who are signed in without a
browser."""

from collections.abc import Iterator

import pytest

from support.hosted import Hosted
from support.signed_in import SignedIn, sign_in
from support.stage import on_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def hosted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with on_database(request, tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def chief(hosted: Hosted) -> SignedIn:
    """The administrator."""
    return sign_in(hosted, hosted.administrator())


@pytest.fixture(scope="module")
def member(hosted: Hosted) -> SignedIn:
    return sign_in(hosted, hosted.user("ada", hosted.settings.project))

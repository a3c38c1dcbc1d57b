"""One service for each module and database, with an administrator, two members and a second project."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from support.client import Caller
from support.hosted import Hosted


@dataclass
class Fleet:
    hosted: Hosted
    admin: Caller
    alice: Caller
    bob: Caller
    carol: Caller  # Of the project "lab" only.


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("service")
    if request.param == "sqlite":
        url = f"sqlite:///{directory}/test.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    hosted = Hosted(directory, url).start()
    hosted.project("lab")
    yield Fleet(
        hosted, hosted.administrator(), hosted.user("alice", "local"), hosted.user("bob", "local"),
        hosted.user("carol", "lab"),
    )  # fmt: skip
    hosted.stop()

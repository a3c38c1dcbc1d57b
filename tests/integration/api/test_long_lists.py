"""What callers see when the service has more long lists to make than it can: clear refusals, and everybody
else served."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text

from nbfleet.store.database import LONG_READERS, Connection, TooSlow
from support.client import Answer, Caller
from support.hosted import Hosted
from support.people import DATABASES

ENDLESS = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(3600)",
}
LONG = {"by": "flavor"}  # No counter knows flavors.
DEADLINE = 1


@pytest.fixture(params=DATABASES)
def hosted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosted]:
    sqlite = f"sqlite:///{tmp_path}/test.db"
    url = sqlite if request.param == "sqlite" else request.getfixturevalue("postgres").new_database()
    started = Hosted(tmp_path, url, {"list_deadline": DEADLINE, "long_reads": 2, "exports": 1}).start()
    yield started
    started.stop()


def endless(connection: Connection) -> None:
    connection.execute(text(ENDLESS[connection.dialect.name]))


@contextmanager
def everything_busy(hosted: Hosted, seconds: float) -> Iterator[None]:
    """All threads for long reads are taken, by reads that are given up after so many seconds."""

    async def hold() -> None:
        held = (hosted.database.read_long(seconds, endless) for _ in range(LONG_READERS))
        answers = await asyncio.gather(*held, return_exceptions=True)
        assert [type(answer) for answer in answers] == [TooSlow] * LONG_READERS

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    time.sleep(0.2)
    yield
    thread.join()


@dataclass
class Asking:
    """A request under way in a thread of its own."""

    caller: Caller
    rest: str
    answers: list[Answer] = field(default_factory=list)

    def start(self) -> "Asking":
        self._thread = threading.Thread(
            target=lambda: self.answers.append(
                self.caller.get(self.rest, LONG if "count" in self.rest else None)
            )
        )
        self._thread.start()
        return self

    def answer(self) -> Answer:
        self._thread.join(20)
        return self.answers[0]


def test_what_is_not_ready_in_time_is_refused(hosted: Hosted) -> None:
    admin = hosted.administrator()
    admin.create()
    with everything_busy(hosted, 2.5):
        begun = time.monotonic()
        answer = admin.get("/count", LONG)
        assert DEADLINE <= time.monotonic() - begun < DEADLINE + 1
        assert answer.refusal == (503, "ModelArts.6101")
        assert answer.headers["retry-after"] == "2"
        assert answer.message == "The answer was not ready within 1 s; narrow the list, or try again."
        # What is short is served all the while.
        assert admin.get("/all").json["total"] == 1
        assert admin.get("/count", {"by": "status"}).json["total"] == 1
    assert admin.get("/count", LONG).json["total"] == 1


def test_one_caller_cannot_take_the_turns_of_others(hosted: Hosted) -> None:
    admin, alice = hosted.administrator(), hosted.user("alice", "local")
    with everything_busy(hosted, 0.9):
        waiting = [Asking(admin, "/count").start() for _ in range(2)]
        time.sleep(0.2)
        begun = time.monotonic()
        refused = admin.get("/count", LONG)
        assert time.monotonic() - begun < 0.5
        assert refused.refusal == (503, "ModelArts.6101")
        assert refused.headers["retry-after"] == "2"
        assert refused.message == (
            "2 long lists of yours run already, as many as may; try again in 2 seconds."
        )
        other = Asking(alice, "/count").start()
    assert [one.answer().status for one in (*waiting, other)] == [200, 200, 200]
    # The turns are given back.
    assert admin.get("/count", LONG).status == 200


def test_one_export_at_a_time_where_that_is_set(hosted: Hosted) -> None:
    admin = hosted.administrator()
    with everything_busy(hosted, 0.9):
        first = Asking(admin, "/export").start()
        time.sleep(0.2)
        refused = admin.get("/export")
        assert refused.refusal == (503, "ModelArts.6101")
        assert refused.message == "1 exports of yours run already, as many as may; try again in 2 seconds."
    # An export has no deadline: it waits for its turn and is whole.
    assert first.answer().status == 200
    assert admin.get("/export").status == 200

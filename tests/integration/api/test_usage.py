"""What a running instance uses, as whoever may act on it is told."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbfleet.domain.access import LIST_ALL
from nbfleet.domain.notebook import Ability
from nbfleet.runtimes.base import InstanceRef
from nbfleet.services import roles
from support.client import Caller
from support.hosted import Hosted

GIB = 1024**3


def test_it_is_what_the_runtime_measures_beside_what_the_flavor_gives(fleet) -> None:
    one = fleet.alice.running(name="busy", flavor="modelarts.vm.cpu.2u")["id"]
    seen = []
    for _ in range(2):
        now = fleet.hosted.clock.advance(15_000)
        # The simulated runtime knows the time alone, and that is ours.
        used = asyncio.run(fleet.hosted.runtime.usage(InstanceRef(one, 1)))
        seen.append(used)
        for caller in (fleet.alice, fleet.admin):
            answer = caller.get(f"/{one}/usage")
            assert (answer.status, answer.json) == (
                200,
                {
                    "cpu_seconds": used.cpu_seconds,
                    "memory_bytes": used.memory_bytes,
                    "vcpus": 2.0,
                    "memory_limit": 8 * GIB,
                    "at": now,
                },
            )
    assert seen[0] != seen[1]


def test_what_does_not_run_uses_nothing(fleet) -> None:
    one = fleet.alice.stopped(name="idle")["id"]
    answer = fleet.alice.get(f"/{one}/usage")
    message = f"The instance {one} is STOPPED; it must be RUNNING."
    assert (answer.refusal, answer.message) == ((400, "ModelArts.6327"), message)
    # Ended, and nobody has noticed yet.
    other = fleet.alice.running(name="ended")["id"]
    fleet.hosted.runtime.kill(other, "gone")
    answer = fleet.alice.get(f"/{other}/usage")
    message = f"The instance {other} is not running any more; it must be RUNNING."
    assert (answer.refusal, answer.message) == ((400, "ModelArts.6327"), message)


def test_others_are_not_told(fleet) -> None:
    one = fleet.alice.running(name="private")["id"]
    role = fleet.hosted.database.write_now(roles.add, "watcher", (LIST_ALL, "modelarts:notebook:get"))
    watcher: Caller = fleet.hosted.user("watcher", "local", role)
    told = [caller.get(f"/{one}/usage") for caller in (fleet.bob, fleet.carol, watcher)]
    assert [answer.status for answer in told] == [404, 404, 403]
    assert watcher.get(f"/{one}").json["name"] == "private"


@pytest.fixture
def without(tmp_path: Path, database_url: str) -> Iterator[Hosted]:
    """A service whose runtime reports no usage."""
    abilities = frozenset(Ability) - {Ability.USAGE}
    running = Hosted(tmp_path, database_url, abilities=abilities).start()
    yield running
    running.stop()


def test_a_runtime_that_reports_none_is_refused_by_name(without: Hosted) -> None:
    caller = without.user("alice", "local")
    for one in (caller.running(name="runs")["id"], caller.stopped(name="rests")["id"]):
        answer = caller.get(f"/{one}/usage")
        message = "The usage of instances is not available on this service."
        assert (answer.refusal, answer.message) == ((501, "ModelArts.6361"), message)

"""Over HTTP: what waits for room can be stopped and deleted, and what has the room is left alone."""

from collections.abc import Iterator

import pytest

from support.client import Caller
from support.hosted import HANGS, Hosted
from support.people import DATABASES
from support.service import wait_for


@pytest.fixture(scope="module", params=DATABASES)
def hosted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """There is room for one start, and a start that hangs has it."""
    directory = tmp_path_factory.mktemp("waiting")
    url = f"sqlite:///{directory}/test.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    made = Hosted(directory, url, {"concurrent_starts": 1}).start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def alice(hosted: Hosted) -> Caller:
    return hosted.user("alice", "local")


@pytest.fixture(scope="module")
def first(alice: Caller) -> str:
    """The id of the one that has the room."""
    notebook_id = alice.create(flavor=HANGS)["id"]
    # Where it hangs: until then its steps still move.
    hangs = ["WAITING", "WAITING", "PROCESSING", "COMPLETED"]
    wait_for("the first to hang", lambda: steps(alice, notebook_id) == hangs, 10, 0.01)
    return notebook_id


def steps(alice: Caller, notebook_id: str) -> list[str]:
    return [step["status"] for step in alice.get(f"/{notebook_id}").json["action_progress"]]


def test_stop_start_stop_and_delete_of_one_that_waits(hosted: Hosted, alice: Caller, first: str) -> None:
    made = alice.create()
    at, before = f"/{made['id']}", alice.get(f"/{first}").json
    assert (made["status"], steps(alice, made["id"])) == ("CREATING", ["WAITING"] * 4)
    now = hosted.clock.advance(1000)
    stopped = alice.post(f"{at}/stop").json
    assert stopped["token"] == made["token"]
    del made["action_progress"]
    assert stopped == made | {"status": "STOPPED", "update_at": now}
    started = alice.post(f"{at}/start").json
    assert (started["status"], steps(alice, made["id"])) == ("STARTING", ["WAITING"] * 4)
    assert alice.post(f"{at}/stop").json["status"] == "STOPPED"
    assert alice.post(f"{at}/start").json["status"] == "STARTING"
    assert alice.delete(at).json["status"] == "DELETING"
    alice.gone(made["id"])
    assert alice.get(f"/{first}").json == before | {"current_time": hosted.clock.now}
    assert made["id"] not in {ref for ref, _ in hosted.runtime.world.starts}


def test_delete_of_a_new_one_that_waits(hosted: Hosted, alice: Caller, first: str) -> None:
    made = alice.create()
    assert alice.delete(f"/{made['id']}").json["status"] == "DELETING"
    alice.gone(made["id"])
    assert made["id"] not in {ref for ref, _ in hosted.runtime.world.starts}


@pytest.mark.parametrize("wish", ["stop", "delete"])
def test_what_has_begun_is_not_called_off(alice: Caller, first: str, wish: str) -> None:
    at = f"/{first}"
    answer = alice.post(f"{at}/stop") if wish == "stop" else alice.delete(at)
    wanted = "stop" if wish == "stop" else "be deleted"
    assert answer.refusal == (400, "ModelArts.6357")
    assert answer.message == f"The instance {first} is CREATING and cannot {wanted} now."
    assert alice.get(at).json["status"] == "CREATING"

"""A machine that is full says so: in the list of flavors, to who creates, and to who starts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nbfleet.domain.capacity import Size
from nbfleet.settings import FlavorSettings
from support.client import Answer, Caller
from support.hosted import HANGS, Hosted
from support.people import DATABASES

ONE, TWO = "one", "two-gpus"
FLAVORS = (
    FlavorSettings(id=ONE, vcpus=1, memory=1024),
    FlavorSettings(id=TWO, vcpus=1, memory=1024, gpus=2, accelerator="T4", description="Two of them"),
    FlavorSettings(id=HANGS, vcpus=1, memory=1024),
    FlavorSettings(id="ascend", vcpus=1, memory=1024, npus=1, accelerator="ASCEND_SNT9"),
)


@pytest.fixture(params=DATABASES)
def alice(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    url = f"sqlite:///{tmp_path}/test.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    hosted = Hosted(tmp_path, url, {"flavors": FLAVORS}, machine=Size(3, 8192, gpus=2)).start()
    yield hosted.user("alice", "local")
    hosted.stop()


def sold_out(alice: Caller) -> dict[str, bool]:
    return {one["id"]: one["sold_out"] for one in alice.get("/flavors").json["data"]}


def create(alice: Caller, flavor: str) -> Answer:
    return alice.post("", alice.body(flavor=flavor))


def full(code: str, flavor: str, free: str) -> tuple[int, str, str]:
    return 400, code, f"The pool public has no room for the flavor {flavor} now; free: {free}."


def refusal(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.json["error_code"], answer.json["error_msg"]


def test_devices_are_for_one_instance_at_a_time(alice: Caller) -> None:
    assert sold_out(alice) == {ONE: False, TWO: False, HANGS: False, "ascend": True}
    first = alice.running(flavor=TWO)
    assert sold_out(alice) == {ONE: False, TWO: True, HANGS: False, "ascend": True}
    free = "2 of 3 vCPUs, 7168 of 8192 MiB, 0 of 2 GPUs"
    assert refusal(create(alice, TWO)) == full("ModelArts.6329", TWO, free)
    alice.post(f"/{first['id']}/stop")
    alice.until(first["id"], "STOPPED")
    second = alice.running(flavor=TWO)
    assert refusal(alice.post(f"/{first['id']}/start")) == full("ModelArts.6360", TWO, free)
    assert alice.get(f"/{first['id']}").json["status"] == "STOPPED"
    offered = alice.get(f"/{second['id']}/flavors").json["data"]
    assert {one["id"]: one["sold_out"] for one in offered} == {ONE: False, HANGS: False, "ascend": True}


def test_how_a_flavor_with_devices_is_shown(alice: Caller) -> None:
    shown = {one["id"]: one for one in alice.get("/flavors").json["data"]}
    assert (shown[TWO]["category"], shown[TWO]["gpu"]) == ("GPU", {"gpu": 2, "type": "T4"})
    assert (shown[TWO]["name"], shown[TWO]["billing"]["code"]) == ("GPU: 1vCPUs 1GB", "local.gpu")
    assert (shown["ascend"]["category"], shown["ascend"]["ascend"]["npu"]) == ("ASCEND", 1)
    assert [one["id"] for one in alice.get("/flavors", {"category": "GPU"}).json["data"]] == [TWO]
    assert [one["id"] for one in alice.get("/flavors", {"category": "ASCEND"}).json["data"]] == ["ascend"]
    assert [one["id"] for one in alice.get("/flavors", {"category": "CPU"}).json["data"]] == [ONE, HANGS]


def test_what_moves_takes_room_too(alice: Caller) -> None:
    alice.create(flavor=HANGS)
    alice.create(flavor=HANGS)
    alice.create(flavor=ONE)
    assert sold_out(alice)[ONE] is True
    free = "0 of 3 vCPUs, 5120 of 8192 MiB, 2 of 2 GPUs"
    assert refusal(create(alice, ONE)) == full("ModelArts.6329", ONE, free)


def test_room_is_never_given_twice(alice: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: create(alice, ONE).status, range(8)))
    assert sorted(answers) == [200] * 3 + [400] * 5
    assert alice.get("", {"limit": 10}).json["total"] == 3

"""Quotas over HTTP: shown, set, and never passed, however many ask at once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from nbfleet.domain.quotas import EVERY_USER, MOST, THE_PROJECT, Holder, Quota, Resource, Subject
from nbfleet.services import quotas
from nbfleet.settings import NodeSettings, PoolSettings
from nbfleet.store.database import Connection
from support.client import Answer, Caller
from support.hosted import Hosted
from support.people import DATABASES

SMALL, MIDDLE = (f"modelarts.vm.cpu.{n}u" for n in (1, 2))
COUNT, VCPUS, MEMORY, STORAGE = Resource
USED_UP, EXCEEDED = (400, "ModelArts.0113"), (400, "ModelArts.0118")
POOL = PoolSettings(id="pool-a", name="A", nodes=(NodeSettings(vcpus=8, memory=8192),))


class Fleet:
    def __init__(self, directory: Path, url: str) -> None:
        self.hosted = Hosted(directory, url, {"pools": (POOL,)}).start()
        self.admin = self.hosted.administrator()
        self.alice = self.hosted.user("alice", "local")
        self.bob = self.hosted.user("bob", "local")

    def limit(self, subject: Subject, resource: Resource, value: int) -> None:
        def write(connection: Connection) -> None:
            number = self.hosted.context.directory.project(connection, self.admin.project_id)
            assert number is not None
            quotas.set_quota(connection, number, Quota(subject, resource, value))

        self.hosted.database.write_now(write)

    def user(self, caller: Caller) -> Subject:
        number = self.hosted.database.read_now(self.hosted.context.directory.user, caller.user_id)
        return Subject(Holder.USER, number or 0)


@pytest.fixture(params=DATABASES)
def fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/test.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    made = Fleet(tmp_path, url)
    yield made
    made.hosted.stop()


def at(caller: Caller, workspace_id: str) -> str:
    return f"/v1/{caller.project_id}/workspaces/{workspace_id}/quotas"


def shown(caller: Caller, workspace_id: str = "0") -> dict[str, tuple[int, int | None]]:
    found = caller.request("GET", at(caller, workspace_id)).json["quotas"]
    return {one["resource"]: (one["quota"], one["used_quota"]) for one in found}


def put(caller: Caller, workspace_id: str, **values: int) -> Answer:
    keys = {"count": COUNT, "vcpu": VCPUS, "memory": MEMORY, "storage": STORAGE}
    wanted = [{"resource": keys[key].value, "quota": value} for key, value in values.items()]
    return caller.request("PUT", at(caller, workspace_id), None, {"quotas": wanted})


def create(caller: Caller, **fields: Any) -> Answer:
    return caller.post("", caller.body(**fields))


def start(caller: Caller, notebook_id: str) -> Answer:
    return caller.post(f"/{notebook_id}/start")


def workspace(caller: Caller) -> str:
    return caller.request("POST", f"/v1/{caller.project_id}/workspaces", None, {"name": "team"}).json["id"]


def test_quotas_of_a_workspace_are_shown_and_set(fleet: Fleet) -> None:
    now = fleet.hosted.clock.now
    words = [
        (COUNT, "Notebook instances", "", "Notebook实例", "个"),
        (VCPUS, "vCPUs of running notebooks", "vCPU", "运行中Notebook的vCPU", "核"),
        (MEMORY, "Memory of running notebooks", "MiB", "运行中Notebook的内存", "MiB"),
        (STORAGE, "Work volumes of notebooks", "GB", "Notebook工作卷", "GB"),
    ]
    whole = [
        {"resource": resource.value, "quota": -1, "min_quota": -1, "max_quota": MOST, "update_time": now,
         "name_en": name_en, "unit_en": unit_en, "name_cn": name_cn, "unit_cn": unit_cn, "used_quota": None}
        for resource, name_en, unit_en, name_cn, unit_cn in words
    ]  # fmt: skip
    path = at(fleet.alice, "0")
    assert fleet.alice.request("GET", path).json == {"quotas": whole}
    fleet.hosted.clock.advance(5)
    answer = put(fleet.admin, "0", storage=100, count=3)
    changed = [
        {key: value for key, value in (one | {"quota": quota, "update_time": now + 5}).items()
         if key != "used_quota"}
        for one, quota in ((whole[3], 100), (whole[0], 3))
    ]  # fmt: skip
    assert answer.json == {"quotas": changed}
    made = fleet.alice.running(flavor=MIDDLE)
    assert shown(fleet.alice) == {
        COUNT: (3, 1), VCPUS: (-1, None), MEMORY: (-1, None), STORAGE: (100, 5),
    }  # fmt: skip
    put(fleet.admin, "0", vcpu=10, memory=100_000)
    assert shown(fleet.bob) == {COUNT: (3, 1), VCPUS: (10, 2), MEMORY: (100_000, 8192), STORAGE: (100, 5)}
    fleet.alice.post(f"/{made['id']}/stop")
    fleet.alice.until(made["id"], "STOPPED")
    assert shown(fleet.bob) == {COUNT: (3, 1), VCPUS: (10, 0), MEMORY: (100_000, 0), STORAGE: (100, 5)}
    put(fleet.admin, "0", count=-1)
    assert shown(fleet.bob)[COUNT] == (-1, None)


@pytest.mark.parametrize(
    ("quotas", "refusal", "message"),
    [
        ([], (400, "ModelArts.6336"), None),
        ([{"quota": 1}], (400, "ModelArts.6335"), None),
        ([{"resource": "notebook.count"}], (400, "ModelArts.6335"), None),
        ([{"resource": "notebook.count", "quota": "1"}], (400, "ModelArts.6332"), None),
        ([{"resource": "notebook.count", "quota": -2}], (400, "ModelArts.6336"), None),
        ([{"resource": "notebook.count", "quota": 2**31}], (400, "ModelArts.6336"), None),
        ([{"resource": "notebook.count", "quota": 0}], (400, "ModelArts.6336"),
         f"The field quotas[0].quota is 0; allowed: -1, or 1 to {MOST}."),
        ([{"resource": "notebook.count", "quota": 1}, {"resource": "exemlProject.gpu_duration", "quota": 1}],
         (400, "ModelArts.6336"),
         "The field quotas[1].resource is exemlProject.gpu_duration; allowed: notebook.count, notebook.vcpu, "
         "notebook.memory, notebook.storage."),
        ([{"resource": "notebook.count", "quota": 1}] * 2, (400, "ModelArts.6336"),
         "The field quotas[1].resource is notebook.count; allowed: each resource once."),
    ],
)  # fmt: skip
def test_what_cannot_be_set(
    fleet: Fleet, quotas: list[Any], refusal: tuple[int, str], message: str | None
) -> None:
    answer = fleet.admin.request("PUT", at(fleet.admin, "0"), None, {"quotas": quotas})
    assert answer.refusal == refusal
    assert message in (None, answer.message)
    assert fleet.hosted.dump()["quotas"] == []


def test_those_of_an_unknown_workspace_are_not_there(fleet: Fleet) -> None:
    assert put(fleet.admin, "f" * 32, count=1).refusal == (400, "ModelArts.7005")
    assert fleet.alice.request("GET", at(fleet.alice, "f" * 32)).refusal == (400, "ModelArts.7005")


def test_each_resource_of_each_holder_is_refused_by_name(fleet: Fleet) -> None:
    alice, own = fleet.alice, workspace(fleet.admin)
    place = fleet.hosted.database.read_now(fleet.hosted.context.directory.workspace, 1, own)
    fields = {"workspace_id": own, "flavor": MIDDLE, "volume": {"category": "EVS", "ownership": "MANAGED",
                                                               "capacity": 20}}  # fmt: skip
    made = alice.until(create(alice, **fields).json["id"], "RUNNING")["id"]
    holders = [
        (EVERY_USER, "the user"), (fleet.user(alice), "the user"),
        (Subject(Holder.WORKSPACE, place or 0), f"the workspace {own}"),
        (THE_PROJECT, "the project"),
    ]  # fmt: skip
    for subject, whose in holders:
        for resource, limit, refusal, amounts in (
            (COUNT, 1, USED_UP, "1: 1 used, 1 more asked for"),
            (VCPUS, 3, EXCEEDED, "3 vCPU: 2 vCPU used, 2 vCPU more asked for"),
            (MEMORY, 16_383, EXCEEDED, "16383 MiB: 8192 MiB used, 8192 MiB more asked for"),
            (STORAGE, 39, EXCEEDED, "39 GB: 20 GB used, 20 GB more asked for"),
        ):
            fleet.limit(subject, resource, limit)
            answer = create(alice, **fields)
            assert answer.refusal == refusal
            assert answer.message == f"The quota {resource} of {whose} is {amounts}."
            fleet.limit(subject, resource, -1)
    assert [one["id"] for one in alice.get("", {"workspace_id": own}).json["data"]] == [made]


def test_what_is_exactly_enough_is_given(fleet: Fleet) -> None:
    for resource, limit in ((COUNT, 1), (VCPUS, 1), (MEMORY, 2048), (STORAGE, 5)):
        fleet.limit(fleet.user(fleet.alice), resource, limit)
    assert create(fleet.alice).status == 200
    assert create(fleet.alice).refusal == USED_UP
    assert create(fleet.bob).status == 200


def test_one_user_may_have_more_than_every_user(fleet: Fleet) -> None:
    fleet.limit(EVERY_USER, COUNT, 1)
    fleet.limit(fleet.user(fleet.bob), COUNT, 2)
    for caller, allowed in ((fleet.alice, 1), (fleet.bob, 2), (fleet.admin, 1)):
        assert [create(caller).status for _ in range(allowed + 1)] == [200] * allowed + [400]
        feature = caller.request("GET", f"/v1/{caller.project_id}/authoring/NOTEBOOK/feature")
        if feature.status == 200:
            assert (feature.json["quota"], feature.json["used"]) == (allowed, allowed)


def test_a_stopped_one_needs_room_to_start(fleet: Fleet) -> None:
    alice = fleet.alice
    first, second = alice.stopped(flavor=MIDDLE)["id"], alice.stopped()["id"]
    fleet.limit(THE_PROJECT, VCPUS, 2)
    assert start(alice, second).status == 200
    answer = start(alice, first)
    assert answer.refusal == EXCEEDED
    assert answer.message == (
        "The quota notebook.vcpu of the project is 2 vCPU: 1 vCPU used, 2 vCPU more asked for."
    )
    assert alice.get(f"/{first}").json["status"] == "STOPPED"
    alice.until(second, "RUNNING")
    alice.post(f"/{second}/stop")
    alice.until(second, "STOPPED")
    assert start(alice, first).status == 200


def test_a_volume_grows_within_the_quota(fleet: Fleet) -> None:
    alice = fleet.alice
    made = alice.running()["id"]
    fleet.limit(fleet.user(alice), STORAGE, 12)
    answer = alice.put(f"/{made}", {"storage_new_size": 13})
    assert answer.refusal == EXCEEDED
    assert answer.message == (
        "The quota notebook.storage of the user is 12 GB: 5 GB used, 8 GB more asked for."
    )
    assert alice.put(f"/{made}", {"storage_new_size": 12}).status == 200
    # What grows counts as it will be; whoever is at the limit may still do what takes no more.
    assert create(alice, volume={"category": "EVS", "ownership": "MANAGED"}).refusal == EXCEEDED
    alice.once(made, lambda one: one["volume"]["capacity"] == 12)
    fleet.limit(fleet.user(alice), STORAGE, 6)
    assert alice.put(f"/{made}", {"name": "renamed"}).status == 200


def test_a_lower_quota_stops_nothing(fleet: Fleet) -> None:
    alice = fleet.alice
    made = [alice.running()["id"] for _ in range(2)]
    fleet.limit(THE_PROJECT, COUNT, 1)
    fleet.limit(THE_PROJECT, VCPUS, 1)
    assert [alice.get(f"/{one}").json["status"] for one in made] == ["RUNNING"] * 2
    assert create(alice).refusal == USED_UP
    alice.post(f"/{made[0]}/stop")
    alice.until(made[0], "STOPPED")
    assert start(alice, made[0]).refusal == EXCEEDED


def test_what_is_deleted_or_failed_to_be_made(fleet: Fleet) -> None:
    fleet.limit(fleet.user(fleet.alice), COUNT, 1)
    failed = fleet.alice.failed()["id"]
    assert create(fleet.alice).refusal == USED_UP
    fleet.alice.delete(f"/{failed}")
    fleet.alice.gone(failed)
    assert create(fleet.alice).status == 200


def test_sizes_of_their_own_are_counted_exactly(fleet: Fleet) -> None:
    alice = fleet.alice
    body = alice.body(pool_id="pool-a", custom_spec={"cpu": 0.75, "memory": 1024})
    del body["flavor"]
    put(fleet.admin, "0", vcpu=2)
    assert [alice.post("", body).status for _ in range(3)] == [200, 200, 400]
    answer = alice.post("", body)
    assert answer.message == (
        "The quota notebook.vcpu of the workspace 0 is 2 vCPU: 1.5 vCPU used, 0.75 vCPU more asked for."
    )
    assert shown(alice)[VCPUS] == (2, 2)


def test_a_repeated_request_takes_nothing(fleet: Fleet) -> None:
    fleet.limit(THE_PROJECT, COUNT, 1)
    body, headers = fleet.alice.body(), [("Idempotency-Key", "k")]
    first = fleet.alice.post("", body, headers=headers)
    again = fleet.alice.post("", body, headers=headers)
    assert (again.status, again.json["id"]) == (200, first.json["id"])


@pytest.mark.parametrize("holder", ["user", "every user", "workspace", "project"])
def test_many_at_once_never_pass_the_limit(fleet: Fleet, holder: str) -> None:
    """Eight ask for one each of five; the workspace and the project are shared by two people."""
    shared = holder in ("workspace", "project")
    subject = {
        "user": fleet.user(fleet.alice), "every user": EVERY_USER, "project": THE_PROJECT,
        "workspace": Subject(Holder.WORKSPACE, 1),
    }[holder]  # fmt: skip
    fleet.limit(subject, COUNT, 5)
    callers = [fleet.alice, fleet.bob if shared else fleet.alice] * 4
    bodies = [one.body() for one in callers]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda pair: pair[0].post("", pair[1]), zip(callers, bodies, strict=True)))
    assert Counter(answer.status for answer in answers) == {200: 5, 400: 3}
    assert {answer.refusal for answer in answers if answer.status == 400} == {USED_UP}
    assert fleet.admin.get("/all").json["total"] == 5


def test_many_starts_at_once_never_pass_the_limit(fleet: Fleet) -> None:
    stopped = [fleet.alice.stopped()["id"] for _ in range(6)]
    fleet.limit(THE_PROJECT, VCPUS, 4)
    fleet.limit(fleet.user(fleet.alice), MEMORY, 3 * 2048)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda one: start(fleet.alice, one), stopped))
    assert Counter(answer.status for answer in answers) == {200: 3, 400: 3}
    put(fleet.admin, "0", vcpu=100)
    assert shown(fleet.alice)[VCPUS] == (100, 3)


def test_creators_and_starters_and_growers_at_once(fleet: Fleet) -> None:
    """Whatever gets through, nothing is passed; and nobody waits for ever."""
    alice, bob = fleet.alice, fleet.bob
    running, stopped = alice.running()["id"], [alice.stopped()["id"] for _ in range(2)]
    fleet.limit(THE_PROJECT, VCPUS, 3)
    fleet.limit(THE_PROJECT, STORAGE, 23)
    body = bob.body()
    acts = [
        *(lambda one=one: start(alice, one) for one in stopped),
        *[lambda: bob.post("", body)] * 3,
        lambda: alice.put(f"/{running}", {"storage_new_size": 8}),
        lambda: put(fleet.admin, "0", storage=24),
    ]
    with ThreadPoolExecutor(len(acts)) as threads:
        answers = list(threads.map(lambda act: act(), acts))
    assert {answer.status for answer in answers} <= {200, 400}
    put(fleet.admin, "0", vcpu=100, storage=100)
    found = shown(alice)
    assert found[VCPUS][1] is not None
    assert found[VCPUS][1] <= 3
    assert found[STORAGE][1] is not None
    assert found[STORAGE][1] <= 23

"""Pools over HTTP: what is shown, who is let in, and that room is never given twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkmodelarts.v1 import (
    ListAllNotebooksRequest,
    ListAuthoringClustersRequest,
    ListFeaturesRequest,
    ListPoolsRequest,
    ShowPoolRequest,
)
from sqlalchemy import insert, select, update

from nbfleet.domain.access import Role
from nbfleet.services.catalogue import ARCH
from nbfleet.settings import NodeSettings, PoolSettings
from nbfleet.store import schema
from nbfleet.store.database import Connection
from support import sdk
from support.client import Answer, Caller
from support.hosted import FAILS, HANGS, Hosted
from support.people import DATABASES
from support.service import Service

LAB = "1" * 32
SMALL, MIDDLE, LARGE = (f"modelarts.vm.cpu.{n}u" for n in (1, 2, 4))
POOLS = (
    PoolSettings(id="pool-small", name="Small", nodes=(NodeSettings(vcpus=2, memory=8192, count=2),)),
    PoolSettings(
        id="pool-one", name="One", description="for the lab", workspaces=[LAB], flavors=[SMALL, LARGE],
        nodes=(NodeSettings(name="big", vcpus=4, memory=16384, gpus=1),),
    ),
    PoolSettings(id="pool-else", name="Else", project="lab", nodes=(NodeSettings(vcpus=1, memory=2048),)),
)  # fmt: skip


class Fleet:
    def __init__(self, directory: Path, url: str) -> None:
        # The project is there before the pools that are for it: at the second start.
        first = Hosted(directory, url).start()
        first.project("lab")
        first.stop()
        self.hosted = Hosted(directory, url, {"pools": POOLS}).start()
        self.admin = self.hosted.administrator()
        self.alice = self.hosted.user("alice", "local")
        self.carol = self.hosted.user("carol", "lab")
        self.hosted.database.write_now(_add_workspace, self.alice.project_id)


def _add_workspace(connection: Connection, project_id: str) -> None:
    p = schema.projects.c
    number = connection.execute(select(p.no).where(p.id == project_id)).scalar_one()
    connection.execute(insert(schema.workspaces).values(project_no=number, id=LAB, name="lab-1"))


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/test.db"
    return request.getfixturevalue("postgres").new_database()


@pytest.fixture
def fleet(url: str, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path, url)
    yield made
    made.hosted.stop()


def pools(caller: Caller, query: Any = None) -> list[dict[str, Any]]:
    return caller.request("GET", f"/v2/{caller.project_id}/pools", query).json["items"]


def pool(caller: Caller, pool_id: str) -> Answer:
    return caller.request("GET", f"/v2/{caller.project_id}/pools/{pool_id}")


def clusters(caller: Caller, **query: Any) -> Answer:
    return caller.request("GET", f"/v1/{caller.project_id}/authoring/clusters", query)


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [one["metadata"]["name"] for one in found]


def free(caller: Caller, pool_id: str = "pool-small") -> str:
    return pool(caller, pool_id).json["status"]["message"]


def start(caller: Caller, notebook_id: str) -> Answer:
    return caller.post(f"/{notebook_id}/start")


def put(caller: Caller, pool_id: str = "pool-small", **fields: Any) -> Answer:
    return caller.post("", caller.body(pool_id=pool_id, **fields))


def test_a_pool_is_shown_as_an_object_of_kubernetes(fleet: Fleet) -> None:
    shown = pool(fleet.alice, "pool-one").json
    created = shown["metadata"].pop("creationTimestamp")
    assert (created[:10], created[-1]) == ("2023-11-14", "Z")
    domain = shown["metadata"]["labels"].pop("os.modelarts/tenant.domain.id")
    assert len(domain) == 32
    assert shown == {
        "apiVersion": "v2",
        "kind": "Pool",
        "metadata": {
            "name": "pool-one",
            "labels": {
                "os.modelarts/name": "One",
                "os.modelarts/workspace.id": LAB,
                "os.modelarts/tenant.project.id": fleet.alice.project_id,
            },
            "annotations": {"os.modelarts/description": "for the lab", "os.modelarts/billing.mode": "0"},
        },
        "spec": {
            "type": "Dedicate",
            "scope": ["Notebook"],
            "resources": [{"flavor": "big", "count": 1}],
            "jobFlavors": [SMALL, LARGE],
        },
        "status": {
            "phase": "Running",
            "message": "Free: 4 of 4 vCPUs, 16384 of 16384 MiB, 1 of 1 GPUs.",
            "root": "pool-one",
            "scope": [{"scopeType": "Notebook", "state": "Enabled"}],
            "resources": {
                "creating": [],
                "available": [{"flavor": "big", "count": 1, "azs": [{"az": "local", "count": 1}]}],
                "abnormal": [],
                "deleting": [],
            },
        },
    }


def test_which_pools_are_listed(fleet: Fleet) -> None:
    alice = fleet.alice
    assert ids(pools(alice)) == ["pool-small"]
    assert ids(pools(alice, {"workspaceId": LAB})) == ["pool-small", "pool-one"]
    assert ids(pools(alice, {"workspaceId": "*"})) == ["pool-small", "pool-one"]
    assert ids(pools(fleet.carol, {"workspaceId": "*"})) == ["pool-else"]
    assert pools(alice, {"status": "failed"}) == []
    assert pools(alice, {"parent": "x"}) == []
    name = "os.modelarts/name"
    for selector, found in (
        (f"{name}=Small", ["pool-small"]), (f"{name}!=Small", ["pool-one"]), (f"{name}==x", []),
        (name, ["pool-small", "pool-one"]), ("!x", ["pool-small", "pool-one"]),
        (f"os.modelarts/workspace.id=0, {name}", ["pool-small"]),
    ):  # fmt: skip
        assert ids(pools(alice, {"workspaceId": "*", "labelSelector": selector})) == found
    bad = alice.request("GET", f"/v2/{alice.project_id}/pools", {"labelSelector": "a in (b)"})
    assert bad.refusal == (400, "ModelArts.0107")
    for unknown in ("pool-else", "pool-none"):
        assert pool(alice, unknown).refusal == (404, "ModelArts.6404")
    assert pool(alice, "X").refusal == (400, "ModelArts.6336")


def test_clusters_and_features(fleet: Fleet) -> None:
    alice = fleet.alice
    assert put(alice, flavor=MIDDLE).status == 200
    found = clusters(alice, type="DEDICATED").json
    assert (found["total"], found["current"], found["pages"], found["size"]) == (1, 0, 1, 1000)
    (one,) = found["data"]
    assert (one["pool_id"], one["logic_cluster_id"], one["type"], one["status"]) == (
        "pool-small", "pool-small", "DEDICATED", "ACTIVE",
    )  # fmt: skip
    assert one["create_at"].isdigit()
    sizes = [(f["id"], f["vcpus"], f["memory"], f["sold_out"]) for f in one["flavors"] if "vm" in f["id"]]
    assert sizes == [(SMALL, 1, "2097152", False), (MIDDLE, 2, "8388608", False)]
    assert put(alice, flavor=MIDDLE).status == 200
    (full,) = clusters(alice, type="DEDICATED").json["data"]
    assert {f["sold_out"] for f in full["flavors"]} == {True}
    lab = clusters(alice, type="DEDICATED", workspace_id=LAB).json["data"]
    assert [(c["pool_id"], c["resource_categories"]) for c in lab] == [
        ("pool-small", "CPU"), ("pool-one", "GPU"),
    ]  # fmt: skip
    assert [c["logic_cluster_id"] for c in clusters(alice, type="MANAGED").json["data"]] == ["public"]
    assert clusters(alice, type="DEDICATED", scope="TRAIN").json["data"] == []
    assert clusters(alice).refusal == (400, "ModelArts.0107")
    assert clusters(alice, type="DEDICATED", limit=0).refusal == (400, "ModelArts.0107")
    at = f"/v1/{alice.project_id}/authoring"
    assert alice.request("GET", f"{at}/clusters/pool-small").json == full
    assert alice.request("GET", f"{at}/clusters/pool-else").refusal == (404, "ModelArts.6404")
    assert alice.request("GET", f"{at}/clusters/public").json["type"] == "MANAGED"
    assert alice.request("GET", f"{at}/features/NOTEBOOK").json == {
        "id": "notebook", "name": "NOTEBOOK", "enabled": True, "quota": -1, "used": 2,
        "user_id": alice.user_id,
    }  # fmt: skip
    dedicated = alice.get("/flavors", {"type": "DEDICATED", "sort_key": "id", "sort_dir": "ASC"}).json
    assert [f["id"] for f in dedicated["data"]][:1] == ["flavor.that.fails"]


def test_a_notebook_shows_its_pool_everywhere(fleet: Fleet) -> None:
    alice, shown = fleet.alice, {"id": "pool-small", "name": "Small"}
    inside, outside = alice.running(pool_id="pool-small", name="in"), alice.running(pool_id="", name="out")
    assert (inside["pool"], "pool" in outside) == (shown, False)
    for caller, rest in ((alice, ""), (fleet.admin, "/all")):
        for query in ({"sort_key": "name", "sort_dir": "ASC"}, {"offset": 0, "name": "in"}, {"pool_id": "x"}):
            found = caller.get(rest, query if "pool_id" not in query else {"pool_id": "pool-small"}).json
            assert {one["name"]: one.get("pool") for one in found["data"]} == (
                {"in": shown, "out": None} if "sort_key" in query else {"in": shown}
            )
    assert fleet.admin.get("/all", {"pool_name": "SMAL"}).json["total"] == 1
    assert b'"pool":{"id":"pool-small","name":"Small"}' in alice.get("/export").raw
    stopped = alice.post(f"/{inside['id']}/stop").json
    assert stopped["pool"] == shown


def test_who_is_let_in(fleet: Fleet) -> None:
    alice = fleet.alice
    for wrong in ("pool-none", "pool-else", "POOL"):
        refused = put(alice, wrong)
        assert refused.refusal == (400, "ModelArts.6336")
        assert refused.message == f"The field pool_id is {wrong}; allowed: pool-small, pool-one."
    closed = put(alice, "pool-one")
    assert closed.refusal == (400, "ModelArts.6336")
    assert closed.message.endswith("allowed: a pool that is open to the workspace 0.")
    assert put(alice, "pool-one", workspace_id=LAB).status == 200
    too_large = put(alice, "pool-small", flavor=LARGE)
    assert too_large.refusal == (400, "ModelArts.6323")
    assert too_large.message.startswith(
        f"The flavor {LARGE} is not offered in the pool pool-small; allowed: "
    )
    assert put(alice, "pool-one", workspace_id=LAB, flavor=MIDDLE).refusal == (400, "ModelArts.6323")
    assert put(fleet.carol, "pool-small").refusal == (400, "ModelArts.6336")


def test_room_is_taken_and_given_back(fleet: Fleet) -> None:
    alice = fleet.alice
    assert free(alice) == "Free: 4 of 4 vCPUs, 16384 of 16384 MiB."
    first = alice.running(pool_id="pool-small", flavor=MIDDLE)["id"]
    second = alice.running(pool_id="pool-small", flavor=SMALL)["id"]
    assert free(alice) == "Free: 1 of 4 vCPUs, 6144 of 16384 MiB."
    refused = put(alice, flavor=MIDDLE)
    assert refused.refusal == (400, "ModelArts.6329")
    assert refused.message == (
        f"The pool pool-small has no room for the flavor {MIDDLE} now; free: 1 of 4 vCPUs, 6144 of 16384 MiB."
    )
    alice.post(f"/{first}/stop")
    alice.until(first, "STOPPED")
    assert free(alice) == "Free: 3 of 4 vCPUs, 14336 of 16384 MiB."
    third = alice.running(pool_id="pool-small", flavor=MIDDLE)["id"]
    before = alice.get(f"/{first}").json
    no_room = start(alice, first)
    assert no_room.refusal == (400, "ModelArts.6360")
    assert no_room.message.endswith("free: 1 of 4 vCPUs, 6144 of 16384 MiB.")
    assert alice.get(f"/{first}").json == before
    alice.delete(f"/{third}")
    alice.gone(third)
    assert start(alice, first).status == 200
    alice.until(first, "RUNNING")
    assert start(alice, second).refusal == (400, "ModelArts.6357")
    failed = alice.failed(pool_id="pool-small")["id"]
    assert free(alice) == "Free: 1 of 4 vCPUs, 6144 of 16384 MiB."
    assert alice.get(f"/{failed}").json["flavor"] == FAILS


def test_what_is_being_made_has_its_room_already(fleet: Fleet) -> None:
    for _ in range(4):
        assert put(fleet.alice, flavor=HANGS).status == 200
    assert put(fleet.alice, flavor=SMALL).refusal == (400, "ModelArts.6329")


def test_requests_at_once_get_no_more_than_there_is(fleet: Fleet) -> None:
    alice = fleet.alice
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: put(alice, flavor=SMALL), range(12)))
    assert sorted(one.status for one in answers) == [200] * 4 + [400] * 8
    assert {one.refusal for one in answers if one.status == 400} == {(400, "ModelArts.6329")}
    made = [one.json["id"] for one in answers if one.status == 200]
    for notebook_id in made:
        alice.until(notebook_id, "RUNNING")
        alice.post(f"/{notebook_id}/stop")
        alice.until(notebook_id, "STOPPED")
    # Starts and creates against each other.
    calls = [lambda one=one: start(alice, one) for one in made] + [lambda: put(alice, flavor=MIDDLE)] * 4
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda call: call(), calls))
    taken = sum(2 if one.json["flavor"] == MIDDLE else 1 for one in answers if one.status == 200)
    assert {one.refusal for one in answers if one.status == 400} <= {
        (400, "ModelArts.6329"), (400, "ModelArts.6360"),
    }  # fmt: skip
    assert 3 <= taken <= 4


def test_a_pool_that_is_no_longer_named_is_kept(url: str, tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, url)
    inside = fleet.alice.stopped(pool_id="pool-small")
    fleet.hosted.stop()
    renamed = (PoolSettings(id="pool-one", name="Renamed", nodes=POOLS[1].nodes),)
    again = Hosted(tmp_path, url, {"pools": renamed}).start()
    try:
        admin = again.administrator()
        (left,) = pools(admin)
        assert left["metadata"]["labels"]["os.modelarts/name"] == "Renamed"
        assert put(admin, "pool-small").message == "The field pool_id is pool-small; allowed: pool-one."
        assert start(admin, inside["id"]).json["pool"] == {"id": "pool-small", "name": "Small"}
        admin.until(inside["id"], "RUNNING")
    finally:
        again.stop()


def test_deleting_a_stopped_one_gives_nothing_back_twice(fleet: Fleet) -> None:
    """What is being deleted has room only while something of it runs."""
    alice = fleet.alice
    made = alice.stopped(pool_id="pool-small", flavor=MIDDLE)["id"]

    def deleting(connection: Connection, observed: str) -> None:
        n, i = schema.notebooks.c, schema.instances.c
        rid = connection.execute(select(n.rid).where(n.id == made)).scalar_one()
        values = {"wanted": "DELETED", "observed": observed, "due_at": None}
        connection.execute(update(schema.instances).where(i.rid == rid).values(**values))
        connection.execute(update(schema.notebooks).where(n.rid == rid).values(status=50))

    fleet.hosted.database.write_now(deleting, "STOPPED")
    assert free(alice) == "Free: 4 of 4 vCPUs, 16384 of 16384 MiB."
    fleet.hosted.database.write_now(deleting, "RUNNING")
    assert free(alice) == "Free: 2 of 4 vCPUs, 8192 of 16384 MiB."


def test_the_official_sdk(tmp_path: Path) -> None:
    config = tmp_path / "nbfleet.toml"
    config.write_text(
        '[[pools]]\nid = "pool-sdk"\nname = "Sdk"\nnodes = [{vcpus = 1, memory = 2048}]\n', encoding="utf-8"
    )
    service = Service(tmp_path / "data", runtime="simulated", arguments=["--config", str(config)]).start()
    try:
        client = sdk.connect(service)
        (one,) = client.list_pools(ListPoolsRequest()).items
        assert (one.metadata.name, one.status.phase, one.spec.scope) == ("pool-sdk", "Running", ["Notebook"])
        shown = client.show_pool(ShowPoolRequest(pool_name="pool-sdk"))
        assert (shown.metadata.name, shown.status.message) == (
            "pool-sdk", "Free: 1 of 1 vCPUs, 2048 of 2048 MiB.",
        )  # fmt: skip
        made = sdk.create(client, name="by-sdk", pool_id="pool-sdk")
        assert (made.pool.id, made.pool.name) == ("pool-sdk", "Sdk")
        sdk.wait_until(client, made.id, "RUNNING")
        listed = client.list_all_notebooks(ListAllNotebooksRequest(pool_id="pool-sdk"))
        assert [(n.id, n.pool.name) for n in listed.data] == [(made.id, "Sdk")]
        found = client.list_authoring_clusters(ListAuthoringClustersRequest(type="DEDICATED"))
        assert [(c.pool_id, [f.sold_out for f in c.flavors]) for c in found.data] == [("pool-sdk", [True])]
        feature = client.list_features(ListFeaturesRequest(feature="NOTEBOOK"))
        assert (feature.enabled, feature.used) == (True, 1)
    finally:
        service.clear_away()


def test_an_administrator_of_the_project_is_bound_by_the_room_too(fleet: Fleet) -> None:
    chief = fleet.hosted.user("chief", "local", Role.ADMINISTRATOR)
    for _ in range(2):
        assert put(chief, flavor=MIDDLE).status == 200
    assert put(chief, flavor=SMALL).refusal == (400, "ModelArts.6329")


def refusal(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.json["error_code"], answer.json["error_msg"]


def sized(caller: Caller, cpu: float, memory: int, **fields: Any) -> Answer:
    body = caller.body(pool_id="pool-small", custom_spec={"cpu": cpu, "memory": memory}, **fields)
    del body["flavor"]
    return caller.post("", body)


def test_a_size_of_its_own_takes_room_in_a_pool(fleet: Fleet) -> None:
    before = free(fleet.alice)
    made = sized(fleet.alice, 0.5, 1024)
    spec = {"cpu": 0.5, "memory": 1024.0, "arch": ARCH, "category": "CPU"}
    assert (made.json["flavor"], made.json["custom_spec"]) == ("custom.flavor.spec.code", spec)
    one = fleet.alice.until(made.json["id"], "RUNNING")
    listed = fleet.alice.get("", {"id": one["id"]}).json["data"][0]
    assert (listed["custom_spec"], listed["flavor"]) == (spec, "custom.flavor.spec.code")
    with_it = free(fleet.alice)
    assert with_it != before
    status, code, message = refusal(sized(fleet.alice, 100, 1024))
    assert (status, code) == (400, "ModelArts.6336")
    assert message.startswith("The field custom_spec is 100 vCPUs and 1024 MiB; allowed: at most ")
    fleet.alice.post(f"/{one['id']}/stop")
    fleet.alice.until(one["id"], "STOPPED")
    assert free(fleet.alice) == before
    bigger = fleet.alice.put(f"/{one['id']}", {"custom_spec": {"cpu": 0.75, "memory": 2048}}).json
    assert (bigger["custom_spec"]["cpu"], bigger["custom_spec"]["memory"]) == (0.75, 2048)
    usual = fleet.alice.put(f"/{one['id']}", {"flavor": SMALL}).json
    assert (usual["flavor"], "custom_spec" in usual) == (SMALL, False)


@pytest.mark.parametrize(
    ("spec", "status", "code", "message"),
    [
        ({"cpu": 0.523, "memory": 1024}, 400, "ModelArts.6336",
         "The field custom_spec.cpu is 0.523; allowed: a number with at most two decimals."),
        ({"cpu": 1, "memory": 1024, "gpu": 1, "gpu_type": "x"}, 501, "ModelArts.6361",
         "custom_spec with GPUs is not available on this service."),
    ],
)  # fmt: skip
def test_a_size_that_cannot_be_had(
    fleet: Fleet, spec: dict[str, Any], status: int, code: str, message: str
) -> None:
    body = fleet.alice.body(pool_id="pool-small", custom_spec=spec)
    del body["flavor"]
    assert refusal(fleet.alice.post("", body)) == (status, code, message)


def test_a_size_is_for_the_machines_it_names(fleet: Fleet) -> None:
    def asked(name: str, cpu: float) -> Answer:
        spec = {"cpu": cpu, "memory": 1024, "resource_flavor": name}
        body = fleet.alice.body(pool_id="pool-small", custom_spec=spec)
        del body["flavor"]
        return fleet.alice.post("", body)

    assert asked("node", 1).json["custom_spec"]["resource_flavor"] == "node"
    assert refusal(asked("big", 1)) == (
        400, "ModelArts.6336", "The field custom_spec.resource_flavor is big; allowed: node.",
    )  # fmt: skip
    assert refusal(asked("node", 4)) == (
        400, "ModelArts.6336",
        "The field custom_spec is 4 vCPUs and 1024 MiB; allowed: at most 2 vCPUs and 8192 MiB, the largest "
        "machine of pool-small.",
    )  # fmt: skip


def test_rules_for_nodes_are_shown_again(fleet: Fleet) -> None:
    required = [{"key": "disk", "operator": "In", "values": ["ssd"], "weight": None}]
    preferred = [{"key": "zone.local/rack", "operator": "Exists", "values": [], "weight": 7}]
    rules = {
        "required_during_scheduling_ignored_during_execution": required,
        "preferred_during_scheduling_ignored_during_execution": preferred,
    }
    made = put(fleet.alice, affinity=rules, run_user={"uid": 1000}).json
    assert (made["affinity"], made["run_user"]) == (rules, {"uid": 1000, "gid": 1000})
    place = "affinity.required_during_scheduling_ignored_during_execution[0]"
    for rule, code, message in (
        ({"operator": "In"}, "ModelArts.6335", f"The field {place}.key is missing."),
        ({"key": "a b", "operator": "In"}, "ModelArts.6336",
         f"The field {place}.key is a b; allowed: the key of a label."),
        ({"key": "a"}, "ModelArts.6335", f"The field {place}.operator is missing."),
        ({"key": "a", "operator": "Gt", "values": []}, "ModelArts.6336",
         f"The field {place}.values is 0 values; allowed: 1 to 1 with Gt."),
        ({"key": "a", "operator": "Exists", "weight": 3}, "ModelArts.6336",
         f"The field {place}.weight is 3; allowed: none for a required rule."),
    ):  # fmt: skip
        affinity = {"required_during_scheduling_ignored_during_execution": [rule]}
        assert refusal(put(fleet.alice, affinity=affinity)) == (400, code, message)

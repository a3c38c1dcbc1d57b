"""Whole answers of every available operation: exact keys and values, only ids and times are substituted."""

from importlib.metadata import version
from typing import Any

import pytest

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.notebook import Observed, Progress, StepStatus
from nbfleet.services.catalogue import ARCH, BUILT_IN_ID
from support import fleet
from support.people import FLAVOR, Person, Place, now
from support.service import wait_for

TAG = version("jupyterlab")
SWR_PATH = f"localhost/nbfleet/jupyterlab:{TAG}"
SHORT_IMAGE = {"id": BUILT_IN_ID, "name": "jupyterlab", "swr_path": SWR_PATH, "type": "BUILD_IN"}
LONG_IMAGE = {**SHORT_IMAGE, "description": "JupyterLab with the Python of the service", "tag": TAG}
STEPS = {
    4: "Initialise the instance.",
    3: "Configure the network.",
    2: "Prepare compute resources.",
    1: "Prepare storage.",
}
HOUR = 3_600_000
MISSING = "00000000-0000-4000-8000-000000000000"


def url(place: Place, notebook_id: str) -> str:
    return f"{place.service.gateway}/{notebook_id}/lab"


def endpoint(place: Place, notebook_id: str) -> dict[str, Any]:
    return {
        "service": "NOTEBOOK",
        "dev_service": "NOTEBOOK",
        "uri": url(place, notebook_id),
        "key_pair_names": [],
        "ssh_keys": [],
        "allowed_access_ips": [],
    }


def progress(notebook_id: str, status: str = "WAITING") -> list[dict[str, Any]]:
    return [
        {
            "notebook_id": notebook_id,
            "step": step,
            "status": status,
            "step_description": text,
            "description": text,
        }
        for step, text in STEPS.items()
    ]


def expected(person: Person, given: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A notebook of this person that is neither running nor starting; id, token and times are as given."""
    return {
        "id": given["id"],
        "name": "notebook",
        "description": "",
        "status": "STOPPED",
        "feature": "NOTEBOOK",
        "flavor": FLAVOR,
        "image": LONG_IMAGE,
        "workspace_id": "0",
        "endpoints": [],
        "token": given["token"],
        "volume": {
            "category": "EVS",
            "ownership": "MANAGED",
            "capacity": 5,
            "mount_path": "/home/ma-user/work/",
            "read_only": False,
        },
        "billing_items": [],
        "user_id": person.user.id,
        "user": account_of(person),
        "tags": [],
        "lease": given["lease"],
        "create_at": given["create_at"],
        "update_at": given["update_at"],
    } | changes


def account_of(person: Person) -> dict[str, Any]:
    user = person.user
    return {"id": user.id, "name": user.name, "domain": {"id": user.account_id, "name": user.account_name}}


def expected_running(place: Place, person: Person, given: dict[str, Any], **changes: Any) -> dict[str, Any]:
    living = {
        "status": "RUNNING",
        "ip": "127.0.0.1",
        "url": url(place, given["id"]),
        "endpoints": [endpoint(place, given["id"])],
        "billing_items": ["COMPUTE", "STORAGE"],
    }
    return expected(person, given, **(living | changes))


def lease(create_at: int, update_at: int, period: int = HOUR) -> dict[str, Any]:
    """The published arithmetic: what was asked for counts from the change, the answer from the creation."""
    duration = -1 if period == -1 else update_at - create_at + period
    return {
        "create_at": create_at,
        "update_at": update_at,
        "duration": duration,
        "enable": period != -1,
        "type": "TIMING",
    }


def is_token(text: str) -> bool:
    return [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]


# One notebook through its life.


def test_the_answers_of_a_whole_life(place: Place, member: Person) -> None:
    before = now()
    created = member.create(name="life", description="实验 1")
    notebook_id, born, token = created["id"], created["create_at"], created["token"]
    same = {"name": "life", "description": "实验 1"}
    assert before <= born <= now()
    assert is_token(token)
    assert created == expected(
        member, created, **same, status="CREATING", action_progress=progress(notebook_id),
        lease=lease(born, born), update_at=born,
    )  # fmt: skip

    running = member.wait(notebook_id)
    ready = running["update_at"]
    assert born < ready <= running["current_time"] <= now()
    assert running == expected_running(
        place, member, running, **same, token=token, create_at=born, lease=lease(born, ready),
        current_time=running["current_time"],
    )  # fmt: skip

    stopping = member.key("POST", f"notebooks/{notebook_id}/stop").json
    assert stopping == expected(
        member, stopping, **same, status="STOPPING", token=token, lease=lease(born, ready), ip="127.0.0.1",
        create_at=born,
    )  # fmt: skip
    assert stopping["update_at"] > ready

    stopped = member.wait(notebook_id, "STOPPED")
    assert stopped["update_at"] >= stopping["update_at"]
    assert stopped == expected(
        member, stopped, **same, token=token, lease=lease(born, ready), create_at=born,
        current_time=stopped["current_time"],
    )  # fmt: skip

    changed = member.key("PUT", f"notebooks/{notebook_id}", body={"name": "new", "description": ""}).json
    same = {"name": "new", "description": ""}
    assert changed == expected(member, changed, **same, token=token, lease=lease(born, ready), create_at=born)
    assert changed["update_at"] > stopped["update_at"]

    starting = member.key("POST", f"notebooks/{notebook_id}/start").json
    asked = starting["update_at"]
    assert is_token(starting["token"])
    assert starting["token"] != token
    assert starting == expected(
        member, starting, **same, status="STARTING", action_progress=progress(notebook_id),
        lease=lease(born, asked), create_at=born,
    )  # fmt: skip

    again = member.wait(notebook_id)
    assert again == expected_running(
        place, member, again, **same, token=starting["token"], lease=lease(born, again["update_at"]),
        create_at=born, current_time=again["current_time"],
    )  # fmt: skip

    deleting = member.key("DELETE", f"notebooks/{notebook_id}").json
    assert deleting == expected(
        member, deleting, **same, status="DELETING", token=again["token"], lease=again["lease"],
        ip="127.0.0.1", create_at=born,
    )  # fmt: skip

    gone = member.wait_until_gone(notebook_id)
    assert gone.error == (404, "ModelArts.6404")
    assert gone.message == f"The instance {notebook_id} does not exist."
    for method, path, body in every_call(notebook_id):
        assert member.key(method, path, body=body).error == (404, "ModelArts.6404")


def every_call(notebook_id: str) -> list[tuple[str, str, Any]]:
    """Every available operation on one notebook."""
    base = f"notebooks/{notebook_id}"
    return [
        ("GET", base, None),
        ("PUT", base, {"name": "n"}),
        ("DELETE", base, None),
        ("POST", f"{base}/start", None),
        ("POST", f"{base}/stop", None),
        ("GET", f"{base}/lease", None),
        ("PATCH", f"{base}/lease", {"duration": HOUR}),
        ("GET", f"{base}/log", None),
    ]


def test_what_never_was_is_not_found(member: Person) -> None:
    for method, path, body in every_call(MISSING):
        reply = member.key(method, path, body=body)
        assert reply.error == (404, "ModelArts.6404")
        assert reply.message == f"The instance {MISSING} does not exist."


def test_progress_is_told_from_the_last_step_to_the_first(member: Person) -> None:
    notebook_id = member.create()["id"]
    seen: list[list[tuple[int, str]]] = []

    def look() -> bool:
        shown = member.show(notebook_id)
        steps = shown.get("action_progress")
        assert (steps is None) == (shown["status"] == "RUNNING")
        if steps is not None:
            assert [step["notebook_id"] for step in steps] == [notebook_id] * 4
            assert [(s["step_description"], s["description"]) for s in steps] == [
                (text, text) for text in STEPS.values()
            ]
            seen.append([(step["step"], step["status"]) for step in steps])
        return shown["status"] == "RUNNING"

    wait_for("it to run", look)
    words = ["WAITING", "PROCESSING", "COMPLETED"]
    for steps in seen:
        assert [number for number, _ in steps] == [4, 3, 2, 1]
        ranks = [words.index(status) for _, status in steps]
        assert ranks == sorted(ranks), "a later step is never further than an earlier one"


# Storage, sizes and spellings of create.


@pytest.mark.parametrize(
    ("volume", "capacity"),
    [
        ({"category": "EVS", "ownership": "MANAGED"}, 5),
        ({"category": "EVS", "ownership": "MANAGED", "capacity": 4096}, 4096),
        ({"category": "EFS", "ownership": "MANAGED"}, 50),
        ({"category": "efs", "ownership": "managed", "capacity": 7}, 7),
        ({"category": "evs", "ownership": "managed", "mount_path": "/home/ma-user/work"}, 5),
        ({"category": "Evs", "ownership": "Managed", "mount_path": "/home/ma-user/work/"}, 5),
        ({"category": "EVS", "ownership": "MANAGED", "read_only": False, "uri": ""}, 5),
    ],
)
def test_volumes(place: Place, member: Person, volume: dict[str, Any], capacity: int) -> None:
    category = volume["category"].upper()
    shown = {
        "category": category,
        "ownership": "MANAGED",
        "capacity": capacity,
        "mount_path": "/home/ma-user/work/",
        "read_only": False,
    }
    created = member.create(volume=volume)
    assert created == expected(
        member, created, status="CREATING", volume=shown, action_progress=progress(created["id"])
    )
    running = member.wait(created["id"])
    assert running["volume"] == shown
    assert running["billing_items"] == (["COMPUTE", "STORAGE"] if category == "EVS" else ["COMPUTE"])


@pytest.mark.parametrize(
    ("fields", "period"),
    [
        ({}, HOUR),
        ({"lease": {}}, HOUR),
        ({"lease": {"type": "timing"}}, HOUR),
        ({"lease": {"type": "Timing", "duration": HOUR}}, HOUR),
        ({"lease": {"type": "TIMING", "duration": 259_200_000}}, 259_200_000),
        ({"lease": {"duration": -1}}, -1),
        ({"duration": -1}, -1),
        ({"duration": 2 * HOUR, "lease": {"duration": 3 * HOUR}}, 2 * HOUR),
        ({"duration": 2 * HOUR, "lease": {"type": "IDLE", "duration": 900_000}}, 2 * HOUR),
    ],
)
def test_leases_at_creation(member: Person, fields: dict[str, Any], period: int) -> None:
    created = member.create(**fields)
    assert created["lease"] == lease(created["create_at"], created["create_at"], period)
    running = member.wait(created["id"])
    assert running["lease"] == lease(created["create_at"], running["update_at"], period)


@pytest.mark.parametrize(
    ("query", "period"),
    [
        ({}, HOUR),
        ({"duration": -1}, -1),
        ({"duration": 259_200_000}, 259_200_000),
        ({"duration": 2 * HOUR, "type": "TIMING"}, 2 * HOUR),
        ({"duration": 2 * HOUR, "type": "timing"}, 2 * HOUR),
        ({"type": "Timing"}, HOUR),
    ],
)
def test_leases_at_start(member: Person, query: dict[str, Any], period: int) -> None:
    stopped = member.stopped(duration=-1)
    starting = member.key("POST", f"notebooks/{stopped['id']}/start", query=query, body={}).json
    assert starting["lease"] == lease(stopped["create_at"], starting["update_at"], period)
    running = member.wait(stopped["id"])
    assert running["lease"] == lease(stopped["create_at"], running["update_at"], period)
    assert running["update_at"] > starting["update_at"]


@pytest.fixture(scope="module")
def running_one(place: Place, member: Person) -> str:
    return member.running(name="running")["id"]


@pytest.mark.parametrize(
    ("query", "body", "period"),
    [
        ({}, None, HOUR),
        ({}, {}, HOUR),
        ({"duration": 2 * HOUR}, None, 2 * HOUR),
        ({"duration": 2 * HOUR}, {"duration": 3 * HOUR}, 2 * HOUR),
        ({"duration": 2 * HOUR}, {"duration": 900_000, "type": "IDLE"}, 2 * HOUR),
        ({}, {"duration": 3 * HOUR}, 3 * HOUR),
        ({}, {"duration": 259_200_000, "type": "timing"}, 259_200_000),
        ({"duration": -1}, None, -1),
        ({}, {"duration": -1, "type": "TIMING"}, -1),
    ],
)
def test_renewals(member: Person, running_one: str, query: dict[str, Any], body: Any, period: int) -> None:
    before, moment = member.show(running_one), now()
    renewed = member.key("PATCH", f"notebooks/{running_one}/lease", query=query, body=body).json
    assert moment <= renewed["update_at"] <= now()
    assert renewed == lease(before["create_at"], renewed["update_at"], period)
    assert member.key("GET", f"notebooks/{running_one}/lease").json == renewed
    after = member.show(running_one)
    assert after == {**before, "lease": renewed, "current_time": after["current_time"]}


# Updates.


def test_an_update_changes_what_it_names_and_nothing_else(member: Person, running_one: str) -> None:
    before = member.show(running_one)
    del before["current_time"]
    named = member.key("PUT", f"notebooks/{running_one}", body={"name": "训练_1-a"}).json
    assert named == {**before, "name": "训练_1-a", "update_at": named["update_at"]}
    assert named["update_at"] > before["update_at"]
    described = member.key("PUT", f"notebooks/{running_one}", body={"description": "a\nb | ü"}).json
    assert described == {**named, "description": "a\nb | ü", "update_at": described["update_at"]}
    assert member.key("PUT", f"notebooks/{running_one}", body={"name": "训练_1-a"}).json == described
    assert member.key("PUT", f"notebooks/{running_one}", body={}).json == described
    nothing = {"data_volumes": [], "endpoints": [], "hooks": {"container_hooks": {}}, "affinity": {}}
    assert member.key("PUT", f"notebooks/{running_one}", body=nothing).json == described
    shown = member.show(running_one)
    assert shown == {**described, "current_time": shown["current_time"]}


def test_an_id_may_be_written_in_either_case(member: Person, running_one: str) -> None:
    shown = member.key("GET", f"notebooks/{running_one.upper()}").json
    assert shown["id"] == running_one
    assert member.create(image_id=BUILT_IN_ID.upper())["image"] == LONG_IMAGE
    found = member.key("GET", f"images/{BUILT_IN_ID.upper()}").json
    assert found["id"] == BUILT_IN_ID


# Lists.


def test_a_listed_notebook_is_the_shown_one_with_a_shorter_image(place: Place, admin: Person) -> None:
    person = place.new_person(admin.project, name="lister")
    running, stopped = person.running(name="one"), person.stopped(name="two")
    page = person.key("GET", "notebooks").json
    for shown in (running, stopped):
        del shown["current_time"]
        shown["image"] = SHORT_IMAGE
    assert page == {"current": 0, "data": [stopped, running], "pages": 1, "size": 10, "total": 2}
    everybody = admin.key("GET", "notebooks/all", query={"owner": person.user.id}).json
    hidden = [{k: v for k, v in n.items() if k not in ("token", "url")} for n in (stopped, running)]
    assert everybody == {**page, "data": [{**n, "endpoints": []} for n in hidden]}


def test_a_failed_start_is_told_with_its_reason(place: Place, member: Person) -> None:
    """What only the store can bring about here is written by it."""
    steps = Progress((StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.WAITING, StepStatus.WAITING))
    made = fleet.notebook(
        77, id="aaaaaaaa-0000-4000-8000-0000000000aa", project_id=member.project.id,
        owner_id=member.user.id, image_id=BUILT_IN_ID, observed=Observed.CREATE_FAILED, progress=steps,
        fail_reason="no room", name="notebook",
    )  # fmt: skip
    place.database.write_now(fleet.add, made)
    shown = member.show(made.id)
    told = progress(made.id)
    told[2]["status"], told[3]["status"] = "FAILED", "COMPLETED"
    assert shown == expected(
        member, shown, status="CREATE_FAILED", fail_reason="no room", action_progress=told,
        current_time=shown["current_time"],
    )  # fmt: skip


def test_envelope_numbers(place: Place, admin: Person) -> None:
    person = place.new_person(admin.project, name="pages")
    ids = [person.create(name=f"n{number}")["id"] for number in range(7)]
    for notebook_id in ids:
        person.wait(notebook_id)
    for limit, offset, current, pages in [
        (3, 0, 0, 3),
        (3, 3, 1, 3),
        (3, 4, 1, 3),
        (3, 6, 2, 3),
        (7, 0, 0, 1),
        (1000, 0, 0, 1),
        (1, 6, 6, 7),
        (2, 8, 4, 4),
        (3, 2_147_483_647, 715_827_882, 3),
    ]:
        page = person.key("GET", "notebooks", query={"limit": limit, "offset": offset}).json
        newest_first = ids[::-1][offset : offset + limit]
        assert [one["id"] for one in page.pop("data")] == newest_first
        assert page == {"current": current, "pages": pages, "size": limit, "total": 7}
    nothing = person.key("GET", "notebooks", query={"name": "nothing"}).json
    assert nothing == {"current": 0, "data": [], "pages": 0, "size": 10, "total": 0}


# Sizes and images.


def flavor(flavor_id: str, vcpus: int, gib: int, description: str) -> dict[str, Any]:
    return {
        "id": flavor_id,
        "name": f"CPU: {vcpus}vCPUs {gib}GB",
        "description": description,
        "arch": ARCH,
        "category": "CPU",
        "feature": "NOTEBOOK",
        "vcpus": vcpus,
        "memory": gib * 1024 * 1024,
        "free": True,
        "sold_out": False,
        "storages": ["EVS", "EFS"],
        "billing": {"code": "local.cpu", "unit_num": 1},
    }


FLAVORS = [
    flavor("modelarts.vm.cpu.1u", 1, 2, "One core, for first steps"),
    flavor("modelarts.vm.cpu.2u", 2, 8, "Two cores, for exploration"),
    flavor("modelarts.vm.cpu.4u", 4, 16, "Four cores, for more"),
]


@pytest.mark.parametrize(
    ("query", "found", "numbers"),
    [
        ({}, FLAVORS, (1, 1, 3, 3)),
        ({"offset": 1}, FLAVORS[1:], (1, 1, 3, 3)),
        ({"limit": 2}, FLAVORS[:2], (0, 2, 2, 3)),
        ({"limit": 2, "offset": 2}, FLAVORS[2:], (1, 2, 2, 3)),
        ({"sort_key": "vcpus"}, FLAVORS[::-1], (1, 1, 3, 3)),
        ({"sort_key": "memory,id", "sort_dir": "ASC"}, FLAVORS, (1, 1, 3, 3)),
        ({"sort_key": "memory", "sort_dir": "asc"}, FLAVORS, (1, 1, 3, 3)),
        ({"category": "CPU", "type": "MANAGED", "feature": "NOTEBOOK"}, FLAVORS, (1, 1, 3, 3)),
        ({"category": "GPU"}, [], (1, 1, 0, 0)),
        ({"type": "DEDICATED"}, [], (1, 1, 0, 0)),
        ({"flavor_type": "ASCEND_SNT9"}, [], (1, 1, 0, 0)),
        ({"category": "GPU", "limit": 5}, [], (0, 0, 5, 0)),
    ],
)
def test_flavors(
    member: Person, query: dict[str, Any], found: list[Any], numbers: tuple[int, int, int, int]
) -> None:
    current, pages, size, total = numbers
    answer = member.key("GET", "notebooks/flavors", query=query).json
    assert answer == {
        "current": current, "pages": pages, "size": size, "total": total, "data": found, "flavors": found
    }  # fmt: skip


def image(times: dict[str, Any]) -> dict[str, Any]:
    return {
        **LONG_IMAGE,
        "namespace": "nbfleet",
        "arch": ARCH,
        "status": "ACTIVE",
        "visibility": "PUBLIC",
        "origin": "CUSTOMIZE",
        "service_type": "DEV",
        "dev_services": ["NOTEBOOK"],
        "resource_categories": ["CPU"],
        "workspace_id": "0",
        "create_at": times["create_at"],
        "update_at": times["update_at"],
        "tags": [],
    }


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ({}, True),
        ({"type": "BUILD_IN"}, True),
        ({"type": "build_in"}, True),
        ({"type": "DEDICATED"}, False),
        ({"name": "pyter"}, True),
        ({"name": "pyter", "name_fuzzy_match": False}, False),
        ({"name": "jupyterlab", "name_fuzzy_match": False}, True),
        ({"namespace": "nbfleet"}, True),
        ({"namespace": "other"}, False),
        ({"service_type": "DEV"}, True),
        ({"service_type": "TRAIN"}, False),
        ({"workspace_id": "0"}, True),
        ({"workspace_id": "a" * 32}, False),
        ({"show_name": "x"}, False),
        ({"sort_key": "updateTime,name", "sort_dir": "ASC"}, True),
    ],
)
def test_images(member: Person, query: dict[str, Any], there: bool) -> None:
    page = member.key("GET", "images", query=query).json
    found = [image(one) for one in page["data"]]
    assert page == {
        "current": 0, "pages": int(there), "size": 200, "total": int(there), "data": found
    }  # fmt: skip
    assert len(found) == int(there)


def test_one_image(member: Person) -> None:
    shown = member.key("GET", f"images/{BUILT_IN_ID}").json
    assert shown == {**image(shown), "support_res_categories": ["CPU"]}
    unknown = member.key("GET", f"images/{MISSING}")
    assert unknown.error == (404, "ModelArts.6404")
    assert unknown.message == f"The image {MISSING} does not exist."


def test_the_log(member: Person, running_one: str) -> None:
    """What the simulated instance wrote."""
    lines = ["storage complete", "compute complete", "network complete", "initialisation complete"]
    path = f"notebooks/{running_one}/log"
    assert member.key("GET", path).json == {"log": "\n".join(lines)}
    assert member.key("GET", path, query={"lines": 1}).json == {"log": lines[-1]}
    assert member.key("GET", f"notebooks/{member.stopped()['id']}/log").status == 200


def test_the_usage_comes_from_the_runtime_of_the_service(member: Person, running_one: str) -> None:
    """What it measures is of its own clock; the rest of test_usage has ours."""
    first, second = (member.key("GET", f"notebooks/{running_one}/usage").json for _ in range(2))
    flavor = member.key("GET", f"notebooks/{running_one}").json["flavor"]
    assert (flavor, first["vcpus"], first["memory_limit"]) == ("modelarts.vm.cpu.1u", 1.0, 2 * 1024**3)
    assert 0 < first["cpu_seconds"] <= second["cpu_seconds"]
    assert first["at"] <= second["at"]
    assert 200 <= first["memory_bytes"] / 1024**2 <= 400


def test_every_operation_with_a_handler_is_covered_by_these_tests() -> None:
    assert set(HANDLERS) == {
        *("ListAllNotebooks", "ListNotebooks", "CreateNotebook", "ShowNotebook", "UpdateNotebook"),
        *("DeleteNotebook", "StartNotebook", "StopNotebook", "ShowLease", "RenewLease"),
        *("ShowNotebookLog", "ListFlavors", "ListImage", "ShowImage"),
        # In test_images.
        *("RegisterImage", "SyncImage", "DeleteImage"),
        *("ListImageGroup", "UpdateImageGroup", "DeleteImageGroup"),
        # In test_updates.
        *("ShowSwitchableFlavors", "FreezeNotebook", "UnfreezeNotebook"),
        # In test_beyond_the_contract.
        *("CountNotebooks", "ExportNotebooks", "ListNotebookEvents"),
        # In test_usage.
        "ShowNotebookUsage",
        # In test_bulk_actions.
        *("PreviewNotebookAction", "BeginNotebookAction", "ListNotebookActions", "ShowNotebookAction"),
        *("ListNotebookActionResults", "CancelNotebookAction"),
        # In test_history.
        *("ShowFleetHistory", "ListStoppingNotebooks", "ShowCapacity"),
        # In test_identity.
        *("KeystoneCreateUserTokenByPassword", "KeystoneListProjects", "KeystoneListAuthDomains"),
        # In test_storage and test_workspaces.
        *("AttachDynamicStorage", "DetachDynamicStorage", "ListDynamicStorages", "ShowDynamicStorage"),
        *("ListWorkspace", "CreateWorkspace", "ShowWorkspace", "UpdateWorkspace", "DeleteWorkspace"),
        *("ShowWorkspaceQuotas", "UpdateWorkspaceQuotas", "ValidateAuthorization", "ListUsers"),
        # In test_tags, test_pools and test_keypairs.
        *("CreateNotebookTags", "DeleteNotebookTags", "ShowNotebookTags"),
        *("ListPools", "ShowPool", "ListAuthoringClusters", "ShowCluster", "ListFeatures"),
        *("CreateKeypair", "ListKeypairs", "ListKeypairDetail", "UpdateKeypairDescription", "DeleteKeypair"),
    }


# Fields that ask for nothing.


@pytest.mark.parametrize(
    "fields",
    [
        {"endpoints": []},
        {"endpoints": [{"service": "NOTEBOOK"}]},
        {"endpoints": [{"dev_service": "notebook", "key_pair_names": []}]},
        {"data_volumes": [], "hooks": {}, "affinity": {}, "run_user": {}, "public_network_config": {}},
        {"feature": "NOTEBOOK", "workspace_id": "0"},
        {"feature": "notebook"},
        {"surprise": 1, "description": ""},
    ],
)
def test_what_asks_for_nothing_is_accepted(member: Person, fields: dict[str, Any]) -> None:
    created = member.create(**fields)
    assert created == expected(member, created, status="CREATING", action_progress=progress(created["id"]))

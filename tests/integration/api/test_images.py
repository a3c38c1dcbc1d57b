"""Images over HTTP: registering, trying, listing, comparing, deleting, and groups of them."""

import itertools
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nbfleet.domain.access import Role
from nbfleet.services.catalogue import BUILT_IN_ID
from support.client import Answer, Caller
from support.people import Person, Place
from support.service import wait_for
from support.shelves import ARCH, put

if TYPE_CHECKING:
    from conftest import Fleet

OTHER_ARCH = "aarch64" if ARCH == "x86_64" else "x86_64"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """An image name of the test's own."""
    return f"image-{next(numbers)}"


def reference(name: str, tag: str = "1") -> str:
    return f"localhost/team-a/{name}:{tag}"


def shelf(fleet: "Fleet") -> Path:
    return fleet.hosted.data_dir / "images"


def call(caller: Caller, method: str, rest: str = "", query: Any = None, body: Any = None) -> Answer:
    return caller.request(method, f"/v1/{caller.project_id}/images{rest}", query, body)


def done(answer: Answer) -> Any:
    assert answer.status == 200, answer.raw
    return answer.json


def register(fleet: "Fleet", caller: Caller, name: str, tag: str = "1", **fields: Any) -> dict[str, Any]:
    put(shelf(fleet), reference(name, tag))
    return done(call(caller, "POST", body={"swr_path": reference(name, tag)} | fields))


def settled(caller: Caller, image_id: str, status: str = "ACTIVE") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = done(call(caller, "GET", f"/{image_id}"))
        return found if found["status"] == status else None

    return wait_for(f"{image_id} to be {status}", look, 30, 0.02)


def active(fleet: "Fleet", caller: Caller, name: str, tag: str = "1", **fields: Any) -> dict[str, Any]:
    return settled(caller, register(fleet, caller, name, tag, **fields)["id"])


def listed(caller: Caller, **query: Any) -> list[str]:
    return [one["id"] for one in done(call(caller, "GET", query={"type": "DEDICATED"} | query))["data"]]


# Registering.


def test_an_image_is_tried_before_it_is_active(fleet: "Fleet", name: str) -> None:
    made = register(fleet, fleet.alice, name)
    now = fleet.hosted.clock.now
    expected: dict[str, Any] = {
        "id": made["id"], "name": name, "namespace": "team-a", "tag": "1", "swr_path": reference(name),
        "description": "", "arch": ARCH, "type": "DEDICATED", "status": "INIT", "visibility": "PRIVATE",
        "origin": "CUSTOMIZE", "service_type": "UNKNOWN", "dev_services": ["NOTEBOOK"],
        "resource_categories": ["CPU"], "support_res_categories": ["CPU"], "workspace_id": "0",
        "swr_instance_id": None, "tags": [], "create_at": now, "update_at": now,
    }  # fmt: skip
    assert made == expected
    found = settled(fleet.alice, made["id"])
    assert 0 < found["size"] < 100
    assert found == expected | {"status": "ACTIVE", "size": found["size"]}
    entry = done(call(fleet.alice, "GET", query={"type": "DEDICATED", "name": name}))
    del found["support_res_categories"]
    assert entry == {"current": 0, "pages": 1, "size": 200, "total": 1, "data": [found]}
    assert made["id"] not in {ref.notebook_id for ref in fleet.hosted.runtime.world.live()}


def test_what_can_be_said_when_registering(fleet: "Fleet", name: str) -> None:
    more = {"resource_categories": ["CPU", "GPU", "ASCEND"], "dev_services": ["NOTEBOOK", "SSH"]}
    put(shelf(fleet), reference(name), description="of the manifest", **more)
    said = {
        "arch": ARCH.upper() if ARCH == "x86_64" else ARCH, "description": "mine", "visibility": "public",
        "origin": "image_save", "service_type": "dev", "resource_category": ["ascend", "ASCEND"],
        "services": ["notebook"], "flavor_type": "ASCEND_SNT9", "tags": ["a", "b", "a"],
        "read_me": "Read me.", "workspace_id": "0", "swr_instance_id": "",
    }  # fmt: skip
    made = done(call(fleet.alice, "POST", body={"swr_path": reference(name)} | said))
    shown = {
        "arch": ARCH, "description": "mine", "visibility": "PUBLIC", "origin": "IMAGE_SAVE",
        "service_type": "DEV", "resource_categories": ["ASCEND"], "dev_services": ["NOTEBOOK"],
        "flavor_type": "ASCEND_SNT9", "tags": [{"key": "a"}, {"key": "b"}],
    }  # fmt: skip
    assert {field: made[field] for field in shown} == shown


@pytest.mark.parametrize(
    ("fields", "refusal", "message"),
    [
        ({"swr_path": ...}, (400, "ModelArts.6335"), "The field swr_path is missing."),
        ({"swr_path": 1}, (400, "ModelArts.6332"), "The field swr_path is 1; expected: str."),
        ({"swr_path": "localhost/a/b:1"}, (400, "ModelArts.6336"), "16 to 2048 characters"),
        ({"swr_path": "localhost/../etc/passwd:1"}, (400, "ModelArts.6336"), "is not of the form HOST"),
        ({"swr_path": "localhost/team-a/none:1.0"}, (400, "ModelArts.6797"), "there is no team-a/none/1.0/"),
        ({"swr_path": "registry.example/team-a/x:1"}, (400, "ModelArts.6336"), "is not on this machine"),
        ({"arch": OTHER_ARCH}, (400, "ModelArts.6336"), f"The field arch is {OTHER_ARCH}; allowed: {ARCH}."),
        ({"arch": "sparc"}, (400, "ModelArts.6336"), "X86_64, AARCH64"),
        (
            {"services": ["SSH", "NOTEBOOK"]},
            (400, "ModelArts.6336"),
            "services is SSH; allowed: NOTEBOOK, as",
        ),
        ({"services": ["PHONE"]}, (400, "ModelArts.6336"), "services[0]"),
        (
            {"resource_category": ["GPU"]},
            (400, "ModelArts.6336"),
            "resource_category is GPU; allowed: CPU, as",
        ),
        (
            {"visibility": "HIDDEN"},
            (400, "ModelArts.6336"),
            "visibility is HIDDEN; allowed: PRIVATE, PUBLIC.",
        ),
        ({"flavor_type": "ASCEND_SNT9"}, (400, "ModelArts.6336"), "nothing without ASCEND"),
        ({"workspace_id": "b" * 32}, (400, "ModelArts.7005"), f"The workspace {'b' * 32} does not exist."),
        ({"workspace_id": "x"}, (400, "ModelArts.6336"), "workspace_id"),
        ({"tags": [""]}, (400, "ModelArts.6336"), "tags is ; allowed: letters and digits of any language"),
        ({"tags": ["x" * 129]}, (400, "ModelArts.6336"), "1 to 128 in all"),
        ({"tags": ["_sys_x"]}, (400, "ModelArts.6336"), "tags is _sys_x; allowed: letters and digits"),
        ({"tags": ["a/b"]}, (400, "ModelArts.6336"), "tags is a/b; allowed: letters and digits"),
        ({"tags": [str(n) for n in range(21)]}, (400, "ModelArts.6336"), "0 to 20 items"),
        ({"read_me": "x" * 3001}, (400, "ModelArts.6336"), "0 to 3000 characters"),
        ({"description": "x" * 513}, (400, "ModelArts.6336"), "at most 512"),
        ({"swr_instance_id": "x"}, (501, "ModelArts.6361"), "The field swr_instance_id is not available"),
    ],
)
def test_bad_registrations(
    fleet: "Fleet", name: str, fields: dict[str, Any], refusal: tuple[int, str], message: str
) -> None:
    put(shelf(fleet), reference(name))
    body = {k: v for k, v in ({"swr_path": reference(name)} | fields).items() if v is not ...}
    answer = call(fleet.alice, "POST", body=body)
    assert answer.refusal == refusal
    assert message in answer.message
    assert listed(fleet.alice, name=name) == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"arch": None}, "is incomplete or wrong: Object missing required field `arch`."),
        ({"python": "env/bin/python"}, "python is 'env/bin/python', which is no program that can be run."),
        ({"python": None, "root": "rootfs"}, "it is a root directory (root in its manifest); here only an"),
        ({"text": "\x01\n"}, "is not TOML"),
    ],
)
def test_bad_manifests(fleet: "Fleet", name: str, fields: dict[str, Any], reason: str) -> None:
    put(shelf(fleet), reference(name), **fields)
    answer = call(fleet.alice, "POST", body={"swr_path": reference(name)})
    assert answer.refusal == (400, "ModelArts.6336")
    assert answer.message.startswith(f"The field swr_path is {reference(name)}, which cannot be used: ")
    assert reason in answer.message
    assert str(fleet.hosted.data_dir) not in answer.message


def test_a_reference_names_one_image_of_a_project(fleet: "Fleet", name: str) -> None:
    first = register(fleet, fleet.alice, name)
    for caller in (fleet.alice, fleet.bob):
        answer = call(caller, "POST", body={"swr_path": reference(name)})
        assert answer.refusal == (400, "ModelArts.6737")
        assert answer.message == f"The image {reference(name)} is registered already."
    assert register(fleet, fleet.carol, name)["name"] == name  # Of another project.
    assert register(fleet, fleet.alice, name, "2")["tag"] == "2"
    assert done(call(fleet.alice, "DELETE", f"/{first['id']}"))["status"] == "DELETED"
    assert register(fleet, fleet.bob, name)["id"] != first["id"]


def test_one_that_does_not_run_fails_with_its_log(fleet: "Fleet", name: str) -> None:
    made = register(fleet, fleet.alice, name, "broken")
    failed = settled(fleet.alice, made["id"], "CREATE_FAILED")
    lines = ["storage complete", "compute complete", "network complete"]
    assert failed["status_message"] == "\n".join(["exited with status 1", *lines])
    assert done(call(fleet.admin, "POST", f"/{made['id']}/sync"))["status"] == "CREATING"
    assert settled(fleet.alice, made["id"], "CREATE_FAILED")["status_message"] == failed["status_message"]


def test_one_that_hangs_is_creating_and_is_let_go_when_deleted(fleet: "Fleet", name: str) -> None:
    hanging = [register(fleet, fleet.alice, f"{name}-{n}", "hangs") for n in range(2)]
    for one in hanging:
        settled(fleet.alice, one["id"], "CREATING")
    waiting = register(fleet, fleet.alice, name)
    for one in hanging:
        done(call(fleet.alice, "DELETE", f"/{one['id']}"))
    settled(fleet.alice, waiting["id"])


# Who sees what.


def test_who_sees_and_who_changes_what(fleet: "Fleet", name: str) -> None:
    private = active(fleet, fleet.alice, name)
    public = active(fleet, fleet.alice, name, "2", visibility="PUBLIC")
    both = [public["id"], private["id"]]
    assert listed(fleet.alice, name=name) == listed(fleet.admin, name=name) == both
    assert listed(fleet.bob, name=name) == listed(fleet.carol, name=name) == []
    for caller in (fleet.bob, fleet.carol):
        hidden = call(caller, "GET", f"/{private['id']}")
        assert hidden.refusal == (404, "ModelArts.6404")
        assert hidden.message == f"The image {private['id']} does not exist."
        assert call(caller, "DELETE", f"/{private['id']}").refusal == (404, "ModelArts.6404")
        assert done(call(caller, "GET", f"/{public['id']}")) == public
        assert call(caller, "DELETE", f"/{public['id']}").refusal == (403, "ModelArts.0108")
    for one in (private, public):
        assert done(call(fleet.admin, "GET", f"/{one['id'].upper()}")) == one
    assert call(fleet.admin, "DELETE", f"/{BUILT_IN_ID}").refusal == (403, "ModelArts.0108")
    assert done(call(fleet.admin, "POST", f"/{BUILT_IN_ID}/sync"))["status"] == "ACTIVE"
    assert call(fleet.alice, "POST", f"/{private['id']}/sync").refusal == (403, "ModelArts.0108")
    assert done(call(fleet.admin, "DELETE", f"/{private['id']}"))["status"] == "DELETED"


def test_what_a_notebook_may_be_made_of(fleet: "Fleet", name: str) -> None:
    private = active(fleet, fleet.alice, name)
    public = active(fleet, fleet.alice, name, "2", visibility="PUBLIC")
    broken = settled(fleet.alice, register(fleet, fleet.alice, name, "broken")["id"], "CREATE_FAILED")
    for caller, image in ((fleet.alice, private), (fleet.bob, public), (fleet.carol, public)):
        made = caller.running(image_id=image["id"].upper())
        assert made["image"] == {
            k: image[k] for k in ("id", "name", "swr_path", "type", "description", "tag")
        }  # fmt: skip
        caller.delete(f"/{made['id']}")
    for caller, image_id in ((fleet.bob, private["id"]), (fleet.carol, private["id"]), (fleet.bob, UNKNOWN)):
        answer = caller.post("", caller.body(image_id=image_id))
        assert answer.refusal == (400, "ModelArts.6797")
        assert answer.message == f"The image {image_id} does not exist."
    answer = fleet.alice.post("", fleet.alice.body(image_id=broken["id"]))
    assert answer.refusal == (400, "ModelArts.6336")
    assert answer.message == (
        f"The field image_id is {broken['id']}, which is CREATE_FAILED; allowed: an image that is ACTIVE."
    )


def test_what_a_notebook_may_be_changed_to(fleet: "Fleet", name: str) -> None:
    private = active(fleet, fleet.alice, name)
    public = active(fleet, fleet.alice, name, "2", visibility="PUBLIC")
    broken = settled(fleet.alice, register(fleet, fleet.alice, name, "broken")["id"], "CREATE_FAILED")
    mine, theirs = fleet.alice.stopped(), fleet.bob.stopped()
    for caller, notebook, image, code in (
        (fleet.bob, theirs, private, "ModelArts.6797"),
        (fleet.bob, theirs, {"id": UNKNOWN}, "ModelArts.6797"),
        (fleet.alice, mine, broken, "ModelArts.6336"),
    ):
        assert caller.put(f"/{notebook['id']}", {"image_id": image["id"]}).refusal == (400, code)
        assert caller.get(f"/{notebook['id']}").json["image"] == notebook["image"]
    for caller, notebook, image in ((fleet.alice, mine, private), (fleet.bob, theirs, public)):
        changed = caller.put(f"/{notebook['id']}", {"image_id": image["id"]}).json
        assert changed["image"]["swr_path"] == image["swr_path"]
        assert call(fleet.alice, "DELETE", f"/{image['id']}").refusal == (400, "ModelArts.6357")
    manifest = shelf(fleet) / "team-a" / name / "1" / "image.toml"
    manifest.unlink()
    assert done(call(fleet.admin, "POST", f"/{private['id']}/sync"))["status"] == "ERROR"
    # What it has already is no change of image.
    same = fleet.alice.put(f"/{mine['id']}", {"image_id": private["id"], "name": "renamed"}).json
    assert (same["name"], same["image"]["id"]) == ("renamed", private["id"])
    back = fleet.alice.put(f"/{mine['id']}", {"image_id": BUILT_IN_ID}).json
    assert back["image"]["id"] == BUILT_IN_ID


def test_an_image_for_ssh_only_needs_ssh(fleet: "Fleet", name: str) -> None:
    """Whether its manifest or its registration says so."""
    for tag, of_manifest, asked in (("1", ["SSH"], {}), ("2", ["NOTEBOOK", "SSH"], {"services": ["SSH"]})):
        put(shelf(fleet), reference(name, tag), dev_services=of_manifest)
        made = done(call(fleet.alice, "POST", body={"swr_path": reference(name, tag)} | asked))
        settled(fleet.alice, made["id"])
        for endpoints in ([], [{"service": "NOTEBOOK"}]):
            answer = fleet.alice.post("", fleet.alice.body(image_id=made["id"], endpoints=endpoints))
            assert answer.refusal == (400, "ModelArts.6768")


# Lists.


@pytest.fixture(scope="module")
def catalogue(fleet: "Fleet") -> dict[str, dict[str, Any]]:
    """Images of bob by `name:tag`, a second apart, in order of registration."""
    found: dict[str, dict[str, Any]] = {}
    for name, tag, fields in (
        ("list-b", "1", {"service_type": "TRAIN"}),
        ("list-a", "2", {}),
        ("list-a", "1", {"service_type": "TRAIN"}),
        ("list-a.x", "1", {}),
    ):
        fleet.hosted.clock.advance(1000)
        found[f"{name}:{tag}"] = active(fleet, fleet.bob, name, tag, **fields)
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "list-a.x:1 list-a:1 list-a:2 list-b:1"),
        ({"sort_dir": "ASC"}, "list-b:1 list-a:2 list-a:1 list-a.x:1"),
        ({"sort_key": "name,tag", "sort_dir": "ASC"}, "list-a:1 list-a:2 list-a.x:1 list-b:1"),
        ({"sort_key": "tag,name", "sort_dir": "DESC"}, "list-a:2 list-b:1 list-a.x:1 list-a:1"),
        ({"sort_key": "namespace"}, "list-a.x:1 list-a:1 list-a:2 list-b:1"),
        ({"sort_key": "createTime", "sort_dir": "asc"}, "list-b:1 list-a:2 list-a:1 list-a.x:1"),
        ({"name": "list-a"}, "list-a.x:1 list-a:1 list-a:2"),
        ({"name": "list-a", "name_fuzzy_match": "false"}, "list-a:1 list-a:2"),
        ({"name": "a.x"}, "list-a.x:1"),
        ({"name": "a_x"}, ""),
        ({"name": ""}, "list-a.x:1 list-a:1 list-a:2 list-b:1"),
        ({"service_type": "train"}, "list-a:1 list-b:1"),
        ({"namespace": "team-a", "service_type": "UNKNOWN"}, "list-a.x:1 list-a:2"),
        ({"namespace": "team-b"}, ""),
        ({"show_name": "x"}, ""),
        ({"show_tag": "1"}, ""),
        ({"workspace_id": "*"}, "list-a.x:1 list-a:1 list-a:2 list-b:1"),
        ({"workspace_id": "a" * 32}, ""),
    ],
)
def test_filters_and_sorting(
    fleet: "Fleet", catalogue: dict[str, dict[str, Any]], query: dict[str, Any], expected: str
) -> None:
    page = done(call(fleet.bob, "GET", query={"type": "DEDICATED", "name": "list-"} | query))
    assert [f"{one['name']}:{one['tag']}" for one in page["data"] if one["name"].startswith("list")] == (
        expected.split()
    )
    for one in page["data"]:
        if one["name"].startswith("list"):
            shown = catalogue[f"{one['name']}:{one['tag']}"]
            assert one == {k: v for k, v in shown.items() if k != "support_res_categories"}


@pytest.mark.parametrize(
    ("limit", "offset", "expected", "envelope"),
    [
        (3, 0, "list-a.x:1 list-a:1 list-a:2", (0, 3, 2, 4)),
        (3, 3, "list-b:1", (1, 3, 2, 4)),
        (3, 4, "", (1, 3, 2, 4)),
        (1, 2, "list-a:2", (2, 1, 4, 4)),
        (1000, 0, "list-a.x:1 list-a:1 list-a:2 list-b:1", (0, 1000, 1, 4)),
    ],
)
def test_pages(
    fleet: "Fleet",
    catalogue: Any,
    limit: int,
    offset: int,
    expected: str,
    envelope: tuple[int, int, int, int],
) -> None:
    query = {"type": "DEDICATED", "name": "list-", "limit": limit, "offset": offset}
    page = done(call(fleet.bob, "GET", query=query))
    assert [f"{one['name']}:{one['tag']}" for one in page["data"]] == expected.split()
    assert (page["current"], page["size"], page["pages"], page["total"]) == envelope


def test_built_in_images_are_shown_unless_others_are_asked_for(fleet: "Fleet", catalogue: Any) -> None:
    for query in ({}, {"type": "BUILD_IN"}):
        page = done(call(fleet.bob, "GET", query=query))
        assert [one["id"] for one in page["data"]] == [BUILT_IN_ID]
    assert BUILT_IN_ID not in listed(fleet.bob)
    bad = call(fleet.bob, "GET", query={"sort_key": "name,colour"})
    assert bad.refusal == (400, "ModelArts.6303")
    assert bad.message.startswith("Cannot sort by colour; allowed: name, namespace, tag, size,")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "0"}, "limit is 0"),
        ({"limit": "1001"}, "limit is 1001"),
        ({"limit": "x"}, "limit is x"),
        ({"offset": "-1"}, "offset is -1"),
        ({"name": "Torch"}, "name is Torch"),
        ({"name": "a" * 513}, "name is aaa"),
        ({"name": "%"}, "name is %"),
        ({"name_fuzzy_match": "perhaps"}, "name_fuzzy_match is perhaps"),
        ({"namespace": "Team"}, "namespace is Team"),
        ({"type": "OTHER"}, "type is OTHER"),
    ],
)
def test_bad_queries(fleet: "Fleet", query: dict[str, str], message: str) -> None:
    for rest in ("", "/group"):
        answer = call(fleet.bob, "GET", rest, query)
        assert answer.refusal == (400, "ModelArts.0107")
        assert message in answer.message


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ({"show_name": "a\0b"}, "ModelArts.0107", "show_name"),
        ({"service_type": "GAMES"}, "ModelArts.0107", "service_type is GAMES"),
        ({"sort_dir": "UP"}, "ModelArts.0107", "sort_dir is UP"),
        ({"sort_key": "name,"}, "ModelArts.6303", "Cannot sort by ; allowed: name, namespace"),
        ({"sort_key": "body"}, "ModelArts.6303", "Cannot sort by body; allowed: name, namespace"),
    ],
)
def test_bad_queries_of_the_list(fleet: "Fleet", query: dict[str, str], code: str, message: str) -> None:
    answer = call(fleet.bob, "GET", "", query)
    assert answer.refusal == (400, code)
    assert message in answer.message


# Comparing.


def test_sync_follows_the_manifest_but_not_against_what_was_said(fleet: "Fleet", name: str) -> None:
    put(shelf(fleet), reference(name), description="old")
    first = active_again(fleet, done(call(fleet.alice, "POST", body={"swr_path": reference(name)})))
    put(shelf(fleet), reference(name, "2"), description="old")
    body = {"swr_path": reference(name, "2"), "description": "mine"}
    second = active_again(fleet, done(call(fleet.alice, "POST", body=body)))
    for tag in ("1", "2"):
        directory = put(
            shelf(fleet), reference(name, tag), description="new", resource_categories=["GPU", "CPU"]
        )
        (directory / "data").write_bytes(b"x" * 300_000)
    now = fleet.hosted.clock.advance(1000)
    for before, description in ((first, "new"), (second, "mine")):
        synced = done(call(fleet.admin, "POST", f"/{before['id']}/sync"))
        told = {
            "description": description,
            "update_at": now,
            "resource_categories": ["GPU", "CPU"],
            "support_res_categories": ["GPU", "CPU"],
        }
        assert synced == before | told
        measured = wait_for("its new size", lambda i=before["id"]: larger(fleet, i, 290), 30, 0.02)
        assert measured == before | told | {"size": measured["size"]}


def active_again(fleet: "Fleet", made: dict[str, Any]) -> dict[str, Any]:
    return settled(fleet.alice, made["id"])


def larger(fleet: "Fleet", image_id: str, size: int) -> dict[str, Any] | None:
    found = done(call(fleet.alice, "GET", f"/{image_id}"))
    return found if found["size"] > size else None


def test_sync_that_changes_nothing_moves_nothing(fleet: "Fleet", name: str) -> None:
    made = active(fleet, fleet.alice, name)
    fleet.hosted.clock.advance(1000)
    assert done(call(fleet.admin, "POST", f"/{made['id']}/sync", body={})) == made
    starts = fleet.hosted.runtime.world.starts
    wait_for("a second trial", lambda: starts.get((made["id"], 2)), 30, 0.02)
    wait_for("its end", lambda: is_due(fleet, made["id"]) is False, 30, 0.02)
    assert settled(fleet.alice, made["id"]) == made


def is_due(fleet: "Fleet", image_id: str) -> bool:
    from nbfleet.store import images  # noqa: PLC0415

    stored = fleet.hosted.database.read_now(images.find, image_id)
    assert stored is not None
    return stored.due_at is not None


def test_sync_finds_what_is_gone_and_what_came_back(fleet: "Fleet", name: str) -> None:
    made = active(fleet, fleet.alice, name)
    manifest = shelf(fleet) / "team-a" / name / "1" / "image.toml"
    manifest.rename(manifest.with_suffix(".away"))
    gone = done(call(fleet.admin, "POST", f"/{made['id']}/sync"))
    assert (gone["status"], gone["status_message"]) == (
        "ERROR", f"there is no team-a/{name}/1/image.toml below any image directory"
    )  # fmt: skip
    assert fleet.alice.post("", fleet.alice.body(image_id=made["id"])).refusal == (400, "ModelArts.6336")
    manifest.with_suffix(".away").rename(manifest)
    assert done(call(fleet.admin, "POST", f"/{made['id']}/sync"))["status"] == "CREATING"
    assert settled(fleet.alice, made["id"]) == made
    assert call(fleet.admin, "POST", f"/{UNKNOWN}/sync").refusal == (404, "ModelArts.6404")


# Deleting.


def test_an_image_that_notebooks_have_is_not_deleted(fleet: "Fleet", name: str) -> None:
    made = active(fleet, fleet.alice, name)
    first, second = (fleet.alice.stopped(image_id=made["id"]) for _ in range(2))
    for body in (None, {"is_force": True}):
        answer = call(fleet.alice, "DELETE", f"/{made['id']}", body=body)
        assert answer.refusal == (400, "ModelArts.6357")
        assert answer.message == f"The image {made['id']} cannot be deleted: instances that use it: 2."
    for one in (first, second):
        fleet.alice.delete(f"/{one['id']}")
        fleet.alice.gone(one["id"])
    deleted = done(call(fleet.alice, "DELETE", f"/{made['id']}"))
    assert deleted == made | {"status": "DELETED", "update_at": fleet.hosted.clock.now}
    assert call(fleet.alice, "GET", f"/{made['id']}").refusal == (404, "ModelArts.6404")
    assert call(fleet.alice, "DELETE", f"/{made['id']}").refusal == (404, "ModelArts.6404")
    assert fleet.alice.post("", fleet.alice.body(image_id=made["id"])).refusal == (400, "ModelArts.6797")
    assert listed(fleet.alice, name=name) == []
    assert (shelf(fleet) / "team-a" / name / "1" / "image.toml").exists()
    of_deleted = fleet.alice.get("", {"status": "DELETED", "id": first["id"]}).json["data"]
    assert [one["image"]["swr_path"] for one in of_deleted] == [reference(name)]


@pytest.mark.parametrize(("query", "body"), [({"force": "true"}, None), ({}, {"is_force": True})])
def test_force_removes_the_content(fleet: "Fleet", name: str, query: Any, body: Any) -> None:
    made = active(fleet, fleet.alice, name)
    assert done(call(fleet.alice, "DELETE", f"/{made['id']}", query, body))["status"] == "DELETED"
    wait_for("its files to go", lambda: not (shelf(fleet) / "team-a" / name / "1").exists(), 30, 0.02)
    assert call(fleet.alice, "POST", body={"swr_path": reference(name)}).refusal == (400, "ModelArts.6797")


def test_force_is_for_private_images_only(fleet: "Fleet", name: str) -> None:
    made = active(fleet, fleet.alice, name, visibility="PUBLIC")
    answer = call(fleet.alice, "DELETE", f"/{made['id']}", body={"is_force": True})
    assert answer.refusal == (400, "ModelArts.6336")
    assert answer.message == "The field is_force is True; allowed: false for an image that is PUBLIC."
    assert done(call(fleet.alice, "DELETE", f"/{made['id']}", body={}))["status"] == "DELETED"
    assert (shelf(fleet) / "team-a" / name / "1").exists()
    assert call(fleet.alice, "DELETE", f"/{made['id']}", body={"is_force": 1}).refusal == (
        400, "ModelArts.6332"
    )  # fmt: skip


def test_force_spares_what_another_project_has_as_well(fleet: "Fleet", name: str) -> None:
    made = active(fleet, fleet.alice, name)
    theirs = done(call(fleet.carol, "POST", body={"swr_path": reference(name)}))
    answer = call(fleet.alice, "DELETE", f"/{made['id']}", {"force": "true"})
    assert answer.refusal == (400, "ModelArts.6336")
    assert answer.message == (
        "The field is_force is True; allowed: false for an image whose content is still needed."
    )
    assert done(call(fleet.carol, "DELETE", f"/{theirs['id']}"))["status"] == "DELETED"
    assert done(call(fleet.alice, "DELETE", f"/{made['id']}", {"force": "true"}))["status"] == "DELETED"


# Groups.


@pytest.fixture
def grouped(fleet: "Fleet", name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two images of a name, of alice and of bob, a second apart."""
    body = {"read_me": "Guide.", "tags": ["x"]}
    first = active(fleet, fleet.alice, name, description="first", **body)
    fleet.hosted.clock.advance(1000)
    return first, active(fleet, fleet.bob, name, "2")


def groups(caller: Caller, **query: Any) -> Any:
    return done(call(caller, "GET", "/group", query))


def test_an_image_takes_after_those_of_its_group_that_its_owner_sees(
    fleet: "Fleet", name: str, grouped: Any
) -> None:
    _, second = grouped
    assert second["tags"] == []
    assert "read_me" not in groups(fleet.bob, name=name)["data"][0]
    third = register(fleet, fleet.alice, name, "3")
    assert third["tags"] == [{"key": "x"}]
    assert groups(fleet.alice, name=name)["data"][0]["read_me"] == "Guide."
    fourth = register(fleet, fleet.alice, name, "4", tags=["y"], read_me="Other.")
    assert fourth["tags"] == [{"key": "y"}]
    assert groups(fleet.alice, name=name)["data"][0]["read_me"] == "Other."


def test_groups_hold_what_their_reader_sees(fleet: "Fleet", name: str, grouped: Any) -> None:
    first, second = grouped
    whole = {
        "id": groups(fleet.admin, name=name)["data"][0]["id"], "name": name, "namespace": "team-a",
        "description": "", "version_count": 2, "create_at": first["create_at"],
        "update_at": second["update_at"], "swr_instance_id": None,
    }  # fmt: skip
    envelope = {"current": 1, "pages": 1, "size": 1, "total": 1, "is_swr_enterprise": False}
    assert groups(fleet.admin, name=name) == envelope | {"data": [whole], "groups": [whole]}
    own = whole | {"version_count": 1}
    mine = own | {"update_at": first["update_at"], "description": "first", "read_me": "Guide."}
    assert groups(fleet.alice, name=name)["data"] == [mine]
    assert groups(fleet.bob, name=name)["data"] == [own | {"create_at": second["create_at"]}]
    assert groups(fleet.carol, name=name)["data"] == []
    for query in (
        {"type": "BUILD_IN"},
        {"namespace": "x"},
        {"swr_instance_id": "x"},
        {"workspace_id": "a" * 32},
    ):
        assert groups(fleet.admin, name=name, **query)["total"] == 0
    assert groups(fleet.admin, name=name[1:], name_fuzzy_match="false")["total"] == 0
    paged = groups(fleet.admin, limit=1, offset=1)
    assert (paged["current"], paged["size"], len(paged["data"])) == (1, 1, 1)
    assert groups(fleet.admin, type="BUILD_IN")["data"][0]["name"] == "jupyterlab"


def test_a_group_is_changed_as_a_whole(fleet: "Fleet", name: str, grouped: Any) -> None:
    group = groups(fleet.admin, name=name)["data"][0]
    now = fleet.hosted.clock.advance(1000)
    body = {"read_me": "New guide.", "tags": [{"key": "k", "value": "v"}, {"key": "bare"}]}
    assert call(fleet.alice, "PUT", f"/group/{group['id']}", body=body).refusal == (403, "ModelArts.0108")
    assert done(call(fleet.admin, "PUT", f"/group/{group['id']}", body=body)) == {}
    assert groups(fleet.admin, name=name)["data"] == [group | {"read_me": "New guide.", "update_at": now}]
    for one in grouped:
        told = {"tags": body["tags"], "update_at": now}
        assert done(call(fleet.admin, "GET", f"/{one['id']}")) == one | told
    fleet.hosted.clock.advance(1000)
    for unchanged in ({}, body):
        assert done(call(fleet.admin, "PUT", f"/group/{group['id']}", body=unchanged)) == {}
    assert groups(fleet.admin, name=name)["data"][0]["update_at"] == now
    later = fleet.hosted.clock.advance(1000)
    assert done(call(fleet.admin, "PUT", f"/group/{group['id']}", body={"read_me": ""})) == {}
    shown = done(call(fleet.admin, "GET", f"/{grouped[0]['id']}"))
    assert shown == grouped[0] | {"tags": body["tags"], "update_at": later}
    assert groups(fleet.admin, name=name)["data"] == [group | {"read_me": "", "update_at": later}]
    for tag, code, message in (
        ({"value": "v"}, "ModelArts.6335", "The field tags[0].key is missing."),
        ({"key": "_sys_x"}, "ModelArts.6336", "The field tags[0].key is _sys_x; allowed: letters and digits"),
        ({"key": "k", "value": "<"}, "ModelArts.6336", "The field tags[0].value is <; allowed: letters"),
        ({"key": "x" * 129}, "ModelArts.6336", "0 to 128 characters"),
    ):
        bad = call(fleet.admin, "PUT", f"/group/{group['id']}", body={"tags": [tag]})
        assert bad.refusal == (400, code)
        assert message in bad.message
    twice = call(fleet.admin, "PUT", f"/group/{group['id']}", body={"tags": [{"key": "k"}, {"key": "k"}]})
    assert twice.message == "The field tags[1].key is k; allowed: each key once."
    for group_id, refusal in (
        (UNKNOWN, (404, "ModelArts.6404")), ("x", (400, "ModelArts.6336")),
        (groups(fleet.admin, type="BUILD_IN")["data"][0]["id"], (403, "ModelArts.0108")),
    ):  # fmt: skip
        assert call(fleet.admin, "PUT", f"/group/{group_id}", body=body).refusal == refusal
        assert call(fleet.admin, "DELETE", f"/group/{group_id}").refusal == refusal


def test_a_group_is_deleted_as_a_whole_or_not(fleet: "Fleet", name: str, grouped: Any) -> None:
    first, second = grouped
    group_id = groups(fleet.admin, name=name)["data"][0]["id"]
    using = fleet.bob.running(image_id=second["id"])
    assert call(fleet.admin, "DELETE", f"/group/{group_id}").refusal == (400, "ModelArts.6357")
    assert listed(fleet.admin, name=name) == [second["id"], first["id"]]
    fleet.bob.delete(f"/{using['id']}")
    fleet.bob.gone(using["id"])
    assert done(call(fleet.admin, "DELETE", f"/group/{group_id}", body={"is_force": True})) == {}
    assert listed(fleet.admin, name=name) == []
    directory = shelf(fleet) / "team-a" / name
    wait_for("the files to go", lambda: list(directory.iterdir()) == [], 30, 0.02)
    assert call(fleet.admin, "DELETE", f"/group/{group_id}").refusal == (404, "ModelArts.6404")


def test_people_and_projects_with_images_stay_on_record(fleet: "Fleet", name: str) -> None:
    from nbfleet.services import identity  # noqa: PLC0415

    project = fleet.hosted.project(f"project-{uuid.uuid4().hex[:8]}")
    dora = fleet.hosted.user(f"dora-{uuid.uuid4().hex[:8]}", project, Role.MEMBER)
    made = active(fleet, dora, name)
    done(call(dora, "DELETE", f"/{made['id']}"))
    for remove, what in ((identity.delete_user, dora.user_id), (identity.delete_project, project)):
        with pytest.raises(identity.Refused, match="has had images, which stay on record"):
            fleet.hosted.database.write_now(remove, what)


# Where nothing really runs.


def test_without_a_machine_every_reference_is_an_image(place: Place, member: Person) -> None:
    path = f"registry.example:5000/team-a/any-{next(numbers)}:1"
    made = member.key("POST", "images", body={"swr_path": path, "arch": OTHER_ARCH.upper()})
    other = {"dev_services": ["NOTEBOOK", "SSH"], "resource_categories": ["CPU", "GPU"], "arch": OTHER_ARCH}
    assert made.status == 200, made.raw
    assert {field: made.json[field] for field in other} == other
    image_id = made.json["id"]

    def look() -> bool:
        return member.key("GET", f"images/{image_id}").json["status"] == "ACTIVE"

    wait_for("it to be ACTIVE", look)
    assert "size" not in member.key("GET", f"images/{image_id}").json
    refused = member.key("POST", "notebooks", body=member.request(image_id=image_id))
    assert refused.error == (400, "ModelArts.6336")
    told = f"The field image_id is {image_id}, which is for {OTHER_ARCH}; allowed: an image for {ARCH}, as"
    assert refused.message.startswith(told)
    assert member.key("DELETE", f"images/{image_id}", body={"is_force": True}).json["status"] == "DELETED"
    assert place.service.runtime == "simulated"

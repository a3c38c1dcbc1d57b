"""An image that needs devices gets a flavor with them, and one that needs none may have them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nbfleet.domain.capacity import Size
from nbfleet.settings import FlavorSettings
from support.client import Caller
from support.hosted import Hosted
from support.people import DATABASES
from support.service import wait_for
from support.shelves import put

FLAVORS = (
    FlavorSettings(id="plain", vcpus=1, memory=1024),
    FlavorSettings(id="gpu", vcpus=1, memory=1024, gpus=1, accelerator="T4"),
)


@pytest.fixture(params=DATABASES)
def hosted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hosted]:
    url = f"sqlite:///{tmp_path}/test.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").new_database()
    running = Hosted(tmp_path, url, {"flavors": FLAVORS}, machine=Size(3, 8192, gpus=2)).start()
    yield running
    running.stop()


def image(hosted: Hosted, alice: Caller, name: str, *categories: str, asked: tuple[str, ...] = ()) -> str:
    path, images = f"localhost/team-a/{name}:1", f"/v1/{alice.project_id}/images"
    put(hosted.data_dir / "images", path, resource_categories=list(categories))
    body = {"swr_path": path, "resource_category": list(asked)}
    made = alice.request("POST", images, None, body).json["id"]

    def look() -> bool:
        return alice.request("GET", f"{images}/{made}").json["status"] == "ACTIVE"

    wait_for("it to be ACTIVE", look, 30, 0.02)
    return made


def test_image_and_flavor_agree(hosted: Hosted) -> None:
    alice = hosted.user("alice", "local")
    either, needs = (
        image(hosted, alice, "either", "CPU", "GPU"),
        image(hosted, alice, "needs", "GPU", "ASCEND"),
    )
    plain = alice.stopped(flavor="plain", image_id=either)
    for answer in (
        alice.post("", alice.body(flavor="plain", image_id=needs)),
        alice.put(f"/{plain['id']}", {"image_id": needs}),
    ):
        assert answer.refusal == (400, "ModelArts.6336")
        given = f"The field image_id is {needs}, which is for GPU, ASCEND"
        assert answer.message == f"{given}; allowed: an image for CPU, as the flavor."
    both = alice.put(f"/{plain['id']}", {"image_id": needs, "flavor": "gpu"}).json
    assert (both["image"]["id"], both["flavor"]) == (needs, "gpu")
    answer = alice.put(f"/{plain['id']}", {"flavor": "plain"})
    assert answer.refusal == (400, "ModelArts.6336")
    assert answer.message == (
        "The field flavor is plain, which is a size of CPU; allowed: sizes of GPU, ASCEND, as the image."
    )
    assert alice.get(f"/{plain['id']}/flavors").json["data"] == []
    back = alice.put(f"/{plain['id']}", {"image_id": either, "flavor": "plain"}).json
    assert (back["image"]["id"], back["flavor"]) == (either, "plain")
    assert [one["id"] for one in alice.get(f"/{plain['id']}/flavors").json["data"]] == ["gpu"]
    assert alice.put(f"/{plain['id']}", {"flavor": "gpu"}).json["flavor"] == "gpu"
    assert alice.running(flavor="gpu")["flavor"] == "gpu"


def test_a_registration_may_narrow_the_manifest(hosted: Hosted) -> None:
    alice = hosted.user("alice", "local")
    narrowed = image(hosted, alice, "narrowed", "CPU", "GPU", asked=("GPU",))
    answer = alice.post("", alice.body(flavor="plain", image_id=narrowed))
    assert answer.refusal == (400, "ModelArts.6336")
    given = f"The field image_id is {narrowed}, which is for GPU"
    assert answer.message == f"{given}; allowed: an image for CPU, as the flavor."
    assert alice.running(flavor="gpu", image_id=narrowed)["image"]["id"] == narrowed

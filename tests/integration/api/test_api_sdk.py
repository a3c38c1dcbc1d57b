"""The official SDK, unmodified: a whole life, its own exceptions, and its ways to find a project."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmodelarts.v1 import (
    CreateImageRequest,
    CreateNotebookRequest,
    DeleteNotebookRequest,
    ImageCreateReq,
    LeaseReq,
    ListAllNotebooksRequest,
    ListFlavorsRequest,
    ListImageRequest,
    ListNotebooksRequest,
    ModelArtsClient,
    NotebookCreateRequest,
    NotebookUpdateRequest,
    RenewLeaseRequest,
    ShowImageRequest,
    ShowLeaseRequest,
    StartNotebookRequest,
    StopNotebookRequest,
    UpdateNotebookRequest,
    VolumeMountRequest,
)

from nbfleet.services.catalogue import BUILT_IN_ID
from support import sdk
from support.people import Person, Place
from support.service import wait_for

HOUR = 3_600_000
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def client(member: Person) -> ModelArtsClient:
    return client_of(member)


@pytest.fixture(scope="module")
def chief(admin: Person) -> ModelArtsClient:
    return client_of(admin)


def client_of(
    person: Person,
    access_key: str | None = None,
    secret_key: str | None = None,
    project_id: str | None = None,
) -> ModelArtsClient:
    return sdk.client_of(
        person.place.service,
        access_key or person.access_key,
        secret_key or person.secret_key,
        project_id or person.project.id,
    )


def new_body(**fields: Any) -> NotebookCreateRequest:
    defaults = {
        "name": "notebook",
        "flavor": "modelarts.vm.cpu.1u",
        "image_id": BUILT_IN_ID,
        "volume": VolumeMountRequest(category="EVS", ownership="MANAGED", capacity=5),
    }
    return NotebookCreateRequest(**defaults | fields)


def clock(lease: Any) -> tuple[Any, ...]:
    return (lease.duration, lease.enable, lease.type)


def since(lease: Any, period: int) -> tuple[Any, ...]:
    return (lease.update_at - lease.create_at + period, True, "TIMING")


def test_a_whole_life(place: Place, client: ModelArtsClient, member: Person, chief: ModelArtsClient) -> None:
    lease = LeaseReq(duration=2 * HOUR, type="TIMING")
    made = sdk.create(client, name="life", description="by SDK", lease=lease)
    assert (made.status_code, made.status, made.url) == (200, "CREATING", None)
    assert [(step.step, step.status) for step in made.action_progress] == [
        (n, "WAITING") for n in (4, 3, 2, 1)
    ]
    assert made.action_progress[0].description == "Initialise the instance."

    running = sdk.wait_until(client, made.id, "RUNNING")
    assert (running.name, running.description, running.token) == ("life", "by SDK", made.token)
    assert running.url == f"{place.service.gateway}/{made.id}/lab"
    assert [(one.service, one.uri, one.key_pair_names) for one in running.endpoints] == [
        ("NOTEBOOK", running.url, [])
    ]
    assert (running.volume.category, running.volume.ownership, running.volume.capacity) == (
        "EVS",
        "MANAGED",
        5,
    )
    assert (running.image.id, running.image.name, running.image.type) == (
        BUILT_IN_ID,
        "jupyterlab",
        "BUILD_IN",
    )
    assert (running.user.id, running.user.name) == (member.user.id, member.user.name)
    assert (running.billing_items, running.workspace_id, running.feature) == (
        ["COMPUTE", "STORAGE"],
        "0",
        "NOTEBOOK",
    )
    assert clock(running.lease) == since(running.lease, 2 * HOUR)

    mine = client.list_notebooks(ListNotebooksRequest(name="life"))
    everybody = chief.list_all_notebooks(ListAllNotebooksRequest(name="life"))
    assert [(one.id, one.token, one.url) for one in mine.data] == [(made.id, made.token, running.url)]
    assert [(one.id, one.token, one.url) for one in everybody.data] == [(made.id, None, None)]
    assert (mine.current, mine.pages, mine.size, mine.total) == (0, 1, 10, 1)

    shown = client.show_lease(ShowLeaseRequest(id=made.id))
    assert clock(shown) == clock(running.lease)
    renewed = client.renew_lease(RenewLeaseRequest(id=made.id, body=LeaseReq(duration=3 * HOUR)))
    assert clock(renewed) == since(renewed, 3 * HOUR)
    off = client.renew_lease(RenewLeaseRequest(id=made.id, duration=-1))
    assert clock(off) == (-1, False, "TIMING")

    body = NotebookUpdateRequest(name="renamed", description="")
    updated = client.update_notebook(UpdateNotebookRequest(id=made.id, body=body))
    assert (updated.name, updated.description, updated.status) == ("renamed", "", "RUNNING")

    assert client.stop_notebook(StopNotebookRequest(id=made.id)).status == "STOPPING"
    stopped = sdk.wait_until(client, made.id, "STOPPED")
    assert (stopped.url, stopped.endpoints, stopped.billing_items) == (None, [], [])
    started = client.start_notebook(StartNotebookRequest(id=made.id, duration=2 * HOUR, type="timing"))
    assert started.status == "STARTING"
    assert clock(started.lease) == since(started.lease, 2 * HOUR)
    again = sdk.wait_until(client, made.id, "RUNNING")
    assert again.token not in (None, made.token)

    assert client.delete_notebook(DeleteNotebookRequest(id=made.id)).status == "DELETING"
    gone = sdk.wait_until_gone(client, made.id)
    assert (gone.status_code, gone.error_code) == (404, "ModelArts.6404")
    with pytest.raises(exceptions.ClientRequestException) as second:
        client.delete_notebook(DeleteNotebookRequest(id=made.id))
    assert (second.value.status_code, second.value.error_code) == (404, "ModelArts.6404")
    assert client.list_notebooks(ListNotebooksRequest(id=made.id)).total == 0
    deleted = client.list_notebooks(ListNotebooksRequest(id=made.id, status="DELETED"))
    assert [(one.id, one.status, one.url) for one in deleted.data] == [(made.id, "DELETED", None)]


def test_flavors_and_images(client: ModelArtsClient) -> None:
    flavors = client.list_flavors(ListFlavorsRequest())
    ids = ["modelarts.vm.cpu.1u", "modelarts.vm.cpu.2u", "modelarts.vm.cpu.4u"]
    assert [one.id for one in flavors.flavors] == [one.id for one in flavors.data] == ids
    assert [(one.vcpus, one.memory, one.sold_out) for one in flavors.data] == [
        (1, 2 << 20, False),
        (2, 8 << 20, False),
        (4, 16 << 20, False),
    ]
    images = client.list_image(ListImageRequest())
    assert [(one.id, one.status, one.dev_services) for one in images.data] == [
        (BUILT_IN_ID, "ACTIVE", ["NOTEBOOK"])
    ]
    assert client.show_image(ShowImageRequest(id=BUILT_IN_ID)).swr_path == images.data[0].swr_path


Act = Callable[[ModelArtsClient, str], Any]
REFUSALS: dict[str, tuple[int, str, str, Act]] = {
    "unknown": (404, "ModelArts.6404", "does not exist", lambda c, _: sdk.show(c, UNKNOWN)),
    "bad id": (400, "ModelArts.6336", "field id is x/y", lambda c, _: sdk.show(c, "x/y")),
    "start running": (
        400, "ModelArts.6357", "is RUNNING and cannot start now",
        lambda c, one: c.start_notebook(StartNotebookRequest(id=one)),
    ),
    "list all": (
        403, "ModelArts.0108", "listAllNotebooks",
        lambda c, _: c.list_all_notebooks(ListAllNotebooksRequest()),
    ),
    "limit": (
        400, "ModelArts.0107", "limit is 0; allowed: 1 to 1000",
        lambda c, _: c.list_notebooks(ListNotebooksRequest(limit=0)),
    ),
    "sort key": (
        400, "ModelArts.6303", "Cannot sort by colour",
        lambda c, _: c.list_notebooks(ListNotebooksRequest(sort_key="colour")),
    ),
    "name": (
        400, "ModelArts.6334", "field name is a b",
        lambda c, _: c.create_notebook(CreateNotebookRequest(body=new_body(name="a b"))),
    ),
    "no volume": (
        400, "ModelArts.6335", "field volume is missing",
        lambda c, _: c.create_notebook(CreateNotebookRequest(body=new_body(volume=None))),
    ),
    "no body": (400, "ModelArts.6400", "body", lambda c, _: c.create_notebook(CreateNotebookRequest())),
    "duration": (
        400, "ModelArts.6349", "duration is 5",
        lambda c, one: c.renew_lease(RenewLeaseRequest(id=one, duration=5)),
    ),
    "image": (
        400, "ModelArts.6797", UNKNOWN,
        lambda c, _: c.create_notebook(CreateNotebookRequest(body=new_body(image_id=UNKNOWN))),
    ),
    "flavor": (
        400, "ModelArts.6323", "huge",
        lambda c, _: c.create_notebook(CreateNotebookRequest(body=new_body(flavor="huge"))),
    ),
    "workspace": (
        400, "ModelArts.7005", "a" * 32,
        lambda c, _: c.create_notebook(CreateNotebookRequest(body=new_body(workspace_id="a" * 32))),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def running(client: ModelArtsClient) -> str:
    made = sdk.create(client, name="refusals")
    return sdk.wait_until(client, made.id, "RUNNING").id


def check(place: Place, error: Any, status: int, code: str, words: str) -> None:
    assert (error.status_code, error.error_code) == (status, code)
    assert words in error.error_msg
    wait_for("the request to be in the log under its id", lambda: error.request_id in place.service.log)


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_exceptions_of_the_sdk(
    place: Place, client: ModelArtsClient, running: str, name: str
) -> None:
    status, code, words, act = REFUSALS[name]
    with pytest.raises(exceptions.ClientRequestException) as refused:
        act(client, running)
    check(place, refused.value, status, code, words)


def test_what_is_not_available_is_an_exception_of_the_sdk(
    place: Place, client: ModelArtsClient, running: str
) -> None:
    body = ImageCreateReq(name="saved", namespace="team", tag="1")
    with pytest.raises(exceptions.ServerResponseException) as refused:
        client.create_image(CreateImageRequest(id=running, body=body))
    check(place, refused.value, 501, "ModelArts.6361", "CreateImage")


def test_wrong_credentials_are_exceptions_of_the_sdk(place: Place, member: Person) -> None:
    other = place.new_project()
    for client, status, code in (
        (client_of(member, secret_key="wrong"), 401, "APIGW.0301"),
        (client_of(member, access_key="A" * 20), 401, "APIGW.0301"),
        (client_of(member, project_id=other.id), 403, "ModelArts.0210"),
        (client_of(member, project_id="not a project"), 400, "ModelArts.0210"),
    ):
        with pytest.raises(exceptions.ClientRequestException) as refused:
            client.list_notebooks(ListNotebooksRequest())
        check(place, refused.value, status, code, "")


def test_without_a_project_id(place: Place, member: Person) -> None:
    credentials = BasicCredentials(member.access_key, member.secret_key)
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    client = builder.with_endpoint(place.service.endpoint).build()
    with pytest.raises(exceptions.ClientRequestException) as refused:
        client.list_notebooks(ListNotebooksRequest())
    check(place, refused.value, 400, "ModelArts.0210", "{project_id} is not a project id.")


def by_region(person: Person, name: str) -> ModelArtsClient:
    endpoint = person.place.service.endpoint
    credentials = BasicCredentials(person.access_key, person.secret_key).with_iam_endpoint(endpoint)
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    return builder.with_region(Region(name, endpoint)).build()


def test_the_project_is_found_by_the_name_of_the_region(place: Place) -> None:
    person = place.new_person(place.new_project("region"))
    place.join(person, place.new_project("other-region"), None)
    made = person.create(name="in-region")["id"]
    page = by_region(person, person.project.name).list_notebooks(ListNotebooksRequest())
    assert [one.id for one in page.data] == [made]


def test_a_region_that_is_no_project(place: Place, member: Person) -> None:
    """The SDK reads the id of the request from a header of its own here."""
    with pytest.raises(exceptions.SdkException, match="Failed to get project id") as refused:
        by_region(member, "nowhere").list_notebooks(ListNotebooksRequest())
    trace = re.search(r"X-IAM-Trace-Id=([0-9a-f]{32})\.", str(refused.value))
    assert trace is not None
    wait_for("the request to be in the log under its id", lambda: trace[1] in place.service.log)


def test_a_token_added_by_hand_decides(place: Place, member: Person, client: ModelArtsClient) -> None:
    """The SDK still signs, and the token becomes a signed header."""
    other = place.new_person(member.project, name="other")
    made = other.create(name="of-the-other")["id"]
    request = ListNotebooksRequest()
    page = client.list_notebooks_invoker(request).add_header("X-Auth-Token", other.new_token()).invoke()
    assert [one.id for one in page.data] == [made]
    wrong = sdk.client_of(place.service, "A" * 20, "wrong", member.project.id)
    page = wrong.list_notebooks_invoker(request).add_header("X-Auth-Token", other.new_token()).invoke()
    assert [one.id for one in page.data] == [made]
    with pytest.raises(exceptions.ClientRequestException) as refused:
        client.list_notebooks_invoker(request).add_header("X-Auth-Token", "wrong").invoke()
    check(place, refused.value, 401, "ModelArts.0203", "token")


def test_headers_that_a_user_adds_are_signed_and_accepted(client: ModelArtsClient) -> None:
    invoker = client.list_notebooks_invoker(ListNotebooksRequest(limit=1))
    page = invoker.add_header("X-Language", "en-us").add_header("Idempotency-Key", "k").invoke()
    assert page.size == 1

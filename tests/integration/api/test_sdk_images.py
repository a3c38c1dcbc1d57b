"""Images through the official SDK: three people of two projects, lists, and everything that is refused."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmodelarts.v1 import (
    DeleteImageGroupRequest,
    DeleteImageRequest,
    DeleteImageRequestBody,
    ImageRegRequest,
    ListImageGroupRequest,
    ListImageRequest,
    ModelArtsClient,
    RegisterImageRequest,
    ShowImageRequest,
    SyncImageRequest,
    UpdateImageGroupRequest,
    UpdateImageGroupRequestBody,
    UpdateImageGroupRequestBodyTags,
)

from nbfleet.services.catalogue import BUILT_IN_ID
from support import sdk
from support.people import Person, Place
from support.service import wait_for

UNKNOWN = "00000000-0000-4000-8000-000000000000"
numbers = itertools.count(1)


@dataclass
class People:
    """A member and an administrator of a project, another member of it, and a member of another one."""

    alice: ModelArtsClient
    chief: ModelArtsClient
    bob: ModelArtsClient
    carol: ModelArtsClient


@pytest.fixture(scope="module")
def people(place: Place, member: Person, admin: Person) -> People:
    bob, carol = place.new_person(member.project), place.new_person(place.new_project())
    return People(*(client_of(one) for one in (member, admin, bob, carol)))


def client_of(person: Person) -> ModelArtsClient:
    return sdk.client_of(person.place.service, person.access_key, person.secret_key, person.project.id)


@pytest.fixture
def namespace() -> str:
    """An organisation of the test's own."""
    return f"team-{next(numbers)}"


def register(client: ModelArtsClient, namespace: str, name_and_tag: str, **fields: Any) -> Any:
    body = ImageRegRequest(swr_path=f"registry.example/{namespace}/{name_and_tag}", **fields)
    made = client.register_image(RegisterImageRequest(body=body))

    def look() -> Any:
        found = show(client, made.id)
        return found if found.status == "ACTIVE" else None

    return wait_for("it to be ACTIVE", look)


def show(client: ModelArtsClient, image_id: str) -> Any:
    return client.show_image(ShowImageRequest(id=image_id))


def listed(client: ModelArtsClient, **query: Any) -> tuple[int, list[str]]:
    page = client.list_image(ListImageRequest(**{"type": "DEDICATED"} | query))
    return page.total, [f"{one.name}:{one.tag}" for one in page.data]


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(exceptions.ClientRequestException) as caught:
        call()
    assert caught.value.request_id
    return caught.value.status_code, caught.value.error_code


def test_filters_orders_and_totals(people: People, namespace: str) -> None:
    alice = people.alice
    register(alice, namespace, "torch:2.1", service_type="TRAIN")
    register(alice, namespace, "torch:2.0", visibility="PUBLIC")
    register(alice, namespace, "base.torch:1")
    register(people.bob, namespace, "torch:3", service_type="TRAIN")
    register(people.carol, namespace, "torch:2.1")
    mine: dict[str, Any] = {"namespace": namespace}
    assert listed(alice, **mine) == (3, ["base.torch:1", "torch:2.0", "torch:2.1"])
    assert listed(people.bob, **mine) == (1, ["torch:3"])
    assert listed(people.carol, **mine) == (1, ["torch:2.1"])
    assert listed(people.chief, **mine) == (4, ["torch:3", "base.torch:1", "torch:2.0", "torch:2.1"])
    assert listed(alice, **mine, limit=2, offset=1) == (3, ["torch:2.0", "torch:2.1"])
    assert listed(alice, **mine, limit=2, offset=3) == (3, [])
    by_name = {"sort_key": "name,tag", "sort_dir": "ASC"}
    assert listed(people.chief, **mine, **by_name) == (
        4,
        ["base.torch:1", "torch:2.0", "torch:2.1", "torch:3"],
    )
    oldest_first = {"sort_key": "createTime", "sort_dir": "ASC"}
    assert listed(alice, **mine, **oldest_first)[1] == ["torch:2.1", "torch:2.0", "base.torch:1"]
    for query, total in (
        ({"name": "torch"}, 4),
        ({"name": "torch", "name_fuzzy_match": False}, 3),
        ({"name": "orc"}, 4),
        ({"service_type": "TRAIN"}, 2),
        ({"workspace_id": "0"}, 4),
        ({"workspace_id": "f" * 32}, 0),
        ({"show_name": "x"}, 0),
        ({"show_tag": "x"}, 0),
        ({"type": "BUILD_IN"}, 0),
    ):
        assert listed(people.chief, **mine | query)[0] == total
    built_in = alice.list_image(ListImageRequest())
    assert BUILT_IN_ID in [one.id for one in built_in.data]
    assert {one.type for one in built_in.data} == {"BUILD_IN"}


def test_who_sees_and_who_may(people: People, namespace: str) -> None:
    private = register(people.alice, namespace, "torch:1")
    public = register(people.alice, namespace, "torch:2", visibility="PUBLIC")
    for stranger in (people.bob, people.carol):
        assert show(stranger, public.id).swr_path == public.swr_path
        assert refused(lambda client=stranger: show(client, private.id)) == (404, "ModelArts.6404")
        for image_id, answer in ((private.id, (404, "ModelArts.6404")), (public.id, (403, "ModelArts.0108"))):
            gone = DeleteImageRequest(id=image_id)
            assert refused(lambda client=stranger, call=gone: client.delete_image(call)) == answer
        made = refused(lambda client=stranger: sdk.create(client, image_id=private.id))
        assert made == (400, "ModelArts.6797")
    assert sdk.create(people.carol, image_id=public.id).image.id == public.id
    in_use = DeleteImageRequest(id=public.id, body=DeleteImageRequestBody(is_force=True))
    assert refused(lambda: people.alice.delete_image(in_use)) == (400, "ModelArts.6357")
    assert people.chief.sync_image(SyncImageRequest(image_id=private.id)).status == "ACTIVE"
    assert people.chief.delete_image(DeleteImageRequest(id=private.id)).status == "DELETED"
    assert refused(lambda: show(people.alice, private.id)) == (404, "ModelArts.6404")


def test_groups(people: People, namespace: str) -> None:
    register(people.alice, namespace, "torch:1", read_me="Guide.", tags=["a"])
    second = register(people.alice, namespace, "torch:2")
    assert [tag.key for tag in second.tags] == ["a"]
    register(people.bob, namespace, "torch:3")

    def groups(client: ModelArtsClient) -> list[tuple[str, int, str | None]]:
        page = client.list_image_group(ListImageGroupRequest(namespace=namespace, type="DEDICATED"))
        assert page.total == len(page.data)
        return [(one.name, one.version_count, one.read_me) for one in page.data]

    assert [groups(one) for one in (people.alice, people.bob, people.carol)] == [
        [("torch", 2, "Guide.")], [("torch", 1, None)], [],
    ]  # fmt: skip
    page = people.chief.list_image_group(ListImageGroupRequest(namespace=namespace, type="DEDICATED"))
    tags = [UpdateImageGroupRequestBodyTags(key="k", value="v")]
    body = UpdateImageGroupRequestBody(read_me="For all.", tags=tags)
    change = UpdateImageGroupRequest(id=page.data[0].id, body=body)
    assert refused(lambda: people.alice.update_image_group(change)) == (403, "ModelArts.0108")
    people.chief.update_image_group(change)
    assert groups(people.bob) == [("torch", 1, "For all.")]
    people.chief.delete_image_group(DeleteImageGroupRequest(id=page.data[0].id))
    assert [groups(one) for one in (people.chief, people.bob)] == [[], []]


def test_bad_input(people: People, namespace: str) -> None:
    alice = people.alice
    register(alice, namespace, "torch:1")
    for fields, answer in (
        ({"swr_path": f"registry.example/{namespace}/torch:1"}, (400, "ModelArts.6737")),
        ({"swr_path": f"registry.example/{namespace}/../torch:1"}, (400, "ModelArts.6336")),
        ({"swr_path": f"registry.example/{namespace}/Torch:1"}, (400, "ModelArts.6336")),
        ({"swr_path": f"registry.example/{namespace}/torch"}, (400, "ModelArts.6336")),
        ({"swr_path": f"registry.example/{namespace}/torch:{'1' * 65}"}, (400, "ModelArts.6336")),
        ({}, (400, "ModelArts.6335")),
        ({"swr_path": f"registry.example/{namespace}/x:1", "swr_instance_id": "x"}, None),
        ({"swr_path": f"registry.example/{namespace}/x:1", "visibility": "HIDDEN"}, (400, "ModelArts.6336")),
        ({"swr_path": f"registry.example/{namespace}/x:1", "arch": "sparc"}, (400, "ModelArts.6336")),
        ({"swr_path": f"registry.example/{namespace}/x:1", "tags": ["_sys_"]}, (400, "ModelArts.6336")),
    ):
        request = RegisterImageRequest(body=ImageRegRequest(**fields))
        if answer is None:
            with pytest.raises(exceptions.ServerResponseException) as caught:
                alice.register_image(request)
            assert (caught.value.status_code, caught.value.error_code) == (501, "ModelArts.6361")
        else:
            assert refused(lambda call=request: alice.register_image(call)) == answer
    assert listed(alice, namespace=namespace) == (1, ["torch:1"])
    for query, code in (
        ({"limit": 0}, "ModelArts.0107"), ({"limit": 1001}, "ModelArts.0107"),
        ({"offset": -1}, "ModelArts.0107"), ({"name": "Not-Lower"}, "ModelArts.0107"),
        ({"sort_key": "colour"}, "ModelArts.6303"),
    ):  # fmt: skip
        assert refused(lambda call=query: alice.list_image(ListImageRequest(**call))) == (400, code)
    for call in (
        lambda: show(alice, UNKNOWN),
        lambda: alice.delete_image(DeleteImageRequest(id=UNKNOWN)),
        lambda: people.chief.sync_image(SyncImageRequest(image_id=UNKNOWN)),
        lambda: people.chief.delete_image_group(DeleteImageGroupRequest(id=UNKNOWN)),
    ):
        assert refused(call) == (404, "ModelArts.6404")
    assert refused(lambda: show(alice, "not-a-uuid")) == (400, "ModelArts.6336")
    assert refused(lambda: alice.delete_image(DeleteImageRequest(id=BUILT_IN_ID))) == (403, "ModelArts.0108")

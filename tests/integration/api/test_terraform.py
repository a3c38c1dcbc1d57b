"""Terraform: what its provider does, acted out, and that a second plan finds no difference."""

from typing import Any

import pytest

from nbfleet.domain.access import Role
from nbfleet.domain.quotas import Resource
from nbfleet.services.catalogue import BUILT_IN_ID
from support.people import FLAVOR, Place
from support.terraform import data_sources
from support.terraform.provider import Gone, Provider
from support.terraform.resources import MountStorage, Notebook, Workspace, create_body

LARGER = "modelarts.vm.cpu.2u"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop tf"


@pytest.fixture(scope="module")
def provider(place: Place) -> Provider:
    return Provider(place.new_person(place.new_project(), Role.ADMINISTRATOR, name="terraform"))


def wanted(**fields: Any) -> dict[str, Any]:
    """The attributes of a resource as its user writes them, and as they must come back."""
    return {
        "name": "tf", "description": "made by a plan", "flavor_id": FLAVOR, "image_id": BUILT_IN_ID,
        "workspace_id": "0", "volume": {"type": "EVS", "ownership": "MANAGED", "size": 5}, "tags": {},
    } | fields  # fmt: skip


def test_the_life_of_a_notebook(provider: Provider) -> None:
    notebook = Notebook(provider)
    first = wanted(tags={"foo": "bar", "key": "value"})
    assert notebook.create(first) == first
    assert Notebook(provider, notebook.id).read() == first  # Imported by its id alone.
    shown = notebook.get()
    assert (shown["status"], shown["lease"]["enable"], shown["image"]["type"]) == (
        "RUNNING", False, "BUILD_IN",
    )  # fmt: skip
    assert f"/{notebook.id}/" in shown["url"]

    second = first | {
        "name": "tf_2", "description": "", "volume": first["volume"] | {"size": 7}, "tags": {"foo": "new"},
    }  # fmt: skip
    assert notebook.update(first, second) == second
    third = second | {"flavor_id": LARGER, "tags": {}}
    assert notebook.update(second, third) == third
    notebook.stop()
    assert notebook.read() == third
    fourth = third | {"description": "told while it is stopped"}
    assert notebook.update(third, fourth) == fourth
    assert (notebook.get()["status"], notebook.get()["create_at"]) == ("RUNNING", shown["create_at"])

    notebook.destroy()
    with pytest.raises(Gone):
        notebook.get()


def test_earlier_versions_send_the_size_with_the_flavor(provider: Provider) -> None:
    notebook = Notebook(provider)
    before = wanted()
    notebook.create(before)
    for change in ({"flavor_id": LARGER}, {"volume": before["volume"] | {"size": 6}}, {"flavor_id": FLAVOR}):
        after = before | change
        assert notebook.update_as_before(before, after) == after
        before = after
    notebook.stop()
    renamed = before | {"name": "renamed"}
    assert notebook.update_as_before(before, renamed) == renamed
    assert notebook.get()["status"] == "STOPPED"
    notebook.destroy()


def test_a_stopped_notebook_is_destroyed(provider: Provider) -> None:
    notebook = Notebook(provider)
    notebook.create(wanted())
    notebook.stop()
    notebook.destroy()
    with pytest.raises(Gone):
        notebook.read()


def test_a_key_pair_waits_for_logins_over_ssh(provider: Provider) -> None:
    """Refused by name, so that nobody takes a notebook for one that can be logged in to."""
    body = {"keypair": {"name": "tf-key", "public_key": PUBLIC}}
    provider.request("POST", f"/v3/{provider.project_id}/keypairs", body)
    resource = wanted(key_pair="tf-key", allowed_access_ips=["10.1.2.3"])
    reply = provider.send("POST", "notebooks", create_body(resource))
    assert reply.error == (501, "ModelArts.6361")
    assert reply.message == "The service SSH in endpoints[0] is not available on this service."


def test_a_mounted_storage(provider: Provider) -> None:
    notebook, mount = Notebook(provider), MountStorage(provider)
    notebook.create(wanted(volume={"type": "EFS", "ownership": "MANAGED"}))
    first = {"storage_path": "obs://team-bucket/dir1/", "local_mount_directory": "/data/dir1/"}
    assert mount.create(notebook.id, **first) == first
    assert [f"{notebook.id}/{one}" for one in data_sources.mounts(provider, notebook.id)] == [mount.id]
    assert MountStorage(provider, mount.id).read() == first  # Imported by its id alone.
    mount.destroy()
    assert data_sources.mounts(provider, notebook.id) == []
    notebook.destroy()


def test_a_workspace_with_a_notebook_in_it(provider: Provider) -> None:
    colleague = provider.person.place.new_person(provider.person.project, name="colleague")
    workspace = Workspace(provider)
    first = {"name": "tf_workspace", "description": "", "auth_type": "public"}
    assert workspace.apply(first) == first
    second = first | {
        "auth_type": "internal",
        "grants": [{"user_id": colleague.user.id, "user_name": colleague.user.name}],
    }
    assert workspace.apply(second) == second
    notebook = Notebook(provider)
    assert notebook.create(wanted(workspace_id=workspace.id))["workspace_id"] == workspace.id
    notebook.destroy()
    workspace.destroy()
    with pytest.raises(Gone):
        workspace.read("status")


def test_data_sources(place: Place) -> None:
    provider = Provider(place.new_person(place.new_project(), name="reader"))
    made = {provider.person.create(name=f"tf-{number:03}")["id"] for number in range(103)}
    found = data_sources.notebooks(provider, name="tf-", workspace_id="0", feature="NOTEBOOK")
    assert (len(found), {one["id"] for one in found}) == (103, made)
    one = found[50]["id"]
    assert [shown["id"] for shown in data_sources.notebooks(provider, id=one)] == [one]
    assert data_sources.images(provider, type="BUILD_IN") == [BUILT_IN_ID]
    assert data_sources.images(provider, "x86_64", type="BUILD_IN") == [BUILT_IN_ID]
    assert data_sources.images(provider, "aarch64", type="BUILD_IN") == []
    assert FLAVOR in data_sources.flavors(provider, category="CPU")
    assert data_sources.flavors(provider, category="GPU") == []
    named = [quota["resource"] for quota in data_sources.quotas(provider, "0")]
    assert sorted(named) == sorted(resource.value for resource in Resource)


def test_a_refusal_can_be_read(provider: Provider) -> None:
    reply = provider.send("POST", "notebooks", {"name": "tf"})
    assert reply.error == (400, "ModelArts.6335")
    assert reply.message == "The field image_id is missing."

"""SSH key pairs over HTTP: made, imported, listed, each for its user alone; and the official SDK."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkkps.v3 import (
    CreateKeypairAction,
    CreateKeypairRequest,
    CreateKeypairRequestBody,
    DeleteKeypairRequest,
    KpsClient,
    ListKeypairDetailRequest,
    ListKeypairsRequest,
    UpdateKeypairDescriptionReq,
    UpdateKeypairDescriptionRequest,
    UpdateKeypairDescriptionRequestBody,
)

from nbfleet.services import ssh_keys
from support.client import Answer, Caller
from support.people import Person, dump

PUBLIC = (
    ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    .public_key()
    .public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    .decode()
)
FINGERPRINT = "27:c6:3f:84:be:6f:a4:5e:eb:f9:4d:6e:bd:c8:bb:48"


def at(caller: Caller, name: str = "") -> str:
    return f"/v3/{caller.project_id}/keypairs" + (f"/{name}" if name else "")


def add(caller: Caller, name: str, **fields: Any) -> Answer:
    return caller.request("POST", at(caller), None, {"keypair": {"name": name} | fields})


def listed(caller: Caller, **query: Any) -> dict[str, Any]:
    return caller.request("GET", at(caller), query).json


def names(page: dict[str, Any]) -> list[str]:
    return [entry["keypair"]["name"] for entry in page["keypairs"]]


def show(caller: Caller, name: str) -> Answer:
    return caller.request("GET", at(caller, name))


def describe(caller: Caller, name: str, text: str) -> Answer:
    return caller.request("PUT", at(caller, name), None, {"keypair": {"description": text}})


def delete(caller: Caller, name: str) -> Answer:
    return caller.request("DELETE", at(caller, name))


def test_a_pair_is_made_and_its_private_key_told_once(fleet) -> None:
    made = add(fleet.alice, "laptop", type="ssh", scope="user", user_id=fleet.alice.user_id)
    assert made.status == 200
    pair = made.json["keypair"]
    private = pair.pop("private_key")
    public = load_ssh_private_key(private.encode(), None).public_key()
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert pair == {
        "name": "laptop", "type": "ssh", "public_key": f"{line} laptop",
        "fingerprint": ssh_keys.fingerprint(line), "user_id": fleet.alice.user_id,
    }  # fmt: skip
    now = fleet.hosted.clock.now
    assert show(fleet.alice, "laptop").json == {
        "keypair": {
            **pair, "scope": "user", "is_key_protection": False, "deleted": False, "description": "",
            "create_time": now, "update_time": now, "frozen_state": 0,
        }
    }  # fmt: skip
    secret = private.splitlines()[1]
    assert secret not in repr(dump(fleet.hosted.database))


def test_a_public_key_is_imported(fleet) -> None:
    made = add(fleet.alice, "imported", public_key=f"{PUBLIC}  me@home\n")
    assert made.json == {
        "keypair": {
            "name": "imported", "type": "ssh", "public_key": f"{PUBLIC} me@home",
            "fingerprint": FINGERPRINT, "user_id": fleet.alice.user_id,
        }
    }  # fmt: skip
    assert {
        "keypair": {
            "name": "imported", "type": "ssh", "scope": "user", "public_key": f"{PUBLIC} me@home",
            "fingerprint": FINGERPRINT, "is_key_protection": False, "frozen_state": "0",
        }
    } in listed(fleet.alice)["keypairs"]  # fmt: skip


def test_everybody_has_to_do_with_their_own(fleet) -> None:
    assert add(fleet.bob, "mine").status == 200
    assert add(fleet.alice, "mine", public_key=PUBLIC).status == 200
    assert show(fleet.alice, "mine").json["keypair"]["user_id"] == fleet.alice.user_id
    assert describe(fleet.alice, "mine", "hers").status == 200
    assert show(fleet.bob, "mine").json["keypair"]["description"] == ""
    assert delete(fleet.alice, "mine").status == 204
    assert show(fleet.bob, "mine").status == 200
    for caller in (fleet.alice, fleet.admin, fleet.carol):
        assert "mine" not in names(listed(caller))
        for answer in (show(caller, "mine"), describe(caller, "mine", "x"), delete(caller, "mine")):
            assert answer.refusal == (404, "ModelArts.6404")
    foreign = fleet.bob.request("GET", f"/v3/{fleet.carol.project_id}/keypairs")
    assert foreign.refusal == (403, "ModelArts.0210")


def test_a_description_changes_and_a_pair_goes(fleet) -> None:
    bob = fleet.bob
    add(bob, "changing", public_key=PUBLIC)
    created = fleet.hosted.clock.now
    then = fleet.hosted.clock.advance(1000)
    changed = describe(bob, "changing", "for the gateway")
    assert changed.json == show(bob, "changing").json
    pair = changed.json["keypair"]
    assert (pair["description"], pair["create_time"], pair["update_time"]) == (
        "for the gateway", created, then,
    )  # fmt: skip
    answer = delete(bob, "changing")
    assert (answer.status, answer.raw) == (204, b"")
    assert delete(bob, "changing").refusal == (404, "ModelArts.6404")
    assert add(bob, "changing").status == 200


def test_pages_go_on_behind_a_name(fleet) -> None:
    erin = fleet.hosted.user("erin", "local")
    for name in ("b", "A", "d", "c", "a-1"):
        add(erin, name, public_key=PUBLIC)
    first = listed(erin, limit=2)
    assert (names(first), first["page_info"]) == (["A", "a-1"], {"next_marker": "a-1", "current_count": 2})
    second = listed(erin, limit=2, marker="a-1")
    assert (names(second), second["page_info"]) == (
        ["b", "c"], {"next_marker": "c", "previous_marker": "", "current_count": 2},
    )  # fmt: skip
    third = listed(erin, limit=2, marker="c")
    assert (names(third), third["page_info"]) == (["d"], {"previous_marker": "a-1", "current_count": 1})
    assert names(listed(erin, limit=2, marker="")) == ["A", "a-1"]
    assert names(listed(erin)) == ["A", "a-1", "b", "c", "d"]
    beyond = listed(erin, marker="z")
    assert (beyond["keypairs"], beyond["page_info"]["current_count"]) == ([], 0)


BAD: list[tuple[dict[str, Any], tuple[int, str], str]] = [
    ({}, (400, "ModelArts.6335"), "keypair.name is missing"),
    ({"name": "a b"}, (400, "ModelArts.6336"), "keypair.name is a b"),
    ({"name": "x" * 256}, (400, "ModelArts.6336"), "keypair.name is xxx"),
    ({"name": "n", "type": "x509"}, (400, "ModelArts.6336"), "keypair.type is x509; allowed: ssh"),
    ({"name": "n", "type": "dsa"}, (400, "ModelArts.6336"), "keypair.type is dsa"),
    ({"name": "n", "scope": "domain"}, (400, "ModelArts.6336"), "keypair.scope is domain; allowed: user"),
    ({"name": "n", "user_id": "f" * 32}, (400, "ModelArts.6336"), "keypair.user_id is fff"),
    ({"name": "n", "key_protection": {}}, (501, "ModelArts.6361"), "keypair.key_protection"),
    ({"name": "n", "public_key": "ssh-dss AAAA"}, (400, "ModelArts.6336"), "keypair.public_key is ssh-dss"),
    ({"name": "n", "public_key": "x" * 16_385}, (400, "ModelArts.6336"), "keypair.public_key is xxx"),
    ({"name": "n", "public_key": 5}, (400, "ModelArts.6332"), "keypair.public_key is 5"),
]


@pytest.mark.parametrize(("keypair", "refusal", "message"), BAD)
def test_what_cannot_be_is_refused_by_name(fleet, keypair: Any, refusal: Any, message: str) -> None:
    answer = fleet.alice.request("POST", at(fleet.alice), None, {"keypair": keypair})
    assert answer.refusal == refusal
    assert message in answer.message
    assert "n" not in names(listed(fleet.alice))


def test_bad_names_and_pages(fleet) -> None:
    alice = fleet.alice
    assert show(alice, "a.b").refusal == (400, "ModelArts.6336")
    for query in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"marker": "x" * 256}):
        assert alice.request("GET", at(alice), query).refusal == (400, "ModelArts.0107")
    add(alice, "described")
    assert describe(alice, "described", "<b>").refusal == (400, "ModelArts.6336")
    assert describe(alice, "described", "x" * 256).refusal == (400, "ModelArts.6336")
    nobody = Caller(alice.port, alice.project_id, alice.clock)
    assert nobody.request("GET", at(alice)).refusal[0] == 401


def test_a_name_is_there_once_and_so_many_are_the_most(fleet) -> None:
    frank = fleet.hosted.user("frank", "local")
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: add(frank, "one", public_key=PUBLIC), range(6)))
    assert sorted(one.status for one in answers) == [200] + [400] * 5
    assert {one.refusal for one in answers if one.status == 400} == {(400, "ModelArts.6336")}
    with ThreadPoolExecutor(6) as threads:
        more = list(threads.map(lambda n: add(frank, f"k{n}", public_key=PUBLIC), range(105)))
    assert sorted(one.status for one in more) == [200] * 99 + [400] * 6
    assert {one.refusal for one in more if one.status == 400} == {(400, "ModelArts.0118")}
    assert len(listed(frank, limit=200)["keypairs"]) == 100


@pytest.fixture(scope="module")
def client(member: Person) -> KpsClient:
    credentials = BasicCredentials(member.access_key, member.secret_key, member.project.id)
    builder = KpsClient.new_builder().with_credentials(credentials)
    return builder.with_endpoint(member.place.service.endpoint).build()


def test_the_official_sdk(client: KpsClient, member: Person) -> None:
    def create(**fields: Any) -> Any:
        body = CreateKeypairRequestBody(keypair=CreateKeypairAction(**fields))
        return client.create_keypair(CreateKeypairRequest(body=body))

    made = create(name="sdk-made", type="ssh", scope="user").keypair
    assert made.private_key.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    imported = create(name="sdk-imported", public_key=PUBLIC).keypair
    assert (imported.private_key, imported.fingerprint) == (None, FINGERPRINT)
    found = client.list_keypairs(ListKeypairsRequest(limit="1"))
    assert [one.keypair.name for one in found.keypairs] == ["sdk-imported"]
    assert (found.page_info.next_marker, found.page_info.current_count) == ("sdk-imported", 1)
    rest = client.list_keypairs(ListKeypairsRequest(marker=found.page_info.next_marker))
    assert [(one.keypair.name, one.keypair.frozen_state) for one in rest.keypairs] == [("sdk-made", "0")]
    text = UpdateKeypairDescriptionRequestBody(keypair=UpdateKeypairDescriptionReq(description="by SDK"))
    client.update_keypair_description(UpdateKeypairDescriptionRequest(keypair_name="sdk-made", body=text))
    shown = client.list_keypair_detail(ListKeypairDetailRequest(keypair_name="sdk-made")).keypair
    assert (shown.description, shown.user_id, shown.public_key) == (
        "by SDK", member.user.id, made.public_key,
    )  # fmt: skip
    for name in ("sdk-made", "sdk-imported"):
        assert client.delete_keypair(DeleteKeypairRequest(keypair_name=name)).status_code == 204
    with pytest.raises(exceptions.ClientRequestException) as gone:
        client.list_keypair_detail(ListKeypairDetailRequest(keypair_name="sdk-made"))
    assert (gone.value.status_code, gone.value.error_code) == (404, "ModelArts.6404")

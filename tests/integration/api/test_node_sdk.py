"""The official SDK for Node.js: its signatures, its look-up of the project, its exceptions."""

import re
from typing import Any

from support.node_sdk import call, made_by
from support.people import Person

TOLD = "Notizbuch für 测试 🚀, 100 % of it: * ~ ! ( ) ;"
TEXTS = ["a b", "a+b", "a*b", "!()*~", "50%", "a=c", "ü", "测试", "🚀", "%20"]


def test_the_life_of_a_notebook(member: Person) -> None:
    made = made_by(member, [call("POST", "notebooks", member.request(name="node", description=TOLD))])
    notebook_id = made[0]["data"]["id"]
    assert (made[0]["status"], made[0]["data"]["description"]) == (200, TOLD)
    member.wait(notebook_id)
    at = f"notebooks/{notebook_id}"
    tags = {"tags": [{"key": "团队", "value": "a b"}]}
    shown, tagged, renewed, lease, listed, untagged, stopped = made_by(
        member,
        [
            call("GET", at),
            call("POST", f"{at}/tags/create", tags),
            call("PATCH", f"{at}/lease", duration=7_200_000),
            call("GET", f"{at}/lease"),
            call("GET", "notebooks", tags="团队|a b"),
            call("DELETE", f"{at}/tags/delete", tags),
            call("POST", f"{at}/stop"),
        ],
    )
    assert shown["data"]["name"] == "node"
    assert (tagged, untagged) == ({"status": 204, "data": {}}, {"status": 204, "data": {}})
    assert renewed["data"]["duration"] > shown["data"]["lease"]["duration"]
    assert lease["data"]["duration"] == renewed["data"]["duration"]
    assert [one["id"] for one in listed["data"]["data"]] == [notebook_id]
    assert (stopped["status"], stopped["data"]["status"]) == (200, "STOPPING")
    member.wait(notebook_id, "STOPPED")
    assert made_by(member, [call("DELETE", at)])[0]["status"] == 200
    member.wait_until_gone(notebook_id)


def test_whatever_is_looked_for_is_signed_alike(member: Person) -> None:
    """It encodes the query in one way to sign it and in another to send it."""
    told = {text: member.create(name="told", description=text)["id"] for text in TEXTS}
    answers = made_by(member, [call("GET", "notebooks", description=text, name="told") for text in TEXTS])
    found = [[one["id"] for one in answer["data"]["data"]] for answer in answers]
    assert found == [[told[text]] for text in TEXTS]


def test_the_project_is_looked_up_by_the_name_of_the_region(member: Person) -> None:
    member.create(name="looked-up")
    key: dict[str, Any] = {"access_key": member.access_key, "secret_key": member.secret_key}
    order = {"credentials": key, "region": member.project.name}
    answer = made_by(member, [call("GET", "notebooks", name="looked-up")], **order)[0]
    assert (answer["status"], answer["data"]["total"]) == (200, 1)


def test_refusals_become_its_exceptions(member: Person) -> None:
    wrong = [call("GET", "notebooks", limit=0)]
    forged = {
        "access_key": member.access_key, "secret_key": "wrong", "project_id": member.project.id,
    }  # fmt: skip
    refused, unsigned = made_by(member, wrong)[0], made_by(member, wrong, credentials=forged)[0]
    assert (refused["exception"], refused["status"], refused["code"]) == (
        "ClientRequestException", 400, "ModelArts.0107",
    )  # fmt: skip
    assert refused["message"] == "The parameter limit is 0; allowed: 1 to 1000."
    assert (unsigned["exception"], unsigned["status"], unsigned["code"]) == (
        "ClientRequestException", 401, "APIGW.0301",
    )  # fmt: skip
    for one in (refused, unsigned):
        assert re.fullmatch("[0-9a-f]{32}", one["requestId"])
    assert refused["requestId"] != unsigned["requestId"]

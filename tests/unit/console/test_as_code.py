"""The code that the form shows makes the request that the form sends, whatever was typed."""

import json
import shlex
from typing import Any

import click
import huaweicloudsdkmodelarts.v1 as sdk
import pytest
from huaweicloudsdkcore.utils import http_utils

from nbfleet.cli.notebooks import create_command
from nbfleet.console import as_code

PLACE = as_code.Place("http://127.0.0.1:8080", "local-1")
PLAIN: dict[str, Any] = {
    "name": "notebook-1",
    "flavor": "modelarts.vm.cpu.1u",
    "image_id": "11111111-2222-4333-8444-555555555555",
    "volume": {"category": "EVS", "ownership": "MANAGED", "capacity": 5},
    "duration": 3_600_000,
    "workspace_id": "0",
}
FULL = PLAIN | {
    "name": "--help",
    "description": 'it\'s "so" $HOME `id` ${file} %{if}\nnext \\ line',
    "pool_id": "pool-1",
    "duration": -1,
    "tags": [{"key": "team", "value": "a'b"}, {"key": "${x}", "value": ""}],
}
BODIES = pytest.mark.parametrize("body", [PLAIN, FULL], ids=["plain", "full"])


class Client:
    """Stands where the client is made, and keeps what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    @classmethod
    def new_builder(cls) -> "Client":
        made.append(cls())
        return made[-1]

    def with_credentials(self, credentials: Any) -> "Client":
        assert (credentials.ak, credentials.sk, credentials.project_id) == ("ACCESS", "SECRET", "local-1")
        return self

    def with_endpoint(self, endpoint: str) -> "Client":
        assert endpoint == PLACE.endpoint
        return self

    def build(self) -> "Client":
        return self

    def create_notebook(self, request: sdk.CreateNotebookRequest) -> Any:
        self.asked.append(request)
        return sdk.CreateNotebookResponse(id="the-id")

    def create_notebook_tags(self, request: sdk.CreateNotebookTagsRequest) -> None:
        self.asked.append(request)


made: list[Client] = []


@BODIES
def test_the_sdk_builds_the_same_request(body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk, "ModelArtsClient", Client)
    monkeypatch.setenv("NBFLEET_ACCESS_KEY", "ACCESS")
    monkeypatch.setenv("NBFLEET_SECRET_KEY", "SECRET")
    exec(compile(as_code.sdk(body, PLACE), "shown", "exec"), {})
    first, *tagging = made[-1].asked
    sent = http_utils.sanitize_for_serialization(first.body)
    assert sent == {name: value for name, value in body.items() if name != "tags"}
    told = [(one.resource_id, http_utils.sanitize_for_serialization(one.body)["tags"]) for one in tagging]
    assert told == ([("the-id", body["tags"])] if "tags" in body else [])


@BODIES
def test_the_command_parses_to_the_same_values(body: dict[str, Any]) -> None:
    words = shlex.split(as_code.cli(body, PLACE))
    assert words[:2] == ["nbfleet", "create"]
    with create_command.make_context("create", words[2:]) as context:
        given = context.params
    assert given["name"] == body["name"]
    assert (given["flavor"], given["image"]) == (body["flavor"], body["image_id"])
    assert (given["category"], given["size"]) == ("EVS", 5)
    assert (given["hours"], given["no_auto_stop"]) == (
        (None, True) if body["duration"] == -1 else (1.0, False)
    )
    assert given["description"] == body.get("description")
    assert (given["workspace_id"], given["pool_id"]) == ("0", body.get("pool_id"))
    assert list(given["tags"]) == [f"{tag['key']}={tag['value']}" for tag in body.get("tags", [])]
    assert given["endpoint"] == PLACE.endpoint
    assert isinstance(create_command, click.Command)


@BODIES
def test_curl_sends_the_request_as_it_is(body: dict[str, Any]) -> None:
    words = shlex.split(as_code.curl(body, PLACE))
    assert json.loads(words[words.index("-d") + 1]) == body
    assert words[:4] == ["curl", "-X", "POST", "http://127.0.0.1:8080/v1/local-1/notebooks"]
    assert "X-Auth-Token: $NBFLEET_TOKEN" in words


def test_terraform_names_every_field_and_begins_no_template() -> None:
    assert as_code.terraform(FULL, PLACE).splitlines() == [
        '# provider huaweicloud: endpoints = { modelarts = "http://127.0.0.1:8080/" }',
        "# The provider lets notebooks run without auto-stop.",
        'resource "huaweicloud_modelarts_notebook" "_--help" {',
        '  name = "--help"',
        '  flavor_id = "modelarts.vm.cpu.1u"',
        '  image_id = "11111111-2222-4333-8444-555555555555"',
        '  description = "it\'s \\"so\\" $HOME `id` $${file} %%{if}\\nnext \\\\ line"',
        '  workspace_id = "0"',
        '  pool_id = "pool-1"',
        "  volume {",
        '    type = "EVS"',
        "    size = 5",
        "  }",
        "  tags = {",
        '    "team" = "a\'b"',
        '    "$${x}" = ""',
        "  }",
        "}",
    ]

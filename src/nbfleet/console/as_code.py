"""The request of a form as code to copy: for the official SDK, the command line, curl and Terraform.

Secrets never stand in it: keys and tokens are read from the environment. What a tool cannot say in the same
request (tags with the SDK, an end of its time with Terraform) is said in a second call or a comment.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
_HOUR = 3_600_000
_SDK_NAMES = ("CreateNotebookRequest", "ModelArtsClient", "NotebookCreateRequest", "VolumeMountRequest")
_SDK_TAG_NAMES = ("CreateNotebookTagsRequest", "CreateTmsTagsRequest", "TmsTag")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the request goes. `endpoint` without a slash at its end."""

    endpoint: str
    project_id: str


def all_of(body: Body, place: Place) -> dict[str, str]:
    """The code by its name."""
    return {
        "SDK": sdk(body, place),
        "CLI": cli(body, place),
        "curl": curl(body, place),
        "Terraform": terraform(body, place),
    }


def sdk(body: Body, place: Place) -> str:
    """Python with the official SDK. `body` may hold what a user typed: every value is a literal."""
    fields = {name: value for name, value in body.items() if name not in ("volume", "tags")}
    lines = [f"    {name}={value!r}," for name, value in fields.items()]
    volume = ", ".join(f"{name}={value!r}" for name, value in body.get("volume", {}).items())
    lines.append(f"    volume=VolumeMountRequest({volume}),")
    tags = body.get("tags", [])
    return "\n".join(
        [
            "import os",
            "",
            "from huaweicloudsdkcore.auth.credentials import BasicCredentials",
            "from huaweicloudsdkmodelarts.v1 import (",
            *(f"    {name}," for name in sorted(_SDK_NAMES + (_SDK_TAG_NAMES if tags else ()))),
            ")",
            "",
            "credentials = BasicCredentials(",
            f'    os.environ["NBFLEET_ACCESS_KEY"], os.environ["NBFLEET_SECRET_KEY"], {place.project_id!r}',
            ")",
            "client = (",
            "    ModelArtsClient.new_builder()",
            "    .with_credentials(credentials)",
            f"    .with_endpoint({place.endpoint!r})",
            "    .build()",
            ")",
            "body = NotebookCreateRequest(",
            *lines,
            ")",
            "notebook = client.create_notebook(CreateNotebookRequest(body=body))",
            *(_sdk_tags(tags) if tags else []),
            "print(notebook.id)",
        ]
    )


def _sdk_tags(tags: list[dict[str, str]]) -> list[str]:
    made = ", ".join(f"TmsTag(key={tag['key']!r}, value={tag['value']!r})" for tag in tags)
    return [
        "client.create_notebook_tags(",
        "    CreateNotebookTagsRequest(",
        f"        resource_id=notebook.id, body=CreateTmsTagsRequest(tags=[{made}])",
        "    )",
        ")",
    ]


def cli(body: Body, place: Place) -> str:
    volume = body.get("volume", {})
    options: list[tuple[str, Any]] = [
        ("--flavor", body.get("flavor")),
        ("--image", body.get("image_id")),
        ("--volume", volume.get("category")),
        ("--size", volume.get("capacity")),
        *_cli_lease(body.get("duration")),
        ("--description", body.get("description")),
        ("--workspace", body.get("workspace_id")),
        ("--pool", body.get("pool_id")),
        *(("--tag", f"{tag['key']}={tag['value']}") for tag in body.get("tags", [])),
        ("--endpoint", place.endpoint),
    ]
    # Joined by a sign of equality, so that no value can be taken for an option.
    words = [f"{name}={value}" if value is not True else name for name, value in options if value is not None]
    return shlex.join(["nbfleet", "create", *words, "--", str(body.get("name", ""))])


def _cli_lease(duration: Any) -> list[tuple[str, Any]]:
    if not isinstance(duration, int):
        return []
    return [("--no-auto-stop", True)] if duration == -1 else [("--hours", f"{duration / _HOUR:g}")]


def curl(body: Body, place: Place) -> str:
    url = f"{place.endpoint}/v1/{place.project_id}/notebooks"
    return " \\\n  ".join(
        [
            f"curl -X POST {shlex.quote(url)}",
            '-H "X-Auth-Token: $NBFLEET_TOKEN"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}",
        ]
    )


def terraform(body: Body, place: Place) -> str:
    volume = body.get("volume", {})
    fields: list[tuple[str, Any]] = [
        ("name", body.get("name")),
        ("flavor_id", body.get("flavor")),
        ("image_id", body.get("image_id")),
        ("description", body.get("description")),
        ("workspace_id", body.get("workspace_id")),
        ("pool_id", body.get("pool_id")),
    ]
    inner = (("type", volume.get("category")), ("size", volume.get("capacity")))
    tags = [f"    {_hcl(tag['key'])} = {_hcl(tag['value'])}" for tag in body.get("tags", [])]
    return "\n".join(
        [
            f"# provider huaweicloud: endpoints = {{ modelarts = {_hcl(place.endpoint + '/')} }}",
            "# The provider lets notebooks run without auto-stop.",
            f'resource "huaweicloud_modelarts_notebook" "{_label(body.get("name"))}" {{',
            *(f"  {name} = {_hcl(value)}" for name, value in fields if value is not None),
            "  volume {",
            *(f"    {name} = {_hcl(value)}" for name, value in inner if value is not None),
            "  }",
            *(["  tags = {", *tags, "  }"] if tags else []),
            "}",
        ]
    )


def _hcl(value: Any) -> str:
    """A literal of HCL: as in JSON, but for what would begin a template."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _label(name: Any) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", str(name))
    return plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"

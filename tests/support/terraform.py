"""What the Terraform provider of Huawei Cloud does to notebooks, call for call.

The provider is a Go program that no registry of packages brings, so it is acted out here: its way to sign,
the order of its calls, the statuses that it takes, the types that its structs hold, and which states may come
while it waits. It looks again after 10 s; here that is done much sooner. `Resource` is what its user sees:
attributes that were applied, and are read back.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from support.http import Caller, Reply
from support.people import Person

TAKEN = {
    "GET": {200},
    "POST": {200, 201, 202},
    "PUT": {200, 201, 202},
    "PATCH": {200, 202, 204},
    "DELETE": {200, 202, 204},
}
GONE = {"ModelArts.6309", "ModelArts.6357", "ModelArts.6404", "ModelArts.7005"}  # With 400.
PENDING_START = {"INIT", "CREATING", "STARTING", "SNAPSHOTTING"}
PENDING_STOP = {"RUNNING", "STOPPING"}
PENDING_END = {"RUNNING", "STOPPED", "DELETING"}
UNSIGNED = {"host", "x-project-id"}
PAUSE, PATIENCE = 0.02, 30.0  # Seconds.

# What its structs hold. Null is taken for what is missing; anything else of another type ends it.
STRUCTS: dict[str, Any] = {
    "notebook": {
        "action_progress": [
            {"notebook_id": str, "status": str, "step": int, "step_description": str},
        ],
        "description": str, "fail_reason": str, "feature": str, "flavor": str, "id": str, "name": str,
        "endpoints": [{"allowed_access_ips": [str], "service": str, "key_pair_names": [str], "uri": str}],
        "image": {"id": str, "name": str, "swr_path": str, "type": str},
        "lease": {"create_at": int, "duration": int, "enable": bool, "update_at": int},
        "pool": {"id": str, "name": str}, "status": str, "token": str, "url": str,
        "volume": {
            "capacity": int, "category": str, "mount_path": str, "ownership": str, "status": str,
            "uri": str, "id": str,
        },
        "workspace_id": str, "create_at": int, "update_at": int,
    },
    "mount": {"category": str, "id": str, "mount_path": str, "status": str, "uri": str},
    "images": {
        "current": int, "pages": int, "size": int, "total": int,
        "data": [{"id": str, "name": str, "swr_path": str, "type": str, "description": str, "arch": str}],
    },
}  # fmt: skip
STRUCTS["mounts"] = {"current": int, "pages": int, "size": int, "total": int, "data": [STRUCTS["mount"]]}


class Gone(Exception):
    """What was looked for is no longer there."""


def decoded(value: Any, shape: Any) -> Any:
    """As Go decodes it: what a struct has no field for is dropped, what is null or missing is its zero."""
    if isinstance(shape, dict):
        assert value is None or isinstance(value, dict), value
        return {name: decoded((value or {}).get(name), held) for name, held in shape.items()}
    if isinstance(shape, list):
        assert value is None or isinstance(value, list), value
        return [decoded(one, shape[0]) for one in value or ()]
    if value is None:
        return shape()
    assert type(value) is shape, (value, shape)
    return value


@dataclass(frozen=True)
class GoKey:
    """Signs as the provider does: neither the host nor the project, and the query with its own encoding."""

    access_key: str
    secret_key: str

    def headers(self, method: str, path: str, query: str, headers: Any, body: bytes) -> list[tuple[str, str]]:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        signed = {
            name.lower(): value for name, value in headers if name.lower() not in ("host", "x-project-id")
        }
        signed["x-sdk-date"] = stamp
        names = ";".join(sorted(signed))
        pairs = sorted(parse_qsl(query, keep_blank_values=True))
        request = "\n".join([
            method, quote(path) + ("" if path.endswith("/") else "/"),
            "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs),
            "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed)), names,
            hashlib.sha256(body).hexdigest(),
        ])  # fmt: skip
        text = f"SDK-HMAC-SHA256\n{stamp}\n{hashlib.sha256(request.encode()).hexdigest()}"
        mark = hmac.new(self.secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()
        told = f"SDK-HMAC-SHA256 Access={self.access_key}, SignedHeaders={names}, Signature={mark}"
        return [("X-Sdk-Date", stamp), ("Authorization", told)]


@dataclass
class Provider:
    """Configured with the keys of a user and the name of a project, as `provider "huaweicloud"` is."""

    person: Person
    call: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.call = self.person.place.caller(GoKey(self.person.access_key, self.person.secret_key), "")
        found = self.request("GET", "/v3/projects", query={"name": self.person.project.name})
        assert [one["name"] for one in found["projects"]] == [self.person.project.name]
        self.project_id = found["projects"][0]["id"]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | str = "",
        taken: set[int] | None = None,
    ) -> Any:
        """The decoded answer. Raises Gone where the provider takes the refusal for that."""
        headers = [
            ("User-Agent", "HashiCorp Terraform/1.11.4 terraform-provider-huaweicloud/1.92.0"),
            ("Accept", "application/json"), ("Content-Type", "application/json"), ("X-Language", "en-us"),
            ("X-Project-Id", getattr(self, "project_id", "")),
        ]  # fmt: skip
        at = path if path.startswith("/") else f"/v1/{self.project_id}/{path}"
        reply = self.call(method, at, query=query, body=body, headers=headers)
        if reply.status == 404 or (reply.status == 400 and reply.error[1] in GONE):
            raise Gone(reply.raw)
        assert reply.status in (taken or TAKEN[method]), (method, at, reply.status, reply.raw)
        return json.loads(reply.raw) if reply.raw else None

    def refused(self, method: str, path: str, body: Any) -> Reply:
        """The answer to what is refused, which the provider shows its user."""
        return self.call(method, f"/v1/{self.project_id}/{path}", body=body)

    def until(self, look: Callable[[], str], target: str, pending: set[str]) -> None:
        """Ends with an error on any state that is neither, as the wait of the provider does."""
        deadline = time.monotonic() + PATIENCE
        while (state := look()) != target:
            assert state in pending, f"unexpected state {state}, wanted {target}"
            assert time.monotonic() < deadline, f"still {state}"
            time.sleep(PAUSE)


@dataclass
class Notebook:
    """`huaweicloud_modelarts_notebook`."""

    provider: Provider
    id: str = ""

    def get(self) -> dict[str, Any]:
        return decoded(self.provider.request("GET", f"notebooks/{self.id}"), STRUCTS["notebook"])

    def wait(self, target: str, pending: set[str]) -> None:
        self.provider.until(lambda: self.get()["status"], target, pending)

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        made = decoded(self.provider.request("POST", "notebooks", create_body(wanted)), STRUCTS["notebook"])
        self.id = made["id"]
        self.wait("RUNNING", PENDING_START)
        self.tag(wanted["tags"])
        return self.read()

    def tag(self, tags: dict[str, str], action: str = "create") -> None:
        if not tags:
            return
        body = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        method = "POST" if action == "create" else "DELETE"
        self.provider.request(method, f"notebooks/{self.id}/tags/{action}", body, taken={204})

    def read(self) -> dict[str, Any]:
        """The attributes that its user wrote, as they are now."""
        raw = self.provider.request("GET", f"notebooks/{self.id}")
        shown = decoded(raw, STRUCTS["notebook"])
        volume = shown["volume"]
        ssh = [one for one in shown["endpoints"] if one["service"] == "SSH"]
        state = {
            "name": shown["name"], "description": shown["description"], "flavor_id": shown["flavor"],
            "image_id": shown["image"]["id"], "workspace_id": shown["workspace_id"],
            "volume": {
                "type": volume["category"], "ownership": volume["ownership"], "size": volume["capacity"],
            },
            "tags": {tag["key"]: tag["value"] for tag in raw.get("tags") or ()},
        }  # fmt: skip
        if ssh:
            state |= {
                "key_pair": ssh[0]["key_pair_names"][0],
                "allowed_access_ips": ssh[0]["allowed_access_ips"],
            }
        return state

    def attributes(self) -> dict[str, Any]:
        """Those that only the service knows."""
        shown = self.get()
        return {
            "status": shown["status"], "url": shown["url"], "auto_stop_enabled": shown["lease"]["enable"],
            "image_type": shown["image"]["type"], "created_at": shown["create_at"],
        }  # fmt: skip

    def put(self, **fields: Any) -> None:
        decoded(self.provider.request("PUT", f"notebooks/{self.id}", given(fields)), STRUCTS["notebook"])

    def start(self) -> None:
        self.provider.request("POST", f"notebooks/{self.id}/start", query="duration=-1")
        self.wait("RUNNING", PENDING_START)

    def stop(self) -> None:
        self.provider.request("POST", f"notebooks/{self.id}/stop")
        self.wait("STOPPED", PENDING_STOP)

    def update(self, before: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
        """What may be changed while it runs first, then what needs it stopped, then the tags."""
        changed = {name for name, value in wanted.items() if before.get(name) != value}
        if changed & {"name", "description", "volume"}:
            if self.get()["status"] == "STOPPED":
                self.start()
            grown = wanted["volume"]["size"] if "volume" in changed else None
            self.put(name=wanted["name"], description=wanted["description"], storage_new_size=grown)
            self.provider.until(self._volume_state, "", {"RESIZING"})
        if changed & {"flavor_id", "image_id", "allowed_access_ips"}:
            if self.get()["status"] != "STOPPED":
                self.stop()
            self.put(flavor=wanted["flavor_id"], image_id=wanted["image_id"], endpoints=endpoints(wanted))
            self.start()
        if "tags" in changed:
            self.tag(before["tags"], "delete")
            self.tag(wanted["tags"])
        return self.read()

    def _volume_state(self) -> str:
        return self.get()["volume"]["status"]

    def update_at_once(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """As versions before did: all that needs a stop in one request, the size with it even if it stays."""
        if self.get()["status"] != "STOPPED":
            self.stop()
        size = wanted["volume"]["size"]
        self.put(flavor=wanted["flavor_id"], image_id=wanted["image_id"], storage_new_size=size)
        self.start()
        return self.read()

    def destroy(self) -> None:
        self.provider.request("DELETE", f"notebooks/{self.id}")
        ended(self.provider, lambda: self.get()["status"], "DELETED", PENDING_END)


def create_body(wanted: dict[str, Any]) -> dict[str, Any]:
    volume = wanted["volume"]
    return given({
        "name": wanted["name"], "description": wanted["description"], "feature": "NOTEBOOK",
        "flavor": wanted["flavor_id"], "image_id": wanted["image_id"], "duration": -1,
        "workspace_id": wanted["workspace_id"], "endpoints": endpoints(wanted),
        "volume": given({
            "category": volume["type"], "ownership": volume["ownership"], "capacity": volume.get("size"),
        }),
    })  # fmt: skip


def endpoints(wanted: dict[str, Any]) -> list[dict[str, Any]] | None:
    if "key_pair" not in wanted:
        return None
    ips = wanted["allowed_access_ips"]
    return [{"service": "SSH", "allowed_access_ips": ips, "key_pair_names": [wanted["key_pair"]]}]


def given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def ended(provider: Provider, look: Callable[[], str], target: str, pending: set[str]) -> None:
    """Waits until it is gone, or has the state that means the same."""

    def state() -> str:
        try:
            return look()
        except Gone:
            return target

    provider.until(state, target, pending)


@dataclass
class MountStorage:
    """`huaweicloud_modelarts_notebook_mount_storage`."""

    provider: Provider
    notebook_id: str
    id: str = ""

    @property
    def _at(self) -> str:
        return f"notebooks/{self.notebook_id}/storage"

    def get(self) -> dict[str, Any]:
        return decoded(self.provider.request("GET", f"{self._at}/{self.id}"), STRUCTS["mount"])

    def create(self, storage_path: str, local_mount_directory: str) -> dict[str, Any]:
        body = {"category": "OBS", "mount_path": local_mount_directory, "uri": storage_path}
        self.id = decoded(self.provider.request("POST", self._at, body), STRUCTS["mount"])["id"]
        self.provider.until(lambda: self.get()["status"], "MOUNTED", {"MOUNTING"})
        return self.read()

    def read(self) -> dict[str, Any]:
        shown = self.get()
        return {"storage_path": shown["uri"], "local_mount_directory": shown["mount_path"]}

    def listed(self) -> list[str]:
        found = decoded(self.provider.request("GET", self._at), STRUCTS["mounts"])
        return [one["id"] for one in found["data"]]

    def destroy(self) -> None:
        self.provider.request("DELETE", f"{self._at}/{self.id}")
        ended(self.provider, lambda: self.get()["status"], "UNMOUNTED", {"UNMOUNTING"})


@dataclass
class Workspace:
    """`huaweicloud_modelarts_workspace`."""

    provider: Provider
    id: str = ""

    def apply(self, wanted: dict[str, Any]) -> dict[str, Any]:
        method, path = ("PUT", f"workspaces/{self.id}") if self.id else ("POST", "workspaces")
        answer = self.provider.request(method, path, wanted, taken={200})
        self.id = self.id or answer["id"]
        return self.read(*wanted)

    def read(self, *names: str) -> dict[str, Any]:
        shown = self.provider.request("GET", f"workspaces/{self.id}", taken={200})
        return {name: shown[name] for name in names}

    def destroy(self) -> None:
        self.provider.request("DELETE", f"workspaces/{self.id}", taken={200})
        ended(self.provider, lambda: self.read("status")["status"], "COMPLETED", {"DELETING"})


def every_notebook(provider: Provider, **query: Any) -> list[dict[str, Any]]:
    """`data "huaweicloud_modelarts_notebooks"`: on by what came, until fewer than fifty do."""
    found: list[dict[str, Any]] = []
    more = "".join(f"&{name}={value}" for name, value in query.items())
    while True:
        text = f"limit=50{more}&offset={len(found)}"
        page = provider.request("GET", "notebooks", query=text)["data"]
        found += [decoded(one, STRUCTS["notebook"]) for one in page]
        if len(page) < 50:
            return found


def images(provider: Provider, cpu_arch: str, **query: Any) -> list[dict[str, Any]]:
    """`data "huaweicloud_modelarts_notebook_images"`: its architecture is compared letter by letter."""
    text = "&".join(["limit=200", "offset=0", *(f"{name}={value}" for name, value in query.items())])
    page = decoded(provider.request("GET", "images", query=text), STRUCTS["images"])
    return [one for one in page["data"] if one["arch"] == cpu_arch]


def flavors(provider: Provider, **query: Any) -> list[str]:
    """`data "huaweicloud_modelarts_notebook_flavors"`: those that are not sold out."""
    found = provider.request("GET", "notebooks/flavors", query=query)["data"]
    return [one["id"] for one in found if not one["sold_out"]]

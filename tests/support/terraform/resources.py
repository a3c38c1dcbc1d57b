"""Resources: what is created, read back, changed and destroyed, by the names that users write."""

from dataclasses import dataclass
from typing import Any

from support.terraform.provider import Provider, decoded, given

PENDING_START = {"INIT", "CREATING", "STARTING", "SNAPSHOTTING"}
PENDING_STOP = {"RUNNING", "STOPPING"}
PENDING_END = {"RUNNING", "DELETING"}
PENDING_VOLUME = {"INITIALIZING", "RESIZING", "DELETING"}
# Codes, with 400, that mean the same as 404 where something is looked for.
NO_NOTEBOOK = ("ModelArts.6309", "ModelArts.6357", "ModelArts.6404")
NO_WORKSPACE = ("ModelArts.7005",)
STOPPED_ALREADY, NOT_RUNNING = (400, "ModelArts.6357"), (400, "ModelArts.6327")

NOTEBOOK: dict[str, Any] = {
    "action_progress": [{"notebook_id": str, "status": str, "step": int, "step_description": str}],
    "description": str, "fail_reason": str, "feature": str, "flavor": str, "id": str, "name": str,
    "endpoints": [{"allowed_access_ips": [str], "service": str, "key_pair_names": [str], "uri": str}],
    "image": {"id": str, "name": str, "swr_path": str, "type": str},
    "lease": {"create_at": int, "duration": int, "enable": bool, "update_at": int},
    "pool": {"id": str, "name": str}, "status": str, "token": str, "url": str,
    "volume": {
        "capacity": int, "category": str, "mount_path": str, "ownership": str, "status": str, "uri": str,
        "id": str,
    },
    "workspace_id": str, "create_at": int, "update_at": int,
}  # fmt: skip
MOUNT = {"category": str, "id": str, "mount_path": str, "status": str, "uri": str}
MOUNTS = {"current": int, "pages": int, "size": int, "total": int, "data": [MOUNT]}


@dataclass
class Notebook:
    """`huaweicloud_modelarts_notebook`."""

    provider: Provider
    id: str = ""

    def get(self) -> dict[str, Any]:
        return decoded(self.provider.get(f"notebooks/{self.id}", NO_NOTEBOOK), NOTEBOOK)

    def wait(self, target: str, pending: set[str]) -> None:
        self.provider.until(lambda: self.get()["status"], target, pending)

    def settle(self) -> None:
        """Until nothing happens to its volume. Earlier versions do not look at that: they look for the first
        time after 10 s, by when it is so."""
        self.provider.until(lambda: self.get()["volume"]["status"], "", PENDING_VOLUME)

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self.id = decoded(self.provider.request("POST", "notebooks", create_body(wanted)), NOTEBOOK)["id"]
        self.wait("RUNNING", PENDING_START)
        self.settle()
        self.tag("POST", wanted["tags"])
        return self.read()

    def tag(self, method: str, tags: dict[str, str]) -> None:
        if tags:
            body = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
            action = "create" if method == "POST" else "delete"
            self.provider.request(method, f"notebooks/{self.id}/tags/{action}", body, taken={204})

    def read(self) -> dict[str, Any]:
        """The attributes that its user wrote, as they are now. Its mounts are asked for as well, and left out
        where that is refused, as while it is stopped."""
        raw = self.provider.get(f"notebooks/{self.id}", NO_NOTEBOOK)
        shown, volume = decoded(raw, NOTEBOOK), decoded(raw, NOTEBOOK)["volume"]
        mounts = self.provider.send("GET", f"notebooks/{self.id}/storage")
        assert mounts.status == 200 if shown["status"] == "RUNNING" else mounts.error == NOT_RUNNING
        return {
            "name": shown["name"], "description": shown["description"], "flavor_id": shown["flavor"],
            "image_id": shown["image"]["id"], "workspace_id": shown["workspace_id"],
            "volume": {
                "type": volume["category"], "ownership": volume["ownership"], "size": volume["capacity"],
            },
            "tags": {tag["key"]: tag["value"] for tag in raw.get("tags") or ()},
        }  # fmt: skip

    def put(self, **fields: Any) -> None:
        decoded(self.provider.request("PUT", f"notebooks/{self.id}", given(fields)), NOTEBOOK)

    def start(self) -> None:
        self.provider.request("POST", f"notebooks/{self.id}/start", query="duration=-1")
        self.wait("RUNNING", PENDING_START)

    def stop(self) -> None:
        reply = self.provider.send("POST", f"notebooks/{self.id}/stop")
        assert reply.status == 200 or reply.error == STOPPED_ALREADY, reply
        self.wait("STOPPED", PENDING_STOP)

    def update(self, before: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
        """What may be changed while it runs first, then what needs it stopped, then the tags."""
        changed = {name for name, value in wanted.items() if before.get(name) != value}
        if changed & {"name", "description", "volume"}:
            if self.get()["status"] == "STOPPED":
                self.start()
            grown = wanted["volume"]["size"] if "volume" in changed else None
            self.put(name=wanted["name"], description=wanted["description"], storage_new_size=grown)
            self.settle()
        if changed & {"flavor_id", "image_id"}:
            self.stop()
            self.put(flavor=wanted["flavor_id"], image_id=wanted["image_id"])
            self.start()
        if "tags" in changed:
            self.tag("DELETE", before["tags"])
            self.tag("POST", wanted["tags"])
        return self.read()

    def update_as_before(self, before: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
        """As earlier versions do: a name and a description whether it runs or not; all that needs a stop in
        one request, the size with it even if it stays."""
        changed = {name for name, value in wanted.items() if before.get(name) != value}
        if changed & {"name", "description"}:
            self.put(name=wanted["name"], description=wanted["description"])
        if not changed & {"flavor_id", "image_id", "volume"}:
            return self.read()
        self.stop()
        size = wanted["volume"]["size"]
        self.put(flavor=wanted["flavor_id"], image_id=wanted["image_id"], storage_new_size=size)
        self.start()
        self.settle()
        return self.read()

    def destroy(self) -> None:
        self.provider.request("DELETE", f"notebooks/{self.id}")
        self.provider.until_gone(lambda: self.get()["status"], "DELETED", PENDING_END)


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


@dataclass
class MountStorage:
    """`huaweicloud_modelarts_notebook_mount_storage`; its id is NOTEBOOK/MOUNT."""

    provider: Provider
    id: str = ""

    @property
    def _at(self) -> str:
        notebook_id, mount_id = self.id.split("/")
        return f"notebooks/{notebook_id}/storage/{mount_id}"

    def get(self) -> dict[str, Any]:
        return decoded(self.provider.get(self._at, NO_NOTEBOOK), MOUNT)

    def create(self, notebook_id: str, storage_path: str, local_mount_directory: str) -> dict[str, Any]:
        assert Notebook(self.provider, notebook_id).get()["status"] == "RUNNING"
        body = {"category": "OBS", "mount_path": local_mount_directory, "uri": storage_path}
        made = self.provider.request("POST", f"notebooks/{notebook_id}/storage", body)
        self.id = f"{notebook_id}/{decoded(made, MOUNT)['id']}"
        self.provider.until(lambda: self.get()["status"], "MOUNTED", {"MOUNTING"})
        return self.read()

    def read(self) -> dict[str, Any]:
        shown = self.get()
        return {"storage_path": shown["uri"], "local_mount_directory": shown["mount_path"]}

    def destroy(self) -> None:
        self.provider.request("DELETE", self._at)
        self.provider.until_gone(lambda: self.get()["status"], "UNMOUNTED", {"UNMOUNTING"})


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
        shown = self.provider.get(f"workspaces/{self.id}", NO_WORKSPACE)
        return {name: shown[name] for name in names}

    def destroy(self) -> None:
        self.provider.request("DELETE", f"workspaces/{self.id}", taken={200})
        self.provider.until_gone(lambda: self.read("status")["status"], "COMPLETED", {"DELETING"})

"""The sites that the tables of fields are tried on, and how each request is sent and what it did is read.

What a request names is made for it; those that are refused share what they leave as it is.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import insert, select

from nbfleet.store import images, notebooks, schema
from nbfleet.store.database import Connection
from nbfleet.wire.images import Image
from support.client import Answer, Caller
from support.field_rows import ABSENT, ALICE, IMAGE, NO_IMAGE, WORKSPACE, Probe, Refused
from support.hosted import Hosted
from support.service import wait_for
from support.shelves import put

_STEP = re.compile(r"(\w+)|\[(\d+)\]")
_numbers = itertools.count(1)


class Site:
    def __init__(self, hosted: Hosted, name: str) -> None:
        self.hosted, self.name = hosted, name
        self.alice = hosted.user("alice", "local")
        self.chief = hosted.administrator()
        self.asked: Any = None  # The body that was sent last.
        self._spare: dict[str, str] = {}
        hosted.database.write_now(self._furnish)
        domains = self.alice.request("GET", "/v3/auth/domains").json["domains"]
        self._account: str = domains[0]["id"]

    def _furnish(self, connection: Connection) -> None:
        image = Image(id=IMAGE, name="other", swr_path="localhost/test/other:1", tag="1")
        notebooks.put_image(connection, image, self.hosted.clock.now)
        p = schema.projects.c
        number = connection.execute(select(p.no).where(p.id == self.alice.project_id)).scalar_one()
        connection.execute(insert(schema.workspaces).values(project_no=number, id=WORKSPACE, name="lab-1"))

    def at(self, rest: str) -> str:
        return f"/v1/{self.alice.project_id}/{rest}"

    def running(self) -> str:
        """The id of a running notebook that many requests may go to."""
        if "running" not in self._spare:
            self._spare["running"] = self.alice.running()["id"]
        return self._spare["running"]

    def filled(self, value: Any) -> Any:
        """With the ids that no table can know."""
        ids = {ALICE: self.alice.user_id, "{project}": self.alice.project_id, "{account}": self._account}
        match value:
            case str():
                return ids.get(value, value)
            case dict():
                return {name: self.filled(one) for name, one in value.items()}
            case list():
                return [self.filled(one) for one in value]
            case _:
                return value

    def send(self, operation: str, probe: Probe) -> "Sent":
        self.asked = self.filled(probe.body)
        return SEND[operation](self, replace(probe, body=self.asked))

    def spare(self, made: dict[str, Any]) -> str:
        """The id of a stopped notebook for requests that are refused, and so leave it as it is."""
        key = repr(made)
        if key not in self._spare:
            self._spare[key] = self.alice.stopped(**made)["id"]
        return self._spare[key]


def laid_over(ordinary: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (ordinary | more).items() if value is not ABSENT}


Sent = tuple[Answer, Callable[[], Any]]  # The answer, and how what is shown afterwards is read.


def create(site: Site, probe: Probe) -> Sent:
    answer = site.alice.post("", laid_over(site.alice.body(), probe.body))
    return answer, lambda: read(site, answer.json["id"])


def update(site: Site, probe: Probe) -> Sent:
    # What cannot be had here cannot be changed either: an ordinary notebook is asked for the same.
    made = probe.made if probe.on(site.name) == probe.outcome else {"pool_id": probe.made.get("pool_id", "")}
    refused = isinstance(probe.on(site.name), Refused)
    one = site.spare(made) if refused else site.alice.stopped(**made)["id"]
    return site.alice.put(f"/{one}", probe.body), lambda: read(site, one)


def at(value: Any, path: str) -> Any:
    """What stands there in an answer or a record; ABSENT where nothing does."""
    for name, index in _STEP.findall(path):
        if name:
            value = value.get(name, ABSENT) if isinstance(value, dict) else getattr(value, name)
        elif value is not ABSENT:
            value = value[int(index)] if int(index) < len(value) else ABSENT
        if value is ABSENT:
            return ABSENT
    return value


def read(site: Site, notebook_id: str) -> dict[str, Any]:
    """As a running instance shows it, and what the runtime was told when it was started."""
    alice: Caller = site.alice
    if alice.get(f"/{notebook_id}").json["status"] == "STOPPED":
        assert alice.post(f"/{notebook_id}/start").status == 200
    shown = alice.until(notebook_id, "RUNNING")
    if "storage_new_size" in site.asked:
        shown = alice.once(notebook_id, lambda one: "status" not in one["volume"])
    return shown | {"runtime": site.hosted.given[notebook_id]}


# Requests about other things.


def start(site: Site, probe: Probe) -> Sent:
    one = site.alice.stopped()["id"]
    answer = site.alice.post(f"/{one}/start", None, probe.query)
    return answer, lambda: site.alice.until(one, "RUNNING")


def renew(site: Site, probe: Probe) -> Sent:
    at_ = f"/{site.running()}/lease"
    return site.alice.patch(at_, probe.body, probe.query), lambda: site.alice.get(at_).json


def attach(site: Site, probe: Probe) -> Sent:
    at_ = f"/{site.alice.running()['id']}/storage"
    answer = site.alice.post(at_, probe.body)

    def mounted() -> Any:
        shown = site.alice.get(f"{at_}/{answer.json['id']}").json
        return shown if shown["status"] == "MOUNTED" else None

    return answer, lambda: wait_for("the mount", mounted, 10, 0.01)


def tag(site: Site, probe: Probe) -> Sent:
    one = site.alice.create(**probe.made)["id"]
    answer = site.alice.post(f"/{one}/tags/create", probe.body, probe.query)
    return answer, lambda: site.alice.get(f"/{one}").json


def untag(site: Site, probe: Probe) -> Sent:
    tags = [{"key": key, "value": "1"} for key in ("gone", "kept")]
    one = site.alice.create(tags=tags, **probe.made)["id"]
    answer = site.alice.delete(f"/{one}/tags/delete", probe.body, probe.query)
    return answer, lambda: site.alice.get(f"/{one}").json


def workspace(site: Site, body: Any) -> Answer:
    ordinary = {"name": f"lab-{next(_numbers)}"}
    return site.chief.request("POST", site.at("workspaces"), None, ordinary | body)


def make_workspace(site: Site, probe: Probe) -> Sent:
    answer = workspace(site, probe.body)
    return answer, lambda: site.chief.request("GET", site.at(f"workspaces/{answer.json['id']}")).json


def change_workspace(site: Site, probe: Probe) -> Sent:
    at_ = site.at(f"workspaces/{workspace(site, {}).json['id']}")
    answer = site.chief.request("PUT", at_, None, probe.body)
    return answer, lambda: site.chief.request("GET", at_).json


def set_quotas(site: Site, probe: Probe) -> Sent:
    at_ = site.at(f"workspaces/{workspace(site, {}).json['id']}/quotas")
    answer, names = (
        site.chief.request("PUT", at_, None, probe.body),
        [q["resource"] for q in probe.body["quotas"]],
    )

    def shown() -> Any:
        found = site.chief.request("GET", at_).json["quotas"]
        return {"quotas": [one for one in found if one["resource"] in names]}

    return answer, shown


def check(site: Site, probe: Probe) -> Sent:
    answer = site.chief.request("POST", site.at("workspaces/0/auth"), None, probe.body)
    return answer, lambda: answer.json


def make_keypair(site: Site, probe: Probe) -> Sent:
    keypair = {"name": f"pair-{next(_numbers)}"} | probe.body["keypair"]
    at_ = f"/v3/{site.alice.project_id}/keypairs"
    answer = site.alice.request("POST", at_, None, {"keypair": keypair})
    name = keypair["name"]
    return answer, lambda: site.alice.request("GET", f"{at_}/{name}").json["keypair"] | {"type": "ssh"}


def describe_keypair(site: Site, probe: Probe) -> Sent:
    name, at_ = f"pair-{next(_numbers)}", f"/v3/{site.alice.project_id}/keypairs"
    site.alice.request("POST", at_, None, {"keypair": {"name": name}})
    answer = site.alice.request("PUT", f"{at_}/{name}", None, probe.body)
    return answer, lambda: site.alice.request("GET", f"{at_}/{name}").json["keypair"]


def save_image(site: Site, probe: Probe) -> Sent:
    body = {"name": "saved", "namespace": "team-a"} | probe.body
    answer = site.alice.post(f"/{site.running()}/create-image", body)
    return answer, lambda: answer.json


def register(site: Site, probe: Probe) -> Sent:
    answer = _register(site, probe.made, probe.body)
    return answer, lambda: _image(site, answer.json) | {"group": _group(site, answer.json)}


def change_group(site: Site, probe: Probe) -> Sent:
    image = _register(site, {}, {}).json
    at_ = site.at(f"images/group/{_group(site, image)['id']}")
    answer = site.chief.request("PUT", at_, None, probe.body)
    return answer, lambda: _group(site, image) | {"image": _image(site, image)}


def delete_image(site: Site, probe: Probe) -> Sent:
    image = _register(site, {}, probe.made).json
    answer = site.alice.request("DELETE", site.at(f"images/{image['id']}"), probe.query, probe.body)
    return answer, lambda: _left(site, image)


def delete_group(site: Site, probe: Probe) -> Sent:
    image = _register(site, {}, probe.made).json
    at_ = site.at(f"images/group/{_group(site, image)['id']}")
    answer = site.chief.request("DELETE", at_, None, probe.body)
    return answer, lambda: _left(site, image)


def _register(site: Site, manifest: dict[str, Any], body: dict[str, Any]) -> Answer:
    """An image of a name of its own, which stands on the machine unless it is the one that does not."""
    whole = {"swr_path": f"localhost/team-a/image-{next(_numbers)}:1"} | body
    if whole["swr_path"] != NO_IMAGE:
        put(site.hosted.data_dir / "images", whole["swr_path"], **manifest)
    return site.alice.request("POST", site.at("images"), None, whole)


def _image(site: Site, image: dict[str, Any]) -> dict[str, Any]:
    return site.alice.request("GET", site.at(f"images/{image['id']}")).json


def _group(site: Site, image: dict[str, Any]) -> dict[str, Any]:
    query = {"name": image["name"], "workspace_id": "*"}
    (found,) = site.alice.request("GET", site.at("images/group"), query).json["data"]
    return found


def _left(site: Site, image: dict[str, Any]) -> dict[str, Any]:
    """What is there of a deleted image once the service has nothing left to do about it."""

    def is_settled() -> bool:
        found = site.hosted.database.read_now(images.find, image["id"])
        return found is not None and found.due_at is None

    wait_for("its content to go or stay", is_settled, 30, 0.02)
    content = site.hosted.data_dir / "images" / "team-a" / image["name"]
    return {"content": sorted(one.name for one in content.iterdir())}


def log_in(site: Site, probe: Probe) -> Sent:
    answer = site.alice.request("POST", "/v3/auth/tokens", None, probe.body)
    return answer, lambda: answer.json


SEND: dict[str, Callable[[Site, Probe], Sent]] = {
    "CreateNotebook": create,
    "UpdateNotebook": update,
    "StartNotebook": start,
    "RenewLease": renew,
    "AttachDynamicStorage": attach,
    "CreateNotebookTags": tag,
    "DeleteNotebookTags": untag,
    "CreateImage": save_image,
    "RegisterImage": register,
    "UpdateImageGroup": change_group,
    "DeleteImage": delete_image,
    "DeleteImageGroup": delete_group,
    "CreateWorkspace": make_workspace,
    "UpdateWorkspace": change_workspace,
    "UpdateWorkspaceQuotas": set_quotas,
    "ValidateAuthorization": check,
    "CreateKeypair": make_keypair,
    "UpdateKeypairDescription": describe_keypair,
    "KeystoneCreateUserTokenByPassword": log_in,
}

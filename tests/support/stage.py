"""A service in which every published request can happen: for each operation the things that it names exist.

One table says for each operation what has to be there before and which body goes with it, where the contract
publishes no example of one. Whatever replays the operations (by plain HTTP, with the official SDK, as each
kind of caller) takes its requests from here. Operations without a handler get ids that are well formed.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.access import Role
from nbfleet.services import identity
from nbfleet.settings import NodeSettings, PoolSettings
from nbfleet.store import identity as users
from nbfleet.store import notebooks
from nbfleet.store.database import Connection
from nbfleet.wire.enums import ImageType
from nbfleet.wire.images import Image
from nbfleet.wire.operation import Operation
from nbfleet.wire.operations import by_id
from support.client import Answer, Caller
from support.contract import examples
from support.hosted import PASSWORD, Hosted
from support.make import Clock
from support.service import wait_for
from support.shelves import put

ACCOUNT, PROJECT, POOL = "acme", "local-1", "pool-published"  # The first two are those of the examples.
PUBLISHED_IMAGE = "11111111-2222-4333-8444-555555555555"
PUBLISHED_PASSWORD = "secret"
_numbers = itertools.count(1)


class RealClock(Clock):
    """The time of day: what a client signs with its own clock has to fit."""

    @property
    def now(self) -> int:  # type: ignore[override]
        return time.time_ns() // 1_000_000

    @now.setter
    def now(self, _value: int) -> None:
        """It cannot be set."""


@contextmanager
def on_database(request: pytest.FixtureRequest, directory: Path, **options: Any) -> Iterator[Hosted]:
    """A service at the time of day, on the kind of database that the fixture's parameter names; `options` are
    settings."""
    if request.param == "sqlite":
        url = f"sqlite:///{directory}/test.db"
    else:
        url = request.getfixturevalue("postgres").new_database()
    running = Hosted(directory, url, options, clock=RealClock()).start()
    yield running
    running.stop()


@dataclass(frozen=True)
class Prepared:
    """One request that can be made now."""

    operation: Operation
    words: dict[str, str]  # Those of the path, without the project.
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def path(self, project_id: str) -> str:
        return self.operation.path.format(project_id=project_id, **self.words)

    def send(self, caller: Caller) -> Answer:
        query = urlencode(self.query)
        return caller.request(self.operation.method, self.path(caller.project_id), query, self.body)


@dataclass
class Stage:
    """`chief` administers the project of the examples."""

    hosted: Hosted
    chief: Caller

    def member(self, name: str = "member", project: str = PROJECT, role: Role = Role.MEMBER) -> Caller:
        return self.hosted.user(f"{name}-{next(_numbers)}", project, role)

    def logged_in(self, caller: Caller, *, scoped: bool = True) -> Caller:
        """The same with a token in place of a signature, for the project or for none."""
        user = {"name": caller.name, "password": PASSWORD}
        method = {"methods": ["password"], "password": {"user": user}}
        auth: dict[str, Any] = {"identity": method}
        if scoped:
            auth["scope"] = {"project": {"id": caller.project_id}}
        answer = caller.request("POST", "/v3/auth/tokens", None, {"auth": auth})
        assert answer.status == 201, answer.raw
        return caller.with_token(answer.headers["x-subject-token"])

    def prepare(self, operation_id: str, owner: Caller, body: Any = None) -> Prepared:
        """The request after what it names was made for `owner`; with a body of ours where there is one, else
        with the first published one, unless given another."""
        need = NEEDS[operation_id]
        made, operation = need.make(self, owner), by_id(operation_id)
        words = {word: value for word, value in made.items() if f"{{{word}}}" in operation.path}
        told = need.told(made) or next(iter(examples(operation_id, "body").values()), None)
        return Prepared(operation, words, dict(need.query), told if body is None else body)


@dataclass(frozen=True)
class Need:
    """`make` answers the words of the path, and others; a `body` that hangs on them, or must not repeat, is
    made anew each time."""

    make: Callable[[Stage, Caller], dict[str, str]]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def told(self, made: dict[str, str]) -> Any:
        return self.body(made) if callable(self.body) else self.body


def nothing(_stage: Stage, _owner: Caller) -> dict[str, str]:
    return {}


def running(word: str = "id") -> Callable[[Stage, Caller], dict[str, str]]:
    return lambda _stage, owner: {word: owner.running()["id"]}


def stopped(_stage: Stage, owner: Caller) -> dict[str, str]:
    return {"id": owner.stopped()["id"]}


def frozen(stage: Stage, owner: Caller) -> dict[str, str]:
    words = stopped(stage, owner)
    assert stage.chief.post(f"/{words['id']}/freeze").status == 200
    return words


def tagged(stage: Stage, owner: Caller) -> dict[str, str]:
    words = running("resource_id")(stage, owner)
    assert stage.prepare("CreateNotebookTags", owner).send(owner).status == 204
    return words


def mounted(stage: Stage, owner: Caller) -> dict[str, str]:
    """A running instance with a mount."""
    words = running("instance_id")(stage, owner)
    if "AttachDynamicStorage" not in HANDLERS:
        return words | {"storage_id": str(uuid4())}
    body = next(iter(examples("AttachDynamicStorage", "body").values()))
    made = owner.post(f"/{words['instance_id']}/storage", body)
    assert made.status == 200, made.raw
    at = f"/{words['instance_id']}/storage/{made.json['id']}"
    wait_for("it to be mounted", lambda: owner.get(at).json["status"] == "MOUNTED", 10, 0.01)
    return words | {"storage_id": made.json["id"]}


def content(stage: Stage, _owner: Caller) -> dict[str, str]:
    """An image on this machine that nobody registered yet."""
    reference = f"localhost/team-a/nb-demo-env:v{next(_numbers)}"
    put(stage.hosted.data_dir / "images", reference)
    return {"swr_path": reference}


def registration(made: dict[str, str]) -> dict[str, Any]:
    """As it is published, but for the path, which names a registry there: images here are on this machine."""
    body = next(iter(examples("RegisterImage", "body").values()))
    return body | {"swr_path": made["swr_path"]}


def image(word: str = "id") -> Callable[[Stage, Caller], dict[str, str]]:
    """An image that the owner registered."""
    return lambda stage, owner: {word: registered(content(stage, owner), owner)}


def registered(made: dict[str, str], owner: Caller) -> str:
    answer = owner.request("POST", f"/v1/{owner.project_id}/images", None, registration(made))
    assert answer.status == 200, answer.raw
    return answer.json["id"]


def workspace(stage: Stage, _owner: Caller) -> dict[str, str]:
    if "CreateWorkspace" not in HANDLERS:
        return {"workspace_id": "0"}
    body = {"name": f"workspace-{next(_numbers)}", "auth_type": "PUBLIC"}
    made = stage.chief.request("POST", f"/v1/{stage.chief.project_id}/workspaces", None, body)
    assert made.status == 200, made.raw
    return {"workspace_id": made.json["id"]}


def image_group(stage: Stage, owner: Caller) -> dict[str, str]:
    """The group of a new image, which nobody else has one in."""
    name = f"nb-demo-env-{next(_numbers)}"
    path = f"localhost/team-a/{name}:v1"
    put(stage.hosted.data_dir / "images", path)
    registered({"swr_path": path}, owner)
    query = {"type": "DEDICATED", "name": name, "workspace_id": "*"}
    (found,) = owner.request("GET", f"/v1/{owner.project_id}/images/group", query).json["data"]
    return {"id": found["id"]}


def published_image(stage: Stage, _owner: Caller) -> dict[str, str]:
    made = Image(
        id=PUBLISHED_IMAGE,
        name="jupyterlab-cpu",
        swr_path="registry.example.test/platform/jupyterlab-cpu:1.0.0",
        tag="1.0.0",
        type=ImageType.BUILD_IN,
        description="",
    )
    stage.hosted.database.write_now(notebooks.put_image, made, stage.hosted.clock.now)
    return {}


def published_bob(stage: Stage, _owner: Caller) -> dict[str, str]:
    return _with_user(stage, "bob")


def published_alice(stage: Stage, _owner: Caller) -> dict[str, str]:
    return _with_user(stage, "alice")


def _with_user(stage: Stage, name: str) -> dict[str, str]:
    def write(connection: Connection) -> None:
        if users.user(connection, name=name) is None:
            where = identity.the_project(connection, PROJECT)
            identity.add_user(connection, stage.hosted.context, name, where, Role.MEMBER, PUBLISHED_PASSWORD)

    stage.hosted.database.write_now(write)
    return {}


def keypair(_stage: Stage, owner: Caller) -> dict[str, str]:
    name = f"pair-{next(_numbers)}"
    path = f"/v3/{owner.project_id}/keypairs"
    assert owner.request("POST", path, None, {"keypair": {"name": name}}).status == 200
    return {"keypair_name": name}


def named(_stage: Stage, owner: Caller) -> dict[str, str]:
    return {"notebook_id": owner.running()["id"]}


def tagging(made: dict[str, str]) -> dict[str, Any]:
    """An action on many notebooks that takes no permission."""
    return {"action": "tag", "tag": {"key": "team"}, "ids": [made["notebook_id"]]}


def begun(stage: Stage, owner: Caller) -> dict[str, str]:
    """An action that the owner began. It is over, because few of a user may have work left, and changed
    something, because after many in a minute one that changes nothing has to wait."""
    answer = owner.post("/actions", tagging(named(stage, owner)))
    assert answer.status == 200, answer.raw
    at = f"/actions/{answer.json['id']}"
    wait_for("the action to be over", lambda: "end_at" in owner.get(at).json, 10, 0.01)
    return {"action_id": answer.json["id"]}


NEEDS: dict[str, Need] = {
    "ListAllNotebooks": Need(running()),
    "ListNotebooks": Need(running()),
    "CreateNotebook": Need(published_image),
    "ListFlavors": Need(nothing),
    "ShowNotebookTags": Need(tagged),
    "ShowNotebook": Need(running()),
    "UpdateNotebook": Need(stopped),
    "DeleteNotebook": Need(running()),
    "StartNotebook": Need(stopped),
    "StopNotebook": Need(running()),
    "CreateImage": Need(running()),
    "ShowSwitchableFlavors": Need(stopped),
    "ShowLease": Need(running()),
    "RenewLease": Need(running()),
    "ListDynamicStorages": Need(mounted),
    "AttachDynamicStorage": Need(running("instance_id")),
    "ShowDynamicStorage": Need(mounted),
    "DetachDynamicStorage": Need(mounted),
    "CreateNotebookTags": Need(running("resource_id")),
    "DeleteNotebookTags": Need(tagged),
    "ListImage": Need(nothing),
    "RegisterImage": Need(content, body=registration),
    "ListImageGroup": Need(image()),
    "UpdateImageGroup": Need(image_group, body={"read_me": "# What is in it"}),
    "DeleteImageGroup": Need(image_group),
    "ShowImage": Need(image()),
    "DeleteImage": Need(image()),
    "SyncImage": Need(image("image_id")),
    "ListWorkspace": Need(workspace),
    "CreateWorkspace": Need(published_bob),
    "ListUsers": Need(published_bob),
    "ShowWorkspace": Need(workspace),
    "UpdateWorkspace": Need(workspace, body={"description": "for a team"}),
    "DeleteWorkspace": Need(workspace),
    "ShowWorkspaceQuotas": Need(workspace),
    "UpdateWorkspaceQuotas": Need(workspace, body={"quotas": [{"resource": "notebook.count", "quota": 5}]}),
    "ValidateAuthorization": Need(workspace),
    "ListAuthoringClusters": Need(nothing, {"type": "DEDICATED"}),
    "ShowCluster": Need(lambda *_: {"cluster_id": POOL}),
    "ListFeatures": Need(lambda *_: {"feature": "NOTEBOOK"}),
    "ListPools": Need(nothing),
    "ShowPool": Need(lambda *_: {"pool_name": POOL}),
    "KeystoneCreateUserTokenByPassword": Need(published_alice),
    "KeystoneListProjects": Need(nothing),
    "KeystoneListAuthDomains": Need(nothing),
    "CreateKeypair": Need(nothing, body=lambda _: {"keypair": {"name": f"new-{next(_numbers)}"}}),
    "ListKeypairs": Need(keypair),
    "ListKeypairDetail": Need(keypair),
    "UpdateKeypairDescription": Need(keypair, body={"keypair": {"description": "of the laptop"}}),
    "DeleteKeypair": Need(keypair),
    "CountNotebooks": Need(running()),
    "ExportNotebooks": Need(running()),
    "FreezeNotebook": Need(running()),
    "UnfreezeNotebook": Need(frozen),
    "ShowNotebookLog": Need(running()),
    "ShowNotebookUsage": Need(running()),
    "ShowFleetHistory": Need(running()),
    "ListStoppingNotebooks": Need(running()),
    "ShowCapacity": Need(nothing),
    "ListNotebookEvents": Need(running()),
    "PreviewNotebookAction": Need(named, body=tagging),
    "BeginNotebookAction": Need(named, body=tagging),
    "ListNotebookActions": Need(begun),
    "ShowNotebookAction": Need(begun),
    "ListNotebookActionResults": Need(begun),
    "CancelNotebookAction": Need(begun),
}


@contextmanager
def set_up(directory: Path, url: str) -> Iterator[Stage]:
    pool = PoolSettings(id=POOL, name="Published", nodes=(NodeSettings(vcpus=64, memory=262_144),))
    options = {
        "account": ACCOUNT,
        "project": PROJECT,
        "pools": (pool,),
        "runtime": "simulated",
        # What one user or project may have is a test of its own; long runs make more.
        "images": 1_000_000,
        "keypairs": 1_000_000,
        "workspaces": 1_000_000,
    }
    hosted = Hosted(directory, url, options, RealClock()).start()
    try:
        yield Stage(hosted, hosted.administrator())
    finally:
        hosted.stop()

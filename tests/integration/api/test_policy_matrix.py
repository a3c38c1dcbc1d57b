"""Every operation, called by everybody who could call it: one table says what each is answered.

The table is in `support.policy`; an operation that is not in it fails the test. What is asked for belongs to
a member of the project; the columns are those who ask, the roles made of actions with which they ask, and
what the workspace of the thing is to them. `HEAD`, `OPTIONS` and other methods that no operation has come
below.
"""

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.access import Role
from nbfleet.services import roles
from nbfleet.store import identity, schema
from nbfleet.store.database import Connection
from nbfleet.wire.operations import OPERATIONS, by_id
from support import stage
from support.client import Answer, Caller, exchange
from support.policy import (
    ACTIONS,
    BEYOND,
    DONE,
    EMPTY,
    EVERY_ACTION,
    FORBIDDEN,
    HIDDEN,
    NOT_AVAILABLE,
    POLICY,
    REACH,
    Outcome,
)  # fmt: skip
from support.service import wait_for
from support.stage import PROJECT, Prepared, Stage

# Where the published body names somebody whom not every project has.
BODIES = {"CreateWorkspace": {"name": "workspace", "auth_type": "PUBLIC"}}
# What the contract answers to an unknown workspace.
UNKNOWN_WORKSPACE: Outcome = (400, "ModelArts.7005")
SOME_ACTION = "modelarts:workspace:list"  # A role has one at least.
_numbers = itertools.count(1)


@dataclass
class Cast:
    stage: Stage
    owner: Caller
    others: dict[str, Caller]

    def caller(self, name: str) -> Caller:
        return self.owner if name == "owner" else self.others[name]


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    directory = tmp_path_factory.mktemp("cast")
    with stage.set_up(directory, f"sqlite:///{directory}/test.db") as made:
        yield gathered(made)


def gathered(made: Stage) -> Cast:
    made.hosted.project("other")
    owner, foreman = made.member("owner"), made.member("foreman", "other", Role.ADMINISTRATOR)
    disabled, expelled = made.member("disabled"), made.member("expelled")
    made.hosted.database.write_now(cut_off, disabled, expelled)
    nobody = Caller(owner.port, owner.project_id, owner.clock)
    others = {
        "soloist": made.member("soloist"),
        "observer": made.member("observer", role=role_of(made, EVERY_ACTION - REACH)),
        "operator": made.member("operator", role=role_of(made, EVERY_ACTION)),
        "resident": made.member("resident"),
        "by token": made.logged_in(owner),
        "fellow": made.member("fellow"),
        "chief": made.chief,
        "neighbour": made.member("neighbour", "other"),
        "foreman": foreman,
        "intruder": replace(foreman, project_id=owner.project_id),
        "expelled": expelled,
        "anonymous": nobody,
        "forger": replace(owner, secret_key="A" * 40),
        "disabled": disabled,
        "garbled": nobody.with_token("0" * 64),
        "unscoped": nobody.with_token(made.logged_in(owner, scoped=False).token or ""),
    }
    return Cast(made, owner, others)


def cut_off(connection: Connection, disabled: Caller, expelled: Caller) -> None:
    for caller in (disabled, expelled):
        user = identity.user(connection, id=caller.user_id)
        project = identity.project(connection, name=PROJECT)
        assert user is not None
        assert project is not None
        if caller is disabled:
            identity.enable_user(connection, user.no, enabled=False)
        else:
            identity.set_role(connection, user.no, project.no, None)


def role_of(made: Stage, actions: Collection[str]) -> Role:
    return made.hosted.database.write_now(roles.add, f"role-{next(_numbers)}", actions)


def outcome(answer: Answer) -> Outcome:
    return answer.status, answer.json["error_code"] if answer.status >= 400 else None


def expected(operation_id: str, told: Outcome) -> Outcome:
    if told in (DONE, HIDDEN, BEYOND) and operation_id not in HANDLERS:
        return NOT_AVAILABLE
    if told == BEYOND:
        return FORBIDDEN
    if told == HIDDEN and "{workspace_id}" in by_id(operation_id).path:
        return UNKNOWN_WORKSPACE
    return (by_id(operation_id).status, told[1]) if told in (DONE, EMPTY) else told


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_each_operation_for_everybody(cast: Cast, operation: Any) -> None:
    """Those who are refused come first, and leave everything as it is; each of the others finds it anew."""
    policy = POLICY[operation.id].everybody
    refused = [name for name in policy if policy[name] != DONE]
    prepared = cast.stage.prepare(operation.id, cast.owner, BODIES.get(operation.id))
    before = kept(cast)
    got = {name: outcome(prepared.send(cast.caller(name))) for name in refused}
    assert kept(cast) == before
    for name in policy.keys() - set(refused):
        again = cast.stage.prepare(operation.id, cast.owner, BODIES.get(operation.id))
        got[name] = outcome(again.send(cast.caller(name)))
    assert got == {name: expected(operation.id, told) for name, told in policy.items()}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_each_operation_for_roles_made_of_actions(cast: Cast, operation: Any) -> None:
    """Its action is enough for what is one's own, and nothing takes its place."""
    open_everything(cast)
    action, soloist = ACTIONS[operation.id], cast.others["soloist"]
    sole = role_of(cast.stage, {action or SOME_ACTION})
    rest = role_of(cast.stage, EVERY_ACTION - {action})

    def prepared() -> Prepared:
        become(cast, soloist, Role.MEMBER)
        return cast.stage.prepare(operation.id, soloist, BODIES.get(operation.id))

    def sent(request: Prepared, name: str) -> Outcome:
        if name in ("observer", "operator"):
            return outcome(request.send(cast.others[name]))
        become(cast, soloist, sole if name == "sole" else rest)
        return outcome(request.send(soloist))

    policy = POLICY[operation.id].roles(action)
    refused = [name for name in policy if policy[name] != DONE]
    request = prepared()
    before = kept(cast)
    got = {name: sent(request, name) for name in refused}
    assert kept(cast) == before
    for name in policy.keys() - set(refused):
        got[name] = sent(prepared(), name)
    assert got == {name: expected(operation.id, told) for name, told in policy.items()}


def become(cast: Cast, caller: Caller, role: Role) -> None:
    """It counts with the next request: what is remembered of callers is forgotten."""
    cast.stage.hosted.leave(caller, PROJECT, role)
    cast.stage.hosted.context.access.end()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_each_operation_in_a_workspace_that_is_closed(cast: Cast, operation: Any) -> None:
    """What is asked for is in one, whose owner made it while it was open; or is asked to go into one."""
    open_everything(cast)
    policy = POLICY[operation.id].places()
    people = {"owner": cast.others["resident"]} | cast.others
    harmless = [column for column in policy if policy[column] != DONE or operation.method == "GET"]
    place = Workspace(cast)
    request = place.prepare(operation.id)
    before = kept(cast)
    got: dict[tuple[str, str], Outcome] = {}
    for how, name in harmless:
        place.close(how)
        got[how, name] = seen(request, people[name])
    assert kept(cast) == before
    for how, name in policy.keys() - set(harmless):
        place = Workspace(cast)
        request = place.prepare(operation.id)
        place.close(how)
        got[how, name] = seen(request, people[name])
    assert got == {column: expected(operation.id, told) for column, told in policy.items()}


def open_everything(cast: Cast) -> None:
    """Opens what earlier tests closed: the sums of a project are for those to whom all of it is open."""
    chief = cast.stage.chief
    path = f"/v1/{chief.project_id}/workspaces"
    for one in chief.request("GET", path, {"limit": 1000}).json["workspaces"]:
        if one["auth_type"] != "PUBLIC":
            body = {"auth_type": "PUBLIC"}
            assert chief.request("PUT", f"{path}/{one['id']}", None, body).status == 200


# What a list of things asks for to show those of one workspace, and no others.
LISTS: dict[str, dict[str, str]] = {
    "ListAllNotebooks": {}, "ListNotebooks": {}, "ShowNotebookTags": {}, "CountNotebooks": {},
    "ExportNotebooks": {}, "ListImage": {"type": "DEDICATED"}, "ListImageGroup": {"type": "DEDICATED"},
}  # fmt: skip


class Workspace:
    """A new one, open to owner, fellow and operator by name, until it is closed."""

    def __init__(self, cast: Cast) -> None:
        self._stage, self._chief, self._how = cast.stage, cast.stage.chief, "GRANTED"
        self._owner, self._stranger = cast.others["resident"], cast.owner
        self._named = [self._owner, cast.others["fellow"], cast.others["operator"]]
        self._at = f"/v1/{self._chief.project_id}/workspaces"
        body = {"name": f"closed-{next(_numbers)}"} | self._openness("GRANTED")
        self.id: str = self._chief.request("POST", self._at, None, body).json["id"]

    def _openness(self, how: str) -> dict[str, Any]:
        if how == "PRIVATE":
            return {"auth_type": how}
        named = self._named if how == "GRANTED" else [self._stranger]
        return {"auth_type": "INTERNAL", "grants": [{"user_id": one.user_id} for one in named]}

    def close(self, how: str) -> None:
        if how != self._how:
            path, body = f"{self._at}/{self.id}", self._openness(how)
            assert self._chief.request("PUT", path, None, body).status == 200
            self._how = how

    def prepare(self, operation_id: str) -> Prepared:
        """A request for what the owner has in it, or about it, or for something new in it."""
        resident = Resident(**vars(self._owner), workspace_id=self.id)
        if operation_id == "ListImage":
            self._stage.prepare("ShowImage", resident)
        made = self._stage.prepare(operation_id, resident, BODIES.get(operation_id))
        if operation_id in LISTS:
            made = replace(made, query=made.query | LISTS[operation_id] | {"workspace_id": self.id})
        if "workspace_id" in made.words:
            made = replace(made, words=made.words | {"workspace_id": self.id})
        if operation_id in ("CreateNotebook", "RegisterImage"):
            made = replace(made, body=made.body | {"workspace_id": self.id})
        return made


@dataclass
class Resident(Caller):
    """Its new notebooks and images go into one workspace."""

    workspace_id: str = ""

    def request(
        self, method: str, path: str, query: Any = None, body: Any = None, headers: Any = None
    ) -> Answer:  # fmt: skip
        if method == "POST" and path.endswith(("/notebooks", "/images")):
            body = body | {"workspace_id": self.workspace_id}
        return super().request(method, path, query, body, headers)


def seen(request: Prepared, caller: Caller) -> Outcome:
    """The outcome, and of a list whether there is anything in it."""
    answer = request.send(caller)
    if answer.status != 200 or request.operation.id not in LISTS:
        return outcome(answer)
    match request.operation.id:
        case "ExportNotebooks":
            shown = len(answer.raw.splitlines())
        case "ShowNotebookTags":
            shown = len(answer.json["tags"])
        case _:
            shown = answer.json["total"]
    return outcome(answer) if shown else (answer.status, EMPTY[1])


def is_settled(cast: Cast) -> bool:
    """Whether no image is on its way, and no action on many notebooks."""
    due = [column.name for column in schema.images.columns].index("due_at")
    end = [column.name for column in schema.bulk_actions.columns].index("end_at")
    tables = cast.stage.hosted.dump("images", "bulk_actions")
    return all(line[due] is None for line in tables["images"]) and all(
        line[end] is not None for line in tables["bulk_actions"]
    )


def kept(cast: Cast) -> dict[str, Any]:
    """What these people did and have; what the service does meanwhile is left out."""
    wait_for("images and actions to be settled", lambda: is_settled(cast), 30, 0.05)
    tables = cast.stage.hosted.dump("images", "keypairs", "workspaces", "notebooks", "audit")
    people = {caller.user_id for caller in (cast.owner, *cast.others.values())}
    actor = [column.name for column in schema.audit.columns].index("actor")
    written = [line for line in tables["audit"] if line[actor] in people]
    things: dict[str, Any] = {name: tables[name] for name in ("images", "keypairs")}
    # Who may use one is changed between requests, and no request changes that.
    told = [n for n, one in enumerate(schema.workspaces.columns) if one.name in ("no", "name", "description")]
    things["workspaces"] = [tuple(line[n] for n in told) for line in tables["workspaces"]]
    return {**things, "audit": written, "notebooks": len(tables["notebooks"])}


def test_the_table_has_every_operation() -> None:
    assert list(POLICY) == [operation.id for operation in OPERATIONS]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_no_other_method_tells_anybody_anything(cast: Cast, method: str) -> None:
    """The same for each operation and everybody: the methods of the path, without a body for HEAD."""
    ids = ("id", "instance_id", "resource_id", "storage_id", "image_id", "action_id")
    words = dict.fromkeys(ids, stage.PUBLISHED_IMAGE) | {"workspace_id": "0", "cluster_id": "c"}
    words |= {"feature": "NOTEBOOK", "pool_name": "pool-1", "keypair_name": "k"}
    for path in sorted({operation.path for operation in OPERATIONS}):
        target = path.format(project_id=cast.owner.project_id, **words)
        for name in ("owner", "chief", "intruder", "anonymous", "forger"):
            answer = cast.caller(name).request(method, target)
            assert answer.status == 405, (method, target, name)
            assert answer.headers["allow"] == ", ".join(allowed(path))
            assert answer.raw == b"" if method == "HEAD" else answer.json["error_code"] == "ModelArts.0101"


def allowed(path: str) -> list[str]:
    """The methods of a path, whatever its words are called."""
    return sorted(one.method for one in OPERATIONS if shape(one.path) == shape(path))


def shape(path: str) -> list[str]:
    return ["{}" if part.startswith("{") else part for part in path.split("/")]


def test_no_answer_lets_a_page_of_another_origin_in(cast: Cast) -> None:
    """There is no CORS: a preflight is refused like any method that is not there, and nothing is allowed."""
    asked = [("Host", "x"), ("Origin", "http://evil.example"), ("Access-Control-Request-Method", "GET")]
    answer = exchange(cast.owner.port, "OPTIONS", cast.owner.at(), asked, None)
    assert answer.status == 405
    assert [name for name in answer.headers if name.startswith("access-control-")] == []

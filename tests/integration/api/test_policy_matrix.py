"""Every operation, called by everybody who could call it: one table says what each is answered.

The table is written by hand from the contract and the docs, not from the code; an operation that is not in it
fails the test. What is asked for belongs to `owner`, a member of the project; the columns are those who ask.
`HEAD`, `OPTIONS` and other methods that no operation has, and the gateway, have tables of their own below.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from nbfleet.api.handlers import HANDLERS
from nbfleet.domain.access import Role
from nbfleet.store import identity, schema
from nbfleet.store.database import Connection
from nbfleet.wire.operations import OPERATIONS, by_id
from support import stage
from support.client import Answer, Caller, exchange
from support.service import wait_for
from support.stage import PROJECT, Stage

Outcome = tuple[int, str | None]
DONE: Outcome = (0, None)  # The status of the operation; or not available while it has no handler.
HIDDEN: Outcome = (404, "ModelArts.6404")
FORBIDDEN: Outcome = (403, "ModelArts.0108")
FOREIGN: Outcome = (403, "ModelArts.0210")
NOBODY: Outcome = (401, "ModelArts.0201")
UNSIGNED: Outcome = (401, "APIGW.0301")
BAD_TOKEN: Outcome = (401, "ModelArts.0203")
NO_PROJECT: Outcome = (401, "ModelArts.0212")
NOT_AVAILABLE: Outcome = (501, "ModelArts.6361")

# Those who cannot come in, whatever they ask for: refused before anything is looked up.
SHUT_OUT = {
    "intruder": FOREIGN,  # Administrator of another project, with this one in the path.
    "expelled": FOREIGN,  # Was a member of the project once.
    "anonymous": NOBODY,
    "forger": UNSIGNED,  # The owner's key, a secret of his own.
    "disabled": UNSIGNED,  # A member whom an administrator disabled.
    "garbled": BAD_TOKEN,  # With a token that nobody issued.
    "unscoped": NO_PROJECT,  # The owner, with a token for no project.
}


def row(
    owner: Outcome, fellow: Outcome, chief: Outcome, neighbour: Outcome, foreman: Outcome
) -> dict[str, Outcome]:
    """`fellow`: another member. `chief`: administrator. `neighbour`, `foreman`: member and administrator of
    another project, who ask there for what is here."""
    asked = {"owner": owner, "fellow": fellow, "chief": chief, "neighbour": neighbour, "foreman": foreman}
    return asked | {"by token": owner} | SHUT_OUT  # The owner shows a token in place of a signature.


OWN = row(
    DONE, HIDDEN, DONE, HIDDEN, HIDDEN
)  # A notebook: its owner and administrators; for others it is not there.
ANY = row(DONE, DONE, DONE, DONE, DONE)  # Lists and new things: each in the project that is asked.
SHARED = row(DONE, DONE, DONE, HIDDEN, HIDDEN)  # Things of the project.
EVERYWHERE = ANY  # What every project has: sizes, features, the built-in image, workspace 0.
CHIEF = row(FORBIDDEN, FORBIDDEN, DONE, FORBIDDEN, DONE)  # About a project: administrators only.
CHIEF_OWN = row(FORBIDDEN, FORBIDDEN, DONE, FORBIDDEN, HIDDEN)  # About one thing: of this project only.
PERSONAL = row(DONE, HIDDEN, HIDDEN, HIDDEN, HIDDEN)  # Key pairs: of their user, administrators included.
OPEN = dict.fromkeys(ANY, DONE)  # The request for a token is what proves who asks.
# Names no project: good credentials are enough, members of nothing included.
KNOWN = dict.fromkeys(ANY, DONE) | {
    name: SHUT_OUT[name] for name in ("anonymous", "forger", "disabled", "garbled")
}

POLICY: dict[str, dict[str, Outcome]] = {
    "ListAllNotebooks": CHIEF,
    "ListNotebooks": ANY,
    "CreateNotebook": ANY,
    "ListFlavors": EVERYWHERE,
    "ShowNotebookTags": ANY,
    "ShowNotebook": OWN,
    "UpdateNotebook": OWN,
    "DeleteNotebook": OWN,
    "StartNotebook": OWN,
    "StopNotebook": OWN,
    "CreateImage": OWN,
    "ShowSwitchableFlavors": OWN,
    "ShowLease": OWN,
    "RenewLease": OWN,
    "ListDynamicStorages": OWN,
    "AttachDynamicStorage": OWN,
    "ShowDynamicStorage": OWN,
    "DetachDynamicStorage": OWN,
    "CreateNotebookTags": OWN,
    "DeleteNotebookTags": OWN,
    "ListImage": EVERYWHERE,
    "RegisterImage": ANY,
    "ListImageGroup": ANY,
    "UpdateImageGroup": CHIEF_OWN,
    "DeleteImageGroup": CHIEF_OWN,
    "ShowImage": OWN,
    "DeleteImage": OWN,
    "SyncImage": CHIEF_OWN,
    "ListWorkspace": ANY,
    "CreateWorkspace": CHIEF,
    "ListUsers": CHIEF,
    "ShowWorkspace": SHARED,
    "UpdateWorkspace": CHIEF_OWN,
    "DeleteWorkspace": CHIEF_OWN,
    "ShowWorkspaceQuotas": SHARED,
    "UpdateWorkspaceQuotas": CHIEF_OWN,
    "ValidateAuthorization": CHIEF_OWN,
    "ListAuthoringClusters": ANY,
    "ShowCluster": SHARED,
    "ListFeatures": EVERYWHERE,
    "ListPools": ANY,
    "ShowPool": SHARED,
    "KeystoneCreateUserTokenByPassword": OPEN,
    "KeystoneListProjects": KNOWN,
    "KeystoneListAuthDomains": KNOWN,
    "CreateKeypair": ANY,
    "ListKeypairs": ANY,
    "ListKeypairDetail": PERSONAL,
    "UpdateKeypairDescription": PERSONAL,
    "DeleteKeypair": PERSONAL,
    "CountNotebooks": ANY,
    "ExportNotebooks": ANY,
    "FreezeNotebook": CHIEF_OWN,
    "UnfreezeNotebook": CHIEF_OWN,
    "ShowNotebookLog": OWN,
}
# Where the published body names somebody whom not every project has.
BODIES = {"CreateWorkspace": {"name": "workspace", "auth_type": "PUBLIC"}}
# What the contract answers to an unknown workspace.
UNKNOWN_WORKSPACE: Outcome = (400, "ModelArts.7005")


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


def outcome(answer: Answer) -> Outcome:
    return answer.status, answer.json["error_code"] if answer.status >= 400 else None


def expected(operation_id: str, name: str) -> Outcome:
    told = POLICY[operation_id][name]
    if told in (DONE, HIDDEN) and operation_id not in HANDLERS:
        return NOT_AVAILABLE
    if told == HIDDEN and "{workspace_id}" in by_id(operation_id).path:
        return UNKNOWN_WORKSPACE
    return (by_id(operation_id).status, None) if told == DONE else told


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_each_operation_for_everybody(cast: Cast, operation: Any) -> None:
    """Those who are refused come first, and leave everything as it is; each of the others finds it anew."""
    policy = POLICY[operation.id]
    refused = [name for name in policy if policy[name] != DONE]
    prepared = cast.stage.prepare(operation.id, cast.owner, BODIES.get(operation.id))
    before = kept(cast)
    got = {name: outcome(prepared.send(cast.caller(name))) for name in refused}
    assert kept(cast) == before
    for name in policy.keys() - set(refused):
        again = cast.stage.prepare(operation.id, cast.owner, BODIES.get(operation.id))
        got[name] = outcome(again.send(cast.caller(name)))
    assert got == {name: expected(operation.id, name) for name in policy}


def settled(cast: Cast) -> dict[str, Any] | None:
    """All rows, once no image is on its way."""
    tables = cast.stage.hosted.dump()
    due = [column.name for column in schema.images.columns].index("due_at")
    return tables if all(line[due] is None for line in tables["images"]) else None


def kept(cast: Cast) -> dict[str, Any]:
    """What these people did and have; what the service does meanwhile is left out."""
    tables = wait_for("images to be tried", lambda: settled(cast), 30, 0.02)
    people = {caller.user_id for caller in (cast.owner, *cast.others.values())}
    actor = [column.name for column in schema.audit.columns].index("actor")
    written = [line for line in tables["audit"] if line[actor] in people]
    things = {name: tables[name] for name in ("images", "workspaces", "keypairs")}
    return {**things, "audit": written, "notebooks": len(tables["notebooks"])}


def test_the_table_has_every_operation() -> None:
    assert list(POLICY) == [operation.id for operation in OPERATIONS]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_no_other_method_tells_anybody_anything(cast: Cast, method: str) -> None:
    """The same for each operation and everybody: the methods of the path, without a body for HEAD."""
    ids = ("id", "instance_id", "resource_id", "storage_id", "image_id")
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

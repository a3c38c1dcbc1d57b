"""What each operation answers to whom, as one table that the policy matrix runs on.

It is written by hand from the contract and the docs, not from the code. What is asked for belongs to `owner`,
a member of the project. An operation is asked by everybody who could ask; by members with roles made of
actions; and about things in a workspace that is open to some.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from support.contract import CONTRACT

Outcome = tuple[int, str | None]
DONE: Outcome = (0, None)  # The status of the operation; or not available while it has no handler.
EMPTY: Outcome = (0, "empty")  # The same, of a list that does not show what is there.
HIDDEN: Outcome = (404, "ModelArts.6404")
FORBIDDEN: Outcome = (403, "ModelArts.0108")
BEYOND: Outcome = (0, "beyond")  # FORBIDDEN because of whose it is; or not available as above.
CLOSED: Outcome = (403, "ModelArts.0112")
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
CHIEF = row(FORBIDDEN, FORBIDDEN, DONE, FORBIDDEN, DONE)  # About a project: administrators only.
CHIEF_OWN = row(FORBIDDEN, FORBIDDEN, DONE, FORBIDDEN, HIDDEN)  # About one thing: of this project only.
# Key pairs and actions on many notebooks: for their user alone, administrators included.
PERSONAL = row(DONE, HIDDEN, HIDDEN, HIDDEN, HIDDEN)
OPEN = dict.fromkeys(ANY, DONE)  # The request for a token is what proves who asks.
# Names no project: good credentials are enough, members of nothing included.
KNOWN = dict.fromkeys(ANY, DONE) | {
    name: SHUT_OUT[name] for name in ("anonymous", "forger", "disabled", "garbled")
}


@dataclass(frozen=True)
class Policy:
    """`observer` and `operator`: members whose roles have every action there is, the first without those
    that reach things of others. `granted`, `closed`: what owner, fellow and operator are answered about a
    workspace that is open to them, and one that is not; administrators come in everywhere."""

    everybody: Mapping[str, Outcome]
    observer: Outcome
    operator: Outcome
    granted: tuple[Outcome, Outcome, Outcome]
    closed: tuple[Outcome, Outcome, Outcome]
    chief: Outcome = DONE  # About a workspace.

    def roles(self, action: str | None) -> dict[str, Outcome]:
        """`sole`: the owner with a role that has this action alone. `rest`: with every other action."""
        rest = DONE if action is None else FORBIDDEN
        return {"sole": DONE, "rest": rest, "observer": self.observer, "operator": self.operator}

    def places(self) -> dict[tuple[str, str], Outcome]:
        """By how the workspace is closed, and by who asks."""
        lines = {"GRANTED": self.granted, "NOT NAMED": self.closed, "PRIVATE": self.closed}
        people = ("owner", "fellow", "operator", "chief")
        return {
            (how, name): told
            for how, line in lines.items()
            for name, told in zip(people, (*line, self.chief), strict=True)
        }


def apart(everybody: Mapping[str, Outcome], observer: Outcome = DONE, operator: Outcome = DONE) -> Policy:
    """Not about what is in a workspace: a grant changes nothing."""
    asked = (everybody["owner"], everybody["fellow"], operator)
    return Policy(everybody, observer, operator, asked, asked, everybody["chief"])


_TAKEN, _LEFT = (DONE, HIDDEN, DONE), (HIDDEN, HIDDEN, HIDDEN)
_RULED, _NO_RULE = (FORBIDDEN, FORBIDDEN, DONE), (FORBIDDEN, FORBIDDEN, HIDDEN)
_ALL, _SHUT, _NONE = (DONE, DONE, DONE), (CLOSED, CLOSED, CLOSED), (EMPTY, EMPTY, EMPTY)

LOOK = Policy(OWN, DONE, DONE, _TAKEN, _LEFT)  # At a notebook.
ACT = Policy(OWN, BEYOND, DONE, _TAKEN, _LEFT)  # On a notebook, or to see what only who acts may see.
IMAGE = Policy(OWN, HIDDEN, DONE, _TAKEN, _LEFT)
FREEZE = Policy(CHIEF_OWN, BEYOND, DONE, _RULED, _NO_RULE)
IMAGES = Policy(CHIEF_OWN, HIDDEN, DONE, _RULED, _NO_RULE)  # What is by default for administrators.
MINE = Policy(ANY, DONE, DONE, (DONE, EMPTY, EMPTY), _NONE, EMPTY)  # A list of one's own.
LIST = Policy(ANY, DONE, DONE, (DONE, EMPTY, DONE), _NONE)  # Of what the caller may see.
ALL = Policy(CHIEF, DONE, DONE, _RULED, (FORBIDDEN, FORBIDDEN, EMPTY))
WHOLE = Policy(CHIEF, DONE, DONE, _RULED, (FORBIDDEN, FORBIDDEN, FORBIDDEN))  # The sum of a project.
NEW = Policy(ANY, DONE, DONE, _ALL, _SHUT)
PLACE = Policy(SHARED, DONE, DONE, _ALL, _SHUT)
RULE = Policy(CHIEF_OWN, DONE, DONE, _RULED, (FORBIDDEN, FORBIDDEN, CLOSED))  # Over a workspace.
CHECK = Policy(CHIEF_OWN, DONE, DONE, _RULED, _RULED)  # Says itself what is closed.
EVERYWHERE = apart(ANY)  # What every project has: sizes, features, workspace 0; and lists of one's own.
COMMON, CHIEFS, KEPT = apart(SHARED), apart(CHIEF), apart(PERSONAL, HIDDEN, HIDDEN)
TOKEN, SELF = apart(OPEN), apart(KNOWN)

POLICY: dict[str, Policy] = {
    "ListAllNotebooks": ALL,
    "ListNotebooks": MINE,
    "CreateNotebook": NEW,
    "ListFlavors": EVERYWHERE,
    "ShowNotebookTags": LIST,
    "ShowNotebook": LOOK,
    "UpdateNotebook": ACT,
    "DeleteNotebook": ACT,
    "StartNotebook": ACT,
    "StopNotebook": ACT,
    "CreateImage": ACT,
    "ShowSwitchableFlavors": LOOK,
    "ShowLease": LOOK,
    "RenewLease": ACT,
    "ListDynamicStorages": LOOK,
    "AttachDynamicStorage": ACT,
    "ShowDynamicStorage": LOOK,
    "DetachDynamicStorage": ACT,
    "CreateNotebookTags": ACT,
    "DeleteNotebookTags": ACT,
    "ListImage": LIST,
    "RegisterImage": NEW,
    "ListImageGroup": LIST,
    "UpdateImageGroup": IMAGES,
    "DeleteImageGroup": IMAGES,
    "ShowImage": IMAGE,
    "DeleteImage": IMAGE,
    "SyncImage": IMAGES,
    "ListWorkspace": EVERYWHERE,
    "CreateWorkspace": CHIEFS,
    "ListUsers": CHIEFS,
    "ShowWorkspace": PLACE,
    "UpdateWorkspace": RULE,
    "DeleteWorkspace": RULE,
    "ShowWorkspaceQuotas": PLACE,
    "UpdateWorkspaceQuotas": RULE,
    "ValidateAuthorization": CHECK,
    "ListAuthoringClusters": EVERYWHERE,
    "ShowCluster": COMMON,
    "ListFeatures": EVERYWHERE,
    "ListPools": EVERYWHERE,
    "ShowPool": COMMON,
    "KeystoneCreateUserTokenByPassword": TOKEN,
    "KeystoneListProjects": SELF,
    "KeystoneListAuthDomains": SELF,
    "CreateKeypair": EVERYWHERE,
    "ListKeypairs": EVERYWHERE,
    "ListKeypairDetail": KEPT,
    "UpdateKeypairDescription": KEPT,
    "DeleteKeypair": KEPT,
    "CountNotebooks": LIST,
    "ExportNotebooks": LIST,
    "FreezeNotebook": FREEZE,
    "UnfreezeNotebook": FREEZE,
    "ShowNotebookLog": ACT,
    "ShowNotebookUsage": ACT,
    "ShowFleetHistory": WHOLE,
    "ListStoppingNotebooks": EVERYWHERE,
    "ShowCapacity": WHOLE,
    "ListNotebookEvents": LOOK,
    "PreviewNotebookAction": EVERYWHERE,  # What it says of whose is in test_bulk_actions.
    "BeginNotebookAction": EVERYWHERE,
    "ListNotebookActions": EVERYWHERE,
    "ShowNotebookAction": KEPT,
    "ListNotebookActionResults": KEPT,
    "CancelNotebookAction": KEPT,
}

# Where the contract names no action, or is not the one to say: ours.
OWN_ACTIONS: dict[str, str] = {
    "UpdateImageGroup": "modelarts:image:updateGroup",
    "DeleteImageGroup": "modelarts:image:deleteGroup",
    "SyncImage": "modelarts:image:sync",
    "ListUsers": "modelarts:workspace:listUsers",
    "ValidateAuthorization": "modelarts:workspace:validateAuthorization",
    "CountNotebooks": "modelarts:notebook:list",
    "ExportNotebooks": "modelarts:notebook:list",
    "FreezeNotebook": "nbfleet:notebook:freeze",
    "UnfreezeNotebook": "nbfleet:notebook:freeze",
    "ShowNotebookLog": "modelarts:notebook:get",
    "ShowNotebookUsage": "modelarts:notebook:get",
    "ShowFleetHistory": "modelarts:notebook:listAllNotebooks",
    "ListStoppingNotebooks": "modelarts:notebook:list",
    "ShowCapacity": "modelarts:notebook:listAllNotebooks",
    "ListNotebookEvents": "modelarts:notebook:get",
}
ACTIONS: dict[str, str | None] = {
    name: OWN_ACTIONS.get(name) or CONTRACT["operations"].get(name, {}).get("action") for name in POLICY
}
REACH = frozenset({"nbfleet:notebook:actOnAll", "nbfleet:image:actOnAll"})  # What belongs to others.
EVERY_ACTION = frozenset(action for action in ACTIONS.values() if action) | REACH

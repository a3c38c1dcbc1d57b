"""What a row of the table of fields is made of, and the site that its requests are sent to.

Sites of both runtimes have the same pools, shares and buckets, so one request suits both.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nbfleet.settings import NodeSettings, ObjectStorageSettings, PoolSettings, ShareSettings

IMAGE, WORKSPACE, POOL, MACHINE = "11111111-2222-4333-8444-555555555555", "1" * 32, "pool-fields", "big"
BUCKET, OTHER_BUCKET, KEYS, OTHER_KEYS = "obs://team-bucket/a/", "obs://team-bucket/b/", "mine", "ours"
SITE: dict[str, Any] = {
    "pools": (
        PoolSettings(
            id=POOL,
            name="Fields",
            nodes=(NodeSettings(vcpus=64, memory=262_144), NodeSettings(name=MACHINE, vcpus=8, memory=8192)),
        ),
    ),
    "shares": tuple(
        ShareSettings(name=name, root=f"/{name}", without_pool=True) for name in ("sets", "more")
    ),
    "object_storage": ObjectStorageSettings(
        endpoint="http://store:9000", access_key_file="/keys", secrets={KEYS: "/mine", OTHER_KEYS: "/ours"}
    ),
}
NO_IMAGE = "localhost/team-a/not-there:1"  # A reference to nothing.
ALICE = "{alice}"  # In a request or a result: the id of the user whose name is alice.
ABSENT = object()  # In a request: leave the field out.


class Kind(StrEnum):
    """What becomes of a value that is taken."""

    WORKS = "works"
    ECHOED = "shown again"
    PRETENDED = "pretended"
    NOTHING = "no effect"


@dataclass(frozen=True)
class Shown:
    """`place` is a path in what is shown, for a notebook below `runtime` in what it was started with."""

    place: str
    value: Any


@dataclass(frozen=True)
class Refused:
    status: int
    code: str
    message: str


Outcome = Shown | Refused


@dataclass(frozen=True)
class Probe:
    """`body` is laid over an ordinary request. It goes to a thing made with the fields `made`: a stopped
    notebook to update, an image to delete; one to register has them in its manifest.
    `local` is what the runtime local does otherwise, `bare` where the service may not mount and lacks s3fs.
    `about` tells several probes of one row apart."""

    body: dict[str, Any]
    outcome: Outcome
    about: str = ""
    local: Outcome | None = None
    bare: Outcome | None = None
    made: dict[str, Any] = field(default_factory=dict[str, Any])
    query: dict[str, Any] = field(default_factory=dict[str, Any])

    def on(self, site: str) -> Outcome:
        """On a site called simulated, local or bare."""
        changed = self.local if site == "local" else self.bare or self.local if site == "bare" else None
        return changed or self.outcome


@dataclass(frozen=True)
class Row:
    """`proof` is FILE::TEST, under tests, of the effect; rows that are only echoed or refused need none."""

    operation: str
    field: str
    kind: Kind | None
    probes: tuple[Probe, ...]
    proof: str = ""
    simulated: Kind | None = None  # Where it is another one than `kind`, which is that of the runtime local.
    note: str = ""

    def kind_on(self, site: str) -> Kind | None:
        return self.simulated or self.kind if site == "simulated" else self.kind


def wrong(field_: str, given: object, allowed: str) -> Refused:
    return Refused(400, "ModelArts.6336", f"The field {field_} is {given}; allowed: {allowed}.")


def not_here(what: str) -> Refused:
    return Refused(501, "ModelArts.6361", f"{what} is not available on this service.")


def missing(field_: str) -> Refused:
    return Refused(400, "ModelArts.6335", f"The field {field_} is missing.")


def local_cannot(name: str, because: str) -> Refused:
    message = f"The field {name} cannot be honoured: the runtime local cannot: {because}."
    return Refused(400, "ModelArts.6336", message)


def row(
    operation: str, name: str, kind: Kind | None, *probes: Probe, proof: str = "",
    simulated: Kind | None = None, note: str = "",
) -> Row:  # fmt: skip
    return Row(operation, name, kind, probes, proof, simulated, note)

"""Records for tests, complete and plain; every field can be said otherwise."""

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nbfleet.domain import lease
from nbfleet.domain.access import Caller, Role
from nbfleet.domain.notebook import Notebook, Observed, Volume, Wanted

T0 = 1_700_000_000_000  # A moment in milliseconds that tests start from.
PROJECT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OWNER = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
OTHER = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
ACCOUNT = "cccccccccccccccccccccccccccccccc"
_numbers: Iterator[int] = itertools.count(1)


def notebook_id() -> str:
    return str(uuid.UUID(int=next(_numbers), version=4))


def notebook(**fields: Any) -> Notebook:
    defaults: dict[str, Any] = {
        "id": notebook_id(),
        "project_id": PROJECT,
        "owner_id": OWNER,
        "name": "notebook",
        "description": "",
        "feature": "NOTEBOOK",
        "flavor": "modelarts.vm.cpu.1u",
        "image_id": "00000000-0000-4000-8000-000000000001",
        "workspace_id": "0",
        "pool_id": None,
        "volume": Volume("EVS", "MANAGED", 5),
        "lease": lease.opened(3_600_000, T0),
        "wanted": Wanted.RUNNING,
        "observed": Observed.NEW,
        "create_at": T0,
        "update_at": T0,
        "generation": 1,
    }
    return Notebook(**defaults | fields)


def caller(role: Role = Role.MEMBER, user_id: str = OWNER) -> Caller:
    return Caller(user_id, "somebody", PROJECT, role, ACCOUNT, "acme")


@dataclass
class Clock:
    """A clock that only moves when it is told to. Milliseconds since 1970."""

    now: int = T0

    def __call__(self) -> int:
        return self.now

    def advance(self, milliseconds: int) -> int:
        self.now += milliseconds
        return self.now

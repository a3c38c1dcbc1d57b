"""A running service, and the people who call it: made in its own database, as an administrator would."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from nbfleet.domain.access import Role
from nbfleet.services import identity
from nbfleet.services.catalogue import BUILT_IN_ID
from nbfleet.services.context import Context
from nbfleet.settings import load
from nbfleet.store import schema
from nbfleet.store.database import Connection, Database, sqlite_url
from nbfleet.store.directory import Directory
from nbfleet.store.identity import Project, User, set_role
from nbfleet.store.keyring import Keyring
from nbfleet.store.keyring import load as load_keyring
from support.http import Caller, KeyOf, Reply, TokenOf
from support.service import Service, wait_for

DATABASES = ["sqlite", "postgresql"]
FLAVOR = "modelarts.vm.cpu.1u"
FAILED = ("CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "ERROR")
PASSWORD = "a password of some length"


def now() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Place:
    """A service with its database opened a second time."""

    service: Service
    database: Database
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _callers: list[Caller] = field(default_factory=list)

    @property
    def keyring(self) -> Keyring:
        return load_keyring(self.service.data_dir / "secret.key")

    @property
    def context(self) -> Context:
        settings = load({"data_dir": str(self.service.data_dir)}, {})
        return Context(self.database, Directory(), self.keyring, settings, now, lambda: None)

    def write(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Something of `nbfleet.services.identity` that works on a connection and a context."""
        return self.database.write_now(call, self.context, *arguments)

    def new_project(self, name: str = "project") -> Project:
        return self.write(identity.add_project, f"{name}-{next(self._numbers)}")

    def new_person(self, project: Project, role: Role = Role.MEMBER, name: str = "person") -> "Person":
        unique = f"{name}-{next(self._numbers)}"
        user = self.write(identity.add_user, unique, project, role, PASSWORD)
        key = self.write(identity.add_key, user)
        return Person(self, user, project, key.access_key, key.secret_key)

    def join(self, person: "Person", project: Project, role: Role | None) -> None:
        self.database.write_now(set_role, person.user.no, project.no, role)

    def caller(self, credentials: Any, project_id: str) -> Caller:
        made = Caller(self.service, credentials, project_id)
        self._callers.append(made)
        return made

    @property
    def stranger(self) -> Caller:
        return self.caller(None, "p")

    def close(self) -> None:
        for caller in self._callers:
            caller.close()
        self.database.close()


@dataclass
class Person:
    """A user with a key, a password and, once asked for, a token."""

    place: Place
    user: User
    project: Project
    access_key: str
    secret_key: str
    _made: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> Caller:
        """Calls with signatures."""
        return self._kept("key", lambda: self._caller(KeyOf(self.access_key, self.secret_key)))

    @property
    def token(self) -> Caller:
        """Calls with a token."""
        return self._kept("token", lambda: self._caller(TokenOf(self.new_token())))

    def _caller(self, credentials: Any) -> Caller:
        return self.place.caller(credentials, self.project.id)

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def log_in(self, scope: Any = "own", **user: Any) -> Reply:
        """The answer to the request for a token."""
        who = {"name": self.user.name, "password": PASSWORD} | user
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": who}}}
        if scope is not None:
            auth["scope"] = {"project": {"id": self.project.id}} if scope == "own" else scope
        return self.place.stranger("POST", "/v3/auth/tokens", body={"auth": auth})

    def new_token(self, scope: Any = "own") -> str:
        token = self.log_in(scope).header("X-Subject-Token")
        assert token is not None
        return token

    def create(self, call: Caller | None = None, **fields: Any) -> dict[str, Any]:
        """The answer to the request for a notebook."""
        reply = (call or self.key)("POST", "notebooks", body=self.request(**fields))
        assert reply.status == 200, reply
        return reply.json

    def request(self, **fields: Any) -> dict[str, Any]:
        body = {
            "name": "notebook",
            "flavor": FLAVOR,
            "image_id": BUILT_IN_ID,
            "volume": {"category": "EVS", "ownership": "MANAGED"},
        }
        return body | fields

    def show(self, notebook_id: str) -> dict[str, Any]:
        reply = self.key("GET", f"notebooks/{notebook_id}")
        assert reply.status == 200, reply
        return reply.json

    def wait(self, notebook_id: str, status: str = "RUNNING") -> dict[str, Any]:
        """The notebook once it has this status."""

        def check() -> dict[str, Any] | None:
            found = self.show(notebook_id)
            assert found["status"] == status or found["status"] not in FAILED, found
            return found if found["status"] == status else None

        return wait_for(f"{notebook_id} to be {status}", check)

    def wait_until_gone(self, notebook_id: str) -> Reply:
        def check() -> Reply | None:
            reply = self.key("GET", f"notebooks/{notebook_id}")
            return None if reply.status == 200 else reply

        return wait_for(f"{notebook_id} to be gone", check)

    def running(self, **fields: Any) -> dict[str, Any]:
        return self.wait(self.create(**fields)["id"])

    def stopped(self, **fields: Any) -> dict[str, Any]:
        notebook_id = self.running(**fields)["id"]
        assert self.key("POST", f"notebooks/{notebook_id}/stop").status == 200
        return self.wait(notebook_id, "STOPPED")


@contextmanager
def opened(request: pytest.FixtureRequest, directory: Path, kind: str, **environment: str) -> Iterator[Place]:
    """A service on a new database of this kind."""
    data = directory / "data"
    url = "" if kind == "sqlite" else request.getfixturevalue("postgres").new_database()
    judged = {"NBFLEET_VALIDATE_ANSWERS": "true", **environment}
    service = Service(data, runtime="simulated", database_url=url, environment=judged).start()
    place = Place(service, Database(url or sqlite_url(data / "nbfleet.db")))
    try:
        yield place
    finally:
        place.close()
        service.clear_away()


OF_TIME = {"status_samples", "activity_hours", "settings"}


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of all tables but those that change with time alone."""

    def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        tables: list[Table] = [one for one in schema.metadata.sorted_tables if one.name not in OF_TIME]
        return {table.name: [tuple(row) for row in connection.execute(select(table))] for table in tables}

    return {name: sorted(rows, key=repr) for name, rows in database.read_now(read).items()}

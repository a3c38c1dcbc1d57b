"""The service behind a real socket but inside the process of the test: its clock and its machine are ours."""

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy import select

from nbfleet import first_start
from nbfleet.api.answers import Answers, Questions
from nbfleet.api.auth import Authenticator
from nbfleet.api.call import Tools
from nbfleet.api.lists import read_query
from nbfleet.api.present import Presenter
from nbfleet.console.app import whole_site
from nbfleet.domain.access import Role
from nbfleet.domain.capacity import Size
from nbfleet.domain.notebook import Ability, Step
from nbfleet.domain.usage import Usage
from nbfleet.face import Face, listen
from nbfleet.reconciler import history, trials
from nbfleet.reconciler.loop import Reconciler
from nbfleet.reconciler.mounts import Mounts
from nbfleet.reconciler.works import Works
from nbfleet.runtimes.base import InstanceRef, InstanceSpec
from nbfleet.runtimes.simulated import Behaviour, SimulatedRuntime, World
from nbfleet.services import identity
from nbfleet.services.bulk_work import Bulks
from nbfleet.services.context import Context
from nbfleet.settings import DEFAULT_FLAVORS, FlavorSettings, Settings
from nbfleet.store import keyring, migrate, notebooks, schema
from nbfleet.store.database import Connection, Database
from nbfleet.store.directory import Directory
from nbfleet.store.identity import enable_user, set_role
from nbfleet.telemetry import Metrics
from nbfleet.wire.images import Image
from support.client import Caller
from support.make import Clock
from support.people import OF_TIME

GATEWAY = "https://notebooks.example"
FAILS, HANGS, STAYS = "flavor.that.fails", "flavor.that.hangs", "flavor.that.stays"
NO_MOUNT, NO_UNMOUNT = "flavor.without.mount", "flavor.without.unmount"
PASSWORD = "correct horse"
FLAVORS = (
    *DEFAULT_FLAVORS,
    *(FlavorSettings(id=name, vcpus=1, memory=512) for name in (FAILS, HANGS, STAYS, NO_MOUNT, NO_UNMOUNT)),
)


def script(spec: InstanceSpec) -> Behaviour:
    """How an instance behaves is said by its flavor, or by the tag of its image."""
    match spec.image_path.rpartition(":")[2]:
        case "broken":
            return Behaviour(fail_at=Step.INITIALISATION, fail_reason="exited with status 1")
        case "hangs":
            return Behaviour(hang_at=Step.COMPUTE)
        case _:
            return _by_flavor(spec)


def _by_flavor(spec: InstanceSpec) -> Behaviour:
    match spec.flavor:
        case "flavor.that.fails":
            return Behaviour(fail_at=Step.COMPUTE, fail_reason="no room")
        case "flavor.that.hangs":
            return Behaviour(hang_at=Step.COMPUTE)
        case "flavor.that.stays":
            return Behaviour(delete_fail_reason="busy")
        case "flavor.without.mount":
            return Behaviour(attach_fail_reason="no such bucket")
        case "flavor.without.unmount":
            return Behaviour(detach_fail_reason="busy")
        case _:
            return Behaviour()


@dataclass
class Hosted:
    data_dir: Path
    url: str
    options: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    machine: Size | None = None
    abilities: frozenset[Ability] = SimulatedRuntime.abilities
    written: str = ""  # What every instance wrote.
    given: dict[str, InstanceSpec] = field(default_factory=dict)  # What each notebook was last started with.
    bulk_may_go_on: threading.Event = field(default_factory=threading.Event)  # Actions on many notebooks.

    def start(self) -> "Hosted":
        defaults = {"data_dir": str(self.data_dir), "flavors": FLAVORS, "validate_answers": True}
        self.settings = Settings(**{**defaults, **self.options})
        self.database = Database(self.url)
        migrate.upgrade(self.database.engine)
        self.keyring = keyring.load_or_create(self.data_dir / "secret.key")
        self._socket = listen("127.0.0.1", 0)
        self.port: int = self._socket.getsockname()[1]
        ready = threading.Event()
        self.bulk_may_go_on.set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(20)
        return self

    async def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        metrics = Metrics()
        self.runtime = SimulatedRuntime(self._script, world=World(clock=lambda: self.clock() / 1000))
        works = Works(
            self.database, self.keyring, self.runtime, self.settings, self.clock, asyncio.sleep, metrics
        )
        reconciler, mounts = Reconciler(works), Mounts(works)

        def hint() -> None:
            reconciler.hint()
            mounts.hint()

        self.context = Context(
            self.database, Directory(), self.keyring, self.settings, self.clock, hint,
            self.abilities, self.machine,
        )  # fmt: skip
        await first_start.prepare(self.context, f"http://127.0.0.1:{self.port}")

        async def log_tail(_id: str, _generation: int, _lines: int) -> str:
            return self.written

        async def usage(notebook_id: str, generation: int) -> Usage | None:
            return await self.runtime.usage(InstanceRef(notebook_id, generation))

        presenter = Presenter(self.keyring, GATEWAY, self.settings.reveal_to_admin)
        answers = Answers(self.context.database.version)
        tools = Tools(self.context, presenter, answers, Questions(), log_tail, usage)
        app, live = whole_site(tools, Authenticator(self.context), metrics, f"http://127.0.0.1:{self.port}")
        self._live = live
        self._face = Face(app, self._socket, self.settings)
        bulks = Bulks(self.context, self._rest, read_query)
        working = asyncio.gather(
            *(reconciler.run(), trials.try_images(works), mounts.run(), history.remember(works)),
            *(bulks.run(), live.run()),
        )
        serving = asyncio.create_task(self._face.run())
        ready.set()
        await serving
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    async def _rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not self.bulk_may_go_on.is_set():
            await asyncio.to_thread(self.bulk_may_go_on.wait, 60)

    def _script(self, spec: InstanceSpec) -> Behaviour:
        self.given[spec.ref.notebook_id] = spec
        return script(spec)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._live.close)
        self._face.stop()
        self._thread.join(20)
        self.database.close()

    # Who calls.

    def project(self, name: str) -> str:
        def write(connection: Connection) -> str:
            return identity.add_project(connection, self.context, name).id

        return self.database.write_now(write)

    def user(self, name: str, project: str, role: Role = Role.MEMBER) -> Caller:
        def write(connection: Connection) -> tuple[str, str, identity.NewKey]:
            where = identity.the_project(connection, project)
            user = identity.add_user(connection, self.context, name, where, role, PASSWORD)
            return where.id, user.id, identity.add_key(connection, self.context, user)

        project_id, user_id, key = self.database.write_now(write)
        return Caller(
            self.port, project_id, self.clock, key.access_key, key.secret_key, user_id=user_id, name=name
        )

    def leave(self, caller: Caller, project: str, role: Role | None = None) -> None:
        """The user has this role in the project from now on; None: it is no member any more."""

        def write(connection: Connection) -> None:
            user = identity.the_user(connection, caller.name)
            set_role(connection, user.no, identity.the_project(connection, project).no, role)

        self.database.write_now(write)

    def disable(self, caller: Caller) -> None:
        def write(connection: Connection) -> None:
            enable_user(connection, identity.the_user(connection, caller.name).no, False)

        self.database.write_now(write)

    def administrator(self) -> Caller:
        file = self.data_dir / first_start.CREDENTIALS
        own = msgspec.json.decode(file.read_bytes(), type=first_start.Credentials)
        return Caller(
            self.port, own.project_id, self.clock, own.access_key, own.secret_key,
            user_id=own.user_id, name=own.user_name,
        )  # fmt: skip

    def image(self, name: str) -> str:
        """The id of a new image."""
        made = Image(id=str(uuid4()), name=name, swr_path=f"localhost/test/{name}:1", tag="1")
        self.database.write_now(notebooks.put_image, made, self.clock.now)
        return str(made.id)

    # What is written down.

    def dump(self, *names: str) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of these tables, or of all but those that change with time alone."""

        def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
            return {
                name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
                for name, table in schema.metadata.tables.items()
                if (name in names if names else name not in OF_TIME)
            }

        return self.database.read_now(read)

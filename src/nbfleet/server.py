"""Composition root of the service: settings in, one group of tasks out.

Whatever ends the group (a signal, or a part that fails) ends all of it, in order: the faces first, then the
loops, the store last. Instances are left running: the next start finds them again.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import msgspec
import structlog
import uvloop

from nbfleet import first_start, shelf
from nbfleet.api.answers import Answers, Questions
from nbfleet.api.auth import Authenticator
from nbfleet.api.call import Tools
from nbfleet.api.lists import read_query
from nbfleet.api.present import Presenter
from nbfleet.api.protocol import OPTIONS as API_OPTIONS
from nbfleet.console.app import whole_site
from nbfleet.domain.capacity import Size, size_of
from nbfleet.domain.usage import Usage
from nbfleet.face import CannotStart, Face, check_certificate, listen
from nbfleet.gateway.app import Settings as GatewaySettings
from nbfleet.gateway.app import app as gateway_app
from nbfleet.gateway.from_store import resolver
from nbfleet.gateway.server import OPTIONS, quiet_refusals
from nbfleet.reconciler import history, sweeper, trials, watch
from nbfleet.reconciler.loop import Reconciler
from nbfleet.reconciler.mounts import Mounts
from nbfleet.reconciler.works import Works
from nbfleet.runtimes.base import InstanceRef, Runtime
from nbfleet.runtimes.local import machine as machines
from nbfleet.runtimes.local.runtime import LocalRuntime
from nbfleet.runtimes.simulated import SimulatedRuntime
from nbfleet.services import identity
from nbfleet.services.bulk_work import Bulks
from nbfleet.services.context import Context
from nbfleet.settings import DEFAULT_FLAVORS, Settings, api_url, gateway_url
from nbfleet.store import claims, keyring, migrate
from nbfleet.store.database import Busy, Database, sqlite_url
from nbfleet.store.directory import Directory
from nbfleet.store.fleet import fleet_id, is_the_key
from nbfleet.store.keyring import Keyring
from nbfleet.telemetry import Metrics, configure_logs

log = structlog.get_logger()
_PATIENCE = 10.0  # Seconds until the database has noticed that an earlier service is gone.


@contextlib.contextmanager
def only_service(database: Database) -> Generator[None, None, None]:
    """Held while a service lives, so that a second one on the same database refuses to start, wherever it
    runs: its runtime would not see the instances of this one and take them for dead."""
    try:
        with database.exclusive(_PATIENCE):
            yield
    except Busy as fault:
        raise CannotStart("A service runs already on this database; stop it first.") from fault


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where clients reach the two faces, without a slash at the end."""

    api: str
    gateway: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What both commands that serve stand on."""

    settings: Settings
    database: Database
    keyring: Keyring


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


def open_ground(settings: Settings) -> Ground:
    """Opens the data directory, the key file and the database, and brings its schema up to date."""
    directory = _own_directory(settings)
    try:
        key_file = _key_file(settings)
        keys = keyring.load_or_create(key_file)
    except OSError as fault:
        raise CannotStart(f"Cannot use the key file: {fault.strerror}.") from fault
    except keyring.UnreadableKey as fault:
        raise CannotStart(str(fault)) from fault
    try:
        database = Database(settings.database_url or sqlite_url(directory / "nbfleet.db"))
        if migrate.upgrade(database.engine):
            log.info("database made or upgraded", revision=migrate.HEAD)
    except migrate.UnknownSchema as fault:
        raise CannotStart(str(fault)) from fault
    except Exception as fault:
        cause = str(fault).splitlines()[0]
        raise CannotStart(f"Cannot use the database: {fault.__class__.__name__}: {cause}") from fault
    return Ground(settings, database, _checked(database, keys, key_file))


def _checked(database: Database, keys: Keyring, key_file: Path) -> Keyring:
    """The key that the secrets in the database are sealed with: this one, or the one that was to replace it
    when an exchange was interrupted."""
    if database.write_now(is_the_key, keys.fingerprint):
        return keys
    waiting = keyring.waiting_successor(key_file)
    if waiting is not None and database.write_now(is_the_key, waiting.fingerprint):
        log.info("the exchange of the key file is finished")
        return keyring.succeed(key_file)
    database.close()
    raise CannotStart("The key file is not the one that the secrets in the database are sealed with.")


def exchange_key(settings: Settings) -> int:
    """Replaces the key file while nothing runs; answers how many access keys were sealed anew."""
    with lock(settings):
        ground = open_ground(settings)
        try:
            with only_service(ground.database):
                path = _key_file(settings)
                change = identity.exchange_key
                sealed = ground.database.write_now(change, ground.keyring, keyring.successor(path))
                # Whoever opens the store before this is done finds the successor beside the file.
                keyring.succeed(path)
                return sealed
        finally:
            ground.database.close()


def _key_file(settings: Settings) -> Path:
    return Path(settings.key_file or Path(settings.data_dir) / "secret.key")


def _own_directory(settings: Settings) -> Path:
    """The data directory, readable by nobody else."""
    os.umask(0o077)
    directory = Path(settings.data_dir)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as fault:
        raise CannotStart(f"Cannot use the data directory {directory}: {fault.strerror}.") from fault
    return directory


def lock(settings: Settings) -> TextIO:
    """Held while a service lives, so that a second one on the same data directory refuses to start."""
    file = (_own_directory(settings) / "service.lock").open("w", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as fault:
        file.close()
        raise CannotStart(f"A service runs already on {settings.data_dir}; stop it first.") from fault
    return file


def serve(settings: Settings, announce: Callable[[str], None]) -> None:
    """Runs the service until a signal. `announce` gets what a person should read."""
    configure_logs(settings.log_level, settings.log_format)
    check_certificate(settings)
    with lock(settings):
        ground = open_ground(settings)
        try:
            with only_service(ground.database):
                uvloop.run(_serve(ground, announce))
        finally:
            ground.database.close()


def serve_gateway(settings: Settings, announce: Callable[[str], None]) -> None:
    """Runs the gateway alone, on the store of a service that may come and go."""
    configure_logs(settings.log_level, settings.log_format)
    check_certificate(settings)
    ground = open_ground(settings)
    try:
        uvloop.run(_serve_gateway(ground, announce))
    finally:
        ground.database.close()


async def _serve(ground: Ground, announce: Callable[[str], None]) -> None:
    settings, database = ground.settings, ground.database
    api_socket = listen(settings.host, settings.port)
    gateway_socket = listen(settings.host, settings.gateway_port) if settings.gateway else None
    metrics = Metrics()
    machine = _machine(settings)
    settings = fitting(settings, machine)
    runtime = _runtime(settings, await database.write(fleet_id))
    works = Works(database, ground.keyring, runtime, settings, milliseconds, asyncio.sleep, metrics)
    if database.is_sqlite:
        # The lock on the data directory says that whoever held these is gone.
        await database.write(claims.release_all)
    reconciler, mounts = Reconciler(works), Mounts(works)

    def hint() -> None:
        reconciler.hint()
        mounts.hint()

    context = Context(
        database, Directory(), ground.keyring, settings, milliseconds, hint, runtime.abilities, machine,
    )  # fmt: skip
    addresses = _addresses(settings, api_socket, gateway_socket)
    link = await first_start.prepare(context, addresses.api)
    tools = _tools(context, runtime, addresses)
    authenticator = Authenticator(context, secure=addresses.api.startswith("https:"))
    application, live = whole_site(tools, authenticator, metrics, addresses.api)
    faces = [Face(application, api_socket, settings, API_OPTIONS)]
    if gateway_socket is not None:
        faces.append(_gateway_face(ground, gateway_socket, metrics))
    announce(_greeting(settings, addresses, link))
    await _run_all(
        faces,
        [
            reconciler.run,
            mounts.run,
            lambda: watch.watch_running(works),
            lambda: watch.sweep_strays(works),
            lambda: sweeper.stop_expired(works, reconciler.hint),
            lambda: sweeper.tidy(works),
            lambda: trials.try_images(works),
            Bulks(context, asyncio.sleep, read_query).run,
            lambda: history.remember(works),
            live.run,
        ],
        live.close,
    )


async def _serve_gateway(ground: Ground, announce: Callable[[str], None]) -> None:
    settings = ground.settings
    listening = listen(settings.host, settings.gateway_port)
    announce(f"Gateway listens on {gateway_url(settings, listening.getsockname()[1])}")
    await _run_all([_gateway_face(ground, listening, Metrics())], [], lambda: None)


async def _run_all(
    faces: list[Face], loops: list[Callable[[], Coroutine[Any, Any, None]]], close: Callable[[], None]
) -> None:
    """Until a signal comes or a part fails. What would never end by itself is closed, then the faces drain;
    then the loops are cancelled."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with asyncio.TaskGroup() as group:
        serving = [group.create_task(face.run()) for face in faces]
        working = [group.create_task(loop()) for loop in loops]
        await ended.wait()
        log.info("shutting down")
        close()
        for face in faces:
            face.stop()
        await asyncio.wait(serving)
        for task in working:
            task.cancel()


def _machine(settings: Settings) -> Size | None:
    """What the machine can promise; a simulated one has no end."""
    if settings.runtime == "simulated":
        return None
    found = machines.devices(Path(settings.device_dir))
    return machines.size(found).overcommitted(settings.overcommit)


def fitting(settings: Settings, machine: Size | None) -> Settings:
    """Settings that name no flavors offer those that the machine can hold, the smallest in any case."""
    if machine is None or settings.flavors != DEFAULT_FLAVORS:
        return settings
    room = machine.overcommitted(1 / settings.overcommit)
    first, *more = DEFAULT_FLAVORS
    return msgspec.structs.replace(
        settings, flavors=(first, *(one for one in more if room.holds(size_of(one))))
    )


def _runtime(settings: Settings, fleet_id: str) -> Runtime:
    if settings.runtime == "simulated":
        return SimulatedRuntime()
    return LocalRuntime(
        Path(settings.data_dir) / "instances",
        fleet_id,
        start_timeout=settings.start_timeout * 0.9,
        images=shelf.of(settings),
        devices=machines.devices(Path(settings.device_dir)),
        shares=settings.shares,
        objects=settings.object_storage,
    )


def _addresses(settings: Settings, api: socket.socket, gateway_socket: socket.socket | None) -> Addresses:
    """Under which addresses clients reach the two faces; a port 0 in the settings is known only now."""
    gateway_port = settings.gateway_port if gateway_socket is None else gateway_socket.getsockname()[1]
    return Addresses(api_url(settings, api.getsockname()[1]), gateway_url(settings, gateway_port))


def _tools(context: Context, runtime: Runtime, addresses: Addresses) -> Tools:
    async def log_tail(notebook_id: str, generation: int, lines: int) -> str:
        return await runtime.log_tail(InstanceRef(notebook_id, generation), lines)

    async def usage(notebook_id: str, generation: int) -> Usage | None:
        return await runtime.usage(InstanceRef(notebook_id, generation))

    presenter = Presenter(context.keyring, addresses.gateway, context.settings.reveal_to_admin)
    return Tools(context, presenter, Answers(context.database.version), Questions(), log_tail, usage)


def _gateway_face(ground: Ground, listening: socket.socket, metrics: Metrics) -> Face:
    settings = ground.settings
    public = gateway_url(settings, listening.getsockname()[1])

    def count(_method: str, status: int, _seconds: float) -> None:
        metrics.count_gateway(status)

    app = gateway_app(
        resolver(ground.database, ground.keyring),
        GatewaySettings(secure=public.startswith("https:"), public_origins=frozenset({public})),
        count,
    )
    quiet_refusals()
    return Face(app, listening, settings, OPTIONS)


def _greeting(settings: Settings, addresses: Addresses, ticket: str | None) -> str:
    lines = [
        f"API      {addresses.api}",
        f"Gateway  {addresses.gateway}",
        f"Data     {settings.data_dir}",
    ]
    if ticket is not None:
        lines.append(f"Login    {addresses.api}/login?ticket={ticket}  (once, within 10 minutes)")
    return "\n".join(lines)

"""Settings: one record, filled from defaults, a TOML file, the environment and the command line.

Later sources win. A key that is not known is an error and never ignored: a misspelled limit would
otherwise be no limit. Nothing here opens anything; paths and addresses are only named.
"""

import os
import tomllib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, Struct

_CUSTOM_FLAVOR = "custom.flavor.spec.code"  # Of an instance with a size of its own; as in the domain.
PREFIX = "NBFLEET_"
Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[int, Meta(ge=1)]


class BadSettings(Exception):
    """A setting is unknown or has a value it cannot have; the text names it."""


class FlavorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A size instances can have. Memory in MiB."""

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,256}\Z")]
    vcpus: Positive
    memory: Positive
    name: str = ""
    description: str = ""
    # Devices that an instance has to itself; `accelerator` is what people call their kind.
    gpus: Annotated[int, Meta(ge=0)] = 0
    npus: Annotated[int, Meta(ge=0)] = 0
    accelerator: str = ""
    # DEFAULT is the free instance that each user may have.
    features: tuple[Literal["NOTEBOOK", "DEFAULT"], ...] = ("NOTEBOOK",)


class NodeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many machines of one size in a pool. Memory in MiB."""

    name: Annotated[str, Meta(min_length=1, max_length=64)] = "node"
    vcpus: Positive
    memory: Positive
    gpus: Annotated[int, Meta(ge=0)] = 0
    npus: Annotated[int, Meta(ge=0)] = 0
    count: Positive = 1


class PoolSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Machines set aside for the notebooks of one project. Nothing under `workspaces` or `flavors` means all,
    nothing under `project` the first one."""

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{2,61}[a-z0-9]\Z")]
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
    description: str = ""
    project: str = ""
    workspaces: list[Annotated[str, Meta(pattern=r"^(0|[0-9a-z]{32})\Z")]] = []
    flavors: list[str] = []
    nodes: Annotated[tuple[NodeSettings, ...], Meta(min_length=1)]


KeyFile = Annotated[str, Meta(pattern=r"^/[^,\0]+\Z")]


class ShareSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A directory that notebooks may mount, and everything below it. Nothing under `projects` means all."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")]
    root: Annotated[str, Meta(pattern=r"^/[^\0]*\Z")]
    id: Annotated[str, Meta(pattern=r"^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})?\Z")] = (
        ""  # Empty: made of the name, see `share_id`.
    )
    read_only: bool = False
    projects: list[str] = []
    without_pool: bool = False  # Also mounted while they run into notebooks that are in no pool.


class SecretSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of access keys that not every project may use. Nothing under `projects` means all."""

    file: KeyFile
    projects: list[str] = []


class ObjectStorageSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An S3-compatible service. Each file holds ACCESS_KEY:SECRET_KEY and is readable by nobody else;
    `secrets` are such files, or records of them, by the name that `dew_secret_name` gives."""

    endpoint: Annotated[str, Meta(pattern=r"^(https?://[^\s,/]+)?\Z")] = ""  # Empty: there is none.
    access_key_file: Annotated[str, Meta(pattern=r"^(/[^,\0]*)?\Z")] = ""
    secrets: dict[Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")], KeyFile | SecretSettings] = {}


class LeaseSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the auto-stop period in milliseconds; a laboratory may lower the minimum."""

    minimum: Positive = 3_600_000
    maximum: Positive = 259_200_000


DEFAULT_FLAVORS = (
    FlavorSettings(
        id="modelarts.vm.cpu.1u",
        vcpus=1,
        memory=2048,
        description="One core, for first steps",
        features=("NOTEBOOK", "DEFAULT"),
    ),
    FlavorSettings(id="modelarts.vm.cpu.2u", vcpus=2, memory=8192, description="Two cores, for exploration"),
    FlavorSettings(id="modelarts.vm.cpu.4u", vcpus=4, memory=16384, description="Four cores, for more"),
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an installation can decide. `docs/settings.md` explains each; a test keeps it complete."""

    data_dir: str = ""
    database_url: str = ""  # Empty: SQLite in the data directory.
    key_file: str = ""  # Empty: secret.key in the data directory.
    runtime: Literal["local", "simulated"] = "local"

    host: str = "127.0.0.1"
    port: Port = 8080
    gateway_port: Port = 8081
    gateway: bool = True  # False: `nbfleet gateway` runs apart.
    public_url: str = ""  # Empty: made of host and port.
    gateway_public_url: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    trusted_proxies: list[str] = []

    account: str = "nbfleet"
    project: str = "local"
    administrator: str = "admin"

    flavors: tuple[FlavorSettings, ...] = DEFAULT_FLAVORS  # With the runtime local: those that fit.
    device_dir: str = "/dev"  # Where the files of GPUs and NPUs are.
    overcommit: Annotated[float, Meta(ge=1)] = 4  # Of the machine's cores and memory; devices are given once.
    image_dirs: list[str] = []  # Besides images/ in the data directory; only read.
    images: Positive = 100  # Of one user.
    pools: tuple[PoolSettings, ...] = ()
    shares: tuple[ShareSettings, ...] = ()
    object_storage: ObjectStorageSettings = ObjectStorageSettings()
    keypairs: Positive = 100  # Of one user.
    workspaces: Positive = 500  # Of one project.
    lease: LeaseSettings = LeaseSettings()
    reveal_to_admin: bool = False
    signature_skew: Positive = 900  # Seconds.
    token_lifetime: Positive = 86_400  # Seconds.

    body_limit: Positive = 1_048_576  # Bytes.
    page_limit: Positive = 1000
    list_deadline: Positive = 2  # Seconds.
    long_reads: Positive = 4  # Of one caller at a time, running or waiting.
    exports: Positive = 2  # Of one caller at a time.
    start_timeout: Positive = 300  # Seconds.
    concurrent_starts: Positive = 8
    validate_answers: bool = False  # For debugging: holds every answer against the served document.
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"


def default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "nbfleet"


def load(
    overrides: Mapping[str, object],
    environment: Mapping[str, str],
    config: Path | None = None,
) -> Settings:
    """The settings in force; `overrides` are those of the command line, None where it is silent."""
    given = {name: value for name, value in overrides.items() if value is not None}
    merged = _over(_over(_from_file(config), _from_environment(environment)), given)
    merged["data_dir"] = _absolute(merged.get("data_dir"))
    try:
        settings = msgspec.convert(merged, Settings, strict=False)
    except msgspec.ValidationError as fault:
        raise BadSettings(f"Bad setting: {fault}.") from fault
    _check(settings)
    return settings


def _over(lower: dict[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Both together; where both say something `upper` wins, key by key inside sections too."""
    merged = dict(lower)
    for name, value in upper.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[name] = _over(cast(dict[str, Any], below), cast(dict[str, Any], value))
        else:
            merged[name] = value
    return merged


def _absolute(data_dir: object) -> object:
    """An empty name is no name: it would mean the directory the service happens to be started in."""
    if data_dir is not None and not isinstance(data_dir, str):
        return data_dir  # Refused with the other values of the wrong type.
    try:
        return str((Path(data_dir) if data_dir else default_data_dir()).expanduser().absolute())
    except RuntimeError as fault:
        raise BadSettings(f"data_dir cannot be {data_dir}: {fault}") from fault


def _from_file(config: Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    try:
        return tomllib.loads(config.read_text(encoding="utf-8"))
    except OSError as fault:
        raise BadSettings(f"Cannot read the configuration file {config}: {fault.strerror}.") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadSettings(f"The configuration file {config} is not TOML: {fault}.") from fault


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """NBFLEET_PORT=8080 sets `port`, NBFLEET_LEASE__MINIMUM=1000 sets `lease.minimum`."""
    found: dict[str, Any] = {}
    for variable, value in environment.items():
        if variable.startswith(PREFIX) and variable not in _NOT_SETTINGS:
            *sections, name = variable.removeprefix(PREFIX).lower().split("__")
            place = _section(found, sections, variable)
            if isinstance(place.get(name), dict):
                raise BadSettings(f"Bad setting: {variable} does not go together with {variable}__….")
            place[name] = _words(value) if name in _LISTS else value
    return found


def _section(found: dict[str, Any], sections: list[str], variable: str) -> dict[str, Any]:
    place = found
    for section in sections:
        inner: Any = place.setdefault(section, {})
        if not isinstance(inner, dict):
            whole = variable.rpartition("__")[0]
            raise BadSettings(f"Bad setting: {variable} does not go together with {whole}.")
        place = cast(dict[str, Any], inner)
    return place


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


# Read by the command line, not by the service.
_NOT_SETTINGS = frozenset(
    {"NBFLEET_CREDENTIALS", "NBFLEET_ENDPOINT", "NBFLEET_CA_FILE", "NBFLEET_CONFIG", "NBFLEET_INSTANCE"}
)
_LISTS = frozenset({"trusted_proxies", "image_dirs"})


def _check(settings: Settings) -> None:
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise BadSettings("tls_certificate and tls_key are only useful together.")
    relative = next((one for one in settings.image_dirs if not Path(one).is_absolute()), None)
    if relative is not None:
        raise BadSettings(f"image_dirs has {relative!r}, which is not an absolute path.")
    if settings.lease.minimum > settings.lease.maximum:
        raise BadSettings("lease.minimum is above lease.maximum.")
    if not settings.flavors:
        raise BadSettings("flavors is empty: no notebook could be created.")
    flavors = [flavor.id for flavor in settings.flavors]
    _check_ids("flavors", flavors)
    _check_ids("pools", [pool.id for pool in settings.pools])
    _check_ids("shares", [share_id(share) for share in settings.shares])
    names = [share.name for share in settings.shares]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadSettings(f"shares has the name {twice} twice.")
    for pool in settings.pools:
        unknown = next((one for one in pool.flavors if one not in (*flavors, _CUSTOM_FLAVOR)), None)
        if unknown is not None:
            raise BadSettings(f"The pool {pool.id} names the flavor {unknown}, which flavors does not have.")


def key_file(settings: ObjectStorageSettings, secret: str | None) -> str:
    """The file with the access keys of this name, or with the service's own; empty where there is none."""
    if secret is None:
        return settings.access_key_file
    found = settings.secrets.get(secret, "")
    return found.file if isinstance(found, SecretSettings) else found


def share_id(share: ShareSettings) -> str:
    """The id of its file system; one that is made of the name can be made by clients as well."""
    return share.id or made_share_id(share.name)


def made_share_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def _check_ids(section: str, ids: list[str]) -> None:
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise BadSettings(f"{section} has the id {twice} twice.")


def scheme(settings: Settings) -> str:
    return "https" if settings.tls_certificate else "http"


def api_url(settings: Settings, port: int) -> str:
    """Where clients reach the API; `port` is the one really listened on."""
    return settings.public_url.rstrip("/") or f"{scheme(settings)}://{_reachable(settings.host)}:{port}"


def gateway_url(settings: Settings, port: int) -> str:
    return (
        settings.gateway_public_url.rstrip("/") or f"{scheme(settings)}://{_reachable(settings.host)}:{port}"
    )


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound.
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host

"""A made-up fleet for demonstrations, benchmarks and load tests: the same seed makes the same fleet.

Like a real site it has a few people with very many notebooks, mostly stopped, most of them in no pool and in
the default workspace. Nothing is in motion and nothing runs out, so a service started on it has nothing to
do. What it claims to be running runs nowhere: it is for the simulated runtime only. Its people cannot log in.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nbfleet.domain import lease as leases
from nbfleet.domain.access import Role
from nbfleet.domain.notebook import Notebook, Observed, Volume, Wanted
from nbfleet.services.context import Context
from nbfleet.store import bulk, catalogue, identity, notebooks, schema
from nbfleet.store.bulk import References
from nbfleet.store.codes import NO_POOL
from nbfleet.store.database import Connection
from nbfleet.wire import enums
from nbfleet.wire.images import Image
from nbfleet.wire.placement import Pool

BATCH = 5_000
_YEAR = 365 * 86_400_000
_HOUR = 3_600_000
_NO_LOGIN = "scrypt:00:00"
_NOTEBOOKS_EACH = 20  # For an ordinary owner.
_HEAD = 2  # The larger, the more the first owners have.
_POOLS, _WORKSPACES = 50, 200  # At most; a small fleet has fewer.

_GIVEN = ("anna", "wei", "lars", "maria", "jun", "olga", "sam", "yuki", "ines", "omar", "lena", "tomas")
_FAMILY = ("zhang", "meyer", "silva", "novak", "tanaka", "okafor", "lind", "moreau", "rossi", "khan")
_WORDS = ("train", "vision", "speech", "data", "demo", "model", "test", "exp", "lab", "eval", "训练", "数据")
_TOPICS = (
    "",
    "",
    "Weekly report",
    "Baseline run, keep",
    "50% sample of the data",
    "Try a_b \\ c",
    "回归测试",
)
_TAGS = {
    "team": ("vision", "speech", "search", "platform"),
    "cost-centre": ("1001", "1002", "2040"),
    "stage": ("dev", "prod"),
}
_IMAGES = ("vision/pytorch:2.9", "nlp/transformers:4.60", "base/conda:25.5", "hpc/mindspore:2.7")
# Shares of all notebooks.
_GENERATED_NAME, _FEATURE_DEFAULT, _DEFAULT_WORKSPACE, _PUBLIC_POOL, _TAGGED = 0.4, 0.05, 0.8, 0.6, 0.3
# Status pairs and how many of a hundred have them.
_STATES = (
    (Wanted.STOPPED, Observed.STOPPED, 70),
    (Wanted.RUNNING, Observed.RUNNING, 15),
    (Wanted.DELETED, Observed.GONE, 7),
    (Wanted.RUNNING, Observed.ERROR, 3),
    (Wanted.RUNNING, Observed.CREATE_FAILED, 2),
    (Wanted.RUNNING, Observed.START_FAILED, 2),
    (Wanted.DELETED, Observed.DELETE_FAILED, 1),
)
_REASON = "It was not ready within 300 seconds."


class NotEmpty(Exception):
    """The store has notebooks already, which a made-up fleet would hide among its own."""


@dataclass(frozen=True, slots=True)
class _Site:
    """What the notebooks are spread over."""

    project_id: str
    owners: list[str]
    workspaces: list[str]
    pools: list[str]
    images: list[str]
    flavors: list[str]
    now: int


async def seed(context: Context, count: int, number: int, progress: Callable[[int], None]) -> str:
    """Fills the first project with `count` notebooks; answers its id. `progress` is told how many were
    written since it was told before."""
    if not await context.database.read(bulk.is_empty):
        raise NotEmpty
    site, references = await context.database.write(_prepare, context, number, count)
    made = _notebooks(_chance("notebooks", number), site, count)
    for start in range(0, count, BATCH):
        batch = [next(made) for _ in range(min(BATCH, count - start))]
        await context.database.write(bulk.add_notebooks, references, batch)
        progress(len(batch))
    await context.database.write(bulk.gather_statistics)
    return site.project_id


def _chance(what: str, number: int) -> random.Random:
    return random.Random(f"{what} {number}")  # noqa: S311 - reproducible on purpose.


def _prepare(connection: Connection, context: Context, number: int, count: int) -> tuple[_Site, References]:
    """People, workspaces, pools and images. A transaction may be repeated, so the chance begins in here."""
    chance = _chance("site", number)
    project = identity.list_projects(connection)[0]
    owners = _add_owners(connection, chance, project, max(count // _NOTEBOOKS_EACH, 3))
    workspaces = _ids(chance, min(_WORKSPACES, 2 + count // 500), "team")
    pools = _ids(chance, min(_POOLS, 2 + count // 2000), "pool")
    images = _add_images(connection, chance, context.clock())
    default = context.directory.workspace(connection, project.no, catalogue.DEFAULT_WORKSPACE)
    numbers = bulk.add_named(connection, schema.workspaces, project.no, workspaces)
    named = {f"pool-{i[:8]}": name for i, name in pools.items()}
    pool_numbers = bulk.add_named(connection, schema.pools, project.no, named)
    references = References(
        project.no,
        owners,
        {catalogue.DEFAULT_WORKSPACE: default or 0, **numbers},
        {None: NO_POOL, **pool_numbers},
        images,
        {pool_id: Pool(id=pool_id, name=name) for pool_id, name in named.items()},
    )
    flavors = [flavor.id for flavor in context.settings.flavors]
    site = _Site(
        project.id, list(owners), list(numbers), list(pool_numbers), list(images), flavors, context.clock()
    )
    return site, references


def _add_owners(
    connection: Connection, chance: random.Random, project: identity.Project, count: int
) -> dict[str, int]:
    account_id, _ = identity.list_accounts(connection)[0]
    found: dict[str, int] = {}
    for number in range(count):
        user_id = f"{chance.getrandbits(128):032x}"
        name = f"{chance.choice(_GIVEN)}.{chance.choice(_FAMILY)}-{number}"
        found[user_id] = identity.add_user(connection, user_id, name, account_id, _NO_LOGIN, 0)
        identity.set_role(connection, found[user_id], project.no, Role.MEMBER)
    return found


def _ids(chance: random.Random, count: int, word: str) -> dict[str, str]:
    return {f"{chance.getrandbits(128):032x}": f"{word}-{number}" for number in range(1, count + 1)}


def _add_images(connection: Connection, chance: random.Random, now: int) -> dict[str, tuple[int, Image]]:
    for path in _IMAGES:
        name, _, tag = path.rpartition("/")[2].partition(":")
        made = Image(
            id=_uuid(chance), name=name, tag=tag, swr_path=f"registry.local/{path}",
            type=enums.ImageType.DEDICATED, description="Made up.",
        )  # fmt: skip
        notebooks.put_image(connection, made, now)
    return catalogue.numbered_images(connection)


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _notebooks(chance: random.Random, site: _Site, count: int) -> Iterator[Notebook]:
    states = [(wanted, observed) for wanted, observed, weight in _STATES for _ in range(weight)]
    step = _YEAR / count
    for number in range(count):
        created = site.now - _YEAR + int(number * step + chance.random() * step)
        wanted, observed = chance.choice(states)
        yield _notebook(chance, site, number, created, wanted, observed)


def _notebook(
    chance: random.Random, site: _Site, number: int, created: int, wanted: Wanted, observed: Observed
) -> Notebook:
    failed = observed not in (Observed.STOPPED, Observed.RUNNING, Observed.GONE)
    lease = leases.opened(_HOUR, created)
    feature = "DEFAULT" if chance.random() < _FEATURE_DEFAULT else "NOTEBOOK"
    # What would stop or go by itself would not stay as it was made.
    if observed is Observed.RUNNING or feature == "DEFAULT":
        lease = leases.opened(leases.OFF, created)
    return Notebook(
        id=_uuid(chance),
        project_id=site.project_id,
        owner_id=site.owners[int(len(site.owners) * chance.random() ** _HEAD)],
        name=_name(chance, number),
        description=chance.choice(_TOPICS),
        feature=feature,
        flavor=chance.choice(site.flavors),
        image_id=chance.choice(site.images),
        workspace_id=catalogue.DEFAULT_WORKSPACE
        if chance.random() < _DEFAULT_WORKSPACE
        else chance.choice(site.workspaces),
        pool_id=None if chance.random() < _PUBLIC_POOL else chance.choice(site.pools),
        volume=Volume(
            *chance.choice((("EVS", "MANAGED", 5), ("EVS", "MANAGED", 50), ("EFS", "MANAGED", 50)))
        ),
        lease=lease,
        wanted=wanted,
        observed=observed,
        create_at=created,
        update_at=min(site.now, created + int(chance.expovariate(1 / (30 * 86_400_000)))),
        generation=1,
        fail_reason=_REASON if failed else None,
        ip=f"10.0.{chance.randrange(16)}.{chance.randrange(1, 255)}"
        if observed is Observed.RUNNING
        else None,
        tags=_tags(chance),
    )


def _name(chance: random.Random, number: int) -> str:
    if chance.random() < _GENERATED_NAME:
        return f"notebook-{chance.getrandbits(32):08x}"
    return f"{chance.choice(_WORDS)}-{chance.choice(_WORDS)}_{number}"


def _tags(chance: random.Random) -> tuple[tuple[str, str], ...]:
    if chance.random() >= _TAGGED:
        return ()
    keys = sorted(chance.sample(list(_TAGS), chance.randint(1, len(_TAGS))))
    return tuple((key, chance.choice(_TAGS[key])) for key in keys)

"""A project with a fleet of odd texts and equal values, written through the store beside a running service:
most of it cannot be asked for yet."""

import itertools
import random
import uuid
from dataclasses import dataclass
from typing import Any

from huaweicloudsdkmodelarts.v1 import ModelArtsClient
from sqlalchemy import insert

from nbfleet.domain import lease as leases
from nbfleet.domain.access import Role
from nbfleet.domain.lifecycle import status_of
from nbfleet.domain.listing import fold
from nbfleet.domain.notebook import Notebook, Volume
from nbfleet.store import catalogue, schema
from nbfleet.store.database import Connection
from support import fleet, records
from support.people import Person, Place, now
from support.sdk import client_of

ROWS = 120
DAY = 86_400_000
NAMES = ("train_1", "train-1", "TRAIN_1", "训练-1", "训练_2", "a", "A", "_", "-")
DESCRIPTIONS = ("", "100%", "50%_off", "a|b", "Ärger 训练", "ÄRGER", "x + y")
FLAVORS = ("modelarts.vm.cpu.1u", "modelarts.vm.cpu.2u", "ModelArts.VM.gpu_1")
POOLS = {"pool-1": "GPU-pool", "pool-2": "gpu-2"}
WORKSPACES = ("0", "a" * 32, "b" * 32)
PEOPLE = ("Anna", "anna_b", "ben")
TAGS = {"team": ("vision", "Vision", "1/2"), "stage": ("dev", "")}
IPS = ("10.0.0.1", "10.0.0.10")
PATHS = ("registry.example.org:5000/Team_a/torch:2.9", "localhost/lists/Jupyter-x:4.6")
ELSEWHERE = "e" * 32  # A workspace in which nobody looks for images.

_SEEDS = itertools.count(11)  # Ids are drawn too, and no two fleets may share any.


@dataclass(frozen=True)
class Entry:
    notebook: Notebook
    tags: dict[str, str]
    owner: str
    swr_path: str

    def sort_value(self, key: str) -> Any:
        return status_of(self.notebook).value if key == "status" else getattr(self.notebook, key)


@dataclass(frozen=True)
class Fleet:
    client: ModelArtsClient
    chief: Person
    people: dict[str, Person]
    images: dict[str, str]
    entries: list[Entry]


def filled(place: Place) -> Fleet:
    """A project of its own with 120 notebooks of three people, and an administrator who sees them."""
    project = place.new_project("lists")
    people = {name: place.new_person(project, name=name) for name in PEOPLE}
    chief = place.new_person(project, Role.ADMINISTRATOR, name="chief")
    images = {str(uuid.uuid4()): path for path in PATHS}
    entries = made_up(random.Random(next(_SEEDS)), project.id, people, images)

    def fill(connection: Connection) -> None:
        for workspace in WORKSPACES[1:]:
            values = {"project_no": project.no, "id": workspace, "name": workspace}
            connection.execute(insert(schema.workspaces).values(**values))
        for pool, name in POOLS.items():
            values = {"project_no": project.no, "id": pool, "name": name, "name_folded": fold(name)}
            connection.execute(insert(schema.pools).values(**values))
        for image_id, path in images.items():
            made = replace_workspace(fleet.image(image_id, path))
            catalogue.put_image(connection, made, fleet.NOW)
        for entry in entries:
            rid = fleet.add(connection, entry.notebook, due_at=now() + DAY)
            for key, value in entry.tags.items():
                connection.execute(insert(schema.notebook_tags).values(rid=rid, key=key, value=value))

    place.database.write_now(fill)
    return Fleet(
        client_of(place.service, chief.access_key, chief.secret_key, project.id),
        chief,
        people,
        images,
        entries,
    )


def replace_workspace(image: Any) -> Any:
    return type(image)(
        **{name: getattr(image, name) for name in image.__struct_fields__} | {"workspace_id": ELSEWHERE}
    )


def made_up(
    chance: random.Random, project_id: str, people: dict[str, Person], images: dict[str, str]
) -> list[Entry]:
    """Few different values of everything, so that many are equal; times too."""
    entries: list[Entry] = []
    for number in range(ROWS):
        owner, image_id = chance.choice(PEOPLE), chance.choice(list(images))
        wanted, observed = chance.choice(records.PAIRS)
        created = fleet.NOW + chance.randrange(15)
        notebook = fleet.notebook(
            number, id=str(uuid.UUID(int=chance.getrandbits(128), version=4)), project_id=project_id,
            owner_id=people[owner].user.id, image_id=image_id, wanted=wanted, observed=observed,
            name=chance.choice(NAMES), description=chance.choice(DESCRIPTIONS), flavor=chance.choice(FLAVORS),
            feature=chance.choice(("NOTEBOOK", "NOTEBOOK", "DEFAULT")), pool_id=chance.choice((None, *POOLS)),
            workspace_id=chance.choice(("0", *WORKSPACES)), ip=chance.choice((None, *IPS)),
            volume=Volume(chance.choice(("EVS", "EFS")), "MANAGED", 5), lease=leases.opened(-1, created),
            create_at=created, update_at=fleet.NOW + chance.randrange(15),
        )  # fmt: skip
        tags = {key: chance.choice(values) for key, values in TAGS.items() if chance.random() < 0.5}
        entries.append(Entry(notebook, tags, people[owner].user.name, images[image_id]))
    return entries

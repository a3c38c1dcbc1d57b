"""A migrated store with a small world in it: one account, projects, users, images, workspaces, pools."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, insert

from nbfleet.domain.access import Role
from nbfleet.store import catalogue, identity, migrate, schema
from nbfleet.store.database import Database
from nbfleet.store.directory import Directory
from nbfleet.store.keyring import Keyring
from nbfleet.wire import enums
from nbfleet.wire.images import Image
from support import make

FOREIGN = "f0000000000000000000000000000000"
THIRD = "dddddddddddddddddddddddddddddddd"
WORKSPACES = ("0", "1" * 32)
POOLS = {"pool-1": "First-Pool", "pool-2": "second-pool"}
IMAGES = {
    "00000000-0000-4000-8000-000000000001": "localhost/nbfleet/jupyterlab:4.6",
    "00000000-0000-4000-8000-00000000000a": "Registry.example/team_a/torch:2.1",
}
USERS = {make.OWNER: "alice", make.OTHER: "Bob_2", THIRD: "carol"}
KEY = b"zH3lGqk0m0l1kO6pS9v8w7u6t5r4q3p2o1n0m9l8k7g="


@dataclass
class Store:
    database: Database
    directory: Directory = field(default_factory=Directory)
    keyring: Keyring = field(default_factory=lambda: Keyring(KEY))

    def close(self) -> None:
        self.database.close()


def open_store(url: str) -> Store:
    database = Database(url)
    migrate.upgrade(database.engine)
    database.write_now(_populate)
    return Store(database)


def image(image_id: str) -> Image:
    path = IMAGES[image_id]
    return Image(
        id=image_id,
        name=path.rpartition("/")[2].partition(":")[0],
        swr_path=path,
        type=enums.ImageType.BUILD_IN,
        description="for tests",
        tag=path.rpartition(":")[2],
    )


def _populate(connection: Connection) -> None:
    identity.add_account(connection, make.ACCOUNT, "acme")
    numbers = [
        identity.add_project(connection, project_id, name, make.ACCOUNT, make.T0)
        for project_id, name in ((make.PROJECT, "local"), (FOREIGN, "foreign"))
    ]
    for user_id, name in USERS.items():
        user_no = identity.add_user(connection, user_id, name, make.ACCOUNT, "scrypt:00:00", make.T0)
        for number in numbers:
            identity.set_role(connection, user_no, number, Role.MEMBER)
    for number in numbers:
        connection.execute(
            insert(schema.workspaces).values(project_no=number, id=WORKSPACES[1], name="other")
        )
        for pool_id, name in POOLS.items():
            folded = name.casefold()
            values = {"project_no": number, "id": pool_id, "name": name, "name_folded": folded}
            connection.execute(insert(schema.pools).values(**values))
    for image_id in IMAGES:
        catalogue.put_image(connection, image(image_id), make.T0)

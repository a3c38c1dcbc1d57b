"""The service is killed in the middle of an action on many notebooks, and another one goes on with it."""

import asyncio
from collections import Counter
from pathlib import Path
from uuid import uuid4

from nbfleet.domain import lease as leases
from nbfleet.domain.access import Caller, Role
from nbfleet.domain.bulk import Action, Result, Wish
from nbfleet.domain.listing import Query
from nbfleet.domain.notebook import Observed, Wanted
from nbfleet.server import milliseconds
from nbfleet.services import bulk, bulk_work
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.settings import Settings
from nbfleet.store import audit, catalogue, keyring, notebooks
from nbfleet.store.database import Connection, Database, sqlite_url
from nbfleet.store.directory import Directory
from support import make
from support.service import Service, wait_for

MANY = 200


def test_an_action_goes_on_where_the_service_was_killed(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    service = Service(data_dir, runtime="simulated").start()
    database = Database(sqlite_url(data_dir / "nbfleet.db"))
    try:
        keys = keyring.load_or_create(data_dir / "secret.key")
        context = Context(database, Directory(), keys, Settings(), milliseconds, lambda: None)
        known = service.credentials
        chief = Caller(known["user_id"], known["user_name"], known["project_id"], Role.ADMINISTRATOR, "", "")
        database.write_now(fill, chief)
        wish = Wish(Action.STOP, query=Query())
        shown = asyncio.run(bulk.preview(context, chief, wish)).shown
        bulk_id = asyncio.run(bulk.begin(context, Request(chief, "request"), wish, shown))

        def counts() -> dict[Result, int]:
            return dict(asyncio.run(bulk.show(context, chief, bulk_id)).counts)

        wait_for("some to be done", lambda: counts().get(Result.DONE, 0) >= 2 * bulk_work.FEW)
        service.kill()
        cut = counts()
        assert cut == {Result.DONE: cut[Result.DONE], Result.PENDING: MANY - cut[Result.DONE]}
        assert 0 < cut[Result.PENDING] < MANY

        service.start()
        wait_for("all to be settled", lambda: Result.PENDING not in counts(), 60)
        assert counts() == {Result.DONE: MANY}
        changes = database.read_now(audit.since, 0, 10 * MANY)
        asked = Counter(one.notebook_id for one in changes if one.request_id == bulk_id)
        assert (len(asked), set(asked.values())) == (MANY, {1})
    finally:
        database.close()
        service.clear_away()


def fill(connection: Connection, owner: Caller) -> None:
    now, directory = milliseconds(), Directory()
    image_id = next(iter(catalogue.numbered_images(connection)))
    for _ in range(MANY):
        made = make.notebook(
            id=str(uuid4()), project_id=owner.project_id, owner_id=owner.user_id, image_id=image_id,
            lease=leases.opened(-1, now), wanted=Wanted.RUNNING, observed=Observed.RUNNING,
        )  # fmt: skip
        notebooks.add(connection, directory, made, due_at=now)

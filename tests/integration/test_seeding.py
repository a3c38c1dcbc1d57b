"""A made-up fleet: complete, the same for the same seed, and never poured over one that is there."""

import asyncio
from pathlib import Path

import pytest

from nbfleet import first_start, seeding
from nbfleet.domain.listing import Query
from nbfleet.server import open_ground
from nbfleet.services.context import Context
from nbfleet.settings import load
from nbfleet.store import listing
from nbfleet.store.directory import Directory
from support import fleet

COUNT = 700


def seeded(directory: Path, database_url: str) -> tuple[int, list[str]]:
    """The total and the ids of the fleet, DELETED ones left out, once its counters are known to be right."""
    ground = open_ground(load({"data_dir": str(directory), "database_url": database_url}, {}))
    clock = fleet.Clock()
    context = Context(ground.database, Directory(), ground.keyring, ground.settings, clock, lambda: None)
    told: list[int] = []

    async def fill() -> str:
        await first_start.prepare(context, "http://127.0.0.1:1")
        return await seeding.seed(context, COUNT, 7, told.append)

    try:
        project_id = asyncio.run(fill())
        with pytest.raises(seeding.NotEmpty):
            asyncio.run(seeding.seed(context, 1, 8, told.append))
        assert sum(told) == COUNT
        assert ground.database.read_now(fleet.counters) == ground.database.read_now(fleet.recount)
        everything = Query(project_id=project_id, workspace_id=None, feature=None, limit=1000)
        page = ground.database.read_now(listing.page, Directory(), everything)
        return page.total, [row.id for row in page.rows]
    finally:
        ground.database.close()


def test_the_same_seed_makes_the_same_fleet(tmp_path: Path, database_url: str) -> None:
    total, ids = seeded(tmp_path / "one", database_url)
    assert total == len(set(ids)) == len(ids)
    assert 0.85 * COUNT < total < COUNT
    assert seeded(tmp_path / "two", f"sqlite:///{tmp_path}/other.db") == (total, ids)

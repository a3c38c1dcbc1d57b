"""Mounts as rows: what is written is read, what is due is found, what is old goes."""

from dataclasses import replace

from nbfleet.domain.notebook import Observed, Volume, Wanted
from nbfleet.domain.storage import ExtraVolume, Mount, MountStatus, Source
from nbfleet.store import mounts, notebooks
from nbfleet.store.database import Connection, Database
from nbfleet.store.mounts import Due
from support import fleet

NOW = fleet.NOW
SHARED = Source("data:/a", "91dd2d3f-2d92-475f-a375-04636af26cc9", read_only=True)


def mount(number: int, notebook: int = 1, **changes: object) -> Mount:
    made = Mount(
        id=f"91dd2d3f-2d92-475f-a375-{number:012d}",
        notebook_id=fleet.notebook(notebook).id,
        category="OBSFS",
        mount_path=f"/data/{number}/",
        source=Source(f"obs://bucket/{number}/"),
        status=MountStatus.MOUNTING,
        create_at=NOW,
        update_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_what_is_written_is_read_in_the_order_of_its_making(store_url: str) -> None:
    def run(connection: Connection) -> None:
        rid, other = fleet.add(connection, fleet.running(1)), fleet.add(connection, fleet.running(2))
        made = [mount(3), mount(1, category="EFS", source=SHARED), mount(2)]
        for one in made:
            mounts.add(connection, rid, one, NOW)
        mounts.add(connection, other, mount(4, 2), NOW)
        assert mounts.of_notebook(connection, rid) == made
        assert mounts.find(connection, made[1].id) == made[1]
        assert mounts.find(connection, mount(9).id) is None

    with fleet.opened(store_url) as database:
        database.write_now(run)


def test_only_what_is_in_motion_in_a_running_notebook_is_due(store_url: str) -> None:
    def run(connection: Connection) -> None:
        running = fleet.running(1, handle=b"handle", generation=3)
        rid, stopped = fleet.add(connection, running), fleet.add(connection, fleet.stopped(2))
        starting = fleet.add(connection, fleet.notebook(3))
        mounts.add(connection, rid, mount(1), NOW + 5)
        mounts.add(connection, rid, mount(2, status=MountStatus.UNMOUNTING), NOW)
        for number, status in enumerate(
            (
                MountStatus.MOUNTED,
                MountStatus.MOUNT_FAILED,
                MountStatus.UNMOUNT_FAILED,
                MountStatus.UNMOUNTED,
            ),
            3,
        ):
            mounts.add(connection, rid, mount(number, status=status), NOW)
        mounts.add(connection, stopped, mount(7, 2), NOW)
        mounts.add(connection, starting, mount(8, 3), NOW)
        second = Due(mount(2, status=MountStatus.UNMOUNTING), 3, b"handle")
        first = Due(mount(1), 3, b"handle")
        assert mounts.due(connection, NOW - 1, 10) == []
        assert mounts.due(connection, NOW, 10) == [second]
        assert mounts.due(connection, NOW + 5, 10) == [second, first]
        assert mounts.due(connection, NOW + 5, 1) == [second]
        assert mounts.due(connection, NOW + 5, 10, [running.id]) == []
        mounts.put_off(connection, mount(2, status=MountStatus.UNMOUNTING), NOW + 9)
        assert mounts.due(connection, NOW + 5, 10) == [first]
        mounts.put_off(connection, mount(1, status=MountStatus.UNMOUNTING), NOW + 9)
        assert mounts.due(connection, NOW + 5, 10) == [first]

    with fleet.opened(store_url) as database:
        database.write_now(run)


def test_a_result_for_a_mount_that_changed_meanwhile_is_not_written(store_url: str) -> None:
    def run(connection: Connection) -> None:
        rid = fleet.add(connection, fleet.running(1))
        mounts.add(connection, rid, mount(1), NOW)
        done = mount(1, status=MountStatus.MOUNTED, update_at=NOW + 1)
        failed = mount(1, status=MountStatus.MOUNT_FAILED, update_at=NOW + 2, failure_reason="why")
        assert mounts.save(connection, mount(1), done, NOW) is True
        assert mounts.save(connection, mount(1), failed, NOW) is False
        assert mounts.of_notebook(connection, rid) == [done]
        assert mounts.save(connection, done, failed, NOW) is True
        assert mounts.of_notebook(connection, rid) == [failed]
        assert mounts.due(connection, NOW + 99, 10) == []

    with fleet.opened(store_url) as database:
        database.write_now(run)


def test_what_was_unmounted_long_ago_or_belongs_to_nobody_goes(store_url: str) -> None:
    def run(connection: Connection) -> None:
        gone = fleet.notebook(2, wanted=Wanted.DELETED, observed=Observed.GONE)
        rid, deleted = fleet.add(connection, fleet.running(1)), fleet.add(connection, gone)
        old = mount(1, status=MountStatus.UNMOUNTED)
        young = mount(2, status=MountStatus.UNMOUNTED, update_at=NOW + 5)
        for one in (old, young, mount(3)):
            mounts.add(connection, rid, one, NOW)
        mounts.add(connection, deleted, mount(4, 2, status=MountStatus.MOUNTED), NOW)
        mounts.forget(connection, NOW + 5)
        assert mounts.of_notebook(connection, rid) == [young, mount(3)]
        assert mounts.of_notebook(connection, deleted) == []

    with fleet.opened(store_url) as database:
        database.write_now(run)


def test_where_volumes_come_from_is_kept(store_url: str) -> None:
    volume = Volume("EFS", "DEDICATED", 50, source=SHARED)
    extra = (ExtraVolume("OBS", "/data/a/", Source("obs://bucket/a/", secret="mine")),)
    made = fleet.stopped(1, volume=volume)
    made = replace(made, making=replace(made.making, volumes=extra))

    def write(database: Database) -> None:
        database.write_now(fleet.add, made)
        found = database.read_now(notebooks.find, made.id)
        assert found is not None
        assert found.notebook == made

    with fleet.opened(store_url) as database:
        write(database)

"""From answers to drawings: layers, hours and groups."""

from nbfleet.console import fleet_shape
from nbfleet.console.charts import Bar, Scale
from nbfleet.console.fleet_shape import Group, Hour, Row
from nbfleet.wire.enums import NotebookStatus
from nbfleet.wire.extensions import CountNotebooksResponse, NotebookGroup
from nbfleet.wire.history import ActivityCount, FleetHistory, StatusSample

HOUR, MINUTE = 3_600_000, 60_000
NOW = 1_700_000_000_000 - 1_700_000_000_000 % HOUR + 30 * MINUTE


def counts(groups: dict[str, int], total: int | None = None, others: int = 0) -> CountNotebooksResponse:
    found = [NotebookGroup(key=key, count=count) for key, count in groups.items()]
    total = sum(groups.values()) if total is None else total
    return CountNotebooksResponse(by="status", total=total, groups=found, group_total=len(found) + others)


def history(**fields: object) -> FleetHistory:
    given = {
        "since": NOW - 2 * HOUR,
        "until": NOW,
        "step": HOUR,
        "width": HOUR,
        "samples": [],
        "activity": [],
        "reasons": [],
    }
    return FleetHistory(**given | fields)  # pyright: ignore[reportArgumentType]


def test_statuses_are_drawn_by_kind_and_what_there_is_now_comes_last() -> None:
    seen = {NotebookStatus.CREATING: 1, NotebookStatus.STOPPING: 2, NotebookStatus.ERROR: 4}
    made = fleet_shape.over_time(
        history(samples=[StatusSample(at=NOW - HOUR, counts=seen)]),
        counts({"RUNNING": 3, "CREATE_FAILED": 1, "FROZEN": 2}),
    )
    assert [(one.key, one.now, one.least, one.most) for one in made.layers] == [
        ("running", 3, 0, 3),
        ("moving", 0, 0, 3),
        ("failed", 1, 1, 4),
        ("frozen", 2, 0, 2),
        ("stopped", 0, 0, 0),
    ]
    assert [one.edge for one in made.layers] == [
        "M500 200L1000 125",
        "M500 125L1000 125",
        "M500 25L1000 100",
        "M500 25L1000 50",
        "M500 200L1000 200",
    ]
    assert (made.scale, made.still) == (Scale(0, 8, 2), Scale(0, 1, 1))
    assert made.rows == [Row(NOW, [3, 0, 1, 2, 0]), Row(NOW - HOUR, [0, 3, 4, 0, 0])]
    assert (made.hours, made.is_empty) == (2, False)
    assert made.words() == (
        "Running: 3 now, 0 to 3 before. In motion: 0 now, 0 to 3 before. "
        "Failed: 1 now, 1 to 4 before. Frozen: 2 now, 0 to 2 before."
    )


def test_one_moment_is_no_history() -> None:
    assert fleet_shape.over_time(history(), counts({"RUNNING": 3})).is_empty


def test_an_hour_has_a_bar_up_and_one_down() -> None:
    last = NOW - 30 * MINUTE
    told = [
        ("created", 1),
        ("started", 2),
        ("ready", 2),
        ("died", 1),
        ("start failed", 1),
        ("auto-stopped", 1),
    ]
    given = [ActivityCount(since=last, event=event, count=n) for event, n in told]  # pyright: ignore
    made = fleet_shape.activity(history(activity=given))
    assert made.hours == [
        Hour(last - HOUR, 0, 0, 0, 0, Bar(70, 100, 360, 0), Bar(70, 100, 360, 0)),
        Hour(last, 3, 2, 2, 1, Bar(570, 0, 360, 100), Bar(570, 100, 360, 100)),
    ]
    assert (made.started, made.ready, made.failed, made.stopped) == (3, 2, 2, 1)


def test_the_largest_groups_and_the_others() -> None:
    made = fleet_shape.groups(counts({"a": 4, "b": 1}, total=8, others=3))
    assert made.largest == [
        Group(NotebookGroup(key="a", count=4), 100),
        Group(NotebookGroup(key="b", count=1), 25),
    ]
    assert (made.others, made.other_groups) == (3, 3)


def test_a_door_leads_to_what_is_counted_everywhere() -> None:
    assert (
        fleet_shape.list_query({"status": "ERROR,FROZEN"}) == "status=ERROR,FROZEN&feature=*&workspace_id=*"
    )
    assert fleet_shape.STATUSES == {
        "running": "RUNNING",
        "moving": "INIT,CREATING,STARTING,STOPPING,DELETING,SNAPSHOTTING",
        "failed": "CREATE_FAILED,START_FAILED,DELETE_FAILED,ERROR",
        "frozen": "FROZEN",
        "stopped": "STOPPED",
    }

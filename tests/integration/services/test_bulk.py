"""Actions on many notebooks at the store: previews, what is done to whom, and what a crash leaves."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete

from nbfleet.api.lists import read_query
from nbfleet.domain import access
from nbfleet.domain.access import Role
from nbfleet.domain.bulk import Action, Reason, Result, Shown, Wish
from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import Tag
from nbfleet.domain.notebook import Notebook, Observed, Wanted
from nbfleet.services import bulk, bulk_judging, bulk_work
from nbfleet.services import notebooks as services
from nbfleet.services.bulk_work import Bulks
from nbfleet.services.context import Context
from nbfleet.services.notebooks import Request
from nbfleet.store import bulk_actions, notebooks, schema
from nbfleet.store.bulk_actions import New, Target
from nbfleet.wire import errors
from nbfleet.wire.errors import ApiError
from support import fleet
from support.bulk_site import ALL, CHIEF, MEMBER, RUNNING, Site, context_of, mixed, some
from support.rig import CutDatabase

LEFT = 20 - bulk_work.FEW  # Of twenty, after one round.


@pytest.fixture
def site(store_url: str) -> Iterator[Site]:
    with fleet.opened(store_url) as database:
        yield Site(database, context_of(database))


def test_a_preview_counts_exactly_and_names_the_first_of_each_kind(site: Site) -> None:
    made = mixed()
    site.put(*made)
    foreign = [one for one in made if one.owner_id == fleet.OTHER]
    leader = replace(MEMBER, role=Role("leader", Role.MEMBER.actions | {access.LIST_ALL}))
    for wish in (Wish(Action.STOP, query=ALL), Wish(Action.STOP, tuple(one.id for one in reversed(made)))):
        found = site.preview(leader, wish)
        assert (found.total, found.changing) == (110, 70)
        kept = [(one.reason, one.status, one.count) for one in found.kept]
        assert kept == [
            (Reason.STATE, Status.STOPPED, 20),
            (Reason.FOREIGN, Status.RUNNING, 12),
            (Reason.STATE, Status.FROZEN, 5),
            (Reason.STATE, Status.ERROR, 3),
        ]
        assert [one.id for one in found.first] == [one.id for one in reversed(made[20:70])]
        assert {one.id for one in found.kept[1].first} == {one.id for one in foreign}
    assert site.preview(CHIEF, Wish(Action.STOP, query=ALL)).changing == 82
    assert site.changes() == []


def test_many_chosen_ones_are_held_against_the_list_each(site: Site) -> None:
    made = some(bulk_judging.HELD + 10)
    site.put(*made)
    site.freeze(made[0].id)
    ids = tuple(one.id for one in made)
    found = site.preview(MEMBER, Wish(Action.STOP, ids, RUNNING))
    kept = [(one.reason, one.count, one.first[0].id) for one in found.kept]
    assert (found.total, found.changing, kept) == (len(ids), len(ids) - 1, [(Reason.LEFT, 1, ids[0])])


def test_more_than_an_action_may_take_is_refused_by_number(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put(*some(4))
    monkeypatch.setattr(bulk_judging, "MOST", 3)
    with pytest.raises(ApiError) as refusal:
        site.preview(MEMBER, Wish(Action.STOP, query=ALL))
    assert refusal.value.message == "These are 4 notebooks; one action may take 3 at most."


def test_nothing_is_begun_on_others_than_were_shown(site: Site) -> None:
    made = some(4)
    site.put(*made[:3])
    wish = Wish(Action.STOP, query=RUNNING)
    found = site.preview(MEMBER, wish)
    assert (found.changing, Shown.read(found.shown.text)) == (3, found.shown)
    # As many as before, but another one among them.
    site.put(made[3])
    site.freeze(made[0].id)
    with pytest.raises(ApiError) as refusal:
        site.begin(MEMBER, wish, found.shown)
    assert refusal.value.message == (
        "The field shown is 3 notebooks; allowed: 1 more as well, which would change by now."
    )
    assert list(asyncio.run(bulk.recent(site.context, MEMBER, 0, 10)).actions) == []
    site.freeze(made[3].id)
    bulk_id = site.begin(MEMBER, wish, found.shown)
    assert set(site.results(MEMBER, bulk_id)) == {made[1].id, made[2].id}


def test_what_is_sent_twice_is_begun_once(site: Site) -> None:
    site.put(*some(2))
    wish = Wish(Action.EXTEND, query=ALL, period=fleet.HOUR)
    shown = site.preview(MEMBER, wish).shown
    request = Request(MEMBER, "request")

    async def twice() -> list[str]:
        both = [bulk.begin(site.context, request, wish, shown, "a" * 32) for _ in range(2)]
        return await asyncio.gather(*both)

    first, second = asyncio.run(twice())
    site.carry_out()
    assert [first, first] == [second, site.begin(MEMBER, wish, shown, "a" * 32)]
    assert [one.bulk.id for one in asyncio.run(bulk.recent(site.context, MEMBER, 0, 10)).actions] == [first]
    assert site.begin(MEMBER, wish, shown, "b" * 32) != first
    assert site.begin(replace(CHIEF, user_id=fleet.OTHER), wish, shown, "a" * 32) != first
    ids = tuple(one.id for one in site.preview(MEMBER, wish).first)
    for other in (
        Wish(Action.STOP, query=ALL),
        replace(wish, period=2 * fleet.HOUR),
        replace(wish, ids=ids[:1]),
    ):
        with pytest.raises(ApiError) as refusal:
            site.begin(MEMBER, other, shown, "a" * 32)
        message = f"The field once is the word of another action; allowed: a new one: {first} has it."
        assert (refusal.value.status, refusal.value.message) == (400, message)


def test_what_changes_nothing_cannot_be_begun_for_ever(site: Site) -> None:
    site.put(*some(2))
    idle = Wish(Action.STOP, (fleet.running(9).id,))
    for _ in range(bulk.IDLE_A_MINUTE):
        site.begin(MEMBER, idle)
    with pytest.raises(ApiError) as refusal:
        site.begin(MEMBER, idle)
    message = (
        "You began 60 actions within 60 seconds; one that changes nothing has to wait. "
        "Try again in 60 seconds."
    )
    assert (refusal.value.status, refusal.value.message) == (503, message)
    site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    site.begin(replace(MEMBER, user_id=fleet.OTHER), idle)
    assert asyncio.run(bulk.recent(site.context, MEMBER, 0, 1)).total == bulk.IDLE_A_MINUTE + 1


def test_every_notebook_has_a_result_and_only_those_that_fit_are_changed(site: Site) -> None:
    made = mixed()
    site.put(*made)
    ids = [one.id for one in made]
    bulk_id = site.begin(CHIEF, Wish(Action.STOP, query=ALL))
    before = site.show(CHIEF, bulk_id)
    assert before.counts == {Result.PENDING: 82, Result.SKIPPED: 28}
    site.role(Role.ADMINISTRATOR)
    site.carry_out()
    after = site.show(CHIEF, bulk_id)
    assert after.counts == {Result.DONE: 82, Result.SKIPPED: 28}
    assert after.bulk.end_at == fleet.NOW
    expected = {
        one.id: (Result.DONE, None)
        if status_of(one) is Status.RUNNING
        else (Result.SKIPPED, Reason.STATE)
        for one in made
    }  # fmt: skip
    assert site.results(CHIEF, bulk_id) == expected
    assert Counter(site.statuses(ids)) == {
        Status.STOPPING: 82, Status.STOPPED: 20, Status.FROZEN: 5, Status.ERROR: 3,
    }  # fmt: skip
    assert Counter(event for event, _ in site.changes()) == {"stop": 82}


def test_what_leaves_the_list_meanwhile_is_left_alone(site: Site) -> None:
    made = some(6, tags=(("team", "a"),))
    site.put(*made)
    ids = [one.id for one in made]
    query = replace(RUNNING, tags=(Tag("team", "a"),), name="notebook")
    listed = site.begin(MEMBER, Wish(Action.STOP, query=query))
    named = site.begin(MEMBER, Wish(Action.EXTEND, tuple(ids), period=2 * fleet.HOUR))
    chosen = site.begin(
        MEMBER, Wish(Action.EXTEND, tuple(ids[:3]), replace(query, statuses=()), 2 * fleet.HOUR)
    )
    site.change(ids[0], lambda one: replace(one, tags=()))
    site.change(ids[1], lambda one: replace(one, name="other"))
    site.freeze(ids[2])
    site.change(ids[3], lambda one: replace(one, wanted=Wanted.DELETED, observed=Observed.GONE))
    site.carry_out()
    assert site.results(MEMBER, listed) == {
        ids[0]: (Result.SKIPPED, Reason.LEFT),
        ids[1]: (Result.SKIPPED, Reason.LEFT),
        ids[2]: (Result.SKIPPED, Reason.LEFT),
        ids[3]: (Result.SKIPPED, Reason.GONE),
        ids[4]: (Result.DONE, None),
        ids[5]: (Result.DONE, None),
    }
    assert site.results(MEMBER, chosen) == {
        ids[0]: (Result.SKIPPED, Reason.LEFT),
        ids[1]: (Result.SKIPPED, Reason.LEFT),
        ids[2]: (Result.SKIPPED, Reason.STATE),
    }
    # Ids without a query are on no list that they could leave.
    assert site.results(MEMBER, named) == {
        ids[0]: (Result.DONE, None),
        ids[1]: (Result.DONE, None),
        ids[2]: (Result.SKIPPED, Reason.STATE),
        ids[3]: (Result.SKIPPED, Reason.GONE),
        ids[4]: (Result.SKIPPED, Reason.STATE),
        ids[5]: (Result.SKIPPED, Reason.STATE),
    }


def test_chosen_ones_that_are_not_on_the_list_are_told_and_kept(site: Site) -> None:
    made = [*some(2, tags=(("team", "a"),)), fleet.running(3)]
    site.put(*made)
    ids = tuple(one.id for one in made)
    listed = replace(ALL, tags=(Tag("team", "a"),))
    found = site.preview(MEMBER, Wish(Action.STOP, ids, listed))
    assert [one.id for one in found.first] == [*ids[:2]]
    assert [(one.reason, [row.id for row in one.first]) for one in found.kept] == [(Reason.LEFT, [ids[2]])]
    single = site.preview(MEMBER, Wish(Action.STOP, ids, replace(listed, id=ids[1])))
    assert [one.id for one in single.first] == [ids[1]]


def test_a_member_reaches_nothing_of_others_whatever_they_ask(site: Site) -> None:
    mine, theirs = fleet.running(1), fleet.running(2, owner_id=fleet.OTHER)
    elsewhere = fleet.running(3, project_id=fleet.PROJECTS[1])
    site.put(mine, theirs, elsewhere)
    ids = (mine.id, theirs.id, elsewhere.id)
    with pytest.raises(ApiError) as refusal:
        site.preview(MEMBER, Wish(Action.DELETE, query=replace(ALL, owner_id=fleet.OTHER)))
    message = f"The field query.owner is {fleet.OTHER}; allowed: your own id, or no such filter at all."
    assert (refusal.value.status, refusal.value.message) == (400, message)
    for query in (ALL, replace(ALL, owner_id=fleet.OWNER), replace(ALL, id=theirs.id)):
        found = site.preview(MEMBER, Wish(Action.DELETE, query=query))
        assert {one.id for one in found.first} <= {mine.id}
        assert found.kept == []
    asked = site.preview(MEMBER, Wish(Action.DELETE, ids))
    assert [(one.reason, one.status, [(row.id, row.name) for row in one.first]) for one in asked.kept] == [
        (Reason.GONE, None, [(theirs.id, ""), (elsewhere.id, "")])
    ]
    bulk_id = site.begin(MEMBER, Wish(Action.DELETE, ids))
    site.carry_out()
    assert site.statuses(ids) == [Status.DELETING, Status.RUNNING, Status.RUNNING]
    with pytest.raises(ApiError) as refusal:
        site.show(replace(CHIEF, user_id=fleet.OTHER), bulk_id)
    assert refusal.value.status == 404


@pytest.mark.parametrize(
    "role",
    [
        None,
        Role("reader", frozenset({"modelarts:notebook:list"})),
        Role("blind", frozenset({"modelarts:notebook:stop"})),
    ],
)
def test_who_may_no_longer_do_it_does_no_more(site: Site, role: Role | None) -> None:
    made = some(20)
    site.put(*made)
    bulk_id = site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    site.carry_out(rounds=1)
    site.role(role)
    site.carry_out()
    assert site.show(MEMBER, bulk_id).counts == {
        Result.DONE: bulk_work.FEW,
        Result.SKIPPED: LEFT,
    }
    assert Counter(site.results(MEMBER, bulk_id).values()) == {
        (Result.DONE, None): bulk_work.FEW,
        (Result.SKIPPED, Reason.NOT_ALLOWED): LEFT,
    }
    assert Counter(site.statuses([one.id for one in made])) == {
        Status.STOPPING: bulk_work.FEW, Status.RUNNING: LEFT,
    }  # fmt: skip


def test_the_rest_can_be_called_off(site: Site) -> None:
    made = some(20)
    site.put(*made)
    bulk_id = site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    site.carry_out(rounds=1)
    for _ in range(2):
        asyncio.run(bulk.cancel(site.context, MEMBER, bulk_id))
    site.carry_out()
    assert site.show(MEMBER, bulk_id).counts == {
        Result.DONE: bulk_work.FEW,
        Result.CANCELLED: LEFT,
    }
    assert Counter(site.statuses([one.id for one in made])) == {
        Status.STOPPING: bulk_work.FEW, Status.RUNNING: LEFT,
    }  # fmt: skip


def test_a_refusal_of_one_is_its_result_and_holds_up_nobody(site: Site) -> None:
    full = tuple((f"key-{number:02}", "") for number in range(20))
    site.put(fleet.running(1, tags=full), fleet.running(2))
    bulk_id = site.begin(MEMBER, Wish(Action.TAG, query=ALL, tag=("team", "b")))
    site.carry_out()
    rows = asyncio.run(bulk.results(site.context, MEMBER, bulk_id, None, 0, 10)).rows
    assert {(row.result, row.reason, row.detail) for row in rows} == {
        (Result.FAILED, Reason.REFUSED, "The instance would have 21 tags; it may have at most 20."),
        (Result.DONE, None, None),
    }
    assert [event for event, _ in site.changes()] == ["tag"]


@pytest.mark.parametrize(
    ("refusal", "reason", "detail"),
    [
        (errors.forbidden(access.ACT_ON_ALL), Reason.FOREIGN, None),
        (
            errors.workspace_closed("w"),
            Reason.NOT_ALLOWED,
            "The workspace w is not open to the caller.",
        ),
    ],
)
def test_who_refuses_it_says_why(
    site: Site, monkeypatch: pytest.MonkeyPatch, refusal: ApiError, reason: Reason, detail: str | None
) -> None:
    site.put(*some(1))
    bulk_id = site.begin(MEMBER, Wish(Action.STOP, query=ALL))

    async def refused(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(services, "stop", refused)
    site.carry_out()
    (row,) = asyncio.run(bulk.results(site.context, MEMBER, bulk_id, None, 0, 10)).rows
    assert (row.result, row.reason, row.detail) == (Result.SKIPPED, reason, detail)


def test_a_fault_in_one_is_its_result_and_holds_up_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = some(3)
    site.put(*made)
    bulk_id = site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    stop = services.stop

    async def faulty(context: Context, request: Request, notebook_id: str, first: Any) -> Any:
        if notebook_id == made[1].id:
            raise LookupError("a mistake of ours")
        return await stop(context, request, notebook_id, first)

    monkeypatch.setattr(services, "stop", faulty)
    site.carry_out()
    assert site.results(MEMBER, bulk_id) == {
        made[0].id: (Result.DONE, None),
        made[1].id: (Result.FAILED, Reason.FAULT),
        made[2].id: (Result.DONE, None),
    }
    assert site.show(MEMBER, bulk_id).bulk.end_at == fleet.NOW


def test_five_at_a_time_of_one_user(site: Site) -> None:
    site.put(*some(2))
    for _ in range(bulk.AT_ONCE):
        site.begin(MEMBER, Wish(Action.EXTEND, query=ALL, period=fleet.HOUR))
    with pytest.raises(ApiError) as refusal:
        site.begin(MEMBER, Wish(Action.EXTEND, query=ALL, period=fleet.HOUR))
    assert refusal.value.status == 503
    site.begin(replace(CHIEF, user_id=fleet.OTHER), Wish(Action.EXTEND, query=ALL, period=fleet.HOUR))
    site.carry_out()
    found = asyncio.run(bulk.recent(site.context, MEMBER, 0, 10)).actions
    assert [one.counts for one in found] == [{Result.DONE: 2}] * bulk.AT_ONCE


def test_a_caller_without_the_permission_is_refused_by_its_name(site: Site) -> None:
    site.put(*some(1))
    blind = replace(MEMBER, role=Role("blind", frozenset({"modelarts:notebook:stop"})))
    reader = replace(blind, role=Role("reader", blind.role.actions | {"modelarts:notebook:list"}))
    chief = replace(blind, role=Role("leader", blind.role.actions | {access.LIST_ALL}))
    mine = (fleet.running(1).id,)
    for caller, wish in ((reader, Wish(Action.STOP, query=ALL)), (chief, Wish(Action.STOP, query=ALL)),
                         (blind, Wish(Action.STOP, mine))):  # fmt: skip
        assert site.preview(caller, wish).changing == 1
    for wish in (Wish(Action.STOP, query=ALL), Wish(Action.STOP, mine, ALL), Wish(Action.TAG, query=ALL)):
        with pytest.raises(ApiError) as refusal:
            site.preview(blind, wish)
        assert (refusal.value.status, "modelarts:notebook:list." in refusal.value.message) == (403, True)
    for action, name in (("start", "start"), ("delete", "delete"), ("extend", "updateStopPolicy")):
        with pytest.raises(ApiError) as refusal:
            site.preview(reader, Wish(Action(action), query=ALL, period=fleet.HOUR))
        assert (refusal.value.status, f"modelarts:notebook:{name}" in refusal.value.message) == (403, True)


def test_starting_extending_and_deleting_change_what_they_say(site: Site) -> None:
    site.put(fleet.stopped(1), fleet.running(2), fleet.stopped(3))
    ids = [fleet.notebook(number).id for number in (1, 2, 3)]
    site.begin(MEMBER, Wish(Action.START, (ids[0],), period=3 * fleet.HOUR))
    site.begin(MEMBER, Wish(Action.EXTEND, (ids[1],), period=5 * fleet.HOUR))
    site.begin(MEMBER, Wish(Action.DELETE, (ids[2],)))
    site.carry_out()
    assert site.statuses(ids) == [Status.STARTING, Status.RUNNING, Status.DELETING]
    found = [site.database.read_now(notebooks.find, one) for one in ids[:2]]
    assert [one and one.notebook.lease.period for one in found] == [3 * fleet.HOUR, 5 * fleet.HOUR]


@pytest.mark.parametrize("after", [False, True])
def test_an_action_that_was_cut_at_any_write_ends_with_each_done_once(store_url: str, after: bool) -> None:
    """The service dies at its k-th write, for every k there is, and another one goes on."""
    made = some(10)
    with fleet.opened(store_url) as database:
        site = Site(database, context_of(database))
        site.put(*made)
        bulk_id = site.begin(MEMBER, Wish(Action.EXTEND, query=RUNNING, period=2 * fleet.HOUR))
        for at in range(1, 12):
            cut_short(store_url, at, after)
        site.carry_out()
        assert site.results(MEMBER, bulk_id) == {one.id: (Result.DONE, None) for one in made}
        assert sorted(site.changes()) == sorted(("renew", one.id) for one in made)
        assert site.show(MEMBER, bulk_id).bulk.end_at == fleet.NOW


def cut_short(url: str, at: int, after: bool) -> None:
    database = CutDatabase(url, at, after)

    async def live() -> None:
        task = asyncio.create_task(Bulks(context_of(database), asyncio.sleep, read_query).run())
        database.cut = task.cancel
        await asyncio.wait([task], timeout=0.4)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(live())
    database.close()


def written(site: Site, wish: str, targets: list[Notebook]) -> str:
    """An action as another release wrote it."""
    new = New(str(uuid4()), MEMBER.project_id, MEMBER.user_id, Action.STOP, wish, "request")
    rows = [Target(one.id, one.name) for one in targets]
    site.database.write_now(bulk_actions.add, new, rows, fleet.NOW)
    return new.id


def test_an_action_that_cannot_be_read_holds_up_no_other(site: Site) -> None:
    made = some(6)
    site.put(*made)
    fields = '{"action":"stop","ids":[],"query":{"project_id":"","later":1},"period":null,"tag":null}'
    unknown = '{"action":"stop","query":null,"period":null,"tag":null,"except":"some"}'
    refused = '{"action":"stop","query":"status=LATER","period":null,"tag":null}'
    faulty = [written(site, one, made[:2]) for one in (fields, unknown, refused, "not JSON")]
    sound = site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    site.carry_out()
    assert site.results(MEMBER, sound) == {one.id: (Result.DONE, None) for one in made}
    for bulk_id in faulty:
        assert site.results(MEMBER, bulk_id) == {one.id: (Result.FAILED, Reason.FAULT) for one in made[:2]}
        assert site.show(MEMBER, bulk_id).bulk.end_at == fleet.NOW
    found = asyncio.run(bulk.recent(site.context, MEMBER, 0, 10)).actions
    assert [one.wish is None for one in found] == [False, True, False, True, True]


def test_all_unfinished_actions_have_their_turn(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = some(3 * bulk_work.FEW)
    site.put(*made)
    monkeypatch.setattr(bulk_work, "ACTIONS", 2)
    plain = '{"action":"stop","query":null,"period":null,"tag":null}'
    ids = [written(site, plain, made) for _ in range(4)]
    site.carry_out(rounds=2)
    pending = [site.show(MEMBER, one).counts[Result.PENDING] for one in ids]
    assert pending == [2 * bulk_work.FEW] * 4
    site.carry_out()
    assert [site.show(MEMBER, one).bulk.end_at for one in ids] == [fleet.NOW] * 4


def test_old_actions_are_forgotten(site: Site) -> None:
    site.put(*some(5))
    bulk_id = site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    site.database.write_now(bulk_actions.forget, fleet.NOW + 1)
    assert site.show(MEMBER, bulk_id).bulk.total == 5
    site.carry_out()

    def left() -> int:
        return len(site.database.read_now(bulk_actions.rows, 1, None, 0, 10))

    # Never more than a few rows at a time, and the action only with the last of them.
    steps = [(site.database.write_now(bulk_actions.forget, fleet.NOW + 1, 2), left()) for _ in range(4)]
    assert steps == [(True, 3), (True, 1), (True, 0), (False, 0)]
    assert list(asyncio.run(bulk.recent(site.context, MEMBER, 0, 10)).actions) == []


def test_the_rows_of_what_has_ended_are_not_counted_again(site: Site) -> None:
    site.put(*some(3), fleet.stopped(4))
    bulk_id = site.begin(MEMBER, Wish(Action.STOP, query=ALL))
    site.carry_out()
    expected = {Result.DONE: 3, Result.SKIPPED: 1}
    assert site.show(MEMBER, bulk_id).counts == expected
    site.database.write_now(lambda connection: connection.execute(delete(schema.bulk_rows)) and None)
    assert site.show(MEMBER, bulk_id).counts == expected


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (Wish(Action.STOP), "The field ids is missing."),
        (Wish(Action.EXTEND, ("0" * 8 + "-0000-0000-0000-" + "0" * 12,)), "The field duration is missing."),
        (Wish(Action.TAG, query=ALL), "The field tag is missing."),
        (Wish(Action.TAG, query=ALL, tag=("", "b")), "The field tag.key is missing."),
        (
            Wish(Action.STOP, query=ALL, tag=("a", "")),
            "The field tag is a; allowed: nothing: the action tag only.",
        ),
        (
            Wish(Action.DELETE, query=ALL, period=fleet.HOUR),
            "The field duration is 3600000; allowed: nothing: start and extend only.",
        ),
        (Wish(Action.STOP, ("a\0b",)), "The field ids[0] is a\\x00b; allowed: a UUID."),
        (Wish(Action.STOP, ("0" * 37,)), f"The field ids[0] is {'0' * 37}; allowed: a UUID."),
    ],
)
def test_a_wish_that_lacks_something_is_refused_by_name(site: Site, wish: Wish, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        site.preview(MEMBER, wish)
    assert refusal.value.message == message


@pytest.mark.parametrize("bulk_id", ["a\0b", "0" * 37])
def test_an_action_with_an_id_of_no_form_is_not_there(site: Site, bulk_id: str) -> None:
    with pytest.raises(ApiError) as refusal:
        site.show(MEMBER, bulk_id)
    assert refusal.value.status == 404

"""What really became of the notebooks of an action: how those that it changed stand by now.

"Done" says that a wish is recorded. Whether the notebook has stopped, or why it has not yet, is looked up
each time somebody asks, and told of those notebooks only that the caller may see at that moment.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.domain.bulk import Result, changes_status
from nbfleet.domain.lifecycle import FAILED, IN_MOTION, Status
from nbfleet.services import permits
from nbfleet.store import bulk_outcomes as store
from nbfleet.store.bulk_actions import Bulk, Row, rows_at
from nbfleet.store.bulk_outcomes import Group, Standing
from nbfleet.store.database import Connection


def counts(connection: Connection, caller: Caller, action: Bulk) -> Mapping[Status, int]:
    """How many of them have which status by now, the most frequent first; nothing for an action that leaves
    the status as it is."""
    found: Counter[Status] = Counter()
    if _is_told(caller, action):
        for group in store.groups(connection, action.no):
            if _sees(caller, group):
                found[group.status] += group.count
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def rows(
    connection: Connection, caller: Caller, action: Bulk, status: Status, offset: int, limit: int
) -> tuple[int, Sequence[Row]]:
    """How many have this status by now, and a page of them in the order of the action."""
    if not _is_told(caller, action):
        return 0, ()
    found = store.with_status(connection, action.no, status)
    places = [place for place, one in found if _sees(caller, one)]
    return len(places), rows_at(connection, action.no, places[offset : offset + limit])


def told(connection: Connection, caller: Caller, action: Bulk, found: Sequence[Row]) -> Sequence[Row]:
    """The rows, with how their notebooks stand by now and why not otherwise."""
    if not _is_told(caller, action):
        return found
    changed = [row.notebook_id for row in found if row.result is Result.DONE]
    seen = {one.id: one for one in store.standings(connection, changed) if _sees(caller, one)}
    causes = _causes(connection, list(seen.values()))

    def completed(row: Row) -> Row:
        one = seen.get(row.notebook_id)
        return row if one is None else replace(row, status=one.status, cause=causes.get(one.id))

    return [completed(row) for row in found]


def _causes(connection: Connection, seen: Sequence[Standing]) -> Mapping[str, str]:
    failed = {one.rid: one.id for one in seen if one.status in FAILED}
    reasons = store.fail_reasons(connection, list(failed))
    in_motion = [one.id for one in seen if one.status in IN_MOTION]
    return {failed[rid]: why for rid, why in reasons.items()} | store.failed_tries(connection, in_motion)


def _is_told(caller: Caller, action: Bulk) -> bool:
    """Whether the action changes the status of notebooks, and the caller may look at one of them."""
    return changes_status(action.action) and permits.lacking(caller, "ShowNotebook") is None


def _sees(caller: Caller, one: Group | Standing) -> bool:
    return access.sees(caller, one.owner_id, one.workspace_id)

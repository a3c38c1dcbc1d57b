"""The calls about actions on many notebooks. They translate; `services.bulk` decides and counts."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from msgspec import UNSET, UnsetType

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.api.lists import read_query
from nbfleet.domain.bulk import Action, Result, Shown, Wish
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import Query, page_numbers, spelled
from nbfleet.services import bulk
from nbfleet.services.bulk import Preview, Progress
from nbfleet.services.bulk_judging import Judged, Kind
from nbfleet.services.requests import given
from nbfleet.store.bulk_actions import Row
from nbfleet.wire import errors
from nbfleet.wire.bulk import (
    ActionCounts,
    JudgedNotebook,
    KeptNotebooks,
    ListNotebookActionResultsResponse,
    ListNotebookActionsResponse,
    NotebookAction,
    NotebookActionPreview,
    NotebookActionRequest,
    NotebookActionResult,
)
from nbfleet.wire.enums import NotebookStatus
from nbfleet.wire.parameters import LISTING
from nbfleet.wire.tags import TmsTagResponse

_LIMIT = 100
_FILTERS = tuple(one.name for one in LISTING if one.location == "query")


async def preview_notebook_action(tools: Tools, call: Call) -> Answer:
    return Answer(_preview(await bulk.preview(tools.context, call.caller, _wish(tools, call.body))))


async def begin_notebook_action(tools: Tools, call: Call) -> Answer:
    wish, shown, once = _wish(tools, call.body), _shown(call.body.shown), call.body.once
    known = None if once is UNSET else once
    action_id = await bulk.begin(tools.context, call.request, wish, shown, known)
    return await _told(tools, call, action_id)


async def list_notebook_actions(tools: Tools, call: Call) -> Answer:
    limit, offset = call.query.get("limit", _LIMIT), call.query.get("offset", 0)
    found = await bulk.recent(tools.context, call.caller, offset, limit)
    data = [_action(one) for one in found.actions]
    return Answer(ListNotebookActionsResponse(data=data, **_numbers(found.total, limit, offset)))


async def show_notebook_action(tools: Tools, call: Call) -> Answer:
    return await _told(tools, call, call.path["action_id"])


async def list_notebook_action_results(tools: Tools, call: Call) -> Answer:
    limit, offset = call.query.get("limit", _LIMIT), call.query.get("offset", 0)
    asked = call.query.get("result")
    result = None if asked is None else Result(asked)
    status = None if "status" not in call.query else Status(call.query["status"].value)
    found = await bulk.results(
        tools.context, call.caller, call.path["action_id"], result, offset, limit, status
    )
    data = [_result(one) for one in found.rows]
    return Answer(ListNotebookActionResultsResponse(data=data, **_numbers(found.total, limit, offset)))


async def cancel_notebook_action(tools: Tools, call: Call) -> Answer:
    await bulk.cancel(tools.context, call.caller, call.path["action_id"])
    return await _told(tools, call, call.path["action_id"])


async def _told(tools: Tools, call: Call, action_id: str) -> Answer:
    found = await bulk.show(tools.context, call.caller, action_id)
    now = {NotebookStatus(status.value): count for status, count in found.now.items()}
    return Answer(msgspec.structs.replace(_action(found), now=now, in_motion=found.in_motion))


def _numbers(total: int, limit: int, offset: int) -> dict[str, Any]:
    """Envelope fields of a page."""
    numbers = page_numbers(total, limit, offset)
    return {"current": numbers.current, "pages": numbers.pages, "size": numbers.size, "total": total}


# What is asked for.


def _wish(tools: Tools, body: NotebookActionRequest) -> Wish:
    return Wish(
        Action(body.action),
        tuple(given(body.ids, [])),
        None if isinstance(body.query, UnsetType) else _query(tools, body.query),
        None if isinstance(body.duration, UnsetType) else body.duration,
        None if isinstance(body.tag, UnsetType) else (body.tag.key, given(body.tag.value, "")),
    )


def _query(tools: Tools, asked: Mapping[str, str | int]) -> Query:
    """The list passes over parameters that it does not know or that are empty; here that would be an action
    on more."""
    unknown = next((name for name in asked if name not in _FILTERS), None)
    if unknown is not None:
        raise errors.wrong_value(f"query.{errors.shown(unknown)}", "unknown", _FILTERS)
    empty = next((name for name, value in asked.items() if value == ""), None)
    if empty is not None:
        raise errors.wrong_value(f"query.{empty}", "empty", "a value, or no such filter at all")
    return read_query(urlencode(asked), tools.context.settings.page_limit)


def _shown(text: str | UnsetType) -> Shown | None:
    if isinstance(text, UnsetType):
        return None
    try:
        return Shown.read(text)
    except ValueError as fault:
        raise errors.wrong_value("shown", text, "what a preview answered") from fault


# What is told.


def _wished(
    action: Action, query: dict[str, str] | None, period: int | None, tag: tuple[str, str] | None
) -> dict[str, Any]:
    return {
        "action": action.value,
        "query": UNSET if query is None else query,
        "duration": UNSET if period is None else period,
        "tag": UNSET if tag is None else TmsTagResponse(key=tag[0], value=tag[1]),
    }


def _preview(found: Preview) -> NotebookActionPreview:
    wish = found.wish
    return NotebookActionPreview(
        **_wished(wish.action, None if wish.query is None else spelled(wish.query), wish.period, wish.tag),
        total=found.total,
        changing=found.changing,
        first=[_judged(one) for one in found.first],
        kept=[_kept(one) for one in found.kept],
        shown=found.shown.text,
    )


def _judged(one: Judged) -> JudgedNotebook:
    status = UNSET if one.status is None else NotebookStatus(one.status.value)
    return JudgedNotebook(id=one.id, name=one.name, status=status)


def _kept(kind: Kind) -> KeptNotebooks:
    return KeptNotebooks(
        reason=kind.reason.value,
        status=UNSET if kind.status is None else NotebookStatus(kind.status.value),
        count=kind.count,
        first=[_judged(one) for one in kind.first],
    )


def _action(found: Progress) -> NotebookAction:
    action, wish = found.bulk, found.wish
    known = (None, None, None) if wish is None else (_parameters(wish.query), wish.period, wish.tag)
    return NotebookAction(
        **_wished(action.action, *known),
        id=action.id,
        total=action.total,
        settled=found.settled,
        counts=ActionCounts(**{one.value: found.counts.get(one, 0) for one in Result}),
        create_at=action.create_at,
        end_at=UNSET if action.end_at is None else action.end_at,
        cancel_at=UNSET if action.cancel_at is None else action.cancel_at,
    )


def _parameters(query: str | None) -> dict[str, str] | None:
    return None if query is None else dict(parse_qsl(query, keep_blank_values=True))


def _result(row: Row) -> NotebookActionResult:
    return NotebookActionResult(
        notebook_id=row.notebook_id,
        name=row.name,
        result=row.result.value,
        reason=UNSET if row.reason is None else row.reason.value,
        detail=UNSET if row.detail is None else row.detail,
        at=UNSET if row.at is None else row.at,
        status=UNSET if row.status is None else NotebookStatus(row.status.value),
        cause=UNSET if row.cause is None else row.cause,
    )


HANDLERS: dict[str, Handler] = {
    "PreviewNotebookAction": preview_notebook_action,
    "BeginNotebookAction": begin_notebook_action,
    "ListNotebookActions": list_notebook_actions,
    "ShowNotebookAction": show_notebook_action,
    "ListNotebookActionResults": list_notebook_action_results,
    "CancelNotebookAction": cancel_notebook_action,
}

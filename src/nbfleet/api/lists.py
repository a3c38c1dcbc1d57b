"""The handlers of everything that looks at many notebooks: the two lists, counts and exports.

They translate between decoded values and service functions, and decide nothing.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from nbfleet.api import bind, export
from nbfleet.api.call import Answer, Call, Handler, Pieces, Tools
from nbfleet.domain.access import Scope
from nbfleet.domain.lifecycle import Status
from nbfleet.domain.listing import (
    SORT_SPELLINGS,
    Billing,
    Query,
    Tag,
    UnknownSortKey,
    Window,
    parse_sort,
    parse_tags,
)
from nbfleet.services import lists
from nbfleet.services.lists import Question
from nbfleet.store.counting import By
from nbfleet.wire import errors
from nbfleet.wire.extensions import MEDIA_TYPES, CountNotebooksResponse, NotebookGroup
from nbfleet.wire.operations import by_id

_ANY = "*"
_EXACT = ("id", "image_id", "pool_id", "ip")
_FUZZY = ("name", "flavor", "description", "swr_path", "pool_name", "username")
_LIST_LIMIT = 10
_GROUP_LIMIT = 100
_TAGS = 20
_REMEMBERED = 1024  # Bytes of the longest question whose answer is kept.


def fleet_query(values: Mapping[str, Any]) -> Query:
    """The list asked for. Of the two spellings of the workspace the older one wins."""
    workspace = values.get("workspaceId", values.get("workspace_id", "0"))
    feature = values.get("feature", "NOTEBOOK")
    sort, billing = values.get("sort_key"), values.get("billing")
    return Query(
        owner_id=values.get("owner"),
        feature=None if feature == _ANY else str(feature),
        workspace_id=None if workspace == _ANY else workspace,
        statuses=tuple(Status(one.value) for one in values.get("status", ())),
        created=Window(values.get("created_since"), values.get("created_until")),
        updated=Window(values.get("updated_since"), values.get("updated_until")),
        billing=None if billing is None else Billing(billing.value),
        tags=_tags(values.get("tags")),
        sort=_sort(sort) if sort else Query().sort,
        descending=values.get("sort_dir", "DESC") == "DESC",
        offset=values.get("offset", 0),
        limit=values.get("limit", _LIST_LIMIT),
        **_texts(values),
    )


def read_query(text: str, page_limit: int = _LIST_LIMIT) -> Query:
    """The list that a query string of ListAllNotebooks asks for; raises ApiError for what it refuses."""
    raw = text.removeprefix("?").encode("ascii", "replace")
    return fleet_query(bind.query(by_id("ListAllNotebooks"), raw, page_limit))


def _tags(text: str | None) -> tuple[Tag, ...]:
    tags = parse_tags(text) if text else ()
    if len(tags) > _TAGS:
        raise errors.invalid_query("tags", f"{len(tags)} tags", f"at most {_TAGS}, as an instance can have")
    return tags


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) for name in (*_EXACT, *_FUZZY)}


def _sort(text: str) -> Any:
    try:
        return parse_sort(text)
    except UnknownSortKey as fault:
        raise errors.unknown_sort_key(fault.given, SORT_SPELLINGS) from fault


async def _list(tools: Tools, call: Call, scope: Scope) -> Answer:
    if len(call.raw_query) > _REMEMBERED or call.query.get("marker"):
        # A step of a walk is asked for once, and what is that long would fill the memory of others.
        return Answer(await _made(tools, call, _asked(call, scope)))
    key, version = (call.caller, scope, call.raw_query), tools.answers.version()
    body = tools.answers.get(key, version)
    if body is None:
        question = tools.questions.get(key)
        if question is None:
            question = _asked(call, scope)
            tools.questions.keep(key, question)
        body = await _made(tools, call, question)
        tools.answers.keep(key, version, body)
    return Answer(body)


def _asked(call: Call, scope: Scope) -> Question:
    return lists.ask(call.caller, fleet_query(call.query), scope, call.query.get("marker"))


async def _made(tools: Tools, call: Call, question: Question) -> bytes:
    listed = await lists.answer(tools.context, question)
    return tools.presenter.page(call.caller, listed, question.query.limit, question.query.offset)


async def list_all_notebooks(tools: Tools, call: Call) -> Answer:
    return await _list(tools, call, Scope.ALL)


async def list_notebooks(tools: Tools, call: Call) -> Answer:
    return await _list(tools, call, Scope.OWN)


async def count_notebooks(tools: Tools, call: Call) -> Answer:
    by, limit = call.query.get("by", "status"), call.query.get("limit", _GROUP_LIMIT)
    counts = await lists.count(tools.context, call.caller, _anywhere(call.query), By(by), limit)
    groups = [
        NotebookGroup(key=one.key, name=UNSET if one.name is None else one.name, count=one.count)
        for one in counts.groups
    ]
    return Answer(
        CountNotebooksResponse(by=by, total=counts.total, groups=groups, group_total=counts.group_total)
    )


async def export_notebooks(tools: Tools, call: Call) -> Answer:
    form, caller = call.query.get("format", "ndjson"), call.caller
    encode = export.table() if form == "csv" else export.ndjson(tools.presenter.exported(caller))
    pieces = lists.export(tools.context, caller, _anywhere(call.query), encode)
    headers = {
        "Content-Type": MEDIA_TYPES[form],
        "Content-Disposition": f'attachment; filename="notebooks.{form}"',
    }
    return Answer(Pieces(await anext(pieces, b""), pieces), headers)


def _anywhere(values: Mapping[str, Any]) -> Query:
    """Operations of our own look at every kind and workspace unless one is named."""
    if "workspaceId" not in values:
        values = {"workspace_id": _ANY, **values}
    return fleet_query({"feature": _ANY, **values, "limit": _LIST_LIMIT})


HANDLERS: dict[str, Handler] = {
    "ListAllNotebooks": list_all_notebooks,
    "ListNotebooks": list_notebooks,
    "CountNotebooks": count_notebooks,
    "ExportNotebooks": export_notebooks,
}

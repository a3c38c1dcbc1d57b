"""The calls about one notebook: create, show, change, start, stop, delete, lease, log, usage and events."""

from msgspec import UNSET

from nbfleet.api.call import Answer, Call, Handler, Tools
from nbfleet.services import events, notebooks, usage
from nbfleet.services.requests import requested_period
from nbfleet.store.audit import Told
from nbfleet.store.documents import lease_view
from nbfleet.wire import errors
from nbfleet.wire.extensions import ListNotebookEventsResponse, NotebookEvent, NotebookLog, NotebookUsage

_LOG_LINES = 200
_EVENTS = 50
_MIB = 1024 * 1024


async def create_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.create(tools.context, call.request, call.body, call.idempotency_key)
    return Answer(tools.presenter.single(call.caller, shown))


async def show_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.show(tools.context, call.caller, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown, tools.context.clock()))


async def update_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.update(tools.context, call.request, call.path["id"], call.body)
    return Answer(tools.presenter.single(call.caller, shown))


async def start_notebook(tools: Tools, call: Call) -> Answer:
    query = call.query
    period = requested_period(tools.context.lease_range, query.get("duration"), query.get("type"), None)
    shown = await notebooks.start(tools.context, call.request, call.path["id"], period)
    return Answer(tools.presenter.single(call.caller, shown))


async def stop_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.stop(tools.context, call.request, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown))


async def delete_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.delete(tools.context, call.request, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown))


async def freeze_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.freeze(tools.context, call.request, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown))


async def unfreeze_notebook(tools: Tools, call: Call) -> Answer:
    shown = await notebooks.unfreeze(tools.context, call.request, call.path["id"])
    return Answer(tools.presenter.single(call.caller, shown))


async def show_lease(tools: Tools, call: Call) -> Answer:
    notebook = await notebooks.show_lease(tools.context, call.caller, call.path["id"])
    return Answer(lease_view(notebook.lease))


async def renew_lease(tools: Tools, call: Call) -> Answer:
    duration = call.query.get("duration")
    notebook = await notebooks.renew_lease(tools.context, call.request, call.path["id"], duration, call.body)
    return Answer(lease_view(notebook.lease))


async def show_notebook_log(tools: Tools, call: Call) -> Answer:
    notebook = await notebooks.readable(tools.context, call.caller, call.path["id"])
    lines = call.query.get("lines", _LOG_LINES)
    return Answer(NotebookLog(log=await tools.log_tail(notebook.id, notebook.generation, lines)))


async def show_notebook_usage(tools: Tools, call: Call) -> Answer:
    notebook, size = await usage.measurable(tools.context, call.caller, call.path["id"])
    used = await tools.usage(notebook.id, notebook.generation)
    if used is None:
        raise errors.not_running(notebook.id, "not running any more")
    return Answer(
        NotebookUsage(
            cpu_seconds=used.cpu_seconds,
            memory_bytes=used.memory_bytes,
            vcpus=UNSET if size is None else float(size.vcpus),
            memory_limit=UNSET if size is None else size.memory * _MIB,
            at=tools.context.clock(),
        )
    )


async def list_notebook_events(tools: Tools, call: Call) -> Answer:
    marker, limit = call.query.get("marker"), call.query.get("limit", _EVENTS)
    page = await events.of_notebook(tools.context, call.caller, call.path["id"], marker, limit)
    following = UNSET if page.next_marker is None else str(page.next_marker)
    return Answer(
        ListNotebookEventsResponse(events=[_event(told) for told in page.events], next_marker=following)
    )


def _event(told: Told) -> NotebookEvent:
    change = told.change
    return NotebookEvent(
        id=str(change.no),
        at=change.at,
        event=change.event,
        actor=change.actor,
        actor_name=UNSET if told.user_name is None else told.user_name,
        before=UNSET if change.before is None else change.before,
        after=change.after,
        reason=UNSET if change.reason is None else change.reason,
        request_id=UNSET if change.request_id is None else change.request_id,
    )


HANDLERS: dict[str, Handler] = {
    "CreateNotebook": create_notebook,
    "ShowNotebook": show_notebook,
    "UpdateNotebook": update_notebook,
    "DeleteNotebook": delete_notebook,
    "StartNotebook": start_notebook,
    "StopNotebook": stop_notebook,
    "FreezeNotebook": freeze_notebook,
    "UnfreezeNotebook": unfreeze_notebook,
    "ShowLease": show_lease,
    "RenewLease": renew_lease,
    "ShowNotebookLog": show_notebook_log,
    "ShowNotebookUsage": show_notebook_usage,
    "ListNotebookEvents": list_notebook_events,
}

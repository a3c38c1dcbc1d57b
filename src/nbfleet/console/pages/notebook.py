"""The page of one notebook: what it is, how it comes along, and everything that its owner does with it.

What changes by itself stands in parts of its own, which the stream of the page replaces while it is open; a
form that somebody may be typing into is in none of them. What a reader may not do is not offered; whether it
is allowed is for the operations to say.
"""

import math
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from nbfleet.console import deeds, story, wishes
from nbfleet.console.live import Watch
from nbfleet.console.page import Page, Parts
from nbfleet.console.shown import amount, memory
from nbfleet.console.story import StepTold
from nbfleet.console.stream import Event, stream
from nbfleet.console.texts import _, ngettext
from nbfleet.console.visit import Visit
from nbfleet.console.wishes import Wish
from nbfleet.domain import lifecycle
from nbfleet.domain.access import Caller
from nbfleet.domain.lifecycle import Status
from nbfleet.wire import errors, errors_credentials
from nbfleet.wire.errors import ApiError
from nbfleet.wire.extensions import NotebookEvent, NotebookUsage
from nbfleet.wire.notebooks import NotebookResp
from nbfleet.wire.volumes import DataVolumesRes

LIVE_PARTS = ("head", "steps", "facts", "lease", "mounts")
_EVENTS, _LOG_LINES = 50, 500
_MIB = 1024 * 1024
_FRESH = {"Cache-Control": "no-store"}
_NOT_TOLD = (400, 403, 404, 501)  # It does not run, is not the reader's, or the runtime reports none.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_WORDS: Mapping[str, Any] = {
    "event_word": story.event_word,
    "mount_word": story.mount_word,
    "periods": wishes.PERIODS,
}
# What the buttons do, and whether it takes a period.
_DEEDS: Mapping[str, tuple[str, bool]] = {
    "start": ("StartNotebook", True),
    "stop": ("StopNotebook", False),
    "renew": ("RenewLease", True),
    "freeze": ("FreezeNotebook", False),
    "unfreeze": ("UnfreezeNotebook", False),
}


@dataclass(frozen=True, slots=True)
class View:
    """What the templates show. `acts`: whether the reader's actions reach it; `can`: what they can do
    with it now. `failed_try` is that of what is still pending. `mounts` is None while there can be none.
    `older` leads to the events before these."""

    one: NotebookResp
    acts: bool
    can: frozenset[lifecycle.Event]
    steps: Sequence[StepTold]
    events: Sequence[NotebookEvent]
    older: str | None
    failed_try: NotebookEvent | None
    mounts: Sequence[DataVolumesRes] | None

    @property
    def stops_at(self) -> int | None:
        """When it stops by itself; None where it does not."""
        lease = self.one.lease
        if lease is UNSET or not lease.enable or lease.create_at is UNSET or lease.duration is UNSET:
            return None
        return lease.create_at + lease.duration

    @property
    def has_failed(self) -> bool:
        return Status(self.one.status.value) in lifecycle.FAILED


class NotebookPage:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer
        self._live = parts.live

    # What is shown.

    async def shown(self, visit: Visit) -> Response:
        try:
            view = await _view(visit)
        except ApiError as refusal:
            if refusal.status != 404:
                raise
            values = {"notebook_id": _id(visit)}
            return self._renderer.page("notebook_gone.html", visit.look, visit, 404, **values)
        return self._answer("notebook.html", visit, view=view, parts=self._parts(visit, view))

    async def stream(self, visit: Visit) -> Response:
        async def make(caller: Caller, changed: set[str], _watch: Watch) -> Sequence[Event]:
            if caller != visit.caller:
                # Other rights than the page was made with: the browser asks again, with the new ones.
                raise errors_credentials.token_invalid()
            return await self._news(visit) if changed else ()

        return stream(visit, self._live, frozenset({_id(visit).lower()}), make)

    async def _news(self, visit: Visit) -> Sequence[Event]:
        try:
            view = await _view(visit)
        except ApiError as refusal:
            if refusal.status != 404:
                raise
            text = self._text("notebook_gone_middle.html", visit, notebook_id=_id(visit))
            return [Event("gone", {"html": text})]
        rows = self._text("notebook_events.html", visit, events=view.events)
        return [*(Event("part", one) for one in self._parts(visit, view)), Event("rows", {"html": rows})]

    async def older(self, visit: Visit) -> Response:
        answer = await _events(visit, visit.request.query_params.get("marker"))
        values = {"events": answer.events, "older": answer.next_marker}
        return self._answer("notebook_older.html", visit, **values)

    async def log(self, visit: Visit) -> Response:
        """Plain text, so that nothing in it can be markup."""
        try:
            answer = await visit.desk.ask("ShowNotebookLog", {"lines": _LOG_LINES}, id=_id(visit))
        except ApiError as refusal:
            return PlainTextResponse(refusal.message)
        return PlainTextResponse(harmless(answer.log), headers=_FRESH)

    async def usage(self, visit: Visit) -> Response:
        """As JSON for the drawings: what it uses now, and words around the value; null where it is not to be
        told."""
        try:
            used = await visit.desk.ask("ShowNotebookUsage", id=_id(visit))
        except ApiError as refusal:
            if refusal.status not in _NOT_TOLD:
                raise
            used = None
        told = None if used is None else {**msgspec.to_builtins(used), "words": _around(used)}
        return Response(msgspec.json.encode(told), media_type="application/json", headers=_FRESH)

    # How it is got at.

    async def open(self, visit: Visit) -> Response:
        """To the notebook itself, with the token that opens it now."""
        one = await _show(visit)
        if one.url is UNSET or one.token is UNSET:
            raise _cannot_open(visit, one)
        return RedirectResponse(f"{one.url}?token={one.token}", 303, {"Referrer-Policy": "no-referrer"})

    async def token(self, visit: Visit) -> Response:
        return self._answer("notebook_token.html", visit, one=await _show(visit))

    # What is done.

    async def do(self, visit: Visit) -> Response:
        """One of the deeds that a button stands for; answers the parts as they are then."""
        deed = visit.request.path_params["deed"]
        if deed not in _DEEDS:
            raise errors.no_such_path(visit.request.url.path)
        operation, takes_period = _DEEDS[deed]
        query = {"duration": visit.form.one("duration") or None} if takes_period else None
        await visit.desk.ask(operation, query, id=_id(visit))
        return await self._now(visit)

    async def delete(self, visit: Visit) -> Response:
        one = await _show(visit)
        if visit.form.one("typed") != one.name:
            raise errors.wrong_value("name", visit.form.one("typed"), one.name)
        await visit.desk.ask("DeleteNotebook", id=_id(visit))
        return await self._now(visit)

    async def attach(self, visit: Visit) -> Response:
        fields = ("category", "mount_path", "uri", "efs_id")
        body = {name: visit.form.one(name) for name in fields if visit.form.one(name)}
        await visit.desk.ask("AttachDynamicStorage", None, body, instance_id=_id(visit))
        return await self._now(visit)

    async def detach(self, visit: Visit) -> Response:
        storage = visit.request.path_params["storage"]
        await visit.desk.ask("DetachDynamicStorage", instance_id=_id(visit), storage_id=storage)
        return await self._now(visit)

    async def _now(self, visit: Visit) -> Response:
        return self._answer("notebook_now.html", visit, parts=self._parts(visit, await _view(visit)))

    # What is changed.

    async def edit(self, visit: Visit) -> Response:
        return await self._form(visit, await _show(visit), {}, None)

    async def save(self, visit: Visit) -> Response:
        """Asks for one change after the other; a refusal ends it and tells what is saved by then."""
        typed = {name: visit.form.one(name) for name in visit.form.fields}
        asked, saved = wishes.changes(visit.form), 0
        try:
            for wish in asked:
                await visit.desk.ask(wish.operation, None, wish.body, **{wish.path: _id(visit)})
                typed |= wish.then
                saved += 1
        except ApiError as refusal:
            return await self._form(visit, await _show(visit), typed, refusal, asked[:saved], asked[saved:])
        return await self._form(visit, await _show(visit), {}, None, asked)

    async def _form(
        self,
        visit: Visit,
        one: NotebookResp,
        typed: Mapping[str, str],
        refusal: ApiError | None,
        saved: Sequence[Wish] | None = None,
        unsaved: Sequence[Wish] = (),
    ) -> Response:
        """The form to change it; `typed` is what it held when it was refused. `saved` is None where nobody
        has sent it."""
        switchable = await visit.desk.ask("ShowSwitchableFlavors", id=_id(visit))
        values = {
            "one": one,
            "typed": typed,
            "tags": wishes.lines_of(one.tags),
            "flavors": switchable.data,
            "images": await images(visit),
            "refusal": refusal,
            "field": "" if refusal is None else wishes.field_of(refusal),
            "saved": saved,
            "unsaved": unsaved,
        }
        return self._answer("notebook_edit.html", visit, **values)

    # How it is written.

    def _parts(self, visit: Visit, view: View) -> list[dict[str, Any]]:
        """The parts that change by themselves; a version tells whether one is shown already."""
        found: list[dict[str, Any]] = []
        for name in LIVE_PARTS:
            text = self._text(f"notebook_{name}.html", visit, view=view)
            found.append({"id": name, "version": str(zlib.crc32(text.encode())), "html": text})
        return found

    def _text(self, template: str, visit: Visit, /, **values: Any) -> str:
        return self._renderer.text(template, visit=visit, look=visit.look, **_WORDS, **values)

    def _answer(self, template: str, visit: Visit, /, **values: Any) -> Response:
        return self._renderer.page(template, visit.look, visit, **_WORDS, **values)


async def images(visit: Visit) -> Sequence[Any]:
    """What a notebook can be made of: images of the service, then those of the reader."""
    found: list[Any] = []
    for kind in ("BUILD_IN", "DEDICATED"):
        try:
            found += (await visit.desk.ask("ListImage", {"type": kind, "limit": 200})).data
        except ApiError as refusal:
            if refusal.status != 403:
                raise
    return found


def harmless(text: str) -> str:
    """What an instance wrote without what steers a terminal or turns text around."""
    plain = _ESCAPES.sub("", text).replace("\r\n", "\n")
    return "".join(sign if sign in "\n\t" or sign.isprintable() else "\ufffd" for sign in plain)


def pages(parts: Parts) -> list[Page]:
    page, at = NotebookPage(parts), "notebooks/{id}"
    handlers: tuple[tuple[str, str, Callable[[Visit], Awaitable[Response]]], ...] = (
        ("notebook", "", page.shown),
        ("notebook stream", "/stream", page.stream),
        ("notebook events", "/events", page.older),
        ("notebook log", "/log", page.log),
        ("notebook usage", "/usage", page.usage),
        ("notebook open", "/open", page.open),
        ("notebook token", "/token", page.token),
        ("notebook edit", "/edit", page.edit),
    )
    changes: tuple[tuple[str, str, Callable[[Visit], Awaitable[Response]]], ...] = (
        ("notebook save", "/edit", page.save),
        ("notebook delete", "/delete", page.delete),
        ("notebook attach", "/storage", page.attach),
        ("notebook detach", "/storage/{storage}/detach", page.detach),
        ("notebook deed", "/do/{deed}", page.do),
    )
    return [
        *(Page(name, at + rest, handler) for name, rest, handler in handlers),
        *(Page(name, at + rest, handler, "POST") for name, rest, handler in changes),
    ]


def _around(used: NotebookUsage) -> Mapping[str, str]:
    """The words around {used}, which the page fills in: of how much, where that is known."""
    if used.vcpus is UNSET or used.memory_limit is UNSET:
        return {"cpu": _("%(used)s vCPUs") % {"used": "{used}"}, "memory": "{used}"}
    cores = ngettext("%(num)s vCPU", "%(num)s vCPUs", math.ceil(used.vcpus)) % {"num": amount(used.vcpus)}
    whole = {"cpu": cores, "memory": memory(used.memory_limit // _MIB)}
    return {name: _("%(used)s of %(all)s") % {"used": "{used}", "all": most} for name, most in whole.items()}


def _id(visit: Visit) -> str:
    return visit.request.path_params["id"]


async def _show(visit: Visit) -> NotebookResp:
    return await visit.desk.ask("ShowNotebook", id=_id(visit))


async def _events(visit: Visit, marker: str | None = None) -> Any:
    return await visit.desk.ask("ListNotebookEvents", {"limit": _EVENTS, "marker": marker}, id=_id(visit))


async def _view(visit: Visit) -> View:
    one, answer = await _show(visit), await _events(visit)
    owner_id = deeds.owner_of(one)
    steps = story.steps(one, answer.events)
    return View(
        one=one,
        acts=visit.acts_on(owner_id),
        can=deeds.offered(visit.caller, one, owner_id),
        steps=steps,
        events=answer.events,
        failed_try=story.failed_try(answer.events),
        older=None if answer.next_marker is UNSET else answer.next_marker,
        mounts=await _mounts(visit, one),
    )


async def _mounts(visit: Visit, one: NotebookResp) -> Sequence[DataVolumesRes] | None:
    if one.status.value != Status.RUNNING.value:
        return None
    try:
        return (await visit.desk.ask("ListDynamicStorages", instance_id=one.id)).data
    except ApiError:
        # It stopped meanwhile, or the reader's role does not include them.
        return None


def _cannot_open(visit: Visit, one: NotebookResp) -> ApiError:
    if one.status.value != Status.RUNNING.value:
        return errors.not_running(one.id, one.status.value)
    return errors.not_found("address of the instance", _id(visit))

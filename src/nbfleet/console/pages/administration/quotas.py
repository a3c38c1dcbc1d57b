"""Quotas: how much the project, each user, one user or one workspace may have."""

from starlette.responses import RedirectResponse, Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import NO_PROBLEM, Mistake, Problem, Room, tried
from nbfleet.console.texts import _, later
from nbfleet.console.visit import Visit
from nbfleet.domain.quotas import UNLIMITED, Holder, Resource
from nbfleet.services import administration, quota_administration
from nbfleet.services.quota_administration import Limits, Whose
from nbfleet.wire import errors

_WORDS = {
    Resource.INSTANCES: later("Notebooks"),
    Resource.VCPUS: later("vCPUs of running ones"),
    Resource.MEMORY: later("Memory of running ones, MiB"),
    Resource.STORAGE: later("Storage of work volumes, GB"),
}
_MOST_DIGITS = 20


class Quotas(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.QUOTAS)

    async def shown(self, visit: Visit) -> Response:
        query = visit.request.query_params
        return await self._shown(visit, query.get("of", ""), NO_PROBLEM)

    async def _shown(self, visit: Visit, of: str, problem: Problem) -> Response:
        self.enter(visit)
        context = visit.desk.tools.context
        limits: list[Limits] = [
            await quota_administration.shown(context, visit.caller, whose)
            for whose in (Whose(Holder.PROJECT), Whose(Holder.USER))
        ]
        if of not in ("", *map(_key, limits)):
            limits.insert(0, await quota_administration.shown(context, visit.caller, _whose(of)))
        people, more = await administration.users(context, visit.caller)
        places = await visit.desk.ask("ListWorkspace", {"limit": 1000, "sort_by": "name", "order": "asc"})
        values = {"limits": limits, "people": people, "more": more, "workspaces": places.workspaces, "of": of}
        return self.page(
            visit, "quotas.html", resources=_WORDS, unlimited=UNLIMITED, key=_key, problem=problem, **values
        )

    async def change(self, visit: Visit) -> Response:
        """A limit, or with `remove` none of its own any more."""
        self.enter(visit)
        of, resource = visit.form.one("of"), _resource(visit)
        made = await tried(self._put(visit, _whose(of), resource), f"{of} {resource}")
        if isinstance(made, Problem):
            return await self._shown(visit, of, made)
        return RedirectResponse(f"{self.address(visit)}?of={of}&done=changed", 303)

    async def _put(self, visit: Visit, whose: Whose, resource: Resource) -> None:
        context = visit.desk.tools.context
        value = UNLIMITED if visit.form.one("remove") else _number(visit.form.one("value"))
        if whose.holder is Holder.WORKSPACE:
            body = {"quotas": [{"resource": resource, "quota": value}]}
            await visit.desk.ask("UpdateWorkspaceQuotas", body=body, workspace_id=whose.id)
        elif value == UNLIMITED:
            await quota_administration.remove(context, visit.caller, whose, resource)
        else:
            await quota_administration.put(context, visit.caller, whose, resource, value)


def _key(limits: Limits) -> str:
    """How an address names whose quotas they are."""
    return f"{limits.whose.holder}:{limits.whose.id}"


def _whose(key: str) -> Whose:
    holder, _sign, id_ = key.partition(":")
    if holder not in set(Holder):
        raise errors.invalid_query("of", key, [f"{one}:ID" for one in Holder])
    return Whose(Holder(holder), id_)


def _resource(visit: Visit) -> Resource:
    given = visit.form.one("resource")
    if given not in set(Resource):
        raise errors.wrong_value("resource", given, list(Resource))
    return Resource(given)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
        raise Mistake(_("Give a whole number above 0."))
    return int(text)


def pages(parts: Parts) -> list[Page]:
    room = Quotas(parts)
    return [
        Page("quotas", "admin/quotas", room.shown),
        Page("change quota", "admin/quotas", room.change, "POST"),
    ]

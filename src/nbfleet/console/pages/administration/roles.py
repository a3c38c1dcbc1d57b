"""Roles made of actions: which there are, new ones, and the end of those that nobody has."""

from starlette.responses import Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import NO_PROBLEM, Problem, Room, tried
from nbfleet.console.visit import Visit
from nbfleet.services import administration
from nbfleet.services.roles import operations_of_actions


class Roles(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.ROLES)

    async def listed(self, visit: Visit) -> Response:
        return await self._list(visit, NO_PROBLEM)

    async def _list(self, visit: Visit, problem: Problem) -> Response:
        self.enter(visit)
        found = await administration.all_roles(visit.desk.tools.context, visit.caller)
        values = {"roles": found, "actions": operations_of_actions(), "problem": problem}
        return self.page(visit, "roles.html", **values)

    async def add(self, visit: Visit) -> Response:
        self.enter(visit)
        name, actions = visit.form.one("name"), visit.form.all("action")
        context = visit.desk.tools.context
        made = await tried(administration.add_role(context, visit.caller, name, actions), "name", "action")
        return await self._list(visit, made) if isinstance(made, Problem) else self.to(visit, "added")

    async def delete(self, visit: Visit) -> Response:
        self.enter(visit)
        name, context = visit.request.path_params["role"], visit.desk.tools.context
        made = await tried(administration.remove_role(context, visit.caller, name), "delete")
        return await self._list(visit, made) if isinstance(made, Problem) else self.to(visit, "deleted")


def pages(parts: Parts) -> list[Page]:
    room = Roles(parts)
    return [
        Page("roles", "admin/roles", room.listed),
        Page("add role", "admin/roles", room.add, "POST"),
        Page("delete role", "admin/roles/{role}", room.delete, "POST"),
    ]

"""Workspaces: which there are, whom they are open to, new ones, and their end."""

from typing import Any

from starlette.responses import Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import NO_PROBLEM, Problem, Room, check_typed, tried
from nbfleet.console.texts import later
from nbfleet.console.visit import Visit

_USERS = "modelarts:workspace:listUsers"
_KINDS = {
    "PUBLIC": later("Everybody in the project"),
    "INTERNAL": later("Who made it, and those named"),
    "PRIVATE": later("Who made it"),
}
_DEFAULT = "0"
_FIELDS = ("name", "description", "grants", "auth_type")


class Workspaces(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.WORKSPACES)

    async def listed(self, visit: Visit) -> Response:
        return await self._list(visit, NO_PROBLEM)

    async def _list(self, visit: Visit, problem: Problem) -> Response:
        self.enter(visit)
        query = {"limit": 1000, "sort_by": "name", "order": "asc"}
        found = await visit.desk.ask("ListWorkspace", query)
        values = {"workspaces": found.workspaces, "people": await _people(visit), "problem": problem}
        return self.page(visit, "workspaces.html", kinds=_KINDS, **values)

    async def add(self, visit: Visit) -> Response:
        self.enter(visit)
        made = await tried(visit.desk.ask("CreateWorkspace", body=_body(visit, is_new=True)), *_FIELDS)
        return await self._list(visit, made) if isinstance(made, Problem) else self.to(visit, "added")

    async def one(self, visit: Visit) -> Response:
        return await self._one(visit, NO_PROBLEM)

    async def _one(self, visit: Visit, problem: Problem) -> Response:
        self.enter(visit)
        found = await visit.desk.ask("ShowWorkspace", workspace_id=_id(visit))
        granted = [one.user_name for one in found.grants or ()]
        # Lists of users leave out those who are disabled, and not every reader may ask for one.
        people = sorted({*await _people(visit), *granted})
        values = {"workspace": found, "people": people, "granted": granted, "problem": problem}
        return self.page(visit, "workspace.html", kinds=_KINDS, default=_DEFAULT, **values)

    async def change(self, visit: Visit) -> Response:
        self.enter(visit)
        body = _body(visit, is_new=False)
        made = await tried(visit.desk.ask("UpdateWorkspace", body=body, workspace_id=_id(visit)), *_FIELDS)
        return (
            await self._one(visit, made)
            if isinstance(made, Problem)
            else self.to(visit, "changed", _id(visit))
        )

    async def delete(self, visit: Visit) -> Response:
        self.enter(visit)
        made = await tried(self._delete(visit), "delete")
        return await self._one(visit, made) if isinstance(made, Problem) else self.to(visit, "deleted")

    async def _delete(self, visit: Visit) -> None:
        found = await visit.desk.ask("ShowWorkspace", workspace_id=_id(visit))
        check_typed(visit, found.name)
        await visit.desk.ask("DeleteWorkspace", workspace_id=_id(visit))


async def _people(visit: Visit) -> list[str]:
    """Whom a workspace can be opened to, for those who may know."""
    if not visit.may(_USERS):
        return []
    return [one.user_name for one in (await visit.desk.ask("ListUsers")).users]


def _body(visit: Visit, *, is_new: bool) -> dict[str, Any]:
    form = visit.form
    body: dict[str, Any] = {"description": form.one("description"), "auth_type": form.one("auth_type")}
    if is_new or _id(visit) != _DEFAULT:
        body["name"] = form.one("name")
    # Without boxes nothing is known of whom it shall be open to: what there is stays.
    if form.one("auth_type") == "INTERNAL" and form.one("grants_shown"):
        body["grants"] = [{"user_name": name} for name in form.all("grants")]
    return body


def _id(visit: Visit) -> str:
    return visit.request.path_params["workspace"]


def pages(parts: Parts) -> list[Page]:
    room = Workspaces(parts)
    return [
        Page("workspaces", "admin/workspaces", room.listed),
        Page("add workspace", "admin/workspaces", room.add, "POST"),
        Page("workspace", "admin/workspaces/{workspace}", room.one),
        Page("change workspace", "admin/workspaces/{workspace}", room.change, "POST"),
        Page("delete workspace", "admin/workspaces/{workspace}/delete", room.delete, "POST"),
    ]

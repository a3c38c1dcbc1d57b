"""Images: which there are and in what state, registering one, and its end."""

from typing import Any

from starlette.responses import Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import NO_PROBLEM, Problem, Room, check_typed, tried
from nbfleet.console.visit import Visit

_PAGE = 100
_KINDS = ("DEDICATED", "BUILD_IN")


class Images(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.IMAGES)

    async def listed(self, visit: Visit) -> Response:
        return await self._list(visit, NO_PROBLEM)

    async def _list(self, visit: Visit, problem: Problem) -> Response:
        """A page of those that were registered or saved; those of the service, which are few, stand behind
        the last of them."""
        self.enter(visit)
        offset = visit.request.query_params.get("offset", "0")
        own = await visit.desk.ask("ListImage", _query("DEDICATED", offset))
        behind = int(offset) + len(own.data)
        is_last = behind >= own.total
        built_in: list[Any] = (
            (await visit.desk.ask("ListImage", _query("BUILD_IN", "0"))).data if is_last else []
        )
        shown: list[Any] = [*own.data, *built_in]
        values: dict[str, Any] = {"images": shown, "following": None if is_last else behind}
        return self.page(visit, "images.html", problem=problem, **values)

    async def add(self, visit: Visit) -> Response:
        self.enter(visit)
        made = await tried(visit.desk.ask("RegisterImage", body=_body(visit)), "swr_path", "description")
        return await self._list(visit, made) if isinstance(made, Problem) else self.to(visit, "registered")

    async def one(self, visit: Visit) -> Response:
        return await self._one(visit, NO_PROBLEM)

    async def _one(self, visit: Visit, problem: Problem) -> Response:
        self.enter(visit)
        found = await visit.desk.ask("ShowImage", id=_id(visit))
        return self.page(visit, "image.html", image=found, problem=problem)

    async def delete(self, visit: Visit) -> Response:
        self.enter(visit)
        made = await tried(self._delete(visit), "delete")
        return await self._one(visit, made) if isinstance(made, Problem) else self.to(visit, "deleted")

    async def _delete(self, visit: Visit) -> None:
        found = await visit.desk.ask("ShowImage", id=_id(visit))
        check_typed(visit, f"{found.name}:{found.tag}")
        force = "true" if visit.form.one("force") else "false"
        await visit.desk.ask("DeleteImage", {"force": force}, id=_id(visit))


def _query(kind: str, offset: str) -> dict[str, Any]:
    sorting = {"sort_key": "create_at", "sort_dir": "DESC"}
    return {"type": kind, "workspace_id": "*", "limit": _PAGE, "offset": offset, **sorting}


def _body(visit: Visit) -> dict[str, Any]:
    form = visit.form
    body: dict[str, Any] = {"swr_path": form.one("swr_path")}
    body["visibility"] = "PUBLIC" if form.one("public") else "PRIVATE"
    if form.one("description"):
        body["description"] = form.one("description")
    return body


def _id(visit: Visit) -> str:
    return visit.request.path_params["image"]


def pages(parts: Parts) -> list[Page]:
    room = Images(parts)
    return [
        Page("images", "admin/images", room.listed),
        Page("register image", "admin/images", room.add, "POST"),
        Page("image", "admin/images/{image}", room.one),
        Page("delete image", "admin/images/{image}/delete", room.delete, "POST"),
    ]

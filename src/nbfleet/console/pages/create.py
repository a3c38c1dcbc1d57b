"""The page that makes a notebook: defaults with which a name and one button are enough, and the same request
as code to copy."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET
from starlette.responses import RedirectResponse, Response

from nbfleet.console import as_code, wishes
from nbfleet.console.page import BUSY, Page, Parts
from nbfleet.console.pages.notebook import images
from nbfleet.console.visit import Form, Visit
from nbfleet.wire.errors import ApiError

PREFIX = "notebook-"
_MOST = 100
_SIZE = "5"  # GB, what an EVS volume has unless another size is asked for.


class Create:
    def __init__(self, parts: Parts) -> None:
        self._renderer = parts.renderer
        self._address = parts.address

    async def shown(self, visit: Visit) -> Response:
        """The form; what stands in the address is filled in."""
        wanted = {name: visit.request.query_params[name] for name in visit.request.query_params}
        return await self._form(visit, wanted, None)

    async def sent(self, visit: Visit) -> Response:
        """Once for each key: a form that is sent twice makes one notebook."""
        form = visit.form
        try:
            made = await visit.desk.ask(
                "CreateNotebook", None, wishes.to_create(form), idempotency_key=form.one("key") or None
            )
        except ApiError as refusal:
            return await self._form(visit, {name: form.one(name) for name in form.fields}, refusal)
        where = f"{visit.base}/notebooks/{made.id}"
        if visit.is_part:
            return Response("", headers={"HX-Redirect": where})
        return RedirectResponse(where, 303)

    async def code(self, visit: Visit) -> Response:
        """The request of the form as it stands."""
        query = visit.request.query_params
        form = Form({name: query.getlist(name) for name in query})
        return self._renderer.page("create_code.html", visit.look, visit, code=self._code(visit, form))

    async def _form(self, visit: Visit, typed: Mapping[str, str], refusal: ApiError | None) -> Response:
        """`typed` is what the form holds already; a refusal stands beside the field that it names."""
        offered = await _offered(visit)
        values = {**await _defaults(visit, offered), **typed}
        values.setdefault("key", uuid.uuid4().hex)
        form = Form({name: (value,) for name, value in values.items()})
        shown = {
            **offered,
            "values": values,
            "periods": wishes.PERIODS,
            "refusal": refusal,
            "field": "" if refusal is None else wishes.field_of(refusal),
            "code": self._code(visit, form),
        }
        return self._renderer.page("create.html", visit.look, visit, **shown)

    def _code(self, visit: Visit, form: Form) -> Mapping[str, str]:
        place = as_code.Place(self._address, visit.caller.project_id)
        return as_code.all_of(wishes.to_create(form), place)


async def _offered(visit: Visit) -> dict[str, Sequence[Any]]:
    """What there is to choose from; what the reader's role does not include is left out."""
    return {
        "flavors": (await visit.desk.ask("ListFlavors", {"sort_dir": "ASC"})).data,
        "images": await images(visit),
        "workspaces": await _part(visit, "ListWorkspace", "workspaces", filter_accessible="true", limit=200),
        "pools": await _part(visit, "ListPools", "items"),
        "keypairs": await _part(visit, "ListKeypairs", "keypairs"),
    }


async def _part(visit: Visit, operation: str, field: str, **query: Any) -> Sequence[Any]:
    try:
        found = getattr(await visit.desk.ask(operation, query), field)
    except ApiError as refusal:
        if refusal.status not in (403, 404):
            raise
        return []
    return [] if found is UNSET else found


async def _defaults(visit: Visit, offered: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    flavors, images_ = offered["flavors"], offered["images"]
    free = [one for one in flavors if not one.sold_out] or list(flavors)
    return {
        "name": await _free_name(visit),
        "flavor": free[0].id if free else "",
        "image_id": str(images_[0].id) if images_ else "",
        "category": "EVS",
        "size": _SIZE,
        "duration": str(wishes.HOUR),
        "description": "",
        "workspace_id": "0",
        "pool_id": "",
        "tags": "",
    }


async def _free_name(visit: Visit) -> str:
    """A name of the series that none of the reader's newest notebooks has. Names need not be unique, so
    nobody waits for one while the service is busy."""
    query: dict[str, Any] = {
        "name": PREFIX,
        "limit": _MOST,
        "sort_key": "create_at",
        "sort_dir": "DESC",
    }
    try:
        found = await _part(visit, "ListNotebooks", "data", **query)
    except ApiError as refusal:
        if refusal.status not in BUSY:
            raise
        found = ()
    names = [re.fullmatch(PREFIX + r"([0-9]{1,9})", one.name) for one in found]
    numbers = [int(name[1]) for name in names if name is not None]
    return f"{PREFIX}{max(numbers, default=0) + 1}"


def pages(parts: Parts) -> list[Page]:
    page = Create(parts)
    return [
        Page("new notebook", "notebooks/new", page.shown),
        Page("new notebook as code", "notebooks/new/code", page.code),
        Page("create notebook", "notebooks/new", page.sent, "POST"),
    ]

"""Access keys of the project's people: which there are, and their end. The page of a user makes them."""

from starlette.responses import Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import Room
from nbfleet.console.visit import Visit
from nbfleet.services import administration
from nbfleet.wire import errors


class Keys(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.KEYS)

    async def listed(self, visit: Visit) -> Response:
        self.enter(visit)
        found = await administration.keys(visit.desk.tools.context, visit.caller)
        return self.page(visit, "keys.html", keys=found)

    async def change(self, visit: Visit) -> Response:
        self.enter(visit)
        context, key_id = visit.desk.tools.context, visit.request.path_params["key"]
        match visit.form.one("do"):
            case "enable":
                await administration.enable_key(context, visit.caller, key_id, enabled=True)
                return self.to(visit, "key-enabled")
            case "disable":
                await administration.enable_key(context, visit.caller, key_id, enabled=False)
                return self.to(visit, "key-disabled")
            case "delete":
                await administration.delete_key(context, visit.caller, key_id)
                return self.to(visit, "deleted")
            case other:
                raise errors.wrong_value("do", other, ("enable", "disable", "delete"))


def pages(parts: Parts) -> list[Page]:
    room = Keys(parts)
    return [
        Page("access keys", "admin/keys", room.listed),
        Page("change access key", "admin/keys/{key}", room.change, "POST"),
    ]

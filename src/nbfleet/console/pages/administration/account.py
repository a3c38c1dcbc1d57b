"""One's own account: SSH key pairs, the password, and the end of all sessions."""

from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import (
    NO_PROBLEM,
    Mistake,
    Once,
    Problem,
    Room,
    check_typed,
    tried,
)
from nbfleet.console.sections import Section
from nbfleet.console.texts import _, later
from nbfleet.console.visit import Visit
from nbfleet.services import identity

_OWN = Section("account", later("My account"), ("ListKeypairs",))
_SHORTEST = 8


class Account(Room):
    """For everybody who is signed in: nothing here reaches anybody else."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, _OWN)

    def address(self, visit: Visit, *rest: str) -> str:
        return "/".join((visit.base, "account", *rest))

    async def shown(self, visit: Visit) -> Response:
        return await self._shown(visit, NO_PROBLEM)

    async def _shown(self, visit: Visit, problem: Problem) -> Response:
        found = await visit.desk.ask("ListKeypairs", {"limit": 1000})
        keypairs = [one.keypair for one in found.keypairs]
        return self.page(visit, "account.html", keypairs=keypairs, shortest=_SHORTEST, problem=problem)

    async def add_keypair(self, visit: Visit) -> Response:
        name, public = visit.form.one("name"), visit.form.one("public_key").strip()
        wanted: dict[str, Any] = {"name": name, **({"public_key": public} if public else {})}
        asked = visit.desk.ask("CreateKeypair", body={"keypair": wanted})
        made = await tried(asked, "public_key", "name")
        if isinstance(made, Problem):
            return await self._shown(visit, made)
        if public:
            return self.to(visit, "added")
        lead = _("The private key of this pair. The service does not keep it: save it in a file of your own.")
        return self.once(visit, name, lead, [Once(_("Private key"), made.keypair.private_key)])

    async def delete_keypair(self, visit: Visit) -> Response:
        made = await tried(self._delete(visit), f"delete {visit.request.path_params['keypair']}")
        return await self._shown(visit, made) if isinstance(made, Problem) else self.to(visit, "deleted")

    async def _delete(self, visit: Visit) -> None:
        name = visit.request.path_params["keypair"]
        check_typed(visit, name)
        await visit.desk.ask("DeleteKeypair", keypair_name=name)

    async def change_password(self, visit: Visit) -> Response:
        """Ends every session, this one too."""
        made = await tried(self._change_password(visit), "old")
        if isinstance(made, Problem):
            return await self._shown(visit, made)
        return made or RedirectResponse(f"/login?then={quote(self.address(visit), safe='')}", 303)

    async def _change_password(self, visit: Visit) -> Response | None:
        form = visit.form
        new = form.one("new")
        if len(new) < _SHORTEST:
            return await self._shown(visit, Problem("new", _("The new password is too short.")))
        if new != form.one("again"):
            return await self._shown(visit, Problem("again", _("It differs from the new password.")))
        context = visit.desk.tools.context
        if not await identity.change_own_password(context, visit.caller.user_id, form.one("old"), new):
            raise Mistake(_("This is not your password."))
        return None


def pages(parts: Parts) -> list[Page]:
    room = Account(parts)
    return [
        Page("account", "account", room.shown),
        Page("add key pair", "account/keypairs", room.add_keypair, "POST"),
        Page("delete key pair", "account/keypairs/{keypair}", room.delete_keypair, "POST"),
        Page("change password", "account/password", room.change_password, "POST"),
    ]

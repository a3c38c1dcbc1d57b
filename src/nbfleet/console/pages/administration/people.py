"""Users of the project: who they are, their role in it, how they get in, and their end."""

from starlette.responses import Response

from nbfleet.console import sections
from nbfleet.console.page import Page, Parts
from nbfleet.console.pages.administration.frame import NO_PROBLEM, Once, Problem, Room, check_typed, tried
from nbfleet.console.texts import _
from nbfleet.console.visit import Visit
from nbfleet.domain.access import Reach
from nbfleet.services import administration
from nbfleet.services.administration import Person
from nbfleet.services.context import Context
from nbfleet.wire import errors


class People(Room):
    def __init__(self, parts: Parts) -> None:
        super().__init__(parts, sections.USERS)
        self._address = parts.address

    async def listed(self, visit: Visit) -> Response:
        return await self._list(visit, NO_PROBLEM)

    async def _list(self, visit: Visit, problem: Problem) -> Response:
        self.enter(visit)
        query, context = visit.request.query_params, _context(visit)
        part = query.get("name", "")
        found, more = await administration.users(context, visit.caller, part, query.get("behind", ""))
        roles = await administration.all_roles(context, visit.caller)
        values = {"people": found, "more": more, "part": part, "roles": roles, "problem": problem}
        return self.page(visit, "users.html", persons=Reach.PERSON, **values)

    async def add(self, visit: Visit) -> Response:
        self.enter(visit)
        name, role = visit.form.one("name"), visit.form.one("role")
        made = await tried(administration.add_user(_context(visit), visit.caller, name, role), "name", "role")
        if isinstance(made, Problem):
            return await self._list(visit, made)
        lead = _("The user is a member of this project now. Hand the password over on a safe way.")
        return self.once(visit, made.name, lead, [Once(_("Password"), made.password)])

    async def one(self, visit: Visit) -> Response:
        return await self._one(visit, NO_PROBLEM)

    async def _one(self, visit: Visit, problem: Problem) -> Response:
        self.enter(visit)
        context, user_id = _context(visit), _user_id(visit)
        person = await administration.user(context, visit.caller, user_id)
        roles = await administration.all_roles(context, visit.caller)
        values = {"person": person, "roles": roles, "problem": problem}
        return self.page(visit, "user.html", persons=Reach.PERSON, **values)

    async def change(self, visit: Visit) -> Response:
        """What the form's `do` says."""
        self.enter(visit)
        do = visit.form.one("do")
        answers = {
            "role": self._role,
            "enable": self._enable,
            "disable": self._disable,
            "password": self._password,
            "link": self._link,
            "key": self._key,
            "delete": self._delete,
        }
        if do not in answers:
            raise errors.wrong_value("do", do, answers)
        answer = await tried(answers[do](visit), do)
        return await self._one(visit, answer) if isinstance(answer, Problem) else answer

    async def _role(self, visit: Visit) -> Response:
        role = visit.form.one("role")
        await administration.set_role(_context(visit), visit.caller, _user_id(visit), role)
        if role == "none":
            return self.to(visit, "out")
        return self.to(visit, "role", _user_id(visit))

    async def _enable(self, visit: Visit) -> Response:
        await administration.enable_user(_context(visit), visit.caller, _user_id(visit), enabled=True)
        return self.to(visit, "enabled", _user_id(visit))

    async def _disable(self, visit: Visit) -> Response:
        await administration.enable_user(_context(visit), visit.caller, _user_id(visit), enabled=False)
        return self.to(visit, "disabled", _user_id(visit))

    async def _password(self, visit: Visit) -> Response:
        made = await administration.reset_password(_context(visit), visit.caller, _user_id(visit))
        lead = _("This is the password from now on. Every session of the user has ended.")
        return self._shown(visit, made.name, lead, Once(_("Password"), made.password))

    async def _link(self, visit: Visit) -> Response:
        ticket = await administration.login_link(
            _context(visit), visit.caller, _user_id(visit), visit.form.one("password")
        )
        person = await self._person(visit)
        lead = _("This link lets the user in once, within ten minutes. Whoever has it is let in.")
        link = Once(_("Login link"), f"{self._address}/login?ticket={ticket}")
        return self._shown(visit, person.member.name, lead, link)

    async def _key(self, visit: Visit) -> Response:
        made = await administration.add_key(
            _context(visit), visit.caller, _user_id(visit), visit.form.one("password")
        )
        person = await self._person(visit)
        lead = _("Programs sign their requests with it. The secret key cannot be shown again.")
        pair = (Once(_("Access key"), made.access_key), Once(_("Secret key"), made.secret_key))
        return self._shown(visit, person.member.name, lead, *pair)

    async def _delete(self, visit: Visit) -> Response:
        check_typed(visit, (await self._person(visit)).member.name)
        await administration.delete_user(_context(visit), visit.caller, _user_id(visit))
        return self.to(visit, "deleted")

    async def _person(self, visit: Visit) -> Person:
        return await administration.user(_context(visit), visit.caller, _user_id(visit))

    def _shown(self, visit: Visit, title: str, lead: str, *secrets: Once) -> Response:
        return self.once(visit, title, lead, list(secrets), self.address(visit, _user_id(visit)))


def _context(visit: Visit) -> Context:
    return visit.desk.tools.context


def _user_id(visit: Visit) -> str:
    return visit.request.path_params["user"]


def pages(parts: Parts) -> list[Page]:
    room = People(parts)
    return [
        Page("users", "admin/users", room.listed),
        Page("add user", "admin/users", room.add, "POST"),
        Page("user", "admin/users/{user}", room.one),
        Page("change user", "admin/users/{user}", room.change, "POST"),
    ]

"""The quotas of one project, as its administrators see and set them: for the project, for each user, for one
user, for one workspace. Those of a workspace are set by the operation for it. What they mean and when they
count is `quotas`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nbfleet.domain import quotas as rules
from nbfleet.domain.access import Caller
from nbfleet.domain.quotas import EVERY_USER, THE_PROJECT, Holder, Quota, Resource, Subject
from nbfleet.services import administration, quotas
from nbfleet.services.administration import Office, office_of
from nbfleet.services.context import Context
from nbfleet.services.identity import Refused
from nbfleet.services.quotas import Standing
from nbfleet.store import members, workspaces
from nbfleet.store.database import Connection
from nbfleet.wire import errors


@dataclass(frozen=True, slots=True)
class Whose:
    """`id` is that of the user or the workspace; empty for the project, and for every user."""

    holder: Holder
    id: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """`name` is what the user or workspace is called, empty where there is none."""

    whose: Whose
    name: str
    standings: Sequence[Standing]


async def shown(context: Context, caller: Caller, whose: Whose) -> Limits:
    def look(connection: Connection) -> Limits:
        project_no = office_of(connection, caller).project.no
        subject, name = _subject(connection, project_no, whose)
        return Limits(whose, name, quotas.standings(connection, context, project_no, subject))

    return await context.database.read(look)


async def put(context: Context, caller: Caller, whose: Whose, resource: Resource, value: int) -> None:
    """A limit for the project or for users. What is there already goes on."""
    if not rules.is_value(value):
        raise Refused(f"The limit is {value}; allowed: 1 to {rules.MOST}.")

    def change(connection: Connection, project_no: int, subject: Subject) -> None:
        quotas.set_quota(connection, project_no, Quota(subject, resource, value, context.clock()))

    await _change(context, caller, f"set quota {resource} {value}", whose, change)


async def remove(context: Context, caller: Caller, whose: Whose, resource: Resource) -> None:
    """No limit of their own for the project or users any more."""

    def change(connection: Connection, project_no: int, subject: Subject) -> None:
        quotas.remove_quota(connection, project_no, subject, resource)

    await _change(context, caller, f"remove quota {resource}", whose, change)


async def _change(
    context: Context,
    caller: Caller,
    did: str,
    whose: Whose,
    change: Callable[[Connection, int, Subject], None],
) -> None:
    if whose.holder is Holder.WORKSPACE:
        raise ValueError("Quotas of workspaces are set by an operation.")

    def write(connection: Connection, office: Office) -> None:
        subject, _ = _subject(connection, office.project.no, whose)
        change(connection, office.project.no, subject)

    await administration.write(context, caller, did, f"{whose.holder}:{whose.id}", write)


def _subject(connection: Connection, project_no: int, whose: Whose) -> tuple[Subject, str]:
    if whose.holder is Holder.PROJECT:
        return THE_PROJECT, ""
    if whose.holder is Holder.WORKSPACE:
        place = workspaces.find(connection, project_no, whose.id, 0)
        if place is None:
            raise errors.not_found("workspace", whose.id)
        return Subject(Holder.WORKSPACE, place.no), place.name
    if not whose.id:
        return EVERY_USER, ""
    member = members.find(connection, project_no, whose.id)
    if member is None:
        raise errors.not_found("user", whose.id)
    return Subject(Holder.USER, member.no), member.name

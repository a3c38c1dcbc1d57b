"""The last step before an answer: adds what depends on the reader, and writes the envelope of a list.

A token, and any address that names an instance, are for its owner only (unless a setting reveals them to
administrators, as the public cloud does). No other module puts them into an answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from nbfleet.domain import access
from nbfleet.domain.access import Caller
from nbfleet.domain.lifecycle import Status, status_of
from nbfleet.domain.listing import page_numbers
from nbfleet.services.lists import Listed
from nbfleet.services.notebooks import Shown
from nbfleet.store import documents, listing
from nbfleet.store.keyring import Keyring
from nbfleet.wire.endpoints import EndpointsRes
from nbfleet.wire.enums import DevService
from nbfleet.wire.identity import Domain, UserResponse
from nbfleet.wire.notebooks import NotebookResp
from nbfleet.wire.placement import Pool

_NO_ENDPOINTS = documents.member("endpoints", [])


@dataclass(frozen=True, slots=True)
class Presenter:
    """`gateway` is the address under which clients reach the gateway, without a slash at the end."""

    keyring: Keyring
    gateway: str
    reveal_to_admin: bool

    def page(self, caller: Caller, listed: Listed, limit: int, offset: int) -> bytes:
        """The envelope around the ready documents, each completed for this reader."""
        page, numbers = listed.page, page_numbers(listed.page.total, limit, offset)
        rows = b",".join([self._row(caller, row) for row in page.rows])
        body = b'{"current":%d,"data":[%b],"pages":%d,"size":%d,"total":%d}' % (
            numbers.current,
            rows,
            numbers.pages,
            numbers.size,
            page.total,
        )
        if listed.next_marker is None:
            return body
        return documents.splice(body, [documents.member("next_marker", listed.next_marker)])

    def exported(self, caller: Caller) -> Callable[[listing.Row], bytes]:
        """The document of a row without anything that only some readers may know."""
        account = (caller.account_id, caller.account_name)

        def line(row: listing.Row) -> bytes:
            return documents.splice(row.body, [_user_member(*account, row.owner_id, row.owner_name)])

        return line

    def single(self, caller: Caller, shown: Shown, now: int | None = None) -> NotebookResp:
        """One notebook; `now` is told in answers to show only."""
        notebook = shown.notebook
        pool = None if shown.pool is None else Pool(id=shown.pool.id, name=shown.pool.name)
        view = documents.view(notebook, documents.show_form(shown.image), pool)
        running = status_of(notebook) is Status.RUNNING
        reveals = self._reveals(caller, notebook.owner_id)
        return msgspec.structs.replace(
            view,
            user=UserResponse(
                id=notebook.owner_id,
                name=shown.owner_name,
                domain=Domain(id=caller.account_id, name=caller.account_name),
            ),
            token=self.keyring.notebook_token(notebook.id, notebook.generation) if reveals else UNSET,
            url=self._url(notebook.id) if reveals and running else UNSET,
            endpoints=[self._endpoint(notebook.id)] if reveals and running else [],
            current_time=UNSET if now is None else now,
        )

    def _row(self, caller: Caller, row: listing.Row) -> bytes:
        if not self._reveals(caller, row.owner_id):
            # Most rows are somebody else's, and the same few owners fill most pages.
            return row.body[:-1] + _end_for_others(
                caller.account_id, caller.account_name, row.owner_id, row.owner_name
            )
        user = _user_member(caller.account_id, caller.account_name, row.owner_id, row.owner_name)
        token = documents.member("token", self.keyring.notebook_token(row.id, row.generation))
        return documents.splice(row.body, (user, token, *self._addresses(row)))

    def _addresses(self, row: listing.Row) -> list[bytes]:
        if not row.running:
            return [_NO_ENDPOINTS]
        return [
            documents.member("endpoints", [self._endpoint(row.id)]),
            documents.member("url", self._url(row.id)),
        ]

    def _reveals(self, caller: Caller, owner_id: str) -> bool:
        if caller.user_id == owner_id:
            return True
        return self.reveal_to_admin and access.may(caller, access.ACT_ON_ALL)

    def _url(self, notebook_id: str) -> str:
        return f"{self.gateway}/{notebook_id}/lab"

    def _endpoint(self, notebook_id: str) -> EndpointsRes:
        return EndpointsRes(
            service=DevService.NOTEBOOK,
            dev_service=DevService.NOTEBOOK,
            uri=self._url(notebook_id),
            key_pair_names=[],
            ssh_keys=[],
            allowed_access_ips=[],
        )


@lru_cache(maxsize=4096)
def _end_for_others(account_id: str, account_name: str, owner_id: str, owner_name: str) -> bytes:
    """What follows the stored part of a document for those who do not own it."""
    user = _user_member(account_id, account_name, owner_id, owner_name)
    return b",%b,%b}" % (user, _NO_ENDPOINTS)


@lru_cache(maxsize=4096)
def _user_member(account_id: str, account_name: str, owner_id: str, owner_name: str) -> bytes:
    account = Domain(id=account_id, name=account_name)
    return documents.member("user", UserResponse(id=owner_id, name=owner_name, domain=account))


def unpaged(items: list[Any], offset: int) -> dict[str, Any]:
    """Envelope fields of a list that is answered whole, from `offset` on."""
    return {"current": 1, "pages": 1, "size": len(items), "total": len(items), "data": items[offset:]}


def paged(items: list[Any], limit: int, offset: int) -> dict[str, Any]:
    """Envelope fields and page of a list that is known whole."""
    numbers = page_numbers(len(items), limit, offset)
    return {
        "current": numbers.current,
        "pages": numbers.pages,
        "size": numbers.size,
        "total": len(items),
        "data": items[offset : offset + limit],
    }

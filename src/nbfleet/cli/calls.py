"""Running one call against the service, and finding a notebook by what a person calls it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import UNSET

from nbfleet.cli.failures import FAILED, NOT_FOUND, Failed
from nbfleet.cli.options import credentials

_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SHOWN = 5
_PAGE = 100


def call(options: dict[str, Any], run: Callable[[Any], Awaitable[None]]) -> None:
    """run(client), with a client made of the options of `with_credentials`."""
    from nbfleet.client import Client  # noqa: PLC0415 - HTTP is a lot to import.

    known = credentials(options["credentials"], options["data_dir"], options["endpoint"])

    async def inside() -> None:
        async with Client(known, ca_file=options["ca_file"]) as client:
            await run(client)

    asyncio.run(inside())


async def everybodys(client: Any, query: dict[str, Any], everybody: bool | None = None) -> bytes:
    """A page of everybody's notebooks where that is permitted, else of one's own; unless one or the other
    was asked for."""
    from nbfleet.client import ClientError  # noqa: PLC0415

    if everybody is not False:
        try:
            return await client.call_raw("ListAllNotebooks", query=query)
        except ClientError as refusal:
            if everybody or refusal.status != 403:
                raise
    return await client.call_raw("ListNotebooks", query=query)


def listed(raw: bytes) -> Any:
    """The page that this answer is."""
    import msgspec  # noqa: PLC0415

    from nbfleet.wire.notebooks import ListNotebooksResponse  # noqa: PLC0415

    return msgspec.json.decode(raw, type=ListNotebooksResponse)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


async def find(client: Any, notebook: str) -> str:
    """The id of the notebook that has this id, or this name and no other one has it."""
    from nbfleet.client import ClientError  # noqa: PLC0415

    if is_id(notebook):
        return notebook
    try:
        exact = await _called(client, notebook, everybody=True)
    except ClientError as refusal:
        if refusal.status != 403:
            raise
        exact = await _called(client, notebook, everybody=False)
    if len(exact) == 1:
        return exact[0].id
    if not exact:
        raise Failed(f"There is no notebook called {notebook}.", "`nbfleet list` shows them.", NOT_FOUND)
    some = ", ".join(one.id for one in exact[:_SHOWN])
    raise Failed(f"{len(exact)} notebooks are called {notebook}.", f"Name one by its id: {some}.", FAILED)


async def _called(client: Any, name: str, *, everybody: bool) -> list[Any]:
    """All notebooks with exactly this name; the list finds those that have it as a part."""
    query = {"name": name, "sort_key": "name", "sort_dir": "ASC", "workspace_id": "*", "feature": "*"}
    exact: list[Any] = []
    offset, total = 0, 1
    while offset < total:
        page = await client.list_notebooks(everybody=everybody, limit=_PAGE, offset=offset, **query)
        exact.extend(one for one in page.data if one.name == name)
        offset, total = offset + _PAGE, page.total
    return exact


def not_hidden(value: Any) -> Any:
    """A field that our own service always sends."""
    if value is UNSET:
        raise Failed("The answer is not one of this service.")
    return value
